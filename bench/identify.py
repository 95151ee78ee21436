"""Identification beside FIDO and siegfried: ``python -m bench identify [--files FOLDER]``.

The files are skeletons that the signature file itself describes, and those of a folder that is given. Rows: FIDO in
process, ours in process, ours in its child process (as an ingest asks it), siegfried through pygfried in an
environment of its own.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from fido import CONFIG_DIR
from fido.fido import Fido

from bench.measure import Row, interleave, table
from preservation.identification.data import default_signatures
from preservation.identification.identifier import PronomIdentifier
from preservation.identification.port import WINDOW, Sample
from preservation.identification.pronom.engine import PronomEngine
from preservation.identification.pronom.signature_file import read_signature_files
from tests.builders.skeletons import Skeleton, byte_skeletons, container_skeletons

_SIEGFRIED = """
import contextlib, sys, pygfried
for path in sys.stdin.read().split("\\0"):
    with contextlib.suppress(pygfried.GoError):
        pygfried.identify(path)
"""


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


def _rows(files: list[Path], python: str) -> list[Row]:
    paths = default_signatures()
    engine = PronomEngine(read_signature_files(paths.binary, paths.container))
    formats = ["formats-v109.xml", "format_extensions.xml"]
    fido = Fido(quiet=True, conf_dir=CONFIG_DIR, format_files=formats, handle_matches=lambda *_: None)

    def with_fido() -> None:
        for path in files:
            try:
                fido.identify_file(str(path))
            except Exception:  # noqa: BLE001 - it does not catch what its container reader raises
                continue

    def in_process() -> None:
        for sample in map(_sample, files):
            with sample.spool.open("rb") if sample.spool else io.BytesIO() as file:
                engine.answer(sample.name, sample.size, sample.head, sample.tail, file)

    def in_child() -> None:
        identifier = PronomIdentifier()
        for path in files:
            identifier.identify(_sample(path))
        identifier.close()

    def siegfried() -> None:
        names = "\0".join(map(str, files))
        subprocess.run([python, "-c", _SIEGFRIED], input=names, text=True, check=True)

    return [
        Row("FIDO in process", with_fido),
        Row("ours in process", in_process),
        Row("ours in its child process, started anew", in_child),
        Row("siegfried (pygfried), started anew", siegfried),
    ]


def run(parent: Path, folder: Path | None, rounds: int = 3) -> str:
    """A table for the skeletons, and one for the folder."""
    python, texts = siegfried_python(), []
    for title, files in _corpora(parent, folder):
        rows = _rows(files, python)
        interleave(rows, rounds)
        texts.append(table(title, rows, size=sum(path.stat().st_size for path in files), files=len(files)))
    return "\n".join(texts)


def _corpora(parent: Path, folder: Path | None) -> list[tuple[str, list[Path]]]:
    paths = default_signatures()
    found = [("Identification of skeleton files", _written(parent / "bytes", byte_skeletons(paths.binary)))]
    for kind in ("ZIP", "OLE2"):
        skeletons = container_skeletons(paths.container, kind)
        found.append((f"Identification of {kind} skeletons", _written(parent / kind.lower(), skeletons)))
    if folder is not None:
        files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        found.append((f"Identification of files in {folder.name}", files))
    return found


def _written(folder: Path, skeletons: Iterable[Skeleton]) -> list[Path]:
    folder.mkdir()
    files = []
    for number, skeleton in enumerate(skeletons):
        path = folder / f"{number:05d}.{skeleton.extension or 'bin'}"
        path.write_bytes(skeleton.data)
        files.append(path)
    return files
