"""What a PDF claims of PDF/A, and what it does against that claim, as far as a look at its objects can tell.

This proves claims wrong, never right: what is found is against the clause that is named, but nothing found makes no
PDF/A. Only a validator (veraPDF) says that.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import pikepdf
from lxml import etree

from preservation.formats.pdf_objects import FAULTS, Objects, names_of, shown
from preservation.formats.port import Remark

_XMP_LIMIT = 4 << 20
_ID = "{http://www.aiim.org/pdfa/ns/id/}"
_MENTIONED = re.compile(rb"pdfaid:part")


@dataclass(frozen=True, slots=True)
class Claim:
    """``part`` (1 to 4) and ``level`` (A, B, U, E, F or empty) as they stand in the file; there may be no such one."""

    part: str
    level: str

    def __str__(self) -> str:
        return f"PDF/A-{self.part}{self.level.lower()}"


@dataclass(frozen=True, slots=True)
class Document:
    """What is judged. ``fonts`` are those that visible words use and the file does not bring along; ``colours`` of the
    device those that its pages set."""

    pdf: pikepdf.Pdf
    objects: Objects
    fonts: Set[str]
    colours: Set[str]


def read_claim(pdf: pikepdf.Pdf) -> tuple[Claim | None, str]:
    """The claim in the document's XMP, and what is wrong with how it is made."""
    metadata = pdf.Root.get("/Metadata")
    if not isinstance(metadata, pikepdf.Stream):
        return None, ""
    xmp = bytes(metadata.read_bytes())
    if len(xmp) > _XMP_LIMIT:
        return None, f"XMP of {len(xmp)} bytes" if _MENTIONED.search(xmp) else ""
    root, trouble = _parsed(xmp.strip(b"\0 \t\r\n"))
    if root is None:
        return None, trouble if _MENTIONED.search(xmp) else ""
    part, level = (_property(root, name) for name in ("part", "conformance"))
    if not part:
        return None, "pdfaid:part in a namespace that is not PDF/A's" if _MENTIONED.search(xmp) else ""
    return Claim(part[:10], level[:10]), trouble


def _parsed(xmp: bytes) -> tuple[etree._Element | None, str]:
    """The XMP, and what is wrong with it; of what is not well-formed as much as can be read."""
    trouble = ""
    for recover in (False, True):
        parser = etree.XMLParser(
            resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, recover=recover
        )
        try:
            root: etree._Element | None = etree.fromstring(xmp, parser)
        except etree.XMLSyntaxError as error:
            trouble = trouble or f"XMP is not well-formed: {error.msg}"
            continue
        return root, trouble
    return None, trouble


def judge(document: Document, claim: Claim) -> Iterator[Remark]:
    """What is against the claim, each kind once."""
    rules = _rules().get(claim.part)
    if rules is None or claim.level not in rules["levels"]:
        yield Remark("FORMAT-PDFA-CLAIM", {"reason": f"there is no {claim}"})
        return
    for part, code, found in _broken(document, claim, rules):
        if part in rules["clauses"]:
            clause = f"{rules['standard']}, {rules['clauses'][part]}"
            yield Remark(code, {"claim": str(claim), "clause": clause, "found": found})


@cache
def _rules() -> Mapping[str, Any]:
    return tomllib.loads((resources.files("preservation.formats") / "pdfa.toml").read_text(encoding="utf-8"))


def _property(root: etree._Element, name: str) -> str:
    for description in root.iter("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}Description"):
        value = description.get(_ID + name)
        if value is None:
            value = description.findtext(_ID + name)
        if value is not None:
            return str(value).strip()
    return ""


def _broken(document: Document, claim: Claim, rules: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """The clause, the code and what was found."""
    objects, root = document.objects, shown(document.pdf.Root)
    if document.pdf.is_encrypted:
        yield "trailer", "FORMAT-PDFA-ENCRYPTED", "Encrypt"
    if actions := objects.actions & set(rules["actions"]):
        yield "actions", "FORMAT-PDFA-ACTION", ", ".join(sorted(actions))
    elif objects.triggers:
        yield "triggers", "FORMAT-PDFA-ACTION", "AA"
    if annotations := objects.annotations & set(rules["annotations"]):
        yield "annotations", "FORMAT-PDFA-ANNOTATION", ", ".join(sorted(annotations))
    if files := _forbidden_files(document, rules["files"]):
        yield "files", "FORMAT-PDFA-FILES", ", ".join(files[:5])
    if document.fonts:
        yield "fonts", "FORMAT-PDFA-FONTS", ", ".join(sorted(document.fonts)[:5])
    if filters := objects.filters & {"/LZWDecode", "/LZW"}:
        yield "filters", "FORMAT-PDFA-FILTER", ", ".join(sorted(filters))
    if objects.transparency and claim.part == "1":
        yield "transparency", "FORMAT-PDFA-TRANSPARENCY", ", ".join(sorted(objects.transparency))
    if "colour" in rules["clauses"] and not _has_intent(document.pdf, root):
        colours = objects.device_colours | document.colours
        if colours := colours - objects.default_colours:
            yield "colour", "FORMAT-PDFA-COLOUR", ", ".join(f"Device{one}" for one in sorted(colours))
    for clause, found in _structure(document, claim, root):
        yield clause, "FORMAT-PDFA-STRUCTURE", found
        break


def _structure(document: Document, claim: Claim, root: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    trailer = shown(document.pdf.trailer)
    if "/ID" not in trailer:
        yield "trailer", "no ID in the trailer"
    if claim.part == "1" and trailer.get("/Type") == "/XRef":
        yield "cross-references", "cross-reference stream"
    if document.objects.external:
        yield "external", "stream in another file"
    if document.objects.xfa:
        yield "forms", "XFA form"
    metadata = document.pdf.Root.get("/Metadata")
    if claim.part == "1" and isinstance(metadata, pikepdf.Stream) and "/Filter" in metadata:
        yield "metadata", "XMP is compressed"
    if claim.level == "A" and not ("/StructTreeRoot" in root and document.pdf.Root.get("/MarkInfo") is not None):
        yield "tags", "no structure tree"


def _forbidden_files(document: Document, allowed: str) -> list[str]:
    """Names of attached files that the part forbids: all, or those that are no PDF."""
    if allowed == "any":
        return []
    return [
        name or "?" for name, part in document.objects.files.items() if allowed == "none" or not _pdf(document, part)
    ]


def _pdf(document: Document, part: Mapping[str, Any]) -> bool:
    """Whether an attached file begins as a PDF does; true when that cannot be seen."""
    for reference in names_of(list(part["/EF"].values())):
        number, _, rest = reference.partition(" ")
        try:
            stream = document.pdf.get_object((int(number), int(rest.partition(" ")[0])))
            if isinstance(stream, pikepdf.Stream) and b"%PDF-" not in bytes(stream.read_bytes()[:1024]):
                return False
        except (*FAULTS, ValueError):
            return True
    return True


def _has_intent(pdf: pikepdf.Pdf, root: Mapping[str, Any]) -> bool:
    if "/OutputIntents" not in root:
        return False
    intents = pdf.Root.OutputIntents
    return isinstance(intents, pikepdf.Array) and any(
        isinstance(one, pikepdf.Dictionary) and one.get("/S") == "/GTS_PDFA1" and "/DestOutputProfile" in one
        for one in intents
    )
