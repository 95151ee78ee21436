"""The command line: one group, its commands in small modules. Nothing heavy is imported before a command runs."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Concatenate, ParamSpec

import click

from administration.cli.output import Output
from administration.cli.usage import TeachingGroup
from administration.settings import find_home

P = ParamSpec("P")

EXIT_CODES = """\b
Mã thoát / Exit codes:
   0  tốt đẹp                        / good
   1  có hư hại hoặc điều phát hiện  / damage or findings
   2  lệnh hoặc thiết lập sai        / wrong usage or settings
   3  gói tin bị từ chối             / a package was refused
   4  lỗi tạm thời, hãy thử lại      / temporary failure, try again
   5  không tìm thấy                 / not found
   6  đã có rồi                      / exists already
   7  không đọc được                 / cannot be read as what it should be
  70  lỗi bên trong                  / internal error"""


class Context:
    """What every command gets: where the archive is and how to speak."""

    def __init__(self, home: Path | None) -> None:
        self._home = home

    @property
    def given(self) -> Path | None:
        """What ``--home`` said: for commands that need no archive but use one's settings."""
        return self._home

    @property
    def home(self) -> Path:
        """Raises UsageError when nobody said which archive."""
        return find_home(self._home)

    @property
    def home_or_here(self) -> Path:
        """For ``init``: as given, else this folder."""
        return self._home or Path.cwd()


@click.group(
    cls=TeachingGroup,
    epilog=EXIT_CODES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    help="Thư mục của kho (hoặc biến TANGTHU_HOME). / The archive's folder.",
)
@click.version_option(package_name="tangthu", message="%(package)s %(version)s")
@click.pass_context
def group(context: click.Context, home: Path | None) -> None:
    """Tàng Thư: kho lưu trữ số theo mô hình OAIS.

    An OAIS archive: agencies transfer dossiers, the archive checks and keeps them, proves that they are intact, and
    readers find them.

    \b
    Bắt đầu / To begin:
      tangthu --home ./kho init --code H20.LTLS --name "Lưu trữ lịch sử tỉnh"
      tangthu --home ./kho ingest GÓI-TIN…
      tangthu --home ./kho search công văn
    \b
    Hằng ngày / Every day:
      tangthu incidents list     có gì hỏng không / is anything wrong
      tangthu coverage           mọi thứ có được đọc lại kịp không / will all be read again in time
      tangthu serve              trang web, và mọi việc định kỳ / the pages, and all that is done regularly
    """
    context.obj = Context(home)


def command(
    name: str, parent: click.Group = group
) -> Callable[[Callable[Concatenate[Context, Output, P], int]], click.Command]:
    """A command of the group, with ``--json``; the function gets context and output and returns the exit code."""

    def decorate(function: Callable[Concatenate[Context, Output, P], int]) -> click.Command:
        @functools.wraps(function)
        def run(*args: P.args, **kwargs: P.kwargs) -> int:
            context = click.get_current_context().obj
            output = Output(as_json=bool(kwargs.pop("as_json")))
            return function(context, output, *args, **kwargs)

        option = click.option(
            "--json", "as_json", is_flag=True, help="Kết quả là một tài liệu JSON. / The result as one JSON document."
        )
        first_line = (function.__doc__ or "").splitlines()[0]
        return parent.command(name, epilog=EXIT_CODES, short_help=first_line)(option(run))

    return decorate
