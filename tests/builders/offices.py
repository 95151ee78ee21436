"""Office documents made from nothing: Office Open XML and OpenDocument, with Vietnamese words."""

from __future__ import annotations

import io
import random
import zipfile

_WORDS = """
Ủy ban nhân dân thành phố ban hành quyết định về việc phê duyệt kế hoạch sử dụng đất năm kính gửi các sở ngành
quận huyện căn cứ Luật Lưu trữ hồ sơ tài liệu thời hạn bảo quản vĩnh viễn công văn báo cáo tổng hợp tình hình
"""


def some_text(rng: random.Random, words: int) -> str:
    """That many words."""
    return " ".join(rng.choices(_WORDS.split(), k=words))


def _zipped(members: dict[str, str | bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in members.items():
            method = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            package.writestr(zipfile.ZipInfo(name), data, method)
    return out.getvalue()


_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_TYPE = "application/vnd.openxmlformats-officedocument."
_SCHEMAS = "http://schemas.openxmlformats.org/"
_RELATION = f"{_SCHEMAS}officeDocument/2006/relationships"


def _office(main: str, kind: str, parts: dict[str, str]) -> bytes:
    """An Office Open XML package; of ``parts`` those under the main part's folder are related to it in their order."""
    folder, _, base = main.rpartition("/")
    overrides = "".join(
        f'<Override PartName="/{name}" ContentType="{_TYPE}{kind if name == main else _PART_TYPES[kind]}+xml"/>'
        for name in parts
    )
    inner = "".join(
        f'<Relationship Id="rId{number}" Type="{_RELATION}/{_PART_RELATIONS[kind]}" '
        f'Target="{name[len(folder) + 1 :]}"/>'
        for number, name in enumerate((name for name in parts if name != main), 1)
    )
    package = f'{_XML}<Relationships xmlns="{_SCHEMAS}package/2006/relationships">'
    members: dict[str, str | bytes] = {
        "[Content_Types].xml": f'{_XML}<Types xmlns="{_SCHEMAS}package/2006/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" '
        f'ContentType="application/xml"/>{overrides}</Types>',
        "_rels/.rels": f'{package}<Relationship Id="rId1" Type="{_RELATION}/officeDocument" Target="{main}"/>'
        "</Relationships>",
        f"{folder}/_rels/{base}.rels": f"{package}{inner}</Relationships>",
        **parts,
    }
    return _zipped(members)


_WORD, _SHEET = "wordprocessingml.document.main", "spreadsheetml.sheet.main"
_SLIDES = "presentationml.presentation.main"
_PART_TYPES = {
    _WORD: "wordprocessingml.styles",
    _SHEET: "spreadsheetml.worksheet",
    _SLIDES: "presentationml.slide",
}
_PART_RELATIONS = {_WORD: "styles", _SHEET: "worksheet", _SLIDES: "slide"}


def docx(rng: random.Random, name: str) -> bytes:
    """A text document."""
    space = f'xmlns:w="{_SCHEMAS}wordprocessingml/2006/main"'
    paragraphs = "".join(
        f'<w:p><w:r><w:t xml:space="preserve">{some_text(rng, 40)}</w:t></w:r></w:p>'
        for _ in range(rng.randrange(30, 300))
    )
    return _office(
        "word/document.xml",
        _WORD,
        {
            "word/document.xml": f"{_XML}<w:document {space}><w:body><w:p><w:r><w:t>{name}</w:t></w:r></w:p>"
            f"{paragraphs}</w:body></w:document>",
            "word/styles.xml": f"{_XML}<w:styles {space}/>",
        },
    )


def xlsx(rng: random.Random, name: str) -> bytes:
    """A workbook of one sheet."""
    space = f'xmlns="{_SCHEMAS}spreadsheetml/2006/main" xmlns:r="{_RELATION}"'
    rows = "".join(
        f'<row r="{row}"><c r="A{row}" t="inlineStr"><is><t>{some_text(rng, 6)}</t></is></c>'
        f'<c r="B{row}"><v>{rng.randrange(10**6)}</v></c></row>'
        for row in range(1, rng.randrange(50, 600))
    )
    return _office(
        "xl/workbook.xml",
        _SHEET,
        {
            "xl/workbook.xml": f'{_XML}<workbook {space}><sheets><sheet name="{name}" sheetId="1" r:id="rId1"/>'
            "</sheets></workbook>",
            "xl/worksheets/sheet1.xml": f"{_XML}<worksheet {space}><sheetData>{rows}</sheetData></worksheet>",
        },
    )


def pptx(rng: random.Random, name: str) -> bytes:
    """Three slides and more."""
    space = f'xmlns:p="{_SCHEMAS}presentationml/2006/main" xmlns:a="{_SCHEMAS}drawingml/2006/main" '
    space += f'xmlns:r="{_RELATION}"'
    count = rng.randrange(3, 20)
    parts = {
        "ppt/presentation.xml": f"{_XML}<p:presentation {space}><p:sldIdLst>"
        + "".join(f'<p:sldId id="{255 + at}" r:id="rId{at}"/>' for at in range(1, count + 1))
        + "</p:sldIdLst></p:presentation>"
    }
    for number in range(1, count + 1):
        parts[f"ppt/slides/slide{number}.xml"] = (
            f"{_XML}<p:sld {space}><p:cSld><p:spTree><p:sp><p:txBody><a:p><a:r><a:t>{name} {some_text(rng, 60)}</a:t>"
            "</a:r></a:p></p:txBody></p:sp></p:spTree></p:cSld></p:sld>"
        )
    return _office("ppt/presentation.xml", _SLIDES, parts)


def odt(rng: random.Random, name: str) -> bytes:
    """A text in OpenDocument."""
    urn = "urn:oasis:names:tc:opendocument:xmlns:"
    mime = "application/vnd.oasis.opendocument.text"
    paragraphs = "".join(f"<text:p>{some_text(rng, 40)}</text:p>" for _ in range(rng.randrange(20, 200)))
    return _zipped(
        {
            "mimetype": mime,
            "content.xml": f'{_XML}<office:document-content xmlns:office="{urn}office:1.0" xmlns:text="{urn}text:1.0" '
            f'office:version="1.2"><office:body><office:text><text:p>{name}</text:p>{paragraphs}</office:text>'
            "</office:body></office:document-content>",
            "META-INF/manifest.xml": f'{_XML}<manifest:manifest xmlns:manifest="{urn}manifest:1.0" '
            f'manifest:version="1.2"><manifest:file-entry manifest:full-path="/" manifest:version="1.2" '
            f'manifest:media-type="{mime}"/><manifest:file-entry manifest:full-path="content.xml" '
            'manifest:media-type="text/xml"/></manifest:manifest>',
        }
    )
