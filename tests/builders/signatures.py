"""Signed PDFs and CMS files by an authority of the tests' own: real in form, each wrong in one thing."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from types import MappingProxyType
from typing import Any
from unittest.mock import patch

from asn1crypto import crl as asn1_crl
from asn1crypto import keys as asn1_keys
from asn1crypto import ocsp as asn1_ocsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import fields, signers
from pyhanko.sign.signers.pdf_cms import PdfCMSSignedAttributes
from pyhanko.sign.timestamps.dummy_client import DummyTimeStamper
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko_certvalidator.registry import SimpleCertificateStore

from preservation.signatures.trust import TrustEntry, TrustStore

NOW = datetime(2026, 6, 15, 8, 0, tzinfo=UTC)
DAY = timedelta(days=1)
SERVER = "http://127.0.0.1:9/ocsp"
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
_DIGESTS = {"sha256": hashes.SHA256(), "sha1": hashes.SHA1()}


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@dataclass(frozen=True)
class Holder:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: Key

    @property
    def asn1(self) -> asn1_x509.Certificate:
        return asn1_x509.Certificate.load(self.der)

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def asn1_key(self) -> asn1_keys.PrivateKeyInfo:
        return asn1_keys.PrivateKeyInfo.load(
            self.key.private_bytes(
                serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )


@cache
def ec_key(number: int) -> ec.EllipticCurvePrivateKey:
    """A key of a number, made once in a session."""
    return ec.generate_private_key(ec.SECP256R1())


@cache
def rsa_key(number: int, size: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=size)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "VN"), x509.NameAttribute(NameOID.COMMON_NAME, common)])


def certify(
    common: str,
    key: Key,
    by: Holder | None,
    dates: tuple[datetime, datetime],
    *,
    authority: bool = False,
    purpose: x509.ObjectIdentifier | None = None,
    signing: bool = True,
    digest: str = "sha256",
    server: str = SERVER,
    lists: str = "",
    issuers: str = "",
) -> Holder:
    """A certificate for ``key`` by ``by`` (by itself when None), which names where OCSP answers, lists and its issuer's
    certificate are to be had."""
    name = _name(common)
    issuer_key = by.key if by else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(by.certificate.subject if by else name)
        .public_key(key.public_key())
        .serial_number(int.from_bytes(hashlib.sha256(common.encode()).digest()[:8]) >> 1 | 1)
        .not_valid_before(dates[0])
        .not_valid_after(dates[1])
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=signing and not authority, content_commitment=signing and not authority,
                key_encipherment=not signing, data_encipherment=False, key_agreement=False, key_cert_sign=authority,
                crl_sign=authority, encipher_only=False, decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )  # fmt: skip
    if not authority:
        # pyHanko looks at OCSP answers only for certificates that name a server; nobody may ask this one.
        kinds = (AuthorityInformationAccessOID.OCSP, server), (AuthorityInformationAccessOID.CA_ISSUERS, issuers)
        access = [x509.AccessDescription(kind, x509.UniformResourceIdentifier(url)) for kind, url in kinds if url]
        if access:
            builder = builder.add_extension(x509.AuthorityInformationAccess(access), critical=False)
    if lists:
        point = x509.DistributionPoint([x509.UniformResourceIdentifier(lists)], None, None, None)
        builder = builder.add_extension(x509.CRLDistributionPoints([point]), critical=False)
    if purpose is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([purpose]), critical=True)
    return Holder(builder.sign(issuer_key, _DIGESTS[digest]), key)  # type: ignore[arg-type]


def crl_of(
    issuer: Holder,
    when: datetime = NOW - DAY,
    until: datetime = NOW + 7 * DAY,
    revoked: Mapping[int, datetime] = MappingProxyType({}),
) -> bytes:
    """A revocation list in DER; ``revoked`` by serial number."""
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer.certificate.subject)
    builder = builder.last_update(when).next_update(until)
    builder = builder.add_extension(x509.CRLNumber(1), critical=False).add_extension(
        x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False
    )
    for serial, moment in revoked.items():
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(moment)
        entry = entry.add_extension(x509.CRLReason(x509.ReasonFlags.key_compromise), critical=False)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(issuer.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def ocsp_of(
    certificate: Holder, issuer: Holder, when: datetime, until: datetime, revoked: datetime | None = None
) -> bytes:
    """An OCSP answer in DER, signed by the authority itself."""
    builder = ocsp.OCSPResponseBuilder().add_response(
        cert=certificate.certificate,
        issuer=issuer.certificate,
        algorithm=hashes.SHA1(),  # of names only, as responders do
        cert_status=ocsp.OCSPCertStatus.REVOKED if revoked else ocsp.OCSPCertStatus.GOOD,
        this_update=when,
        next_update=until,
        revocation_time=revoked,
        revocation_reason=x509.ReasonFlags.key_compromise if revoked else None,
    )
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, issuer.certificate)
    return builder.sign(issuer.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


_REVOKED_ON = NOW - 10 * DAY


@dataclass(frozen=True)
class Authority:
    """Roots, an intermediate, timestamp authorities and signers, each with a name the tests use."""

    holders: Mapping[str, Holder] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Holder:
        return self.holders[name]

    @property
    def revoked(self) -> dict[int, datetime]:
        return {self["revoked"].certificate.serial_number: _REVOKED_ON}

    def crls(self, when: datetime = NOW - DAY, until: datetime = NOW + 7 * DAY, *, revoked: bool = True) -> list[bytes]:
        """Lists of every authority."""
        gone = self.revoked if revoked else {}
        return [
            crl_of(self["root"], when, until),
            crl_of(self["inter"], when, until, gone),
            crl_of(self["tsa-root"], when, until),
        ]

    def store(
        self,
        *,
        roots: Sequence[str] = ("root",),
        stamps: Sequence[str] = ("tsa-root",),
        pinned: Sequence[str] = (),
        crls: Sequence[bytes] | None = None,
        ocsps: Sequence[bytes] = (),
        policy: Mapping[str, date] = MappingProxyType({}),
    ) -> TrustStore:
        """A trust store; of revocation lists the current ones when none are given."""
        given = [("root", self[name].der) for name in roots] + [("tsa-root", self[name].der) for name in stamps]
        given += [("intermediate", self[name].der) for name in pinned]
        given += [("crl", one) for one in (self.crls() if crls is None else crls)]
        given += [("ocsp", one) for one in ocsps]
        entries = tuple(TrustEntry(role, hashlib.sha256(der).hexdigest(), der, "tests") for role, der in given)
        return TrustStore("tests", entries, policy)


@cache
def authority() -> Authority:
    """Made once in a session: small keys, dates round ``NOW``."""
    long = (day("2010-01-01"), day("2046-01-01"))
    root = certify("Root", ec_key(1), None, long, authority=True)
    inter = certify("Inter", ec_key(2), root, long, authority=True)
    evil = certify("Evil root", ec_key(3), None, long, authority=True)
    tsa_root = certify("TSA root", ec_key(4), None, long, authority=True)
    stamping = ExtendedKeyUsageOID.TIME_STAMPING
    usual = (day("2025-01-01"), day("2029-01-01"))
    ended = (day("2024-01-01"), NOW - 30 * DAY)
    old = (day("2012-01-01"), day("2018-01-01"))
    holders = {
        "root": root,
        "inter": inter,
        "evil": evil,
        "tsa-root": tsa_root,
        "signer": certify("Signer", ec_key(10), inter, usual),
        "second": certify("Second signer", ec_key(11), inter, usual),
        "expired": certify("Expired", ec_key(12), inter, ended),
        "revoked": certify("Revoked", ec_key(13), inter, usual),
        "future": certify("Future", ec_key(14), inter, (NOW + DAY, NOW + 400 * DAY)),
        "evil-signer": certify("Signer", ec_key(15), evil, usual),
        "self-signed": certify("Self-signed", ec_key(16), None, usual),
        "no-usage": certify("No usage", rsa_key(17), inter, usual, signing=False),
        "old": certify("Old signer", ec_key(18), inter, old),
        "weak-rsa": certify("Weak RSA", rsa_key(20, 1024), inter, usual),
        "rsa": certify("RSA signer", rsa_key(21), inter, usual),
        "no-ca": certify("Not by an authority", ec_key(22), certify("Signer", ec_key(10), inter, usual), usual),
        "tsa": certify("TSA", rsa_key(30), tsa_root, (day("2012-01-01"), day("2034-01-01")), purpose=stamping),
        "tsa-old": certify("Old TSA", rsa_key(31), tsa_root, (day("2012-01-01"), NOW - 20 * DAY), purpose=stamping),
        "tsa-other": certify("T2", rsa_key(34), tsa_root, long, purpose=stamping),
        "tsa-evil": certify("Evil TSA", rsa_key(32), evil, long, purpose=stamping),
        "tsa-no-purpose": certify("No TSA", rsa_key(33), tsa_root, long),
    }
    return Authority(holders)


def pdf(pages: int = 1, *, form: bool = False) -> bytes:
    """A small PDF by hand; with ``form`` it has a text field ``Ten``."""
    bodies = ["<</Type/Catalog/Pages 2 0 R" + ("/AcroForm 4 0 R" if form else "") + ">>"]
    kids = " ".join(f"{6 + 2 * number} 0 R" for number in range(pages))
    bodies.append(f"<</Type/Pages/Count {pages}/Kids[{kids}]>>")
    bodies.append("<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>")
    bodies.append("<</Fields[5 0 R]/DR<</Font<</F1 3 0 R>>>>/DA(/F1 12 Tf 0 g)>>" if form else "<<>>")
    widget = "<</Type/Annot/Subtype/Widget/FT/Tx/T(Ten)/V(A)/Rect[72 600 300 620]/F 4/P 6 0 R/DA(/F1 12 Tf 0 g)>>"
    bodies.append(widget if form else "<<>>")
    for number in range(pages):
        annotations = "/Annots[5 0 R]" if form and number == 0 else ""
        bodies.append(
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents {7 + 2 * number} 0 R"
            f"/Resources<</Font<</F1 3 0 R>>>>{annotations}>>"
        )
        text = f"BT /F1 24 Tf 72 700 Td (Cong van so {number}) Tj ET"
        bodies.append(f"<</Length {len(text)}>>\nstream\n{text}\nendstream")
    out, places = b"%PDF-1.7\n", []
    for number, body in enumerate(bodies, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode()
    start = len(out)
    out += f"xref\n0 {len(places) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{place:010} 00000 n \n".encode() for place in places)
    return out + f"trailer\n<</Size {len(places) + 1}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n".encode()


def _at(moment: datetime) -> Any:
    """What pyHanko takes for the present while it signs."""

    class Fixed(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return moment.astimezone(tz or UTC)

    return Fixed


def _signer(who: str | Holder, embed: Sequence[str]) -> signers.SimpleSigner:
    holder = authority()[who] if isinstance(who, str) else who
    store = SimpleCertificateStore()
    for name in embed:
        store.register(authority()[name].asn1)
    return signers.SimpleSigner(signing_cert=holder.asn1, signing_key=holder.asn1_key, cert_registry=store)


def stamper(when: datetime, tsa: str = "tsa", digest: str | None = "sha256") -> DummyTimeStamper:
    """A timestamp authority whose clock says ``when``; it signs with ``digest`` whatever the request's digest is."""
    holder = authority()[tsa]
    store = SimpleCertificateStore()
    store.register(authority()["tsa-root"].asn1)
    return DummyTimeStamper(holder.asn1, holder.asn1_key, store, fixed_dt=when, override_md=digest)


