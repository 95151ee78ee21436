"""What was found of digital signatures, as PREMIS has it, as events, and as the evidence that the AIP keeps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ingest.describing.making import Making
from ingest.ledger_rows import CheckCounts, PlacedReport
from metadata.events import Agent, Event, EventType
from metadata.examination import evidence_path, report_path
from metadata.outcomes import SignatureOutcome
from metadata.premis import PremisSignature
from preservation.signatures.port import SignatureReport, SignatureVerdict

EVENTS = 500
"""Files that get an event of their own; of the rest PREMIS tells in their objects, and the last event in sums."""
_SIGNATURES = 20  # of one file, in its event
_GOOD = frozenset({SignatureOutcome.VALID, SignatureOutcome.VALID_WITH_NOTES})
# Facts that have units or places of their own.
_TOLD = frozenset({"signer", "signature_algorithm", "signature_encoding", "signature_value"})
_JUDGING = ("engine_version", "policy", "policy_sha256", "trust_store", "trust_store_sha256", "validated_at")


def premis_signatures(report: SignatureReport) -> tuple[PremisSignature, ...]:
    """The signatures of a file; one that could not be read has no value."""
    return tuple(map(_premis, report.verdicts))


def _premis(one: SignatureVerdict) -> PremisSignature:
    facts = one.facts
    judged = [("name", one.name), ("kind", one.kind), ("outcome", one.outcome.value)]
    judged += [("reason", reason.code) for reason in one.reasons]
    return PremisSignature(
        facts.get("signature_encoding", "base64"),
        facts.get("signer", ""),
        facts.get("signature_algorithm", "unknown"),
        facts.get("signature_value", ""),
        _rules(facts),
        (*judged, *((name, text) for name, text in facts.items() if name not in (*_TOLD, *_JUDGING))),
    )


def _rules(facts: Mapping[str, str]) -> str:
    return "; ".join(["ETSI EN 319 102-1", *(f"{name}={facts[name]}" for name in _JUDGING if name in facts)])


def evidence_document(placed: PlacedReport) -> dict[str, Any]:
    """The evidence with what it lacks to be read alone: the file, its outcome, the reasons that concern all of it."""
    report = placed.report
    return {
        "signatures": [one.fields() for one in report.verdicts],
        **report.evidence,
        "path": placed.target,
        "outcome": report.outcome and report.outcome.value,
        "reasons": [one.fields() for one in report.reasons],
    }


def signature_events(
    making: Making, reports: Iterable[PlacedReport], base: str, counts: CheckCounts
) -> Iterator[Event]:
    """One for each of the first signed files, then one that sums up all; ``base`` is what identifiers leave out."""
    checker = making.agent
    for place, one in enumerate(reports):
        if place == EVENTS:
            break
        checker = _checker(one.report) or checker
        yield _file_event(making, one, base, checker)
    outcomes = {outcome: counts.signature.get(outcome, 0) for outcome in SignatureOutcome}
    signed = sum(outcomes.values())
    told = ", ".join(f"{outcome} {count}" for outcome, count in outcomes.items() if count)
    good = signed == sum(outcomes[outcome] for outcome in _GOOD)
    yield making.event(
        EventType.DIGITAL_SIGNATURE_VALIDATION,
        "Digital signatures of content files were looked for and judged",
        f"{signed} files with signatures" + (f": {told}" if told else ""),
        "success" if good else "warning",
        checker,
    )


def _checker(report: SignatureReport) -> Agent | None:
    versions = next((one.facts["engine_version"] for one in report.verdicts if "engine_version" in one.facts), None)
    return None if versions is None else Agent("signature-checker", versions)


def _file_event(making: Making, one: PlacedReport, base: str, checker: Agent) -> Event:
    report = one.report
    judged = next((_rules(verdict.facts) for verdict in report.verdicts if "policy" in verdict.facts), "")
    links = [("File", f"{making.version}/{one.target.removeprefix(base)}"), ("member", evidence_path(one.number))]
    if report.report:
        links.append(("member", report_path(one.number)))
    return making.event(
        EventType.DIGITAL_SIGNATURE_VALIDATION,
        f"Digital signatures of {one.path} were judged" + (f" by {judged}" if judged else ""),
        "\n".join(_notes(report)),
        report.outcome.value if report.outcome else "",
        checker,
        tuple(links),
        str(one.number),
    )


def _notes(report: SignatureReport) -> Iterator[str]:
    """One line for each signature: its name, its outcome, why, and what is known of it."""
    for reason in report.reasons:
        yield reason.code
    for verdict in report.verdicts[:_SIGNATURES]:
        codes = ", ".join(reason.code for reason in verdict.reasons)
        told = [
            f"{name}={text}"
            for name, text in verdict.facts.items()
            if name not in (*_JUDGING, "signature_encoding", "signature_value")
        ]
        yield "; ".join([f"{verdict.name}: {verdict.outcome}" + (f" ({codes})" if codes else ""), *told])
    if (more := len(report.verdicts) - _SIGNATURES) > 0:
        yield f"and {more} more"
