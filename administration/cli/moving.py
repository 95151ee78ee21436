"""Commands that move what stores hold: replicate; storage drain, retire, reinstate, move, history."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from administration.cli.app import Context, command
from administration.cli.named import store_name
from administration.cli.output import Output, size_text
from administration.cli.storage import storage
from metadata.dates import local_text

if TYPE_CHECKING:
    from administration.archive import Archive
    from metadata.journal import Entry
    from preservation.checks import Progress
    from preservation.replication import ReplicationReport
    from preservation.store_standing import Draining, Retiring

_PERSON = click.option("--person", required=True, help="Họ tên người quyết định. / Who decides.")
_REASON = click.option("--reason", default="", help="Lý do. / Why.")
_LATER = click.option(
    "--later", is_flag=True, help="Không chép ngay, để máy chủ đang chạy làm. / Leave the copying to the server."
)
_ACTS = {
    "add": ("được thêm vào", "added"),
    "probe": ("được thử khả năng", "probed"),
    "drain": ("bắt đầu rút dần", "draining began"),
    "move": ("bắt đầu chuyển sang nơi khác", "moving began"),
    "failed": ("có gói chưa chép được", "some AIPs could not be copied"),
    "drained": ("đã chép xong", "everything is copied"),
    "agree-retire": ("đồng ý thôi dùng", "agreed to retire it"),
    "retire": ("quyết định thôi dùng", "decided to retire it"),
    "retired": ("đã thôi dùng", "retired"),
    "reinstate": ("được dùng lại", "taken into use again"),
    "reinstated": ("đã ghi nhận lại các bản sao", "its replicas are noted again"),
}
"""What the journal's words about stores mean."""


@command("replicate")
@click.option("--dry-run", is_flag=True, help="Chỉ cho biết còn thiếu gì. / Only tell what is missing.")
def replicate(context: Context, output: Output, dry_run: bool) -> int:
    """Làm đủ những bản sao còn thiếu. / Make the replicas that are missing.

    Chính sách bản sao ([[policies]]) nói mỗi gói AIP phải nằm ở đâu. Lệnh này tìm những gói còn thiếu và chép từ một
    bản khớp ngay lúc chép, rồi đọc lại. Máy chủ đang chạy cũng tự làm việc này. Mã thoát 1 khi vẫn còn thiếu.

    The replica policies say where each AIP is to lie. This finds what is missing, copies it from a replica that matches
    while it is copied, and reads it back. A running server does the same by itself. Exit code 1 while some are missing.
    """
    from administration.archive import Archive
    from administration.flows import replication_to_json
    from preservation.replication import ReplicationReport

    with Archive.open(context.home) as archive:
        _, size = archive.replicator.owed()
        report = ReplicationReport()
        if dry_run:
            report.unsatisfied = [lack for lack in archive.replicator.lacks() if lack.trouble]
        else:
            with _counting(output, "AIP", 2 * size) as advance:
                report = archive.replicator.run(on_progress=advance)
        left, left_bytes = archive.replicator.owed()
        lacks = [
            {
                "fonds": lack.place.fonds.value,
                "access": lack.place.access,
                "stores": [store.value for store in lack.place.stores],
                "missing": [store.value for store in lack.targets],
                "aips": archive.catalogue.placements.amount([lack.place])[0],
            }
            for lack in archive.replicator.lacks()
        ]
    missing = {"replicas": left, "bytes": left_bytes, "sets": lacks}
    output.document({"missing": missing, "round": None if dry_run else replication_to_json(report)})
    if not dry_run:
        _tell_round(output, report)
    for lack in lacks:
        if lack["missing"]:
            where = f"{', '.join(lack['stores'])} → {', '.join(lack['missing'])}"  # type: ignore[arg-type]
            output.line(f"  {lack['fonds']}  {lack['access'] or '—'}  {lack['aips']} AIP  {where}")
    for one in report.unsatisfied:
        if one.trouble:
            output.say(one.trouble.vi, one.trouble.en, "!")
    output.say(
        f"Còn thiếu {left} bản sao ({size_text(left_bytes)}).",
        f"{left} replicas are missing ({size_text(left_bytes)}).",
        "!" if left else "✓",
    )
    if left and not dry_run:
        output.say(
            "Gói mà tiến trình khác đang giữ thì chép sau: chạy lại lệnh này, hoặc để máy chủ (tangthu serve) làm.",
            "What another worker is at is copied later: run this again, or leave it to the server (tangthu serve).",
            "→",
        )
    return 1 if left or report.unsatisfied else 0


