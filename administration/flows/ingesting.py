"""Taking packages in, and doing what was decided of those in quarantine."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from administration.flows.progress import Progress
from administration.work.plan import Job, Json, Request, Step, Workflow
from metadata.dates import read_utc, utc_text
from metadata.identifiers import AgencyCode, FondsCode, ObjId, VersionId

if TYPE_CHECKING:
    from administration.archive import Archive
    from ingest.place import Stored, Submission
    from ingest.receipt import Receipt


def ingesting(archive: Archive, on_progress: Progress) -> tuple[Workflow, ...]:
    """Ingest, and what was decided of quarantine."""
    return (
        _ingest(archive, on_progress),
        Workflow("quarantine", "quarantine", (Step("decided", lambda job: _decided(archive, job, on_progress), 3),)),
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
