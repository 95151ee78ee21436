"""Commands about what is put away and taken out again: backup, restore, drills."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from administration.cli.app import EXIT_CODES, Context, command, group
from administration.cli.output import Output, size_text
from metadata.dates import local_text
from metadata.text import Sentence

if TYPE_CHECKING:
    from administration.restoring import Restored
    from metadata.backups import Backup, Drill

_KINDS = {"full": "toàn bộ / full", "incremental": "phần thay đổi / changes"}
_OUTCOMES = {"passed": "đạt / passed", "failed": "không đạt / failed", "incomplete": "chưa trọn / incomplete"}
_AFTER_DRILL = {
    "failed": Sentence(
        "Đã mở một sự cố: xem tangthu incidents list, rồi xem nơi lưu bằng tangthu storage probe.",
        "An incident is open: see tangthu incidents list, then look at the stores: tangthu storage probe.",
    ),
    "incomplete": Sentence(
        "Có thứ chưa thử được, không phải là hư hại. Cần ít nhất một gói AIP (tangthu ingest) và một bản sao lưu "
        "(tangthu backup), nơi lưu phải trả lời; rồi chạy lại.",
        "Something could not be tried, which is no damage. There must be an AIP (tangthu ingest) and a backup "
        "(tangthu backup), and the stores must answer; then run it again.",
    ),
}


@command("backup")
@click.option("--full", is_flag=True, help="Toàn bộ, không chỉ những gì đã đổi. / Everything, not only what changed.")
@click.option("--person", default="", metavar="HỌ-TÊN", help="Ai yêu cầu, ghi vào nhật ký. / Who asks for it.")
def backup(context: Context, output: Output, full: bool, person: str) -> int:
    """Sao lưu danh mục và thiết lập ngay bây giờ. / Back up catalogue and settings now.

    Máy chủ tự làm việc này mỗi ngày (phần đã đổi) và đầu mỗi tháng (toàn bộ), theo Thông tư 05, Điều 27.
    Bản sao lưu nằm cạnh hồ sơ trong ít nhất hai nơi lưu và chỉ được tính khi đã đọc lại và khớp. Những bản đã có:
    «tangthu backups list».

    The server does this by itself every day (what changed) and first in every month (everything): TT 05 Điều 27.
    A backup lies beside the records in at least two stores and counts only when it was read back and matched.
    Passwords are never in it. Those that there are: “tangthu backups list”.
    """
    from administration.archive import Archive
    from administration.flows import backup_to_json

    with Archive.open(context.home) as archive, output.progress(count_bytes=False) as advance:
        made = archive.backups.make(full, person=person, told=advance)
    output.document(backup_to_json(made))
    kept = ", ".join(store.value for store in made.stores)
    output.say(
        f"Bản sao lưu {made.id}: {made.rows} dòng, {size_text(made.size)}, nằm ở {kept}.",
        f"Backup {made.id}: {made.rows} rows, {size_text(made.size)}, in {kept}.",
        "✓",
    )
    if made.note:
        output.say("Có nơi lưu không nhận:", "Some stores did not take it:", "!")
        output.line(f"  {made.note}")
    return 0


@group.group("backups", epilog=EXIT_CODES)
def backups() -> None:
    """Các bản sao lưu đã có. / The backups that there are.

    Làm một bản mới: «tangthu backup». / To make one: “tangthu backup”.
    """


@command("list", backups)
@click.option("--limit", default=50, show_default=True, help="Nhiều nhất bao nhiêu dòng. / At most so many.")
def list_backups(context: Context, output: Output, limit: int) -> int:
    """Liệt kê các bản sao lưu, mới nhất trước. / List backups, the newest first.

    Không có bản nào bị xóa; dòng cuối cho biết chúng chiếm bao nhiêu trong mỗi nơi lưu.

    None is ever deleted; the last line says how much they take in each store.
    """
    from administration.archive import Archive
    from administration.flows import backup_to_json

    with Archive.open(context.home) as archive:
        found = archive.backups.listed(limit)
        taken = sum(one.size for one in archive.backups.listed(1_000_000))
    output.document({"backups": [backup_to_json(one) for one in found], "bytes": taken})
    for one in found:
        output.line(_backup_line(one))
    if not found:
        output.say(
            "Chưa có bản sao lưu nào. Máy chủ tự làm mỗi ngày (backup.every_hours); làm ngay: tangthu backup.",
            "There is no backup yet. The server makes one daily (backup.every_hours); to make one now: tangthu backup.",
        )
        return 0
    output.say(f"Tất cả chiếm {size_text(taken)} trong mỗi nơi lưu.", f"All take {size_text(taken)} in each store.")
    return 0


def _backup_line(one: Backup) -> str:
    mark = "✓" if one.outcome.value == "made" else "✗"
    where = ", ".join(store.value for store in one.stores) or one.note
    return f"{mark} {local_text(one.at)}  {_KINDS[one.kind.value]:26}  {size_text(one.size):>9}  {one.id}  {where}"


@command("restore")
@click.option(
    "--from",
    "sources",
    multiple=True,
    required=True,
    metavar="LOẠI=NƠI",
    help="Một nơi lưu: directory=/thư-mục hoặc s3=tên@https://máy-chủ/bucket; lặp lại cho mỗi nơi. / A store; repeat.",
)
@click.option("--code", default="", help="Mã cơ quan lưu trữ, khi không bản sao lưu nào nói. / The archive's code.")
@click.option("--name", default="", help="Tên của kho, khi không bản sao lưu nào nói. / The archive's name.")
@click.option("--catalogue", default="", metavar="URL", help="Cơ sở dữ liệu mới của danh mục. / A new database.")
@click.option("--verify", is_flag=True, help="Đọc lại từng byte của mọi bản sao. / Read every byte of every replica.")
@click.option("--workers", type=click.IntRange(1, 64), default=4, show_default=True, help="Số luồng. / Threads.")
def restore_command(
    context: Context,
    output: Output,
    sources: tuple[str, ...],
    code: str,
    name: str,
    catalogue: str,
    verify: bool,
    workers: int,
) -> int:
    """Dựng lại cả kho trên một máy trống, từ các nơi lưu. / Make the archive anew on an empty machine.

    Tìm bản sao lưu mới nhất còn nguyên, nạp thiết lập và danh mục, rồi đọc thêm từ các nơi lưu những gì mới hơn.
    Không còn bản sao lưu nào thì danh mục được dựng lại từ chính các gói AIP. Khóa S3 đọc từ biến môi trường
    TANGTHU_S3_ACCESS_KEY và TANGTHU_S3_SECRET_KEY.

    \b
      tangthu --home ./kho-moi restore --from directory=/mnt/kho-a --from directory=/mnt/kho-b --verify

    Finds the newest backup that is whole, loads settings and catalogue, and reads from the stores what is newer.
    Where no backup is left the catalogue is rebuilt from the AIPs themselves.
    """
    from administration.restoring import Wish, restore, source

    with output.progress(count_bytes=False) as advance:
        wish = Wish(
            context.home_or_here, [source(one) for one in sources], code, name, catalogue, verify=verify,
            workers=workers,
        )  # fmt: skip
        done = restore(wish, advance)
    _tell_restored(output, done)
    return 0 if done.whole and not done.problems and not (done.rebuild and done.rebuild.problem_count) else 1


def _tell_restored(output: Output, done: Restored) -> None:
    report = done.rebuild
    problems = [*done.problems, *((one.key, one.message) for one in report.problems)] if report else done.problems
    output.document(
        {
            "backup": done.backup,
            "rows": done.rows,
            "versions": done.versions,
            "journal": done.journal,
            "indexed": done.indexed,
            "rebuilt": report.rebuilt if report else 0,
            "updated": report.updated if report else 0,
            "elsewhere": {store.value: count for store, count in report.elsewhere.items()} if report else {},
            "lost": report.lost if report else [],
            "verified": done.verified,
            "bad": done.bad,
            "waiting": done.waiting,
            "alone": done.alone,
            "problems": [{"place": place, "vi": told.vi, "en": told.en} for place, told in problems],
        }
    )
    output.say(
        f"Kho có lại {done.versions} gói AIP (bản sao lưu: {done.backup or 'không có'}).",
        f"{done.versions} AIPs are back (backup: {done.backup or 'none'}).",
        "✓" if done.whole else "✗",
    )
    _tell_alone(output, done)
    for place, told in problems:
        output.say(f"{place} {told.vi}", told.en, "!")
    for key in [*(report.lost if report else []), *done.bad]:
        output.say(f"Không nơi lưu nào còn nguyên: {key}", "Whole in no store.", "✗")


def _tell_alone(output: Output, done: Restored) -> None:
    if done.alone:
        output.say(
            "Chỉ một nơi lưu chứng thực bản sao lưu này: hãy xem lại tangthu.toml và thư mục trust trước khi dùng.",
            "Only one store vouches for this backup: look at tangthu.toml and the folder trust before you use them.",
            "→",
        )
    if done.waiting == ["*"]:
        output.say(
            "Thiết lập trong bản sao lưu không dùng được: kho dùng thiết lập mặc định.",
            "The settings in the backup cannot be used: the archive has the default ones.",
            "!",
        )
    elif done.waiting:
        names = ", ".join(done.waiting)
        output.say(
            f"Chưa có hiệu lực, chờ người xem ở cuối tangthu.toml: {names}.",
            f"Not in force, waiting at the end of tangthu.toml for somebody to look: {names}.",
            "→",
        )


@command("drill")
@click.option("--aips", type=click.IntRange(0), help="Bao nhiêu gói AIP, ngẫu nhiên. / How many AIPs, by lot.")
@click.option("--chain/--no-chain", default=None, help="Cả (hoặc trừ) bản sao lưu mới nhất. / The newest backup too.")
@click.option("--person", default="", metavar="HỌ-TÊN", help="Ai yêu cầu, ghi vào nhật ký. / Who asks for it.")
def drill(context: Context, output: Output, aips: int | None, chain: bool | None, person: str) -> int:
    """Phục hồi thử ngay bây giờ. / Do a drill now: restore on trial and check.

    Lấy ngẫu nhiên vài gói AIP ra một thư mục tạm, mở gói, đối chiếu từng tệp; mỗi tháng một lần nạp cả bản sao lưu mới
    nhất vào một cơ sở dữ liệu tạm và so với danh mục. Không đụng đến những gì đang giữ. Kết quả được ghi vào nhật ký;
    không đạt là một sự cố. Những lần đã làm: «tangthu drills list».

    Takes some AIPs out into a scratch folder, unpacks them, checks every file; once a month the newest backup is loaded
    into a database of its own and compared. Nothing that is kept is touched. What came of it is written down; a failure
    is an incident. Those that were done: “tangthu drills list”.
    """
    from administration.archive import Archive
    from administration.flows import drill_to_json

    with Archive.open(context.home) as archive, output.progress(count_bytes=False) as advance:
        done = archive.drills.run(aips, chain, person, told=advance)
    output.document(drill_to_json(done))
    output.line(_drill_line(done))
    for problem in done.problems:
        output.line(f"  {problem}")
    if next := _AFTER_DRILL.get(done.outcome.value):
        output.say(next.vi, next.en, "→")
    return 0 if done.outcome.value == "passed" else 1


@group.group("drills", epilog=EXIT_CODES)
def drills() -> None:
    """Các lần phục hồi thử đã làm. / Drills: restores on trial that were done.

    Làm một lần mới: «tangthu drill». / To do one: “tangthu drill”.
    """


@command("list", drills)
@click.option("--limit", default=50, show_default=True, help="Nhiều nhất bao nhiêu dòng. / At most so many.")
def list_drills(context: Context, output: Output, limit: int) -> int:
    """Liệt kê các lần phục hồi thử, mới nhất trước. / List drills, the newest first."""
    from administration.archive import Archive
    from administration.flows import drill_to_json

    with Archive.open(context.home) as archive:
        found = archive.drills.listed(limit)
    output.document({"drills": [drill_to_json(one) for one in found]})
    if not found:
        output.say(
            "Chưa có lần phục hồi thử nào. Máy chủ tự làm mỗi tuần (drills.every_days); làm ngay: tangthu drill.",
            "There was no drill yet. The server does one every week (drills.every_days); to do one now: tangthu drill.",
        )
    for one in found:
        output.line(_drill_line(one))
    return 0


def _drill_line(one: Drill) -> str:
    mark = {"passed": "✓", "failed": "✗"}.get(one.outcome.value, "•")
    told = f"{mark} {local_text(one.at)}  {_OUTCOMES[one.outcome.value]:24}  {len(one.aips)} AIP  {one.files} tệp/files"
    return f"{told}  {size_text(one.size)}  {f'{one.seconds:.1f}'.replace('.', ',')} s  {one.backup}"
