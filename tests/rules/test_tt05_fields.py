"""Every code of a field: as it is weighed by default, and as an archive that is strict would weigh it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rules.cases import Case
from tests.rules.tt05 import DOC, EAD, LOOSE_SIP, SIP, Mutation, case, field, strict_codes, sub, without

MUTATIONS: dict[str, Mutation] = {
    "REQUIRED": without(EAD, "mode"),
    "CONDITION": field(EAD, "riskRecovery", "1"),
    "LENGTH": field(EAD, "keyword", "x" * 101),
    "CODE": field(EAD, "mode", "04"),
    "DATE": field(EAD, "startDate", "hôm qua"),
    "NUMBER": field(EAD, "numberOfPage", "năm"),
    "BOOLEAN": field(EAD, "riskRecovery", "2"),
    "PERMANENT": field(EAD, "maintenance", "03"),
    "UNKNOWN-FIELD": sub(EAD, "</simpledc>", "<note>riêng</note></simpledc>"),
    "REPEATED": sub(EAD, "</simpledc>", "<mode>01</mode></simpledc>"),
}

CASES: list[Case] = [
    *(case(f"{code}-NOTED", SIP, mutate) for code, mutate in MUTATIONS.items()),
    *(case(code, SIP, mutate, name="strict", judge=strict_codes) for code, mutate in MUTATIONS.items()),
    case("REQUIRED", SIP, without(DOC, "subject"), name="identity"),
    case("PERMANENT-NOTED", LOOSE_SIP, field(DOC, "maintenance", "02"), name="of a loose document"),
    case("ROOT", SIP, sub(DOC, "simpledc>", "ead>", 2)),
    case("TOO-MANY-FIELDS", SIP, sub(DOC, "</simpledc>", "<x/>" * 1001 + "</simpledc>")),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_one_thing_broken_gives_its_code(case: Case, tmp_path: Path) -> None:
    case.prove(tmp_path)
