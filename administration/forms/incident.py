"""Biên bản xử lý sự cố và phục hồi: one incident from first to last look (NĐ 113 Điều 22; TT 05 Phụ lục VII)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from administration.forms.sheet import Column, Facts, Head, Line, Person, Section, Sheet, Signature, Table, Words
from administration.forms.words import basis, moment_text, number_text, word
from metadata.holdings import AipVersion
from metadata.incidents import Incident, IncidentState
from metadata.journal import Numbered
from metadata.text import Sentence

_MENDED = "mended"
_SHOWN_APART = {"damages", "events", _MENDED}
_DEEPEST = 4
_MOST_LINES = 200


@dataclass(frozen=True, slots=True)
class Step:
    """What the archive's journal tells of the incident: ``number`` and ``digest`` (SHA-256) prove the entry."""

    number: int
    digest: bytes
    at: datetime
    act: str
    person: str
    by: str


@dataclass(frozen=True, slots=True)
class IncidentData:
    """The incident and its history, the oldest first; ``title`` and ``code`` are of the dossier, empty without one."""

    incident: Incident
    steps: tuple[Step, ...]
    title: str = ""
    code: str = ""


def incident_data(incident: Incident, history: Sequence[Numbered], held: AipVersion | None = None) -> IncidentData:
    """The form's data; ``held`` is the version that the incident is about."""
    steps = (
        Step(one.number, one.digest, one.entry.at, one.entry.act, one.entry.person, one.entry.agent.name)
        for one in history
    )
    title, code = (held.title, held.code.value) if held else ("", "")
    return IncidentData(incident, tuple(steps), title, code)


def incident_sheet(data: IncidentData, archive: str, head: Head, people: Sequence[Person]) -> Sheet:
    """The minutes of one incident; who signed it off has handled it unless ``people`` say otherwise. Who approves is
    never taken from anywhere else."""
    one = data.incident
    handled = people[1] if len(people) > 1 else Person.parse(one.person)
    return Sheet(
        Sentence("Biên bản xử lý sự cố và phục hồi", "Minutes of an incident, its handling and the recovery"),
        f"{word('incident', one.kind.value).vi} ({one.id})",
        "BB-SC",
        archive,
        head,
        basis("archives_law", "decree", "circular"),
        (
            Section(Sentence("Sự cố", "What happened"), (_facts(data), Words(one.told))),
            Section(Sentence("Phạm vi hư hại", "Extent of the damage"), tuple(_extent(one.facts))),
            Section(Sentence("Nguyên nhân", "Cause"), (_written(one.cause),)),
            Section(Sentence("Cách xử lý", "Handling"), (_written(one.handling),)),
            Section(Sentence("Phục hồi và kiểm tra lại", "Recovery, and the check after it"), (_recovery(one),)),
            Section(Sentence("Diễn biến theo nhật ký của kho", "As the archive's journal tells it"), (_steps(data),)),
            Section(Sentence("Kết luận", "Conclusion"), (Words(_conclusion(one)),)),
        ),
        (
            Signature(Sentence("Người lập biên bản", "Drawn up by"), people[0].name if people else ""),
            Signature(Sentence("Người xử lý", "Handled by"), handled.name),
            Signature(Sentence("Lãnh đạo phê duyệt", "Approved by"), people[2].name if len(people) > 2 else ""),
        ),
        tuple(people) or (Person(""), Person("")),
    )


def _facts(data: IncidentData) -> Facts:
    one = data.incident
    lines = [
        Line(Sentence("Mã sự cố", "Incident"), one.id),
        Line(Sentence("Loại", "Kind"), word("incident", one.kind.value).vi),
        Line(Sentence("Phát hiện lúc", "Found"), moment_text(one.opened)),
        Line(Sentence("Số lần gặp", "Times met"), number_text(one.seen)),
        Line(Sentence("Tình trạng", "State"), word("state", one.state.value).vi),
    ]
    if data.title:
        lines.append(Line(Sentence("Hồ sơ", "Dossier"), data.title))
    if data.code:
        lines.append(Line(Sentence("Mã hồ sơ", "Code of the dossier"), data.code))
    if one.version is not None:
        lines.append(Line(Sentence("Gói tin AIP", "AIP version"), str(one.version), code=True))
    if one.store is not None:
        lines.append(Line(Sentence("Nơi lưu", "Store"), str(one.store)))
    return Facts(tuple(lines))


