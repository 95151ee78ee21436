"""Every field of every form of every package: taken out, too long, of another kind, in a list that lacks its code."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from metadata.findings import Findings
from metadata.package_kinds import PackageKind
from metadata.tt05.field_rules import judge_document, judge_dossier
from metadata.tt05.fields import Fields, document_kind, read_simpledc
from metadata.tt05.profile import DocumentKind, FieldRule, FieldType, Form, Need, default_profile
from tests.builders.tt05 import BUILDERS, all_kinds

PROFILE = default_profile()
REP = "representations/rep1/metadata/descriptive/"
Kinds = dict[tuple[PackageKind, DocumentKind | None], Fields]


class Row(NamedTuple):
    """A field of a form, what is done to it, and the codes that it must give."""

    package: PackageKind
    kind: DocumentKind | None
    field: str
    what: str
    change: Callable[[str], str | None]
    codes: frozenset[str]


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Kinds:
    """The fields of good files of every kind, as they are written into packages."""
    found: Kinds = {}
    for package, build in BUILDERS.items():
        folder: Path = build(tmp_path_factory.mktemp("goi"), contents=all_kinds())
        paths = [folder / "metadata/descriptive/EAD.xml", *(folder / REP).iterdir()]
        for path in paths:
            named = document_kind(path.name)
            with path.open("rb") as stream:
                found.setdefault((package, named[0] if named else None), read_simpledc(stream))
    return found


def form_of(package: PackageKind, kind: DocumentKind | None) -> Form:
    return PROFILE.form(kind, package)


def rows() -> Iterator[Row]:
    for package in PROFILE.packages:
        for kind in (None, *DocumentKind):
            form = form_of(package, kind)
            for field, rule in form.fields.items():
                for what, change, codes in _changes(rule, form):
                    yield Row(package, kind, field, what, change, frozenset(f"TT05-{code}" for code in codes))


def _changes(rule: FieldRule, form: Form) -> Iterator[tuple[str, Callable[[str], str | None], set[str]]]:
    lacking = "REQUIRED" if rule.name in form.identity else "REQUIRED-NOTED"
    if rule.need is Need.REQUIRED:
        yield "out", lambda _: None, {lacking}
        yield "empty", lambda _: "", {lacking}
    if rule.length and rule.type is FieldType.STRING:
        yield "long", lambda _: "x" * (rule.length + 1), {"LENGTH-NOTED"}
        yield "as long as may be", lambda _: "x" * rule.length, set()
    if rule.type in (FieldType.CODE, FieldType.CODES):
        permanent = {"PERMANENT-NOTED"} if rule.name == "maintenance" and form.permanent else set()
        length = {"LENGTH-NOTED"} if rule.length == 1 else set()
        yield "no code", lambda _: "99", {"CODE-NOTED"} | permanent | length
        for code in PROFILE.lists[rule.name]:
            yield f"code {code}", lambda _, code=code: code, permanent if code != form.permanent else set()  # type: ignore[misc]
    if rule.type is FieldType.CODES:
        yield "two codes", lambda _: "01; 02", set()
        yield "two, one unknown", lambda _: "01; 99", {"CODE-NOTED"}
    if rule.type is FieldType.DATE:
        yield "no date", lambda _: "hôm qua", {"DATE-NOTED"}
        yield "ISO", lambda _: "2024-06-01", {"DATE-ISO"}
        yield "a year", lambda _: "2024", set() if form.partial_dates else {"DATE-PARTIAL"}
    if rule.type is FieldType.NUMBER:
        yield "no number", lambda _: "x", {"NUMBER-NOTED"}
    if rule.type is FieldType.BOOLEAN:
        yield "neither", lambda _: "2", {"BOOLEAN-NOTED"}
    listed = next(iter(PROFILE.lists.get(rule.name, {})), "1") if rule.type.startswith("code") else "1"
    some = "01/06/2024" if rule.type is FieldType.DATE else listed
    yield "twice", lambda text: f"{text or some}\0", {"REPEATED-NOTED"}


ROWS = list(rows())
# What also follows when one of these has another value: a field that is called for, a date before another.
FOLLOWS = {
    "confidenceLevel": {"TT05-CONDITION-NOTED"},
    "riskRecovery": {"TT05-CONDITION-NOTED"},
    "maintenance": {"TT05-PERMANENT-NOTED"},
    "startDate": {"TT05-PERIOD"},
    "endDate": {"TT05-PERIOD"},
}


def changed(fields: Fields, row: Row) -> Fields:
    """The fields with one changed; put there when it was not."""
    own = fields.get(row.field)
    text = row.change(own)
    others = [(name, value) for name, value in fields if name != row.field]
    if text is None:
        return Fields(tuple(others))
    texts = [text[:-1]] * 2 if text.endswith("\0") else [text]
    return Fields((*others, *((row.field, one) for one in texts)))


def codes(fields: Fields, row: Row) -> set[str]:
    findings = Findings()
    if row.kind is None:
        judge_dossier(fields, findings, "EAD.xml", package=row.package)
    else:
        judge_document(fields, findings, "EAD_doc_1.xml", kind=row.kind, package=row.package)
    return set(findings.counts)


def test_there_are_rows_for_every_field_of_every_form() -> None:
    forms = {form_of(row.package, row.kind).name for row in ROWS}
    assert forms == set(PROFILE.forms)
    assert {(row.package, row.kind, row.field) for row in ROWS} == {
        (package, kind, field)
        for package in PROFILE.packages
        for kind in (None, *DocumentKind)
        for field in form_of(package, kind).fields
    }
    assert len(ROWS) > 1000


def test_every_change_of_every_field_gives_its_codes_and_no_other(good: Kinds) -> None:
    wrong = []
    for row in ROWS:
        fields = good[row.package, row.kind]
        assert codes(fields, row) == set()
        found = codes(changed(fields, row), row)
        if not (row.codes <= found and found <= row.codes | FOLLOWS.get(row.field, set())):
            wrong.append((row.package.value, row.kind, row.field, row.what, sorted(found), sorted(row.codes)))
    assert wrong == []


def test_a_condition_calls_for_its_field(good: Kinds) -> None:
    called = 0
    for (package, kind), fields in good.items():
        for rule in form_of(package, kind).fields.values():
            if rule.when is None:
                continue
            cause, values = rule.when
            for value in values:
                others = tuple(pair for pair in fields if pair[0] not in (cause, rule.name))
                row = Row(package, kind, rule.name, "", lambda _: None, frozenset())
                assert "TT05-CONDITION-NOTED" in codes(Fields((*others, (cause, value))), row)
                called += 1
            others = tuple(pair for pair in fields if pair[0] not in (cause, rule.name))
            assert "TT05-CONDITION-NOTED" not in codes(Fields(others), row)
    assert called > 20
