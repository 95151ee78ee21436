"""The archive's workflows: its services as steps over JSON, for the work engine; and when the clock starts them."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, cast

from administration.work.plan import Job, Json, Request, Step, Workflow, WorkOptions
from metadata.dates import read_utc, utc_text
from metadata.errors import Busy
from metadata.identifiers import AgencyCode, FondsCode, ObjId, VersionId

if TYPE_CHECKING:
    from administration.archive import Archive
    from administration.settings import Settings
    from administration.work.clock import Chime
    from ingest.place import Stored, Submission
    from ingest.receipt import Receipt
    from preservation.audit import AuditReport
    from preservation.repair import RepairReport

Progress = Callable[[str, str, int, int], None]
"""Told the job, the step, and how many bytes of how many are done."""

STALE_UPLOAD = timedelta(days=2)


def workflows(archive: Archive, on_progress: Progress = lambda *_: None) -> tuple[Workflow, ...]:
    """Ingest, what was decided of quarantine, audit, repair and tidy, over ``archive``."""
    return (
        _ingest(archive, on_progress),
        Workflow("quarantine", "quarantine", (Step("decided", lambda job: _decided(archive, job, on_progress), 3),)),
        Workflow("audit", "audit", (Step("audit", lambda job: _audit(archive, job)),), _repairs),
        Workflow("repair", "repair", (Step("repair", lambda job: _repair(archive, job)),)),
        Workflow("index", "index", (Step("feed", lambda _: feed(archive)),)),
        Workflow("tidy", "audit", (Step("sweep", lambda _: sweep(archive)),)),
    )


def work_options(settings: Settings, queues: tuple[str, ...] | None = None) -> WorkOptions:
    """How the engine works, out of the settings. Audits, repairs, indexing, quarantine: one at a time."""
    return WorkOptions(
        concurrency=settings.count("work.workers"),
        ttl=settings.number("work.ttl_seconds"),
        deaths=settings.count("work.max_deaths"),
        keep_days=settings.number("work.keep_days"),
        queues=queues,
        limits={"audit": 1, "repair": 1, "index": 1, "quarantine": 1},
    )


def chimes(settings: Settings) -> tuple[Chime, ...]:
    """What the clock starts."""
    from administration.work.clock import Chime

    return (
        Chime(
            "audit",
            timedelta(minutes=settings.number("audit.every_minutes")),
            {"limit": settings.count("audit.batch")},
        ),
        Chime("index", timedelta(seconds=15)),
        Chime("quarantine", timedelta(minutes=1), {"id": None}),
        Chime("tidy", timedelta(days=1)),
    )


def ingest_request(path: str, agency: str | None, fonds: str | None) -> Request:
    """A wish to take in the package at ``path`` (absolute). Each wish is new: that a package is taken in only once is
    the ingest service's business, which knows it by its content."""
    return Request("ingest", f"ingest-{os.urandom(10).hex()}", {"path": path, "agency": agency, "fonds": fonds})


def _ingest(archive: Archive, on_progress: Progress) -> Workflow:
    def examine(job: Job) -> Json:
        receipt = archive.ingest.examine(job.id, _submission(job))
        return None if receipt is None else {"receipt": receipt.to_json()}

    def store(job: Job) -> Json:
        from ingest.receipt import Receipt

        if job.results["examine"] is not None:
            return job.results["examine"]
        kept = archive.ingest.store(job.id, _submission(job), lambda *told: on_progress(job.id, *told), job.sleep)
        return {"receipt": kept.to_json()} if isinstance(kept, Receipt) else {"stored": stored_to_json(kept)}

    def register(job: Job) -> Json:
        before = cast("Mapping[str, Json]", job.results["store"])
        if "receipt" in before:
            return dict(before)
        stored = stored_from_json(cast("Mapping[str, Json]", before["stored"]))
        receipt: Receipt = archive.ingest.register(
            job.id, _submission(job), stored, lambda *told: on_progress(job.id, *told), job.sleep
        )
        return {"receipt": receipt.to_json()}

    # The stores have tried again for long already before one of them counts as away.
    steps = (Step("examine", examine, 3), Step("store", store, 3), Step("register", register, 3))
    return Workflow("ingest", "ingest", steps)


def decided_request(id: str) -> Request:
    """A wish to do what two people decided about a package in quarantine. It may be asked twice, and does no harm."""
    return Request("quarantine", f"quarantine-{id}-{os.urandom(6).hex()}", {"id": id})


