"""``/api/preservation/backups`` and ``drills``: those that there are, and asking for one now."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path

from access.models import Model
from administration.api.parts import NONE, Limit, Person, SentenceModel, ours
from administration.archive import Archive
from administration.flows import backup_request, drill_request, is_asked
from administration.work.asking import WorkDesk
from administration.work.plan import JobState, JobStatus
from administration.work.plan import Request as Work
from metadata.backups import Backup, BackupKind, BackupOutcome, Drill, DrillOutcome
from metadata.errors import NotFound
from metadata.text import Sentence


class BackupModel(Model):
    """A backup; `base` is empty for a full one, `manifest` the SHA-256 of what lists it."""

    id: str
    kind: BackupKind
    base: str
    at: datetime
    ended: datetime
    outcome: BackupOutcome
    bytes: int
    objects: int
    rows: int
    versions: int
    stores: list[str]
    manifest: str
    note: str
    person: str

    @classmethod
    def of(cls, one: Backup) -> BackupModel:
        return cls(
            id=one.id, kind=one.kind, base=one.base, at=one.at, ended=one.ended, outcome=one.outcome, bytes=one.size,
            objects=one.objects, rows=one.rows, versions=one.versions, stores=[store.value for store in one.stores],
            manifest=one.digest.hex(), note=one.note, person=one.person,
        )  # fmt: skip


class DrillModel(Model):
    """One restore on trial."""

    id: str
    at: datetime
    seconds: float
    outcome: DrillOutcome
    aips: list[str]
    files: int
    bytes: int
    backup: str
    rows: int
    problems: list[str]
    person: str

    @classmethod
    def of(cls, one: Drill) -> DrillModel:
        return cls(
            id=one.id, at=one.at, seconds=one.seconds, outcome=one.outcome, aips=list(one.aips), files=one.files,
            bytes=one.size, backup=one.backup, rows=one.rows, problems=list(one.problems), person=one.person,
        )  # fmt: skip


class NewBackup(Model):
    """What to back up: an incremental one without a base is a full one."""

    kind: BackupKind = BackupKind.INCREMENTAL
    person: Person = ""


class NewDrill(Model):
    """Who asks."""

    person: Person = ""


class JobModel(Model):
    """A backup or a drill that was asked for: where it stands, why it failed, what came of it."""

    id: str
    state: JobState
    failure: SentenceModel | None
    backup: BackupModel | None
    drill: DrillModel | None

    @classmethod
    def of(cls, one: JobStatus) -> JobModel:
        why, made = one.failure.sentence if one.failure else None, one.value
        return cls(
            id=one.id, state=one.state, failure=SentenceModel(vi=why.vi, en=why.en) if why else None,
            backup=BackupModel.model_validate(made) if made and one.workflow == "backup" else None,
            drill=DrillModel.model_validate(made) if made and one.workflow == "drill" else None,
        )  # fmt: skip


def add_backups(api: APIRouter, archive: Archive, desk: WorkDesk) -> None:
    """Everything about them, to ``/api/preservation``."""

    def ask(work: Work) -> JobModel:
        desk.ask(work, "backup")
        known = desk.status(work.id)
        return JobModel.of(known or JobStatus(work.id, work.workflow, JobState.WAITING, work.argument))

    @api.post("/backups", summary="Make a backup now, due or not", status_code=202, dependencies=[Depends(ours)])
    def backup(new: NewBackup) -> JobModel:
        """A worker makes it; `jobs/{id}` says where it stands."""
        return ask(backup_request(new.kind, new.person.strip(), archive.clock()))

    @api.post("/drills", summary="Restore on trial now", status_code=202, dependencies=[Depends(ours)])
    def drill(new: NewDrill) -> JobModel:
        """A worker does it; `jobs/{id}` says where it stands."""
        return ask(drill_request(new.person.strip(), archive.clock()))

    @api.get("/jobs/{id}", summary="Where a backup or a drill that was asked for stands", responses=NONE)
    def job(id: Annotated[str, Path(max_length=120)]) -> JobModel:
        known = desk.status(id) if is_asked(id) else None
        if known is None:
            raise NotFound(Sentence("Không có yêu cầu này.", "There is no such request."))
        return JobModel.of(known)

    @api.get("/backups", summary="The newest backups")
    def backups(limit: Limit = 100) -> list[BackupModel]:
        return [BackupModel.of(one) for one in archive.backups.listed(limit)]

    @api.get("/drills", summary="The newest restores on trial")
    def drills(limit: Limit = 100) -> list[DrillModel]:
        return [DrillModel.of(one) for one in archive.drills.listed(limit)]
