"""The demonstration, from nothing to its end: each of its steps checks itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def demo(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-m", "demo", "--no-serve", str(folder)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=400)


def test_the_story_happens_as_told(tmp_path: Path) -> None:
    done = demo(tmp_path / "demo-archive")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout[-3000:]
    for number in range(1, 9):
        assert f"\n{number}. " in done.stdout


def test_it_does_not_touch_a_folder_that_is_not_its_own(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    done = demo(tmp_path)
    assert done.returncode == 2
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
