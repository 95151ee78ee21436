"""Certificates and revocation answers at hand, from the file, from the trust store or from kept evidence."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from asn1crypto import cms, crl, ocsp, pdf, x509
from asn1crypto.core import Asn1Value
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.general import find_cms_attribute_iter, find_unique_cms_attribute
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.sign.validation.errors import NoDSSFoundError
from pyhanko.sign.validation.policy_decl import LocalKnowledge
from pyhanko_certvalidator.revinfo.archival import CRLContainer, OCSPContainer

from preservation.signatures.trust import TrustEntry

_KINDS = {"certificates": x509.Certificate, "crls": crl.CertificateList, "ocsps": ocsp.OCSPResponse}


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Parsed objects, each kind without repeats by ``+``. ``all_entries`` goes along a trust store's entries."""

    certificates: tuple[x509.Certificate, ...] = ()
    crls: tuple[crl.CertificateList, ...] = ()
    ocsps: tuple[ocsp.OCSPResponse, ...] = ()
    all_entries: tuple[Asn1Value, ...] = field(default=(), repr=False)

    def __add__(self, other: Self) -> Knowledge:
        return Knowledge(
            _unique(self.certificates + other.certificates),
            _unique(self.crls + other.crls),
            _unique(self.ocsps + other.ocsps),
        )

    def only_lists(self) -> Knowledge:
        """Without OCSP answers."""
        return Knowledge(self.certificates, self.crls)

    def local(self) -> LocalKnowledge:
        return LocalKnowledge(
            known_ocsps=[one for answer in self.ocsps for one in OCSPContainer.load_multi(answer)],
            known_crls=[CRLContainer(one) for one in self.crls],
            known_certs=list(self.certificates),
        )

    def to_json(self) -> dict[str, dict[str, str]]:
        """By kind, then by the SHA-256 of the DER bytes: those bytes in base64."""
        return {
            kind: {
                hashlib.sha256(der).hexdigest(): base64.b64encode(der).decode()
                for der in sorted(one.dump() for one in getattr(self, kind))
            }
            for kind in _KINDS
        }

    @classmethod
    def of_json(cls, data: Mapping[str, Mapping[str, str]]) -> Self:
        """Inverse of :meth:`to_json`; an object that does not match its digest raises ValueError."""
        read: dict[str, list[Any]] = {}
        for kind, load in _KINDS.items():
            read[kind] = []
            for digest, text in data[kind].items():
                der = base64.b64decode(text)
                if hashlib.sha256(der).hexdigest() != digest:
                    raise ValueError("kept evidence does not match its digest")
                read[kind].append(load.load(der))
        return cls(*(tuple(read[kind]) for kind in _KINDS))

    @classmethod
    def of_store(cls, entries: Iterable[TrustEntry]) -> Self:
        """The intermediates and revocation answers; roots only in ``all_entries``. Raises ValueError: not DER."""
        kinds = {"crl": crl.CertificateList, "ocsp": ocsp.OCSPResponse}
        parsed = [(entry.role, kinds.get(entry.role, x509.Certificate).load(entry.der)) for entry in entries]
        return cls(
            tuple(one for role, one in parsed if role == "intermediate"),
            tuple(one for role, one in parsed if role == "crl"),
            tuple(one for role, one in parsed if role == "ocsp"),
            tuple(one for _, one in parsed),
        )

    @classmethod
    def of_cms(cls, signed: cms.SignedData) -> Knowledge:
        """What a CMS holds, its timestamps and (as Adobe writes them) revocation answers among its attributes too."""
        own = cls(tuple(_certificates(signed)), tuple(_crls(signed)))
        for info in signed["signer_infos"]:
            for token in tokens_of(info):
                own = own + cls(tuple(_certificates(token)), tuple(_crls(token)))
            try:
                kept: pdf.RevocationInfoArchival = find_unique_cms_attribute(
                    info["signed_attrs"], "adobe_revocation_info_archival"
                )
            except Exception:  # absent, or not as it should be: then there is nothing to know  # noqa: BLE001, S112
                continue
            own = own + cls((), tuple(kept["crl"]), tuple(kept["ocsp"]))
        return own

    @classmethod
    def of_dss(cls, reader: PdfFileReader) -> Self:
        """What the document security store of a PDF holds."""
        try:
            dss = DocumentSecurityStore.read_dss(reader)
        except NoDSSFoundError:
            return cls()
        return cls(
            tuple(dss.load_certs()),
            tuple(crl.CertificateList.load(one.get_object().data) for one in dss.crls),
            tuple(ocsp.OCSPResponse.load(one.get_object().data) for one in dss.ocsps),
        )

    def answers_about(self, certificate: x509.Certificate) -> list[tuple[str, datetime]]:
        """``CRL`` or ``OCSP``, and the time, of each answer that can be about ``certificate``."""
        found: list[tuple[str, datetime]] = [
            ("CRL", one["tbs_cert_list"]["this_update"].native) for one in self.crls if one.issuer == certificate.issuer
        ]
        for answer in self.ocsps:
            for one in OCSPContainer.load_multi(answer):
                single = one.extract_single_response()
                if single is not None and single["cert_id"]["serial_number"].native == certificate.serial_number:
                    found.append(("OCSP", single["this_update"].native))
        return found


def tokens_of(info: cms.SignerInfo) -> Iterator[cms.SignedData]:
    """The timestamp tokens over a signature value."""
    for token in find_cms_attribute_iter(info["unsigned_attrs"], "signature_time_stamp_token"):
        yield token["content"]


def _certificates(signed: cms.SignedData) -> Iterator[x509.Certificate]:
    for choice in signed["certificates"] or ():
        if choice.name == "certificate":
            yield choice.chosen


def _crls(signed: cms.SignedData) -> Iterator[crl.CertificateList]:
    for choice in signed["crls"] or ():
        if choice.name == "certificate_list":
            yield choice.chosen


def _unique(items: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple({item.dump(): item for item in items}.values())
