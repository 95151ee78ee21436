"""Files as agencies make them: PDF/A-2b letters, Word and Excel files, photographs, plain text."""

from __future__ import annotations

import io
import json
import random
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_TEMPLATE = Path(__file__).with_name("letter.typ")
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Organ:
    """Who issues documents, and who signs them there."""

    name: str
    above: str
    place: str
    signer: str
    post: str


@dataclass(frozen=True, slots=True)
class Letter:
    """One document of a dossier. ``points`` are its sentences, or the rows of its table (cells divided by ``|``)."""

    kind: str
    organ: Organ
    number: int
    sign: str
    day: int
    month: int
    year: int
    subject: str
    points: tuple[str, ...]
    keywords: tuple[str, ...]

    @property
    def issued(self) -> datetime:
        return datetime(self.year, self.month, self.day, tzinfo=UTC)


def pdf(letter: Letter) -> bytes:
    """The letter as PDF/A-2b."""
    import typst

    made = typst.compile(
        _TEMPLATE.read_bytes(),
        format="pdf",
        pdf_standards=["a-2b"],
        ignore_system_fonts=True,
        timestamp=letter.issued,
        sys_inputs={"document": json.dumps(_layout(letter), ensure_ascii=False)},
    )
    return bytes(made)


def docx(letter: Letter) -> bytes:
    """The letter as a Word file."""
    import docx as word

    layout, made = _layout(letter), word.Document()
    made.core_properties.title = layout["title"]
    made.core_properties.created = made.core_properties.modified = letter.issued.replace(tzinfo=None)
    for text in (letter.organ.above, letter.organ.name.upper(), layout["notation"], layout["dateline"]):
        made.add_paragraph(text)
    made.add_heading(layout["heading"].upper() or letter.subject, 1)
    for text in (letter.subject, *layout["grounds"], *layout["body"]):
        made.add_paragraph(text)
    made.add_paragraph(f"{letter.organ.post}\n\n{letter.organ.signer}")
    return _saved(made)


def xlsx(letter: Letter) -> bytes:
    """A table as an Excel file."""
    import openpyxl

    book = openpyxl.Workbook()
    book.properties.title = letter.subject
    book.properties.created = book.properties.modified = letter.issued.replace(tzinfo=None)
    sheet = book.active
    sheet.title = "Số liệu"
    sheet.append([letter.subject])
    sheet.append([])
    sheet.append(["Nội dung", "Kế hoạch", "Thực hiện"])
    for point in letter.points:
        name, *cells = point.split("|")
        sheet.append([name, *(int(cell) for cell in cells)])
    return _saved(book)


def jpg(letter: Letter) -> bytes:
    """A photograph, of a kind: sky, far trees, water and fields, never twice the same."""
    from PIL import Image, ImageDraw, ImageFilter

    rng = random.Random(letter.subject)
    image = Image.new("RGB", (1280, 853))
    draw = ImageDraw.Draw(image)
    horizon = rng.randint(330, 430)
    for y in range(853):
        share = y / horizon if y < horizon else (y - horizon) / (853 - horizon)
        sky = (int(120 + 100 * share), int(165 + 60 * share), int(215 + 20 * share))
        field = (int(95 + 40 * share), int(125 - 20 * share), int(60 + 10 * share))
        draw.line([(0, y), (1280, y)], fill=sky if y < horizon else field)
    for _ in range(60):
        x, height = rng.randint(-40, 1280), rng.randint(20, 90)
        draw.ellipse([x, horizon - height, x + height * 2, horizon + 14], fill=(38, rng.randint(70, 105), 48))
    river = rng.randint(200, 800)
    draw.polygon(
        [(river, horizon + 8), (river + 60, horizon + 8), (river + 420, 853), (river - 260, 853)], fill=(150, 170, 165)
    )
    grain = Image.effect_noise((1280, 853), 26).convert("RGB")
    image = Image.blend(image.filter(ImageFilter.GaussianBlur(1.4)), grain, 0.08)
    exif = Image.Exif()
    exif[0x0132] = f"{letter.year}:{letter.month:02}:{letter.day:02} 09:00:00"
    out = io.BytesIO()
    image.save(out, "JPEG", quality=82, dpi=(200, 200), exif=exif)
    return out.getvalue()