def _decided(archive: Archive, job: Job, on_progress: Progress) -> Json:
    """Do what is decided and not done: of one package, or (the clock) of all; how each then stands."""
    asked = cast("Mapping[str, str | None]", job.argument)["id"]
    ids = [asked] if asked else [one.id for one in archive.catalogue.quarantine.decided()]
    done = {
        id: archive.decisions.carry_out(job.id, id, lambda *told: on_progress(job.id, *told), job.sleep) for id in ids
    }
    return {id: {"state": one.state.value, "aip": one.aip} for id, one in done.items()}


def _submission(job: Job) -> Submission:
    from pathlib import Path

    from ingest.place import Submission

    asked = cast("Mapping[str, str | None]", job.argument)
    agency, fonds = asked["agency"], asked["fonds"]
    return Submission(
        Path(str(asked["path"])), AgencyCode(agency) if agency else None, FondsCode(fonds) if fonds else None
    )


def stored_to_json(stored: Stored) -> dict[str, Json]:
    """What the store step hands to the register step, over a crash too."""
    claim = stored.claim
    return {
        "version": str(stored.version),
        "key": stored.key,
        "receipt": stored.receipt.to_json(),
        "stored_at": utc_text(stored.stored_at),
        "claim": {
            "agency": claim.agency.value,
            "objid": claim.objid.value,
            "token": claim.token,
            "first_seen": utc_text(claim.first_seen),
        },
    }


def stored_from_json(data: Mapping[str, Json]) -> Stored:
    """Inverse of :func:`stored_to_json`."""
    from ingest.place import Stored
    from ingest.receipt import Receipt
    from metadata.catalogue.intake import Claim

    claim = cast("Mapping[str, Json]", data["claim"])
    return Stored(
        VersionId.parse(str(data["version"])),
        str(data["key"]),
        Receipt.from_json(str(data["receipt"])),
        read_utc(str(data["stored_at"])),
        Claim(
            AgencyCode(str(claim["agency"])),
            ObjId(str(claim["objid"])),
            cast("int", claim["token"]),
            read_utc(str(claim["first_seen"])),
        ),
    )


def _audit(archive: Archive, job: Job) -> Json:
    limit = cast("Mapping[str, int]", job.argument)["limit"]
    return audit_to_json(archive.auditor.audit_batch(limit))


def _repairs(result: Json) -> Sequence[Request]:
    """One repair for each damage found; its id holds the time of the look, so that a later damage is a new job."""
    damaged = cast("Sequence[Mapping[str, str]]", cast("Mapping[str, Json]", result)["damaged"])
    return [Request("repair", f"repair-{one['version']}-{one['at']}", {"version": one["version"]}) for one in damaged]


def _repair(archive: Archive, job: Job) -> Json:
    version = VersionId.parse(cast("Mapping[str, str]", job.argument)["version"])
    return repair_to_json(archive.repairer.repair(version))


def feed(archive: Archive) -> int:
    """Bring the search index up to date; how many changes it took in. Another that feeds it now does it for us.

    An index with nothing in it, as a release with another layout begins with, is made anew.
    """
    count = 0
    with contextlib.suppress(Busy):
        if not archive.index.count() and archive.catalogue.holdings.versions(1):
            return archive.feeder.rebuild()
        while taken := archive.feeder.feed():
            count += taken
    return count


def sweep(archive: Archive) -> Json:
    """Abort uploads and remove temporary folders so old that nobody can still be at them; how many of each."""
    uploads = archive.replicas.sweep("", archive.clock() - STALE_UPLOAD)
    copies = archive.ingest.room.sweep((archive.clock() - STALE_UPLOAD).timestamp())
    return {"uploads": uploads, "folders": sweep_folders(archive, STALE_UPLOAD) + copies}


def sweep_folders(archive: Archive, age: timedelta) -> int:
    """Remove what dead jobs left in the work folder longer ago than ``age``; how many folders."""
    before, count = (archive.clock() - age).timestamp(), 0
    folder = archive.settings.work_folder
    for entry in list(folder.iterdir()) if folder.is_dir() else []:
        if entry.is_dir() and entry.stat().st_mtime < before:
            shutil.rmtree(entry, ignore_errors=True)
            count += 1
    return count


def audit_to_json(report: AuditReport) -> dict[str, Json]:
    """An audit's sum for people and programs."""
    return {
        "audited": report.audited,
        "postponed": report.postponed,
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
        "failed": [{"store": store.value, "vi": why.vi, "en": why.en} for store, why in report.failed],
        "savable": [
            {"path": one.path, "stores": [store.value for store in one.stores]} for one in report.savable[:1000]
        ],
        "log_written": report.log_written,
        "log_lost": list(report.log_lost),
    }
