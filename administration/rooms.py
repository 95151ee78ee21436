"""How much room the stores have left, for pages, commands and programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, cast

from metadata.stores import StoreState

if TYPE_CHECKING:
    from administration.archive import Archive
    from administration.keeping import Keeping
    from metadata.identifiers import StoreId
    from storage.space import Space, SpaceGauge
    from storage.stores.directory import DirectoryStore

MONTH = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Room:
    """Of one store. ``tells``: a folder can be asked, S3 has no word for it. ``space`` None: it did not say.

    ``received``: bytes that the whole archive got in its last 30 days (one replica). ``least``: the share of all its
    room below which it is nearly full. ``takes``: whether it takes new replicas at all.
    """

    tells: bool
    space: Space | None
    received: int
    least: float
    takes: bool

    @property
    def nearly_full(self) -> bool:
        """Less is left than the settings want."""
        return self.takes and self.space is not None and self.space.free < self.space.total * self.least

    @property
    def short(self) -> bool:
        """Another 30 days like the last ones do not fit."""
        return self.takes and self.space is not None and self.space.free < self.received

    @property
    def low(self) -> bool:
        """Somebody should see to it."""
        return self.nearly_full or self.short


def gauge_of(archive: Keeping) -> SpaceGauge:
    """Who asks the folders among the stores."""
    from storage.space import SpaceGauge

    folders = [one.id for one in archive.settings.stores if one.kind == "directory"]
    return SpaceGauge({id: cast("DirectoryStore", archive.bare_stores[id]).space for id in folders})


def rooms(archive: Archive) -> Mapping[StoreId, Room]:
    """Every store of the settings. Takes about a second when one hangs, however many hang, and nothing after that."""
    records, found = archive.catalogue.stores.records(), archive.space.read()
    today = archive.clock().date()
    received = archive.catalogue.held_sums.received(today - MONTH, today)
    least = archive.settings.number("storage.low_percent") / 100
    made = {}
    for one in archive.settings.stores:
        record = records.get(one.id)
        takes = (record is None or record.state is StoreState.ACTIVE) and not one.offline
        made[one.id] = Room(one.id in found, found.get(one.id), received, least, takes)
    return made
