"""Commands for incidents: list, show, close, fix-file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from administration.cli.app import EXIT_CODES, Context, command, group
from administration.cli.output import Output, plain
from metadata.dates import local_text, read_utc
from metadata.errors import UsageError
from metadata.text import Sentence

if TYPE_CHECKING:
    from metadata.incidents import Incident

STATES = ("open", "mended", "closed")
_MARKS = {"open": "✗", "mended": "!", "closed": "✓"}
_WORDS = {
    "open": "đang mở, chưa khắc phục / open, not mended",
    "mended": "đã khắc phục, chờ ghi nguyên nhân và cách xử lý / mended, cause and handling to be written",
    "closed": "đã đóng / closed",
}

_ACTS = {
    "opened": "được ghi nhận / opened",
    "mended": "đã khắc phục / mended",
    "met-again": "gặp lại / met again",
    "closed": "được ký đóng / closed",
}
_HOW = {
    "copied whole": "chép lại cả gói / copied whole",
    "repaired": "đã sửa / repaired",
    "a replica matches again": "một bản sao lại khớp / a replica matches again",
    "right again in the catalogue": "danh mục lại đúng / right again in the catalogue",
    "matched when read again": "đọc lại thì khớp / matched when read again",
    "nothing is left to decide": "không còn gì phải quyết định / nothing is left to decide",
    "the log was written in every store": "nhật ký đã đủ ở mọi nơi lưu / the log was written in every store",
    "the journal fits again": "nhật ký của kho lại đúng / the journal fits again",
    "the clock can be right again": "đồng hồ đã hợp lý / the clock can be right again",
    "": "nơi lưu lại trả lời / the store answers again",
}
_NEXT = {
    "closed": Sentence(
        "In biên bản: tangthu forms incident {id} --person …; tệp xử lý sự cố: tangthu incidents fix-file {id}",
        "Print the minutes: tangthu forms incident {id} --person …; the fix file: tangthu incidents fix-file {id}",
    ),
    "mended": Sentence(
        "Hãy ghi nguyên nhân và cách xử lý: tangthu incidents close {id} --cause … --handling … --person …",
        "Write cause and handling: tangthu incidents close {id} --cause … --handling … --person …",
    ),
    "damage": Sentence("Hãy sửa: tangthu repair {aip}", "Repair it: tangthu repair {aip}"),
    "log": Sentence("Hãy sửa: tangthu repair {aip}", "Repair it: tangthu repair {aip}"),
    "lost": Sentence(
        "Nối lại mọi nơi lưu có thể còn bản sao rồi chạy tangthu repair {aip}; nếu vẫn không được, cứu những gì còn: "
        "tangthu salvage {aip} --to THƯ_MỤC, hoặc --rebuild khi mỗi tệp còn nguyên ở một nơi lưu (hai người).",
        "Connect every store that may have a replica, then tangthu repair {aip}; if that fails save what is left: "
        "tangthu salvage {aip} --to FOLDER, or --rebuild when each file is whole in some store (two people).",
    ),
    "unreadable": Sentence(
        "Xem nơi lưu: tangthu storage probe {store}; rồi đọc lại: tangthu audit {aip}",
        "Look at the store: tangthu storage probe {store}; then read again: tangthu audit {aip}",
    ),
    "absent": Sentence("Hãy chép cho đủ: tangthu replicate", "Make what is missing: tangthu replicate"),
    "store-away": Sentence(
        "Gắn lại ổ đĩa, hoặc bật máy chủ và đường truyền; rồi thử: tangthu storage probe {store}",
        "Mount the disk, or look at server and line; then try: tangthu storage probe {store}",
    ),
    "store-full": Sentence(
        "Thêm dung lượng, hoặc thêm một nơi lưu: tangthu storage add",
        "Make room, or add a store: tangthu storage add",
    ),
    "stranger": Sentence("Hãy xem và quyết định: tangthu strangers list", "Look and decide: tangthu strangers list"),
    "backup": Sentence(
        "Xem nơi lưu (tangthu storage list), rồi làm lại: tangthu backup, tangthu drill",
        "Look at the stores (tangthu storage list), then do it again: tangthu backup, tangthu drill",
    ),
    "clock": Sentence(
        "Hãy chỉnh đồng hồ của máy; nếu đồng hồ đúng: tangthu incidents close {id} --unmended …",
        "Set the machine's clock; when it is right: tangthu incidents close {id} --unmended …",
    ),
}
"""What to do next, by an incident's state, else by its kind."""


