from __future__ import annotations

from datetime import date, timedelta

from metadata.audits import CoverageDay
from metadata.identifiers import FondsCode, StoreId
from preservation.checks import Schedule
from preservation.coverage import picture

TODAY = date(2026, 11, 26)
GB = 10**9


def _day(ago: int | None, gigabytes: int) -> CoverageDay:
    day = None if ago is None else TODAY - timedelta(days=ago)
    return CoverageDay(StoreId("a"), FondsCode("P"), day, gigabytes, gigabytes * GB)


def test_an_empty_archive_keeps_its_policy() -> None:
    one = picture([], TODAY, Schedule())
    assert one.kept
    assert [told.en for told in one.told] == ["No replica is held yet."]


def test_all_read_evenly_keeps_the_policy() -> None:
    one = picture([_day(ago, 1) for ago in range(90)], TODAY, Schedule())
    assert one.kept
    assert (one.pace_7, one.pace_30, one.oldest) == (GB, GB, TODAY - timedelta(days=89))
    assert len(one.told) == 1


def test_what_is_late_is_forecast_and_what_must_change_is_said() -> None:
    one = picture([_day(200, 60), _day(None, 30), _day(1, 70)], TODAY, Schedule())
    assert not one.kept
    assert (one.replicas, one.within, one.never) == (160, 70, 30)
    assert one.pace_7 == 10 * GB
    assert one.all_read == TODAY + timedelta(days=9)
    told = " ".join(sentence.en for sentence in one.told)
    assert "90 replicas (90 GB)" in told
    assert "1.8 GB a day" in told
    assert "enough for a period of 90 days: nothing need change" in told
    assert "05/12/2026" in told


def test_a_pace_that_is_too_slow_is_told_with_the_period_that_it_can_keep() -> None:
    told = picture([_day(200, 300), _day(1, 7)], TODAY, Schedule()).told
    assert "shortest period that can be kept is 307 days" in told[-1].en
    assert "307 ngày" in told[-1].vi


def test_when_nothing_is_read_the_standing_audits_are_pointed_to() -> None:
    assert "paused, out of hours or out of money" in picture([_day(200, 300)], TODAY, Schedule()).told[-1].en


def test_nothing_read_has_no_day_when_all_will_have_been() -> None:
    one = picture([_day(100, 5)], TODAY, Schedule())
    assert (one.all_read, one.kept) == (None, False)


def test_much_falling_due_at_once_is_seen_before_it_is_late() -> None:
    assert not picture([_day(89, 1000)], TODAY, Schedule()).kept
    assert picture([_day(40, 1000)], TODAY, Schedule()).kept


def test_a_small_archive_is_told_its_sizes_in_small_units_in_the_way_of_each_language() -> None:
    days = [CoverageDay(StoreId("a"), FondsCode("P"), TODAY - timedelta(days=100), 3, 13_500_000)]
    told = picture(days, TODAY, Schedule()).told
    assert told[0].vi == "3 bản sao (13,5 MB) quá 90 ngày chưa được đọc lại."
    assert told[0].en == "3 replicas (13.5 MB) were not read for more than 90 days."
    assert told[1].vi == ("Cần 150 kB mỗi ngày (2 B/s cả ngày đêm, hay 6 B/s trong 8 giờ); hiện đọc 0 B mỗi ngày.")
    assert told[1].en == (
        "It takes 150 kB a day (2 B/s day and night, or 6 B/s for 8 hours); 0 B a day are being read."
    )


def test_large_holdings_are_told_in_large_units() -> None:
    told = picture([_day(100, 10_000), _day(1, 999)], TODAY, Schedule()).told
    assert told[0].vi == "10.000 bản sao (10 TB) quá 90 ngày chưa được đọc lại."
    assert "(7,2 PB)" in picture([_day(100, 7_161_400)], TODAY, Schedule()).told[0].vi


def test_stores_and_fonds_are_judged_by_their_own_periods() -> None:
    store, fonds = StoreId("a"), FondsCode("P")
    late = [_day(100, 5)]
    assert not picture(late, TODAY, Schedule()).kept
    assert picture(late, TODAY, Schedule(stores={store: timedelta(days=365)})).kept
    strict = Schedule(stores={store: timedelta(days=365)}, fonds={fonds: timedelta(days=30)})
    assert picture(late, TODAY, strict).within == 0
    assert picture(late, TODAY, Schedule(fonds={FondsCode("Q"): timedelta(days=365)})).within == 0
