"""The validation report of ETSI TS 119 102-2, written from our verdicts.

An engine's own report would contradict them: it says total-passed of a file whose page was replaced after an archival
timestamp. What the standard has no word for stands beside its sub-indications, as a reason of ours.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

from lxml import etree

from metadata.outcomes import SignatureOutcome
from preservation.signatures.outcomes import outcome_of
from preservation.signatures.policy import policy_data
from preservation.signatures.port import LARGEST_REPORT, SignatureVerdict

VR = "http://uri.etsi.org/19102/v1.2.1#"
DS = "http://www.w3.org/2000/09/xmldsig#"
REASON = "urn:x-tangthu:signature-reason:"
_SPACES = {None: VR, "ds": DS}
_SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
_ETSI = "urn:etsi:019102:"
_MAIN = {
    SignatureOutcome.VALID: "total-passed",
    SignatureOutcome.VALID_WITH_NOTES: "total-passed",
    SignatureOutcome.INVALID: "total-failed",
}
_PROCESSES = (("lta", "LTA"), ("document timestamp", "LTA"), ("time", "LTVM"))
_KINDS = {"certificates": "certificate", "crls": "CRL", "ocsps": "OCSPResponse"}


def make_report(verdicts: Sequence[SignatureVerdict], evidence: Mapping[str, Any]) -> bytes:
    """For the signatures of one file, XML in UTF-8; empty when it would be larger than a report may be.

    Certificates and answers are named by their digests: the evidence has their bytes.
    """
    root = etree.Element(f"{{{VR}}}ValidationReport", nsmap=_SPACES)  # type: ignore[arg-type]
    for number, verdict in enumerate(verdicts, 1):
        _signature(root, number, verdict, evidence)
    objects = _add(root, "SignatureValidationObjects")
    for kind, word in _KINDS.items():
        for digest in evidence["objects"][kind]:
            one = _add(objects, "ValidationObject", id=_identifier(digest))
            _add(one, "ObjectType", f"{_ETSI}validationObject:{word}")
            _digest(_add(one, "ValidationObjectRepresentation"), digest)
    made = etree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return made if len(made) <= LARGEST_REPORT else b""


def _signature(root: etree._Element, number: int, verdict: SignatureVerdict, evidence: Mapping[str, Any]) -> None:
    facts, report = verdict.facts, _add(root, "SignatureValidationReport")
    identifier = _add(report, "SignatureIdentifier", id=f"S-{number}")
    if value := facts.get("signature_value"):
        _add(identifier, "SignatureValue", value, space=DS)
    _add(identifier, "HashOnly", "false")
    _add(identifier, "DocHashOnly", "false")
    time = _add(report, "ValidationTimeInfo")
    _add(time, "ValidationTime", facts["validated_at"])
    best = _add(time, "BestSignatureTime")
    _add(best, "POETime", facts.get("proved_time", facts["validated_at"]))
    kept = facts.get("proved_by") == "kept evidence"
    _add(best, "TypeOfProof", f"{_ETSI}poetype:{'provided' if kept else 'validation'}")
    _digest(_add(report, "SignersDocument"), evidence["digests"].get("content", evidence["digests"]["file"]))
    _attributes(report, facts)
    if digest := facts.get("certificate_sha256"):
        signer = _add(report, "SignerInformation")
        _add(signer, "SignerCertificate", VOReference=_identifier(digest))
        _add(signer, "Signer", facts["signer"])
    process = _add(report, "SignatureValidationProcess")
    name = next((name for word, name in _PROCESSES if word in facts.get("engine", "")), "Basic")
    _add(process, "SignatureValidationProcessID", f"{_ETSI}validationprocess:{name}")
    status = _add(report, "SignatureValidationStatus")
    _add(status, "MainIndication", f"{_ETSI}mainindication:{_MAIN.get(verdict.outcome, 'indeterminate')}")
    for word in _words(verdict):
        _add(status, "SubIndication", word)


def _attributes(report: etree._Element, facts: Mapping[str, str]) -> None:
    known = [name for name in ("claimed_time", "timestamp", "subfilter") if name in facts]
    if not known:
        return
    attributes = _add(report, "SignatureAttributes")
    if "claimed_time" in known:
        _add(_add(attributes, "SigningTime", Signed="true"), "Time", facts["claimed_time"])
    if "timestamp" in known:
        _add(_add(attributes, "SignatureTimeStamp", Signed="false"), "TimeStampValue", facts["timestamp"])
    if "subfilter" in known:
        _add(_add(attributes, "SubFilter", Signed="true"), "SubFilterElement", facts["subfilter"])


def _words(verdict: SignatureVerdict) -> list[str]:
    """The standard's sub-indications where it has one, and every reason that says more than a piece of information."""
    standard = {code: word for word, code in reversed(policy_data()["subindications"].items())}
    told = [one.code for one in verdict.reasons if outcome_of([one]) is not SignatureOutcome.VALID]
    weighty = [one.code for one in verdict.reasons if outcome_of([one]) is verdict.outcome]
    words = []
    if verdict.outcome not in (SignatureOutcome.VALID, SignatureOutcome.VALID_WITH_NOTES):
        words = [f"{_ETSI}subindication:{standard[code]}" for code in weighty if code in standard]
        words = words or [f"{_ETSI}subindication:GENERIC"]
    return words + [REASON + code for code in told]


def _digest(parent: etree._Element, digest: str) -> None:
    holder = _add(parent, "DigestAlgAndValue")
    _add(holder, "DigestMethod", space=DS, Algorithm=_SHA256)
    _add(holder, "DigestValue", base64.b64encode(binascii.unhexlify(digest)).decode(), space=DS)


def _identifier(digest: str) -> str:
    return f"O-{digest}"


def _add(
    parent: etree._Element, name: str, text: str | None = None, space: str = VR, **attributes: str
) -> etree._Element:
    made = etree.SubElement(parent, f"{{{space}}}{name}", attributes)
    # Names in certificates may hold what XML cannot.
    made.text = text and "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)
    return made