def sign(
    document: bytes,
    who: str | Holder = "signer",
    *,
    name: str = "Sig1",
    stamp: datetime | None = None,
    tsa: str = "tsa",
    tsa_digest: str = "sha256",
    digest: str = "sha256",
    claimed: datetime | None = None,
    embed: Sequence[str] = ("inter",),
    permit: fields.MDPPerm | None = None,
    adobe: bool = False,
    owner: str = "",
) -> bytes:
    """Append a signature, with a timestamp by ``stamp``, as a certification by ``permit``; ``owner`` opens a file."""
    claimed = claimed or stamp or NOW - timedelta(hours=1)
    metadata = signers.PdfSignatureMetadata(
        field_name=name,
        md_algorithm=digest,
        subfilter=fields.SigSeedSubFilter.ADOBE_PKCS7_DETACHED if adobe else fields.SigSeedSubFilter.PADES,
        certify=permit is not None,
        docmdp_permissions=permit or fields.MDPPerm.FILL_FORMS,
    )
    writer = IncrementalPdfFileWriter(io.BytesIO(document), strict=False)
    if owner:
        writer.encrypt(owner)
    timestamper = stamper(stamp, tsa, tsa_digest) if stamp else None
    signer = signers.PdfSigner(metadata, _signer(who, embed), timestamper=timestamper)
    with ExitStack() as stack:
        for module in ("pdf_signer", "pdf_cms"):
            stack.enter_context(patch(f"pyhanko.sign.signers.{module}.datetime", _at(claimed)))
        # Room for a second timestamp.
        return bytes(signer.sign_pdf(writer, bytes_reserved=16384 if stamp else None).getvalue())


