"""The workshop keeps its contract, and whatever a task does costs that task only."""

from __future__ import annotations

import errno
import io
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from preservation.workshop import wire
from preservation.workshop.child import Costs, serve
from preservation.workshop.confinement import resident_memory
from preservation.workshop.local import LocalWorkshop
from preservation.workshop.pool import ChildLimits, ChildWorkshop
from preservation.workshop.port import TaskLimits, WorkLost
from preservation.workshop.seccomp import program
from preservation.workshop.tools import Bench
from tests.builders.deeds import MODULE
from tests.contracts.workshop import EQUIPMENT, WorkshopContract

ROOT = Path(__file__).parents[2]
TESTS = [ROOT / "tests"]
# Wide enough for a machine that does much else.
LONG = TaskLimits(seconds=300.0, cpu_seconds=100)


@pytest.fixture(scope="module")
def shared() -> Iterator[ChildWorkshop]:
    workshop = ChildWorkshop(EQUIPMENT, children=1, readable=TESTS)
    yield workshop
    workshop.close()


@contextmanager
def one_child(**limits: Any) -> Iterator[ChildWorkshop]:
    workshop = ChildWorkshop(children=1, readable=TESTS, limits=ChildLimits(**limits))
    try:
        yield workshop
    finally:
        workshop.close()


def process(workshop: ChildWorkshop) -> int:
    number = workshop.run(f"{MODULE}:count", {}, limits=LONG)["process"]
    assert isinstance(number, int)
    return number


def ended(number: int) -> bool:
    """Within a minute."""
    for _ in range(6000):
        try:
            os.kill(number, 0)
        except ProcessLookupError:
            return True
        with suppress(OSError, IndexError):
            if Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        time.sleep(0.01)
    return False


class TestLocalWorkshop(WorkshopContract):
    @pytest.fixture
    def workshop(self) -> LocalWorkshop:
        return LocalWorkshop(EQUIPMENT)


class TestChildWorkshop(WorkshopContract):
    @pytest.fixture
    def workshop(self, shared: ChildWorkshop, request: pytest.FixtureRequest) -> Iterator[ChildWorkshop]:
        if "closed" not in request.node.name:
            yield shared
            return
        yield ChildWorkshop(EQUIPMENT, readable=TESTS)


def test_nothing_is_started_before_the_first_task() -> None:
    with one_child() as workshop:
        assert workshop._free == []
        workshop.close()
        with pytest.raises(RuntimeError):
            workshop.run(f"{MODULE}:echo", {})


@pytest.mark.parametrize("deed", ["leave", "crash", "recurse_in_c", "take_memory"])
def test_a_child_that_a_task_ends_costs_that_task(deed: str) -> None:
    with one_child() as workshop:
        first = process(workshop)
        with pytest.raises(WorkLost) as lost:
            workshop.run(f"{MODULE}:{deed}", {"bytes": 8 << 30}, limits=LONG)
        assert not lost.value.late
        assert process(workshop) != first
        assert ended(first)


@pytest.mark.parametrize("deed", ["spin", "sleep", "hold_the_interpreter"])
def test_a_task_over_its_time_is_killed(deed: str) -> None:
    with one_child() as workshop:
        first = process(workshop)
        with pytest.raises(WorkLost) as lost:
            workshop.run(f"{MODULE}:{deed}", {"seconds": 1000}, limits=TaskLimits(0.5, 100))
        assert lost.value.late
        assert workshop.lost == 1
        assert process(workshop) != first
        assert ended(first)


def test_the_kernel_ends_a_task_over_its_processor_time() -> None:
    with one_child() as workshop:
        with pytest.raises(WorkLost) as lost:
            workshop.run(f"{MODULE}:spin", {}, limits=TaskLimits(300.0, 1))
        assert not lost.value.late
        assert workshop.run(f"{MODULE}:echo", {}, limits=LONG) == {"files": []}


def test_processor_time_is_counted_anew_for_each_task() -> None:
    with one_child() as workshop:
        soft = [workshop.run(f"{MODULE}:limits", {}, limits=TaskLimits(300.0, n))["RLIMIT_CPU"][0] for n in (7, 50, 9)]
        assert soft[0] < soft[1] > soft[2] >= 9


def test_a_child_that_is_stopped_is_killed_in_its_time() -> None:
    with one_child() as workshop:
        os.kill(process(workshop), signal.SIGSTOP)
        with pytest.raises(WorkLost) as lost:
            workshop.run(f"{MODULE}:echo", {"much": b"x" * 10_000_000}, limits=TaskLimits(0.5, 100))
        assert lost.value.late


