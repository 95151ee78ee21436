"""The archive's journal in the stores: appended by several, adopted, healed, and never believed when altered."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import pytest

from metadata.errors import Damaged, StoreUnavailable, Unreadable
from metadata.events import Agent
from metadata.identifiers import StoreId
from metadata.journal import Entry, EntryKind, Numbered
from storage.journal import append_entry, fits, read_journal
from storage.keys import is_own_key, journal_key, parse_journal_key
from storage.stores.memory import MemoryStore
from storage.wrappers.fault import Fault, FaultStore, script

AGENT = Agent("tangthu/test", "Tàng Thư")
AT = datetime(2026, 11, 26, 8, tzinfo=UTC)


def entry(word: str = "made") -> Entry:
    return Entry(uuid.uuid4(), AT, EntryKind.BACKUP, "2026-11-26", word, "", AGENT, {"bytes": 5, "tên": "bản sao"})


def stores() -> list[MemoryStore]:
    return [MemoryStore(StoreId("a")), MemoryStore(StoreId("b"))]


def test_what_is_appended_is_read_from_every_store() -> None:
    both, first, second = stores(), entry(), entry("checked")
    last = append_entry(both, None, first)[-1]
    append_entry(both, last, second)
    for store in both:
        assert [(one.number, one.entry) for one in read_journal(store)] == [(1, first), (2, second)]


def test_an_entry_of_another_is_adopted_and_comes_first() -> None:
    both, other, own = stores(), entry("theirs"), entry("ours")
    append_entry(both, None, other)
    placed = append_entry(both, None, own)
    assert [one.entry for one in placed] == [other, own]
    assert [one.number for one in placed] == [1, 2]


def test_appending_again_changes_nothing() -> None:
    both, own = stores(), entry()
    assert append_entry(both, None, own) == append_entry(both, None, own)
    assert len(list(both[0].list())) == 1


def test_a_store_that_was_away_is_brought_the_entry_by_the_next_try() -> None:
    a, b = stores()
    own = entry()
    append_entry([a, FaultStore(b, script({("head", 1): Fault.BEFORE}))], None, own)
    assert list(b.list()) == []
    append_entry([a, b], None, own)
    assert [one.entry for one in read_journal(b)] == [own]


def test_no_store_is_no_entry() -> None:
    with pytest.raises(StoreUnavailable):
        append_entry([], None, entry())


@pytest.mark.parametrize("written", [(1, 1), (3, 1), (1, 3), (2, 2)])
@pytest.mark.parametrize("known", [0, 1])
def test_stores_that_were_written_apart_do_not_stop_the_journal_nor_spoil_each_other(
    written: tuple[int, int], known: int
) -> None:
    """Each went on alone for a while; the catalogue knows one of the two. The other is left as it is."""
    both = stores()
    base = append_entry(both, None, entry("base"))[-1]
    ends = []
    for store, count in zip(both, written, strict=True):
        last = base
        for number in range(count):
            last = append_entry([store], last, entry(f"{store.id} {number}"))[-1]
        ends.append(last)
    before = list(read_journal(both[1 - known]))
    for order in (both, both[::-1]):
        ends[known] = append_entry(order, ends[known], entry("together"))[-1]
    assert [one.entry.act for one in read_journal(both[known])][-2:] == ["together", "together"]
    assert list(read_journal(both[1 - known])) == before
    assert fits(both[known], ends[known]) is True


def test_when_every_store_contradicts_the_catalogue_somebody_must_look() -> None:
    a, b = stores()
    append_entry([a], None, entry("one"))
    known = append_entry([b], None, entry("other"))[-1]
    with pytest.raises(Damaged):
        append_entry([a], known, entry("third"))


@pytest.mark.parametrize("change", ["alter", "remove", "swap"])
def test_a_journal_that_was_altered_is_not_believed(change: str) -> None:
    (store, _) = stores()
    last: Numbered | None = None
    for word in ("one", "two", "three"):
        last = append_entry([store], last, entry(word))[-1]
    data = {number: bytes(store.open(journal_key(number)).__enter__().read(1 << 20)) for number in (1, 2, 3)}
    store.delete(journal_key(2))
    if change == "alter":
        store.put(journal_key(2), data[2].replace(b"two", b"six"))
    elif change == "swap":
        store.put(journal_key(2), data[3])
    with pytest.raises(Unreadable):
        list(read_journal(store))


def test_the_keys_are_the_archives_own() -> None:
    assert parse_journal_key(journal_key(12)) == 12
    assert is_own_key(journal_key(1))
    assert parse_journal_key("_tangthu/journal/000000000.json") is None
    for number in (0, 1_000_000_000):
        with pytest.raises(ValueError, match="numbered"):
            journal_key(number)
