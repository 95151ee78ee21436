"""Commands about stores: add, list, show, probe, seal. Those that move what stores hold are in ``moving``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from administration.cli.app import EXIT_CODES, Context, command, group
from administration.cli.output import Output, size_text
from metadata.dates import local_text
from metadata.errors import NotFound, UsageError
from metadata.text import Sentence

if TYPE_CHECKING:
    from administration.archive import Archive
    from administration.rooms import Room
    from administration.store_settings import StoreSettings
    from metadata.stores import Probe, StoreRecord

_UNASKED = "không được nối hoặc không trả lời / not connected, or did not answer"
_STATES = {
    "active": "đang dùng / active",
    "draining": "đang rút dần / draining",
    "retired": "đã thôi dùng / retired",
}


@group.group("storage", epilog=EXIT_CODES)
def storage() -> None:
    """Các nơi lưu. / The stores.

    Thêm nơi lưu, xem nó làm được gì, thử lại khi máy chủ thay đổi.

    Add a store, see what it can do, try it out again when its server has changed.
    """


@command("list", parent=storage)
def list_(context: Context, output: Output) -> int:
    """Liệt kê các nơi lưu. / List the stores.

    Thư mục cho biết còn bao nhiêu chỗ; S3 thì không. / A folder tells how much room it has left; S3 does not.
    """
    from administration.archive import Archive
    from administration.rooms import rooms

    with Archive.open(context.home) as archive:
        records = archive.catalogue.stores.records()
        settings, space = archive.settings.stores, rooms(archive)
    listed = [store_to_json(one, records.get(one.id)) | room_to_json(space[one.id]) for one in settings]
    output.document({"stores": listed})
    for one in settings:
        record = records.get(one.id)
        state = record.state.value if record else "active"
        site, left = one.site or "—", _left(space[one.id])
        output.line(f"  {one.id.value:<20} {one.kind:<10} {_STATES[state]:<24} {site:<16} {left:<20} {where(one)}")
    for one in settings:
        _warn(output, one.id.value, space[one.id])
    return 0


def where(settings: StoreSettings) -> str:
    """Where a store is, for a person."""
    if settings.kind == "directory":
        return str(settings.path)
    return f"{settings.endpoint}/{settings.bucket}/{settings.prefix}"


def _left(room: Room) -> str:
    return f"{size_text(room.space.free)} / {size_text(room.space.total)}" if room.space else "—"


def _warn(output: Output, id: str, room: Room) -> None:
    """Say so where a store will soon be full."""
    if room.space is None or not room.low:
        return
    left = size_text(room.space.free)
    if room.nearly_full:
        output.say(f"«{id}» gần đầy: chỉ còn {left}.", f"{id} is nearly full: {left} are left.", "!")
    if room.short:
        came = size_text(room.received)
        output.say(
            f"«{id}» còn {left}, không đủ cho thêm 30 ngày như vừa qua (kho nhận {came}).",
            f"{id} has {left} left, less than the {came} that the archive got in its last 30 days.",
            "!",
        )


def room_to_json(room: Room) -> dict[str, object]:
    """How much room a store has left, in bytes; null: it did not say."""
    return {
        "free": room.space.free if room.space else None,
        "total": room.space.total if room.space else None,
        "nearly_full": room.nearly_full,
        "short": room.short,
    }


def store_to_json(settings: StoreSettings, record: StoreRecord | None) -> dict[str, object]:
    """A store as it is set up, and what is known of it."""
    return {
        "id": settings.id.value,
        "kind": settings.kind,
        "where": where(settings),
        "site": settings.site,
        "label": settings.label,
        "state": record.state.value if record else "active",
        "since": record.since.isoformat() if record else None,
        "probe": record.probe.document() if record and record.probe else None,
    }


@command("add", parent=storage)
@click.argument("id", metavar="TÊN")
@click.option("--path", help="Thư mục của nơi lưu. / The folder of a directory store.")
@click.option("--endpoint", help="Địa chỉ máy chủ S3. / The S3 server's address.")
@click.option("--bucket", help="Bucket của S3. / The S3 bucket.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="THIẾT-LẬP=GIÁ-TRỊ",
    help="Thiết lập khác của [stores], lặp lại được: site=…, label=… / Any other setting of [stores], repeatable.",
)
@click.option("--by", "person", default="", help="Ai quyết định, ghi vào nhật ký. / Who decided, for the journal.")
def add(
    context: Context,
    output: Output,
    id: str,
    path: str | None,
    endpoint: str | None,
    bucket: str | None,
    settings: tuple[str, ...],
    person: str,
) -> int:
    """Thêm một nơi lưu. / Add a store.

    Ghi [[stores]] vào tangthu.toml (phần đã có giữ nguyên), tạo nơi lưu, thử xem nó làm được gì, ghi nhật ký.
    Gói đã có chưa được chép sang: xem «tangthu replicate».

    Writes [[stores]] into tangthu.toml (what is there stays), makes the store, tries out what it can do, and writes
    that into the journal. AIPs that are held already are not copied yet: see “tangthu replicate”.
    """
    from administration.archive import Archive
    from administration.stores import add_entry, entry_of, make_store

    values = entry_of(id, {"path": path, "endpoint": endpoint, "bucket": bucket}, settings)
    home = context.home
    new = add_entry(home, values, write=False)
    made = next(one for one in new.stores if one.id.value == id)
    make_store(made).create(new.archive)
    add_entry(home, values)
    with Archive.open(home) as archive:
        found = try_out(archive, made, "added", person)
    output.document({"store": store_to_json(made, None) | {"probe": found.document()}})
    output.say(f"Đã thêm nơi lưu «{id}» ở {where(made)}.", "The store was added.", "✓")
    tell_probe(output, found)
    return 0


@command("show", parent=storage)
@click.argument("id", metavar="TÊN")
def show(context: Context, output: Output, id: str) -> int:
    """Xem một nơi lưu và những gì nó làm được. / Show a store and what it can do."""
    from administration.archive import Archive
    from administration.rooms import rooms

    with Archive.open(context.home) as archive:
        settings = named(archive, id)
        record, room = archive.catalogue.stores.records().get(settings.id), rooms(archive)[settings.id]
    output.document({"store": store_to_json(settings, record) | room_to_json(room)})
    output.line(f"{settings.id}  {where(settings)}")
    for name, value in (("site", settings.site), ("label", settings.label), ("lock", settings.lock)):
        output.line(f"  {name:<8} {value or '—'}")
    output.line(f"  state    {_STATES[record.state.value if record else 'active']}")
    told = _UNASKED if room.tells else "S3 không cho biết / S3 does not tell"
    output.line(f"  free     {_left(room) if room.space else told}")
    _warn(output, id, room)
    if record is None or record.probe is None:
        output.say("Chưa thử nơi lưu này: «tangthu storage probe».", "Never tried: run “tangthu storage probe”.", "!")
    else:
        tell_probe(output, record.probe)
    return 0


@command("probe", parent=storage)
@click.argument("id", metavar="TÊN")
@click.option("--by", "person", default="", help="Ai yêu cầu, ghi vào nhật ký. / Who asked, for the journal.")
def probe_command(context: Context, output: Output, id: str, person: str) -> int:
    """Thử xem một nơi lưu làm được gì. / Try out what a store can do.

    Ghi, đọc, xóa vài đối tượng nháp dưới _tangthu/probe/; không tin lời máy chủ tự nói. Hãy thử lại sau mỗi lần
    nâng cấp máy chủ. Nơi lưu có khóa: một đối tượng nháp bị khóa 20 giây rồi được xóa.

    Writes, reads and deletes some scratch objects under _tangthu/probe/; what a server says of itself is not believed.
    Do it again whenever the server was upgraded. Where the settings lock, one scratch object is locked for 20 seconds.
    """
    from administration.archive import Archive

    with Archive.open(context.home) as archive:
        found = try_out(archive, named(archive, id), "probed", person)
    output.document({"store": id, "probe": found.document()})
    tell_probe(output, found)
    return 0


@command("seal", parent=storage)
@click.argument("id", metavar="TÊN")
@click.option("--by", "person", required=True, help="Ai đóng bộ, ghi vào nhật ký. / Who closes it, for the journal.")
def seal_command(context: Context, output: Output, id: str, person: str) -> int:
    """Đóng một bộ trên phương tiện cất giá. / Close a set on a medium for the shelf.

    Đọc mọi đối tượng, ghi danh mục của bộ (_tangthu/set.json: khóa, kích thước, SHA-256). Sau đó bộ không nhận thêm gì.
    Kiểm tra ở bất cứ máy nào bằng «tangthu verify THƯ-MỤC».

    Reads every object and writes the set's manifest (_tangthu/set.json: key, size, SHA-256). Nothing is added to the
    set afterwards. “tangthu verify FOLDER” checks it on any computer.
    """
    from administration.archive import Archive
    from metadata.journal import EntryKind
    from storage.media import gather, seal

    with Archive.open(context.home) as archive, output.progress() as advance:
        settings = named(archive, id)
        if not settings.offline:
            raise UsageError(
                Sentence(
                    f"«{id}» không phải phương tiện cất giá (stores.offline).", f"{id} is no medium (stores.offline)."
                )
            )
        store = archive.bare_stores[settings.id]
        media = {one.id for one in archive.settings.stores if one.offline}
        gather(store, [one for key, one in archive.stores.items() if key not in media])
        count, size = seal(store, settings.label, archive.clock(), lambda done: advance(id, done, 0))
        archive.journal.write(EntryKind.STORE, id, "sealed", {"objects": count, "bytes": size}, person)
    output.document({"store": id, "label": settings.label, "objects": count, "bytes": size})
    output.say(f"Đã đóng bộ «{id}»: {count} đối tượng, {size_text(size)}.", f"{count} objects; the set is closed.", "✓")
    return 0


def named(archive: Archive, id: str) -> StoreSettings:
    """The store of that name in the settings. Raises NotFound."""
    for one in archive.settings.stores:
        if one.id.value == id:
            return one
    names = ", ".join(one.id.value for one in archive.settings.stores)
    raise NotFound(Sentence(f"Không có nơi lưu «{id}». Có: {names}.", f"There is no store {id}. There are: {names}."))


def try_out(archive: Archive, settings: StoreSettings, act: str, person: str) -> Probe:
    """Probe a store and write down what was found: in the journal, then in the catalogue."""
    from metadata.journal import EntryKind
    from storage.probing import probe

    found = probe(archive.bare_stores[settings.id], archive.clock())
    document = {"where": where(settings), "site": settings.site, "label": settings.label, "probe": found.document()}
    archive.journal.write(EntryKind.STORE, settings.id.value, act, document, person)
    archive.catalogue.stores.set_probe(settings.id, found)
    return found


def tell_probe(output: Output, found: Probe) -> None:
    """Each ability, and what it means where it is not there."""
    from metadata.stores import Found
    from storage.probing import LACKING

    marks = {Found.YES: "✓", Found.NO: "✗", Found.UNKNOWN: "?"}
    output.line(f"  {local_text(found.at)}  {found.server}")
    for ability, outcome in found.abilities.items():
        output.line(f"  {marks[outcome]} {ability:<22} {found.notes.get(ability, '')}")
        if outcome is not Found.YES:
            output.say(f"      {LACKING[ability].vi}", f"      {LACKING[ability].en}")
