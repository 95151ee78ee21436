"""What the objects of a PDF hold, found in one walk over all that can be reached from its trailer.

qpdf shows each object as JSON, which Python reads faster than it could ask for each key; streams that are no images are
decoded to see that they can be. The structure tree is passed over, which is most of the objects of a tagged document
and holds nothing that is asked here; so are the fonts that forms keep for what will be typed into them.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pikepdf

OBJECTS = 200_000
"""Objects that are looked at."""

DECODED = 256 << 20
"""Bytes that are decoded of one file in all."""

LARGEST_STREAM = 64 << 20
"""Bytes that one stream may decode to."""

FAULTS = (pikepdf.PdfError, pikepdf.QpdfRuntimeError)
"""By what qpdf says that a document is not what it should be."""

_LISTED = 1000
_END_WITHIN = 4096
_REFERENCE = re.compile(rb'"(\d{1,10}) (\d{1,5}) R"')
_WHOLE_REFERENCE = re.compile(r"(\d{1,10}) (\d{1,5}) R")
_FLATE = frozenset({"/FlateDecode", "/Fl"})
_DECODABLE = _FLATE | {
    "/LZWDecode",
    "/LZW",
    "/ASCII85Decode",
    "/A85",
    "/ASCIIHexDecode",
    "/AHx",
    "/RunLengthDecode",
    "/RL",
}
_PASSED_OVER = ("/StructTreeRoot", "/DR")
_ACTIONS = frozenset(
    f"/{one}"
    for one in (
        *("JavaScript", "Launch", "Sound", "Movie", "ResetForm", "ImportData", "SubmitForm", "Hide", "SetOCGState"),
        *("Rendition", "Trans", "GoTo3DView", "Named", "SetState", "NOP"),
    )
)
_NAMED = frozenset({"/NextPage", "/PrevPage", "/FirstPage", "/LastPage"})


_Number = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Font:
    """``name`` without the tag of a subset; ``descriptor`` is a reference, a dictionary or None."""

    name: str
    descriptor: Any


@dataclass(slots=True)
class Objects:
    """What was found. Names are without their slash; lists are bounded.

    ``actions``: their types, ``Named action`` for one that PDF does not define. ``images``: by width and height, what
    their dictionaries say of colour. ``transparency``, ``annotations``: what was seen. ``device_colours``: of images
    (Gray, RGB, CMYK); ``default_colours``: those whose meaning some page gives. ``forms``: what each
    form may paint. ``reached``: objects that were seen;
    ``decoded``: bytes of their streams, without images. ``faults``: why an object could not be read
    or decoded; ``warnings``: what qpdf let pass. ``complete``: no bound was reached. ``swollen``: what kind of stream
    grows beyond its bound, ``content`` or ``file``.
    """

    actions: set[str] = field(default_factory=set)
    triggers: bool = False
    files: dict[str, Any] = field(default_factory=dict)
    fonts: list[Font] = field(default_factory=list)
    embedded: dict[str, bool] = field(default_factory=dict)
    images: dict[tuple[int, int], list[dict[str, Any]]] = field(default_factory=dict)
    filters: set[str] = field(default_factory=set)
    external: bool = False
    transparency: set[str] = field(default_factory=set)
    annotations: set[str] = field(default_factory=set)
    xfa: bool = False
    forms: dict[_Number, dict[str, _Number]] = field(default_factory=dict)
    default_colours: set[str] = field(default_factory=set)
    device_colours: set[str] = field(default_factory=set)
    reached: int = 0
    decoded: int = 0
    faults: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    complete: bool = True
    swollen: str = ""

    def fonts_not_embedded(self) -> list[str]:
        """Names of fonts without their program in the file, in order, each once."""
        return sorted({font.name for font in self.fonts if not self._has_program(font)})

    def _has_program(self, font: Font) -> bool:
        if isinstance(font.descriptor, dict):
            return _program(font.descriptor)
        return isinstance(font.descriptor, str) and self.embedded.get(font.descriptor, False)


def set_limits() -> None:
    """Tell qpdf, once in this process, what a stream may grow to."""
    pikepdf.settings.set_qpdf_limits(
        doc_max_warnings=_LISTED,
        flate_max_memory=LARGEST_STREAM,
        png_max_memory=LARGEST_STREAM,
        tiff_max_memory=LARGEST_STREAM,
        run_length_max_memory=LARGEST_STREAM,
    )


def walk(pdf: pikepdf.Pdf) -> Objects:
    """Every object that can be reached. A fault of one object is noted and costs that object only."""
    found = Objects()
    _take(found.warnings, "", pdf.get_warnings())
    seen: set[_Number] = set()
    waiting: list[_Number] = []
    trailer = {key: part for key, part in shown(pdf.trailer).items() if key not in ("/Encrypt", "/Prev")}
    _follow(json.dumps(trailer).encode(), seen, waiting)
    while waiting:
        number = waiting.pop()
        try:
            _visit(pdf, found, number, seen, waiting)
        except (*FAULTS, ValueError) as error:
            _take(found.faults, f"object {number[0]}: ", [error])
    found.complete = found.decoded < DECODED and len(seen) <= OBJECTS
    return found


def _visit(pdf: pikepdf.Pdf, found: Objects, number: _Number, seen: set[_Number], waiting: list[_Number]) -> None:
    thing: object = pdf.get_object(number)
    if not isinstance(thing, pikepdf.Object):
        return
    found.reached += 1
    text = thing.to_json(dereference=True)
    value = json.loads(text)
    if any(f'"{key}"'.encode() in text for key in _PASSED_OVER):
        text = _pruned(value)
    _follow(text, seen, waiting)
    for part in _dictionaries(value):
        _note(found, f"{number[0]} {number[1]} R" if part is value else "", part)
    _take(found.warnings, f"object {number[0]}: ", pdf.get_warnings())
    if isinstance(thing, pikepdf.Stream) and isinstance(value, dict):
        _note_stream(found, value)
        if value.get("/Subtype") == "/Form" and len(found.forms) < OBJECTS // 10:
            found.forms[number] = _painted(pdf, value)
        if value.get("/Subtype") == "/Image" and not _ends(thing, value):
            _take(found.warnings, f"object {number[0]}: ", ["a picture without its end"])
        if found.decoded < DECODED:
            found.decoded += _decoded(pdf, found, thing, value)
            _take(found.faults, f"object {number[0]}: ", pdf.get_warnings()[:1])


def plain(message: str) -> str:
    """What qpdf says, without how our side names the file."""
    return re.sub(r"(WARNING: )?(stream )?<_?io\.[^>]*>:?\s*", "", message).strip(" ,")


def _take(to: list[str], before: str, messages: Sequence[object]) -> None:
    to += [before + plain(str(one)) for one in messages[: max(_LISTED - len(to), 0)]]


def shown(thing: pikepdf.Object) -> dict[str, Any]:
    """A dictionary as qpdf's JSON has it; empty for anything else."""
    value = json.loads(thing.to_json(dereference=True))
    return value if isinstance(value, dict) else {}


