"""Looking into files, by family: ``python -m bench formats``.

The files are the mixed documents of ``tests/builders/mixed.py``. The first row is what a library alone costs, where
there is one to compare with (PDF: qpdf's own check; images: decoding by Pillow); then our look in this process, and in
a child of the workshop, as an ingest has it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pikepdf
from PIL import Image

from bench.measure import Row, interleave, table
from preservation.formats.families import family_of
from preservation.formats.inspector import FormatInspector
from preservation.formats.port import Inspector, Specimen
from preservation.identification.identifier import PronomIdentifier
from preservation.identification.port import WINDOW, Sample
from preservation.workshop.local import LocalWorkshop
from preservation.workshop.pool import ChildWorkshop
from tests.builders.mixed import mixed_package

_FILES = 600


def run(folder: Path, rounds: int) -> str:
    """One table a family."""
    mixed_package(folder / "mixed", _FILES)
    families: dict[str, list[tuple[Path, Specimen]]] = defaultdict(list)
    with closing(PronomIdentifier()) as identifier:
        for path in sorted((folder / "mixed").rglob("*.*")):
            specimen = _specimen(path, identifier)
            if family := family_of(specimen.format):
                families[family.name].append((path, specimen))
    return "\n".join(_family(name, files, rounds) for name, files in families.items())


def _specimen(path: Path, identifier: PronomIdentifier) -> Specimen:
    data = path.read_bytes()
    head, tail = data[:WINDOW], data[-WINDOW:]
    found = identifier.identify(Sample(path.name, len(data), head, tail, path))
    return Specimen(path.name, len(data), found, head, tail)


def _family(name: str, files: list[tuple[Path, Specimen]], rounds: int) -> str:
    with closing(LocalWorkshop()) as here, closing(ChildWorkshop(children=1)) as child:
        rows = [
            *_alone(name, [path for path, _ in files]),
            Row("ours, in this process", _looking(FormatInspector(here), files)),
            Row("ours, in a child of the workshop", _looking(FormatInspector(child), files)),
        ]
        for row in rows:
            row.run()  # libraries are loaded, the child is started
        interleave(rows, rounds)
    return table(f"Look into {name}", rows, size=sum(one.size for _, one in files), files=len(files))


def _looking(inspector: Inspector, files: list[tuple[Path, Specimen]]) -> Callable[[], None]:
    def look() -> None:
        for path, specimen in files:
            with path.open("rb") as file:
                inspector.inspect(specimen, file)

    return look


def _alone(name: str, paths: list[Path]) -> Iterator[Row]:
    def check() -> None:
        for path in paths:
            with path.open("rb") as file, pikepdf.open(file) as pdf:
                pdf.check_pdf_syntax()

    def decode() -> None:
        for path in paths:
            with Image.open(path) as image:
                image.load()

    if name == "pdf":
        yield Row("qpdf's own check", check)
    if name == "image":
        yield Row("Pillow, decoding alone", decode)
