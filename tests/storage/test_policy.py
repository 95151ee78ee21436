"""Placement of replicas: what the policy asks, out of active stores, with the fewest moves; judged by brute force."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata.errors import UsageError
from metadata.identifiers import FondsCode, StoreId
from metadata.stores import StoreState, StoreTraits
from storage.policy import EVERYWHERE, ReplicaPolicy, place, policy_for

NAMES = [StoreId(f"kho-{letter}") for letter in "abcdefg"]
A, B, C, D, *_ = NAMES

traits = st.builds(
    StoreTraits,
    id=st.sampled_from(NAMES),
    site=st.sampled_from(["", "Hà Nội", "Huế", "Cần Thơ"]),
    locked=st.booleans(),
    offline=st.booleans(),
    cold=st.booleans(),
)
stores_given = st.lists(traits, max_size=7, unique_by=lambda one: one.id)
states_given = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(StoreState))
policies = st.builds(
    ReplicaPolicy,
    name=st.just("thử"),
    copies=st.integers(0, 5),
    sites=st.integers(0, 4),
    locked=st.integers(0, 3),
    stores=st.lists(st.sampled_from(NAMES), max_size=5, unique=True).map(tuple),
)
held_given = st.sets(st.sampled_from(NAMES))


def _satisfies(policy: ReplicaPolicy, chosen: tuple[StoreTraits, ...]) -> bool:
    return (
        len(chosen) >= max(policy.copies, 1)
        and len({store.site for store in chosen}) >= policy.sites
        and sum(store.locked for store in chosen) >= policy.locked
    )


def _usable(
    policy: ReplicaPolicy, stores: list[StoreTraits], states: dict[StoreId, StoreState]
) -> tuple[StoreTraits, ...]:
    return tuple(
        store
        for store in stores
        if states.get(store.id, StoreState.ACTIVE) is StoreState.ACTIVE
        and (not policy.stores or store.id in policy.stores)
    )


@given(policies, stores_given, states_given, held_given)
def test_the_choice_is_the_best_of_all_that_satisfy(
    policy: ReplicaPolicy, stores: list[StoreTraits], states: dict[StoreId, StoreState], held: set[StoreId]
) -> None:
    usable = _usable(policy, stores, states)
    choices = [some for n in range(len(usable) + 1) for some in combinations(usable, n) if _satisfies(policy, some)]
    if not choices:
        with pytest.raises(UsageError) as caught:
            place(policy, stores, states, held)
        assert "thử" in caught.value.sentence.vi and "thử" in caught.value.sentence.en
        return
    best = min(
        choices,
        key=lambda some: (
            sum(store.id not in held for store in some),
            len(some),
            sum(store.offline or store.cold for store in some),
            [usable.index(store) for store in some],
        ),
    )
    wanted = tuple(store.id for store in (usable if policy.copies == 0 else best))
    assert place(policy, stores, states, held) == wanted


@given(policies, stores_given, states_given, held_given)
def test_what_was_placed_stays(
    policy: ReplicaPolicy, stores: list[StoreTraits], states: dict[StoreId, StoreState], held: set[StoreId]
) -> None:
    try:
        chosen = place(policy, stores, states, held)
    except UsageError:
        return
    assert set(place(policy, stores, states, {*held, *chosen})) <= {*held, *chosen}
    assert set(place(policy, stores, states, chosen)) == set(chosen)


def test_many_stores_are_no_matter() -> None:
    stores = [StoreTraits(StoreId(f"kho-{n}"), site=f"nơi {n % 7}", locked=n % 3 == 0) for n in range(200)]
    chosen = place(ReplicaPolicy("nhiều", 9, 7, 5), stores, {})
    assert len(chosen) == 9
    assert place(ReplicaPolicy("nhiều", 9, 7, 5), stores, {}, chosen) == chosen


@pytest.mark.parametrize(
    ("policy", "vi", "en"),
    [
        (ReplicaPolicy("mật", copies=4), "4 nơi lưu đang dùng, chỉ có 3", "4 active stores, there are 3"),
        (ReplicaPolicy("mật", copies=2, sites=3), "3 địa điểm khác nhau, chỉ có 2", "3 sites, there are 2"),
        (ReplicaPolicy("mật", copies=2, locked=2), "2 nơi lưu có khóa chống xóa, chỉ có 1", "2 stores that lock"),
        (ReplicaPolicy("mật", stores=(StoreId("kho-x"),)), "1 nơi lưu đang dùng, chỉ có 0", "1 active stores"),
    ],
)
def test_what_is_missing_is_said(policy: ReplicaPolicy, vi: str, en: str) -> None:
    stores = [StoreTraits(A, "Huế"), StoreTraits(B, "Huế", locked=True), StoreTraits(C, "Hà Nội"), StoreTraits(D, "Đà")]
    with pytest.raises(UsageError) as caught:
        place(policy, stores, {D: StoreState.DRAINING})
    assert vi in caught.value.sentence.vi
    assert en in caught.value.sentence.en


def test_a_drained_store_is_replaced_and_nothing_else_moves() -> None:
    stores = [StoreTraits(A, "Huế"), StoreTraits(B, "Hà Nội"), StoreTraits(C, "Hà Nội"), StoreTraits(D, "Huế")]
    policy = ReplicaPolicy("thường", copies=2, sites=2)
    assert place(policy, stores, {}) == (A, B)
    assert place(policy, stores, {B: StoreState.DRAINING}, (A, B)) == (A, C)
    assert place(policy, stores, {A: StoreState.RETIRED}, (A, B)) == (B, D)


def test_the_first_policy_that_is_for_it_counts() -> None:
    secret = ReplicaPolicy("mật", copies=3, access="03")
    party = ReplicaPolicy("Đảng", copies=2, fonds=FondsCode("PHONG-1"))
    chosen = [secret, party, EVERYWHERE]
    assert policy_for(chosen, FondsCode("PHONG-1"), "03") is secret
    assert policy_for(chosen, FondsCode("PHONG-1"), "01") is party
    assert policy_for(chosen, FondsCode("PHONG-2"), "") is EVERYWHERE
    with pytest.raises(LookupError):
        policy_for(chosen[:2], FondsCode("PHONG-2"), "01")
