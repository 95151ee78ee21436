"""How much of the holdings was read whole when, when all of it will have been, and what must change if that is late.

Pure: from the counters of ``metadata.catalogue.coverage``. The pace counts every whole read, of audits, of ingest
and of repair.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from metadata.audits import CoverageDay
from metadata.text import Sentence
from preservation.checks import Schedule

_DAY_SECONDS = 86_400
_MONTH = 30


@dataclass(frozen=True, slots=True)
class Picture:
    """Of one store, one fonds, or all. Sizes in bytes; ``pace_7`` and ``pace_30`` are bytes a day.

    ``within`` counts what was read whole within the policy's ``period`` (days). ``oldest`` is the day on which what was
    read longest ago was last read, ``never`` how many replicas never were. ``all_read`` is when, at the better of
    the two paces, everything that is late will have been read; None: never, nothing is being read.
    """

    replicas: int
    bytes: int
    within: int
    within_bytes: int
    never: int
    oldest: date | None
    pace_7: int
    pace_30: int
    all_read: date | None
    kept: bool
    period: int
    told: tuple[Sentence, ...]

    @property
    def fast_enough(self) -> bool:
        """Whether at the better of the two paces everything is read within the period."""
        return max(self.pace_7, self.pace_30) * self.period >= self.bytes


def picture(days: Iterable[CoverageDay], today: date, schedule: Schedule) -> Picture:
    """Draw it. ``schedule`` says within which time each fonds in each store is to be read; the longest of these is the
    picture's ``period``."""
    found = list(days)
    whole = {(one.store, one.fonds): _days(schedule, one) for one in found}
    period = max(whole.values(), default=max(1, schedule.period.days))
    fresh = [
        one for one in found
        if one.day is not None and one.day >= today - timedelta(days=whole[one.store, one.fonds])
    ]  # fmt: skip
    replicas, size = _sum(found)
    within, within_bytes = _sum(fresh)
    paces = _pace(found, today, 7), _pace(found, today, _MONTH)
    late = size - within_bytes
    best = max(paces)
    all_read = today if replicas == within else None
    if replicas != within and best:
        all_read = today + timedelta(days=min(math.ceil(late / best), 365_000))
    seen = [one.day for one in found if one.day is not None]
    kept = replicas == within and (not size or best * period >= size or _lies_spread(fresh, today, period))
    told = _told(size, late, replicas - within, best, period, all_read, kept=kept)
    never = sum(one.replicas for one in found if one.day is None)
    oldest = min(seen, default=None)
    return Picture(
        replicas, size, within, within_bytes, never, oldest, *paces, all_read, kept, period, told
    )  # fmt: skip


def _days(schedule: Schedule, one: CoverageDay) -> int:
    return max(1, schedule.period_of(one.store, one.fonds).days)


def _sum(days: Iterable[CoverageDay]) -> tuple[int, int]:
    replicas = size = 0
    for one in days:
        replicas, size = replicas + one.replicas, size + one.bytes
    return replicas, size


def _pace(days: Iterable[CoverageDay], today: date, span: int) -> int:
    first = today - timedelta(days=span)
    return sum(one.bytes for one in days if one.day is not None and one.day > first) // span


def _lies_spread(fresh: Sequence[CoverageDay], today: date, period: int) -> bool:
    """Whether nothing falls due within the next week: a quiet archive need not read."""
    edge = today - timedelta(days=max(0, period - 7))
    return all(one.day is None or one.day >= edge for one in fresh)


def _told(
    size: int, late: int, replicas: int, pace: int, period: int, all_read: date | None, *, kept: bool
) -> tuple[Sentence, ...]:
    if not replicas and not size:
        return (Sentence("Kho chưa giữ bản sao nào.", "No replica is held yet."),)
    if kept:
        return (
            Sentence(
                f"Mọi bản sao đã được đọc lại trong {period} ngày qua, đúng chính sách.",
                f"Every replica was read again within the last {period} days, as the policy asks.",
            ),
        )
    told = []
    if late or replicas:
        told.append(
            Sentence(
                f"{_count(replicas).vi} bản sao ({_size(late).vi}) quá {period} ngày chưa được đọc lại.",
                f"{_count(replicas).en} replicas ({_size(late).en}) were not read for more than {period} days.",
            )
        )
    if all_read is not None and (late or replicas):
        told.append(
            Sentence(
                f"Với tốc độ hiện nay, đến {all_read:%d/%m/%Y} mới đọc hết phần đã quá hạn.",
                f"At the present pace what is late will have been read by {all_read:%d/%m/%Y}.",
            )
        )
    needed = size / period
    day, now, always, office = (_size(one) for one in (needed, pace, needed / _DAY_SECONDS, 3 * needed / _DAY_SECONDS))
    told.append(
        Sentence(
            f"Cần {day.vi} mỗi ngày ({always.vi}/s cả ngày đêm, hay {office.vi}/s trong 8 giờ); "
            f"hiện đọc {now.vi} mỗi ngày.",
            f"It takes {day.en} a day ({always.en}/s day and night, or {office.en}/s for 8 hours); "
            f"{now.en} a day are being read.",
        )
    )
    told.append(_to_do(size, pace, period))
    return tuple(told)


def _to_do(size: int, pace: int, period: int) -> Sentence:
    days = math.ceil(size / pace) if pace else 0
    if not pace:
        return Sentence(
            "Hiện không đọc gì: hãy xem kiểm tra thường trực có đang tạm dừng, ngoài giờ hay hết kinh phí không.",
            "Nothing is being read: see whether the standing audits are paused, out of hours or out of money.",
        )
    if days <= period:
        return Sentence(
            f"Tốc độ hiện nay đủ cho kỳ {period} ngày: không phải đổi gì, chỉ cần để việc đọc tiếp tục.",
            f"The present pace is enough for a period of {period} days: nothing need change, let the reading go on.",
        )
    return Sentence(
        f"Hãy nới giới hạn tốc độ hay giờ đọc; nếu không được, kỳ ngắn nhất giữ được là {days} ngày "
        f"(thiết lập audit.period_days = {days}).",
        f"Allow a higher rate or more hours; if that cannot be, the shortest period that can be kept is {days} days "
        f"(setting audit.period_days = {days}).",
    )


def _count(number: int) -> Sentence:
    text = f"{number:,}"
    return Sentence(text.replace(",", "."), text)


def _size(count: float) -> Sentence:
    """Bytes in the largest unit of which there is one; never rounded down to nothing."""
    names = ("B", "kB", "MB", "GB", "TB", "PB")
    value, unit = float(math.ceil(count)), 0
    while unit + 1 < len(names) and value >= (999.5 if unit == 0 else 999.95):
        value, unit = value / 1000, unit + 1
    text = f"{value:.1f}".removesuffix(".0") if unit else f"{value:.0f}"
    return Sentence(f"{text.replace('.', ',')} {names[unit]}", f"{text} {names[unit]}")
