"""Commands for what stores hold and the catalogue does not know: list, look, show, keep, remove, adopt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from administration.cli.app import EXIT_CODES, Context, command, group
from administration.cli.named import store_id
from administration.cli.output import Output, plain, size_text
from metadata.dates import local_day, local_text

if TYPE_CHECKING:
    from metadata.identifiers import StoreId
    from metadata.strangers import Stranger, StrangerDecision

_PERSON = click.option("--person", required=True, help="Họ tên người quyết định. / Who decides.")
_REASON = click.option("--reason", required=True, help="Lý do. / Why.")
_STORE = click.argument("store", metavar="NƠI-LƯU")
_KEY = click.argument("key", metavar="KHÓA")
_KINDS = {
    "orphan": "gói AIP hoàn chỉnh chưa được ghi nhận / a complete AIP that was never acknowledged",
    "log": "nhật ký không có gói / a log without its AIP",
    "elsewhere": "của một gói có trong danh mục, nhưng không tính ở nơi lưu này / of a known AIP, not counted here",
    "foreign": "khóa không phải của kho lưu trữ này / not one of our keys",
}
_MARKS = {"seen": "·", "told": "!", "kept": "✓", "removing": "•", "removed": "✓", "adopted": "✓"}


@group.group("strangers", epilog=EXIT_CODES)
def strangers() -> None:
    """Vật lạ trong nơi lưu: xem, để lại, xóa. / What stores hold and the catalogue does not know.

    Phần mềm không bao giờ tự xóa; xóa hay để lại cần hai người. / The software alone never deletes any; two people must
    agree to remove or keep one.
    """


@command("list", parent=strangers)
@click.option("--store", help="Chỉ ở nơi lưu này. / Only in this store.")
@click.option("--all", "everything", is_flag=True, help="Cả những gì đã quyết định. / Those that are decided too.")
def list_command(context: Context, output: Output, store: str | None, everything: bool) -> int:
    """Những vật lạ đang chờ quyết định. / What waits for a decision.

    Mã thoát 1 khi có vật lạ đã thấy hai lần. / Exit code 1 when there is one that was seen twice.
    """
    from administration.archive import Archive

    with Archive.open(context.home) as archive:
        only, found = store_id(archive, store) if store else None, []
        after: tuple[StoreId, str] | None = None
        while page := archive.catalogue.strangers.listed(only, None, 500, after):
            found += [one for one in page if everything or one.state.waits]
            after = page[-1].store, page[-1].key
    output.document({"strangers": [document_of(one) for one in found]})
    if not found:
        output.say(
            "Không có vật lạ nào chờ quyết định. Đối chiếu ngay bây giờ: tangthu strangers look.",
            "No stranger waits for a decision. To look now: tangthu strangers look.",
            "✓",
        )
    for one in found:
        output.line(f"{_MARKS[one.state.value]} {one.store}  {plain(one.key)}  {size_text(one.size)}")
        output.line(f"    {_KINDS[one.kind.value]}; {local_day(one.first_seen)}")
    if any(one.state.waits for one in found):
        output.say(
            "Xem rồi quyết định: tangthu strangers show NƠI-LƯU KHÓA; sau đó keep, adopt, hoặc remove (hai người).",
            "Look and decide: tangthu strangers show STORE KEY; then keep, adopt, or remove (two people).",
            "→",
        )
    return 1 if any(one.state.value == "told" for one in found) else 0


@command("look", parent=strangers)
@click.argument("stores", nargs=-1, metavar="[NƠI-LƯU…]")
def look(context: Context, output: Output, stores: tuple[str, ...]) -> int:
    """Đối chiếu các nơi lưu với danh mục ngay bây giờ. / Hold the stores against the catalogue now.

    Vật lạ chỉ được báo khi thấy hai lần cách nhau đủ lâu (incidents.stranger_hours): có thể đang tiếp nhận dở.

    A stranger is told only when seen twice with enough time between: an ingest may be at it.
    """
    from administration.archive import Archive

    with Archive.open(context.home) as archive, output.progress(count_bytes=False) as advance:
        wanted = [store_id(archive, store) for store in stores] or list(archive.stores)
        reports = []
        for id in wanted:

            def on_progress(count: int, id: StoreId = id) -> None:
                advance(id.value, count, 0)

            reports.append(archive.reconciler.reconcile(id, on_progress))
    output.document(
        {
            "stores": [
                {
                    "store": one.store.value,
                    "objects": one.objects,
                    "strangers": {kind.value: count for kind, count in sorted(one.strangers.items())},
                    "told": one.told,
                    "gone": one.gone,
                }
                for one in reports
            ]
        }
    )
    for one in reports:
        count = sum(one.strangers.values())
        output.say(
            f"{one.store}: {one.objects} đối tượng, {count} vật lạ.",
            f"{one.objects} objects, {count} strangers.",
            "!" if count else "✓",
        )
    return 1 if any(one.strangers for one in reports) else 0


@command("show", parent=strangers)
@_STORE
@_KEY
def show(context: Context, output: Output, store: str, key: str) -> int:
    """Một vật lạ: là gì, ai đã quyết định gì. / One of them: what it is, who decided what."""
    from administration.archive import Archive

    with Archive.open(context.home) as archive:
        one = archive.catalogue.strangers.get(store_id(archive, store), key)
    _tell(output, one)
    return 0


@command("keep", parent=strangers)
@_STORE
@_KEY
@_PERSON
@_REASON
def keep(context: Context, output: Output, store: str, key: str, person: str, reason: str) -> int:
    """Đồng ý để nguyên và không báo nữa. / Agree to leave it where it is, and not to be told again.

    Cần hai người khác nhau. / Two different people must agree.
    """
    from metadata.strangers import StrangerDecision

    return _decide(context, output, store, key, StrangerDecision.KEEP, person, reason)


@command("remove", parent=strangers)
@_STORE
@_KEY
@_PERSON
@_REASON
def remove(context: Context, output: Output, store: str, key: str, person: str, reason: str) -> int:
    """Đồng ý xóa khỏi nơi lưu. / Agree to remove it from the store.

    Cần hai người khác nhau. Khi người thứ hai đồng ý, vật lạ được đọc trọn, mã băm SHA-256 được ghi vào nhật ký của
    kho, rồi mới xóa. Nếu nó đã thay đổi hoặc đã được ghi nhận thì không xóa gì.

    Two different people must agree. When the second does it is read whole, its SHA-256 goes into the archive's journal,
    and only then it is deleted. When it has changed or is known by now, nothing is.
    """
    from metadata.strangers import StrangerDecision

    return _decide(context, output, store, key, StrangerDecision.REMOVE, person, reason)


@command("adopt", parent=strangers)
@_STORE
@_KEY
@_PERSON
def adopt(context: Context, output: Output, store: str, key: str, person: str) -> int:
    """Đưa một gói AIP hoàn chỉnh vào danh mục. / Take a complete AIP into the catalogue.

    Chỉ khi gói có nhật ký nguyên vẹn. / Only when it has a whole log beside it.
    """
    from administration.archive import Archive
    from administration.flows import feed

    with Archive.open(context.home) as archive:
        id, work = store_id(archive, store), archive.settings.work_folder
        work.mkdir(parents=True, exist_ok=True)
        archive.reconciler.adopt(id, key, person, archive.schedule, work)
        feed(archive)
        one = archive.catalogue.strangers.get(id, key)
    _tell(output, one)
    return 0


def _decide(
    context: Context, output: Output, store: str, key: str, decision: StrangerDecision, person: str, reason: str
) -> int:
    from administration.archive import Archive

    with Archive.open(context.home) as archive:
        id = store_id(archive, store)
        one = archive.catalogue.strangers.get(id, key)
        if one.state.value == "removing":
            one = archive.reconciler.carry_out(id, key)
        else:
            one = archive.reconciler.vote(id, key, person, decision, reason)
    _tell(output, one)
    return 0


def document_of(one: Stranger) -> dict[str, object]:
    """A stranger for programs."""
    from metadata.dates import utc_text

    return {
        "store": one.store.value,
        "key": one.key,
        "kind": one.kind.value,
        "state": one.state.value,
        "size": one.size,
        "modified": utc_text(one.modified),
        "first_seen": utc_text(one.first_seen),
        "last_seen": utc_text(one.last_seen),
        "sha256": one.digest.hex() if one.digest else None,
        "votes": [
            {"person": vote.person, "decision": vote.decision.value, "reason": vote.reason, "at": utc_text(vote.at)}
            for vote in one.votes
        ],
    }


def _tell(output: Output, one: Stranger) -> None:
    output.document({"stranger": document_of(one)})
    output.line(f"{_MARKS[one.state.value]} {one.store}  {plain(one.key)}")
    output.line(f"  {_KINDS[one.kind.value]}")
    output.line(f"  {size_text(one.size)}  {local_text(one.modified)}  {one.digest.hex() if one.digest else ''}")
    for vote in one.votes:
        word = "để lại / keep" if vote.decision.value == "keep" else "xóa / remove"
        output.line(f"  {local_text(vote.at)}  {plain(vote.person)}: {word}. {plain(vote.reason)}")
    words = {
        "kept": ("Đã quyết định để lại.", "It stays.", "✓"),
        "removed": ("Đã xóa; dấu vết còn trong nhật ký.", "It is removed; a tombstone is in the journal.", "✓"),
        "adopted": ("Đã đưa vào danh mục.", "It is in the catalogue.", "✓"),
    }
    vi, en, mark = words.get(
        one.state.value, ("Cần hai người khác nhau quyết định.", "Two different people must decide.", "→")
    )
    output.say(vi, en, mark)
