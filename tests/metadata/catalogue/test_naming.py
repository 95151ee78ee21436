"""Linked documents are looked up by docId, else by code, else by title; in one fonds, and never when in doubt."""

from __future__ import annotations

from dataclasses import replace

import pytest

from metadata.catalogue import Catalogue
from metadata.holdings import AipVersion, Record
from metadata.identifiers import FondsCode
from tests.builders import holdings


def document(number: int, code: str, title: str, **fields: str) -> Record:
    return replace(holdings.a_record(number), code=code, title=title, fields=fields)


def keep(catalogue: Catalogue, name: str, *documents: Record, fonds: str = "P01", number: int = 1) -> AipVersion:
    version = replace(holdings.a_version(name, number), fonds=FondsCode(fonds))
    events, replicas = holdings.ingest_events(version.id), holdings.replicas(version.id)
    records = [holdings.a_record(0), *documents]
    catalogue.holdings.register(version, [], records, replicas, events, holdings.RECEIPT, holdings.a_head(1))
    return version


@pytest.mark.parametrize("few", [50, 0])
def test_names_in_their_order_of_trust(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, few: int) -> None:
    monkeypatch.setattr("metadata.catalogue.naming._FEW", few)
    one = keep(catalogue, "one", document(1, "C1", "Ảnh lễ hội", docId='D"1_%'), document(2, "D1", "C9", docId="D2"))
    keep(catalogue, "other fonds", document(1, "C7", "T7", docId="D7"), fonds="P02")
    found = catalogue.holdings.named_documents(FondsCode("P01"), ['D"1_%', "C1", "Ảnh lễ hội", "D7", "", "C9"])
    assert found == {'D"1_%': (one.id, 1), "C1": (one.id, 1), "Ảnh lễ hội": (one.id, 1), "C9": (one.id, 2)}


def test_a_name_of_two_documents_is_nobodys_and_links_do_not_count(catalogue: Catalogue) -> None:
    one = keep(catalogue, "one", document(1, "C1", "T", docId="D1"), document(2, "C2", "T", docId="D2"))
    keep(catalogue, "two", document(1, "C3", "", docId="D1", linkedDocument=f"{one.id}#1"))
    assert catalogue.holdings.named_documents(FondsCode("P01"), ["T", "D1"]) == {"D1": (one.id, 1)}


def test_the_latest_version_is_meant(catalogue: Catalogue) -> None:
    keep(catalogue, "one", document(1, "C1", "T", docId="D1"))
    second = keep(catalogue, "one", document(1, "C1", "T", docId="D1"), number=2)
    assert catalogue.holdings.named_documents(FondsCode("P01"), ["D1"]) == {"D1": (second.id, 1)}
