"""What an agency has before it packs: a workbook and files, an XML export, edXML messages; switches break one thing."""

from __future__ import annotations

import base64
import io
import random
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import openpyxl

from ingest.packing import PackResult, pack
from ingest.packing.mapping import load_mapping
from ingest.packing.model import BESIDE_FORM
from ingest.packing.sheets import is_computed
from metadata.tt05.profile import Need, default_profile
from metadata.tt05.sip import Sender
from tests.builders.tt05 import PDF

CODE = "H20.05.2024.01.TCCB"
OTHER = "H20.05.2024.02.TCCB"
SENDER = Sender("Sở Nội vụ tỉnh Đồng Tháp", "P_SNV", "01.SNV.2026.01", "Tàng Thư", "1")
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xd9"
Values = dict[str, Any]
SHEETS = {"dossier": "Hồ sơ", "text": "Văn bản", "picture": "Ảnh", "media": "Ghi âm, ghi hình"}


def dossier(code: str = CODE, **changes: object) -> Values:
    """A dossier of one text document, every field filled so that nothing is left for packing to fill."""
    return {
        "fileCode": code,
        "title": f"Hồ sơ tuyển dụng công chức {code}",
        "maintenance": "Vĩnh viễn",
        "mode": "Công khai",
        "language": "Tiếng Việt",
        "startDate": "02/01/2024",
        "endDate": "30/12/2024",
        "keyword": "tuyển dụng",
        "totalDoc": "1",
        "numberOfPaper": "0",
        "numberOfPage": "2",
        "format": "Tốt",
        "inforSign": "",
        "confidenceLevel": "Gốc điện tử",
        "paperFileCode": "",
        "riskRecovery": "Không",
        "riskRecoveryStatus": "",
        "description": "",
    } | changes


def text(number: int = 1, code: str = CODE, **changes: object) -> Values:
    """A text document of a dossier, every field filled."""
    return {
        "fileCode": code,
        "docOrdinal": str(number),
        "file": "",
        "docId": f"{code[12:14]}-D{number:06}",
        "docCode": f"{code}.{number:07}",
        "maintenance": "Vĩnh viễn",
        "typeName": "Quyết định",
        "codeNumber": f"{100 + number}",
        "codeNotation": "QĐ-SNV",
        "issuedDate": "15/03/2024",
        "organName": "Sở Nội vụ",
        "subject": f"Về việc tuyển dụng công chức đợt {number}",
        "language": "Tiếng Việt",
        "numberOfPage": "2",
        "mode": "Công khai",
        "confidenceLevel": "Gốc điện tử",
        "process": "0",
        "riskRecovery": "0",
        "riskRecoveryStatus": "",
        "description": "",
    } | changes


def picture(number: int, code: str = CODE, **changes: object) -> Values:
    """A photograph of a dossier."""
    return {
        "fileCode": code,
        "docOrdinal": str(number),
        "docCode": f"{code}.{number:07}",
        "maintenance": "01",
        "typePic": "Ảnh",
        "imageTitle": "Lễ công bố quyết định",
        "photographer": "Nguyễn Văn Ấn",
        "photoTime": "20/03/2024",
        "colour": "Màu",
        "mode": "01",
        "riskRecovery": "0",
    } | changes


def media(number: int, code: str = CODE, **changes: object) -> Values:
    """A recording of a dossier."""
    return {
        "fileCode": code,
        "docOrdinal": str(number),
        "docCode": f"{code}.{number:07}",
        "maintenance": "01",
        "typeMedia": "Video",
        "movieTitle": "Phát biểu của Giám đốc Sở",
        "recordDate": "20/03/2024",
        "language": "Tiếng Việt",
        "playTime": "00:12:30",
        "mode": "01",
        "riskRecovery": "0",
    } | changes


