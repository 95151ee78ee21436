"""Measure, print tables: ``python -m bench [ingest|audit|memory|antivirus …] [--scratch FOLDER] [--rounds N]``."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from bench import antivirus, audit, due, formats, identify, ingest, memory, mets, mixed, restore, workshop
from bench.services import chain_endpoint


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "what",
        nargs="*",
        choices=[
            "ingest",
            "audit",
            "memory",
            "mets",
            "identify",
            "workshop",
            "antivirus",
            "formats",
            "mixed",
            "restore",
            "due",
            [],
        ],
        default=[],
    )
    parser.add_argument(
        "--scratch", type=Path, default=None, help="where data are made (default: the temporary folder)"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-chain", action="store_true", help="leave out bagit.py + fido + aws s3 cp")
    parser.add_argument("--files", type=Path, default=None, help="a folder of files to identify, beside the skeletons")
    options = parser.parse_args()
    what = options.what or [
        "ingest",
        "audit",
        "memory",
        "mets",
        "identify",
        "workshop",
        "antivirus",
        "formats",
        "mixed",
        "restore",
    ]
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}\n")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=options.scratch, prefix="tangthu-bench-")))
        endpoint = None
        if "ingest" in what and not options.no_chain:
            endpoint = stack.enter_context(chain_endpoint(folder))
        if "ingest" in what:
            for text in ingest.run(folder, endpoint, options.rounds)():
                print(text, flush=True)
        if "audit" in what:
            print(audit.run(folder, options.rounds), flush=True)
        if "memory" in what:
            print(memory.run(folder), flush=True)
        if "mets" in what:
            print(mets.run(folder), flush=True)
        if "identify" in what:
            print(identify.run(folder, options.files, options.rounds), flush=True)
        if "workshop" in what:
            print(workshop.run(options.rounds), flush=True)
        if "antivirus" in what:
            print(antivirus.run(folder, options.rounds), flush=True)
        if "formats" in what:
            print(formats.run(folder, options.rounds), flush=True)
        if "restore" in what:
            print(restore.run(folder, options.rounds), flush=True)
        if "due" in what:
            due.main([])
            due.main(["postgresql"])
        if "mixed" in what:
            print(mixed.run(folder, rounds=options.rounds, chart=mixed.CHART), flush=True)


if __name__ == "__main__":
    sys.exit(main())
