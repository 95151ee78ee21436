"""PAdES: every signature and document timestamp of a PDF, with what was changed after it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, BinaryIO

from pyhanko.pdf_utils.crypt import AuthStatus
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import DiffResult, ModificationLevel
from pyhanko.sign.fields import SigSeedSubFilter, enumerate_sig_fields
from pyhanko.sign.general import extract_certificate_info
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import SignatureCoverageLevel

from metadata.outcomes import SignatureOutcome
from preservation.signatures.facts import certificate_facts, cms_facts, iso
from preservation.signatures.judge import Judgement, SignatureJudge, at_moment
from preservation.signatures.knowledge import Knowledge, tokens_of
from preservation.signatures.outcomes import Reason, reason
from preservation.signatures.policy import Rules, policy_data
from preservation.signatures.port import DOCUMENT_TIMESTAMP, SIGNATURE, SignatureVerdict
from preservation.signatures.subjects import CmsSubject
from preservation.signatures.tokens import check_token

_LARGEST_IDLE = 1 << 16
_WHITE = b"\0\t\f "


@dataclass(slots=True)
class Judged:
    """All verdicts of a file, and the objects they rested on."""

    verdicts: list[SignatureVerdict]
    reasons: list[Reason]
    used: Knowledge


def judge_pdf(stream: BinaryIO, rules: Rules) -> Judged:
    """Judge all signatures of a PDF. Raises whatever pyHanko raises when the file as a whole cannot be read."""
    reader = PdfFileReader(stream, strict=False)
    if reader.encrypted and reader.decrypt("").status == AuthStatus.FAILED:  # the password of "everybody may read"
        return Judged([], [reason("SIG-ENCRYPTED")], Knowledge())
    limit = policy_data()["most_signatures"]
    found = list(islice(enumerate_sig_fields(reader, filled_status=True), limit + 1))
    if len(found) > limit:
        return Judged([], [reason("SIG-TOO-MANY", what=limit)], Knowledge())
    everything, unread = _signatures(reader, found)
    inside = Knowledge.of_dss(reader)
    for one in everything:
        inside = inside + Knowledge.of_cms(one.signed_data)
    signature_fields = {str(name) for name, *_ in found}
    document = _Document(rules, reader, everything, inside, signature_fields)
    verdicts = document.judge()
    return Judged([*verdicts, *unread], [], inside + document.used)


def _signatures(reader: PdfFileReader, found: list[Any]) -> tuple[list[EmbeddedPdfSignature], list[SignatureVerdict]]:
    """Those that can be judged, in the order of their revisions, and verdicts on the others, which pyHanko passes over
    (an unknown kind) or for which it gives up on the whole file."""
    good, unread = [], []
    known = {one.value for one in SigSeedSubFilter}
    for name, value, at in found:
        try:
            kind = value.get_object().get("/SubFilter")
            if str(kind) not in known:
                told = reason("SIG-NOT-JUDGED", what=f"SubFilter {kind}")
                unread.append(SignatureVerdict(str(name), SIGNATURE, (told,), {"format": "PAdES"}))
                continue
            good.append(EmbeddedPdfSignature(reader, at, name))
        except Exception as error:  # one signature's trouble, not the file's  # noqa: BLE001
            told = reason("SIG-MALFORMED", what=type(error).__name__)
            unread.append(SignatureVerdict(str(name), SIGNATURE, (told,), {}))
    good.sort(key=lambda one: one.signed_revision)
    # Its engines ask the reader for the other signatures of the file.
    reader._embedded_signatures = good  # type: ignore[assignment]
    return good, unread


def _idle(stream: BinaryIO, start: int) -> bool:
    """Whether there are only comments and white space from ``start`` to the end of the file."""
    stream.seek(start)
    rest = stream.read(_LARGEST_IDLE + 1)
    lines = re.split(rb"[\r\n]+", rest)
    return len(rest) <= _LARGEST_IDLE and all(
        not line.strip(_WHITE) or line.lstrip(_WHITE)[:1] == b"%" for line in lines
    )


def _subfilter(one: EmbeddedPdfSignature) -> str:
    return str(one.sig_object.get("/SubFilter", "")).lstrip("/")


def _draws(widget: object) -> bool:
    """Whether a signature field shows anything, as a field that nobody signed has no reason to."""
    try:
        return bool(widget["/AP"]["/N"].data.strip())  # type: ignore[index]
    except (KeyError, TypeError, AttributeError):
        return False


class _Document:
    def __init__(
        self,
        rules: Rules,
        reader: PdfFileReader,
        signatures: list[EmbeddedPdfSignature],
        inside: Knowledge,
        fields: set[str],
    ) -> None:
        self._rules, self._reader, self._signatures, self._inside = rules, reader, signatures, inside
        self._fields = fields
        self.used = Knowledge()
        self._wary = False
        self._drawn = {
            name for name, value, at in enumerate_sig_fields(reader) if value is None and _draws(at.get_object())
        }

    def judge(self) -> list[SignatureVerdict]:
        """In the order of the file; document timestamps from the last to the first, as each protects those before."""
        stamps: dict[int, SignatureVerdict] = {}
        moment, sealed = self._rules.control, {}
        for number, one in reversed(list(enumerate(self._signatures))):
            if one.sig_object_type == "/DocTimeStamp":
                stamps[number], moment = self._guarded_stamp(one, moment)
            elif moment < self._rules.control:
                sealed[number] = moment
        return [
            stamps[number] if number in stamps else self._guarded(one, number, sealed.get(number))
            for number, one in enumerate(self._signatures)
        ]

    def _guarded(self, one: EmbeddedPdfSignature, number: int, sealed: datetime | None) -> SignatureVerdict:
        try:
            found = self._signature(one, number, sealed)
        except Exception as error:  # one signature's trouble, not the file's  # noqa: BLE001
            found = Judgement([reason("SIG-MALFORMED", what=type(error).__name__)])
        return SignatureVerdict(str(one.field_name), SIGNATURE, tuple(found.reasons), found.facts)

    def _signature(self, one: EmbeddedPdfSignature, number: int, sealed: datetime | None) -> Judgement:
        one.compute_integrity_info()  # type: ignore[no-untyped-call]
        later = any(other.sig_object_type == "/DocTimeStamp" for other in self._signatures[number + 1 :])
        subject = CmsSubject(one.signed_data, one.compute_digest(), one)
        judge = SignatureJudge(self._rules, subject, self._inside, sealed=sealed, wary=self._wary)
        found = judge.judge()
        self.used = self.used + found.path
        self._changes(one, found)
        found.facts |= {"format": "PAdES", "subfilter": _subfilter(one), "level": self._level(one, later)}
        return found

    def _level(self, one: EmbeddedPdfSignature, archival: bool) -> str:
        if not any(True for _ in tokens_of(one.signer_info)):
            return "B-B"
        if archival:
            return "B-LTA"
        return "B-LT" if self._inside.crls or self._inside.ocsps else "B-T"

    def _guarded_stamp(self, one: EmbeddedPdfSignature, moment: datetime) -> tuple[SignatureVerdict, datetime]:
        try:
            found, time = self._stamp(one, moment)
        except Exception as error:  # as above  # noqa: BLE001
            found, time = Judgement([reason("SIG-MALFORMED", what=type(error).__name__)]), moment
        verdict = SignatureVerdict(str(one.field_name), DOCUMENT_TIMESTAMP, tuple(found.reasons), found.facts)
        good = verdict.outcome in (SignatureOutcome.VALID, SignatureOutcome.VALID_WITH_NOTES)
        return verdict, min(moment, time) if good else moment

    def _stamp(self, one: EmbeddedPdfSignature, moment: datetime) -> tuple[Judgement, datetime]:
        found = Judgement()
        one.compute_integrity_info()  # type: ignore[no-untyped-call]
        self._changes(one, found)
        rules = at_moment(self._rules, moment)
        anchors = Knowledge(rules.anchors.certificates)
        known = self._inside + rules.kept + anchors
        late = moment < self._rules.control
        token = check_token(rules, one.signed_data, one.compute_digest, known, known + rules.anchors, late=late)
        if token is None:
            found.add("SIG-ALTERED")
            return found, moment
        if token.time > self._rules.control:
            found.add("SIG-TIMESTAMP-IN-FUTURE", when=iso(token.time))
        self._wary = self._wary or token.revoked
        if not token.good:
            found.add("SIG-TIMESTAMP-UNTRUSTED", when=iso(token.time), what=token.word)
        found.facts |= certificate_facts(extract_certificate_info(one.signed_data).signer_cert)
        found.facts |= cms_facts(one.signer_info) | {
            "timestamp": iso(token.time),
            "timestamp_authority": token.authority,
        }
        found.facts |= {"ades": token.word, "format": "PAdES", "subfilter": _subfilter(one)}
        return found, token.time

    def _changes(self, one: EmbeddedPdfSignature, found: Judgement) -> None:
        """Coverage, and what later revisions changed, however good the signature value is."""
        coverage: SignatureCoverageLevel = one.evaluate_signature_coverage()
        changes: object = one.diff_result
        found.facts["coverage"] = coverage.name
        if coverage < SignatureCoverageLevel.ENTIRE_REVISION:
            found.add("SIG-COVERAGE", what=coverage.name)
            return
        if not isinstance(changes, DiffResult):
            found.facts["modification"] = "SUSPICIOUS"
            found.add("SIG-MODIFIED-AFTER", what=str(changes) if changes is not None else "?")
            return
        level = changes.modification_level
        found.facts["modification"] = level.name
        if level > ModificationLevel.FORM_FILLING:
            found.add("SIG-MODIFIED-AFTER", what=level.name)
        if not one.summarise_integrity_info()["docmdp_ok"]:
            found.add("SIG-NOT-PERMITTED", what=level.name)
        if drawn := sorted(self._drawn & {str(name) for name in changes.changed_form_fields}):
            found.add("SIG-MODIFIED-AFTER", what=f"unsigned signature field with a picture: {drawn[0]}")
        filled = {str(name) for name in changes.changed_form_fields} - self._fields
        if filled:
            found.add("SIG-FORM-FILLED", what=", ".join(sorted(filled)[:5]))
        last = one.signed_revision == self._reader.xrefs.total_revisions - 1
        if last and coverage < SignatureCoverageLevel.ENTIRE_FILE:
            # Objects that no cross-reference table names are seen by software that repairs files.
            idle = _idle(self._reader.stream, int(one.byte_range[2]) + int(one.byte_range[3]))
            if idle:
                found.add("SIG-BYTES-AFTER")
            else:
                found.add("SIG-MODIFIED-AFTER", what="objects or other bytes after the end")
