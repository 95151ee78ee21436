"""The light audit: a store's listing held against what it must have, without reading an object.

Nothing that a listing says is believed to be damage: a stale list is no loss. What looks wrong is asked for by itself,
and if it still looks wrong the replica becomes due for a deep look at once; only that look raises an alarm. A log
beside an AIP that lacks objects is made whole from the other stores, and so is the archive's journal. It takes one
request for each page of the listing (1,000 objects).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from metadata.catalogue import Catalogue
from metadata.catalogue.leases import Expected
from metadata.errors import NoSpace, TangThuError
from metadata.identifiers import FondsCode, StoreId, VersionId
from preservation.checks import Clock, Schedule
from preservation.journal_recovery import complete
from storage.keys import SET_KEY, log_key, parse_log_key
from storage.port import ObjectInfo, Store

_LOG = logging.getLogger(__name__)
_PAGE = 1000

OnStrangers = Callable[[Sequence[ObjectInfo]], object]
MendLog = Callable[[VersionId, StoreId], object]
"""Makes the log of a version whole in a store, or raises why it cannot now."""


@dataclass(slots=True)
class LightReport:
    """``objects`` were held against the listing, of ``bytes``; ``doubtful`` became due for a deep look: absent, of
    another size, or changed by the store's own word. ``logs`` lacked objects and were made whole; ``short`` could not
    be made so now (no more are tried when the store is ``full``), and are met again by the next look. ``place`` is
    where to go on, None at the end."""

    objects: int = 0
    bytes: int = 0
    doubtful: int = 0
    logs: int = 0
    short: int = 0
    full: bool = False
    place: str | None = None


@dataclass(slots=True)
class _Listed:
    """What the listing has of one AIP: the object, how many log objects, and the highest number among these."""

    info: ObjectInfo | None = None
    logs: int = 0
    highest: int = 0


def look_lightly(
    catalogue: Catalogue,
    store: Store,
    clock: Clock,
    fonds: FondsCode | None = None,
    after: str = "",
    on_listed: OnStrangers | None = None,
    keep_on: Callable[[], bool] = lambda: True,
    schedule: Schedule | None = None,
    mend_log: MendLog | None = None,
) -> LightReport:
    """Go through the store from key ``after`` on, for as long as ``keep_on`` says (asked once a page, and after each
    log that was or could not be made whole).

    ``on_listed`` gets every object listed, in pages: among them are those that the catalogue does not know. What is
    due later than a whole period of ``schedule`` from now (a shorter period was set, a clock was wrong) comes due then.
    The logs and the journal on a closed medium end when it was closed. Raises StoreUnavailable.
    """
    report = LightReport(place=after)
    listing = store.list("", after)
    ahead: list[ObjectInfo] = []
    closed = store.head(SET_KEY) is not None
    while True:
        page = catalogue.fixity.expected(store.id, report.place or "", fonds, _PAGE)
        last = page[-1].key if len(page) == _PAGE else None
        listed = {one.key: _Listed() for one in page}
        _list_to(listing, last, ahead, listed, on_listed)
        for one in page:
            report.objects += 1
            report.bytes += one.size
            tried = report.logs + report.short
            if not _whole(store, one, listed[one.key], closed, mend_log, report):
                catalogue.fixity.hasten(one.version, store.id, clock())
                report.doubtful += 1
            if schedule is not None and one.due > (latest := clock() + schedule.period_of(store.id, one.fonds)):
                catalogue.fixity.hasten(one.version, store.id, clock(), latest)
            if report.logs + report.short > tried and not report.full and not keep_on():
                report.place = one.key
                return report
        report.place = last
        if last is None or not keep_on():
            break
    if last is None and not closed and (known := catalogue.journal.last()) is not None:
        complete(catalogue, store, known.number)
    if report.short:
        _LOG.warning("%d logs in the store %s lack objects and cannot be made whole now", report.short, store.id)
    return report


def _list_to(
    listing: Iterator[ObjectInfo],
    last: str | None,
    ahead: list[ObjectInfo],
    listed: Mapping[str, _Listed],
    on_listed: OnStrangers | None,
) -> None:
    """Note what is listed of the AIPs in ``listed`` up to key ``last`` (None: to the end); what is beyond stays in
    ``ahead``. Memory is bounded by the page of what is expected."""
    while batch := ahead[:] or list(islice(listing, _PAGE)):
        ahead.clear()
        upto = [one for one in batch if last is None or one.key <= last]
        ahead += batch[len(upto) :]
        for one in upto:
            _note(one, listed)
        if on_listed is not None and upto:
            on_listed(upto)
        if ahead:
            break


def _note(info: ObjectInfo, listed: Mapping[str, _Listed]) -> None:
    if info.key in listed:
        listed[info.key].info = info
    elif (log := parse_log_key(info.key)) is not None and log[0] in listed:
        found = listed[log[0]]
        found.logs, found.highest = found.logs + 1, max(found.highest, log[1])


def _whole(
    store: Store, wanted: Expected, listed: _Listed, closed: bool, mend_log: MendLog | None, report: LightReport
) -> bool:
    """Whether nothing calls for a deep look: the object is what it should be as far as a light look tells. A log that
    lacks objects is made whole, or counted, since a deep look would find it no better."""
    if not _right(wanted, listed.info) and not _right(wanted, store.head(wanted.key)):
        return False
    if closed or _has_log(store, wanted, listed):
        return True
    if mend_log is None:
        return False
    try:
        if not report.full:
            mend_log(wanted.version, store.id)
            report.logs += 1
            return True
    except TangThuError as error:
        report.full = isinstance(error, NoSpace)
    report.short += 1
    return True


def _has_log(store: Store, wanted: Expected, listed: _Listed) -> bool:
    """Whether all objects of the log are there: by the listing, or else asked for one by one."""
    if listed.logs == listed.highest >= wanted.log:
        return True
    return all(store.head(log_key(wanted.key, number)) is not None for number in range(1, wanted.log + 1))


def _right(wanted: Expected, found: ObjectInfo | None) -> bool:
    if found is None or found.size != wanted.size:
        return False
    return not wanted.tag or not found.tag or found.tag == wanted.tag
