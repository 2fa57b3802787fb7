"""Sealing values that lie in the database: AES-GCM, bound to the row they belong to, with a key that is not in the database.

A sealed value opens only with its key and in its own place: moved to another row or column, it does not open. Several keys may be
known at once; the first seals, all open, so that a key can be changed while serving.
"""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from jumpseat.errors import InvalidValue, SealBroken
from jumpseat.secret import Secret

VARIABLE = "JUMPSEAT_SECRET_KEY"
KEY_BYTES = 32
_NONCE_BYTES = 12
_FORM = "1"


def new_key() -> str:
    """A fresh key, as it is written into ``JUMPSEAT_SECRET_KEY`` or ``var/secret.key``."""
    return base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).decode()


class Sealer:
    """Seals and opens values.

    Args:
        keys: base64 of 32 bytes each; the first one seals.

    Raises:
        InvalidValue: one of them is not a key.
    """

    def __init__(self, keys: Sequence[str]) -> None:
        self._keys = {_key_id(raw): AESGCM(raw) for raw in map(_raw, keys)}
        if not self._keys:
            raise InvalidValue(f"{VARIABLE} holds no key.")
        self._host_id = hashlib.sha256(b"jumpseat host id" + _raw(keys[0])).hexdigest()[:12]

    @classmethod
    def of(cls, var: Path) -> Sealer:
        """The sealer of a workspace: the keys of ``JUMPSEAT_SECRET_KEY``, else the one in ``secret.key``, made on first use.

        Args:
            var: the workspace's ``var/`` folder.
        """
        given = [key.strip() for key in os.environ.get(VARIABLE, "").split(",") if key.strip()]
        return cls(given or [_stored(var / "secret.key")])

    @property
    def host_id(self) -> str:
        """Tells hosts apart: the same wherever the first key is the same; says nothing of the key."""
        return self._host_id

    def seal(self, value: Secret, place: str) -> str:
        """The value as it may lie in the database.

        Args:
            value: what to seal.
            place: table, row id and column (``webhooks:wh_1:secret``); needed again to open it.
        """
        key_id, cipher = next(iter(self._keys.items()))
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = nonce + cipher.encrypt(nonce, value.reveal().encode(), place.encode())
        return f"{_FORM}.{key_id}.{base64.urlsafe_b64encode(sealed).decode()}"

    def is_fresh(self, sealed: str) -> bool:
        """Was it sealed with the key that seals now?"""
        return sealed.startswith(f"{_FORM}.{next(iter(self._keys))}.")

    def open(self, sealed: str, place: str) -> Secret:
        """The value that was sealed for this place.

        Raises:
            SealBroken: the key is not known here, or the value was changed or moved.
        """
        form, _, rest = sealed.partition(".")
        key_id, _, text = rest.partition(".")
        cipher = self._keys.get(key_id)
        if form != _FORM or cipher is None:
            raise SealBroken(f"A sealed value needs a key that is not known here. Add it to {VARIABLE}, behind the first one.")
        try:
            raw = base64.urlsafe_b64decode(text)
            return Secret(cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], place.encode()).decode())
        except (InvalidTag, ValueError) as error:
            raise SealBroken("A sealed value was changed, or belongs to another row; set it anew.") from error


def _key_id(raw: bytes) -> str:
    return hashlib.sha256(b"jumpseat key id" + raw).hexdigest()[:8]


def _raw(key: str) -> bytes:
    try:
        raw = base64.urlsafe_b64decode(key)
    except ValueError:
        raw = b""
    if len(raw) != KEY_BYTES:
        raise InvalidValue(f"{VARIABLE} holds something that is not a key; a key is base64 of {KEY_BYTES} random bytes.")
    return raw


def _stored(file: Path) -> str:
    """The key in the file; made by whoever comes first, for several processes may start together."""
    file.parent.mkdir(parents=True, exist_ok=True)
    made = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    if not file.exists():
        made.touch(mode=0o600)
        made.write_text(new_key(), encoding="ascii")
        try:
            os.link(made, file)
        except FileExistsError:
            pass
        finally:
            made.unlink()
    return file.read_text(encoding="ascii").strip()
