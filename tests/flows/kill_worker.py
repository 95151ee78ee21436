"""A nursery of workers for the kill tests: ``python -m tests.flows.kill_worker HOME``.

Everything is imported once; then each line on standard input (the name of a failpoint, or ``-``) forks one worker and
answers with its process id. A worker kills itself with SIGKILL when it comes to its failpoint: one that ingest or
replication names, or a window of keeping work (``tests.flows.kill_windows``).
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
from typing import TYPE_CHECKING

import access.search.feeder
import access.search.tantivy_index  # noqa: F401  the workers must not spend their short lives on imports
from administration.archive import Archive
from administration.flows import work_options, workflows
from administration.foundation import Once
from administration.work.engine import WorkEngine
from ingest.place import IngestPlace
from preservation import drills
from preservation.audit import Auditor
from preservation.repair import Repairer
from preservation.replication import Replicator
from tests.builders.identifier import MemoryIdentifier
from tests.flows.kill_windows import WINDOWS, arm, die

if TYPE_CHECKING:
    from preservation.checks import Schedule

LEASE = timedelta(seconds=1)
RETRY = timedelta(seconds=1)
_PR_SET_PDEATHSIG = 1


class HarnessArchive(Archive):
    """An archive whose claims are short, whose identifier needs no child, and which dies where it is told to."""

    failpoint = "-"

    @Once
    def ingest_place(self) -> IngestPlace:
        return IngestPlace(
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

    @property
    def schedule(self) -> Schedule:
        return replace(super().schedule, retry=RETRY)

    @Once
    def auditor(self) -> Auditor:
        stores, watch = self.audit_stores, self.watch
        return Auditor(self.catalogue, stores, self.clock, self.agent, self.schedule, LEASE, watch=watch)

    @Once
    def repairer(self) -> Repairer:
        stores, watch = self.stores, self.watch
        return Repairer(self.catalogue, stores, self.clock, self.agent, self.schedule, LEASE, watch=watch)

    @Once
    def replicator(self) -> Replicator:
        made = self.catalogue, self.stores, self.places, self.clock, self.agent, self.schedule
        return Replicator(*made, self.settings.work_folder, LEASE, at=lambda name: self._at(f"replicate: {name}"))

    def _at(self, name: str) -> None:
        if name == self.failpoint:
            die()


def work(home: Path, failpoint: str) -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    drills._CHAIN_EVERY = timedelta(0)
    if failpoint in WINDOWS:
        arm(WINDOWS[failpoint])
    with HarnessArchive.open(home) as archive:
        archive.failpoint = failpoint
        _ = archive.ingest
        options = replace(work_options(archive.settings), poll=0.05)
        with WorkEngine(archive.settings.work_url, workflows(archive), options):
            threading.Event().wait()


def main() -> None:
    home = Path(sys.argv[1])
    for window in WINDOWS.values():
        window.find()  # imports what it is in
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
