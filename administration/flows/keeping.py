"""Audits, and the repair of what they find."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, cast

from administration.work.plan import Job, Json, Request, Step, Workflow
from metadata.dates import utc_text
from metadata.identifiers import VersionId

if TYPE_CHECKING:
    from administration.archive import Archive
    from administration.settings import Settings
    from administration.work.clock import Chime
    from preservation.audit_report import AuditReport
    from preservation.repair import RepairReport


def keeping(archive: Archive) -> tuple[Workflow, ...]:
    """Audit and repair."""
    return (
        Workflow("audit", "audit", (Step("audit", lambda job: _audit(archive, job)),), repairs_of),
        Workflow("repair", "repair", (Step("repair", lambda job: _repair(archive, job)),)),
    )


def keeping_chimes(settings: Settings) -> tuple[Chime, ...]:
    """When audits start."""
    from administration.work.clock import Chime

    every = timedelta(minutes=settings.number("audit.every_minutes"))
    return (Chime("audit", every, {"limit": settings.count("audit.batch")}),)


def _audit(archive: Archive, job: Job) -> Json:
    limit = cast("Mapping[str, int]", job.argument)["limit"]
    return audit_to_json(archive.standing.step(limit))


def repairs_of(result: Json) -> Sequence[Request]:
    """One repair for each damage found; its id holds the time of the look, so that a later damage is a new job."""
    damaged = cast("Sequence[Mapping[str, str]]", cast("Mapping[str, Json]", result)["damaged"])
    return [Request("repair", f"repair-{one['version']}-{one['at']}", {"version": one["version"]}) for one in damaged]


def _repair(archive: Archive, job: Job) -> Json:
    version = VersionId.parse(cast("Mapping[str, str]", job.argument)["version"])
    return repair_to_json(archive.repairer.repair(version))


def audit_to_json(report: AuditReport) -> dict[str, Json]:
    """An audit's sum for people and programs."""
    return {
        "audited": report.audited,
        "postponed": report.postponed,
        "not_connected": report.shelved,
        "bytes_read": report.bytes_read,
        "replicas": {outcome.value: count for outcome, count in sorted(report.replicas.items())},
        "damaged": [
            {
                "version": str(audit.version),
                "at": utc_text(audit.at),
                "replicas": [
                    {
                        "store": check.store.value,
                        "outcome": check.outcome.value,
                        "note": check.note,
                        "places": [damage.place for damage in check.damages[:100]],
                    }
                    for check in audit.damaged
                ],
            }
            for audit in report.damaged
        ],
    }


def repair_to_json(report: RepairReport) -> dict[str, Json]:
    """A repair for people and programs."""
    return {
        "version": str(report.version),
        "refused": report.refused,
        "repaired": [store.value for store in report.repaired],
        "not_connected": [store.value for store in report.shelved],
        "failed": [{"store": store.value, "vi": why.vi, "en": why.en} for store, why in report.failed],
        "savable": [
            {"path": one.path, "stores": [store.value for store in one.stores]} for one in report.savable[:1000]
        ],
        "log_written": report.log_written,
        "log_lost": list(report.log_lost),
    }
