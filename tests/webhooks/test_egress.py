"""Where the host may call: every way to write an inner address is refused, and what counts is the peer of the socket."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import given, strategies as st
from receivers import OK, Receiver, receiving, status

from jumpseat import egress
from jumpseat.egress import Egress, is_public
from jumpseat.errors import InvalidValue, ProviderUnreachable

PUBLIC = "93.184.215.14"
NAMES = {
    "hooks.example.com": [PUBLIC],
    "two.example.com": [PUBLIC, "10.0.0.1"],
    "v6.example.com": ["2606:2800:21f:cb07:6820:80da:af6b:8b2c"],
    "inner.example.com": ["10.1.2.3"],
    "metadata.google.internal": ["169.254.169.254"],
    "localhost": ["127.0.0.1", "::1"],
    "localhost.localdomain": ["127.0.0.1"],
    "localtest.me": ["127.0.0.1"],
    "127.0.0.1.nip.io": ["127.0.0.1"],
    "mapped.example.com": ["::ffff:10.0.0.1"],
    "nat64.example.com": ["64:ff9b::a00:1"],
    "sixtofour.example.com": ["2002:a00:1::1"],
    "ula.example.com": ["fd00::1"],
    "linklocal.example.com": ["fe80::1"],
    "scoped.example.com": ["fe80::1%1"],
    "teredo.example.com": ["2001:0:53aa:64c::1"],
    "zero.example.com": ["0.0.0.0"],  # noqa: S104  # an address to be refused, not one to listen at
    "broadcast.example.com": ["255.255.255.255"],
    "multicast.example.com": ["224.0.0.1"],
    "shared.example.com": ["100.64.0.1"],
    "benchmark.example.com": ["198.18.0.1"],
    "a": ["10.0.0.1"],
    "xn--e1afmkfd.example": ["192.168.0.1"],
}

REFUSED = [
    # loopback, in all spellings
    *("https://127.0.0.1/", "https://127.0.0.1:8400/", "https://127.1/", "https://127.0.1/", "https://127.255.255.254/"),
    *("https://2130706433/", "https://0x7f000001/", "https://0x7f.0.0.1/", "https://0x7f.1/", "https://017700000001/"),
    *("https://0177.0.0.1/", "https://0177.0.0.01/", "https://00000177.0.0.1/", "https://127.0.0.0x1/", "https://127.000.000.001/"),
    *("https://0/", "https://0.0.0.0/", "https://00/", "https://0x0/", "https://0.0.0.0:443/", "https://0.1.2.3/"),
    *("https://[::1]/", "https://[::]/", "https://[0:0:0:0:0:0:0:1]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/"),
    *("https://[::127.0.0.1]/", "https://[0000::1]/", "https://[::ffff:0:127.0.0.1]/"),
    *("https://localhost/", "https://LOCALHOST/", "https://localhost:22/", "https://localhost./", "https://localhost.localdomain/"),
    *("https://localtest.me/", "https://127.0.0.1.nip.io/"),
    # private and shared networks
    *("https://10.0.0.1/", "https://10.255.255.255/", "https://172.16.0.1/", "https://172.31.255.255/", "https://192.168.0.1/"),
    *("https://192.168.255.255/", "https://100.64.0.1/", "https://100.127.255.255/", "https://167772161/", "https://0xa000001/"),
    *("https://012.0.0.1/", "https://3232235521/", "https://0xc0a80001/", "https://192.168.1/", "https://10.1/", "https://172.1048577/"),
    *("https://[fd00::1]/", "https://[fc00::1]/", "https://[::ffff:10.0.0.1]/", "https://[::ffff:a00:1]/", "https://[::ffff:192.168.0.1]/"),
    *("https://inner.example.com/", "https://INNER.example.com/", "https://a/", "https://ula.example.com/", "https://shared.example.com/"),
    *("https://mapped.example.com/", "https://xn--e1afmkfd.example/", "https://two.example.com/"),
    # link-local and metadata services
    *(
        "https://169.254.169.254/latest/meta-data/",
        "https://169.254.0.1/",
        "https://2852039166/",
        "https://0xa9fea9fe/",
        "https://0251.0376.0251.0376/",
    ),
    *("https://169.254.43518/", "https://0xa9.0xfe.0xa9.0xfe/", "https://metadata.google.internal/computeMetadata/v1/"),
    *(
        "https://[fe80::1]/",
        "https://[fe80::1%25eth0]/",
        "https://[fe80::1%eth0]/",
        "https://[::ffff:169.254.169.254]/",
        "https://[fd00:ec2::254]/",
    ),
    *(
        "https://[::ffff:a9fe:a9fe]/",
        "https://linklocal.example.com/",
        "https://scoped.example.com/",
        "https://100.100.100.200/",
        "https://192.0.0.192/",
    ),
    # translated and tunnelled
    *(
        "https://[64:ff9b::7f00:1]/",
        "https://[64:ff9b::10.0.0.1]/",
        "https://[64:ff9b:1::1]/",
        "https://[2002:7f00:1::]/",
        "https://[2002:a00:1::1]/",
    ),
    *("https://[2001:0:53aa:64c::1]/", "https://[2001:10::1]/", "https://nat64.example.com/", "https://sixtofour.example.com/"),
    *("https://teredo.example.com/",),
    # of nobody, of everybody, for documents and measurements
    *(
        "https://192.0.2.1/",
        "https://198.51.100.1/",
        "https://203.0.113.1/",
        "https://198.18.0.1/",
        "https://198.19.255.255/",
        "https://192.88.99.1/",
    ),
    *(
        "https://224.0.0.1/",
        "https://239.255.255.255/",
        "https://240.0.0.1/",
        "https://255.255.255.255/",
        "https://[ff02::1]/",
        "https://[100::1]/",
    ),
    *("https://[2001:db8::1]/", "https://[3fff::1]/", "https://[5f00::1]/", "https://[4000::1]/", "https://[fec0::1]/"),
    *("https://zero.example.com/", "https://broadcast.example.com/", "https://multicast.example.com/", "https://benchmark.example.com/"),
    # unusual digits, dots and letters
    *(
        "https://①②⑦.⓪.⓪.①/",
        "https://127。0。0。1/",
        "https://１２７.0.0.1/",
        "https://ⓛocalhost/",
        "https://localhoſt/",
        "https://١٢٧.0.0.1/",
    ),
    *(
        "https://127.0.0.1./",
        "https://hooks.example.com./",
        "https://hooks..example.com/",
        "https://.example.com/",
        "https://-a.example.com/",
    ),
    *(
        "https://256.256.256.256/",
        "https://1.2.3.4.5/",
        "https://1.2.3/",
        "https://08.8.8.8/",
        "https://0x/",
        "https://a.0x7f/",
        "https://example.1/",
    ),
    # users, confusion about where the name ends
    *(
        "https://user@hooks.example.com/",
        "https://user:password@hooks.example.com/",
        "https://hooks.example.com@127.0.0.1/",
        "https://@127.0.0.1/",
    ),
    *(
        "https://hooks.example.com#@127.0.0.1/",
        "https://127.0.0.1#.example.com/",
        "https://hooks.example.com\\@127.0.0.1/",
        "https://127.0.0.1\\.example.com/",
    ),
    *(
        "https://hooks.example.com:80@127.0.0.1/",
        "https://hooks.example.com:443:80/",
        "https://127.0.0.1%2f.example.com/",
        "https://127.0.0.1%00.example.com/",
    ),
    *(
        "https://hooks.example.com /",
        "https://hooks.example.com\t/",
        "https://hooks.example.com\r\nHost: x/",
        "https://hooks.example.com/\r\nX: y",
        "https://hooks.example.com\0/",
    ),
    *(
        "https:///127.0.0.1/",
        "https:127.0.0.1",
        "https:/127.0.0.1/",
        "//127.0.0.1/",
        "https://",
        "https:///",
        "https://[127.0.0.1]/",
        "https://[::1",
        "https://::1/",
    ),
    *(
        "https://[::1]extra/",
        "https://[[::1]]/",
        "https://%31%32%37.0.0.1/",
        "https://hooks.example.com:0/",
        "https://hooks.example.com:65536/",
    ),
    *(
        "https://hooks.example.com:99999999/",
        "https://hooks.example.com:-1/",
        "https://hooks.example.com:４４３/",
        "https://hooks_example.com/",
    ),
    # other ways than https
    *(
        "http://hooks.example.com/",
        "http://127.0.0.1/",
        "http://localhost/",
        "http://[::1]/",
        "HTTP://127.0.0.1/",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
    ),
    *(
        "gopher://127.0.0.1:25/",
        "unix:///var/run/docker.sock",
        "jar:https://127.0.0.1!/",
        "https+unix://x/",
        "javascript:alert(1)",
        "",
        " ",
        "hooks.example.com",
    ),
]


class Hooked:
    """Every connection that was begun, by the address it went to; none is really made."""

    def __init__(self) -> None:
        self.to: list[str] = []

    def __call__(self, address: tuple[str, int], **_: Any) -> socket.socket:
        self.to.append(address[0])
        raise OSError("not in a test")


@pytest.fixture
def hooked(monkeypatch: pytest.MonkeyPatch) -> Hooked:
    hook = Hooked()
    monkeypatch.setattr(egress.socket, "create_connection", hook)
    return hook


def resolve(host: str, port: int) -> Sequence[str]:
    try:
        return NAMES[host]
    except KeyError:
        raise socket.gaierror("no such name") from None


def test_there_are_enough_forms() -> None:
    assert len(set(REFUSED)) == len(REFUSED) >= 120


@pytest.mark.parametrize("url", REFUSED)
def test_no_form_of_an_inner_address_is_ever_connected_to(url: str, hooked: Hooked) -> None:
    with pytest.raises(InvalidValue) as refused:
        Egress(resolve=resolve).post(url, b"{}", {}, seconds=1)

    assert hooked.to == []
    assert refused.value.param == "url"


@pytest.mark.parametrize(
    ("url", "peer"),
    [
        ("https://hooks.example.com/", PUBLIC),
        ("https://HOOKS.Example.COM:8443/path?token=a&b=%20", PUBLIC),
        ("https://93.184.215.14/", PUBLIC),
        ("https://v6.example.com", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"),
        ("https://[2606:2800:21F:CB07:6820:80DA:AF6B:8B2C]/x", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"),
    ],
)
def test_a_public_address_is_connected_to(url: str, peer: str, hooked: Hooked) -> None:
    with pytest.raises(ProviderUnreachable):
        Egress(resolve=resolve).post(url, b"{}", {}, seconds=1)

    assert hooked.to == [peer]


def test_a_name_is_resolved_once_so_that_it_cannot_change_its_mind_in_between(hooked: Hooked) -> None:
    answers = iter([[PUBLIC], ["127.0.0.1"], ["127.0.0.1"]])

    with pytest.raises(ProviderUnreachable):
        Egress(resolve=lambda *_: next(answers)).post("https://rebind.example.com/", b"{}", {}, seconds=1)

    assert hooked.to == [PUBLIC]
    assert next(answers) == ["127.0.0.1"]


def test_the_peer_of_the_socket_has_the_last_word(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    port = int(receiver.url.split(":")[2].split("/")[0])
    made: list[socket.socket] = []
    real = socket.create_connection

    def diverted(_: tuple[str, int], **options: Any) -> socket.socket:
        made.append(real(("127.0.0.1", port), **options))
        return made[-1]

    monkeypatch.setattr(egress.socket, "create_connection", diverted)

    with pytest.raises(InvalidValue, match="is not on the public internet"):
        Egress(resolve=resolve).post("https://hooks.example.com/", b"{}", {}, seconds=1)

    assert made[0].fileno() == -1
    assert receiver.calls == []


def test_a_redirect_into_the_inner_network_is_not_followed(receiver: Receiver) -> None:
    with receiving(status(302, f"Location: {receiver.url}")) as first:
        answer = Egress(loopback=True).post(first.url, b"{}", {}, seconds=5)

    assert answer.status == 302
    assert receiver.connections == 0


def test_a_proxy_of_the_environment_is_not_used(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    assert Egress(loopback=True).post(receiver.url, b"{}", {}, seconds=5).status == 204


# --- what an administrator allows -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address", ["10.0.0.1", "192.168.1.1", "172.20.0.1", "100.64.0.1", "127.0.0.1", "::1", "fd00::1", "64:ff9b::a00:1"]
)
def test_a_named_host_may_have_a_private_address(address: str, hooked: Hooked) -> None:
    named = Egress(frozenset({"crm.intranet"}), resolve=lambda *_: [address])

    with pytest.raises(ProviderUnreachable):
        named.post("https://CRM.intranet/", b"{}", {}, seconds=1)
    with pytest.raises(InvalidValue):
        named.post("https://other.intranet/", b"{}", {}, seconds=1)

    assert hooked.to == [address]


@pytest.mark.parametrize("address", ["169.254.169.254", "fe80::1", "0.0.0.1", "224.0.0.1", "255.255.255.255", "::ffff:169.254.169.254"])
def test_not_even_a_named_host_may_lead_to_a_metadata_service_or_to_everybody(address: str, hooked: Hooked) -> None:
    with pytest.raises(InvalidValue):
        Egress(frozenset({"crm.intranet"}), resolve=lambda *_: [address]).post("https://crm.intranet/", b"{}", {}, seconds=1)

    assert hooked.to == []


def test_a_private_address_itself_may_be_named(hooked: Hooked) -> None:
    with pytest.raises(ProviderUnreachable):
        Egress(frozenset({"10.0.0.5"})).post("https://10.0.0.5/", b"{}", {}, seconds=1)

    assert hooked.to == ["10.0.0.5"]


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "http://localhost:9/", "http://[::1]:9/", "https://127.0.0.1:9/"])
def test_where_the_host_is_on_loopback_receivers_there_may_be_tried(url: str, hooked: Hooked) -> None:
    with pytest.raises(ProviderUnreachable):
        Egress(loopback=True, resolve=resolve).post(url, b"{}", {}, seconds=1)

    assert {ip_address(peer).is_loopback for peer in hooked.to} == {True}


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/",
        "http://10.0.0.1/",
        "https://10.0.0.1/",
        "http://localtest.me/",
        "https://169.254.169.254/",
        "http://2130706433/",
    ],
)
def test_loopback_opens_nothing_else(url: str, hooked: Hooked) -> None:
    with pytest.raises(InvalidValue):
        Egress(loopback=True, resolve=resolve).post(url, b"{}", {}, seconds=1)

    assert hooked.to == []


def test_plain_http_to_localhost_goes_no_further_than_this_machine(hooked: Hooked) -> None:
    with pytest.raises(InvalidValue):
        Egress(loopback=True, resolve=lambda *_: [PUBLIC]).post("http://localhost/", b"{}", {}, seconds=1)

    assert hooked.to == []


# --- the words --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("http://hooks.example.com/", "The address has to begin with https://."),
        (
            "https://inner.example.com/",
            "inner.example.com is not on the public internet. If it may be called, an administrator lists it under 'webhook_hosts' in "
            "metadata/host.yaml.",
        ),
        (
            "https://user@hooks.example.com/",
            "The address cannot be used. Write https://NAME/PATH in plain ASCII, without a user, a password or a fragment.",
        ),
        ("https://0x7f.1/", "'0x7f.1' is neither a name nor an address in its usual spelling."),
        ("https://hooks.example.com:70000/", "There is no port 70000."),
        ("https://hooks.example.com/" + "x" * 2000, "The address is longer than 2000 characters."),
    ],
)
def test_a_refusal_says_what_is_wrong(url: str, text: str, hooked: Hooked) -> None:
    with pytest.raises(InvalidValue) as refused:
        Egress(resolve=resolve).post(url, b"{}", {}, seconds=1)

    assert refused.value.message == text


def test_a_name_without_an_address_and_a_port_without_a_listener_are_unreachable() -> None:
    with pytest.raises(ProviderUnreachable) as unknown:
        Egress(resolve=resolve).post("https://nowhere.example.com/", b"{}", {}, seconds=1)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(ProviderUnreachable) as closed:
        Egress(loopback=True).post(f"http://127.0.0.1:{port}/", b"{}", {}, seconds=1)

    assert unknown.value.message == "The name nowhere.example.com has no address."
    assert closed.value.message == f"127.0.0.1 does not answer on port {port}. Check that it runs, and the address."


def test_an_unknown_certificate_is_refused(tmp_path: Any) -> None:
    with tls_receiver(tmp_path) as url, pytest.raises(ProviderUnreachable) as refused:
        Egress(loopback=True).post(url, b"{}", {}, seconds=5)

    assert refused.value.message == "The certificate of localhost is not valid: self-signed certificate."


def tls_receiver(folder: Any) -> Any:
    """A receiver on loopback whose certificate nobody vouches for."""
    import datetime
    import ssl
    import threading
    from contextlib import contextmanager, suppress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + datetime.timedelta(days=1))
    certificate = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False).sign(key, hashes.SHA256())
    file = folder / "tls.pem"
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)

    @contextmanager
    def running() -> Iterator[str]:
        with socket.create_server(("127.0.0.1", 0)) as listener:

            def serve() -> None:
                with suppress(OSError):
                    sock, _ = listener.accept()
                    with context.wrap_socket(sock, server_side=True) as secured:
                        came = b""
                        while not came.endswith(b"\r\n\r\n{}"):  # closing with bytes unread would reset the connection
                            came += secured.recv(65536)
                        OK(secured)

            threading.Thread(target=serve, daemon=True).start()
            yield f"https://localhost:{listener.getsockname()[1]}/"

    return running()


def test_over_tls_the_whole_exchange_works_where_the_certificate_is_known(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with tls_receiver(tmp_path) as url:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "tls.pem"))
        egress._tls.cache_clear()
        try:
            assert Egress(loopback=True).post(url, b"{}", {}, seconds=5).status == 204
        finally:
            egress._tls.cache_clear()


# --- addresses --------------------------------------------------------------------------------------------------------


@given(st.ip_addresses())
def test_no_address_is_public_that_the_standard_library_calls_private(address: Any) -> None:
    if is_public(address):
        assert address.is_global
        kinds = ("is_loopback", "is_link_local", "is_multicast", "is_reserved", "is_unspecified")
        assert not [kind for kind in kinds if getattr(address, kind)]


@given(st.ip_addresses(v=4, network="8.0.0.0/8") | st.ip_addresses(v=6, network="2606::/16"))
def test_addresses_in_use_are_public(address: Any) -> None:
    assert is_public(address)