def add_dss(
    document: bytes, crls: Sequence[bytes] = (), ocsps: Sequence[bytes] = (), certs: Sequence[str] = ()
) -> bytes:
    """Append a document security store."""
    out = io.BytesIO(document)
    DocumentSecurityStore.add_dss(
        out,
        None,
        certs=[authority()[name].asn1 for name in certs],
        crls=[asn1_crl.CertificateList.load(one) for one in crls],
        ocsps=[asn1_ocsp.OCSPResponse.load(one) for one in ocsps],
    )
    return out.getvalue()


def add_timestamp(document: bytes, when: datetime, tsa: str = "tsa") -> bytes:
    """Append a document timestamp."""
    writer = IncrementalPdfFileWriter(io.BytesIO(document), strict=False)
    return bytes(signers.PdfTimeStamper(stamper(when, tsa)).timestamp_pdf(writer, "sha256").getvalue())


def archival(who: str = "signer", when: datetime = NOW - 5 * DAY, late_tsa: str = "tsa", **more: Any) -> bytes:
    """B-LTA: signature, timestamp, the answers of that time, document timestamp (by ``late_tsa``)."""
    crls = authority().crls(when - DAY, when + 7 * DAY, revoked=False)
    people = authority()
    ocsps = [ocsp_of(people[who], people["inter"], when, when + 7 * DAY)]
    ocsps += [
        ocsp_of(people[tsa], people["tsa-root"], when, when + 7 * DAY) for tsa in {late_tsa, more.get("tsa", "tsa")}
    ]
    signed = sign(pdf(), who, stamp=when, claimed=when, **more)
    return add_timestamp(
        add_dss(signed, crls, ocsps, ("inter", "root", "tsa-root")), when + timedelta(minutes=5), late_tsa
    )


