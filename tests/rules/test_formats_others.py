"""Every code of files that are neither PDF nor images, each with a twin that is right."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.builders.contents import KIEU, compound, mail, old_word, relations, tcvn3, word, zipped
from tests.preservation.looking import codes, looked
from tests.rules.cases import Build, Case

FRENCH = "L'élève a déjà relevé la tête, à côté de la forêt."


def _codes(file: Path, work: Path, profile: str) -> set[str]:
    """What the look into a file remarks."""
    del work, profile
    return set(codes(looked(file.suffix[1:], file.read_bytes())))


def _file(kind: str, data: bytes) -> Build:
    def build(folder: Path) -> Path:
        path = folder / f"1.{kind}"
        path.write_bytes(data)
        return path

    return build


def case(code: str, kind: str, good: bytes, bad: bytes, other_kind: str = "") -> Case:
    return Case(
        f"{code} in {kind}",
        frozenset({f"FORMAT-{code}"}),
        _file(other_kind or kind, good),
        _file(kind, bad),
        judge=_codes,
    )


DOCX = zipped(word())
TEMPLATE = relations(("attachedTemplate", "https://example.vn/a.dotm", True))
FIELD = '<w:fldSimple w:instr="DDEAUTO cmd"/>'
CASES = [
    case("LEGACY-ENCODING", "txt", KIEU.encode(), tcvn3(KIEU)),
    case("UNKNOWN-ENCODING", "csv", FRENCH.encode(), FRENCH.encode("latin-1")),
    case("DOCTYPE", "xml", b"<a/>", b"<!DOCTYPE a><a/>"),
    case("SCRIPT", "svg", b"<svg><rect/></svg>", b"<svg><script/></svg>"),
    case("MACROS", "docx", DOCX, zipped(word(**{"word/vbaProject.bin": b"x"}))),
    case("DDE", "docx", DOCX, zipped(word(body=FIELD))),
    case("EXTERNAL", "docx", DOCX, zipped(word(**{"word/_rels/settings.xml.rels": TEMPLATE}))),
    case("LEGACY-FONT", "docx", DOCX, zipped(word(text=tcvn3(KIEU).decode("cp1252")))),
    case("NO-TEXT", "doc", compound(old_word()), compound({**old_word(), "1Table": b""})),
    case("ATTACHMENTS", "eml", mail(attached=None), mail()),
    case("NOT-UNPACKED", "zip", DOCX, zipped({"1.docx": DOCX}), "docx"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case(case: Case, tmp_path: Path) -> None:
    case.prove(tmp_path)
