"""Audits as rows, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from metadata.audits import Audit, AuditKind, AuditState
from metadata.catalogue import Catalogue
from metadata.errors import NotFound
from metadata.identifiers import FondsCode, StoreId
from tests.builders.holdings import NOW

ONE = Audit(
    "a1", AuditKind.SAMPLE, StoreId("kho-1"), FondsCode("P1"), 0.25, AuditState.RUNNING, False, NOW, NOW, None, None,
    9, 1 << 40, 0, 0, 0, 0, "", "Nguyễn Văn A",
)  # fmt: skip


def test_an_audit_comes_back_as_it_was_put(catalogue: Catalogue) -> None:
    everything = replace(ONE, id="a2", fonds=None, limit=5_000_000, begun=NOW + timedelta(days=1))
    catalogue.audits.add(ONE)
    catalogue.audits.add(everything)
    assert catalogue.audits.get("a1") == ONE
    assert catalogue.audits.latest() == [everything, ONE]
    assert catalogue.audits.current() == [ONE, everything]
    with pytest.raises(NotFound):
        catalogue.audits.get("a3")
    with pytest.raises(ValueError, match=r"(?i)audit"):
        catalogue.audits.add(ONE)


def test_what_has_ended_stays_so(catalogue: Catalogue) -> None:
    catalogue.audits.add(ONE)
    later = NOW + timedelta(hours=1)
    assert catalogue.audits.set_state("a1", AuditState.PAUSED, later)
    assert not catalogue.audits.set_state("a1", AuditState.PAUSED, later)
    assert catalogue.audits.set_state("a1", AuditState.STOPPED, later)
    assert not catalogue.audits.set_state("a1", AuditState.RUNNING, later)
    assert catalogue.audits.get("a1").ended == later
    assert catalogue.audits.current() == []


def test_only_one_worker_brings_it_on(catalogue: Catalogue) -> None:
    catalogue.audits.add(ONE)
    assert catalogue.audits.advance("a1", "", "k1", NOW, 1, 50, damaged=1)
    assert not catalogue.audits.advance("a1", "", "k1", NOW, 1, 50)
    assert catalogue.audits.advance("a1", "k1", "k2", NOW, 1, 50, unread=1)
    catalogue.audits.set_limit("a1", 7)
    made = catalogue.audits.get("a1")
    assert (made.done, made.done_bytes, made.damaged, made.unread, made.place, made.limit) == (2, 100, 1, 1, "k2", 7)
