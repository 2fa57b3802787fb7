"""Key pairs of the applications that sign in with a signed assertion."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat, load_pem_private_key

_BITS = 2048


@dataclass(frozen=True, slots=True)
class KeyPair:
    """An RSA key with the certificate that is registered for it, as PEM."""

    private_key: str
    public_key: str
    certificate: str
    thumbprint: bytes
    """SHA-256 of the certificate."""
    thumbprint_sha1: bytes


def make(private_key: str | None = None) -> KeyPair:
    """A key pair with a certificate of its own.

    Args:
        private_key: PEM; made up when left out.

    Raises:
        ValueError: the PEM is no RSA key.
    """
    key = load_pem_private_key(private_key.encode(), None) if private_key else rsa.generate_private_key(65537, _BITS)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise ValueError("The private key has to be an RSA key.")
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "jumpseat.example")])
    start = datetime(2026, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=3650))
        .sign(key, hashes.SHA256())
    )
    return KeyPair(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
        certificate.public_bytes(Encoding.PEM).decode(),
        certificate.fingerprint(hashes.SHA256()),
        certificate.fingerprint(hashes.SHA1()),  # names a certificate on the wire, protects nothing
    )
