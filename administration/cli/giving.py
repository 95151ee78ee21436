"""Commands that give packages out: dip, export."""

from __future__ import annotations

from pathlib import Path

import click

from administration.cli.app import Context, command
from administration.cli.output import Advance, Output, size_text
from metadata.errors import UsageError
from metadata.text import Sentence

_OUT = click.Path(path_type=Path)


@command("dip")
@click.argument("aip", metavar="AIP")
@click.option(
    "-o", "--out", "target", required=True, type=_OUT, metavar="TỆP.zip",
    help="Ghi gói DIP ra đây: tệp .zip, hoặc một thư mục mới. / Write the DIP here: a .zip, or a new folder.",
)  # fmt: skip
@click.option("--request-id", required=True, metavar="MÃ", help="Mã yêu cầu khai thác. / Id of the request.")
@click.option(
    "--request-date", metavar="NN/TT/NNNN", default="", help="Ngày yêu cầu; mặc định hôm nay. / Its date; today."
)
@click.option(
    "--purpose", required=True, type=click.Choice(["01", "02", "03"]),
    help="Mục đích: 01 cá nhân, 02 công vụ, 03 công vụ đặc biệt. / Purpose: personal, official, special official.",
)  # fmt: skip
@click.option("--purpose-content", default="", metavar="CHỮ", help="Nội dung mục đích. / What for, in words.")
@click.option(
    "--fee-object", default="10", show_default=True, metavar="01–10",
    type=click.Choice([f"{number:02d}" for number in range(1, 11)]),
    help="Đối tượng (feeObjectType). / Kind of reader, for fees.",
)  # fmt: skip
@click.option("--topic", default="", metavar="CHỮ", help="Chủ đề nghiên cứu. / Research topic.")
@click.option("--description", default="", metavar="CHỮ", help="Ghi chú. / Note.")
@click.option(
    "--document", "documents", multiple=True, type=click.IntRange(1), metavar="SỐ",
    help="Chỉ tài liệu này, lặp lại được; mặc định tất cả. / This document only, repeatable; all without it.",
)  # fmt: skip
def dip(
    context: Context,
    output: Output,
    aip: str,
    target: Path,
    request_id: str,
    request_date: str,
    purpose: str,
    purpose_content: str,
    fee_object: str,
    topic: str,
    description: str,
    documents: tuple[int, ...],
) -> int:
    """Lập gói DIP cho một yêu cầu khai thác. / Make a DIP for a reader's request.

    Gói theo Phụ lục V Thông tư 05/2025/TT-BNV: EAD.xml là yêu cầu, mỗi tài liệu có mô tả và tệp của nó. Mọi byte được
    đối chiếu với mã băm khi ra khỏi kho; việc cung cấp được ghi vào nhật ký PREMIS của gói AIP. Bản chứng nhận PDF/A
    (Điều 42 khoản 2) chưa được lập.

    A package as Phụ lục V of Circular 05/2025/TT-BNV says: EAD.xml is the request, each document has its description
    and its files. Every byte is verified on its way out; the giving out is written to the AIP's PREMIS log. The PDF/A
    certificate (Điều 42 k2) is not made yet.
    """
    from access.dissemination.dip import make_dip
    from administration.archive import Archive
    from metadata.dates import VIETNAM
    from metadata.tt05.dip import AccessRequest

    with Archive.open(context.home) as archive, output.progress() as advance:
        day = request_date or f"{archive.clock().astimezone(VIETNAM):%d/%m/%Y}"
        try:
            request = AccessRequest(request_id, day, purpose, purpose_content, fee_object, topic, description)
        except ValueError as error:
            raise UsageError(
                Sentence(f"Yêu cầu khai thác không hợp lệ: {error}.", f"Not a valid request: {error}.")
            ) from error
        version = archive.shelf.held(aip)
        made = make_dip(
            archive.access, archive.agent, archive.settings.work_folder, version, request, target, documents,
            _Counted(advance, target.name),
        )  # fmt: skip
    output.document(
        {"aip": str(version.id), "dip": made.objid, "written": str(target), "documents": made.documents,
         "files": made.files, "bytes": made.bytes, "restricted": made.restricted, "event": str(made.event.id)}
    )  # fmt: skip
    if made.restricted:
        output.say(
            f"{made.restricted} tài liệu không phải công khai (sử dụng có điều kiện hoặc mật).",
            "Documents that are not public (conditional use or secret).",
            "!",
        )
    output.say(
        f"Đã lập gói DIP {made.objid}: {made.documents} tài liệu, {made.files} tệp, {size_text(made.bytes)}.",
        f"Written to {target}, every digest verified.",
        "✓",
    )
    return 0


@command("export")
@click.argument("aip", metavar="AIP")
@click.option(
    "-o", "--out", "target", required=True, type=_OUT, metavar="TỆP.zip",
    help="Ghi ra đây: tệp .zip, hoặc một thư mục mới. / Write it here: a .zip, or a new folder.",
)  # fmt: skip
def export(context: Context, output: Output, aip: str, target: Path) -> int:
    """Xuất gói AIP sang kho khác cùng Hệ thống. / Export an AIP to another archive of the same system.

    Ghi ra chính thư mục AIP_hoso hoặc AIP_tailieu (Phụ lục I, II) mà kho khác nhận bằng «ingest». Mọi byte được đối
    chiếu với mã băm khi ra khỏi kho; việc xuất được ghi vào nhật ký PREMIS.

    Writes the AIP_hoso or AIP_tailieu folder itself (Phụ lục I, II), which another archive takes in with “ingest”.
    Every byte is verified on its way out; the export is written to the PREMIS log.
    """
    from access.dissemination.export import export_aip
    from administration.archive import Archive

    with Archive.open(context.home) as archive, output.progress() as advance:
        version = archive.shelf.held(aip)
        made = export_aip(archive.access, archive.agent, version, target, _Counted(advance, target.name))
    output.document(
        {"aip": str(version.id), "folder": made.folder, "written": str(target), "files": made.files,
         "bytes": made.bytes, "event": str(made.event.id)}
    )  # fmt: skip
    output.say(
        f"Đã xuất {made.folder}: {made.files} tệp, {size_text(made.bytes)}.",
        f"Written to {target}, every digest verified.",
        "✓",
    )
    return 0


class _Counted:
    """Counts bytes for the progress bar; how many there will be is not known before."""

    def __init__(self, advance: Advance, name: str) -> None:
        self._advance = advance
        self._name = name
        self._done = 0

    def __call__(self, count: int) -> None:
        self._done += count
        self._advance(self._name, self._done, 0)
