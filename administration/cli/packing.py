"""The command that turns what an agency has into packages: pack."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from administration.cli.app import Context, command
from administration.cli.output import Output, size_text
from metadata.errors import UsageError
from metadata.text import Sentence

if TYPE_CHECKING:
    from ingest.packing import PackResult
    from metadata.tt05.sip import Sender

_KINDS = ("all", "text", "pictures", "media", "dossiers")


@command("pack")
@click.argument("source", required=False, metavar="[NGUỒN]", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--files",
    type=click.Path(exists=True, path_type=Path),
    help="Thư mục (hoặc ZIP) có tệp của các văn bản; mặc định là nơi có NGUỒN. / The documents' files.",
)
@click.option("--out", type=click.Path(path_type=Path), help="Thư mục mới cho kết quả. / A new folder for the result.")
@click.option("--agency", help="Tên cơ quan nộp. / The agency's name.")
@click.option("--fonds", help="Mã phông. / The fonds' code.")
@click.option("--agreement", help="Mã đăng ký yêu cầu nộp. / The code of the registered submission.")
@click.option(
    "--mapping",
    help="Bảng ánh xạ: tt05, tt02, nd30, edxml hoặc một tệp .toml; mặc định tự nhận ra. / What gives which field.",
)
@click.option(
    "--dossier",
    multiple=True,
    metavar="TRƯỜNG=GIÁ-TRỊ",
    help="Một trường của hồ sơ chứa các thông điệp edXML. / A field of the dossier that edXML messages belong to.",
)
@click.option("--first-number", type=click.IntRange(1), default=1, help="STT của gói đầu tiên. / The first STT.")
@click.option(
    "--partial", is_flag=True, help="Vẫn đóng gói những hồ sơ không có lỗi. / Pack the dossiers that have no error."
)
@click.option(
    "--missing",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="TỆP.xlsx",
    help="Ghi thêm danh sách những điều còn thiếu vào bảng tính này. / Also write what is missing into this workbook.",
)
@click.option(
    "--template",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="TỆP.xlsx",
    help="Chỉ ghi bảng tính mẫu để điền. / Only write a workbook to be filled in.",
)
@click.option("--kind", type=click.Choice(_KINDS), default="all", help="Các trang của mẫu. / The template's sheets.")
def pack(
    context: Context,
    output: Output,
    source: Path | None,
    files: Path | None,
    out: Path | None,
    agency: str | None,
    fonds: str | None,
    agreement: str | None,
    mapping: str | None,
    dossier: tuple[str, ...],
    first_number: int,
    partial: bool,
    missing: Path | None,
    template: Path | None,
    kind: str,
) -> int:
    """Đóng gói hồ sơ để nộp. / Pack dossiers for submission.

    Không cần kho lưu trữ. NGUỒN là bảng tính Excel theo mẫu, hoặc tệp hay thư mục XML xuất từ hệ thống quản lý tài
    liệu điện tử (Nghị định 30/2020), hoặc thư mục thông điệp edXML. Mỗi hồ sơ thành một tệp ZIP SIP_hoso theo Thông
    tư 05/2025/TT-BNV, kèm mục lục hồ sơ và mục lục văn bản (Excel và PDF/A).

    Needs no archive. The source is an Excel workbook like the template, the XML that an agency's system exports
    (Decree 30/2020), or a folder of edXML messages. Each dossier becomes one SIP_hoso ZIP of Circular
    05/2025/TT-BNV, with the lists of dossiers and documents (Excel and PDF/A).

    Mọi điều còn thiếu được nêu một lần, kèm trang tính và ô. Có lỗi thì không ghi gì, trừ khi có --partial.

    All that is missing is said at once, with sheet and cell. With an error nothing is written, unless --partial: exit
    code 3 when nothing was packed, 1 when something was packed and something is still to be looked at.

    \b
    Ví dụ / Examples:
      tangthu pack --template mau.xlsx
      tangthu pack mau.xlsx --files ./tep --out ./nop-lan-1 \\
        --agency "Sở Nội vụ" --fonds P_SNV --agreement 01.SNV.2026.01
      tangthu pack ./xuat-xml --out ./nop-lan-1 --agency "Sở Nội vụ" --fonds P_SNV --agreement 01.SNV.2026.01
    """
    if template is not None:
        return _template(output, template, kind)
    if source is None or out is None:
        raise UsageError(
            Sentence(
                "Thiếu NGUỒN hoặc --out. Chưa có bảng tính: tangthu pack --template mau.xlsx. Xem: tangthu pack --help",
                "NGUỒN or --out is missing. No workbook yet: tangthu pack --template x.xlsx. See: tangthu pack --help",
            )
        )
    _is_new(missing)
    from ingest.packing import pack as pack_submission

    sender = _sender(agency, fonds, agreement)
    with output.progress(count_bytes=False) as advance:
        result = pack_submission(
            source,
            files,
            out,
            sender,
            mapping=mapping,
            first_number=first_number,
            partial=partial,
            dossier=_fields(dossier),
            on_progress=lambda done, total: advance("văn bản / documents", done, total),
        )
    return _told(output, result, out, missing)


def _told(output: Output, result: PackResult, out: Path, missing: Path | None) -> int:
    """Say what came of it, also in the workbook ``missing``; the exit code."""
    from ingest.packing import write_missing

    if missing is not None:
        write_missing(missing, result.findings, result.counts)
    output.document(_to_json(result))
    _tell(output, result, out)
    worst = {finding.severity.value for finding in result.findings}
    return 3 if result.refused else 1 if worst & {"error", "warning"} else 0


def _sender(agency: str | None, fonds: str | None, agreement: str | None) -> Sender:
    from metadata.tt05.sip import Sender

    given = {"--agency": agency, "--fonds": fonds, "--agreement": agreement}
    if lacking := ", ".join(name for name, value in given.items() if not value):
        raise UsageError(
            Sentence(f"Thiếu {lacking}. Xem: tangthu pack --help", f"{lacking} not given: tangthu pack --help")
        )
    return Sender(*(_code(option, text) for option, text in given.items()))


def _template(output: Output, template: Path, kind: str) -> int:
    from ingest.packing import TemplateKind, write_template

    _is_new(template)
    write_template(template, TemplateKind(kind))
    output.document({"template": str(template)})
    output.say(f"Đã ghi bảng tính mẫu {template}.", "The template was written: fill it in, then pack it.", "✓")
    return 0


def _is_new(path: Path | None) -> None:
    from metadata.errors import AlreadyExists
    from metadata.text import Sentence

    if path is not None and path.exists():
        raise AlreadyExists(Sentence(f"Đã có tệp {path}.", f"{path} is there already."))


def _code(option: str, text: str | None) -> str:
    """A value that goes into METS and bag-info as one line."""
    from metadata.identifiers import FondsCode

    try:
        return FondsCode((text or "").strip()).value
    except ValueError as error:
        raise UsageError(Sentence(f"{option}: «{text}» không hợp lệ.", f"{option}: “{text}” is not valid.")) from error


def _fields(pairs: tuple[str, ...]) -> dict[str, str]:
    fields = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise UsageError(
                Sentence(f"--dossier {pair}: cần TRƯỜNG=GIÁ-TRỊ.", f"--dossier {pair}: FIELD=VALUE is needed.")
            )
        fields[name.strip()] = value
    return fields


def _to_json(result: PackResult) -> dict[str, object]:
    return {
        "packages": [
            {
                "path": str(one.path),
                "objid": one.objid,
                "code": one.code,
                "title": one.title,
                "documents": one.documents,
                "bytes": one.bytes,
            }
            for one in result.packages
        ],
        "lists": [str(path) for path in result.lists],
        "findings": [finding.fields() for finding in result.findings],
        "counts": dict(result.counts),
        "refused": result.refused,
    }


def _tell(output: Output, result: PackResult, out: Path) -> None:
    marks = {"error": "✗", "warning": "!", "note": "•"}
    for finding in result.findings:
        output.say(f"{finding.code}  {finding.message.vi}", finding.message.en, marks[finding.severity.value])
    kept = len(result.findings)
    if (total := sum(result.counts.values())) > kept:
        output.say(f"… và {total - kept} điều khác cùng loại.", f"… and {total - kept} more of the same kinds.", "•")
    if result.refused:
        output.say("Chưa đóng gói gì: hãy sửa những lỗi trên rồi chạy lại.", "Nothing was packed: correct these.", "✗")
        return
    size = sum(one.bytes for one in result.packages)
    output.say(
        f"Đã đóng gói {len(result.packages)} hồ sơ ({size_text(size)}) vào {out}.",
        f"{len(result.packages)} dossiers packed, with their lists.",
        "✓",
    )
    for one in result.packages:
        output.line(f"  {one.path.name}  {one.code}")
