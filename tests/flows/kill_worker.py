"""A nursery of workers for the kill tests: ``python -m tests.flows.kill_worker HOME``.

Everything is imported once; then each line on standard input (the name of a failpoint, or ``-``) forks one worker and
answers with its process id. A worker kills itself with SIGKILL when it comes to its failpoint.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import access.search.feeder
import access.search.tantivy_index  # noqa: F401  the workers must not spend their short lives on imports
from administration.archive import Archive
from administration.flows import work_options, workflows
from administration.work.engine import WorkEngine
from ingest.place import IngestPlace
from ingest.service import IngestService
from tests.builders.identifier import MemoryIdentifier

LEASE = timedelta(seconds=1)
_PR_SET_PDEATHSIG = 1


class HarnessArchive(Archive):
    """An archive whose claims are short, whose identifier needs no child, and which dies where it is told to."""

    failpoint = "-"

    @property
    def ingest(self) -> IngestService:  # type: ignore[override]
        if not hasattr(self, "_service"):
            place = IngestPlace(
                archive=self.settings.archive,
                catalogue=self.catalogue,
                replicas=self.replicas,
                identifier=MemoryIdentifier(),
                work=self.settings.work_folder,
                agent=self.agent,
                clock=self.clock,
                period=self.settings.audit_period,
                lease=LEASE,
                at=self._at,
            )
            self._service = IngestService(place)
        return self._service

    def _at(self, name: str) -> None:
        if name == self.failpoint:
            os.kill(os.getpid(), signal.SIGKILL)


def work(home: Path, failpoint: str) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    with HarnessArchive.open(home) as archive:
        archive.failpoint = failpoint
        _ = archive.ingest
        options = replace(work_options(archive.settings), poll=0.05)
        with WorkEngine(archive.settings.work_url, workflows(archive), options):
            threading.Event().wait()


def main() -> None:
    home = Path(sys.argv[1])
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            try:
                work(home, line.strip())
            finally:
                os._exit(1)
        print(child, flush=True)
        while True:  # let the dead go
            try:
                if os.waitpid(-1, os.WNOHANG) == (0, 0):
                    break
            except ChildProcessError:
                break


if __name__ == "__main__":
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    main()
