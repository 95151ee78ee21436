"""Asking for work from a process that does none: the web page's, whether or not a worker runs beside it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from dbos import DBOS, DBOSClient, EnqueueOptions

from administration.work.engine import APPLICATION, VERSION, JsonSerializer, job_status
from administration.work.plan import JobStatus, Request

if TYPE_CHECKING:
    from collections.abc import Iterator


class WorkDesk:
    """Puts requests on the queues at ``url`` and tells where they stand. Opens the database for each act."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._made = False

    def ask(self, request: Request, queue: str) -> None:
        """Ask for a workflow that runs on ``queue``. The same id asked twice runs once."""
        options: EnqueueOptions = {
            "workflow_name": request.workflow,
            "queue_name": queue,
            "workflow_id": request.id,
            "app_version": VERSION,
        }
        with self._client() as client:
            client.enqueue(options, request.id, request.argument)

    def status(self, id: str) -> JobStatus | None:
        """Where a job stands; None for one that is not known (any more)."""
        with self._client() as client:
            rows = client.list_workflows(workflow_ids=[id])
        return job_status(rows[0]) if rows else None

    def unfinished(self, workflow: str) -> list[JobStatus]:
        """Jobs of a workflow that wait or run, oldest first."""
        with self._client() as client:
            rows = client.list_workflows(name=workflow, status=["PENDING", "ENQUEUED", "DELAYED"], load_output=False)
        return [job_status(row) for row in rows]

    @contextmanager
    def _client(self) -> Iterator[DBOSClient]:
        if not self._made:
            DBOS.migrate(self._url)
            self._made = True
        client = DBOSClient(system_database_url=self._url, application_name=APPLICATION, serializer=JsonSerializer())
        try:
            yield client
        finally:
            client.destroy()
