"""Commands that mend what is damaged: repair, salvage."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from administration.cli.app import Context, command
from administration.cli.output import Output, plain, size_text
from metadata.errors import UsageError
from metadata.text import Sentence

if TYPE_CHECKING:
    from metadata.identifiers import VersionId
    from preservation.repair import RepairReport
    from preservation.salvage import Salvage


@command("repair")
@click.argument("aips", nargs=-1, metavar="[AIP…]")
def repair(context: Context, output: Output, aips: tuple[str, ...]) -> int:
    """Sửa các bản sao hư hại. / Repair damaged replicas.

    Mặc định mọi gói mà lần kiểm tra trước thấy hư hại. Chỉ chép từ một bản sao khớp ngay lúc này, rồi đọc lại; khi
    không còn bản sao nào tốt thì không đụng đến gì, chỉ liệt kê những tệp còn cứu được.

    By default all AIPs that an audit found damaged. Copies only from a replica that matches at this moment and reads
    back; when none is good nothing is touched, and what can still be saved is listed. Exit code 1 when any remains
    damaged.
    """
    from administration.archive import Archive
    from administration.flows import repair_to_json

    with Archive.open(context.home) as archive, output.progress() as advance:
        versions: dict[VersionId, None]
        if aips:
            versions = dict.fromkeys(archive.shelf.held(aip).id for aip in aips)
        else:
            versions = dict.fromkeys(replica.version for replica in archive.catalogue.fixity.damaged())
        reports = []
        for version in versions:
            read = 0

            def on_progress(count: int, name: str = str(version)) -> None:
                nonlocal read
                read += count
                advance(name, read, 0)

            reports.append(archive.repairer.repair(version, on_progress))
    output.document({"repairs": [repair_to_json(report) for report in reports]})
    if not reports:
        output.say(
            "Không có gì phải sửa: lần kiểm tra gần nhất không thấy bản sao nào hư hại. Kiểm tra lại: tangthu audit.",
            "Nothing to repair: the last audit found no damaged replica. To look again: tangthu audit.",
            "✓",
        )
    for report in reports:
        _tell(output, report)
    if any(report.repaired for report in reports):
        output.say(
            "Sự cố còn chờ ghi nguyên nhân và cách xử lý: tangthu incidents list.",
            "The incident waits for its cause and how it was handled: tangthu incidents list.",
            "→",
        )
    return 1 if any(report.refused or report.failed for report in reports) else 0


def _tell(output: Output, report: RepairReport) -> None:
    if report.shelved:
        media = ", ".join(store.value for store in report.shelved)
        output.say(
            f"{report.version}: {media} đang cất trên giá, có thể giữ một bản nguyên vẹn; nối vào máy rồi sửa lại.",
            f"{media} is on the shelf and may hold a good replica: connect it, then repair again.",
            "!",
        )
    if report.refused:
        output.say(
            f"{report.version}: không còn bản sao nào nguyên vẹn, không sửa gì.",
            "No replica is intact; nothing was touched.",
            "✗",
        )
        for one in report.savable:
            where = ", ".join(store.value for store in one.stores) or "—"
            output.line(f"  {one.path}: {where}")
        output.say(
            f"Tệp nào còn nguyên ở một nơi lưu thì cứu được: tangthu salvage {report.version.aip} --to THƯ_MỤC",
            "What is whole in one store can be saved: tangthu salvage.",
            "→",
        )
        return
    repaired = ", ".join(store.value for store in report.repaired)
    output.say(
        f"{report.version}: {f'đã sửa bản sao ở {repaired}' if repaired else 'không có bản sao nào hư hại'}.",
        f"Repaired in {repaired}." if repaired else "No replica is damaged.",
        "✓",
    )
    for store, why in report.failed:
        output.say(f"{store}: {why.vi}", why.en, "✗")


@command("salvage")
@click.argument("aip", metavar="AIP")
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Ghi những tệp còn nguyên vào thư mục trống này. / Write what is whole into this empty folder.",
)
@click.option(
    "--rebuild",
    is_flag=True,
    help="Dựng lại gói từ nhiều bản sao và thay các bản hư hại. / Make the AIP again and replace what is damaged.",
)
@click.option(
    "--person", "people", multiple=True, metavar="HỌ-TÊN", help="Ai quyết định; hai người. / Who decides; two."
)
def salvage(
    context: Context, output: Output, aip: str, folder: Path | None, rebuild: bool, people: tuple[str, ...]
) -> int:
    """Cứu những gì còn nguyên khi không bản sao nào nguyên vẹn. / Save what is whole when no replica is.

    \b
    tangthu salvage AIP --to THƯ_MỤC
    tangthu salvage AIP --rebuild --person "Trần Thị Lan" --person "Lê Minh"

    Với --to: ghi ra mọi tệp còn khớp mã băm ở ít nhất một nơi lưu, kèm danh sách những tệp đã mất; không ghi byte nào
    chưa được kiểm tra, không đụng đến nơi lưu nào. Với --rebuild: khi mỗi tệp còn nguyên ở ít nhất một nơi lưu, gói
    được dựng lại đúng từng byte, được chứng minh bằng mã băm đã lưu, rồi mới thay các bản sao hư hại; phải có hai
    người.

    With --to every member that matches its digest in some store is written out, with a list of what is lost; no byte
    unverified, and the stores are not touched. With --rebuild, when each member is whole in some store, the AIP is made
    again byte for byte, proved by its digests, and only then put in the place of damaged replicas; by two people.
    Exit code 1 when something is lost.
    """
    from administration.archive import Archive
    from administration.flows import repair_to_json

    if (folder is None) is not rebuild:
        raise UsageError(
            Sentence(
                f"Hãy chọn một: ghi những tệp còn nguyên ra một thư mục (tangthu salvage {aip} --to THƯ_MỤC), hoặc "
                f"dựng lại gói từ nhiều bản sao (tangthu salvage {aip} --rebuild --person … --person …).",
                f"Choose one: write what is whole into a folder (tangthu salvage {aip} --to FOLDER), or make the AIP "
                f"again out of several replicas (tangthu salvage {aip} --rebuild --person … --person …).",
            )
        )
    with Archive.open(context.home) as archive, output.progress() as advance:
        held, read = archive.shelf.held(aip), 0

        def on_progress(count: int) -> None:
            nonlocal read
            read += count
            advance(str(held.id), read, held.size)

        report = None
        if folder is not None:
            done = archive.salvager.write_out(held.id, folder, on_progress)
        else:
            done, report = archive.salvager.rebuild(held.id, people, on_progress)
    output.document({"salvage": done.to_json(), "repair": repair_to_json(report) if report else None})
    _tell_salvage(output, done, folder)
    if report is not None:
        _tell(output, report)
        return 1 if report.failed else 0
    return 1 if done.missing else 0


def _tell_salvage(output: Output, done: Salvage, folder: Path | None) -> None:
    if folder is not None:
        output.say(
            f"Đã ghi {done.whole} tệp ({size_text(done.bytes)}) vào {folder}.",
            f"{done.whole} members written to {folder}.",
            "✓",
        )
    if done.missing:
        output.say(
            f"{done.missing} tệp không cứu được lúc này; các nơi lưu không bị đụng đến.",
            f"{done.missing} members cannot be saved now; the stores were not touched.",
            "✗",
        )
    for word, paths in (("mất / lost", done.lost), ("chưa đọc được, hãy thử lại / not read, try again", done.unknown)):
        for path in paths:
            output.line(f"  {plain(path)}: {word}")
