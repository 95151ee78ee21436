"""Biên bản kiểm tra: what was checked of records and database in a period (TT 05 Điều 26, 27; Phụ lục VII)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from administration.forms.period import Period
from administration.forms.sheet import Column, Facts, Head, Line, Person, Section, Sheet, Signature, Table, Words
from administration.forms.words import basis, day_text, moment_text, number_text, share_text, size_text, word
from metadata.audits import CoverageDay
from metadata.catalogue.statistics import DatabaseCheck, ReplicaCount
from metadata.identifiers import StoreId
from metadata.incidents import Incident, IncidentKind, IncidentState
from metadata.outcomes import Fixity
from metadata.text import Sentence


@dataclass(frozen=True, slots=True)
class StoreChecked:
    """What was checked in one store: ``checked`` are the replicas whose last look was in the period, by what it came
    to, ``bytes`` theirs; ``earlier``, ``later`` and ``never`` are the others. ``oldest`` is the day of the oldest whole
    reading in the store; ``unread`` how many replicas were never read whole."""

    store: StoreId
    site: str
    replicas: int
    checked: Mapping[Fixity, int]
    bytes: int
    earlier: int
    later: int
    never: int
    oldest: date | None
    unread: int

    @property
    def done(self) -> int:
        """How many were looked at in the period."""
        return sum(self.checked.values())


@dataclass(frozen=True, slots=True)
class CheckData:
    """What the form says. ``incidents`` are all that were opened in the period, by kind and how they stand now;
    ``listed`` are the first of them."""

    period: Period
    stores: tuple[StoreChecked, ...]
    database: tuple[DatabaseCheck, ...]
    incidents: Mapping[str, int]
    listed: tuple[Incident, ...]
    incident_count: int
    open_now: int

    @property
    def wrong(self) -> int:
        """Replicas that were found damaged and rows of the database that are wrong."""
        damaged = sum(count for one in self.stores for outcome, count in one.checked.items() if outcome.damaged)
        return damaged + sum(one.wrong or 0 for one in self.database)


def check_data(
    period: Period,
    sites: Mapping[StoreId, str],
    replicas: Iterable[ReplicaCount],
    coverage: Iterable[CoverageDay],
    database: Sequence[DatabaseCheck],
    incidents: Mapping[tuple[IncidentKind, IncidentState], int],
    listed: Sequence[Incident],
    open_now: int,
) -> CheckData:
    """The form's data out of the catalogue's sums; a store of the settings that holds nothing is there too."""
    counts, days = list(replicas), list(coverage)
    stores = [*sites, *sorted({one.store for one in counts} - set(sites), key=str)]
    return CheckData(
        period,
        tuple(_store(store, sites.get(store, ""), counts, days) for store in stores),
        tuple(database),
        {f"{kind.value} {state.value}": count for (kind, state), count in sorted(incidents.items())},
        tuple(listed),
        sum(incidents.values()),
        open_now,
    )


def _store(store: StoreId, site: str, counts: list[ReplicaCount], days: list[CoverageDay]) -> StoreChecked:
    mine = [one for one in counts if one.store == store]
    read = [one for one in days if one.store == store]
    checked = dict.fromkeys(Fixity, 0)
    for one in mine:
        if one.when == "within":
            checked[one.outcome] += one.replicas

    def others(when: str) -> int:
        return sum(one.replicas for one in mine if one.when == when)

    return StoreChecked(
        store,
        site,
        sum(one.replicas for one in mine),
        checked,
        sum(one.bytes for one in mine if one.when == "within"),
        others("before"),
        others("after"),
        others("never"),
        min((one.day for one in read if one.day is not None), default=None),
        sum(one.replicas for one in read if one.day is None),
    )


def check_sheet(data: CheckData, archive: str, head: Head, people: Sequence[Person]) -> Sheet:
    """The form."""
    return Sheet(
        Sentence(
            "Biên bản kiểm tra tài liệu lưu trữ số và cơ sở dữ liệu",
            "Minutes of the check of digital records and of the database",
        ),
        str(data.period),
        "BB-KT",
        archive,
        head,
        basis("archives_law", "circular"),
        (
            Section(
                Sentence("Kiểm tra tài liệu trong từng nơi lưu", "Records, store by store"),
                (_stores(data), Words(_HOW), _coverage(data)),
            ),
            Section(Sentence("Kiểm tra cơ sở dữ liệu", "The database"), (_database(data.database),)),
            Section(Sentence("Sự cố phát hiện trong kỳ", "Incidents found in the period"), (_incidents(data),)),
            Section(Sentence("Kết luận", "Conclusion"), (Words(_conclusion(data)),)),
        ),
        (
            Signature(Sentence("Người kiểm tra", "Checked by"), people[0].name if people else ""),
            Signature(Sentence("Người chứng kiến", "Witness"), people[1].name if len(people) > 1 else ""),
            Signature(Sentence("Lãnh đạo phê duyệt", "Approved by"), people[2].name if len(people) > 2 else ""),
        ),
        tuple(people) or (Person(""), Person("")),
    )


_HOW = Sentence(
    "Mỗi bản sao được tính theo lần kiểm tra gần nhất của nó. «Khớp» nghĩa là mọi byte đã được đọc lại và mã băm "
    "SHA-256 đúng; không đọc được thì không tính là khớp, cũng không tính là hư hại.",
    "Each replica counts by the last look at it. “Matches” means that every byte was read and its SHA-256 is right; "
    "one that could not be read counts neither as matching nor as damaged.",
)


def _stores(data: CheckData) -> Table:
    order = (Fixity.MATCH, Fixity.MISMATCH, Fixity.MISSING, Fixity.UNREADABLE)
    columns = (
        Column(Sentence("Nơi lưu", "Store")),
        Column(Sentence("Bản sao", "Replicas"), number=True),
        Column(Sentence("Kiểm tra trong kỳ", "Checked"), number=True),
        *(Column(word("outcome", one.value), number=True) for one in order),
        Column(Sentence("Dung lượng đã đọc", "Bytes read"), number=True),
    )
    rows = [
        (
            f"{one.store} ({one.site})" if one.site else str(one.store),
            *map(number_text, (one.replicas, one.done, *(one.checked[outcome] for outcome in order))),
            size_text(one.bytes),
        )
        for one in data.stores
    ]
    sums = (sum(one.replicas for one in data.stores), sum(one.done for one in data.stores))
    found = (sum(one.checked[outcome] for one in data.stores) for outcome in order)
    total = ("Cộng", *map(number_text, (*sums, *found)), size_text(sum(one.bytes for one in data.stores)))
    return Table(columns, tuple(rows), total)


def _coverage(data: CheckData) -> Table:
    columns = (
        Column(Sentence("Nơi lưu", "Store")),
        Column(Sentence("Tỷ lệ kiểm tra trong kỳ", "Share checked"), number=True),
        Column(Sentence("Kiểm tra trước kỳ", "Checked before"), number=True),
        Column(Sentence("Kiểm tra sau kỳ", "Checked after"), number=True),
        Column(Sentence("Chưa kiểm tra lần nào", "Never checked"), number=True),
        Column(Sentence("Lần đọc toàn bộ lâu nhất", "Oldest whole reading"), number=True),
    )
    rows = tuple(
        (
            str(one.store),
            share_text(one.done, one.replicas),
            *map(number_text, (one.earlier, one.later, one.never)),
            day_text(one.oldest) if not one.unread else f"{number_text(one.unread)} chưa đọc",
        )
        for one in data.stores
    )
    return Table(columns, rows)


def _database(checks: Sequence[DatabaseCheck]) -> Facts:
    def told(one: DatabaseCheck) -> str:
        if one.wrong is None:
            return f"Không kiểm tra được: {one.note} / Could not be checked"
        if one.wrong:
            return f"{number_text(one.wrong)} chỗ sai / wrong. {one.note}"
        return "Đạt / Sound" if one.name == "pages" else "Không có / None"

    return Facts(tuple(Line(word("database", one.name), told(one)) for one in checks))


def _incidents(data: CheckData) -> Table:
    columns = (
        Column(Sentence("Lúc phát hiện", "Found"), number=True),
        Column(Sentence("Sự cố", "Incident")),
        Column(Sentence("Nội dung", "What happened")),
        Column(Sentence("Tình trạng", "State")),
    )
    rows = tuple(
        (
            moment_text(one.opened),
            f"{word('incident', one.kind.value).vi} {one.id}",
            one.told.vi,
            word("state", one.state.value).vi,
        )
        for one in data.listed
    )
    return Table(columns, rows, count=data.incident_count)


def _conclusion(data: CheckData) -> Sentence:
    replicas, done = sum(one.replicas for one in data.stores), sum(one.done for one in data.stores)
    unread = sum(one.checked[Fixity.UNREADABLE] for one in data.stores)
    vi = f"Trong kỳ đã kiểm tra {number_text(done)} trên {number_text(replicas)} bản sao ({share_text(done, replicas)})"
    en = f"{number_text(done)} of {number_text(replicas)} replicas were checked in the period"
    if unread:
        vi += f", trong đó {number_text(unread)} bản sao không đọc được"
        en += f", {number_text(unread)} of them could not be read"
    unlooked = any(one.wrong is None for one in data.database)
    if data.wrong:
        vi += f"; có {number_text(data.wrong)} chỗ hư hại hoặc sai phải xử lý."
        en += f"; {number_text(data.wrong)} are damaged or wrong and must be dealt with."
    elif not done:
        vi, en = f"{vi}; chưa có cơ sở để kết luận.", f"{en}; nothing can be concluded."
    else:
        vi += "; những gì đã kiểm tra được đều khớp" + (", cơ sở dữ liệu không sai." if not unlooked else ".")
        en += "; all that could be checked matches" + (" and the database is sound." if not unlooked else ".")
    if data.open_now:
        vi += f" Hiện còn {number_text(data.open_now)} sự cố chưa xử lý xong."
        en += f" {number_text(data.open_now)} incidents are open now."
    return Sentence(vi, en)
