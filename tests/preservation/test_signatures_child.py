"""The child process that judges signatures: what it may not do, and that its end costs one file only."""

from __future__ import annotations

import os
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path

import pytest

from metadata.outcomes import SignatureOutcome as Is
from preservation.signatures.answering import Answerer
from preservation.signatures.checker import Limits, PyHankoChecker
from preservation.signatures.port import Question, SignatureReport
from tests.builders.signatures import NOW, archival, authority, forge_page, pdf, sign

STORE = cache(lambda: authority().store())
ROOT = Path(__file__).parents[2]


def staller() -> bytes:
    """100 kB that keep pyHanko busy for minutes: a cross-reference stream that says it has a milliard entries."""
    packed = zlib.compress(bytes(100_000_000), 9)
    out = b"%PDF-1.7\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type/Pages/Count 0/Kids[]>>\nendobj\n"
    start = len(out)
    out += b"3 0 obj\n<</Type/XRef/Root 1 0 R/Size 1000000000/W[1 1 1]/Filter/FlateDecode/Length %d>>\n" % len(packed)
    return out + b"stream\n" + packed + b"\nendstream\nendobj\nstartxref\n%d\n%%%%EOF\n" % start


@pytest.fixture
def checker() -> Iterator[PyHankoChecker]:
    made = PyHankoChecker(STORE(), Limits(seconds=20))
    yield made
    made.close()


@pytest.fixture
def write(tmp_path: Path) -> Iterator[Callable[..., Question]]:
    """Puts bytes into a file and asks about it."""
    with ExitStack() as stack:

        def made(data: bytes, name: str = "tep.pdf") -> Question:
            path = tmp_path / name
            path.write_bytes(data)
            return Question(stack.enter_context(path.open("rb")), NOW, NOW, name=name)

        yield made


def test_the_child_says_what_the_judge_says_and_serves_many_files(
    write: Callable[..., Question], checker: PyHankoChecker
) -> None:
    made = {"B-LTA": archival(), "forged": forge_page(archival()), "unsigned": pdf(), "cut": sign(pdf())[:-3000]}
    questions = [write(data, name) for name, data in made.items()]
    here = Answerer.of(STORE())
    reports = [checker.check(question) for question in questions]
    assert reports == [SignatureReport.of_fields(here.answer(question).fields()) for question in questions]
    assert [report.outcome for report in reports] == [Is.VALID, Is.INVALID, None, Is.UNREADABLE]
    assert checker.restarts == 0


def test_a_staller_costs_one_file(write: Callable[..., Question]) -> None:
    checker = PyHankoChecker(authority().store(), Limits(seconds=2.0))
    try:
        stalled = checker.check(write(staller(), "lau.pdf"))
        assert [one.code for one in stalled.reasons] == ["SIG-FILE-STALLED"]
        assert stalled.outcome is Is.UNREADABLE
        assert checker.restarts == 1
        assert checker.check(write(pdf())).outcome is None
        assert checker.restarts == 1
    finally:
        checker.close()


def test_the_kernel_ends_a_child_that_computes_too_long(write: Callable[..., Question]) -> None:
    checker = PyHankoChecker(authority().store(), Limits(seconds=60.0, cpu_seconds=1))
    try:
        report = checker.check(write(staller()))
        assert [one.code for one in report.reasons] == ["SIG-FILE-CRASHED"]
    finally:
        checker.close()


def test_a_child_that_cannot_start_is_an_outcome_not_an_error(write: Callable[..., Question]) -> None:
    checker = PyHankoChecker(authority().store(), Limits(memory=1 << 24, largest=1 << 20))
    try:
        assert checker.check(write(sign(pdf()))).outcome is Is.UNREADABLE
    finally:
        checker.close()


def test_a_file_beyond_the_limit_is_not_looked_at(write: Callable[..., Question]) -> None:
    checker = PyHankoChecker(authority().store(), Limits(largest=1000))
    report = checker.check(write(sign(pdf())))
    assert [one.code for one in report.reasons] == ["SIG-FILE-TOO-LARGE"]
    checker.close()


@pytest.mark.parametrize(
    "deed",
    [
        "import socket; socket.socket()",
        "import socket; socket.create_connection(('127.0.0.1', 9))",
        "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9/')",
        "import socket; socket.getaddrinfo('localhost', 80)",
        "open('moi', 'w')",
        "import os; os.open('moi', os.O_CREAT | os.O_WRONLY)",
        "import os; os.remove('cu')",
        "import os; os.rename('cu', 'moi')",
        "import subprocess; subprocess.run(['true'])",
        "import os; os.system('true')",
    ],
)
def test_the_child_may_not(deed: str, tmp_path: Path) -> None:
    (tmp_path / "cu").write_bytes(b"x")
    program = f"from preservation.signatures.child import confine\nconfine(4 << 30)\n{deed}"
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert ended.returncode == 1
    assert "PermissionError" in ended.stderr or "URLError" in ended.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["cu"]


def test_where_the_kernel_allows_it_the_child_has_no_network(tmp_path: Path) -> None:
    """And reads files all the same, those of other users too when it is root."""
    file = tmp_path / "cu"
    file.write_bytes(b"x")
    file.chmod(0o600)
    if os.geteuid() == 0:
        os.chown(file, 12345, 12345)
    program = (
        "from preservation.signatures.child import leave_network\n"
        "left = leave_network()\n"
        "names = [line.split(':')[0].strip() for line in open('/proc/thread-self/net/dev') if ':' in line]\n"
        "print(left, *[name for name in names if name != 'lo'], open('cu').read())"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    left, *others, read = ended.stdout.split()
    assert read == "x"
    if left == "False":
        pytest.skip("this kernel lets no ordinary user have a network of its own")
    # Tunnels that the kernel makes in every new network are down and lead nowhere.
    assert [name for name in others if name.startswith(("eth", "en", "wl"))] == []
