"""The command that says what is wrong with packages before they are sent: check."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from administration.cli.app import Context, command
from administration.cli.output import Output, size_text

if TYPE_CHECKING:
    from ingest.advice import FindingKind
    from ingest.check import CheckReport
    from ingest.one_pass import Watch
    from ingest.reports import ReportFormat
    from metadata.bagit_profile import BagProfile
    from metadata.errors import TangThuError
    from metadata.package_kinds import PackageProfile
    from preservation.checkers import Checkers

_PLACES = 10
_ROWS = 60


@command("check")
@click.argument("paths", nargs=-1, required=True, metavar="GÓI-TIN…", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--profile",
    metavar="TÊN",
    help="Kiểm tra theo loại gói này; mặc định gói tự cho biết. / Judge by this; a package says itself what it is.",
)
@click.option(
    "--bag-profile",
    metavar="TỆP",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Kiểm tra như gói BagIt, theo cả BagIt profile (JSON) này. / Judge as a bag, by this BagIt profile too.",
)
@click.option(
    "--report",
    "reports",
    multiple=True,
    metavar="TỆP",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Ghi báo cáo: .pdf, .csv hoặc .json; dùng được nhiều lần. / Write a report; may be given more than once.",
)
@click.option(
    "--deep",
    "--identify",
    "deep",
    is_flag=True,
    help="Xem cả bên trong tệp như khi tiếp nhận: định dạng, chữ ký số, số trang; chậm hơn. / Look into files too.",
)
@click.option("--all", "everything", is_flag=True, help="Liệt kê mọi vị trí. / List every place.")
def check(
    context: Context,
    output: Output,
    paths: tuple[Path, ...],
    profile: str | None,
    bag_profile: Path | None,
    reports: tuple[Path, ...],
    deep: bool,
    everything: bool,
) -> int:
    """Kiểm tra gói tin trước khi nộp. / Check packages before they are sent.

    Không cần kho lưu trữ, không cần mạng, không giữ lại gì. GÓI-TIN là một thư mục, tệp ZIP hoặc TAR. Cấu trúc được
    xem trước, rồi mỗi byte được đọc đúng một lần; mọi lỗi được nêu trong một lần kiểm tra, xếp theo việc phải làm.
    Với --deep, từng tệp còn được xem bên trong như khi kho tiếp nhận (trừ quét vi-rút): nhận dạng, đúng định dạng
    không, chữ ký số, số trang so với numberOfPage. Chữ ký được xét theo thư mục trust của kho, nếu có.

    Needs no archive and no network, and keeps nothing. A package is a folder, ZIP or TAR. Its structure is looked at
    first, then every byte is read once; everything that is wrong is said at once, grouped by what to do. With --deep
    files are looked into as an ingest does (but for viruses): format, validity, signatures, pages against numberOfPage.
    Signatures are judged by the archive's folder trust, where there is one.

    \b
    Loại gói / Profiles:
      tt05-sip-hoso  tt05-sip-tailieu  tt05-aip-hoso  tt05-aip-tailieu  tt05-dip
      eark-csip  eark-sip  eark-aip  eark-dip   (eark-sip@2.1.0: theo phiên bản / by that version)
      bagit

    \b
    Ví dụ / Examples:
      tangthu check uuid-7D1F….zip
      tangthu check nop/*.zip --report bao-cao.pdf
      tangthu check ho-so/ --deep
      tangthu check ho-so/ --profile tt05-sip-hoso --json

    Khi kiểm tra nhiều gói, --report bao-cao.pdf ghi bao-cao-1.pdf, bao-cao-2.pdf… Mã thoát là 0 khi gói nộp được (có
    thể có lưu ý), 3 khi có gói còn lỗi phải sửa.

    For several packages --report name.pdf writes name-1.pdf, name-2.pdf and so on. The exit code is 0 when all can
    be sent (with remarks perhaps), 3 when any has errors.
    """
    asked = _profile(profile)
    codes, results = set(), []
    with _watch(context, deep=deep) as watch:
        wanted = _Wanted(asked, _bag_profile(bag_profile, asked), _targets(reports, paths), watch, everything)
        for number, path in enumerate(paths, 1):
            code, result = _check(output, path, wanted, number if len(paths) > 1 else 0)
            codes.add(code)
            results.append({"path": str(path)} | result)
    output.document({"packages": results})
    # What may be tried again is told before what may not, so that a script knows to come back.
    return next((code for code in (70, 4, 2, 3) if code in codes), max(codes, default=0))


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What every package is checked against, and how it is told."""

    profile: PackageProfile | None
    bag_profile: BagProfile | None
    targets: Sequence[tuple[Path, ReportFormat]]
    watch: Watch
    everything: bool


def _check(output: Output, path: Path, wanted: _Wanted, number: int) -> tuple[int, dict[str, object]]:
    """The exit code of one package, and what JSON says of it; ``number`` goes into its reports' names, 0 for none."""
    from ingest.check import CheckVerdict, check_package
    from metadata.errors import TangThuError

    try:
        with (
            tempfile.TemporaryDirectory(prefix="tangthu-") as work,
            output.progress() as advance,
        ):
            report = check_package(
                path,
                Path(work),
                wanted.profile,
                on_progress=_named(advance, path.resolve().name),
                bag_profile=wanted.bag_profile,
                watch=wanted.watch,
            )
        written = [_write(report, target, format, number) for target, format in wanted.targets]
    except TangThuError as error:
        return error.exit_code, {"error": _trouble(output, path, error)}
    if not output.as_json:
        _tell(output, report, everything=wanted.everything)
        for file in written:
            output.say(f"Đã ghi báo cáo {file}.", "Report written.", "→")
    return 3 if report.verdict is CheckVerdict.REFUSED else 0, {"report": _fields(report)}


@contextmanager
def _watch(context: Context, *, deep: bool) -> Iterator[Watch]:
    """Who looks into files: nobody, or those who do it at an ingest."""
    from ingest.one_pass import NOBODY, Watch

    if not deep:
        yield NOBODY
        return
    with _checkers(context) as made:
        yield Watch(made.examiner(datetime.now(UTC)), threads=made.children)


def _checkers(context: Context) -> Checkers:
    """The archive's, where there is an archive, but that nothing is fetched; else by what came along."""
    from administration.checkers import checkers_of
    from administration.settings import find_home, load
    from metadata.errors import UsageError
    from preservation import checkers
    from preservation.identification.data import default_signatures
    from preservation.signatures.trust import TrustStore

    try:
        home = find_home(context.given)
    except UsageError:
        return checkers.Checkers(default_signatures(), TrustStore())
    return checkers_of(load(home), fetch=False)


def _named(advance: Callable[[str, int, int], None], name: str) -> Callable[[int, int], None]:
    return lambda done, total: advance(name, done, total)


def _profile(name: str | None) -> PackageProfile | None:
    from metadata.errors import UsageError
    from metadata.package_kinds import EARK_VERSIONS, PackageKind, PackageProfile
    from metadata.text import Sentence

    if name is None:
        return None
    try:
        return PackageProfile.parse(name)
    except ValueError as error:
        kinds = ", ".join(PackageKind)
        versions = ", ".join(EARK_VERSIONS)
        raise UsageError(
            Sentence(
                f"Không có loại gói «{name}». Có: {kinds}; các phiên bản E-ARK: {versions}.",
                f"There is no profile “{name}”. There are: {kinds}; versions of E-ARK: {versions}.",
            )
        ) from error


def _bag_profile(file: Path | None, asked: PackageProfile | None) -> BagProfile | None:
    """The BagIt profile in ``file``. Raises UsageError, and BagProfileRefused for what the file holds."""
    from metadata.bagit_profile import SIZE_LIMIT, read_bag_profile
    from metadata.errors import UsageError
    from metadata.package_kinds import PackageKind
    from metadata.text import Sentence

    if file is None:
        return None
    if asked is not None and asked.kind is not PackageKind.BAG:
        raise UsageError(
            Sentence(
                f"--bag-profile chỉ dùng cho gói BagIt, không dùng cùng --profile {asked}.",
                f"--bag-profile is for bags; it does not go with --profile {asked}.",
            )
        )
    with file.open("rb") as stream:
        return read_bag_profile(stream.read(SIZE_LIMIT + 1), file.name)


def _targets(files: Sequence[Path], packages: Sequence[Path]) -> list[tuple[Path, ReportFormat]]:
    """Where reports go and in which form. Raises UsageError for what cannot be, before anything is checked."""
    from ingest.reports import ReportFormat
    from metadata.errors import UsageError
    from metadata.text import Sentence

    found = []
    for file in files:
        try:
            found.append((file, ReportFormat(file.suffix.lower().removeprefix("."))))
        except ValueError as error:
            raise UsageError(
                Sentence(
                    f"Tên báo cáo phải kết thúc bằng .pdf, .csv hoặc .json: {file}.",
                    f"The name of a report ends with .pdf, .csv or .json: {file}.",
                )
            ) from error
        folder = file.resolve().parent
        if not folder.is_dir():
            raise UsageError(Sentence(f"Không có thư mục {folder}.", f"There is no folder {folder}."))
        inside = (package for package in packages if package.is_dir() and folder.is_relative_to(package.resolve()))
        if (package := next(inside, None)) is not None:
            raise UsageError(
                Sentence(
                    f"Báo cáo {file} nằm trong chính gói tin {package}: hãy ghi ở chỗ khác.",
                    f"The report {file} would lie in the package {package} itself: write it elsewhere.",
                )
            )
    return found


def _write(report: CheckReport, file: Path, format: ReportFormat, number: int) -> Path:
    """Write a report, whole or not at all. Raises UsageError when it cannot be written."""
    from ingest.reports import render
    from metadata.errors import UsageError
    from metadata.text import Sentence

    if number:
        file = file.with_name(f"{file.stem}-{number}{file.suffix}")
    new = file.with_name(f".{secrets.token_hex(8)}")
    try:
        new.write_bytes(render(report, format, datetime.now(UTC)))
        new.replace(file)
    except OSError as error:
        new.unlink(missing_ok=True)
        raise UsageError(
            Sentence(f"Không ghi được {file}: {error.strerror}.", f"Cannot write {file}: {error.strerror}.")
        ) from error
    return file


def _fields(report: CheckReport) -> dict[str, object]:
    from ingest.reports.json_report import report_fields

    return report_fields(report)


def _trouble(output: Output, path: Path, error: TangThuError) -> object:
    from administration.work.plan import Failure

    output.say(f"{path.name}: {error.sentence.vi}", error.sentence.en, "✗")
    return Failure.of(error).to_json()


def _tell(output: Output, report: CheckReport, *, everything: bool) -> None:
    from ingest.advice import actions
    from ingest.check import GRAVITY
    from ingest.reports.words import number_text, profile_name, severity_mark, verdict_mark, verdict_next

    mark, after = verdict_mark(report.verdict), verdict_next(report.verdict)
    output.say(f"{report.name}: {mark.word.vi}. {after.vi}", f"{mark.word.en}. {after.en}", mark.sign)
    profile = profile_name(report.profile)
    output.line(f"  {profile.vi} / {profile.en}; {number_text(report.files)} tệp / files, {size_text(report.bytes)}")
    if report.title:
        output.line(f"  {report.title}")
    counted = [(severity_mark(one), report.counted(one)) for one in GRAVITY]
    shown = [f"{one.sign} {one.word.vi} / {one.word.en}: {count}" for one, count in counted if count]
    if shown:
        output.line(f"  {'   '.join(shown)}")
    for number, action in enumerate(actions(report.findings, report.counts), 1):
        output.line()
        output.say(f"  {number}. {action.sentence.vi} ({action.count})", f"     {action.sentence.en}")
        for kind in action.kinds:
            _tell_kind(output, kind, len(kind.findings) if everything else _PLACES)
    _tell_tree(output, report, everything=everything)


def _tell_kind(output: Output, kind: FindingKind, limit: int) -> None:
    from ingest.reports.words import severity_mark
    from metadata.findings import visible

    output.line(f"     {severity_mark(kind.severity).sign} {kind.code} ({kind.count})  {kind.rule}")
    for one in kind.findings[:limit]:
        if visible(one.place) not in one.message.vi:
            output.line(f"       {one.place}")
        output.say(f"       {one.message.vi}", f"       {one.message.en}")
    if kind.count > limit:
        output.line(f"       … +{kind.count - limit}")


def _tell_tree(output: Output, report: CheckReport, *, everything: bool) -> None:
    from ingest.reports.tree_rows import tree_rows
    from ingest.reports.words import severity_mark

    marked = [one for one in report.tree if one.worst is not None]
    if not marked:
        return
    listed = report.tree if everything or len(report.tree) <= _ROWS else marked[:_ROWS]
    output.line()
    for row in tree_rows(listed):
        sign = severity_mark(row.worst).sign if row.worst else " "
        size = "" if row.size is None else f"  {size_text(row.size)}"
        output.line(f"  {sign} {'  ' * row.depth}{row.name}{size}")
    left = max(report.files, len(report.tree)) - len(listed)
    if left > 0:
        output.line(f"    … +{left} tệp / files")
