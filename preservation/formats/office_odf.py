"""OpenDocument (odt, ods, odp …): its manifest, XML that is well-formed, passwords, what is active or outside."""

from __future__ import annotations

import re
from collections.abc import Collection

from metadata.characteristics import Facts
from metadata.outcomes import Validity
from preservation.formats.office_parts import TextVisitor, Words, count, office_data, parse, told
from preservation.formats.port import Inspection, Remark
from preservation.formats.task import Broken, judged
from preservation.formats.text_encoding import in_unicode
from preservation.formats.xml_walk import XmlVisitor, local
from preservation.formats.zip_contents import ZipContents

_MANIFEST = "META-INF/manifest.xml"
_MACROS = re.compile(r"(Basic/(?!script-l[cb]\.xml$)[^/]+/(?!(script|dialog)-l[cb]\.xml$)[^/]+|Scripts/.+[^/])")
_OUTSIDE = re.compile(r"(?!https?://www\.w3\.org/)([a-z][a-z0-9+.-]{1,20}):", re.IGNORECASE)
_SLIDE = "urn:oasis:names:tc:opendocument:xmlns:drawing:1.0}page"
_PARTS = ("content.xml", "styles.xml")


class _Manifest(XmlVisitor):
    """Members that the manifest names, and those of them that are encrypted."""

    def __init__(self) -> None:
        self.named: list[str] = []
        self.encrypted = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if local(name) == "file-entry":
            self.named.append(next((text for key, text in attributes.items() if local(key) == "full-path"), ""))
        elif local(name) == "encryption-data":
            self.encrypted += 1

    def doctype(self) -> None:
        """OpenOffice.org 2 and 3 wrote one."""


class _Body(TextVisitor):
    def __init__(self, words: Words) -> None:
        super().__init__(words, ("p", "h"), office_data()["odf"]["breaks"])
        self._ordinary: Collection[str] = frozenset(office_data()["odf"]["ordinary"])
        self.outside: set[str] = set()
        self.dde: set[str] = set()
        self.slides = 0
        self._words_of = words

    def start(self, name: str, attributes: dict[str, str]) -> None:
        super().start(name, attributes)
        short = local(name)
        if short in ("dde-source", "dde-connection-decl"):
            self.dde.add("DDE")
        elif name.endswith(_SLIDE):
            self.slides += 1
        elif short == "s":
            self._words_of.add(" ")
        elif short not in self._ordinary:
            for key, value in attributes.items():
                if local(key) == "href" and _OUTSIDE.match(value) and len(self.outside) < 100:
                    self.outside.add(short)


class _Meta(XmlVisitor):
    def __init__(self) -> None:
        self.pages = ""
        self.generator = ""
        self._inside = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._inside = local(name) == "generator"
        if local(name) == "document-statistic":
            self.pages = next((text for key, text in attributes.items() if local(key) == "page-count"), "")

    def end(self, name: str) -> None:
        self._inside = False

    def characters(self, text: str) -> None:
        if self._inside and len(self.generator) < 300:
            self.generator += text


def inspect_odf(contents: ZipContents) -> Inspection:
    """Raises Broken, Swollen, TooMuch."""
    if contents.order[:1] != ["mimetype"] or contents.members["mimetype"].method:
        raise Broken("its first member is not an uncompressed mimetype")
    contents.refuse_swollen()
    mimetype = contents.read("mimetype", 1000)
    if not mimetype.startswith(b"application/vnd.oasis.opendocument."):
        raise Broken("its mimetype is not one of OpenDocument")
    if _MANIFEST not in contents.members:
        raise Broken(f"it has no {_MANIFEST}")
    manifest = _Manifest()
    parse(contents, _MANIFEST, manifest)
    if manifest.encrypted:
        return Inspection(Validity.UNREADABLE, (Remark("FORMAT-ENCRYPTED"),), Facts(encrypted=True))
    for name in manifest.named:
        if name and not name.endswith("/") and name not in contents.members:
            raise Broken(f"member {name!r} of its manifest is missing")
    words, meta = Words(), _Meta()
    body = _Body(words)
    if "content.xml" not in contents.members and b"database" not in mimetype:
        raise Broken("it has no content.xml")
    for name in _PARTS:
        if name in contents.members:
            parse(contents, name, body)
    if "meta.xml" in contents.members:
        parse(contents, "meta.xml", meta)
    for name in contents.order:
        contents.check(name)
    remarks = [
        *told("FORMAT-MACROS", {name for name in contents.members if _MACROS.fullmatch(name)}),
        *told("FORMAT-DDE", body.dde),
        *told("FORMAT-EXTERNAL", body.outside),
    ]
    text, legacy = in_unicode(words.text())
    if legacy:
        remarks.append(Remark("FORMAT-LEGACY-FONT", {"encoding": legacy.upper()}))
    facts = Facts(
        pages=body.slides or None,
        pages_said=count(meta.pages) or None,
        application=meta.generator.strip(),
        encrypted=False,
    )
    return Inspection(judged(remarks), tuple(remarks), facts, text)
