"""What a child may not do, whatever runs in it: each limit by itself, and all together in a real child."""

from __future__ import annotations

import json
import os
import platform
import resource
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from preservation.workshop import landlock
from preservation.workshop.confinement import Confinement
from preservation.workshop.pool import ChildWorkshop
from preservation.workshop.port import TaskLimits
from tests.builders.deeds import MODULE

ROOT = Path(__file__).parents[2]
LONG = TaskLimits(seconds=300.0, cpu_seconds=100)
TABLE = tomllib.loads(files("preservation.workshop").joinpath("syscalls.toml").read_text(encoding="utf-8"))
LANDLOCK = sys.platform == "linux" and landlock.version() > 0
SECCOMP = sys.platform == "linux" and platform.machine() in TABLE
needs_landlock = pytest.mark.skipif(not LANDLOCK, reason="this kernel has no Landlock")
needs_seccomp = pytest.mark.skipif(not SECCOMP, reason="no table of system calls for this machine")


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChildWorkshop]:
    open_to_it = tmp_path_factory.mktemp("readable")
    (open_to_it / "x").write_bytes(b"read me")
    made = ChildWorkshop({"folder": str(open_to_it)}, children=1, readable=[ROOT / "tests", open_to_it])
    yield made
    assert made.lost == 0
    made.close()


def do(workshop: ChildWorkshop, deed: str, **arguments: Any) -> dict[str, Any]:
    return dict(workshop.run(f"{MODULE}:{deed}", arguments, limits=LONG))