def workbook(
    folder: Path,
    *,
    dossiers: Sequence[Values] | None = None,
    texts: Sequence[Values] | None = None,
    pictures: Sequence[Values] = (),
    recordings: Sequence[Values] = (),
    headings: Mapping[str, str] | None = None,
    files: Mapping[str, bytes] | None = None,
    shuffle: random.Random | None = None,
    mutate: Callable[[Any], object] | None = None,
) -> Path:
    """Write ``nop.xlsx`` and the folder ``files`` under ``folder``; the workbook's path.

    ``headings`` renames columns, ``shuffle`` puts them in another order, ``files`` stands for those that the documents
    call for; ``mutate`` gets the workbook before it is saved.
    """
    book = openpyxl.Workbook()
    book.remove(book.active)
    rows = {
        "dossier": [dossier()] if dossiers is None else dossiers,
        "text": [text()] if texts is None else texts,
        "picture": pictures,
        "media": recordings,
    }
    for kind, values in rows.items():
        if values or kind in ("dossier", "text"):
            blank = dossier() if kind == "dossier" else text()
            _sheet(book.create_sheet(SHEETS[kind]), values, headings or {}, shuffle, list(blank))
    if mutate is not None:
        mutate(book)
    path = folder / "nop.xlsx"
    book.save(path)
    if files is None:
        files = {
            f"2024/VV/P_SNV/{one['fileCode']}/{one['docCode']}.{extension}": content
            for kind, extension, content in (("text", "pdf", PDF), ("picture", "jpg", JPEG), ("media", "mp4", b"\0mp4"))
            for one in rows[kind]
            if one.get("docCode") and not one.get("file")
        }
    write_files(folder / "files", files)
    return path


def _sheet(
    sheet: Any,
    rows: Sequence[Values],
    headings: Mapping[str, str],
    shuffle: random.Random | None,
    columns: list[str],
) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row)) or columns
    if shuffle is not None:
        shuffle.shuffle(names)
    for column, name in enumerate(names, 1):
        sheet.cell(1, column, headings.get(name, name))
        for line, row in enumerate(rows, 2):
            value = row.get(name)
            if value is not None and value != "":
                cell = sheet.cell(line, column)
                cell.value = value
                if isinstance(value, str) and not value.startswith("=="):
                    cell.data_type = "s"
                elif isinstance(value, str):
                    cell.value = value[1:]  # a real formula


