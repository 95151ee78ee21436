"""Commands that draw up the forms of TT 05 Phụ lục VII and the year's statistics: tangthu forms …"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from administration.cli.app import EXIT_CODES, Context, command, group
from administration.cli.output import Output
from metadata.errors import AlreadyExists, UsageError
from metadata.text import Sentence

if TYPE_CHECKING:
    from administration.forms import Form, FormService, Head, Person

_DAY = click.DateTime(["%Y-%m-%d", "%d/%m/%Y"])
_OPTIONS = (
    click.option("--person", "people", multiple=True, metavar="HỌ TÊN[, CHỨC VỤ]",
                 help="Người tham gia và ký, theo thứ tự; dùng nhiều lần. / Who takes part and signs, in order."),
    click.option("--number", default="", help="Số của văn bản, ví dụ 12/BB-LTLS. / The document's number."),
    click.option("--date", "day", type=_DAY, help="Ngày của văn bản. / The document's date."),
    click.option("--place", default="", help="Địa danh. / The place."),
    click.option("--above", default="", help="Cơ quan chủ quản. / The body that the archive belongs to."),
    click.option("--out", type=click.Path(path_type=Path, dir_okay=False), metavar="TỆP.pdf",
                 help="Tệp PDF/A sẽ ghi; mặc định: tên của biểu mẫu. / The PDF to write."),
)  # fmt: skip
_PERIOD = (
    click.option("--from", "first", type=_DAY, required=True, help="Ngày đầu của kỳ. / The first day."),
    click.option("--to", "last", type=_DAY, required=True, help="Ngày cuối của kỳ. / The last day."),
)

Draw = Callable[["FormService", "list[Person]", "Head"], "Form"]


def _with(*options: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


@group.group("forms", epilog=EXIT_CODES)
def forms() -> None:
    """Biên bản, nhật ký và báo cáo theo Thông tư 05. / Forms of Circular 05, annex VII, and the year's statistics."""


@command("check", parent=forms)
@_with(*_PERIOD, *_OPTIONS)
def check(context: Context, output: Output, first: datetime, last: datetime, **given: Any) -> int:  # noqa: ANN401
    """Biên bản kiểm tra tài liệu và cơ sở dữ liệu. / Minutes of a check of records and database.

    Lấy số liệu từ các lần kiểm tra trong kỳ, và kiểm tra cơ sở dữ liệu ngay lúc lập. Ghi tệp PDF/A.

    Of the checks made in the period; the database is checked while it is drawn up. Writes a PDF/A.
    """
    return _draw(context, output, given, lambda on, people, head: on.check(first.date(), last.date(), people, head))


@command("backup-diary", parent=forms)
@_with(*_PERIOD, *_OPTIONS)
def backup_diary(context: Context, output: Output, first: datetime, last: datetime, **given: Any) -> int:  # noqa: ANN401
    """Nhật ký sao lưu. / The diary of backups.

    Mọi lần sao lưu, phục hồi thử và phục hồi trong kỳ, theo nhật ký của kho.

    Every backup, drill and restore of the period, as the archive's journal has them.
    """
    return _draw(
        context, output, given, lambda on, people, head: on.backup_diary(first.date(), last.date(), people, head)
    )


@command("backup", parent=forms)
@click.argument("id", metavar="MÃ")
@_with(*_OPTIONS)
def backup(context: Context, output: Output, id: str, **given: Any) -> int:  # noqa: ANN401
    """Biên bản sao lưu. / Minutes of one backup.

    Mã lấy từ «tangthu backup list»; người thứ nhất là bên giao, người thứ hai là bên nhận.

    “tangthu backup list” tells the identifier; the first person gives, the second receives.
    """
    return _draw(context, output, given, lambda on, people, head: on.backup(id, people, head))


@command("incident", parent=forms)
@click.argument("id", metavar="MÃ")
@_with(*_OPTIONS)
def incident(context: Context, output: Output, id: str, **given: Any) -> int:  # noqa: ANN401
    """Biên bản xử lý sự cố và phục hồi. / Minutes of an incident and the recovery.

    Mã lấy từ «tangthu incidents list». Nên ghi nguyên nhân, cách xử lý (incidents close) trước khi lập.

    “tangthu incidents list” tells the identifier. Write cause and handling first (incidents close).
    """
    return _draw(context, output, given, lambda on, people, head: on.incident(id, people, head))


@command("year", parent=forms)
@click.option("--year", type=int, required=True, help="Năm của báo cáo. / The year.")
@_with(*_OPTIONS)
def year(context: Context, output: Output, year: int, **given: Any) -> int:  # noqa: ANN401
    """Báo cáo thống kê năm. / The statistics of a year.

    Tài liệu đang giữ theo phông, tiếp nhận trong năm, bản sao theo nơi lưu, định dạng, kiểm tra, sao lưu, sự cố.

    Holdings by fonds, what came in the year, replicas by store, formats, checks, backups, incidents.
    """
    return _draw(context, output, given, lambda on, people, head: on.year(year, people, head))


def _draw(context: Context, output: Output, given: dict[str, Any], draw: Draw) -> int:
    from administration.archive import Archive
    from administration.forms import Head, Person

    people = [Person.parse(text) for text in given["people"]]
    day: datetime | None = given["day"]
    head = Head(given["number"], day.date() if day else None, given["place"], given["above"])
    with Archive.open(context.home) as archive:
        form = draw(archive.forms, people, head)
    path: Path = given["out"] or Path(form.file_name)
    _write(path, form.pdf)
    output.document({**form.to_json(), "path": str(path)})
    output.say(f"Đã lập {path} ({form.id}).", f"Drawn up; SHA-256 {form.sha256}.", "✓")
    return 0


def _write(path: Path, data: bytes) -> None:
    """A file that is there already stays, unless it is this very form. Raises AlreadyExists, UsageError."""
    try:
        with path.open("xb") as file:
            file.write(data)
    except FileExistsError as error:
        if path.is_file() and path.read_bytes() == data:
            return
        raise AlreadyExists(
            Sentence(f"Đã có tệp {path}: hãy chọn tên khác (--out).", f"There is {path} already: choose another --out.")
        ) from error
    except OSError as error:
        raise UsageError(Sentence(f"Không ghi được {path}: {error}.", f"Cannot write {path}: {error}.")) from error
