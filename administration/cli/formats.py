"""Commands about file formats: identify, formats. Neither needs an archive's catalogue."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from administration.cli.app import EXIT_CODES, Context, command, group
from administration.cli.output import Output
from administration.settings import find_home
from metadata.errors import UsageError
from metadata.findings import visible
from metadata.holdings import UNIDENTIFIED, Format
from metadata.text import Sentence

if TYPE_CHECKING:
    from preservation.identification.data import SignaturePaths
    from preservation.identification.port import Identifier, Sample

_LONGEST_PATH = 4096


@command("identify")
@click.argument("paths", nargs=-1, required=True, metavar="TỆP…", type=click.Path(exists=True, path_type=Path))
def identify(context: Context, output: Output, paths: tuple[Path, ...]) -> int:
    """Nhận dạng định dạng tệp. / Tell what format files have.

    Không cần kho lưu trữ. Với mỗi tệp (thư mục thì mọi tệp trong đó): mã PRONOM, tên, phiên bản, kiểu MIME, căn cứ
    (container: nhìn vào bên trong; signature: theo chữ ký byte; text: là văn bản; extension: chỉ theo phần mở rộng) và
    điều cần lưu ý.

    Needs no archive. For each file (in a folder: every file): PRONOM identifier, name, version, MIME type, how it was
    told, and what to note. Exit code 1 when a file could not be told.
    """
    from preservation.identification.identifier import PronomIdentifier

    total = sum(1 for _ in files_of(paths))
    all_told = True
    with (
        closing(PronomIdentifier(signatures=signature_files(context))) as identifier,
        output.progress(count_bytes=False, with_lines=True) as advance,
        output.listing({"signatures": identifier.name}, "files") as add,
    ):
        for number, path in enumerate(files_of(paths), 1):
            found = _format_of(identifier, path)
            puid = str(found.puid or "")
            all_told = all_told and bool(puid)
            told = {"puid": puid, "name": found.name, "version": found.version, "mime": found.mime}
            add({"path": str(path), **told, "basis": found.basis, "warning": found.warning})
            shown = f"{visible(str(path), _LONGEST_PATH)}  {f'{found.name} {found.version}'.strip()}".rstrip()
            output.line(f"{puid or '—':12}  {found.mime:32}  {found.basis:9}  {shown}")
            if found.warning:
                output.line(f"{'':14}{found.warning}")
            advance("nhận dạng / identify", number, total)
    return 0 if all_told else 1


@group.group("formats", epilog=EXIT_CODES)
def formats() -> None:
    """Tệp chữ ký định dạng của PRONOM. / PRONOM's signature files."""


@command("held", parent=formats)
def held_formats(context: Context, output: Output) -> int:
    """Các định dạng đang giữ, nhiều nhất trước. / The formats that are held, the most frequent first.

    Đếm tệp nội dung của mọi gói; dòng — là tệp không nhận ra. Con số luôn đúng, lấy ra rất nhanh.

    Counts the content files of all AIPs; the line — is of files that were not recognised. The sums are kept at every
    change, so asking costs nothing.
    """
    from administration.archive import Archive

    with Archive.open(context.home) as archive:
        found = archive.catalogue.held_sums.formats()
    output.document({"formats": [{"puid": one.puid, "name": one.name, "files": one.files} for one in found]})
    for one in found:
        output.line(f"{one.puid or '—':12}  {one.files:>12}  {one.name}")
    if not found:
        output.say("Kho chưa giữ gì: xem tangthu ingest.", "Nothing is held yet: see tangthu ingest.")
    return 0


@command("update", parent=formats)
@click.argument("binary", metavar="DROID_SignatureFile_Vnnn.xml", type=click.Path(exists=True, path_type=Path))
@click.argument("container", metavar="container-signature-yyyymmdd.xml", type=click.Path(exists=True, path_type=Path))
def update(context: Context, output: Output, binary: Path, container: Path) -> int:
    """Dùng tệp chữ ký mới hơn. / Use newer signature files.

    Hai tệp do Lưu trữ quốc gia Anh công bố, tải về bằng cách riêng: kho không tự truy cập mạng. Tệp được đọc thử, chép
    vào thư mục formats của kho và ghi mã băm; dùng từ lần tiếp nhận sau. Tệp cũ vẫn được giữ.

    The two files that The National Archives publish, fetched by your own means: the archive does not use the network.
    They are read on trial, copied into the archive's folder "formats" with their digests, and used from the next
    ingest on. Older files stay.
    """
    from preservation.identification.data import install_signatures

    installed, count = install_signatures(context.home / "formats", binary, container)
    output.document({"signatures": installed.version, "count": count, "folder": str(installed.binary.parent)})
    output.say(f"{installed.version}: {count} chữ ký sẵn sàng.", f"{count} signatures are ready.", "✓")
    return 0


