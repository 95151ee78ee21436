"""EPUB: its container, its package file, whether it is locked, what it says."""

from __future__ import annotations

from metadata.characteristics import Facts
from metadata.outcomes import Validity
from preservation.formats.html import read_html
from preservation.formats.office_parts import Words, parse
from preservation.formats.port import Inspection, Remark
from preservation.formats.task import Broken, judged
from preservation.formats.xml_walk import XmlVisitor, local
from preservation.formats.zip_contents import ZipContents

_CONTAINER = "META-INF/container.xml"
_RIGHTS = "META-INF/rights.xml"
_PAGE = 4 << 20


class _Attributes(XmlVisitor):
    """The values of one attribute of one kind of element."""

    def __init__(self, element: str, attribute: str) -> None:
        self._element, self._attribute = element, attribute
        self.found: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if local(name) == self._element and self._attribute in attributes and len(self.found) < 10_000:
            self.found.append(attributes[self._attribute])


def inspect_epub(contents: ZipContents) -> Inspection:
    """Raises Broken, Swollen, TooMuch."""
    if contents.order[:1] != ["mimetype"] or contents.members["mimetype"].method:
        raise Broken("its first member is not an uncompressed mimetype")
    contents.refuse_swollen()
    if _CONTAINER not in contents.members:
        raise Broken(f"it has no {_CONTAINER}")
    roots = _Attributes("rootfile", "full-path")
    parse(contents, _CONTAINER, roots)
    if not roots.found or roots.found[0] not in contents.members:
        raise Broken("its package file is missing")
    parse(contents, roots.found[0], XmlVisitor())
    if _RIGHTS in contents.members:
        return Inspection(Validity.UNREADABLE, (Remark("FORMAT-ENCRYPTED"),), Facts(encrypted=True))
    words, script = Words(), ""
    for name in contents.order:
        page = name.lower().endswith((".xhtml", ".html", ".htm")) and contents.members[name].size <= _PAGE
        if page and not words.full:
            text, active = read_html(contents.read(name, _PAGE).decode("utf-8", "replace"))
            words.add(text + "\n")
            script = script or active
        else:
            contents.check(name)
    remarks = (Remark("FORMAT-SCRIPT", {"script": script}),) if script else ()
    return Inspection(judged(remarks), remarks, text=words.text())
