"""Nhật ký sao lưu and biên bản sao lưu: what was put away, and whether it can be taken out (TT 05 Điều 27; PL VII)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from administration.forms.period import Period
from administration.forms.sheet import Column, Facts, Head, Line, Person, Section, Sheet, Signature, Table, Words
from administration.forms.words import basis, moment_text, number_text, size_text, word
from metadata.backups import Backup, BackupKind, BackupOutcome, Drill
from metadata.identifiers import StoreId
from metadata.journal import Entry, EntryKind
from metadata.text import Sentence


@dataclass(frozen=True, slots=True)
class DiaryLine:
    """One line: what was done (full, incremental, drill, restore), what came of it, where it lies, by whom."""

    at: datetime
    what: str
    act: str
    id: str
    size: int
    count: int
    stores: tuple[StoreId, ...]
    person: str
    note: str


@dataclass(frozen=True, slots=True)
class DiaryData:
    """The diary of a period, the oldest first; ``unread`` entries could not be understood."""

    period: Period
    lines: tuple[DiaryLine, ...]
    unread: int


@dataclass(frozen=True, slots=True)
class BackupData:
    """One backup and where the stores stand in which it lies. ``chain`` are the backups that are needed to restore it,
    the full one first, itself last."""

    backup: Backup
    sites: Mapping[StoreId, str]
    chain: tuple[str, ...]


def diary_data(period: Period, entries: Iterable[Entry]) -> DiaryData:
    """The diary out of the journal's entries on backups, drills and restores, in any order."""
    lines, unread = [], 0
    for entry in entries:
        try:
            lines.append(_line(entry))
        except (ValueError, KeyError, TypeError):
            unread += 1
    return DiaryData(period, tuple(sorted(lines, key=lambda one: (one.at, one.id))), unread)


def _line(entry: Entry) -> DiaryLine:
    if entry.kind is EntryKind.BACKUP:
        one = Backup.of(entry)
        return DiaryLine(
            one.ended, one.kind.value, one.outcome.value, one.id, one.size, one.versions, one.stores, one.person,
            one.note,
        )  # fmt: skip
    if entry.kind is EntryKind.DRILL:
        drill = Drill.of(entry)
        note = "; ".join((*([f"sao lưu {drill.backup}"] if drill.backup else []), *drill.problems[:2]))
        return DiaryLine(
            drill.at, "drill", drill.outcome.value, drill.id, drill.size, len(drill.aips), (), drill.person, note
        )
    return DiaryLine(entry.at, "restore", entry.act, entry.subject, 0, 0, (), entry.person, "")


def backup_data(backup: Backup, sites: Mapping[StoreId, str], known: Iterable[Backup]) -> BackupData:
    """The form's data; ``known`` are the backups among which its bases are sought."""
    by_id = {one.id: one for one in known}
    chain, base = [backup.id], backup.base
    while base and base not in chain:
        chain.append(base)
        base = by_id[base].base if base in by_id else ""
    return BackupData(backup, {store: sites.get(store, "") for store in backup.stores}, tuple(reversed(chain)))


def diary_sheet(data: DiaryData, archive: str, head: Head, people: Sequence[Person]) -> Sheet:
    """The diary."""
    columns = (
        Column(Sentence("STT", "No."), number=True),
        Column(Sentence("Thời gian", "When"), number=True),
        Column(Sentence("Loại", "Kind")),
        Column(Sentence("Kết quả", "Outcome")),
        Column(Sentence("Mã", "Identifier")),
        Column(Sentence("Số gói AIP", "AIPs"), number=True),
        Column(Sentence("Dung lượng", "Size"), number=True),
        Column(Sentence("Nơi lưu", "Stores")),
        Column(Sentence("Người thực hiện", "By")),
        Column(Sentence("Ghi chú", "Note")),
    )
    rows = tuple(
        (
            number_text(number),
            moment_text(one.at),
            word("backup", one.what).vi,
            word("act", one.act).vi,
            one.id,
            number_text(one.count),
            size_text(one.size),
            ", ".join(map(str, one.stores)),
            one.person or "Tự động",
            one.note,
        )
        for number, one in enumerate(data.lines, 1)
    )
    return Sheet(
        Sentence("Nhật ký sao lưu", "Diary of backups"),
        str(data.period),
        "NK-SL",
        archive,
        head,
        basis("circular"),
        (
            Section(
                Sentence("Các lần sao lưu, phục hồi thử và phục hồi", "Backups, drills, restores"),
                (Table(columns, rows),),
            ),
            Section(Sentence("Tổng hợp", "Summary"), (_summary(data),)),
        ),
        (
            Signature(Sentence("Người ghi nhật ký", "Kept by"), people[0].name if people else ""),
            Signature(Sentence("Người phụ trách", "In charge"), people[1].name if len(people) > 1 else ""),
        ),
        wide=True,
    )


