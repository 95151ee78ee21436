"""Codes of XML, METS and PREMIS documents: each with a document that breaks one thing and a twin that does not."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from unittest.mock import patch

import pytest

from metadata.events import Agent, Event, EventType
from metadata.findings import Findings
from metadata.identifiers import AipId, VersionId
from metadata.premis import Category, PremisObject, iter_premis, write_premis
from metadata.refusal import DocumentRefused
from tests.builders.tt05 import edit, sip_hoso
from tests.rules.cases import Build, Case

EAD = "metadata/descriptive/EAD.xml"
METS = "representations/rep1/METS.xml"
EVENTS = 3


def sip(mutate: Callable[[Path], object] = lambda folder: None) -> Build:
    """A SIP_hoso of which a metadata file was changed by the agency's software, its METS made afterwards."""
    return lambda folder: sip_hoso(folder, mutate=mutate, then_reseal=True)


def replaced(name: str, old: str, new: str) -> Build:
    return sip(lambda folder: edit(folder, name, old, new))


def mets(name: str, *edits: tuple[str, str]) -> Build:
    """A SIP_hoso of which a METS was changed after everything else."""

    def mutate(folder: Path) -> None:
        for old, new in edits:
            edit(folder, name, old, new)

    return lambda folder: sip_hoso(folder, mutate=mutate)


def ead(change: Callable[[bytes], bytes]) -> Build:
    def mutate(folder: Path) -> None:
        path = folder / EAD
        path.write_bytes(change(path.read_bytes()))

    return sip(mutate)


def document_case(code: str, bad: Build, *also: str, good: Build | None = None) -> Case:
    return Case(f"document: {code}", frozenset({code}), good or sip(), bad, frozenset(also))


# PREMIS, which a SIP does not have: read as an AIP's would be


def premis_codes(document: Path, work: Path, _: str) -> set[str]:
    """What a reading of the document refuses; an AIP may have three events here."""
    del work
    findings = Findings()
    with document.open("rb") as stream, patch("metadata.premis.reader._EVENT_LIMIT", EVENTS):
        try:
            for _item in iter_premis(stream, document.name):
                pass
        except DocumentRefused as refused:
            refused.note(findings)
    return set(findings.counts)


def premis(edits: Sequence[tuple[str, str]], events: int = EVENTS) -> Build:
    """A PREMIS document with so many events, then edited."""
    version = VersionId(AipId(uuid.UUID(int=7)), 1)
    moment = datetime(2026, 7, 1, tzinfo=UTC)
    made = [
        Event(uuid.UUID(int=n), version, EventType.VALIDATION, moment, "Đã kiểm tra", "success", "", Agent("a", "A"))
        for n in range(events)
    ]

    def build(folder: Path) -> Path:
        path = folder / "PREMIS.xml"
        with path.open("wb") as out:
            write_premis(out, [PremisObject("AIP", "x", Category.INTELLECTUAL_ENTITY)], made)
        for old, new in edits:
            edit(folder, path.name, old, new)
        return path

    return build


def premis_case(code: str, *edits: tuple[str, str], events: int = EVENTS) -> Case:
    return Case(f"document: {code}", frozenset({code}), premis([]), premis(edits, events), judge=premis_codes)


deep = partial(ead, lambda data: data.replace(b"</simpledc>", b"<x>" * 200 + b"</x>" * 200 + b"</simpledc>"))
wide = partial(
    ead, lambda data: data.replace(b"<simpledc>", b"<simpledc " + b" ".join(b'a%d=""' % n for n in range(500)) + b">")
)

CASES = [
    document_case("XML-DOCTYPE", replaced(EAD, "<simpledc>", "<!DOCTYPE simpledc>\n<simpledc>")),
    document_case("XML-NOT-WELL-FORMED", replaced(EAD, "</simpledc>", "</simpledcs>")),
    document_case("XML-TOO-DEEP", deep()),
    document_case("XML-TOO-LARGE", wide()),
    document_case("XML-ENCODING", ead(lambda data: data.replace("Hồ".encode(), b"H\xf4"))),
    document_case(
        "METS-ROOT", mets("METS.xml", ("<mets ", "<met "), ("</mets>", "</met>")), "SIP-UNNAMED", "PACKAGE-NO-OBJID"
    ),
    document_case("METS-VALUE", mets("METS.xml", ('SIZE="', 'SIZE="-'))),
    document_case(
        "METS-NO-HREF", mets("METS.xml", ("xlink:href=", "xlink:title=")), "SIP-UNNAMED", "TT05-METS-ATTRIBUTE"
    ),
    Case(
        "document: a list of codes without a code",
        frozenset({"TT05-CODE-NOTED"}),
        sip(),
        replaced(EAD, "<language>01</language>", "<language>,</language>"),
    ),
    premis_case("PREMIS-ROOT", ("<premis ", "<premi "), ("</premis>", "</premi>")),
    premis_case("PREMIS-VALUE", ("2026-07-01T", "2026-99-01T")),
    premis_case("PREMIS-TOO-MANY-EVENTS", events=EVENTS + 1),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_one_thing_broken_gives_its_code(case: Case, tmp_path: Path) -> None:
    case.prove(tmp_path)