@command("reidentify", parent=formats)
@click.argument("aips", nargs=-1, metavar="[AIP…]")
@click.option("--fonds", help="Mọi gói của phông này. / All AIPs of this fonds.")
@click.option("--again", is_flag=True, help="Cả gói đã xét bằng tệp này. / Also those looked at by these files.")
def reidentify(context: Context, output: Output, aips: tuple[str, ...], fonds: str | None, again: bool) -> int:
    """Nhận dạng lại tệp đã lưu. / Tell the formats of holdings anew.

    Sau formats update: đọc lại các tệp nội dung (kiểm mã băm khi đọc) của mọi gói, hoặc các AIP được nêu, hoặc một
    phông. Định dạng khác trước thành sự kiện PREMIS trong nhật ký của AIP; gói đã niêm không bị chạm tới. Dừng giữa
    chừng rồi chạy lại thì đi tiếp.

    After formats update: reads the content files (verified on the way) of all AIPs, or of those named, or of a fonds.
    Formats that come out otherwise become PREMIS events in the log of the AIP; the sealed package is not touched. May
    be stopped and begun again. Exit code 1 when a file could not be read, 4 when an AIP must wait.
    """
    from administration.archive import Archive
    from administration.reidentifying import held, reidentify_all

    if aips and fonds:
        raise UsageError(Sentence("AIP… hoặc --fonds, không phải cả hai.", "AIP… or --fonds, not both."))
    with Archive.open(context.home) as archive, output.progress() as advance:
        total = sum(version.payload_bytes for version in held(archive, aips, fonds))
        read = 0

        def on_progress(count: int) -> None:
            nonlocal read
            read += count
            advance("nhận dạng lại / identify again", read, total)

        report = reidentify_all(archive, held(archive, aips, fonds), again, on_progress)
    output.document(report.to_json())
    for line in report.lines():
        output.line(line)
    output.say(
        f"{report.signatures}: đã xét {report.versions} gói, {report.files} tệp, {report.changed} tệp khác trước.",
        f"{report.versions} AIPs looked at, {report.skipped} were done before; {report.changed} formats changed.",
        "✗" if report.unreadable or report.failed else "✓",
    )
    if report.postponed:
        output.say(f"{report.postponed} gói phải để lại lần sau.", f"{report.postponed} AIPs were put off.", "!")
    return 1 if report.unreadable or report.failed else 4 if report.postponed else 0


def signature_files(context: Context) -> SignaturePaths:
    """The archive's, where there is an archive; else those that came along."""
    from preservation.identification.data import default_signatures, signatures_in

    try:
        return signatures_in(find_home(context.given) / "formats")
    except UsageError:
        return default_signatures()


def files_of(paths: tuple[Path, ...]) -> Iterator[Path]:
    """The files named, and every file in the folders named, in the order of their names; also folders that cannot be
    read."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        closed: list[OSError] = []
        for folder, folders, names in os.walk(path, onerror=closed.append):
            folders.sort()
            yield from (Path(folder, name) for name in sorted(names) if Path(folder, name).is_file())
        yield from (Path(error.filename) for error in closed)


def open_file(path: Path) -> BinaryIO:
    """A regular file, open for reading; of nothing else is ever waited for a byte. Raises OSError."""
    file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
    if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        return file
    file.close()
    raise OSError(errno.EINVAL, "not a regular file")


def _format_of(identifier: Identifier, path: Path) -> Format:
    """What cannot be read has no format, and a warning."""
    try:
        sample = _sample(path)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        why = Sentence(f"không đọc được tệp ({reason})", f"the file could not be read ({reason})")
        return replace(UNIDENTIFIED, warning=str(why))
    return identifier.identify(sample)


def _sample(path: Path) -> Sample:
    """What an ingest would look at. Raises OSError."""
    from preservation.examination import wanted_whole
    from preservation.identification.port import WINDOW, Sample

    with open_file(path) as stream:
        size = os.fstat(stream.fileno()).st_size
        head = tail = stream.read(WINDOW)
        if size > WINDOW:
            stream.seek(size - WINDOW)
            tail = stream.read(WINDOW)
    return Sample(path.name, size, head, tail, path if size > WINDOW and wanted_whole(size, head) else None)