def txt(letter: Letter) -> bytes:
    """Plain text in UTF-8."""
    return "\n".join([letter.organ.name, letter.subject, "", *letter.points, ""]).encode()


def _saved(document: Any) -> bytes:  # noqa: ANN401 -- two libraries without types
    """What ``document`` saves, with the ZIP's times set back so that each run gives the same bytes."""
    raw, out = io.BytesIO(), io.BytesIO()
    document.save(raw)
    with zipfile.ZipFile(raw) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            info = zipfile.ZipInfo(name, _ZIP_TIME)
            info.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(info, source.read(name))
    return out.getvalue()


_GROUNDS = {
    "Quyết định": [
        "Căn cứ Luật Tổ chức chính quyền địa phương ngày 19 tháng 6 năm 2015;",
        "Xét đề nghị tại tờ trình của cơ quan chủ trì tham mưu,",
    ],
    "Nghị quyết": ["Căn cứ Luật Tổ chức chính quyền địa phương ngày 19 tháng 6 năm 2015;"],
}
_CLOSINGS = {
    "Công văn": "Rất mong sự quan tâm, phối hợp của quý cơ quan./.",
    "Tờ trình": "Kính trình Ủy ban nhân dân tỉnh xem xét, quyết định./.",
    "Báo cáo": "Trên đây là báo cáo của cơ quan, kính gửi cấp có thẩm quyền theo dõi, chỉ đạo./.",
    "Quyết định": "Thủ trưởng các cơ quan, đơn vị có liên quan chịu trách nhiệm thi hành Quyết định này./.",
    "Nghị quyết": "Nghị quyết này có hiệu lực kể từ ngày ký./.",
    "Biên bản": "Biên bản được lập thành hai bản có giá trị như nhau, các bên thống nhất ký tên./.",
    "Kế hoạch": "Trong quá trình thực hiện, nếu có khó khăn, vướng mắc, các đơn vị kịp thời phản ánh để điều chỉnh./.",
}


def _layout(letter: Letter) -> dict[str, Any]:
    """What the template needs, as JSON."""
    official = letter.kind == "Công văn"
    body = list(letter.points)
    if letter.kind in ("Quyết định", "Nghị quyết", "Quy chế"):
        body = [f"Điều {number}. {point}" for number, point in enumerate(body, 1)]
    closing = _CLOSINGS.get(letter.kind, "./.")
    body.append(f"Điều {len(body) + 1}. {closing}" if letter.kind in ("Quyết định", "Nghị quyết") else closing)
    subject = letter.subject[0].upper() + letter.subject[1:]
    return {
        "title": subject,
        "above": letter.organ.above,
        "organ": letter.organ.name,
        "notation": f"Số: {notation(letter)}",
        "dateline": f"{letter.organ.place}, ngày {letter.day:02} tháng {letter.month:02} năm {letter.year}",
        "heading": "" if official else letter.kind,
        "subject": f"V/v {letter.subject.removeprefix('về việc ')}" if official else subject,
        "grounds": _GROUNDS.get(letter.kind, []),
        "body": body,
        "recipients": ["Như trên", "Lãnh đạo cơ quan", "Các đơn vị có liên quan"],
        "post": letter.organ.post,
        "signer": letter.organ.signer,
        "keywords": list(letter.keywords),
        "year": letter.year,
        "month": letter.month,
        "day": letter.day,
    }


def notation(letter: Letter) -> str:
    """Number and sign as people write them, such as ``412/SNN-VP``."""
    return f"{letter.number}/{letter.sign}" if letter.number else letter.sign