def test_a_child_found_dead_is_replaced_and_no_file_pays_for_it() -> None:
    with one_child() as workshop:
        number = process(workshop)
        os.kill(number, signal.SIGKILL)
        assert ended(number)
        assert workshop.run(f"{MODULE}:echo", {}, limits=LONG) == {"files": []}
        assert workshop.lost == 0


def test_an_answer_beyond_its_bound_is_none() -> None:
    with one_child(answer=1 << 20) as workshop:
        assert workshop.run(f"{MODULE}:answer_at_length", {"bytes": 1 << 19}, limits=LONG)
        with pytest.raises(WorkLost):
            workshop.run(f"{MODULE}:answer_at_length", {"bytes": 1 << 21}, limits=LONG)
        assert workshop.lost == 1
        assert workshop.run(f"{MODULE}:echo", {}, limits=LONG) == {"files": []}


def test_a_child_that_keeps_much_memory_is_replaced_after_its_answer() -> None:
    with one_child(resident=100 << 20) as workshop:
        first = workshop.run(f"{MODULE}:keep_memory", {"bytes": 1000}, limits=LONG)["process"]
        assert workshop.run(f"{MODULE}:keep_memory", {"bytes": 200 << 20}, limits=LONG)["process"] == first
        assert process(workshop) != first
        assert workshop.lost == 0


def test_a_child_that_cannot_start_is_lost_work_not_an_error() -> None:
    with one_child(memory=1 << 20) as workshop, pytest.raises(WorkLost):
        workshop.run(f"{MODULE}:echo", {}, limits=LONG)


def test_what_a_task_prints_comes_between_no_answers(capfd: pytest.CaptureFixture[str]) -> None:
    with one_child() as workshop:
        for _ in range(3):
            assert workshop.run(f"{MODULE}:say", {}, limits=LONG) == {"said": True}
    assert capfd.readouterr() == ("", "")


def test_a_file_in_memory_only_cannot_be_given_to_a_child() -> None:
    with one_child() as workshop, pytest.raises(io.UnsupportedOperation):
        workshop.run(f"{MODULE}:echo", {}, [io.BytesIO(b"x")])


def test_as_many_tasks_run_at_once_as_there_are_children() -> None:
    workshop = ChildWorkshop(children=3, readable=TESTS)
    most, now, lock = 0, 0, threading.Lock()
    take = workshop._take

    def counted() -> Any:
        nonlocal most, now
        with lock:
            now += 1
            most = max(most, now)
        return take()

    workshop._take = counted  # type: ignore[method-assign]

    def run(_: int) -> object:
        nonlocal now
        answer = workshop.run(f"{MODULE}:sleep", {"seconds": 0.2}, limits=LONG)
        with lock:
            now -= 1
        return answer

    with ThreadPoolExecutor(9) as pool:
        assert list(pool.map(run, range(9))) == [{"slept": 0.2}] * 9
    assert len(workshop._free) == 3
    workshop.close()


def test_one_after_the_other_needs_one_child() -> None:
    workshop = ChildWorkshop(children=4, readable=TESTS)
    assert len({process(workshop) for _ in range(10)}) == 1
    workshop.close()


