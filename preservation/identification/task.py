"""Identification as tasks of the workshop. Its equipment ``signatures`` is the paths of the two signature files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from preservation.identification.choice import choose
from preservation.identification.port import Sample
from preservation.identification.pronom.engine import PronomEngine
from preservation.identification.pronom.signature_file import read_signature_files
from preservation.workshop.port import Tools, Values


def prepare(tools: Tools) -> None:
    """Read the signature files. Raises what that raises."""
    _engine(tools)


def identify(tools: Tools, arguments: Values, files: Sequence[BinaryIO]) -> Values:
    """The task: a sample and, when it is at hand, the whole file. Answers with a format."""
    name, size, head = arguments["name"], arguments["size"], arguments["head"]
    sample = Sample(name, size, head, arguments.get("tail", head))
    found = choose(sample, _engine(tools).answer(name, size, head, sample.tail, files[0] if files else None))
    return {"format": [str(found.puid or ""), found.name, found.version, found.mime, found.basis, found.warning]}


def by_name(tools: Tools, arguments: Values, files: Sequence[BinaryIO]) -> Values:
    """The task of telling what a file's extension says, looking at no byte of it. Answers with an Answer's fields."""
    return _engine(tools).by_name(arguments["name"]).fields()


def _engine(tools: Tools) -> PronomEngine:
    def make() -> PronomEngine:
        binary, container = map(Path, tools.equipment["signatures"])
        return PronomEngine(read_signature_files(binary, container))

    return tools.once("preservation.identification", make)
