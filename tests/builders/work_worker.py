"""A worker process for the tests of the work engine: three steps that leave traces in a file.

Run as ``python -m tests.builders.work_worker URL TRACE TTL SECONDS``: works on the queue until it is ended. Step
``store`` takes SECONDS; every step appends one line to TRACE.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

from administration.work.engine import WorkEngine
from administration.work.plan import Job, Json, Step, Workflow, WorkOptions


def trace(path: Path, *words: str) -> None:
    """Append one line, atomically: one write to a file opened for appending."""
    with path.open("a", encoding="utf-8") as file:
        file.write(" ".join((*words, str(os.getpid()))) + "\n")


def ingest(path: Path, seconds: float) -> Workflow:
    def examine(job: Job) -> Json:
        trace(path, "examine", job.id)
        return {"files": 3}

    def store(job: Job) -> Json:
        trace(path, "store-begins", job.id)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time.sleep(0.05)
        trace(path, "store-ends", job.id)
        return {"examined": job.results["examine"]}

    def register(job: Job) -> Json:
        trace(path, "register", job.id)
        return {"receipt": job.id, "before": dict(job.results)}

    return Workflow("ingest", "ingest", (Step("examine", examine), Step("store", store), Step("register", register)))


def main() -> None:
    url, path, ttl, seconds = sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    options = WorkOptions(ttl=ttl, poll=0.1, concurrency=3, grace=20, deaths=20)
    with WorkEngine(url, [ingest(path, seconds)], options):
        trace(path, "up", "-")
        stop.wait()


if __name__ == "__main__":
    main()