@command("drain", parent=storage)
@click.argument("store", metavar="NƠI-LƯU")
@_PERSON
@_REASON
@_LATER
def drain(context: Context, output: Output, store: str, person: str, reason: str, later: bool) -> int:
    """Rút dần mọi thứ ra khỏi một nơi lưu. / Copy away what a store holds.

    Nơi lưu không nhận gì mới; gói nào vì thế mà thiếu bản sao thì được chép sang nơi khác theo chính sách và đọc lại.
    Không xóa gì. Chạy lại để đi tiếp và xem còn bao nhiêu. Mã thoát 1 khi chưa xong.

    The store takes nothing more; each AIP that would be left with too few replicas is copied elsewhere, as the policies
    say, and read back. Nothing is deleted. Run it again to go on and to see what is left. Exit code 1 until it is done.
    """
    return _drain(context, output, store, person, reason, None, later)


@command("move", parent=storage)
@click.argument("store", metavar="NƠI-LƯU")
@click.argument("to", metavar="ĐẾN")
@_PERSON
@_REASON
@_LATER
def move(context: Context, output: Output, store: str, to: str, person: str, reason: str, later: bool) -> int:
    """Chuyển hết từ một nơi lưu sang một nơi lưu khác. / Move what a store holds into another.

    Như drain, nhưng mọi gói đều đi sang nơi đã chọn. Lịch sử chuyển (ai, bao nhiêu, lỗi gì) ở «tangthu storage history»
    (Nghị định 113/2025, Điều 22). Xong thì hai người cho thôi dùng nơi cũ bằng «tangthu storage retire».

    As drain, but everything goes into the store that is named. The history (who, how many, what failed) is shown by
    “tangthu storage history”. In the end two people retire the old store with “tangthu storage retire”.
    """
    return _drain(context, output, store, person, reason, to, later)


@command("retire", parent=storage)
@click.argument("store", metavar="NƠI-LƯU")
@_PERSON
@click.option("--reason", required=True, help="Lý do. / Why.")
def retire(context: Context, output: Output, store: str, person: str, reason: str) -> int:
    """Đồng ý thôi dùng một nơi lưu. / Agree to retire a store.

    Cần hai người khác nhau, và chỉ khi không còn gói nào cần đến nó. Danh mục thôi kể các bản sao ở đó; các byte vẫn
    nằm nguyên, nên dùng lại được bằng reinstate: hãy giữ ít nhất ba tháng. Mã thoát 1 khi còn chờ người thứ hai.

    Two different people must agree, and only when nothing depends on it. The catalogue counts its replicas no more;
    the bytes stay, so that it can be reinstated: keep them for three months at least. Exit code 1 while one more person
    must agree.
    """
    from administration.archive import Archive

    with Archive.open(context.home) as archive:
        keeper, id = archive.store_keeper, store_name(store)
        keeper.settle()
        with _counting(output, store, keeper.progress(id).bytes) as advance:
            done = keeper.retire(id, person, reason, advance)
    output.document(
        {
            "store": store,
            "people": list(done.people),
            "retired": done.retired,
            "forgotten": done.forgotten,
            "left": done.left,
        }
    )
    _tell_retiring(output, done)
    return 0 if done.retired and not done.left else 1


