"""The settings, and the server that they name."""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from jumpseat import Config, InvalidValue, ProviderRefused, ProviderUnreachable, Secret, Setting, say

SETTINGS_FILE = "metadata/plugins/meshcentral.yaml"
TELL, ASK, BAR = 1, 8, 64
"""Bits of a group's consent for the desktop: say that somebody looks, ask before, show a bar meanwhile."""
ALL_CONSENT = 127
_DOMAIN = re.compile(r"[a-z0-9_-]{0,64}")
_TOKEN = re.compile(r"[\x21-\x7e]{1,512}")

SETTINGS = (
    Setting("url", str, help=say("Address of the MeshCentral server, https://HOST or https://HOST:PORT.")),
    Setting("token_user", str, secret=True, help=say("Name of a login token of an account made for Jumpseat alone; begins with ~t:.")),
    Setting("token_password", str, secret=True, help=say("Password of that token. Who has it can run commands on customers' machines.")),
    Setting("ca_file", str, help=say("PEM file of the authority that signed the server's certificate; the usual ones when left out.")),
    Setting("domain", str, default="", help=say("Name of the server's domain, where it has several and the account is in one of them.")),
    Setting(
        "consent",
        int,
        default=TELL | ASK | BAR,
        help=say("What customers are asked and told: 1 says that somebody looks, 8 asks before (always on), 64 shows a bar; added up."),
    ),
)


@dataclass(frozen=True, slots=True)
class Server:
    """One server, and the token to call it with."""

    url: str
    """``https://HOST[:PORT]``, without a slash at its end."""
    domain: str
    user: Secret
    password: Secret
    ca_file: str = ""

    @property
    def host(self) -> str:
        """Host and port, for people."""
        return urlsplit(self.url).netloc

    @property
    def base(self) -> str:
        """Where the pages of the domain are, with a slash at the end."""
        return f"{self.url}/{self.domain}/" if self.domain else f"{self.url}/"

    @property
    def control(self) -> str:
        """Where its API is."""
        return f"wss{self.base.removeprefix('https')}control.ashx"

    @property
    def health(self) -> str:
        """What answers ``ok`` to anybody."""
        return f"{self.base}health.ashx"

    def device_page(self, node: str) -> str:
        """The server's own page of a device, on which people sign in themselves."""
        return f"{self.base}?viewmode=11&gotonode={quote(node.rpartition('/')[2], safe='')}"

    def tls(self) -> ssl.SSLContext:
        """What verifies the server's certificate.

        Raises:
            ProviderUnreachable: the file of the authority cannot be read.
        """
        try:
            return ssl.create_default_context(cafile=self.ca_file or None)
        except (OSError, ssl.SSLError) as error:
            text = say("'ca_file' in {file} names {ca_file}, which is no readable PEM file.", file=SETTINGS_FILE, ca_file=self.ca_file)
            raise ProviderUnreachable(text) from error


def server_of(config: Config) -> Server:
    """The server of the settings as they stand now.

    Raises:
        ProviderRefused: they do not name one.
    """
    if why := missing(config):
        raise ProviderRefused(why)
    user, password = config.token_user, config.token_password
    return Server(_url(config), str(config.domain or ""), user, password, str(config.ca_file or ""))


def missing(config: Config) -> str:
    """What has to be set, or set otherwise, before the server can be used; empty when nothing."""
    if not config.url or not config.token_user or not config.token_password:
        return say("Set 'url', 'token_user' and 'token_password' of a MeshCentral server in {file}.", file=SETTINGS_FILE)
    if not _is_url(_url(config)):
        return say("'url' in {file} has to be https://HOST or https://HOST:PORT.", file=SETTINGS_FILE)
    if not _DOMAIN.fullmatch(str(config.domain or "")):
        return say("'domain' in {file} has to be the name of a MeshCentral domain: letters, digits, '-' and '_'.", file=SETTINGS_FILE)
    if not all(_TOKEN.fullmatch(part.reveal()) for part in (config.token_user, config.token_password)):
        return say("The login token in {file} holds blanks or line breaks. Copy its two parts again.", file=SETTINGS_FILE)
    if not 0 <= int(config.consent) <= ALL_CONSENT:
        return say("'consent' in {file} has to be a number from 0 to 127.", file=SETTINGS_FILE)
    return ""


def consent_of(config: Config) -> int:
    """What customers are asked and told; asking cannot be switched off."""
    return int(config.consent) | ASK


def check_url(url: str) -> str:
    """An address that was typed, without a slash at its end.

    Raises:
        InvalidValue: it can be none of a server.
    """
    if not _is_url(url.strip().rstrip("/")):
        raise InvalidValue(say("The address of a MeshCentral server has to be https://HOST or https://HOST:PORT."), param="url")
    return url.strip().rstrip("/")


def _url(config: Config) -> str:
    return str(config.url).strip().rstrip("/")


def _is_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    return parts.scheme == "https" and bool(host) and not (parts.username or parts.path or parts.query or parts.fragment)
