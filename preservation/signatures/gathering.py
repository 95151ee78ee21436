"""What could be asked of authorities about the certificates of kept evidence, and whether what they answer is theirs.

Both parse what comes from outside, and so run in a child. The network is not used here: see ``fetching``.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, ExtensionOID

from preservation.signatures.port import Evidence
from preservation.signatures.trust import LARGEST, TrustStore, to_der

MOST_REQUESTS = 12
_KINDS = {"crl": "crls", "ocsp": "ocsps", "issuer": "certificates"}


def requests_for(evidence: Evidence, store: TrustStore) -> list[dict[str, Any]]:
    """What to ask: ``kind`` (issuer, ocsp, crl), ``url``, ``body`` (bytes of a POST, empty for GET), ``about`` (the
    certificate's SHA-256) and ``largest`` (bytes of an answer). Of each address once, at most ``MOST_REQUESTS``."""
    known = _certificates(evidence, store)
    trusted = {one.der for one in store.entries if one.role in ("root", "tsa-root")}
    held = _certificates(evidence, TrustStore())
    found: dict[tuple[str, bytes], dict[str, Any]] = {}
    for certificate in held:
        if certificate.public_bytes(serialization.Encoding.DER) in trusted:
            continue
        issuer = _issuer(certificate, known)
        for kind, url, body in _questions(certificate, issuer):
            digest = certificate.fingerprint(hashes.SHA256()).hex()
            largest = LARGEST["intermediate" if kind == "issuer" else kind]
            found.setdefault((url, body), {"kind": kind, "url": url, "body": body, "about": digest, "largest": largest})
    return list(found.values())[:MOST_REQUESTS]


def accepted(
    evidence: Evidence, store: TrustStore, answers: Sequence[Mapping[str, Any]]
) -> tuple[Evidence, list[dict[str, str]]]:
    """The evidence with those of the ``answers`` (a request with ``data`` and ``time``) that are their authority's.

    Also what became of each: ``url``, ``kind``, ``time``, ``sha256``, and ``refused`` where it was.
    """
    objects = {kind: dict(held) for kind, held in evidence["objects"].items()}
    told: list[dict[str, str]] = []
    for answer in answers:
        row = {name: str(answer[name]) for name in ("url", "kind", "time")}
        try:
            der = _verified(answer, _certificates({**evidence, "objects": objects}, store))
            digest = hashlib.sha256(der).hexdigest()
            objects[_KINDS[answer["kind"]]][digest] = base64.b64encode(der).decode()
            row["sha256"] = digest
        except Exception as error:  # the border to what came over the network  # noqa: BLE001
            row["refused"] = type(error).__name__
        told.append(row)
    kept = [row for row in told if "refused" not in row]
    return {**evidence, "objects": objects, "fetched": [*evidence.get("fetched", ()), *kept]}, told


def _questions(certificate: x509.Certificate, issuer: x509.Certificate | None) -> Iterator[tuple[str, str, bytes]]:
    """Its issuer where it is not known, else an OCSP answer, and the revocation list beside it."""
    access = _extension(certificate, ExtensionOID.AUTHORITY_INFORMATION_ACCESS)
    for one in access or ():
        url = _url(one.access_location)
        if url and issuer is None and one.access_method == AuthorityInformationAccessOID.CA_ISSUERS:
            yield "issuer", url, b""
        if url and issuer is not None and one.access_method == AuthorityInformationAccessOID.OCSP:
            # By SHA-1 of names and keys, as responders expect; nothing rests on it.
            asked = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, hashes.SHA1())  # noqa: S303
            yield "ocsp", url, asked.build().public_bytes(serialization.Encoding.DER)
    for point in _extension(certificate, ExtensionOID.CRL_DISTRIBUTION_POINTS) or ():
        for name in point.full_name or ():
            if issuer is not None and (url := _url(name)):
                yield "crl", url, b""


def _verified(answer: Mapping[str, Any], known: Sequence[x509.Certificate]) -> bytes:
    """The DER bytes. Raises ValueError and cryptography's errors for what is no answer of the right authority."""
    kind, data = answer["kind"], bytes(answer["data"])
    about = next(one for one in known if one.fingerprint(hashes.SHA256()).hex() == answer["about"])
    if kind == "issuer":
        der = to_der(data, "intermediate")
        about.verify_directly_issued_by(x509.load_der_x509_certificate(der))
        return der
    issuer = _issuer(about, known)
    if issuer is None:
        raise ValueError("no issuer")
    der = to_der(data, kind)
    if kind == "crl":
        given = x509.load_der_x509_crl(der)
        if given.issuer != issuer.subject or not given.is_signature_valid(issuer.public_key()):  # type: ignore[arg-type]
            raise ValueError("a list by somebody else")
        return der
    response = ocsp.load_der_ocsp_response(der)
    if response.response_status != ocsp.OCSPResponseStatus.SUCCESSFUL:
        raise ValueError("no answer")
    if all(one.serial_number != about.serial_number for one in response.responses):
        raise ValueError("an answer about another certificate")
    _by_responder(response, issuer)
    return der


def _by_responder(response: ocsp.OCSPResponse, issuer: x509.Certificate) -> None:
    """By the issuer itself, or by somebody whom it certified for that. Raises InvalidSignature."""
    for candidate in (issuer, *response.certificates):
        if candidate is not issuer and not _delegated(candidate, issuer):
            continue
        key, digest = candidate.public_key(), response.signature_hash_algorithm
        try:
            if isinstance(key, rsa.RSAPublicKey) and digest is not None:
                key.verify(response.signature, response.tbs_response_bytes, padding.PKCS1v15(), digest)
            elif isinstance(key, ec.EllipticCurvePublicKey) and digest is not None:
                key.verify(response.signature, response.tbs_response_bytes, ec.ECDSA(digest))
            else:
                continue
        except InvalidSignature:
            continue
        return
    raise InvalidSignature


def _delegated(candidate: x509.Certificate, issuer: x509.Certificate) -> bool:
    uses = _extension(candidate, ExtensionOID.EXTENDED_KEY_USAGE)
    try:
        candidate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return uses is not None and ExtendedKeyUsageOID.OCSP_SIGNING in uses


def _certificates(evidence: Evidence, store: TrustStore) -> list[x509.Certificate]:
    held = [base64.b64decode(text) for text in evidence["objects"]["certificates"].values()]
    held += [one.der for one in store.entries if one.role in ("root", "intermediate", "tsa-root")]
    found = []
    for der in dict.fromkeys(held):
        try:
            found.append(x509.load_der_x509_certificate(der))
        except ValueError:  # of a certificate that cannot be read nothing is asked
            continue
    return found


def _issuer(certificate: x509.Certificate, known: Sequence[x509.Certificate]) -> x509.Certificate | None:
    for one in known:
        if one.subject == certificate.issuer:
            try:
                certificate.verify_directly_issued_by(one)
            except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
                continue
            return one
    return None


def _extension(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> Any:  # noqa: ANN401 - as its kind has it
    try:
        return certificate.extensions.get_extension_for_oid(oid).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return None


def _url(name: x509.GeneralName) -> str:
    return name.value if isinstance(name, x509.UniformResourceIdentifier) else ""
