"""What keeps other users of this machine out of the embedded S3 server's inner parts.

SeaweedFS is four servers in one process that talk over the loopback, which any
local user can reach. They know each other by one certificate (mutual TLS), and
a volume gives and takes blocks for a signed token alone. What remains open is
S3 itself, which asks for the keys.
"""

import datetime
import os
import secrets
from pathlib import Path

from helikon.apps import needing

__all__ = ["write_security"]

_PARTS = ("master", "volume", "filer", "s3", "client")
_DAYS = 3650


def write_security(folder: Path) -> None:
    """Write ``security.toml`` for SeaweedFS, a certificate and its key; does nothing where they are.

    Parameters
    ----------
    folder : Path
        The server's working folder.
    """
    if (folder / "security.toml").exists():
        return
    _write_certificate(folder)
    lines = [
        *(f'[jwt.{name}]\nkey = "{secrets.token_urlsafe(32)}"' for name in ("signing", "filer_signing")),
        *(f'[jwt.{name}.read]\nkey = "{secrets.token_urlsafe(32)}"' for name in ("signing", "filer_signing")),
        f'[grpc]\nca = "{folder}/tls.crt"',
        *(f'[grpc.{part}]\ncert = "{folder}/tls.crt"\nkey = "{folder}/tls.key"' for part in _PARTS),
    ]
    _write_private(folder / "security.toml", "\n".join(lines).encode() + b"\n")


def _write_certificate(folder: Path) -> None:
    with needing("embedded object storage needs cryptography", "spark"):
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.x509.oid import NameOID
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "helikon")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    _write_private(folder / "tls.key", key.private_bytes(pem, *plain))
    _write_private(folder / "tls.crt", certificate.public_bytes(pem))


def _write_private(path: Path, content: bytes) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    with open(beside, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(content)
    os.replace(beside, path)
