"""Identification beside FIDO and siegfried: ``python -m bench identify [--files FOLDER]``.

The files are skeletons that the signature files describe, those of a folder that is given (its office files once more
by themselves), and files made to keep an identifier busy. Rows: FIDO in process, ours in process, ours in a child of
the workshop (as an ingest asks it; its CPU time is not counted), siegfried through pygfried in an environment of its
own. All are started before.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import ExitStack, suppress
from pathlib import Path

from fido import CONFIG_DIR
from fido.fido import Fido

from bench.measure import Row, interleave, table
from preservation.identification.data import default_signatures
from preservation.identification.identifier import PronomIdentifier
from preservation.identification.port import WINDOW, Sample
from preservation.identification.pronom.engine import PronomEngine
from preservation.identification.pronom.signature_file import read_signature_files
from tests.builders.crafted import CRAFTED
from tests.builders.skeletons import Skeleton, byte_skeletons, container_skeletons

_SIEGFRIED = """
import contextlib, sys, time, pygfried
for line in sys.stdin:
    for path in line.rstrip("\\n").split("\\0"):
        with contextlib.suppress(pygfried.GoError):
            pygfried.identify(path)
    print(time.process_time(), flush=True)
"""
_MOST = 400
_OFFICE = frozenset([".doc", ".docx", ".xls", ".xlsx", ".ppt", ".pptx", ".odt", ".ods", ".odp", ".odg", ".odb", ".msg"])


def siegfried_python() -> str:
    """A Python that has pygfried, installed once into a cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tangthu" / "pygfried"
    python = cache / "bin" / "python"
    if not (cache / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", str(cache)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", "pygfried"], check=True)
        (cache / "ready").touch()
    return str(python)


def _sample(path: Path) -> Sample:
    size = path.stat().st_size
    with path.open("rb") as stream:
        head = stream.read(WINDOW)
        stream.seek(max(0, size - WINDOW))
        return Sample(path.name, size, head, stream.read(WINDOW), path)


def _rows(files: list[Path], python: str, stack: ExitStack) -> list[Row]:
    paths = default_signatures()
    engine = PronomEngine(read_signature_files(paths.binary, paths.container))
    formats = ["formats-v109.xml", "format_extensions.xml"]
    fido = Fido(quiet=True, conf_dir=CONFIG_DIR, format_files=formats, handle_matches=lambda *_: None)
    identifier = PronomIdentifier()
    stack.callback(identifier.close)
    command = [python, "-c", _SIEGFRIED]
    other = stack.enter_context(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))

    def with_fido() -> None:
        for path in files:
            with suppress(Exception):  # it does not catch what its container reader raises
                fido.identify_file(str(path))

    def in_process() -> None:
        for path in files:
            with path.open("rb") as file:
                size = path.stat().st_size
                head = file.read(WINDOW)
                file.seek(max(0, size - WINDOW))
                tail = file.read(WINDOW) if size > WINDOW else head
                engine.answer(path.name, size, head, tail, file)

    def in_child() -> None:
        for path in files:
            identifier.identify(_sample(path))

    def siegfried() -> None:
        if other.stdin is None or other.stdout is None:
            raise RuntimeError("siegfried has no pipes")
        other.stdin.write("\0".join(map(str, files)) + "\n")
        other.stdin.flush()
        spent.append(float(other.stdout.readline()))

    spent = [0.0]
    last = Row("siegfried (pygfried)", siegfried)
    last.after = lambda: last.cpu.__setitem__(-1, spent[-1] - spent[-2])
    identifier.identify(Sample("a", 1, b"a", b"a"))
    return [
        Row("FIDO in process", with_fido),
        Row("ours in process", in_process),
        Row("ours in a child of the workshop", in_child),
        last,
    ]


def run(parent: Path, folder: Path | None, rounds: int = 3) -> str:
    """A table for each kind of skeletons, for the folder, and one of crafted files."""
    python, texts = siegfried_python(), []
    for title, files in _corpora(parent, folder):
        with ExitStack() as stack:
            rows = _rows(files, python, stack)
            interleave(rows, rounds)
        texts.append(table(title, rows, size=sum(path.stat().st_size for path in files), files=len(files)))
    return "\n".join([*texts, _crafted(rounds)])


def _crafted(rounds: int) -> str:
    """Seconds for files on which others take minutes, or never come to an end."""
    paths = default_signatures()
    engine = PronomEngine(read_signature_files(paths.binary, paths.container))
    lines = ["### Crafted files", "", "| | bytes | ms |", "|---|---|---|"]
    for name, data in CRAFTED.items():
        spent = []
        for _ in range(rounds):
            began = time.process_time()
            engine.answer("x", len(data), data[:WINDOW], data[-WINDOW:], io.BytesIO(data))
            spent.append(time.process_time() - began)
        lines.append(f"| {name} | {len(data):,} | {1000 * min(spent):.1f} |")
    return "\n".join([*lines, ""])


def _corpora(parent: Path, folder: Path | None) -> list[tuple[str, list[Path]]]:
    paths = default_signatures()
    found = [("Identification of skeleton files", _written(parent / "bytes", byte_skeletons(paths.binary)))]
    for kind in ("ZIP", "OLE2"):
        skeletons = container_skeletons(paths.container, kind)
        found.append((f"Identification of {kind} skeletons", _written(parent / kind.lower(), skeletons)))
    found = [(title, files[:: -(-len(files) // _MOST)]) for title, files in found]
    if folder is not None:
        files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        found.append((f"Identification of files in {folder.name}", files))
        office = [path for path in files if path.suffix.lower() in _OFFICE]
        found += [("Identification of its office files", office)] if office else []
    return found


def _written(folder: Path, skeletons: Iterable[Skeleton]) -> list[Path]:
    folder.mkdir()
    files = []
    for number, skeleton in enumerate(skeletons):
        path = folder / f"{number:05d}.{skeleton.extension or 'bin'}"
        path.write_bytes(skeleton.data)
        files.append(path)
    return files
