"""METS of very many files: written, and judged by every rule of E-ARK: ``python -m bench mets``.

Each in a process of its own. Judged without the files' digests, which the one pass compares; sizes and existence are
asked of the ledger as in an ingest.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from bench.measure import peak_of

FILES = 100_000
WHEN = datetime(2025, 1, 31, 1, 30, tzinfo=UTC)
PART = "representations/rep1/"
DIGEST = sha256(b"").digest()


def _work(what: str, folder: Path, files: int) -> None:
    """In the child: write the two METS, or judge them."""
    began = time.perf_counter()
    result: dict[str, object] = {}
    if what == "write":
        _write(folder, files)
    else:
        began, result = _judge(folder, files)
    (folder / f"{what}.json").write_text(json.dumps({"seconds": time.perf_counter() - began, **result}))


def _write(folder: Path, files: int) -> None:
    from metadata.mets import (
        MetsAgent,
        MetsEntry,
        MetsPackage,
        MetsRepresentation,
        write_representation_mets,
        write_root_mets,
    )
    from metadata.mets.writer import CSIP_PROFILE

    software = MetsAgent("CREATOR", "OTHER", "tangthu", "SOFTWARE", (("SOFTWARE VERSION", "1"),))

    def package(name: str, scope: str) -> MetsPackage:
        return MetsPackage(name, "goi-tin", scope, "SIP", CSIP_PROFILE, "Hồ sơ", WHEN, (software,))

    def contents() -> Iterator[MetsEntry]:
        return (MetsEntry(path, 0, "application/pdf", DIGEST) for path in _paths(files))

    (folder / PART).mkdir(parents=True)
    with (folder / PART / "METS.xml").open("wb") as out:
        write_representation_mets(out, package("rep1", "rep1"), files=contents)
    size = (folder / PART / "METS.xml").stat().st_size
    with (folder / "METS.xml").open("wb") as out:
        entry = MetsEntry(f"{PART}METS.xml", size, "application/xml", DIGEST)
        write_root_mets(out, package("goi-tin", "root"), representations=[MetsRepresentation("rep1", entry)])


def _paths(files: int) -> Iterator[str]:
    return (f"data/tập-{number // 1000:04}/văn-bản-{number:07}.pdf" for number in range(files))


class _Tree:
    """The package in a ledger; of its files only the METS have bytes."""

    name = "goi-tin"

    def __init__(self, folder: Path, files: int) -> None:
        from ingest.ledger import Ledger

        self._folder = folder
        self.ledger = Ledger(folder / "ledger.sqlite")
        for path in ("METS.xml", f"{PART}METS.xml"):
            self.ledger.add_file(path, (folder / path).stat().st_size)
        for path in _paths(files):
            self.ledger.add_file(PART + path, 0)
        self.ledger.settle()

    def size_of(self, path: str) -> int | None:
        return self.ledger.size_of(path)

    def has_folder(self, folder: str) -> bool:
        return next(self.ledger.paths(folder), None) is not None

    def children(self, folder: str, limit: int = 1000) -> list[str]:
        return self.ledger.children(folder, limit)

    def paths(self, folder: str = "") -> Iterator[str]:
        return self.ledger.paths(folder)

    def open(self, path: str) -> BinaryIO:
        found = self._folder / path
        return found.open("rb") if found.exists() else BytesIO()


def _judge(folder: Path, files: int) -> tuple[float, dict[str, object]]:
    from metadata.eark import judge_eark
    from metadata.findings import Findings
    from metadata.package_kinds import PackageProfile

    tree, findings = _Tree(folder, files), Findings()
    began = time.perf_counter()
    judge_eark(tree, findings, PackageProfile.parse("eark-csip"), digests=False)
    wrong = [code for code in findings.counts if code in ("EARK-CSIP67", "EARK-CSIP69", "EARK-CSIP71", "EARK-CSIP79")]
    assert not wrong, wrong
    tree.ledger.close()
    return began, {"findings": len(findings.counts)}


def run(parent: Path, files: int = FILES) -> str:
    """A Markdown table."""
    folder = parent / "mets"
    folder.mkdir()
    rows = []
    for what in ("write", "judge"):
        peak, _ = peak_of(["bench.mets", what, str(folder), str(files)])
        seconds = json.loads((folder / f"{what}.json").read_text())["seconds"]
        name = {"write": "written", "judge": "judged by every rule of CSIP"}[what]
        rows.append(f"| {name} | {peak / 1e6:.0f} MB | {seconds:.1f} s | {files / seconds:,.0f} |")
    size = (folder / PART / "METS.xml").stat().st_size
    return "\n".join(
        [
            f"### METS of {files:,} files ({size / 1e6:.0f} MB)",
            "",
            "| | peak memory | wall | files/s |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["write", "judge"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("files", type=int)
    options = parser.parse_args()
    _work(options.what, options.folder, options.files)