@group.group("incidents", epilog=EXIT_CODES)
def incidents() -> None:
    """Sự cố: xem, ghi nguyên nhân và cách xử lý, lập tệp xử lý sự cố. / What went wrong, and how it was handled."""


@command("list", parent=incidents)
@click.option("--state", type=click.Choice(STATES), help="Chỉ những sự cố như vậy. / Only those in this state.")
@click.option("--kind", help="Chỉ một loại, ví dụ damage. / Only of one kind.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000), help="Nhiều nhất. / The most.")
@click.option("--before", metavar="MÃ", help="Những sự cố trước sự cố này. / Those before this one.")
def list_command(
    context: Context, output: Output, state: str | None, kind: str | None, limit: int, before: str | None
) -> int:
    """Các sự cố, mới nhất trước; mặc định những sự cố chưa đóng. / The newest first; by default those not closed.

    Mã thoát 1 khi còn sự cố chưa khắc phục. / Exit code 1 while any is open.
    """
    from administration.archive import Archive
    from metadata.incidents import IncidentKind, IncidentState
    from preservation.incidents import incident_to_json

    kinds = [one.value for one in IncidentKind]
    if kind is not None and kind not in kinds:
        raise UsageError(Sentence(f"--kind: {', '.join(kinds)}.", f"--kind is one of {', '.join(kinds)}."))
    wanted = [IncidentState(state)] if state else [IncidentState.OPEN, IncidentState.MENDED]
    with Archive.open(context.home) as archive:
        rows, chosen = archive.catalogue.incidents, IncidentKind(kind) if kind else None
        found = [one for each in wanted for one in rows.listed(each, chosen, limit, before)][:limit]
        counts = rows.counts()
    output.document(
        {
            "incidents": [incident_to_json(one) for one in found],
            "counts": {one.value: count for one, count in counts.items()},
        }
    )
    if not found:
        _tell_none(output, bool(state or kind or before))
    for one in found:
        output.line(f"{_MARKS[one.state.value]} {one.id}  {local_text(one.opened)}  ×{one.seen}")
        output.say(f"  {one.told.vi}", f"  {one.told.en}")
    if any(one.state.value != "closed" for one in found):
        typed = f"tangthu incidents show {found[0].id if len(found) == 1 else 'MÃ'}"
        output.say(f"Xem và xử lý: {typed}", f"Look and deal with it: {typed}", "→")
    return 1 if counts[IncidentState.OPEN] else 0


def _tell_none(output: Output, chosen: bool) -> None:
    if chosen:
        output.say("Không có sự cố nào như vậy.", "There is no such incident.")
        return
    output.say(
        "Không có sự cố nào chờ xử lý. Hư hại chỉ được thấy khi đọc lại: tangthu coverage cho biết đã đọc lại bao "
        "nhiêu; sự cố đã đóng: tangthu incidents list --state closed.",
        "No incident waits. Damage is seen when replicas are read again: tangthu coverage says how much was; "
        "closed ones: tangthu incidents list --state closed.",
        "✓",
    )


@command("show", parent=incidents)
@click.argument("id", metavar="MÃ")
def show(context: Context, output: Output, id: str) -> int:
    """Một sự cố: thấy gì, đã sửa thế nào, ai đã ký. / One incident: what was found, what mended it, who signed."""
    from administration.archive import Archive
    from preservation.incidents import history, incident_to_json

    with Archive.open(context.home) as archive:
        one = archive.catalogue.incidents.get(id)
        told = history(archive.catalogue, id)
    output.document({"incident": incident_to_json(one)})
    _tell(output, one)
    for entry in told:
        who = f"  {entry.entry.person}" if entry.entry.person else ""
        act = _ACTS.get(entry.entry.act, entry.entry.act)
        output.line(f"  {local_text(entry.entry.at)}  #{entry.number}  {act}{plain(who)}")
    _tell_next(output, one)
    return 0


@command("close", parent=incidents)
@click.argument("id", metavar="MÃ")
@click.option("--cause", required=True, help="Nguyên nhân. / The cause.")
@click.option("--handling", required=True, help="Đã xử lý thế nào. / How it was handled.")
@click.option("--person", required=True, help="Họ tên người ký. / Who signs.")
@click.option("--unmended", is_flag=True, help="Đóng dù chưa khắc phục được. / Though it is not mended.")
def close(context: Context, output: Output, id: str, cause: str, handling: str, person: str, unmended: bool) -> int:
    """Ghi nguyên nhân và cách xử lý, rồi đóng. / Write cause and handling, and close it.

    NĐ 113/2025 Điều 22: nguyên nhân và cách xử lý do người ghi. Sự cố chưa khắc phục chỉ đóng được với --unmended;
    khi đó kho không báo lại chừng nào thiệt hại vẫn y như vậy.

    Cause and handling are written by a person. One that is not mended is closed with --unmended only; it is not told
    again as long as the damage stays the same.
    """
    from administration.archive import Archive
    from preservation.incidents import incident_to_json

    with Archive.open(context.home) as archive:
        one = archive.incidents.close(id, cause, handling, person, unmended=unmended)
    output.document({"incident": incident_to_json(one)})
    _tell(output, one)
    _tell_next(output, one)
    return 0


@command("fix-file", parent=incidents)
@click.argument("id", metavar="MÃ")
@click.option("--to", "file", type=click.Path(path_type=Path, dir_okay=False), help="Tệp để ghi. / The file to write.")
def fix_file(context: Context, output: Output, id: str, file: Path | None) -> int:
    """Tệp xử lý sự cố (NĐ 113/2025 Điều 22), dạng JSON. / The incident's fix file, as JSON.

    Ghi rõ hư hại từng tệp với mã băm đúng và mã băm thấy được, sửa từ bản sao nào, đọc lại lúc nào, sự kiện PREMIS và
    các mục nhật ký kèm mã băm. Không có --to thì in ra màn hình.

    Says what was found member by member, with expected and found digests, from which replica it was mended, when it was
    read back, the PREMIS events, and the journal's entries with their digests. Without --to it is printed.
    """
    from administration.archive import Archive

    with Archive.open(context.home) as archive:
        data = archive.incidents.fix_file(id)
    if file is None:
        click.echo(data, nl=False)
        return 0
    try:
        file.write_bytes(data)
    except OSError as error:
        raise UsageError(
            Sentence(f"Không ghi được {file}: {error.strerror}.", f"Cannot write {file}: {error.strerror}.")
        ) from error
    output.document({"file": str(file), "bytes": len(data)})
    output.say(f"Đã ghi {file}.", f"{file} is written.", "✓")
    return 0


def _tell(output: Output, one: Incident) -> None:
    output.say(f"{one.id}: {one.told.vi}", one.told.en, _MARKS[one.state.value])
    output.line(f"  {_WORDS[one.state.value]}")
    output.line(f"  {local_text(one.opened)}  ×{one.seen}  {one.version or ''} {one.store or ''}".rstrip())
    for damage in one.facts.get("damages", [])[:20]:
        output.line(f"  {damage['place']}: {damage['kind']}")
        output.line(f"    {damage['expected']} → {damage['found']}")
    mended = one.facts.get("mended")
    if mended:
        vi = f" từ {', '.join(mended['from'])}" if mended.get("from") else ""
        back = mended.get("read_back")
        read = f", đọc lại / read back {local_text(read_utc(back))}" if back else ""
        how = str(mended.get("how", ""))
        output.line(f"  ✓ {_HOW.get(how, how)}{vi}{read}")
    if one.closed is not None:
        output.line(f"  Nguyên nhân / Cause: {one.cause}")
        output.line(f"  Cách xử lý / Handling: {one.handling}")
        output.line(f"  {one.person}  {local_text(one.closed)}")


def _tell_next(output: Output, one: Incident) -> None:
    """What the person does now."""
    next = _NEXT.get(one.state.value) or _NEXT.get(one.kind.value)
    if next is None or (one.version is None and "{aip}" in next.vi):
        return
    names = {"id": one.id, "aip": one.version.aip if one.version else "", "store": one.store or ""}
    output.say(next.vi.format(**names), next.en.format(**names), "→")
