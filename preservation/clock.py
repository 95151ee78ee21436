"""Whether the machine's clock can be right: what was written down already says when it is at the earliest."""

from __future__ import annotations

from datetime import datetime, timedelta

from metadata.catalogue import Catalogue
from metadata.dates import local_text
from metadata.errors import TemporaryError
from metadata.incidents import IncidentKind
from metadata.text import Sentence

BEHIND = timedelta(days=1)
AHEAD = timedelta(days=365)


def newest_moment(catalogue: Catalogue) -> datetime | None:
    """The newest moment that anything held bears: the journal's last entry, the last look, the last AIP."""
    last = catalogue.journal.last()
    newest = catalogue.holdings.versions(1)
    moments = [
        last.entry.at if last else None,
        catalogue.incidents.last_look(),
        newest[0].created if newest else None,
    ]
    return max((moment for moment in moments if moment is not None), default=None)


def clock_trouble(catalogue: Catalogue, now: datetime) -> Sentence | None:
    """Why ``now`` cannot be right; None when it can.

    It is more than a day before what was written down last, or more than a year after. A person who closes the CLOCK
    incident vouches for the clock as it was then: an archive that was off for two years goes on so.
    """
    newest = newest_moment(catalogue)
    if newest is None:
        return None
    vouched = catalogue.incidents.last_closed(IncidentKind.CLOCK)
    if any(at is not None and at - BEHIND <= now <= at + AHEAD for at in (newest, vouched)):
        return None
    return Sentence(
        f"Đồng hồ của máy chỉ {local_text(now)}, nhưng lần ghi gần nhất của kho là {local_text(newest)}. "
        "Hãy chỉnh đồng hồ; nếu đồng hồ đúng, hãy đóng sự cố này và ghi rõ lý do.",
        f"The machine's clock says {local_text(now)}, the archive last wrote at {local_text(newest)}. "
        "Set the clock; when it is right, close this incident and say why.",
    )


def check_clock(catalogue: Catalogue, now: datetime) -> None:
    """Raises TemporaryError where ``now`` cannot be right: nothing may be dated by it, nor come due."""
    trouble = clock_trouble(catalogue, now)
    if trouble is not None:
        raise TemporaryError(trouble)
