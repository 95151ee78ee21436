"""Restore beside copying and hashing: ``python -m bench restore``.

AIPs of small files in two directory stores; the catalogue is made anew from them alone, then out of a backup, then with
every byte verified. ``cp`` and ``sha256sum`` of one store's AIPs are measured in the same run.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from administration.archive import Archive, write_settings
from administration.restoring import Wish, restore, source
from administration.settings import load, render
from bench.data import make_bag, make_files
from bench.measure import Row, interleave, table


def _archive(home: Path, aips: int, files: int, size: int) -> int:
    from ingest.place import Submission

    write_settings(home, render("BENCH", "bench", [("kho-a", "kho-a"), ("kho-b", "kho-b")]))
    with Archive(load(home), lambda: datetime.now(UTC)) as archive:
        archive.create()
        for number in range(aips):
            payload, package = home / "payload", home / "bag"
            make_files(payload, files, size)
            make_bag(package, payload, f"Bench {number}")
            archive.ingest.receive("bench", Submission(package))
            shutil.rmtree(package)
            shutil.rmtree(payload, ignore_errors=True)
        archive.backups.make(full=True)
    return sum(path.stat().st_size for path in (home / "kho-a").rglob("v*.zip"))


def _restore(home: Path, target: Path, *, verify: bool = False) -> None:
    sources = [source(f"directory={home / name}") for name in ("kho-a", "kho-b")]
    done = restore(Wish(target, sources, verify=verify, workers=2))
    assert done.whole and done.versions, done


def _without_backups(home: Path, target: Path) -> None:
    stores: Sequence[str] = ("kho-a", "kho-b")
    for name in stores:
        for folder in (home / name).rglob("backup"):
            folder.rename(folder.with_name("put-aside"))
    try:
        _restore(home, target)
    finally:
        for name in stores:
            for folder in (home / name).rglob("put-aside"):
                folder.rename(folder.with_name("backup"))


def run(parent: Path, rounds: int = 3, aips: int = 20, files: int = 500, size: int = 100_000) -> str:
    """The table; ``size`` is of each file in bytes."""
    work = parent / "restore"
    home, target = work / "kho", work / "moi"
    total = _archive(home, aips, files, size)
    packed = sorted(str(path) for path in (home / "kho-a").rglob("v*.zip"))

    def clear() -> None:
        shutil.rmtree(target, ignore_errors=True)
        target.parent.mkdir(exist_ok=True)

    rows = [
        Row("sha256sum of one store's AIPs", lambda: subprocess.run(["sha256sum", *packed], check=True, stdout=-3)),
        Row(
            "cp of one store's AIPs",
            lambda: subprocess.run(["cp", "--backup=numbered", *packed, str(target)], check=True),
            lambda: (clear(), target.mkdir()),
            clear,
        ),
        Row("rebuild from the AIPs alone", lambda: _without_backups(home, target), clear, clear),
        Row("restore from the backup", lambda: _restore(home, target), clear, clear),
        Row("restore and verify both stores", lambda: _restore(home, target, verify=True), clear, clear),
    ]
    interleave(rows, rounds)
    text = table(f"Restore of {aips} AIPs of {files} × {size // 1000} KB", rows, size=total, files=aips * files)
    shutil.rmtree(work)
    return text
