"""What Click says of a command typed wrongly, and the words of its help pages, in both languages."""

from __future__ import annotations

import re
from collections.abc import Iterable

import click

from metadata.errors import UsageError
from metadata.text import Sentence

_SAID = (
    (r"Got unexpected extra arguments? \((?P<a>.*)\)", "Thừa: {a}."),
    (r"Missing command\.", "Thiếu lệnh con."),
    (r"No such command (?P<a>.*?)\.", "Không có lệnh {a}."),
    (r"No such option (?P<a>.*?)\.", "Không có tùy chọn {a}."),
    (r"Did you mean (?P<a>.*)\?", "Có phải là {a}?"),
    (r"\(Did you mean one of: (?P<a>.*)\?\)", "Có phải là một trong: {a}?"),
    (r"Option (?P<a>.*?) requires (an argument|\d+ arguments)\.", "Tùy chọn {a} cần có giá trị theo sau."),
    (r"Option (?P<a>.*?) does not take a value\.", "Tùy chọn {a} không nhận giá trị."),
    (r"Missing option (?P<a>.*?)\.", "Thiếu tùy chọn {a}."),
    (r"Missing argument (?P<a>.*?)\.", "Thiếu {a}."),
    (r"Choose from: (?P<a>.*)", "Hãy chọn: {a}"),
    (r"(?P<a>'.*') is not one of (?P<b>'.*')\.", "{a} không thuộc {b}."),
    (r"(?P<a>'.*') is not (?P<b>'.*')\.", "{a} không phải là {b}."),
    (r"(?P<a>'.*') does not match the formats? (?P<b>'.*')\.", "{a} không viết theo dạng {b}."),
    (r"(?P<a>'.*') is not a valid integer( range)?\.", "{a} không phải là số nguyên."),
    (r"(?P<a>'.*') is not a valid float( range)?\.", "{a} không phải là một số."),
    (r"(?P<a>\S+) is not in the range (?P<b>.*)\.", "{a} không nằm trong khoảng {b}."),
    (r"\w+ (?P<a>'.*') does not exist\.", "Không có {a}."),
    (r"\w+ (?P<a>'.*') is a file\.", "{a} là một tệp; cần một thư mục."),
    (r"\w+ (?P<a>'.*') is a directory\.", "{a} là một thư mục; cần một tệp."),
    (r"\w+ (?P<a>'.*') is not readable\.", "Không có quyền đọc {a}."),
    (r"\w+ (?P<a>'.*') is not writable\.", "Không có quyền ghi {a}."),
)
"""Sentences of Click, and what they are in Vietnamese."""
_HELP = (
    ("[OPTIONS]", "[TÙY-CHỌN]"),
    ("COMMAND [ARGS]...", "LỆNH …"),
    ("Show this message and exit.", "Hiện trang này. / Show this page."),
    ("Show the version and exit.", "Hiện phiên bản. / Show the version."),
    ("[required]", "[bắt buộc / required]"),
    ("[default: ", "[mặc định / default: "),
)
_HEADINGS = {"Options": "Tùy chọn / Options", "Commands": "Các lệnh / Commands"}
_DATES = (("%Y", "YYYY"), ("%m", "MM"), ("%d", "DD"))


def told(error: click.ClickException) -> UsageError:
    """What Click found wrong, as a sentence in both languages that ends with what to type instead."""
    english = " ".join(error.format_message().replace("\\\\", "\\").split())
    for code, word in _DATES:
        english = english.replace(code, word)
    if not english.endswith((".", "?", "!")):
        english += "."
    vietnamese = _in_vietnamese(english.removesuffix(".") if english.endswith(").") else english)
    vi, en = _more(error)
    if isinstance(error, click.UsageError) and error.ctx is not None:
        path = error.ctx.command_path
        vi, en = f"{vi} Xem cách dùng: {path} --help", f"{en} How to use it: {path} --help"
    return UsageError(Sentence(f"{vietnamese}{vi}", f"{english}{en}"))


def _in_vietnamese(english: str) -> str:
    if bad := re.fullmatch(r"Invalid value for (?P<what>'.*?'|--[\w-]+|\S+): (?P<why>.*)", english):
        return f"Giá trị của {bad['what']} không dùng được: {_in_vietnamese(bad['why'])}"
    if bad := re.fullmatch(r"Invalid value: (?P<why>.*)", english):
        return f"Giá trị không dùng được: {_in_vietnamese(bad['why'])}"
    for pattern, vietnamese in _SAID:
        if found := re.fullmatch(pattern, english):
            return vietnamese.format(**found.groupdict())
        # Two sentences: what is wrong, and what could have been meant.
        if (found := re.match(rf"{pattern} ", english)) and found.end() < len(english):
            return f"{vietnamese.format(**found.groupdict())} {_in_vietnamese(english[found.end() :])}"
    return english


def _more(error: click.ClickException) -> tuple[str, str]:
    """What the option that is missing is for; ``backups list`` for ``backup list``, which differ by a letter."""
    if isinstance(error, click.MissingParameter) and isinstance(error.param, click.Option):
        vi, _, en = (error.param.help or "").partition(" / ")
        return f" {vi}", f" {en}"
    if not getattr(error, "message", "").startswith("Got unexpected"):
        return "", ""
    context = error.ctx if isinstance(error, click.UsageError) else None
    above = context.parent if context is not None else None
    if context is None or above is None or not isinstance(above.command, click.Group):
        return "", ""
    several = f"{context.info_name}s"
    if several not in above.command.commands:
        return "", ""
    typed = f"{above.command_path} {several} list"
    return f" Để xem danh sách: {typed}.", f" To see the list: {typed}."


class _Formatter(click.HelpFormatter):
    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(prog, _bilingual(args), prefix or "Cách dùng / Usage: ")

    def write_heading(self, heading: str) -> None:
        super().write_heading(_HEADINGS.get(heading, heading))

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        super().write_dl([(term, _bilingual(text)) for term, text in rows], col_max, col_spacing)


def _bilingual(text: str) -> str:
    for english, both in _HELP:
        text = text.replace(english, both)
    return text


class TeachingContext(click.Context):
    """Its help pages have headings in both languages."""

    formatter_class = _Formatter


class TeachingCommand(click.Command):
    """A command with such a page."""

    context_class = TeachingContext


class TeachingGroup(click.Group):
    """A group of such commands; in a list it shows the whole first line of what it says of itself."""

    context_class = TeachingContext
    command_class = TeachingCommand
    group_class = type

    def get_short_help_str(self, limit: int = 45) -> str:
        """The first line, in both languages."""
        return (self.help or "").partition("\n")[0]