def resolved(pdf: pikepdf.Pdf, value: object) -> object:
    """What a reference of qpdf's JSON stands for, None when that is nothing; any other value itself."""
    match = _WHOLE_REFERENCE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return value
    try:
        thing: object = pdf.get_object((int(match[1]), int(match[2])))
        return json.loads(thing.to_json(dereference=True)) if isinstance(thing, pikepdf.Object) else thing
    except (*FAULTS, ValueError):
        return None


def _painted(pdf: pikepdf.Pdf, form: dict[str, Any]) -> dict[str, _Number]:
    """What a form's resources name as what it may paint."""
    resources = resolved(pdf, form.get("/Resources"))
    named = resolved(pdf, resources.get("/XObject")) if isinstance(resources, dict) else None
    found: dict[str, _Number] = {}
    for name, one in list(named.items())[:_LISTED] if isinstance(named, dict) else ():
        if match := _WHOLE_REFERENCE.fullmatch(one) if isinstance(one, str) else None:
            found[name] = int(match[1]), int(match[2])
    return found


def _pruned(value: object) -> bytes:
    for part in _dictionaries(value):
        for key in _PASSED_OVER:
            part.pop(key, None)
    return json.dumps(value).encode()


def _follow(text: bytes, seen: set[_Number], waiting: list[_Number]) -> None:
    for match in _REFERENCE.finditer(text):
        if len(seen) > OBJECTS:
            break
        key = (int(match[1]), int(match[2]))
        if key not in seen:
            seen.add(key)
            waiting.append(key)


def _decoded(pdf: pikepdf.Pdf, found: Objects, stream: pikepdf.Object, value: dict[str, Any]) -> int:
    """Decode a stream that is no image; how many bytes it is."""
    filters = names_of(value.get("/Filter"))
    if value.get("/Subtype") == "/Image" or not _DECODABLE.issuperset(filters):
        return 0
    try:
        return len(memoryview(stream.get_stream_buffer()))
    except pikepdf.DataDecodingError:
        if not _swells(stream, filters):
            raise
        pdf.get_warnings()
        found.swollen = found.swollen or ("file" if value.get("/Type") == "/EmbeddedFile" else "content")
        return LARGEST_STREAM


