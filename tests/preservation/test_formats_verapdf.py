"""veraPDF as an outside program: stand-ins that answer as it is documented to, and some that behave badly."""

from __future__ import annotations

import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from metadata.outcomes import Validity
from preservation.checkers import Checkers
from preservation.formats.inspector import FormatInspector
from preservation.formats.launch import MEMORY
from preservation.formats.port import Inspection
from preservation.formats.verapdf import VeraPdf
from preservation.identification.data import default_signatures
from preservation.signatures.trust import TrustStore
from preservation.workshop.local import LocalWorkshop
from preservation.workshop.pool import ChildWorkshop
from tests.builders.pdfs import typeset
from tests.preservation.looking import codes, specimen

REPORT = """<?xml version="1.0" encoding="utf-8"?>
<report>
  <buildInformation><releaseDetails id="core" version="1.28.2" buildDate="2025-06-01T00:00:00Z"/></buildInformation>
  <jobs><job><item size="1"><name>1.pdf</name></item>
    <validationReport jobEndStatus="normal" profileName="PDF/A-2B validation profile" isCompliant="{complies}">
      <details passedRules="140" failedRules="2" passedChecks="900" failedChecks="7">{rules}</details>
    </validationReport></job></jobs>
</report>"""
RULE = '<rule specification="ISO 19005-2:2011" clause="6.2.{n}" testNumber="1" status="failed" failedChecks="3"/>'
GOOD = REPORT.format(complies="true", rules="")
BAD = REPORT.format(
    complies="false", rules=RULE.format(n=1) + RULE.format(n=2) + RULE.format(n=1).replace("failed", "passed", 1)
)
# What every stand-in does first: see that it was started as it should be.
CHECKED = """
import os, sys
options, path = sys.argv[1:-1], sys.argv[-1]
assert options == ["--format", "xml", "--flavour", "2b", "--maxfailuresdisplayed", "1"], options
assert path.endswith(".pdf") and open(path, "rb").read(5) == b"%PDF-"
assert set(os.environ) <= {"PATH", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "HOME", "TMPDIR", "JAVA_OPTS", "LC_CTYPE"}
"""

Inspect = Callable[[str], Inspection]


@pytest.fixture
def inspect(tmp_path: Path) -> Iterator[Inspect]:
    """Inspects a PDF/A-2b with a stand-in for veraPDF that runs the program given."""

    def run(program: str, seconds: float = 20.0, data: bytes | None = None) -> Inspection:
        data = typeset() if data is None else data
        path = tmp_path / "verapdf"
        path.write_text(f"#!{sys.executable}\n{CHECKED}{program}", encoding="utf-8")
        path.chmod(0o755)
        folder = tmp_path / "work"
        folder.mkdir(exist_ok=True)
        workshop = LocalWorkshop()
        inspector = FormatInspector(workshop, verapdf=VeraPdf(path, workshop, folder, seconds))
        with tempfile.TemporaryFile() as file:
            file.write(data)
            file.flush()
            found = inspector.inspect(specimen("pdf", data), file)
        assert not list(folder.iterdir()), "left something behind"
        return found

    return run


def _prints(report: str, code: int) -> str:
    return f"print({report!r}); sys.exit({code})"


def test_what_it_passes_is_told(inspect: Inspect) -> None:
    found = inspect(_prints(GOOD, 0))
    assert (found.validity, codes(found)) == (Validity.VALID, ["FORMAT-PDFA-VALIDATED"])
    assert dict(found.remarks[0].details) == {"claim": "PDF/A-2b", "version": "1.28.2"}


def test_what_it_refuses_is_told_with_the_rules(inspect: Inspect) -> None:
    found = inspect(_prints(BAD, 1))
    assert (found.validity, codes(found)) == (Validity.VALID_WITH_NOTES, ["FORMAT-PDFA-REFUSED"])
    assert found.remarks[0].details["count"] == "2"
    assert found.remarks[0].details["rules"] == "ISO 19005-2:2011 6.2.1 (1), ISO 19005-2:2011 6.2.2 (1)"


def test_a_file_without_a_claim_is_not_given_to_it(inspect: Inspect) -> None:
    found = inspect("raise SystemExit('called')", data=typeset(""))
    assert codes(found) == []


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        (_prints(GOOD, 7), "exit code 7"),
        (_prints(GOOD, 1), "exit code 1 against its own report"),
        (_prints("", 0), "WorkLost"),
        (_prints("<report/>", 0), "WorkLost"),
        (_prints(GOOD[:200], 0), "WorkLost"),
        (_prints('<!DOCTYPE x [<!ENTITY a "b">]><report>&a;</report>', 0), "WorkLost"),
        ("os.abort()", "exit code -6"),
        (f"x = bytearray({MEMORY}); {_prints(GOOD, 0)}", "WorkLost"),
        ("sys.stdout.write('x' * (9 << 20))", "a report of more than 8 MiB"),
        ("block = b'x' * (1 << 20)\nwhile True: sys.stdout.buffer.write(block)", "a report of more than 8 MiB"),
    ],
)
def test_one_that_behaves_badly_decides_nothing(inspect: Inspect, program: str, reason: str) -> None:
    found = inspect(program)
    assert (found.validity, codes(found)) == (Validity.VALID, ["FORMAT-PDFA-UNDECIDED"])
    assert found.remarks[0].details["reason"] == reason


def test_it_has_no_network(inspect: Inspect) -> None:
    workshop = ChildWorkshop(children=1)
    try:
        if not workshop.confinement().own_network:
            pytest.skip("this kernel gives no process a network of its own")
    finally:
        workshop.close()
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        found = inspect(f"import socket; socket.create_connection({address!r}); {_prints(GOOD, 0)}")
    assert codes(found) == ["FORMAT-PDFA-UNDECIDED"]


def test_one_that_hangs_is_killed_with_all_that_it_started(inspect: Inspect, tmp_path: Path) -> None:
    sign = tmp_path / "alive"
    program = f"""
import subprocess, time
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(6); open({str(sign)!r}, 'w')"])
time.sleep(600)
"""
    started = time.monotonic()
    found = inspect(program, seconds=2.0)
    assert codes(found) == ["FORMAT-PDFA-UNDECIDED"]
    assert found.remarks[0].details["reason"] == "2 s"
    assert time.monotonic() - started < 60
    time.sleep(5)
    assert not sign.exists()


def test_those_who_look_into_files_have_it_and_read_its_report_in_a_child(tmp_path: Path) -> None:
    program = tmp_path / "verapdf"
    program.write_text(f"#!{sys.executable}\n{CHECKED}{_prints(BAD, 1)}", encoding="utf-8")
    program.chmod(0o755)
    with (
        Checkers(default_signatures(), TrustStore(), 1, verapdf=program) as checkers,
        tempfile.TemporaryFile() as file,
    ):
        file.write(typeset())
        file.flush()
        found = checkers.inspector.inspect(specimen("pdf", typeset()), file)
        assert checkers.inspector.name.endswith(", veraPDF")
    assert codes(found) == ["FORMAT-PDFA-REFUSED"]


def test_one_that_is_not_there_decides_nothing(tmp_path: Path) -> None:
    workshop = LocalWorkshop()
    inspector = FormatInspector(workshop, verapdf=VeraPdf(tmp_path / "nowhere", workshop, tmp_path))
    with tempfile.TemporaryFile() as file:
        file.write(typeset())
        file.flush()
        found = inspector.inspect(specimen("pdf", typeset()), file)
    assert (found.validity, codes(found)) == (Validity.VALID, ["FORMAT-PDFA-UNDECIDED"])
