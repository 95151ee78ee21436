"""Checkers for tests that need no child process: what they say stands in the files themselves."""

from __future__ import annotations

import json
from typing import BinaryIO

from metadata.characteristics import Facts
from metadata.outcomes import Validity
from preservation.formats.port import Inspection, Specimen
from preservation.signatures.outcomes import reason
from preservation.signatures.port import Question, SignatureReport, SignatureVerdict

FACTS = {
    "format": "PAdES",
    "level": "B-LTA",
    "signature_algorithm": "RSA-SHA256",
    "signature_encoding": "base64",
    "signature_value": "QUJDRA==",
    "signer": "Common Name: Nguyễn Văn A, Organization: Sở <Nội vụ>",
    "proved_time": "2026-06-15T07:00:00Z",
    "engine_version": "pyhanko 0.0",
    "policy": "p1",
    "policy_sha256": "ab" * 32,
    "trust_store": "2026-11-26",
    "trust_store_sha256": "cd" * 32,
    "validated_at": "2026-11-23T01:00:00Z",
}


class MemoryInspector:
    """A file's facts, validity and words are JSON in its last line that begins with ``%look``; others are valid."""

    name = "MemoryInspector 1"

    def inspect(self, specimen: Specimen, file: BinaryIO | None) -> Inspection:
        said = next((line for line in specimen.tail.splitlines()[::-1] if line.startswith(b"%look")), None)
        if said is None:
            return Inspection(Validity.VALID)
        known = json.loads(said.removeprefix(b"%look"))
        return Inspection(Validity(known["validity"]), (), Facts.of_fields(known["facts"]), known.get("text", ""))


class MemoryChecker:
    """A file with ``%signed CODE …`` in it has one signature for each code, ``OK`` for a valid one; ``%broken`` cannot
    be read."""

    def check(self, question: Question) -> SignatureReport:
        lines = question.file.read().splitlines()
        if any(line.startswith(b"%broken") for line in lines):
            return SignatureReport(reasons=(reason("SIG-ENCRYPTED"),))
        signed = next((line for line in lines if line.startswith(b"%signed")), b"")
        verdicts = tuple(
            SignatureVerdict(
                f"Signature{number}",
                "signature",
                () if code == "OK" else (reason(code, what="?", when="?"),),
                FACTS,
            )
            for number, code in enumerate(signed.decode().split()[1:], 1)
        )
        if not verdicts:
            return SignatureReport()
        evidence = {"format": "tangthu-signature-evidence/1", "objects": {"x": "\udc80"}}
        return SignatureReport(verdicts, (), evidence, b"<report/>")

    def close(self) -> None:
        pass


def pdf(text: str = "", *, signed: str = "", validity: str = "VALID", **facts: object) -> bytes:
    """Something that passes for a PDF and says what checkers are to find in it."""
    said = json.dumps({"validity": validity, "facts": facts, "text": text})
    range_ = "/ByteRange [0 1 2 3]\n" if signed else ""
    return f"%PDF-1.4\n{range_}{signed}\n%look {said}\n%%EOF".encode()
