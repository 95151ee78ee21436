"""Signed XML by the tests' own authority: XAdES and plain XML signatures, each wrong in one thing."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree
from signxml import XMLSigner, methods
from signxml.xades import XAdESSigner

from tests.builders.signatures import NOW, authority, stamper

DS = "http://www.w3.org/2000/09/xmldsig#"
XADES = "http://uri.etsi.org/01903/v1.3.2#"
DECREE = "<VanBan><So>30/2020/NĐ-CP</So><NoiDung>Quyết định</NoiDung></VanBan>"
INVOICE = '<HDon><DLHDon Id="data"><So>17</So><Tien>1000000</Tien></DLHDon><DSCKS><NBan/><NMua/></DSCKS></HDon>'
_INCLUSIVE = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"


class _Old:
    """Weak algorithms, which the signer refuses."""

    def check_deprecated_methods(self) -> None:
        pass


class _Plain(_Old, XMLSigner):
    pass


class _Xades(_Old, XAdESSigner):
    claimed = ""

    def add_signing_time(self, properties: Any, sig_root: Any, signing_settings: Any) -> None:
        etree.SubElement(properties, f"{{{XADES}}}SigningTime").text = self.claimed


def signer_of(
    who: str, digest: str, *, plain: bool, enveloping: bool, claimed: str, detached: bool, form: str
) -> XMLSigner:
    key = "rsa" if isinstance(authority()[who].key, rsa.RSAPrivateKey) else "ecdsa"
    way = methods.enveloping if enveloping else methods.detached if detached else methods.enveloped
    kind = _Plain if plain else _Xades
    made = kind(method=way, digest_algorithm=digest, signature_algorithm=f"{key}-{digest}", c14n_algorithm=form)
    if isinstance(made, _Xades):
        made.claimed = claimed
    return made


def sign_xml(
    document: str | bytes = DECREE,
    who: str = "signer",
    *,
    stamp: datetime | None = None,
    tsa: str = "tsa",
    canonicalization: str = _INCLUSIVE,
    digest: str = "sha256",
    claimed: datetime | str = NOW - timedelta(hours=1),
    embed: Sequence[str] = ("inter",),
    plain: bool = False,
    enveloping: bool = False,
    part: str | None = None,
    into: str | None = None,
    form: str = _INCLUSIVE,
    signing_time: str = "",
) -> bytes:
    """The document with a signature: at its end, round it, or (over the element with identifier ``part``) put ``into``
    the element of that name. ``claimed`` as text is written as it stands. ``form``: the canonicalization of what is
    signed; that of the timestamp is ``canonicalization``. ``signing_time`` is signed as a plain property."""
    text = claimed if isinstance(claimed, str) else claimed.isoformat()
    people = authority()
    signer = signer_of(
        who, digest, plain=plain, enveloping=enveloping, claimed=text, detached=into is not None, form=form
    )
    root = etree.fromstring(document.encode() if isinstance(document, str) else document)
    made = signer.sign(
        root,
        key=people[who].key,
        cert=[people[name].certificate for name in (who, *embed)],
        reference_uri=part,
        **({"signature_properties": _signing_time(signing_time)} if signing_time else {}),
    )
    if into is not None:
        next(root.iter(f"{{*}}{into}")).append(made)
        made = root
    if stamp is not None:
        made = add_stamp(made, stamp, tsa, canonicalization)
    return etree.tostring(made, encoding="UTF-8", xml_declaration=True)


def add_stamp(made: Any, when: datetime, tsa: str = "tsa", canonicalization: str = _INCLUSIVE) -> Any:
    """A timestamp over the signature value, whose canonical form is put together by hand here."""
    value = made.find(f".//{{{DS}}}SignatureValue")
    scope = {f"xmlns:{key}" if key else "xmlns": uri for key, uri in value.nsmap.items()}
    if canonicalization == EXCLUSIVE:
        scope = {"xmlns:ds": DS}
    words = "".join(f' {key}="{scope[key]}"' for key in sorted(scope))
    form = f"<ds:SignatureValue{words}>{value.text}</ds:SignatureValue>".encode()
    token = asyncio.run(stamper(when, tsa).async_timestamp(hashlib.sha256(form).digest(), "sha256"))
    stamp = _unsigned(made, "SignatureTimeStamp")
    if canonicalization != _INCLUSIVE:
        etree.SubElement(stamp, f"{{{DS}}}CanonicalizationMethod").set("Algorithm", canonicalization)
    etree.SubElement(stamp, f"{{{XADES}}}EncapsulatedTimeStamp").text = base64.b64encode(token.dump()).decode()
    return made


def add_values(document: bytes, crls: Sequence[bytes], ocsps: Sequence[bytes] = (), certs: Sequence[str] = ()) -> bytes:
    """XAdES-LT: revocation answers and certificates among what is not signed."""
    root = etree.fromstring(document)
    held = _unsigned(root, "CertificateValues")
    for name in certs:
        etree.SubElement(held, f"{{{XADES}}}EncapsulatedX509Certificate").text = _text(authority()[name].der)
    values = _unsigned(root, "RevocationValues")
    for kind, one, given in (("CRLValues", "CRLValue", crls), ("OCSPValues", "OCSPValue", ocsps)):
        holder = etree.SubElement(values, f"{{{XADES}}}{kind}")
        for der in given:
            etree.SubElement(holder, f"{{{XADES}}}Encapsulated{one}").text = _text(der)
    return etree.tostring(root)


def add_archive_stamp(document: bytes) -> bytes:
    root = etree.fromstring(document)
    etree.SubElement(_unsigned(root, "ArchiveTimeStamp"), f"{{{XADES}}}EncapsulatedTimeStamp").text = "AAAA"
    return etree.tostring(root)


def add_second_stamp(document: bytes, when: datetime, canonicalization: str) -> bytes:
    return etree.tostring(add_stamp(etree.fromstring(document), when, canonicalization=canonicalization))


def edit(document: bytes, act: Callable[[Any], None]) -> bytes:
    """The document with ``act`` done to its root."""
    root = etree.fromstring(document)
    act(root)
    return etree.tostring(root)


def signature_of(root: Any) -> Any:
    return root.find(f".//{{{DS}}}Signature")


def _unsigned(made: Any, name: str) -> Any:
    properties = made.find(f".//{{{XADES}}}QualifyingProperties")
    place = properties
    for step in ("UnsignedProperties", "UnsignedSignatureProperties"):
        found = place.find(f"{{{XADES}}}{step}")
        place = etree.SubElement(place, f"{{{XADES}}}{step}") if found is None else found
    return etree.SubElement(place, f"{{{XADES}}}{name}")


def _signing_time(text: str) -> list[Any]:
    """As signing software writes it that knows no XAdES; of detached signatures only."""
    made = etree.Element("{http://example.org/#signatureProperties}SigningTime", {"Id": "tg", "Target": "#chu-ky"})
    made.text = text
    return [made]


def _text(der: bytes) -> str:
    return base64.b64encode(der).decode()
