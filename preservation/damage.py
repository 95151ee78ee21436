"""What was found of replicas and what mended them, as JSON: for incidents, fix files and forms."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from metadata.dates import utc_text
from metadata.events import Event, EventType
from metadata.findings import visible
from metadata.holdings import AipVersion
from metadata.identifiers import StoreId
from metadata.outcomes import Fixity
from metadata.text import Sentence
from preservation.checks import SUCCESS, Check

MOST = 200
_LONG = 400


def found_to_json(check: Check, key: str, at: datetime, events: Iterable[Event]) -> dict[str, Any]:
    """What looking at a replica found, member by member (the first 200), and the PREMIS events that say so."""
    look = EventType.FIXITY_CHECK, check.store, at
    return {
        "key": key,
        "store": check.store.value,
        "outcome": check.outcome.value,
        "at": utc_text(at),
        "reads": check.reads,
        "bytes_read": check.bytes_read,
        "damage_count": check.damage_count,
        "damages": [
            {
                "place": visible(damage.place, 4096),
                "kind": damage.kind.value,
                "expected": visible(damage.expected, _LONG),
                "found": visible(damage.found, _LONG),
            }
            for damage in check.damages[:MOST]
        ],
        "note": visible(check.note, 4096),
        "events": [str(event.id) for event in events if (event.type, event.store, event.at) == look],
    }


def told_of(check: Check, key: str, held: AipVersion | None = None) -> Sentence:
    """A damaged replica in one sentence: what a person knows it by; what the catalogue does not know, by its key."""
    whose = _dossier(held)
    by = Sentence("", "") if held else Sentence(f" Khóa của bản sao: {key}.", f" Key of the replica: {key}.")
    if check.outcome is Fixity.MISSING:
        return Sentence(
            f"{whose.vi}: không còn bản sao ở nơi lưu {check.store}.{by.vi}",
            f"{whose.en}: store {check.store} no longer has its replica.{by.en}",
        )
    names = list(dict.fromkeys(visible(damage.place.rsplit("/", 1)[-1], 120) for damage in check.damages[:3]))
    more = check.damage_count - len(check.damages[:3])
    where = ", ".join(names) + (f" (+{more})" if more > 0 else "")
    return Sentence(
        f"{whose.vi}: hỏng {where} trong bản sao ở nơi lưu {check.store}.{by.vi}",
        f"{whose.en}: {where} damaged in the replica in store {check.store}.{by.en}",
    )


def _dossier(held: AipVersion | None) -> Sentence:
    if held is None:
        return Sentence("Gói không có trong danh mục", "A package that the catalogue does not know")
    code, title = visible(held.code.value, 120), visible(held.title, 200)
    return (
        Sentence(f"Hồ sơ «{title}» ({code})", f"Dossier “{title}” ({code})")
        if title
        else Sentence(f"Hồ sơ {code}", f"Dossier {code}")
    )


def repaired_to_json(store: StoreId, sources: Iterable[StoreId], how: str, events: Iterable[Event]) -> dict[str, Any]:
    """How a replica was made whole: from which stores, and the events of its reading back."""
    mine = [event for event in events if event.store == store and event.outcome in (SUCCESS, Fixity.MATCH.value)]
    last = max((event.at for event in mine), default=None)
    return {
        "how": how,
        "from": sorted(source.value for source in sources),
        "read_back": utc_text(last) if last else None,
        "events": [str(event.id) for event in mine if event.at == last],
    }
