"""veraPDF, when the operator has it: whether a PDF that claims to be PDF/A is.

It is an outside program (version 1.24 or newer), run for one file with limits; its report is read in the workshop.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from lxml import etree

from metadata.findings import visible
from preservation.formats.launch import MEMORY
from preservation.formats.port import Remark
from preservation.workshop.port import Tools, WorkLost, Workshop

_TASK = "preservation.formats.verapdf:read"
_REPORT_LIMIT = 8 << 20
_RULES = 5
_CLAIM = re.compile(r"PDF/A-(1[ab]|[23][abu]|4[ef]?)")
_COMPLIES, _BREAKS = 0, 1


class VeraPdf:
    """Runs the program at ``path``, for at most ``seconds`` a file. ``folder`` is where its temporary files may lie."""

    def __init__(self, path: Path, workshop: Workshop, folder: Path | None = None, seconds: float = 120.0) -> None:
        self._path = path
        self._workshop = workshop
        self._folder = folder
        self._seconds = seconds

    def judge(self, file: BinaryIO, claim: str) -> Remark | None:
        """What it says of a file that makes the claim; None for a claim of which it has no rules. Never raises over
        what the program does."""
        known = _CLAIM.fullmatch(claim)
        if known is None:
            return None
        try:
            code, report = self._run(file, known[1])
            if code not in (_COMPLIES, _BREAKS):
                return _undecided(claim, f"exit code {code}")
            if len(report) > _REPORT_LIMIT:
                return _undecided(claim, f"a report of more than {_REPORT_LIMIT >> 20} MiB")
            found = self._workshop.run(_TASK, {"report": report})
            return _said(claim, code, found)
        except subprocess.TimeoutExpired:
            return _undecided(claim, f"{self._seconds:g} s")
        except (OSError, WorkLost, KeyError, TypeError, ValueError) as error:
            return _undecided(claim, type(error).__name__)

    def _run(self, file: BinaryIO, flavour: str) -> tuple[int, bytes]:
        """Its exit code and what it wrote, of that one byte more than is allowed."""
        with tempfile.TemporaryDirectory(prefix="verapdf-", dir=self._folder) as folder:
            # It takes names in .pdf only; the file on our disk has another one, or none, and comes as a descriptor.
            name = Path(folder, "1.pdf")
            name.symlink_to(f"/dev/fd/{file.fileno()}")
            options = ["--format", "xml", "--flavour", flavour, "--maxfailuresdisplayed", "1"]
            with Path(folder, "report").open("w+b") as report:
                code = self._wait([str(self._path), *options, str(name)], file, folder, report)
                report.seek(0)
                return code, report.read(_REPORT_LIMIT + 1)

    def _wait(self, command: Sequence[str], file: BinaryIO, folder: str, report: BinaryIO) -> int:
        root = Path(__file__).resolve().parents[2]
        seconds = str(max(1, round(self._seconds)))
        process = subprocess.Popen(  # noqa: S603 - the program that the settings name, and a name of ours
            [sys.executable, "-P", "-m", "preservation.formats.launch", seconds, *command],
            stdin=subprocess.DEVNULL,
            stdout=report,
            stderr=subprocess.DEVNULL,
            pass_fds=[file.fileno()],
            cwd=folder,
            env={
                "PATH": os.defpath,
                "PYTHONPATH": str(root),
                "PYTHONDONTWRITEBYTECODE": "1",
                "HOME": folder,
                "TMPDIR": folder,
                "JAVA_OPTS": f"-Xmx{MEMORY >> 1} -Djava.io.tmpdir={folder}",
            },
            start_new_session=True,
        )
        try:
            return process.wait(self._seconds)
        finally:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def read(tools: Tools, arguments: Mapping[str, Any], files: Sequence[BinaryIO]) -> Mapping[str, Any]:
    """The task: veraPDF's report (``jobs/job/validationReport``) as version, verdict and the rules that are broken.

    Raises ValueError for a report without a verdict.
    """
    del tools, files
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    root = etree.fromstring(arguments["report"], parser)
    reports = root.findall("./jobs/job/validationReport")
    if len(reports) != 1 or reports[0].get("isCompliant") not in ("true", "false"):
        raise ValueError("no verdict")
    version = next((one.get("version", "") for one in root.iterfind("./buildInformation/releaseDetails")), "")
    broken = [one for one in reports[0].iterfind("./details/rule") if one.get("status") == "failed"]
    rules = [f"{one.get('specification')} {one.get('clause')} ({one.get('testNumber')})" for one in broken[:_RULES]]
    return {
        "version": visible(version, 50),
        "complies": reports[0].get("isCompliant") == "true",
        "count": len(broken),
        "rules": [visible(one, 80) for one in rules],
    }


def _said(claim: str, code: int, found: Mapping[str, Any]) -> Remark:
    if found["complies"] is not (code == _COMPLIES):
        return _undecided(claim, f"exit code {code} against its own report")
    details = {"claim": claim, "version": str(found["version"])}
    if found["complies"]:
        return Remark("FORMAT-PDFA-VALIDATED", details)
    more = " …" if found["count"] > len(found["rules"]) else ""
    rules = ", ".join(str(one) for one in found["rules"]) + more
    return Remark("FORMAT-PDFA-REFUSED", {**details, "count": str(found["count"]), "rules": rules})


def _undecided(claim: str, reason: str) -> Remark:
    return Remark("FORMAT-PDFA-UNDECIDED", {"claim": claim, "reason": reason})
