"""The light audit: a store's listing held against what it must have, without reading an object.

Nothing that a listing says is believed to be damage: a stale list is no loss. What looks wrong is asked for by itself,
and if it still looks wrong the replica becomes due for a deep look at once; only that look raises an alarm. It takes
one request for each page of the listing (1,000 objects).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from metadata.catalogue import Catalogue
from metadata.catalogue.leases import Expected
from metadata.identifiers import FondsCode
from preservation.checks import Clock, Schedule
from storage.port import ObjectInfo, Store

_PAGE = 1000

OnStrangers = Callable[[Sequence[ObjectInfo]], object]


@dataclass(slots=True)
class LightReport:
    """``objects`` were held against the listing, of ``bytes``; ``doubtful`` became due for a deep look: absent, of
    another size, or changed by the store's own word. ``place`` is where to go on, None at the end."""

    objects: int = 0
    bytes: int = 0
    doubtful: int = 0
    place: str | None = None


def look_lightly(
    catalogue: Catalogue,
    store: Store,
    clock: Clock,
    fonds: FondsCode | None = None,
    after: str = "",
    on_listed: OnStrangers | None = None,
    keep_on: Callable[[], bool] = lambda: True,
    schedule: Schedule | None = None,
) -> LightReport:
    """Go through the store from key ``after`` on, for as long as ``keep_on`` says (asked once a page).

    ``on_listed`` gets every object listed, in pages: among them are those that the catalogue does not know. What is
    due later than a whole period of ``schedule`` from now (a shorter period was set, a clock was wrong) comes due then.
    Raises StoreUnavailable.
    """
    report = LightReport(place=after)
    listing = store.list("", after)
    ahead: list[ObjectInfo] = []
    while True:
        page = catalogue.fixity.expected(store.id, report.place or "", fonds, _PAGE)
        last = page[-1].key if len(page) == _PAGE else None
        listed = _listed_to(listing, last, ahead, on_listed)
        for one in page:
            _hold(catalogue, store, clock, one, listed.get(one.key), report)
            if schedule is not None and one.due > (latest := clock() + schedule.period_of(store.id, one.fonds)):
                catalogue.fixity.hasten(one.version, store.id, clock(), latest)
        report.place = last
        if last is None or not keep_on():
            return report


def _listed_to(
    listing: Iterator[ObjectInfo], last: str | None, ahead: list[ObjectInfo], on_listed: OnStrangers | None
) -> dict[str, ObjectInfo]:
    """AIP objects listed up to key ``last`` (None: to the end); what is beyond stays in ``ahead``. Log objects are not
    kept, so that memory is bounded by the page of what is expected."""
    kept: dict[str, ObjectInfo] = {}
    while batch := ahead[:] or list(islice(listing, _PAGE)):
        ahead.clear()
        upto = [one for one in batch if last is None or one.key <= last]
        ahead += batch[len(upto) :]
        kept.update((one.key, one) for one in upto if one.key.endswith(".zip"))
        if on_listed is not None and upto:
            on_listed(upto)
        if ahead:
            break
    return kept


def _hold(
    catalogue: Catalogue, store: Store, clock: Clock, wanted: Expected, found: ObjectInfo | None, report: LightReport
) -> None:
    report.objects += 1
    report.bytes += wanted.size
    if _right(wanted, found) or _right(wanted, store.head(wanted.key)):
        return
    catalogue.fixity.hasten(wanted.version, store.id, clock())
    report.doubtful += 1


def _right(wanted: Expected, found: ObjectInfo | None) -> bool:
    if found is None or found.size != wanted.size:
        return False
    return not wanted.tag or not found.tag or found.tag == wanted.tag
