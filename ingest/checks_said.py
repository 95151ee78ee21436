"""What checks beside the pass have to say, as findings in the order of files: formats, viruses, signatures, pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from ingest.ledger import Ledger
from metadata.findings import Findings, Severity
from metadata.outcomes import SignatureOutcome
from metadata.tt05.judge_formats import Entry, judge_formats, origin_of
from metadata.tt05.profile import default_profile
from preservation.examination import Examination
from preservation.formats.port import Remark
from preservation.signatures.outcomes import Reason, outcome_of
from preservation.signed import signed_aside

if TYPE_CHECKING:
    from ingest.quarantine import Release  # it knows the catalogue, which a check does without

_SAID = {
    SignatureOutcome.INVALID: "SIGNATURE-INVALID",
    SignatureOutcome.INDETERMINATE: "SIGNATURE-INDETERMINATE",
    SignatureOutcome.UNREADABLE: "SIGNATURE-UNREADABLE",
}
_REASONS = 3


def say_checks(
    ledger: Ledger, findings: Findings, *, valid_signatures: bool = False, release: Release | None = None
) -> None:
    """Everything that is in the ledger. ``valid_signatures``: the submission agreement wants every signature valid, so
    that one which is not, or was not judged, is an error. What people knew when they ordered the ``release`` of the
    package from quarantine is a warning."""
    for path, result in ledger.scans():
        if result.code and release is not None and release.accepts(result.code, path):
            findings.weigh(Severity.WARNING, result.code, path, name=result.name)
        elif result.code:
            findings.add(result.code, path, name=result.name)
    for path, remark in ledger.remarks():
        if valid_signatures and remark.code.startswith("SIGNATURE-"):
            findings.weigh(Severity.ERROR, remark.code, path, **remark.details)
        else:
            findings.add(remark.code, path, **remark.details)
    for one in ledger.counted_pages():
        if one.said != one.counted:
            findings.add("TT05-PAGES-COUNTED", one.place, said=one.said, counted=one.counted)


def say_tt05_formats(ledger: Ledger, findings: Findings, *, signatures_checked: bool) -> None:
    """What TT 05 asks of the formats of a dossier's files; ``signatures_checked``: somebody looked for signatures."""
    judge_formats(
        findings,
        default_profile(),
        _documents(ledger),
        origin=lambda path: origin_of(*ledger.described(path, "confidenceLevel", "typeName")),
        signatures_checked=signatures_checked,
    )


def _documents(ledger: Ledger) -> Iterator[Entry]:
    """Content files but for signatures of others; one with such a signature beside it is signed."""
    for one in ledger.content():
        if one.format is None or one.characteristics is None or signed_aside(one.path) is not None:
            continue
        known = one.characteristics
        beside = ledger.signatures_beside(one.path)
        yield one.path, one.format, replace(known, signatures=known.signatures + beside) if beside else known


def signature_remarks(found: Examination) -> Iterator[Remark]:
    """What is to be said of a file's signatures: nothing where they are valid, or where there are none."""
    if found.unjudged:
        yield Remark("SIGNATURE-NOT-JUDGED")
    report = found.signatures
    if report is None or report.outcome not in _SAID:
        return
    reasons = [*report.reasons, *(one for verdict in report.verdicts for one in verdict.reasons)]
    # Each once, the gravest first: of many signatures the same is said.
    distinct = list({one.code: one for one in reasons if outcome_of([one]) is report.outcome}.values())
    yield Remark(_SAID[report.outcome], _told(distinct))


def _told(reasons: list[Reason]) -> dict[str, str]:
    more = " …" if len(reasons) > _REASONS else ""
    shown = reasons[:_REASONS]
    return {
        "codes": ", ".join(one.code for one in shown) + more,
        "vi": " ".join(one.sentence.vi for one in shown) + more,
        "en": " ".join(one.sentence.en for one in shown) + more,
    }