@command("reinstate", parent=storage)
@click.argument("store", metavar="NƠI-LƯU")
@_PERSON
@_REASON
def reinstate(context: Context, output: Output, store: str, person: str, reason: str) -> int:
    """Dùng lại một nơi lưu đang rút dần hoặc đã thôi dùng. / Take a store into use again.

    Bản sao nào còn ở đó thì được kể lại là chưa kiểm tra, và được đọc lại ngay khi có lượt.

    The replicas that are still there are noted again, unproved, and read as soon as there is a turn.
    """
    from administration.archive import Archive

    with Archive.open(context.home) as archive, _counting(output, store, 0) as advance:
        archive.store_keeper.settle()
        count = archive.store_keeper.reinstate(store_name(store), person, reason, advance)
    output.document({"store": store, "replicas": count})
    output.say(
        f"Nơi lưu “{store}” được dùng lại; {count} bản sao được kể lại, chờ kiểm tra.",
        f"The store “{store}” is in use again; {count} replicas are noted again and due.",
        "✓",
    )
    return 0


@command("history", parent=storage)
@click.argument("store", metavar="NƠI-LƯU", required=False)
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 10_000), help="Số mục. / Entries.")
def history(context: Context, output: Output, store: str | None, limit: int) -> int:
    """Lịch sử các nơi lưu, mới nhất trước. / What was done with the stores, the newest first.

    Ai quyết định, bao nhiêu gói, đi đâu, gói nào lỗi vì sao (Nghị định 113/2025, Điều 22).

    Who decided, how many AIPs, where to, which failed and why.
    """
    from administration.archive import Archive
    from metadata.dates import utc_text

    with Archive.open(context.home) as archive:
        entries = archive.store_keeper.history(store_name(store) if store else None, limit)
    output.document(
        {
            "history": [
                {
                    "at": utc_text(one.at),
                    "store": one.subject,
                    "act": one.act,
                    "person": one.person,
                    "document": one.document,
                }
                for one in entries
            ]
        }
    )
    if not entries:
        output.say(
            "Chưa có việc nào được ghi về nơi lưu. Các nơi lưu: tangthu storage list.",
            "Nothing was done with a store yet. The stores: tangthu storage list.",
        )
    for one in entries:
        _tell_entry(output, one)
    return 0


def _drain(context: Context, output: Output, store: str, person: str, reason: str, to: str | None, later: bool) -> int:
    from administration.archive import Archive

    with Archive.open(context.home) as archive:
        keeper, id = archive.store_keeper, store_name(store)
        keeper.settle()
        begun = keeper.drain(id, person, reason, store_name(to) if to else None)
        report: ReplicationReport | None = None
        if not later:
            with _counting(output, store, 2 * begun.left_bytes) as advance:
                report = keeper.work(id, on_progress=advance)
        standing = keeper.progress(id)
        output.document(_draining_to_json(archive, standing, report))
        if report is not None:
            _tell_round(output, report)
        _tell_draining(output, archive, standing)
    return 0 if standing.ready else 1


def _draining_to_json(archive: Archive, standing: Draining, report: ReplicationReport | None) -> dict[str, object]:
    from administration.flows import replication_to_json
    from metadata.dates import utc_text

    left = standing.time_left(archive.clock())
    return {
        "store": standing.store.value,
        "state": standing.state.value,
        "to": standing.to.value if standing.to else None,
        "begun": utc_text(standing.begun) if standing.begun else None,
        "person": standing.person,
        "aips": standing.aips,
        "bytes": standing.bytes,
        "left": standing.left,
        "left_bytes": standing.left_bytes,
        "doubtful": standing.doubtful,
        "seconds_left": round(left.total_seconds()) if left else None,
        "ready": standing.ready,
        "round": replication_to_json(report) if report else None,
    }


