"""Báo cáo thống kê năm: what is held at the end of a year, and what came and was done in it (NĐ 113 Điều 30)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

from administration.forms.check import StoreChecked
from administration.forms.period import Period
from administration.forms.sheet import Column, Facts, Head, Line, Person, Section, Sheet, Signature, Table, Words
from administration.forms.words import basis, number_text, share_text, size_text, word
from metadata.catalogue.statistics import FondsCount, ReplicaCount
from metadata.identifiers import FondsCode, StoreId
from metadata.incidents import IncidentKind, IncidentState
from metadata.text import Sentence


@dataclass(frozen=True, slots=True)
class StoreHeld:
    """What lies in one store: replicas and their bytes."""

    store: StoreId
    site: str
    replicas: int
    bytes: int


@dataclass(frozen=True, slots=True)
class YearData:
    """The report. ``checks`` count the replicas by store that were looked at in the year; ``kept`` counts backups and
    drills of the year by what came of them, ``incidents`` by kind and how they stand now; ``ended``: it is over."""

    year: int
    fonds: tuple[FondsCount, ...]
    stores: tuple[StoreHeld, ...]
    checks: tuple[StoreChecked, ...]
    formats: Mapping[str, int]
    incidents: Mapping[tuple[IncidentKind, IncidentState], int]
    kept: Mapping[tuple[str, str], int]
    ended: bool = True

    @property
    def total(self) -> FondsCount:
        """The sum over all fonds."""
        names = [one.name for one in fields(FondsCount) if one.name != "fonds"]
        return FondsCount(FondsCode("Cong"), *(sum(getattr(one, name) for one in self.fonds) for name in names))


def year_data(
    year: int,
    fonds: Sequence[FondsCount],
    sites: Mapping[StoreId, str],
    replicas: Sequence[ReplicaCount],
    checks: Sequence[StoreChecked],
    formats: Mapping[str, int],
    incidents: Mapping[tuple[IncidentKind, IncidentState], int],
    kept: Mapping[tuple[str, str], int],
    *,
    ended: bool = True,
) -> YearData:
    """The report's data out of the catalogue's sums."""
    names = [*sites, *sorted({one.store for one in replicas} - set(sites), key=str)]
    held = []
    for store in names:
        mine = [one for one in replicas if one.store == store]
        size = sum(one.bytes for one in mine)
        held.append(StoreHeld(store, sites.get(store, ""), sum(one.replicas for one in mine), size))
    return YearData(year, tuple(fonds), tuple(held), tuple(checks), formats, incidents, kept, ended)


def year_sheet(data: YearData, archive: str, head: Head, people: Sequence[Person]) -> Sheet:
    """The report."""
    period = Period.year(data.year)
    return Sheet(
        Sentence("Báo cáo thống kê tài liệu lưu trữ số", "Statistics of the digital records held"),
        f"Năm {data.year} (tính đến hết ngày {period.last:%d/%m/%Y})"
        if data.ended
        else f"Năm {data.year} (số liệu khi năm chưa kết thúc)",
        "BC-TK",
        archive,
        head,
        basis("archives_law", "statistics"),
        (
            Section(Sentence("Tài liệu đang bảo quản, theo phông", "Held, by fonds"), (_fonds(data, new=False),)),
            Section(Sentence("Tiếp nhận trong năm, theo phông", "Taken in this year"), (_fonds(data, new=True),)),
            Section(Sentence("Bản sao, theo nơi lưu và địa điểm", "Replicas, by store and site"), (_stores(data),)),
            Section(Sentence("Định dạng tệp", "File formats"), (_formats(data),)),
            Section(Sentence("Kiểm tra trong năm", "Checked this year"), (_checks(data),)),
            Section(Sentence("Sao lưu, phục hồi thử trong năm", "Backups and drills this year"), (_kept(data),)),
            Section(Sentence("Sự cố trong năm", "Incidents this year"), (_incidents(data),)),
        ),
        (
            Signature(Sentence("Người lập báo cáo", "Drawn up by"), people[0].name if people else ""),
            Signature(Sentence("Lãnh đạo phê duyệt", "Approved by"), people[1].name if len(people) > 1 else ""),
        ),
        wide=True,
    )


def _fonds(data: YearData, *, new: bool) -> Table:
    prefix = "new_" if new else ""
    names = [f"{prefix}{name}" for name in ("dossiers", "others", "documents", "files", "bytes")]
    columns = (
        Column(Sentence("Phông", "Fonds")),
        Column(Sentence("Hồ sơ", "Dossiers"), number=True),
        Column(Sentence("Gói khác", "Other packages"), number=True),
        Column(Sentence("Tài liệu", "Documents"), number=True),
        Column(Sentence("Tệp", "Files"), number=True),
        Column(Sentence("Byte", "Bytes"), number=True),
        Column(Sentence("Dung lượng", "Size"), number=True),
    )

    def row(name: str, one: FondsCount) -> tuple[str, ...]:
        values = [int(getattr(one, each)) for each in names]
        return (name, *map(number_text, values), size_text(values[-1]))

    shown = [one for one in data.fonds if not new or any(getattr(one, name) for name in names)]
    return Table(columns, tuple(row(str(one.fonds), one) for one in shown), row("Cộng", data.total))


def _stores(data: YearData) -> Table:
    columns = (
        Column(Sentence("Nơi lưu", "Store")),
        Column(Sentence("Địa điểm", "Site")),
        Column(Sentence("Bản sao", "Replicas"), number=True),
        Column(Sentence("Byte", "Bytes"), number=True),
        Column(Sentence("Dung lượng", "Size"), number=True),
    )
    rows = tuple(
        (str(one.store), one.site or "–", number_text(one.replicas), number_text(one.bytes), size_text(one.bytes))
        for one in data.stores
    )
    replicas, size = sum(one.replicas for one in data.stores), sum(one.bytes for one in data.stores)
    return Table(columns, rows, ("Cộng", "", number_text(replicas), number_text(size), size_text(size)))


def _formats(data: YearData) -> Table:
    columns = (
        Column(Sentence("Mã PRONOM", "PRONOM identifier")),
        Column(Sentence("Tệp nội dung", "Content files"), number=True),
        Column(Sentence("Tỷ lệ", "Share"), number=True),
    )
    whole = sum(data.formats.values())
    rows = tuple(
        (puid or "Chưa nhận dạng được / not identified", number_text(count), share_text(count, whole))
        for puid, count in data.formats.items()
    )
    return Table(columns, rows, ("Cộng, mọi phiên bản gói tin", number_text(whole), ""))


def _checks(data: YearData) -> Table:
    columns = (
        Column(Sentence("Nơi lưu", "Store")),
        Column(Sentence("Bản sao", "Replicas"), number=True),
        Column(Sentence("Kiểm tra trong năm", "Checked this year"), number=True),
        Column(Sentence("Tỷ lệ", "Share"), number=True),
        Column(Sentence("Hư hại hoặc mất", "Damaged or missing"), number=True),
        Column(Sentence("Chưa kiểm tra lần nào", "Never checked"), number=True),
    )

    def row(name: str, some: Sequence[StoreChecked]) -> tuple[str, ...]:
        replicas, done = sum(one.replicas for one in some), sum(one.done for one in some)
        bad = sum(count for one in some for outcome, count in one.checked.items() if outcome.damaged)
        never = sum(one.never for one in some)
        return (
            name, number_text(replicas), number_text(done), share_text(done, replicas), number_text(bad),
            number_text(never),
        )  # fmt: skip

    return Table(columns, tuple(row(str(one.store), [one]) for one in data.checks), row("Cộng", data.checks))


def _kept(data: YearData) -> Facts | Words:
    if not data.kept:
        return Words(Sentence("Không có lần sao lưu hay phục hồi thử nào.", "No backups or drills."))
    return Facts(
        tuple(
            Line(Sentence(f"{word('backup', what).vi}: {word('act', act).vi}", ""), f"{number_text(count)} lần")
            for (what, act), count in sorted(data.kept.items())
        )
    )


def _incidents(data: YearData) -> Table:
    columns = (
        Column(Sentence("Loại sự cố", "Kind of incident")),
        Column(Sentence("Tình trạng hiện nay", "State now")),
        Column(Sentence("Số lượng", "Count"), number=True),
    )
    rows = tuple(
        (word("incident", kind.value).vi, word("state", state.value).vi, number_text(count))
        for (kind, state), count in sorted(data.incidents.items())
    )
    return Table(columns, rows, ("Cộng", "", number_text(sum(data.incidents.values()))))
