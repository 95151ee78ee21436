"""Whatever the archive writes into itself has a word in both languages."""

from __future__ import annotations

import pytest

from access.web.retelling import retell
from access.web.words import Language, all_words
from metadata.events import EventType
from preservation.recovering import ABOUT, CUT_OFF, ENDED


@pytest.mark.parametrize("kind", EventType)
def test_every_kind_of_event_has_its_word(kind: EventType) -> None:
    found = all_words()[f"event.{kind.value}"]
    assert found.vi
    assert found.en


@pytest.mark.parametrize(
    "told",
    [
        ABOUT,
        ENDED,
        CUT_OFF,
        "The AIP was copied to the store, read whole and compared on the way",
        "The AIP lay in the store already and was taken over",
    ],
)
def test_repairs_and_new_replicas_are_told_in_vietnamese(told: str) -> None:
    assert retell(Language.VI, told) != told


def test_taking_over_an_aip_is_told_in_vietnamese() -> None:
    assert retell(Language.VI, "AIP_hoso of another system was taken over") == (
        "Đã tiếp nhận gói AIP_hoso của hệ thống khác."
    )
    told = retell(Language.VI, "urn:P1:uuid-1: 3 of its events carried over, 1 not")
    assert told == "urn:P1:uuid-1: giữ lại 3 sự kiện, 1 sự kiện chỉ còn trong tệp PREMIS"