@pytest.mark.parametrize("deed", ["count", "spin", "hold_the_interpreter", "sleep"])
def test_no_child_outlives_a_parent_that_is_killed(deed: str) -> None:
    """Idle or busy, with the interpreter or without."""
    program = f"""
import sys, threading, time
from pathlib import Path
from preservation.workshop.pool import ChildWorkshop
from preservation.workshop.port import TaskLimits
workshop = ChildWorkshop(children=1, readable=[Path({str(ROOT / "tests")!r})])
print(workshop.run("{MODULE}:count", {{}})["process"], flush=True)
workshop.run("{MODULE}:{deed}", {{"seconds": 1000}}, limits=TaskLimits(1000.0, 1000))
time.sleep(1000)
"""
    parent = subprocess.Popen(
        [sys.executable, "-c", program], env={"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True, cwd="/"
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    time.sleep(0.5)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    if sys.platform == "linux" or deed == "count":
        assert ended(child)
    else:
        os.kill(child, signal.SIGKILL)


def test_memory_of_the_parent_stays_flat() -> None:
    resident = resident_memory()
    with one_child() as workshop:
        sizes = []
        for number in range(10_000):
            workshop.run(f"{MODULE}:echo", {"n": number, "window": b"x" * 4096}, limits=LONG)
            if number % 1000 == 999:
                sizes.append(resident())
        assert workshop._free[0]._known == {f"{MODULE}:echo"}
    assert sizes[-1] - sizes[1] < 8 << 20


@pytest.mark.parametrize(
    ("words", "blobs"),
    [
        (b"", b""),
        (b"[]", b""),
        (b"{", b""),
        (b"\xff\xfe", b""),
        (b"1" * 10_000, b""),
        (b"[" * 100_000, b""),
        (b'{"a":' * 100_000, b""),
        (b'{"a":[' + b"0," * (1 << 23) + b"0]}", b""),
        (b'{"a":{"\\u0000bytes":5}}', b"abc"),
        (b'{"a":{"\\u0000bytes":-1}}', b"abc"),
        (b'{"a":{"\\u0000bytes":true}}', b"a"),
        (b'{"a":{"\\u0000bytes":"3"}}', b"abc"),
        (b'{"a":{"\\u0000bytes":2}}', b"abc"),
        (b'{"a":{"\\u0000bytes":3},"b":{"\\u0000bytes":3}}', b"abc"),
        (b'{"a":1}', b"abc"),
    ],
)
def test_a_frame_that_none_of_ours_makes_is_refused(words: bytes, blobs: bytes) -> None:
    with pytest.raises((ValueError, RecursionError)):
        wire.unpack(memoryview(words + blobs), len(words))


# The child's own loop, and the filter of calls, in this process


@contextmanager
def serving(**costs: Any) -> Iterator[tuple[socket.socket, list[int]]]:
    """A parent's socket to a loop in a thread, and the seconds of CPU time that it allowed itself."""
    ours, theirs = socket.socketpair()
    allowed: list[int] = []
    bench = Bench({"words": "trang bị"})
    told = Costs(**{"start_seconds": 60, "allow": allowed.append, "swollen": lambda: False} | costs)
    thread = threading.Thread(target=serve, args=(theirs, bench, told))
    thread.start()
    with ours, theirs:
        yield ours, allowed
        ours.shutdown(socket.SHUT_WR)
        thread.join(60)
        assert not thread.is_alive()


def ask(line: socket.socket, task: str, files: Sequence[int] = (), **arguments: Any) -> list[tuple[int, Any]]:
    """Send a question, read frames up to the answer."""
    question = {"task": f"{MODULE}:{task}", "cpu_seconds": 7, "arguments": arguments}
    socket.send_fds(line, [b"".join(wire.pack(wire.QUESTION, question))], list(files))
    frames = []
    while not frames or frames[-1][0] == wire.BEGUN:
        kind, words, blobs = wire.HEAD.unpack(line.recv(wire.HEAD.size, socket.MSG_WAITALL))
        frames.append((kind, wire.unpack(memoryview(line.recv(words + blobs, socket.MSG_WAITALL)), words)))
    return frames


def test_the_loop_of_a_child(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"abc")
    with serving() as (line, allowed), (tmp_path / "x").open("rb") as file:
        file.read()
        answer = {"a": 1, "b": b"x", "files": [b"abc"]}
        assert ask(line, "echo", [file.fileno()], a=1, b=b"x") == [(wire.BEGUN, {}), (wire.ANSWER, answer)]
        assert ask(line, "echo") == [(wire.ANSWER, {"files": []})]
        assert allowed == [60, 7, 7]
        assert ask(line, "fail") == [(wire.BEGUN, {}), (wire.RAISED, {"what": "ValueError"})]
        assert ask(line, "unsayable")[-1] == (wire.RAISED, {"what": "TypeError"})
        assert ask(line, "missing") == [(wire.RAISED, {"what": "AttributeError"})]
        assert ask(line, "run_out") == [(wire.BEGUN, {}), (wire.RAISED | wire.ENDS, {"what": "MemoryError"})]
        assert ask(line, "close_files", [os.dup(file.fileno())])[-1] == (wire.ANSWER, {})
        assert ask(line, "equipped")[-1] == (wire.ANSWER, {"equipment": {"words": "trang bị"}})


def test_a_loop_that_holds_too_much_asks_for_an_end() -> None:
    with serving(swollen=lambda: True) as (line, _):
        assert ask(line, "nothing")[-1] == (wire.ANSWER | wire.ENDS, {})
        assert ask(line, "fail")[-1][0] == wire.RAISED | wire.ENDS


def test_a_loop_ends_with_half_a_question() -> None:
    with serving() as (line, _):
        line.sendall(wire.HEAD.pack(wire.QUESTION, 100, 0) + b"{")


def test_a_process_says_how_much_memory_it_holds() -> None:
    assert 10 << 20 < resident_memory()() < 1 << 40


MACHINES = tomllib.loads(files("preservation.workshop").joinpath("syscalls.toml").read_text(encoding="utf-8"))
ALLOWED, KILLED, FAILS = 0x7FFF0000, 0x80000000, 0x00050000


def judged(program: bytes, machine: int, number: int, argument: int = 0) -> int:
    """What the kernel would do with a call: its own small machine, as far as the filter uses it."""
    data = struct.pack("<IIQQ", number, machine, 0, argument)
    steps, at, value = list(struct.iter_unpack("<HBBI", program)), 0, 0
    while True:
        code, yes, no, operand = steps[at]
        at += 1
        if code == 0x06:
            return operand
        if code == 0x20:
            (value,) = struct.unpack_from("<I", data, operand)
            continue
        held = {0x15: value == operand, 0x35: value >= operand, 0x45: bool(value & operand)}[code]
        at += yes if held else no


@pytest.mark.parametrize("machine", MACHINES)
def test_the_filter_of_calls(machine: str) -> None:
    table = MACHINES[machine]
    filtered, audit = program(table), table["audit"]
    listed = {number for part in ("network", "processes", "writing") for number in table[part].values()}
    for number in range(600):
        expected = FAILS | errno.EPERM if number in listed | {table["clone"]} else ALLOWED
        expected = FAILS | errno.ENOSYS if number == table["clone3"] else expected
        assert judged(filtered, audit, number) == expected, number
    assert judged(filtered, audit, table["clone"], 0x00010000 | 0x100) == ALLOWED
    assert judged(filtered, audit, 0x40000000) == KILLED
    assert judged(filtered, audit ^ 1, 1) == KILLED


# What a child that was taken over may send


def framed(kind: int, words: bytes, blobs: bytes = b"") -> bytes:
    return wire.HEAD.pack(kind, len(words), len(blobs)) + words + blobs


@pytest.mark.parametrize(
    ("sent", "late"),
    [
        (b"", True),
        (b"\x03", True),
        (wire.HEAD.pack(wire.ANSWER, 1 << 20, 0) + b"{", True),
        (wire.HEAD.pack(wire.ANSWER, 1 << 30, 0), False),
        (wire.HEAD.pack(wire.ANSWER, 0xFFFFFFFF, 0xFFFFFFFF), False),
        (framed(wire.ANSWER, b""), False),
        (framed(wire.ANSWER, b"[1]"), False),
        (framed(wire.ANSWER, b"null"), False),
        (framed(wire.ANSWER, b'{"a":{"\\u0000bytes":9}}', b"x"), False),
        (framed(wire.ANSWER, b"[" * 200_000), False),
        (framed(wire.RAISED, b"{}"), False),
        (framed(wire.READY, b"{}"), False),
        (framed(wire.QUESTION, b"{}"), False),
        (framed(wire.BEGUN, b"{}"), True),
        (framed(wire.BEGUN, b"{}") * 2, False),
        (framed(wire.BEGUN | wire.ENDS, b"{}"), False),
        (framed(255, b"{}"), False),
        (b"\x83" * 10_000, False),
    ],
)
def test_what_a_child_sends_is_an_answer_or_lost(sent: bytes, late: bool) -> None:
    with one_child(start_seconds=60) as workshop:
        child = workshop._start()
        real, child._socket, theirs = child._socket, *socket.socketpair()
        child._socket.setblocking(False)
        with real, theirs:
            theirs.sendall(sent)
            child._start_seconds = 0.2
            began = time.monotonic()
            with pytest.raises(WorkLost) as lost:
                child.ask("x", wire.pack(wire.QUESTION, {}), [], 0.2)
            assert lost.value.late == late
            assert time.monotonic() - began < 60
            child.end()


def test_a_child_that_drips_is_late() -> None:
    """A byte now and then moves no limit."""
    with one_child() as workshop:
        child = workshop._start()
        real, child._socket, theirs = child._socket, *socket.socketpair()
        child._socket.setblocking(False)
        stop = threading.Event()

        def drip() -> None:
            for byte in framed(wire.ANSWER, b'{"a":' + b" " * 100_000 + b"1}"):
                if stop.wait(0.02):
                    return
                theirs.sendall(bytes([byte]))

        thread = threading.Thread(target=drip)
        child._known.add("x")
        with real, theirs:
            thread.start()
            with pytest.raises(WorkLost) as lost:
                child.ask("x", wire.pack(wire.QUESTION, {}), [], 0.5)
            stop.set()
            thread.join()
            assert lost.value.late
            child.end()
