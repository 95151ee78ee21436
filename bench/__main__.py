"""Measure, print tables: ``python -m bench [ingest|audit|memory|antivirus …] [--scratch FOLDER] [--rounds N]``."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from bench import antivirus, audit, due, formats, identify, ingest, memory, mets, mixed, restore, workshop
from bench.services import chain_endpoint


def _due() -> str:
    due.main([])
    due.main(["postgresql"])
    return ""


def _measurements(folder: Path, options: argparse.Namespace) -> dict[str, Callable[[], str]]:
    """Each by its name, in the order in which they run; ``due`` only when it is asked for: it takes long."""
    rounds = options.rounds
    return {
        "audit": lambda: audit.run(folder, rounds),
        "memory": lambda: memory.run(folder),
        "mets": lambda: mets.run(folder),
        "identify": lambda: identify.run(folder, options.files, rounds),
        "workshop": lambda: workshop.run(rounds),
        "antivirus": lambda: antivirus.run(folder, rounds),
        "formats": lambda: formats.run(folder, rounds),
        "restore": lambda: restore.run(folder, rounds),
        "due": _due,
        "mixed": lambda: mixed.run(folder, rounds=rounds, chart=mixed.CHART),
    }


def main() -> None:
    names = ["ingest", *_measurements(Path(), argparse.Namespace(rounds=0))]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", choices=[*names, []], default=[])
    parser.add_argument(
        "--scratch", type=Path, default=None, help="where data are made (default: the temporary folder)"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-chain", action="store_true", help="leave out bagit.py + fido + aws s3 cp")
    parser.add_argument("--files", type=Path, default=None, help="a folder of files to identify, beside the skeletons")
    options = parser.parse_args()
    what = options.what or [name for name in names if name != "due"]
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}\n")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=options.scratch, prefix="tangthu-bench-")))
        if "ingest" in what:
            endpoint = None if options.no_chain else stack.enter_context(chain_endpoint(folder))
            for text in ingest.run(folder, endpoint, options.rounds)():
                print(text, flush=True)
        for name, measure in _measurements(folder, options).items():
            if name in what:
                print(measure(), flush=True)


if __name__ == "__main__":
    sys.exit(main())
