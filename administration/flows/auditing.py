"""Bringing on the audits that people begin, and the daily light look."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, cast

from administration.flows.keeping import audit_to_json
from administration.work.plan import Json, Request, Step, Workflow
from metadata.audits import AuditKind, AuditState
from metadata.errors import TangThuError
from preservation.audit_report import AuditReport

if TYPE_CHECKING:
    from administration.archive import Archive
    from administration.settings import Settings
    from administration.work.clock import Chime


def auditing(archive: Archive) -> tuple[Workflow, ...]:
    """One step of every audit that runs; and a light audit of every store that can be asked."""
    from administration.flows.keeping import repairs_of

    return (
        Workflow("audits", "audit", (Step("step", lambda _: step_all(archive)),), repairs_of),
        Workflow("light", "audit", (Step("begin", lambda _: begin_light(archive)),), _first_step),
    )


def auditing_chimes(_: Settings) -> tuple[Chime, ...]:
    """Audits are brought on each minute; the light one begins daily."""
    from administration.work.clock import Chime

    return Chime("audits", timedelta(minutes=1)), Chime("light", timedelta(days=1))


def _first_step(begun: Json) -> Sequence[Request]:
    """What was begun is worked on at once, and not when the clock next comes by."""
    ids = cast("Sequence[str]", begun)
    return [Request("audits", f"audits-{'-'.join(ids)}")] if ids else []


def step_all(archive: Archive) -> Json:
    """Work on each audit for some seconds. A store that does not answer, or is gone from the settings, holds up only
    its own."""
    total = AuditReport()
    for one in archive.audits.running():
        if one.state is not AuditState.RUNNING:
            continue
        try:
            found = archive.audits.step(one.id)
        except TangThuError:
            total.postponed += 1
            continue
        total.include(found)
    return cast("Json", audit_to_json(total))


def begin_light(archive: Archive) -> Json:
    """Begin a light audit of each store that ought to answer; their ids."""
    from administration.incidents import answering_stores

    return [archive.audits.begin(AuditKind.LIGHT, store, standing=True).id for store in answering_stores(archive)]