def alone(program: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A process that limits itself in one way only."""
    return subprocess.run(
        [sys.executable, "-c", program], cwd=folder, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )


def test_the_workshop_says_what_holds(workshop: ChildWorkshop) -> None:
    found = workshop.confinement()
    assert found.landlock == (landlock.version() if LANDLOCK else 0)
    assert found.seccomp == SECCOMP
    assert found.memory == (sys.platform == "linux")
    assert Confinement.of_fields(json.loads(json.dumps(found.fields()))) == found


def test_limits_of_the_kernel(workshop: ChildWorkshop) -> None:
    found = do(workshop, "limits")
    assert found["RLIMIT_FSIZE"] == found["RLIMIT_CORE"] == [0, 0]
    assert found["RLIMIT_NOFILE"] == [64, 64]
    if sys.platform == "linux":
        assert found["RLIMIT_AS"] == [5 << 29, 5 << 29]
    assert 0 < found["RLIMIT_CPU"][0] < 200
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 0


def test_limits_cannot_be_raised_again(workshop: ChildWorkshop) -> None:
    """By root neither, who has nothing left but to read."""
    if sys.platform == "linux":
        assert do(workshop, "capabilities")["effective"] == ([2] if os.geteuid() == 0 else [])
    assert do(workshop, "raise_limits")["refused"] == ["RLIMIT_AS", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_CORE"]


@needs_landlock
@pytest.mark.parametrize(
    "path",
    [
        "/etc/shadow",
        "/etc/passwd",
        "/proc/self/environ",
        "/proc/parent/environ",
        str(ROOT / "pyproject.toml"),
        str(ROOT / "administration" / "settings.py"),
        "tmp",
    ],
)
def test_no_file_but_its_own_can_be_read(workshop: ChildWorkshop, path: str, tmp_path: Path) -> None:
    path = path.replace("parent", str(os.getpid()))
    if path == "tmp":
        path = str(tmp_path / "x")
        Path(path).write_bytes(b"x")
        Path(path).chmod(0o777)
    assert Path(path).exists()
    assert do(workshop, "read_path", path=path) == {"refused": "Permission denied"}


def test_what_it_was_told_of_can_be_read(workshop: ChildWorkshop) -> None:
    folder = do(workshop, "equipped")["equipment"]["folder"]
    assert do(workshop, "read_path", path=f"{folder}/x") == {"read": b"read me"}


def test_nothing_can_be_written(workshop: ChildWorkshop, tmp_path: Path) -> None:
    if not (LANDLOCK and SECCOMP):
        pytest.skip("this system holds only what asks Python")
    file = tmp_path / "cũ"
    file.write_bytes(b"old")
    before = file.stat()
    found = do(workshop, "write_path", path=str(file))
    assert found["refused"] == found["tried"]
    assert (file.read_bytes(), file.stat()) == (b"old", before)
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_that_was_given_cannot_be_changed(workshop: ChildWorkshop, tmp_path: Path) -> None:
    """Though the parent has it open for writing."""
    with (tmp_path / "x").open("w+b") as file:
        file.write(b"spool")
        found = workshop.run(f"{MODULE}:write_given", {}, [file], LONG)
    if Path("/proc/self/fd").exists():
        assert found == {"refused": [True, True]}
        assert (tmp_path / "x").read_bytes() == b"spool"


def test_nobody_can_be_reached(workshop: ChildWorkshop, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_UNIX) as local:
        local.bind(str(tmp_path / "s"))
        local.listen()
        found = do(workshop, "reach", port=server.getsockname()[1], path=str(tmp_path / "s"))
        server.settimeout(0.2)
        with pytest.raises(TimeoutError):
            server.accept()
    if SECCOMP:
        assert found["refused"] == found["tried"]
    else:
        assert {"connect", "name", "unix"} <= set(found["refused"])


def test_no_process_can_be_made_but_threads(workshop: ChildWorkshop) -> None:
    if SECCOMP:
        assert do(workshop, "fork") == {"made": 0}
    assert do(workshop, "run_thread") == {"ran": True}


def test_it_is_in_a_network_of_its_own(workshop: ChildWorkshop) -> None:
    if not workshop.confinement().own_network:
        pytest.skip("this system lets no ordinary user have a network of its own")
    child = do(workshop, "count")["process"]
    assert Path(f"/proc/{child}/ns/net").readlink() != Path("/proc/self/ns/net").readlink()


def test_it_knows_nothing_of_its_parents_environment(workshop: ChildWorkshop) -> None:
    assert set(do(workshop, "environment")["names"]) <= {"PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "LC_ALL", "TZ"}


# Each by itself


def test_a_network_of_its_own_has_no_way_out(tmp_path: Path) -> None:
    program = (
        "from preservation.workshop.confinement import leave_network\n"
        "print(leave_network())\n"
        "print(*[line.split(':')[0].strip() for line in open('/proc/thread-self/net/dev') if ':' in line])"
    )
    left, *names = alone(program, tmp_path).stdout.split()
    if left == "False":
        pytest.skip("this system lets no ordinary user have a network of its own")
    # Tunnels that the kernel makes in every new network are down and lead nowhere.
    assert [name for name in names if name.startswith(("eth", "en", "wl"))] == []


@needs_landlock
@pytest.mark.parametrize(
    ("deed", "allowed"),
    [
        ("open('mine/x')", True),
        ("os.listdir('mine')", True),
        ("open('x')", False),
        ("os.listdir('.')", True),
        ("os.listdir('/etc')", False),
        ("open('mine/x', 'r+')", False),
        ("open('mine/new', 'w')", False),
        ("os.unlink('mine/x')", False),
        ("os.rename('mine/x', 'mine/y')", False),
        ("os.mkdir('mine/new')", False),
        ("os.symlink('x', 'mine/new')", False),
        ("os.truncate('mine/x', 0)", False),
        ("__import__('socket').create_connection(('127.0.0.1', 9))", False),
        ("__import__('socket').create_server(('127.0.0.1', 0))", False),
        ("os.kill(os.getppid(), 0)", False),
    ],
)
def test_landlock(deed: str, allowed: bool, tmp_path: Path) -> None:
    if ("socket" in deed and landlock.version() < 4) or ("kill" in deed and landlock.version() < 6):
        pytest.skip("this kernel's Landlock does not know of it")
    (tmp_path / "x").write_bytes(b"x")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "x").write_bytes(b"x")
    program = (
        "import os, socket\nfrom pathlib import Path\nfrom preservation.workshop import landlock, confinement\n"
        "confinement._no_new_privileges()\n"
        "assert landlock.restrict([Path('mine'), Path('missing')], listable=Path('.')) == landlock.version()\n"
        f"{deed}"
    )
    ended = alone(program, tmp_path)
    assert (ended.returncode == 0) == allowed, ended.stderr
    assert allowed or "PermissionError" in ended.stderr
    assert (tmp_path / "mine" / "x").read_bytes() == b"x"


@needs_seccomp
@pytest.mark.parametrize(
    ("deed", "allowed"),
    [
        ("__import__('socket').socket()", False),
        ("__import__('socket').socketpair()", True),
        ("os.fork()", False),
        ("__import__('subprocess').run(['true'])", False),
        ("os.execv('/bin/true', ['true'])", False),
        ("os.kill(os.getppid(), 0)", False),
        ("os.chmod('x', 0)", False),
        ("os.utime('x')", False),
        ("os.truncate('x', 0)", False),
        ("os.setxattr('x', 'user.a', b'1')", False),
        ("__import__('threading').Thread(target=print).start()", True),
        ("__import__('asyncio').run(__import__('asyncio').sleep(0))", True),
        ("open('x').read()", True),
    ],
)
def test_seccomp(deed: str, allowed: bool, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x")
    program = (
        "import os\nfrom preservation.workshop import seccomp, confinement\n"
        f"confinement._no_new_privileges()\nassert seccomp.restrict()\n{deed}"
    )
    ended = alone(program, tmp_path)
    assert (ended.returncode == 0) == allowed, ended.stderr
    assert allowed or "PermissionError" in ended.stderr


@needs_seccomp
@pytest.mark.parametrize("part", ["network", "processes", "writing"])
def test_every_listed_call_is_refused_whatever_it_is_given(part: str, tmp_path: Path) -> None:
    program = f"""
import ctypes, errno
from preservation.workshop import seccomp, confinement
call = ctypes.CDLL(None, use_errno=True).syscall
confinement._no_new_privileges()
assert seccomp.restrict()
print([(n, ctypes.get_errno()) for n in {list(TABLE[platform.machine()][part].values())}
       if call(n, 0, 0, 0, 0, 0, 0) != -1 or ctypes.get_errno() != errno.EPERM])
"""
    ended = alone(program, tmp_path)
    assert ended.stdout.strip() == "[]", ended.stderr


@pytest.mark.skipif(platform.machine() != "x86_64", reason="another machine's calls")
def test_calls_by_another_convention_end_the_process(tmp_path: Path) -> None:
    program = (
        "import ctypes\nfrom preservation.workshop import seccomp, confinement\n"
        "confinement._no_new_privileges()\nassert seccomp.restrict()\n"
        "print(ctypes.CDLL(None).syscall(0x40000000 + 39))"
    )
    assert alone(program, tmp_path).returncode == -31


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
def test_python_itself_refuses_what_libraries_ask(deed: str, tmp_path: Path) -> None:
    """Where the kernel has nothing better, this is what there is."""
    (tmp_path / "cu").write_bytes(b"x")
    program = f"import sys\nfrom preservation.workshop.confinement import _watch\nsys.addaudithook(_watch)\n{deed}"
    ended = alone(program, tmp_path)
    assert ended.returncode == 1
    assert "PermissionError" in ended.stderr or "URLError" in ended.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["cu"]


def test_a_number_stands_for_one_call_only() -> None:
    for machine in TABLE.values():
        numbers = [number for part in ("network", "processes", "writing") for number in machine[part].values()]
        assert len({*numbers, machine["clone"], machine["clone3"]}) == len(numbers) + 2


def test_what_holds_can_be_asked_on_the_command_line(workshop: ChildWorkshop) -> None:
    asked = subprocess.run(
        [sys.executable, "-m", "preservation.workshop"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert Confinement.of_fields(json.loads(asked.stdout)) == workshop.confinement()
