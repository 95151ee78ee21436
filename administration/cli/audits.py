"""Commands about audits that people begin and steer, and about how much of the holdings was read when."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING

import click

from administration.cli.app import EXIT_CODES, Context, command, group
from administration.cli.named import fonds_code, store_id
from administration.cli.output import Output, size_text

if TYPE_CHECKING:
    from metadata.audits import Audit
    from metadata.text import Sentence
    from preservation.coverage import Picture

_KINDS = {"light": "nhanh / light", "deep": "sâu / deep", "sample": "mẫu / sample"}
_STATES = {
    "running": "đang chạy / running",
    "paused": "tạm dừng / paused",
    "stopped": "đã ngừng / stopped",
    "done": "đã xong / done",
}


@group.group("audits", epilog=EXIT_CODES)
def audits() -> None:
    """Các đợt kiểm tra của máy chủ: xem, mở, tạm dừng. / Audits that the server does: see, begin, pause.

    Mỗi nơi lưu có một kiểm tra thường trực (standing-…) tự đọc những gì đến hạn theo chính sách; bên cạnh là những đợt
    do người mở: cả một nơi lưu, một phông, hay một mẫu ngẫu nhiên. Máy chủ («tangthu serve» hoặc «tangthu worker») đọc;
    mọi đợt đều tạm dừng, tiếp tục, giới hạn được. Muốn đọc ngay ở đây và đợi kết quả: «tangthu audit».

    Each store has a standing audit (standing-…), which reads what is due by the policy; beside it are those that people
    begin: a whole store, a fonds, or a random sample. The server (“tangthu serve” or “tangthu worker”) reads; all can
    be paused, resumed and limited. To read here and now and wait for the outcome: “tangthu audit”.
    """


@command("list", parent=audits)
def list_(context: Context, output: Output) -> int:
    """Liệt kê các đợt kiểm tra. / List audits."""
    from administration.archive import Archive
    from administration.audits import waiting_stores

    with Archive.open(context.home) as archive:
        found, standing = archive.catalogue.audits.latest(), archive.standing.listed()
        waiting = waiting_stores(archive)
    output.document(
        {
            "standing": [audit_row(one) | _waits(waiting.get(one.store.value)) for one in standing],
            "audits": [audit_row(one) for one in found],
        }
    )
    for one in standing:
        _line(output, one)
        if told := waiting.get(one.store.value):
            output.say(told.vi, told.en, "!")
    for one in found:
        _line(output, one)
    if not found:
        output.say(
            "Chưa có đợt nào do người mở. Kiểm tra thường trực ở trên tự đọc những gì đến hạn khi tangthu serve "
            "chạy; mở một đợt: tangthu audits begin deep NƠI-LƯU.",
            "Nobody has begun one yet. The standing audits above read what is due while tangthu serve runs; "
            "to begin one: tangthu audits begin deep STORE.",
        )
    return 0


@command("begin", parent=audits)
@click.argument("kind", type=click.Choice(["light", "deep", "sample"]))
@click.argument("store", metavar="NƠI-LƯU")
@click.option("--fonds", help="Chỉ một phông. / One fonds only.")
@click.option("--share", type=float, default=1.0, help="Tỷ lệ mẫu, 0–1. / Share of a sample, 0–1.")
@click.option("--limit", type=float, help="Tối đa MB/s. / At most so many MB/s.")
def begin(
    context: Context, output: Output, kind: str, store: str, fonds: str | None, share: float, limit: float | None
) -> int:
    """Mở một đợt kiểm tra. / Begin an audit; workers do it.

    light: đối chiếu danh mục của nơi lưu, không đọc nội dung; deep: đọc từng byte; sample: đọc một phần ngẫu nhiên.

    light: hold the store's listing against the catalogue; deep: read every byte; sample: read a random share.
    """
    from administration.archive import Archive
    from metadata.audits import AuditKind

    with Archive.open(context.home) as archive:
        one = archive.audits.begin(
            AuditKind(kind), store_id(archive, store), fonds_code(fonds), share, _bytes(limit), _person()
        )
    return _tell(output, one)


@command("pause", parent=audits)
@click.argument("id", metavar="ĐỢT")
def pause(context: Context, output: Output, id: str) -> int:
    """Tạm dừng. / Pause."""
    from administration.archive import Archive

    with Archive.open(context.home) as archive:
        return _tell(output, archive.audits.pause(id, _person()))


@command("resume", parent=audits)
@click.argument("id", metavar="ĐỢT")
def resume(context: Context, output: Output, id: str) -> int:
    """Tiếp tục. / Resume."""
    from administration.archive import Archive

    with Archive.open(context.home) as archive:
        return _tell(output, archive.audits.resume(id, _person()))


@command("stop", parent=audits)
@click.argument("id", metavar="ĐỢT")
def stop(context: Context, output: Output, id: str) -> int:
    """Ngừng hẳn. / Stop for good."""
    from administration.archive import Archive

    with Archive.open(context.home) as archive:
        return _tell(output, archive.audits.stop(id, _person()))


@command("limit", parent=audits)
@click.argument("id", metavar="ĐỢT")
@click.argument("rate", type=float, metavar="MB/s")
def limit(context: Context, output: Output, id: str, rate: float) -> int:
    """Giới hạn tốc độ; 0 là bỏ giới hạn. / Limit the speed; 0 takes the limit away."""
    from administration.archive import Archive

    with Archive.open(context.home) as archive:
        return _tell(output, archive.audits.set_limit(id, _bytes(rate), _person()))


@command("coverage")
@click.option("--store", help="Chỉ một kho. / One store only.")
@click.option("--fonds", help="Chỉ một phông. / One fonds only.")
def coverage(context: Context, output: Output, store: str | None, fonds: str | None) -> int:
    """Đã đọc lại được bao nhiêu. / How much was read again, and when all will have been.

    Mỗi nơi lưu: phần đã đọc lại trong chu kỳ, bản sao lâu nhất chưa đọc, tốc độ, ngày đọc hết, và phải đổi gì nếu trễ.

    Of each store: what was read within the period, the replica unread longest, the pace, the day when all will have
    been read, and what must change if that is late. Exit code 1 when the policy is not kept.
    """
    from administration.archive import Archive
    from administration.audits import waiting_stores
    from metadata.incidents import IncidentState
    from preservation.coverage import picture

    with Archive.open(context.home) as archive:
        only = store_id(archive, store) if store else None
        days = archive.catalogue.coverage.days(only, fonds_code(fonds))
        today, schedule, waiting = archive.clock().date(), archive.schedule, waiting_stores(archive)
        damaged = archive.catalogue.incidents.counts()[IncidentState.OPEN]
    names = sorted({day.store.value for day in days})
    pictures = {name: picture((day for day in days if day.store.value == name), today, schedule) for name in names}
    output.document(
        {"stores": {name: picture_to_json(one) | _waits(waiting.get(name)) for name, one in pictures.items()}}
    )
    if not pictures:
        _tell_nothing(output, store is not None or fonds is not None)
    else:
        output.line("  nơi lưu / store      đã đọc lại / read  dung lượng / size  xa nhất / longest ago")
    if damaged:
        output.say(
            f"Có {damaged} sự cố đang mở: tangthu incidents list. Đã đọc lại không có nghĩa là còn nguyên.",
            f"{damaged} incidents are open: tangthu incidents list. What was read again need not be whole.",
            "✗",
        )
    for name, one in pictures.items():
        share = 100 * one.within_bytes / one.bytes if one.bytes else 100.0
        oldest = f"{one.oldest:%d/%m/%Y}" if one.oldest else "—"
        told_share = f"{share:.1f} %".replace(".", ",")
        output.line(f"  {name:<20} {told_share:>17}  {size_text(one.bytes):>17}  {oldest}")
        for told in one.told:
            output.say(told.vi, told.en, "✓" if one.kept else "!")
        if name in waiting:
            output.say(waiting[name].vi, waiting[name].en, "!")
    return 0 if all(one.kept for one in pictures.values()) else 1


def _tell_nothing(output: Output, chosen: bool) -> None:
    if chosen:
        output.say(
            "Không giữ bản sao nào như vậy. Cả kho: tangthu coverage.", "No such replica is held. All: coverage."
        )
        return
    output.say(
        "Kho chưa giữ gói nào, nên chưa có gì phải đọc lại. Tiếp nhận gói đầu tiên: tangthu ingest GÓI-TIN…",
        "Nothing is held yet, so there is nothing to read again. Take in the first package: tangthu ingest.",
    )


def audit_row(one: Audit) -> dict[str, object]:
    """An audit for programs."""
    return {
        "id": one.id,
        "kind": one.kind.value,
        "store": one.store.value,
        "fonds": one.fonds.value if one.fonds else None,
        "state": one.state.value,
        "share": one.share,
        "limit": one.limit,
        "begun": one.begun.isoformat(),
        "ended": one.ended.isoformat() if one.ended else None,
        "replicas": one.replicas,
        "bytes": one.bytes,
        "done": one.done,
        "done_bytes": one.done_bytes,
        "damaged": one.damaged,
        "unread": one.unread,
        "person": one.person,
    }


def picture_to_json(one: Picture) -> dict[str, object]:
    """A picture of the coverage for programs."""
    return {
        "replicas": one.replicas,
        "bytes": one.bytes,
        "within": one.within,
        "within_bytes": one.within_bytes,
        "never": one.never,
        "oldest": one.oldest.isoformat() if one.oldest else None,
        "bytes_a_day_7": one.pace_7,
        "bytes_a_day_30": one.pace_30,
        "all_read": one.all_read.isoformat() if one.all_read else None,
        "kept": one.kept,
        "period_days": one.period,
        "told": [{"vi": told.vi, "en": told.en} for told in one.told],
    }


def _waits(told: Sentence | None) -> dict[str, object]:
    return {"waits": None if told is None else {"vi": told.vi, "en": told.en}}


def _tell(output: Output, one: Audit) -> int:
    output.document(audit_row(one))
    _line(output, one)
    return 0


def _line(output: Output, one: Audit) -> None:
    share = f"{one.done}" if one.endless else f"{one.done}/{one.replicas}"
    kind, state = _KINDS[one.kind.value], _STATES[one.state.value]
    output.line(f"  {one.id}  {kind:<15} {one.store.value:<16} {state:<22} {share}  ✗ {one.damaged}")


def _bytes(rate: float | None) -> int | None:
    return round(rate * 1_000_000) if rate else None


def _person() -> str:
    return getpass.getuser()