def _tell_draining(output: Output, archive: Archive, standing: Draining) -> None:
    if standing.ready:
        output.say(
            f"Mọi gói ở “{standing.store}” đã đủ bản sao ở nơi khác. Hai người có thể cho thôi dùng: "
            f"tangthu storage retire {standing.store}.",
            f"Nothing depends on “{standing.store}” any more. Two people may retire it: "
            f"tangthu storage retire {standing.store}.",
            "✓",
        )
        return
    if standing.trouble:
        output.say(standing.trouble.vi, standing.trouble.en, "!")
    left = standing.time_left(archive.clock())
    vi, en = (
        (f", khoảng {_hours(left)} giờ nữa", f", about {_hours(left)} hours") if left and _hours(left) else ("", "")
    )
    output.say(
        f"“{standing.store}”: còn {standing.left} trong {standing.aips} gói AIP ({size_text(standing.left_bytes)}){vi}"
        f"; {standing.doubtful} bản sao ở nơi khác phải kiểm tra hoặc sửa trước.",
        f"{standing.left} of {standing.aips} AIPs are left ({size_text(standing.left_bytes)}){en}; "
        f"{standing.doubtful} replicas elsewhere must be read or repaired first.",
        "•",
    )


def _hours(left: object) -> str:
    from datetime import timedelta

    assert isinstance(left, timedelta)
    return f"{hours:.1f}".replace(".", ",") if (hours := left / timedelta(hours=1)) >= 0.1 else ""


def _tell_retiring(output: Output, done: Retiring) -> None:
    if not done.retired:
        output.say(
            f"{done.people[0]} đã đồng ý. Cần thêm một người khác đồng ý.",
            f"{done.people[0]} has agreed. One more, another person, must agree.",
            "•",
        )
        return
    output.say(
        f"Nơi lưu “{done.store}” đã thôi dùng; {done.forgotten} bản sao ở đó thôi được kể, các byte vẫn còn nguyên.",
        f"The store “{done.store}” is retired; {done.forgotten} replicas count no more, their bytes stay.",
        "✓",
    )
    if done.left:
        output.say(
            f"Còn {done.left} bản sao đang có việc khác làm: máy chủ sẽ làm nốt, hoặc hãy chạy lại lệnh này.",
            f"Others are at {done.left} of them: the server does the rest, or run this again.",
            "!",
        )


def _tell_round(output: Output, report: ReplicationReport) -> None:
    output.say(
        f"Đã chép {report.copied} bản sao, nhận {report.adopted} bản có sẵn ({size_text(report.bytes)}).",
        f"{report.copied} replicas copied, {report.adopted} that were there taken over ({size_text(report.bytes)}).",
        "✓",
    )
    for version, why in report.failed[:20]:
        output.say(f"{version}: {why.vi}", why.en, "✗")
    for store, why in report.away.items():
        output.say(f"{store}: {why.vi}", why.en, "!")


def _tell_entry(output: Output, entry: Entry) -> None:
    vi, en = _ACTS.get(entry.act, (entry.act, entry.act))
    told = [f"{entry.document[name]} {word}" for name, word in (("aips", "AIP"),) if name in entry.document]
    if "bytes" in entry.document:
        told.append(size_text(int(entry.document["bytes"])))
    if "to" in entry.document:
        told.append(f"→ {entry.document['to']}")
    if entry.document.get("reason"):
        told.append(str(entry.document["reason"]))
    output.line(f"  {local_text(entry.at)}  {entry.subject}  {entry.person or '—'}: {vi} / {en}  {', '.join(told)}")
    for failed in entry.document.get("failed", []):
        output.line(f"      ✗ {failed['version']}: {failed['vi']} / {failed['en']}")


@contextmanager
def _counting(output: Output, what: str, total: int) -> Iterator[Progress]:
    """A bar that counts bytes."""
    with output.progress() as advance:
        done = 0

        def on_progress(count: int) -> None:
            nonlocal done
            done += count
            advance(what, done, total)

        yield on_progress