def write_files(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write files by their paths under ``folder``, which is made."""
    folder.mkdir(exist_ok=True)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def export(folder: Path, *, files: Mapping[str, bytes] | None = None, mutate: Callable[[str], str] = str) -> Path:
    """Write an XML export (Decree 30/2020) of one dossier with two documents, and its PDFs; the folder's path."""
    made = mutate(EXPORT)
    (folder / "export.xml").write_text(made, encoding="utf-8")
    write_files(folder, files if files is not None else {"pdf/qd-101.pdf": PDF, "pdf/cv-12.pdf": PDF + b"%2\n"})
    return folder


EXPORT = """<?xml version="1.0" encoding="UTF-8"?>
<Export xmlns="urn:x-agency">
  <Dossier>
    <FileCode><OrganId>H20.05</OrganId><FileCatalog>2024</FileCatalog><FileNotation>01.TCCB</FileNotation></FileCode>
    <Title>Hồ sơ tuyển dụng công chức năm 2024</Title>
    <Maintenance>Vĩnh viễn</Maintenance>
    <Rights>Không hạn chế</Rights>
    <Creator>Nguyễn Văn Ấn</Creator>
    <Language>Tiếng Việt</Language>
    <StartDate>2024-01-02</StartDate>
    <EndDate>30/12/2024</EndDate>
    <DocTotal>2</DocTotal>
    <PageTotal>5</PageTotal>
    <Documents>
      <OutgoingDocument>
        <DocOrdinal>1</DocOrdinal>
        <TypeName>Quyết định</TypeName>
        <CodeNumber>101</CodeNumber>
        <CodeNotation>QĐ-SNV</CodeNotation>
        <IssuedDate>2024/03/15</IssuedDate>
        <OrganName>Sở Nội vụ</OrganName>
        <Subject>Về việc tuyển dụng &lt;đợt 1&gt;</Subject>
        <Language>Tiếng Việt</Language>
        <PageAmount>3</PageAmount>
        <File name="qd-101.pdf"/>
      </OutgoingDocument>
      <IncomingDocument>
        <DocOrdinal>2</DocOrdinal>
        <TypeName>Công văn</TypeName>
        <CodeNumber>12</CodeNumber>
        <CodeNotation>UBND-VX</CodeNotation>
        <IssuedDate>20/03/2024</IssuedDate>
        <OrganName>Ủy ban nhân dân tỉnh</OrganName>
        <Subject>Trả lời về chỉ tiêu</Subject>
        <Language>01</Language>
        <PageAmount>2</PageAmount>
        <File name="pdf/cv-12.pdf"/>
      </IncomingDocument>
    </Documents>
  </Dossier>
</Export>
"""


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A ZIP of these files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def message(
    number: int = 1,
    *,
    namespace: str = "http://www.mic.gov.vn/TBT/QCVN_102_2016",
    attachments: Mapping[str, bytes] | None = None,
    mutate: Callable[[str], str] = str,
) -> str:
    """An edXML message; ``attachments`` are names and what stands in base64 (a ZIP of a PDF unless given)."""
    given = (
        attachments if attachments is not None else {"van-ban.pdf": zipped({"van-ban.pdf": PDF + b"%%%d\n" % number})}
    )
    references = "".join(
        f"<Reference><ContentId>cid:{n}</ContentId><ContentType>application/pdf</ContentType>"
        f"<AttachmentName>{escape(name)}</AttachmentName></Reference>"
        for n, name in enumerate(given)
    )
    encoded = "".join(
        f"<Attachment><ContentId>cid:{n}</ContentId><AttachmentName>{escape(name)}</AttachmentName>"
        f"<ContentTransferEncoded>{base64.encodebytes(data).decode()}</ContentTransferEncoded></Attachment>"
        for n, (name, data) in enumerate(given.items())
    )
    return mutate(
        f"""<?xml version="1.0" encoding="UTF-8"?>
<edXML xmlns="{namespace}"><edXMLEnvelope><edXMLHeader><MessageHeader>
<From><OrganId>000.00.05.H20</OrganId><OrganName>Sở Nội vụ</OrganName></From>
<Code><CodeNumber>{100 + number}</CodeNumber><CodeNotation>SNV-TCCB</CodeNotation></Code>
<PromulgationInfo><Place>Cao Lãnh</Place><PromulgationDate>2024/03/{number:02}</PromulgationDate></PromulgationInfo>
<DocumentType><Type>1</Type><TypeName>Công văn</TypeName></DocumentType>
<Subject>Về việc tuyển dụng đợt {number}</Subject>
<OtherInfo><PageAmount>2</PageAmount></OtherInfo>
</MessageHeader></edXMLHeader>
<edXMLBody><edXMLManifest version="1.0">{references}</edXMLManifest></edXMLBody></edXMLEnvelope>
<AttachmentEncoded>{encoded}</AttachmentEncoded></edXML>
"""
    )


def messages(folder: Path, *made: str, dossiers: Sequence[Values] | None = None) -> Path:
    """A folder of messages with the small workbook of their dossier."""
    workbook(folder, dossiers=dossiers or [dossier(totalDoc=str(len(made)))], texts=[], files={})
    (folder / "files").rmdir()
    for number, one in enumerate(made, 1):
        (folder / f"m{number}.edxml").write_text(one, encoding="utf-8")
    return folder


def packed(source: Path, out: Path, **options: Any) -> PackResult:
    """Pack what a builder made, with its folder ``files`` if it has one."""
    beside = (source if source.is_dir() else source.parent) / "files"
    return pack(source, beside if beside.is_dir() else None, out, SENDER, **options)


def headings_table(kind: str) -> str:
    """The table of a sheet's columns as ``docs/packing.md`` has it, from the profile and the mapping ``tt05``."""
    profile = default_profile()
    table = next(table for table in load_mapping("tt05").tables if table.names[0] == SHEETS[kind])
    rules = profile.form(table.kind, "sip").fields
    others = {field: [part.paths[0] for part in parts] for field, parts in table.fields.items()}
    lines = ["| cột / column | tên trường / field | cũng nhận / also | bắt buộc / required |", "|---|---|---|---|"]
    fields = [*rules] if table.kind is None else [*BESIDE_FORM, *rules]
    for field in fields:
        label = rules[field].label if field in rules else others[field][0]
        also = ", ".join(name for name in others.get(field, []) if name != label)
        needed = "có / yes" if field in rules and rules[field].need is Need.REQUIRED else ""
        if needed and is_computed(table.kind, field):
            needed = "tự điền nếu trống / filled when empty"
        if field in rules and rules[field].when is not None:
            cause, values = rules[field].when or ("", frozenset())
            needed = f"khi / when `{cause}` = {', '.join(sorted(values))}"
        lines.append(f"| {label} | `{field}` | {also} | {needed} |")
    return "\n".join(lines)