def _ends(stream: pikepdf.Object, value: dict[str, Any]) -> bool:
    """Whether a JPEG has its end, so far as that can be seen; other pictures have none to look for."""
    length = value.get("/Length")
    if names_of(value.get("/Filter")) != ["/DCTDecode"] or not isinstance(length, int) or length > LARGEST_STREAM:
        return True
    return b"\xff\xd9" in bytes(memoryview(stream.get_raw_stream_buffer())[-_END_WITHIN:])


def _swells(stream: pikepdf.Object, filters: Sequence[str]) -> bool:
    """Whether what stopped the decoding was our limit: qpdf says so in words only, zlib in numbers."""
    data = stream.read_raw_bytes()
    for one in filters:
        if one not in _FLATE:
            return False
        try:
            data = zlib.decompressobj().decompress(data, LARGEST_STREAM)
        except zlib.error:
            return False
        if len(data) >= LARGEST_STREAM:
            return True
    return False


def _dictionaries(value: object) -> Iterator[dict[str, Any]]:
    """All dictionaries within an object, itself first."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            yield one
            waiting += [part for part in one.values() if isinstance(part, dict | list)]
        elif isinstance(one, list):
            waiting += [part for part in one if isinstance(part, dict | list)]


def names_of(value: object) -> list[str]:
    """A name, or the names of an array."""
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]


def _note(found: Objects, reference: str, part: dict[str, Any]) -> None:
    """``reference``: that of the object that the dictionary is; empty when it lies in another."""
    _note_action(found, part)
    _note_font(found, reference, part)
    _note_look(found, part)
    if isinstance(part.get("/EF"), dict) and len(found.files) < _LISTED:
        found.files.setdefault(text_of(part.get("/UF") or part.get("/F")), part)
    found.xfa = found.xfa or "/XFA" in part


def _note_stream(found: Objects, value: dict[str, Any]) -> None:
    found.filters.update(names_of(value.get("/Filter")))
    found.external = found.external or "/F" in value
    if value.get("/Subtype") == "/Image":
        _note_image(found, value)


def _note_action(found: Objects, part: dict[str, Any]) -> None:
    found.triggers = found.triggers or "/AA" in part
    kind = part.get("/S")
    if not isinstance(kind, str) or part.get("/Type", "/Action") != "/Action" or kind not in _ACTIONS:
        return
    if kind == "/Named":
        if part.get("/N") not in _NAMED:
            found.actions.add("Named action")
        return
    found.actions.add(kind[1:])


def _note_font(found: Objects, reference: str, part: dict[str, Any]) -> None:
    kind = part.get("/Type")
    if kind == "/FontDescriptor" and reference:
        found.embedded[reference] = _program(part)
    elif kind == "/Font" and part.get("/Subtype") not in ("/Type0", "/Type3") and len(found.fonts) < _LISTED:
        name = str(part.get("/BaseFont", "/?"))[1:]
        found.fonts.append(Font(re.sub(r"^[A-Z]{6}\+", "", name), part.get("/FontDescriptor")))


def _program(descriptor: dict[str, Any]) -> bool:
    return any(key in descriptor for key in ("/FontFile", "/FontFile2", "/FontFile3"))


def _note_look(found: Objects, part: dict[str, Any]) -> None:
    if isinstance(part.get("/Rect"), list) and isinstance(part.get("/Subtype"), str):
        found.annotations.add(part["/Subtype"][1:])
    if part.get("/S") == "/Transparency":
        found.transparency.add("Group")
    if part.get("/SMask", "/None") != "/None":
        found.transparency.add("SMask")
    for key in ("/CA", "/ca"):
        if isinstance(part.get(key), int | float) and part[key] != 1:
            found.transparency.add(key[1:])
    if not set(names_of(part.get("/BM", "/Normal"))) <= {"/Normal", "/Compatible"}:
        found.transparency.add("BM")
    found.default_colours.update(one for one in ("Gray", "RGB", "CMYK") if f"/Default{one}" in part)


def _note_image(found: Objects, value: dict[str, Any]) -> None:
    size = (value.get("/Width"), value.get("/Height"))
    if all(isinstance(one, int) for one in size) and len(found.images) < _LISTED:
        kinds = found.images.setdefault((int(size[0] or 0), int(size[1] or 0)), [])
        described = {key: value.get(key) for key in ("/ColorSpace", "/BitsPerComponent", "/ImageMask", "/Filter")}
        if described not in kinds and len(kinds) < 20:
            kinds.append(described)
    space = value.get("/ColorSpace")
    if isinstance(space, str) and space.startswith("/Device"):
        found.device_colours.add(space.removeprefix("/Device"))


def text_of(value: object) -> str:
    """A string of qpdf's JSON as text; empty for anything else."""
    if not isinstance(value, str):
        return ""
    if value.startswith("u:"):
        return value[2:]
    if value.startswith("b:"):
        return bytes.fromhex(value[2:]).decode("latin-1")
    return ""