def _extent(facts: Mapping[str, Any]) -> Iterator[Facts | Table | Words]:
    """What was found: the members that are damaged as a table, everything else that is told as it is named."""
    damages = facts.get("damages")
    apart = _SHOWN_APART | {"store"} | ({"note"} if damages else set())  # a note says the table again, as software does
    known = list(_flat({name: value for name, value in facts.items() if name not in apart}))
    if known:
        yield Facts(tuple(known[:_MOST_LINES]))
    if isinstance(damages, list) and damages:
        columns = (
            Column(Sentence("Thành phần", "Member")),
            Column(Sentence("Hư hại", "Damage")),
            Column(Sentence("Giá trị đúng", "Expected"), code=True),
            Column(Sentence("Giá trị đọc được", "Found"), code=True),
        )
        rows = tuple(
            (
                str(one.get("place", "")),
                word("damage", str(one.get("kind", ""))).vi,
                str(one.get("expected", "")),
                str(one.get("found", "")),
            )
            for one in damages
            if isinstance(one, Mapping)
        )
        count = facts.get("damage_count")
        yield Table(columns, rows, count=count if isinstance(count, int) else 0)
    if not known and not damages:
        yield Words(
            Sentence("Không ghi nhận hư hại nào ở thành phần của gói tin.", "No damage to members is recorded.")
        )


def _recovery(one: Incident) -> Facts | Words:
    mended = one.facts.get(_MENDED)
    told = mended if isinstance(mended, Mapping) else {}
    if one.mended is None and not told:
        return Words(Sentence("Chưa được phục hồi.", "Not recovered."))
    lines = [Line(Sentence("Phục hồi lúc", "Recovered"), moment_text(one.mended))]
    lines += _flat({name: value for name, value in told.items() if name not in _SHOWN_APART})
    return Facts(tuple(lines[:_MOST_LINES]))


def _flat(value: object, name: str = "", depth: int = 0) -> Iterator[Line]:
    """What facts tell, one line for each value, whatever their shape."""
    if isinstance(value, Mapping) and depth < _DEEPEST:
        for key, inner in value.items():
            yield from _flat(inner, str(key), depth + 1)
    elif isinstance(value, list) and depth < _DEEPEST and any(isinstance(one, Mapping | list) for one in value):
        for inner in value[:_MOST_LINES]:
            yield from _flat(inner, name, depth + 1)
    elif value not in (None, "", [], {}):
        text = _value_text(name, value)
        yield Line(word("fact", name), text, code=len(text) >= 40 and " " not in text)


def _value_text(name: str, value: object) -> str:
    if name == "outcome":
        return word("outcome", str(value)).vi
    if name == "how":
        return word("how", str(value)).vi
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return "có / yes" if value else "không / no"
    if isinstance(value, int):
        return number_text(value)
    if isinstance(value, str) and value[-1:] == "Z" and value[4:5] == "-":
        try:
            return moment_text(datetime.fromisoformat(value))
        except ValueError:
            return value
    return str(value)


def _written(text: str) -> Words:
    return Words(Sentence(text, "") if text else Sentence("Chưa ghi: " + "." * 60, "Not written yet."))


def _steps(data: IncidentData) -> Table:
    columns = (
        Column(Sentence("Số", "No."), number=True),
        Column(Sentence("Lúc", "When"), number=True),
        Column(Sentence("Việc", "What")),
        Column(Sentence("Người", "By")),
        Column(Sentence("SHA-256 của dòng nhật ký", "SHA-256 of the entry"), code=True),
    )
    rows = tuple(
        (
            number_text(one.number),
            moment_text(one.at),
            word("act", one.act).vi,
            one.person or one.by,
            one.digest.hex(),
        )
        for one in data.steps
    )
    return Table(columns, rows)


def _conclusion(one: Incident) -> Sentence:
    if one.state is IncidentState.OPEN:
        return Sentence("Sự cố chưa được khắc phục.", "The incident is not mended.")
    if one.state is IncidentState.MENDED:
        return Sentence(
            f"Sự cố đã được khắc phục lúc {moment_text(one.mended)}; chưa có người ký kết thúc.",
            "The incident is mended; nobody has signed it off yet.",
        )
    if one.mended is None:
        return Sentence(
            f"{one.person} ký kết thúc lúc {moment_text(one.closed)} khi sự cố chưa được khắc phục.",
            f"{one.person} signed it off unmended.",
        )
    mended, closed = moment_text(one.mended), moment_text(one.closed)
    return Sentence(
        f"Sự cố đã được khắc phục lúc {mended}; {one.person} ký kết thúc lúc {closed}.",
        f"The incident was mended; {one.person} signed it off.",
    )