def change(document: bytes, edit: Any) -> bytes:
    """Append a revision in which ``edit`` did its work on a writer."""
    writer = IncrementalPdfFileWriter(io.BytesIO(document), strict=False)
    edit(writer)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def first_page(writer: IncrementalPdfFileWriter) -> Any:
    return writer.root["/Pages"]["/Kids"][0].get_object()


def text_stream(writer: IncrementalPdfFileWriter, text: bytes) -> Any:
    return writer.add_object(generic.StreamObject(stream_data=b"BT /F1 40 Tf 72 500 Td (" + text + b") Tj ET"))


def forge_page(document: bytes) -> bytes:
    """Another text is laid over the first page."""

    def edit(writer: IncrementalPdfFileWriter) -> None:
        page = first_page(writer)
        page["/Contents"] = generic.ArrayObject([page.raw_get("/Contents"), text_stream(writer, b"FORGED")])
        writer.update_container(page)

    return change(document, edit)


def flip(document: bytes, mark: bytes = b"Cong van so 0", offset: int = 12) -> bytes:
    """Change one bit of a signed byte."""
    place = document.index(mark) + offset
    return document[:place] + bytes([document[place] ^ 1]) + document[place + 1 :]


def cades(
    content: bytes,
    who: str = "signer",
    *,
    stamp: datetime | None = None,
    tsa: str = "tsa",
    digest: str = "sha256",
    detached: bool = True,
    claimed: datetime = NOW - timedelta(hours=1),
    embed: Sequence[str] = ("inter",),
) -> bytes:
    """A CMS signature in DER."""
    signer = _signer(who, embed)
    with patch("pyhanko.sign.signers.pdf_cms.datetime", _at(claimed)):
        made = asyncio.run(
            signer.async_sign_general_data(
                content,
                digest,
                detached=detached,
                use_cades=True,
                timestamper=stamper(stamp, tsa) if stamp else None,
                signed_attr_settings=PdfCMSSignedAttributes(signing_time=claimed),
            )
        )
    return bytes(made.dump())
