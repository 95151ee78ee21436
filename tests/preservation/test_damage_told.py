"""What people are told of a damaged replica: first what they know it by."""

from __future__ import annotations

from metadata.identifiers import StoreId
from metadata.outcomes import Fixity
from preservation.checks import Check
from preservation.damage import told_of
from storage.aip.damage import Damage, DamageKind
from tests.builders.holdings import a_version

HELD = a_version()


def _check(outcome: Fixity, *places: str, count: int = 0) -> Check:
    damages = tuple(Damage(place, DamageKind.DATA, "a", "b") for place in places)
    return Check(StoreId("kho-b"), outcome, damages, 0, 2, "", damage_count=count or len(places))


def test_the_dossier_the_file_and_the_store_are_told_and_no_key() -> None:
    told = told_of(_check(Fixity.MISMATCH, "data/x/representations/rep1/data/bản vẽ số 1.txt"), HELD.key, HELD)
    assert told.vi == (f"Hồ sơ «{HELD.title}» ({HELD.code}): hỏng bản vẽ số 1.txt trong bản sao ở nơi lưu kho-b.")
    assert told.en == (f"Dossier “{HELD.title}” ({HELD.code}): bản vẽ số 1.txt damaged in the replica in store kho-b.")


def test_a_replica_that_is_gone_is_told_as_gone() -> None:
    told = told_of(_check(Fixity.MISSING), HELD.key, HELD)
    assert told.vi.startswith(f"Hồ sơ «{HELD.title}» ({HELD.code}): không còn bản sao ở nơi lưu kho-b.")
    assert "kho kho" not in told.vi


def test_of_much_damage_the_first_files_are_named_and_the_rest_counted() -> None:
    told = told_of(_check(Fixity.MISMATCH, "a/1", "a/2", "a/3", "a/4", count=9), HELD.key, HELD)
    assert "hỏng 1, 2, 3 (+6) trong" in told.vi


def test_what_the_catalogue_does_not_know_is_told_by_its_key() -> None:
    assert told_of(_check(Fixity.MISMATCH, "a/1"), "x.zip").vi.endswith("Khóa của bản sao: x.zip.")
