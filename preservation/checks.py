"""Looking at the replicas of one AIP version, and being sure before an alarm is given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from metadata.dates import utc_text
from metadata.events import Agent, Event, EventType
from metadata.findings import visible
from metadata.holdings import Member
from metadata.identifiers import FondsCode, StoreId, VersionId
from metadata.outcomes import Fixity
from metadata.text import Sentence
from storage.aip.verify import Damage, Verdict, verify_object
from storage.port import Store

Clock = Callable[[], datetime]
Progress = Callable[[int], None]

SUCCESS = "success"
FAILURE = "failure"

_NAMED = 20
_LONG = 128
_MOST_READS = 3


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a replica is looked at again: after its period when it matched, after ``retry`` when anything else.

    Stores and fonds may have periods of their own; of two that apply the shorter counts, ``period`` where none does.
    """

    period: timedelta = timedelta(days=90)
    retry: timedelta = timedelta(hours=1)
    stores: Mapping[StoreId, timedelta] = field(default_factory=dict)
    fonds: Mapping[FondsCode, timedelta] = field(default_factory=dict)

    def period_of(self, store: StoreId, fonds: FondsCode) -> timedelta:
        """Within which every byte of a replica of that fonds in that store is to be read."""
        own = [table for table in (self.stores.get(store), self.fonds.get(fonds)) if table is not None]
        return min(own, default=self.period)

    def next_look(self, outcome: Fixity, at: datetime, store: StoreId, fonds: FondsCode) -> datetime:
        """When a replica of that fonds in that store is due, after a look at ``at``."""
        return at + (self.period_of(store, fonds) if outcome is Fixity.MATCH else self.retry)


@dataclass(frozen=True, slots=True)
class Check:
    """What looking at one replica came to.

    ``note`` says what was found, for people; ``bytes_read`` and ``reads`` count all reads. ``answered`` is whether the
    store gave a word at all. ``damages`` are the first of ``damage_count``.
    """

    store: StoreId
    outcome: Fixity
    damages: tuple[Damage, ...]
    bytes_read: int
    reads: int
    note: str
    answered: bool = True
    damage_count: int = 0

    def event(self, version: VersionId, at: datetime, agent: Agent, act: str) -> Event:
        """The PREMIS event of this look at ``at``; ``act`` tells it from another look at the same moment."""
        identity = Event.derive(version, EventType.FIXITY_CHECK.value, self.store.value, utc_text(at), act)
        detail = f"The replica was read whole ({self.reads} ×, {self.bytes_read} bytes) and compared with its digests"
        return Event(
            identity, version, EventType.FIXITY_CHECK, at, detail, self.outcome.value, self.note, agent, self.store
        )


def check_replica(
    store: Store,
    key: str,
    members: Callable[[], Iterable[Member]],
    on_progress: Progress | None = None,
    first: Verdict | None = None,
) -> Check:
    """Read one replica from end to end. Damage is believed only when two reads agree on it.

    ``first`` is a verdict already at hand. Never raises for what a store does: a store that does not answer is
    UNREADABLE, which is neither good nor bad; so is one whose reads do not agree.
    """
    verdicts = [first] if first else []
    while not verdicts or (verdicts[-1].outcome.damaged and not _agreed(verdicts) and len(verdicts) < _MOST_READS):
        verdicts.append(verify_object(store, key, members(), on_progress))
    if verdicts[-1].outcome.damaged and not _agreed(verdicts):
        sentence = Sentence(
            "các lần đọc cho kết quả khác nhau, cần kiểm tra đường truyền và bộ nhớ của máy",
            "reads do not agree with each other: look at the connection and at the memory of the machine",
        )
        return Check(store.id, Fixity.UNREADABLE, (), _bytes(verdicts), len(verdicts), str(sentence))
    return _check(store.id, verdicts)


def unknown_store(store: StoreId) -> Check:
    """For a replica in a store that the settings do not name."""
    sentence = Sentence("nơi lưu không có trong cấu hình", "the store is not in the settings")
    return Check(store, Fixity.UNREADABLE, (), 0, 0, str(sentence), answered=False)


def describe(verdict: Verdict) -> str:
    """A verdict as one line of text: why it could not be had, or the first damages: place, kind, expected, found."""
    lines = [str(verdict.reason)] if verdict.reason else []
    lines += [
        f"{visible(d.place)}: {d.kind.value} ({visible(d.expected, _LONG)} → {visible(d.found, _LONG)})"
        for d in verdict.damages[:_NAMED]
    ]
    if verdict.damage_count > _NAMED:
        lines.append(f"… (+{verdict.damage_count - _NAMED})")
    return "; ".join(lines)


def _agreed(verdicts: Sequence[Verdict]) -> bool:
    return any(_same(verdicts[-1], earlier) for earlier in verdicts[:-1])


def _same(one: Verdict, other: Verdict) -> bool:
    return one.outcome is other.outcome and one.damages == other.damages


def _check(store: StoreId, verdicts: Sequence[Verdict]) -> Check:
    last = verdicts[-1]
    notes = [describe(last)] if describe(last) else []
    for odd in [verdict for verdict in verdicts[:-1] if not _same(verdict, last)]:
        found = f"{odd.outcome.value} ({describe(odd)})"
        notes.append(str(Sentence(f"một lần đọc khác cho {found}", f"another read gave {found}")))
    answered = last.outcome is not Fixity.UNREADABLE
    return Check(
        store,
        last.outcome,
        last.damages,
        _bytes(verdicts),
        len(verdicts),
        "; ".join(notes),
        answered,
        last.damage_count,
    )


def _bytes(verdicts: Sequence[Verdict]) -> int:
    return sum(verdict.bytes_read for verdict in verdicts)
