"""Replica policies: how many replicas, where, which of them at another site, which of them locked (TT 05 Điều 27)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from metadata.errors import UsageError
from metadata.identifiers import FondsCode, StoreId
from metadata.stores import StoreState, StoreTraits
from metadata.text import Sentence

_Cost = tuple[int, int, int, int]
_Met = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class ReplicaPolicy:
    """For AIPs of ``fonds`` (None: any) and access level ``access`` ("": any).

    ``copies`` replicas (0: one in every store that may hold one), at no fewer than ``sites`` sites, no fewer than
    ``locked`` of them in stores that lock. Stores that name no site are at one site together.

    ``stores`` are those that may hold one; empty means all.
    """

    name: str
    copies: int = 0
    sites: int = 1
    locked: int = 0
    fonds: FondsCode | None = None
    access: str = ""
    stores: tuple[StoreId, ...] = ()

    def allows(self, store: StoreId) -> bool:
        """Whether the policy lets that store hold a replica."""
        return not self.stores or store in self.stores


EVERYWHERE = ReplicaPolicy("mọi nơi lưu")
"""The policy of all that no other is for: a replica in every active store."""


def policy_for(policies: Sequence[ReplicaPolicy], fonds: FondsCode, access: str) -> ReplicaPolicy:
    """The first policy that is for such AIPs. Raises LookupError when none is: the settings end with one for all."""
    for policy in policies:
        if policy.fonds in (None, fonds) and policy.access in ("", access):
            return policy
    raise LookupError(f"no policy is for {fonds}, {access!r}")


def place(
    policy: ReplicaPolicy,
    stores: Sequence[StoreTraits],
    states: Mapping[StoreId, StoreState],
    held: Iterable[StoreId] = (),
) -> tuple[StoreId, ...]:
    """The stores that are to hold the replicas, in the order of ``stores``; a store of no known state is active.

    Of all choices that satisfy the policy it is the one with the fewest stores outside ``held``, then the fewest
    stores, then the fewest that lie on a shelf or are cold, then the stores given first. What ``held`` has beyond it is
    not asked for, and not in the way. Raises UsageError when the active stores cannot satisfy the policy.
    """
    active = [
        store
        for store in stores
        if policy.allows(store.id) and states.get(store.id, StoreState.ACTIVE) is StoreState.ACTIVE
    ]
    _check(policy, active)
    if not policy.copies:
        return tuple(store.id for store in active)
    chosen = _cheapest(policy, active, frozenset(held))
    return tuple(store.id for place, store in enumerate(active) if chosen & _bit(active, place))


def _check(policy: ReplicaPolicy, active: Sequence[StoreTraits]) -> None:
    """More stores never satisfy less, so that a policy that all stores together do not satisfy cannot be satisfied."""
    needed = max(policy.copies, 1)
    sites, locked = len({store.site for store in active}), sum(store.locked for store in active)
    names = ", ".join(store.id.value for store in active) or "—"
    lacking: tuple[str, str] | None = None
    if len(active) < needed:
        lacking = (
            f"{needed} nơi lưu đang dùng, chỉ có {len(active)}",
            f"{needed} active stores, there are {len(active)}",
        )
    elif sites < policy.sites:
        lacking = f"{policy.sites} địa điểm khác nhau, chỉ có {sites}", f"{policy.sites} sites, there are {sites}"
    elif locked < policy.locked:
        lacking = (
            f"{policy.locked} nơi lưu có khóa chống xóa, chỉ có {locked}",
            f"{policy.locked} stores that lock, there are {locked}",
        )
    if lacking is not None:
        raise UsageError(
            Sentence(
                f"Chính sách bản sao “{policy.name}” cần {lacking[0]} ({names}). Hãy thêm nơi lưu hoặc sửa chính sách.",
                f"The replica policy “{policy.name}” needs {lacking[1]} ({names}). Add a store or change the policy.",
            )
        )


def _cheapest(policy: ReplicaPolicy, active: Sequence[StoreTraits], held: frozenset[StoreId]) -> int:
    """The bits of the stores chosen: dynamic programming, site by site, over what of the policy is met so far."""
    goal: _Met = policy.copies, policy.sites, policy.locked
    places = sorted(range(len(active)), key=lambda place: active[place].site)
    best: dict[_Met, _Cost] = {(0, 0, 0): (0, 0, 0, 0)}
    for _, group in groupby(places, key=lambda place: active[place].site):
        here: dict[tuple[_Met, bool], _Cost] = {(met, False): cost for met, cost in best.items()}
        for place in group:
            store = active[place]
            price = int(store.id not in held), 1, int(store.offline or store.cold), -_bit(active, place)
            for ((copies, sites, locked), entered), cost in list(here.items()):
                met = copies + 1, sites + (not entered), locked + store.locked
                capped = min(met[0], goal[0]), min(met[1], goal[1]), min(met[2], goal[2])
                total = cost[0] + price[0], cost[1] + price[1], cost[2] + price[2], cost[3] + price[3]
                known = here.get((capped, True))
                if known is None or total < known:
                    here[capped, True] = total
        best = {}
        for (met, _), cost in here.items():
            if met not in best or cost < best[met]:
                best[met] = cost
    return -best[goal][3]


def _bit(active: Sequence[StoreTraits], place: int) -> int:
    """The store given first has the highest bit, so that the larger of two sums is the set with the earlier stores."""
    return 1 << (len(active) - place)
