"""What of an XML document is signed: a right digest of an element says nothing of what stands beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lxml import etree

from preservation.signatures.xmldsig import DS, XADES, Element, XmlTrouble, is_identifier

WHOLE, ALL_CONTENT, PARTS = "WHOLE_DOCUMENT", "ALL_CONTENT", "PARTS"

_INSTANCE = "{http://www.w3.org/2001/XMLSchema-instance}"
_SILENT = {f"{_INSTANCE}schemaLocation", f"{_INSTANCE}noNamespaceSchemaLocation"}
_TELLING = {XADES + "QualifyingProperties", DS + "SignatureProperties"}
_SHOWN = 3


def coverage_of(root: Element, mine: Sequence[Element], everybody: Sequence[Element]) -> str:
    """How much of the document is signed: all by this signature, all by it and others, or parts.

    ``mine`` are the elements that this signature signs, ``everybody`` those that any good signature of the document
    signs. Raises XmlTrouble: for content of the signed elements' names that nobody signed, for signed elements that
    were put away inside a signature, and for other content that nobody signed.
    """
    if not mine:
        raise XmlTrouble("SIG-COVERAGE", "0")
    if root in mine:
        return WHOLE
    unsigned = list(_unsigned(root, set(everybody) | set(mine)))
    if not unsigned:
        return ALL_CONTENT
    names = {name for one in mine for name in _names(one)}
    above = {other for one in mine for other in one.iterancestors()}
    for one in unsigned:
        # What holds signed elements has words of its own, which are not theirs.
        if any(found.tag in names for found in ([one] if one in above else one.iter(etree.Element))):
            raise XmlTrouble("SIG-XML-WRAPPED", name_of(one))
    if any(_inside_signature(root, one) for one in mine):
        raise XmlTrouble("SIG-XML-WRAPPED", name_of(mine[0]))
    raise XmlTrouble("SIG-XML-PARTLY", ", ".join(name_of(one) for one in unsigned[:_SHOWN]))


def name_of(element: Element) -> str:
    """For people: its name without namespace, and its identifier."""
    word = etree.QName(element).localname
    found = next((str(value) for name, value in element.attrib.items() if is_identifier(str(name))), None)
    return word if found is None else f"{word}#{found}"


def _names(signed: Element) -> Iterator[str]:
    """By which names a forger would put something in its place."""
    if signed.tag == DS + "Object":
        yield from (str(one.tag) for one in signed.iterchildren(etree.Element))
    elif not str(signed.tag).startswith(DS):
        yield str(signed.tag)


def _inside_signature(root: Element, element: Element) -> bool:
    return any(one.tag == DS + "Signature" and one is not root for one in (element, *element.iterancestors()))


def _unsigned(root: Element, signed: set[Element]) -> Iterator[Element]:
    """Elements with content that nobody signed. What only holds signed elements or signatures together is no content,
    and neither is an empty place for a signature beside another one."""
    over_signed = {above for one in signed for above in one.iterancestors()}
    over_signatures = {above for one in root.iter(DS + "Signature") for above in one.iterancestors()}
    waiting = [root]
    while waiting:
        one = waiting.pop()
        if one in signed:
            continue
        if one.tag == DS + "Signature":
            waiting += one.iterchildren(DS + "Object")
        elif one.tag == DS + "Object" and not _says(one):
            waiting += (child for child in one.iterchildren(etree.Element) if child.tag not in _TELLING)
        elif one in over_signed or one in over_signatures:
            waiting += reversed(list(one.iterchildren(etree.Element)))
            if _speaks(one):
                yield one
        elif len(one) or _speaks(one) or one.getparent() not in over_signatures - over_signed:
            yield one


def _speaks(element: Element) -> bool:
    """Whether it has words of its own: text between its children, or attributes, but for identifiers and schemas."""
    own = [name for name in map(str, element.attrib) if not is_identifier(name) and name not in _SILENT]
    return bool(own) or _says(element)


def _says(element: Element) -> bool:
    words = [element.text, *(one.tail for one in element)]
    return any(word and word.strip() for word in words)
