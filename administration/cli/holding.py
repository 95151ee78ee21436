"""Commands that look after the archive as a whole: init, rebuild, sweep."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from administration.cli.app import Context, command
from administration.cli.output import Output
from metadata.errors import UsageError
from metadata.text import Sentence

if TYPE_CHECKING:
    from preservation.rebuild import RebuildReport


@command("init")
@click.option("--code", required=True, help="Mã cơ quan lưu trữ, ví dụ H20.LTLS. / The archive's code.")
@click.option("--name", required=True, help="Tên của kho. / The archive's name.")
@click.option(
    "--store",
    "stores",
    multiple=True,
    metavar="TÊN=THƯ-MỤC",
    help="Một nơi lưu; lặp lại cho mỗi nơi. Không ghi thì là hai thư mục trong kho. "
    "/ A store, NAME=FOLDER, once for each; by default two folders in the archive.",
)
def init(context: Context, output: Output, code: str, name: str, stores: tuple[str, ...]) -> int:
    """Tạo một kho lưu trữ mới. / Make a new archive.

    Ghi tangthu.toml, tạo các nơi lưu, danh mục và mã truy cập. Hãy đặt các nơi lưu trên những thiết bị độc lập.

    Writes tangthu.toml, makes the stores, the catalogue and the access token. Put the stores on independent devices.
    """
    import tomllib

    from administration.archive import Archive, write_settings
    from administration.settings import parse, render

    home = context.home_or_here
    pairs = [_pair(store) for store in stores] or [("kho-a", "kho-a"), ("kho-b", "kho-b")]
    text = render(code, name, pairs, {"storage.required_replicas": min(2, len(pairs))})
    settings = parse(tomllib.loads(text), home, {})
    write_settings(home, text)
    with Archive(settings) as archive:
        archive.create()
    output.document({"home": str(settings.home), "code": code, "name": name, "stores": [pair[0] for pair in pairs]})
    output.say(f"Đã tạo kho «{name}» ở {settings.home}.", f"The archive is at {settings.home}.", "✓")
    for store in settings.stores:
        output.line(f"  {store.id}  {store.path}")
    output.say(
        "Tiếp nhận gói đầu tiên: tangthu ingest GÓI-TIN…; trang web và việc định kỳ: tangthu serve. Chạy trong thư mục "
        f"ấy, hoặc thêm --home {settings.home}.",
        "Take in the first package: tangthu ingest; pages and regular work: tangthu serve. In that folder, or with "
        f"--home {settings.home}.",
        "→",
    )
    return 0


def _pair(text: str) -> tuple[str, str]:
    name, equals, folder = text.partition("=")
    if not equals or not folder:
        raise UsageError(Sentence(f"--store «{text}»: hãy viết TÊN=THƯ-MỤC.", f"--store “{text}”: write NAME=FOLDER."))
    return name, folder


@command("rebuild")
@click.option("--workers", type=click.IntRange(1, 64), default=4, show_default=True, help="Số luồng. / Threads.")
def rebuild_command(context: Context, output: Output, workers: int) -> int:
    """Dựng lại danh mục và chỉ mục từ các nơi lưu. / Rebuild catalogue and index from the stores.

    Dùng khi danh mục bị mất: mọi thứ trừ công việc đang chạy đều đọc lại được từ chính các gói AIP.

    For when the catalogue is lost: all but running jobs is read again from the AIPs themselves.
    Of what the catalogue already has only logs that have gone on are read. It may be stopped and begun again.
    Stores that are retired are not counted.
    """
    from administration.archive import Archive
    from administration.rebuilding import rebuild_all

    with Archive.open(context.home) as archive, output.progress(count_bytes=False) as advance:
        count = 0

        def on_progress(_: str) -> None:
            nonlocal count
            count += 1
            advance("AIP", count, 0)

        report, indexed, quarantined = rebuild_all(archive, on_progress, workers)
    output.document(_rebuilt_to_json(report, indexed, quarantined))
    output.say(
        f"Dựng lại {report.rebuilt} gói AIP, đã có sẵn {report.known}; chỉ mục có {indexed} bản ghi.",
        f"{report.rebuilt} AIPs rebuilt, {report.known} were there; the index has {indexed} records.",
        "✓",
    )
    if quarantined:
        output.say(
            f"Ghi lại {quarantined} gói trong khu cách ly; ai đã quyết định gì thì phải quyết định lại.",
            f"{quarantined} packages in quarantine were noted again; who decided what must be decided anew.",
            "•",
        )
    for problem in report.problems:
        output.say(f"{problem.key}: {problem.message.vi}", problem.message.en, "!")
    for key in report.lost:
        output.say(f"Không đọc được từ nơi lưu nào: {key}", "Cannot be read from any store.", "✗")
    return 1 if report.lost or report.problem_count else 0


def _rebuilt_to_json(report: RebuildReport, indexed: int, quarantined: int) -> dict[str, object]:
    return {
        "rebuilt": report.rebuilt,
        "known": report.known,
        "updated": report.updated,
        "elsewhere": {store.value: count for store, count in report.elsewhere.items()},
        "indexed": indexed,
        "quarantined": quarantined,
        "lost": report.lost,
        "unfinished": report.unfinished,
        "problems": [
            {
                "key": problem.key,
                "store": problem.store.value if problem.store else None,
                "vi": problem.message.vi,
                "en": problem.message.en,
            }
            for problem in report.problems
        ],
        "problem_count": report.problem_count,
    }


@command("sweep")
@click.option(
    "--now", is_flag=True, help="Cả những gì mới bắt đầu; chỉ khi không có việc nào đang chạy. / Recent ones too."
)
def sweep(context: Context, output: Output, now: bool) -> int:
    """Dọn những gì công việc chết để lại. / Clear away what dead workers left.

    Bỏ các lần tải lên dở dang và thư mục tạm; không đụng đến gói AIP nào.

    Aborts unfinished uploads and removes temporary folders; touches no AIP.
    """
    from datetime import timedelta

    from administration.archive import Archive
    from administration.flows import STALE_UPLOAD, sweep_folders, sweep_uploads

    with Archive.open(context.home) as archive:
        age = timedelta(0) if now else STALE_UPLOAD
        uploads, away = sweep_uploads(archive, age)
        folders = sweep_folders(archive, age) + archive.ingest.room.sweep((archive.clock() - age).timestamp())
    output.document({"uploads": uploads, "folders": folders, "away": [str(error) for error in away]})
    output.say(
        f"Đã bỏ {uploads} lần tải lên dở dang, {folders} thư mục tạm.",
        f"{uploads} unfinished uploads and {folders} temporary folders removed.",
        "✓",
    )
    for error in away:
        output.say(error.sentence.vi, error.sentence.en, "!")
    return 1 if away else 0
