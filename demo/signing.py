"""A throw-away certification authority and PAdES signatures: real in form, worth nothing, gone when the demo ends."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Self

from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import signers
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko_certvalidator.registry import SimpleCertificateStore

_VALID = (datetime(2019, 1, 1, tzinfo=UTC), datetime(2039, 1, 1, tzinfo=UTC))


def _name(common: str, organ: str) -> x509.Name:
    # X.520 lets a name have 64 characters.
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "VN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organ[:64]),
            x509.NameAttribute(NameOID.COMMON_NAME, common[:64]),
        ]
    )


def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass(frozen=True, slots=True)
class Authority:
    """The authority: its certificate and its key, which exist in memory only."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey

    @classmethod
    def new(cls) -> Self:
        key, name = _key(), _name("CA dùng thử của Tàng Thư (không có giá trị)", "Tàng Thư demo")
        certificate = _certificate(name, name, key.public_key(), key, authority=True)
        return cls(certificate, key)

    def signer(self, person: str, organ: str) -> signers.SimpleSigner:
        """A signer with a new key, certified for ``person`` of ``organ``."""
        key = _key()
        certificate = _certificate(
            _name(person, organ), self.certificate.subject, key.public_key(), self.key, authority=False
        )
        store = SimpleCertificateStore()  # type: ignore[no-untyped-call]
        store.register(_asn1(self.certificate))
        der = key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return signers.SimpleSigner(
            signing_cert=_asn1(certificate),
            signing_key=asn1_keys.PrivateKeyInfo.load(der),
            cert_registry=store,
        )


def sign(pdf: bytes, signer: signers.SimpleSigner, reason: str, place: str) -> bytes:
    """Append a PAdES baseline signature; what was there before stays byte for byte."""
    writer = IncrementalPdfFileWriter(io.BytesIO(pdf))
    metadata = signers.PdfSignatureMetadata(
        field_name="ChuKySo", subfilter=SigSeedSubFilter.PADES, md_algorithm="sha256", reason=reason, location=place
    )
    out = signers.PdfSigner(metadata, signer).sign_pdf(writer)
    return bytes(out.getvalue())


def _asn1(certificate: x509.Certificate) -> asn1_x509.Certificate:
    return asn1_x509.Certificate.load(certificate.public_bytes(serialization.Encoding.DER))


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: rsa.RSAPublicKey, by: rsa.RSAPrivateKey, *, authority: bool
) -> x509.Certificate:
    usage = x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=not authority,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(_VALID[0])
        .not_valid_after(_VALID[1] if authority else _VALID[1] - timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=0 if authority else None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False)
        .sign(by, hashes.SHA256())
    )
