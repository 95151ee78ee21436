"""Damaged and hostile documents: read, or refused with a code; never another error."""

from __future__ import annotations

import copy
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from metadata.bagit import iter_manifest, read_declaration, read_tag_file
from metadata.mets import iter_mets
from metadata.premis import iter_premis
from metadata.refusal import DocumentRefused
from metadata.tt05.records import read_simpledc
from tests.builders.tt05 import sip_hoso
from tests.metadata.test_premis import EVENTS, FILE, written

Reader = Callable[[bytes], object]
READERS: dict[str, Reader] = {
    "METS": lambda data: list(iter_mets(io.BytesIO(data))),
    "PREMIS": lambda data: list(iter_premis(io.BytesIO(data))),
    "EAD": lambda data: read_simpledc(io.BytesIO(data)),
    "bagit.txt": read_declaration,
    "bag-info.txt": lambda data: read_tag_file(io.BytesIO(data)),
    "bag-info.txt in UTF-16": lambda data: read_tag_file(io.BytesIO(data), "utf-16"),
    "manifest": lambda data: list(iter_manifest(io.BytesIO(data), "m")),
}
MAY_BE_ANYTHING = {"bag-info.txt", "bag-info.txt in UTF-16", "manifest"}  # an empty one is one


def outcome(reader: Reader, data: bytes) -> str:
    """The code of the refusal, "" when it was read. Any other error goes on and fails the test."""
    try:
        reader(data)
    except DocumentRefused as refusal:
        return refusal.code
    return ""


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder: Path = sip_hoso(tmp_path_factory.mktemp("sip"))
    return {
        "METS": (folder / "representations/rep1/METS.xml").read_bytes(),
        "PREMIS": written([FILE], EVENTS),
        "EAD": (folder / "metadata/descriptive/EAD.xml").read_bytes(),
    }


@pytest.mark.parametrize("name", list(READERS))
@settings(max_examples=60, deadline=None)
@given(st.one_of(st.binary(max_size=200), st.text(max_size=100).map(lambda text: text.encode("utf-8", "replace"))))
def test_noise(name: str, data: bytes) -> None:
    code = outcome(READERS[name], data)
    assert code.startswith(("XML-", "METS-", "PREMIS-", "TT05-", "BAG-")) or (code == "" and name in MAY_BE_ANYTHING)


@pytest.mark.parametrize("name", ["METS", "PREMIS", "EAD"])
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.floats(0, 1, exclude_max=True), value=st.integers(0, 255))
def test_one_changed_byte(documents: dict[str, bytes], name: str, at: float, value: int) -> None:
    data = bytearray(documents[name])
    data[int(at * len(data))] = value
    code = outcome(READERS[name], bytes(data))
    assert code == "" or code.startswith(("XML-", "METS-", "PREMIS-", "TT05-"))


@pytest.mark.parametrize("name", ["METS", "PREMIS", "EAD"])
def test_cut_short_is_never_taken_for_whole(documents: dict[str, bytes], name: str) -> None:
    data = documents[name].rstrip()
    for length in range(0, len(data), 37):
        assert outcome(READERS[name], data[:length]) in ("XML-NOT-WELL-FORMED", "XML-ENCODING")


@pytest.mark.parametrize("name", ["METS", "PREMIS"])
@pytest.mark.parametrize("change", ["remove", "double", "empty", "bare", "huge"])
def test_each_element_in_turn_taken_out_doubled_or_emptied(documents: dict[str, bytes], name: str, change: str) -> None:
    count = sum(1 for _ in etree.fromstring(documents[name]).iter())
    refused = 0
    for index in range(1, count):
        root = etree.fromstring(documents[name])
        element = list(root.iter())[index]
        parent = element.getparent()
        if change == "remove":
            parent.remove(element)
        elif change == "double":
            element.addnext(copy.deepcopy(element))
        elif change == "bare":
            element.attrib.clear()
        else:
            element[:] = []
            element.text = "9" * 5000 if change == "huge" else ""
        refused += bool(outcome(READERS[name], etree.tostring(root)))
    assert refused < count
    assert refused > 0 or change == "double" or (name, change) == ("METS", "huge")