def _summary(data: DiaryData) -> Facts:
    kinds = ("full", "incremental", "drill", "restore")
    bad = {"failed", "incomplete"}

    def told(kind: str) -> str:
        mine = [one for one in data.lines if one.what == kind]
        failed = sum(one.act in bad for one in mine)
        return f"{number_text(len(mine))} lần" + (f", trong đó {number_text(failed)} lần không đạt" if failed else "")

    lines = [Line(word("backup", kind), told(kind)) for kind in kinds]
    if data.unread:
        lines.append(Line(Sentence("Dòng không đọc được", "Entries not understood"), number_text(data.unread)))
    return Facts(tuple(lines))


def backup_sheet(data: BackupData, archive: str, head: Head, people: Sequence[Person]) -> Sheet:
    """The minutes of one backup; the first of ``people`` gives, the second receives."""
    return Sheet(
        Sentence("Biên bản sao lưu tài liệu lưu trữ số và cơ sở dữ liệu", "Minutes of a backup"),
        data.backup.id,
        "BB-SL",
        archive,
        head,
        basis("archives_law", "circular"),
        (
            Section(Sentence("Nội dung sao lưu", "What was backed up"), (_contents(data),)),
            Section(
                Sentence("Nơi lưu và kết quả đọc lại", "Where it lies, and what reading it back came to"),
                (_places(data),),
            ),
            Section(Sentence("Kết luận", "Conclusion"), (Words(_conclusion(data)),)),
        ),
        (
            Signature(Sentence("Bên giao", "Giver"), people[0].name if people else ""),
            Signature(Sentence("Bên nhận", "Receiver"), people[1].name if len(people) > 1 else ""),
            Signature(Sentence("Lãnh đạo phê duyệt", "Approved by"), people[2].name if len(people) > 2 else ""),
        ),
        tuple(people) or (Person(""), Person("")),
    )


def _contents(data: BackupData) -> Facts:
    one = data.backup
    chain = " > ".join(data.chain) if len(data.chain) > 1 else "–"
    return Facts(
        (
            Line(Sentence("Mã bản sao lưu", "Identifier"), one.id),
            Line(Sentence("Loại", "Kind"), word("backup", one.kind.value).vi),
            Line(Sentence("Dựa trên các bản", "Needs, in this order"), chain),
            Line(Sentence("Trạng thái dữ liệu lúc", "State of the data as of"), moment_text(one.at)),
            Line(Sentence("Hoàn thành lúc", "Ended"), moment_text(one.ended)),
            Line(Sentence("Số gói tin AIP", "AIP versions"), number_text(one.versions)),
            Line(Sentence("Số dòng cơ sở dữ liệu", "Rows of the database"), number_text(one.rows)),
            Line(Sentence("Số đối tượng", "Objects"), number_text(one.objects)),
            Line(Sentence("Dung lượng", "Size"), f"{size_text(one.size)} ({number_text(one.size)} byte)"),
            Line(Sentence("SHA-256 của bảng kê", "SHA-256 of the manifest"), one.digest.hex() or "–", code=True),
            Line(Sentence("Người yêu cầu", "Asked for by"), one.person or "Tự động theo lịch / by schedule"),
        )
    )


def _places(data: BackupData) -> Table:
    columns = (
        Column(Sentence("Bộ", "Set"), number=True),
        Column(Sentence("Nơi lưu", "Store")),
        Column(Sentence("Địa điểm", "Site")),
        Column(Sentence("Kết quả đọc lại", "Read back")),
    )
    rows = tuple(
        (str(number), str(store), site or "–", word("outcome", "MATCH").vi)
        for number, (store, site) in enumerate(data.sites.items(), 1)
    )
    return Table(columns, rows)


def _conclusion(data: BackupData) -> Sentence:
    one, sets = data.backup, len(data.backup.stores)
    note = f" {one.note}" if one.note else ""
    if one.outcome is BackupOutcome.FAILED:
        return Sentence(
            f"Sao lưu không thành công, không được tính.{note}", f"The backup failed and does not count.{note}"
        )
    kind = "toàn bộ" if one.kind is BackupKind.FULL else "phần thay đổi"
    vi = f"Bản sao lưu {kind} đã ghi thành {sets} bộ ở {sets} nơi lưu độc lập, đọc lại từng bộ đều khớp."
    en = f"The backup lies in {sets} stores, was read back from each, and matches."
    if sets < 2:
        vi += " Thông tư 05/2025/TT-BNV (Điều 27) yêu cầu ít nhất hai bộ: cần sao lưu thêm."
        en += " Circular 05/2025/TT-BNV (Article 27) asks for two sets at least: one more is needed."
    return Sentence(vi + note, en)
