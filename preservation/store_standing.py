"""How a store stands that is being emptied, who agreed to retire it, and what is said when something cannot be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from metadata.catalogue.quarantine import person_key
from metadata.errors import UsageError
from metadata.identifiers import StoreId
from metadata.journal import Entry
from metadata.stores import StoreState
from metadata.text import Sentence
from preservation.places import MOVE


@dataclass(frozen=True, slots=True)
class Draining:
    """How far a draining is: ``aips`` and ``bytes`` were in the store when it began, ``left`` of them must still be
    copied, ``doubtful`` replicas elsewhere do not stand proved and must be read or repaired first.

    ``to`` is where they go when one store was named. ``ready``: the store may be retired.
    """

    store: StoreId
    state: StoreState
    begun: datetime | None
    person: str
    to: StoreId | None
    aips: int
    bytes: int
    left: int
    left_bytes: int
    doubtful: int
    trouble: Sentence | None = None

    @property
    def ready(self) -> bool:
        return self.state is StoreState.DRAINING and not (self.left or self.doubtful or self.trouble)

    def time_left(self, now: datetime) -> timedelta | None:
        """At the pace so far; None when that cannot be told yet."""
        done = self.bytes - self.left_bytes
        if self.begun is None or done <= 0 or not self.left_bytes:
            return None
        return (now - self.begun) * (self.left_bytes / done)


@dataclass(frozen=True, slots=True)
class Retiring:
    """Who has agreed to retire a store so far, and whether that was enough. ``left`` replicas are still to be
    forgotten: somebody else is at them."""

    store: StoreId
    people: tuple[str, ...]
    retired: bool
    forgotten: int = 0
    left: int = 0


def destination_of(entry: Entry) -> StoreId | None:
    """Where a store moves to, by the act that began it."""
    return StoreId(str(entry.document["to"])) if entry.act == MOVE else None


def must_be_named(person: str, reason: str | None = None) -> None:
    """Raises UsageError without a person\'s name, or without a reason where one is asked for."""
    if not person_key(person) or (reason is not None and not reason.strip()):
        raise said("Hãy ghi họ tên người quyết định và lý do.", "Name the person who decides, and the reason.")


def said(vi: str, en: str) -> UsageError:
    """What makes no sense, in words."""
    return UsageError(Sentence(vi, en))


def why_it_depends(standing: Draining) -> UsageError:
    """Why a store cannot be retired yet."""
    store = standing.store
    if standing.state is not StoreState.DRAINING:
        return said(
            f"Hãy chuyển những gì ở “{store}” đi trước: tangthu storage drain {store}.",
            f"What is in “{store}” must be copied away first: tangthu storage drain {store}.",
        )
    if standing.trouble is not None:
        return UsageError(standing.trouble)
    return said(
        f"Còn {standing.left} gói AIP phải chép khỏi “{store}”, và {standing.doubtful} bản sao ở nơi khác chưa được "
        f"chứng minh là nguyên vẹn. Hãy chạy tangthu storage drain {store}, kiểm tra và sửa những bản sao đó.",
        f"{standing.left} AIPs must still be copied away from “{store}”, and {standing.doubtful} replicas elsewhere do "
        f"not stand proved. Run tangthu storage drain {store}; have those replicas audited and repaired.",
    )
