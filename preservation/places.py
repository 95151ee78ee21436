"""Which stores an AIP is to lie in: the policies, held against the stores as they stand now."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from metadata.catalogue import Catalogue
from metadata.errors import UsageError
from metadata.identifiers import FondsCode, StoreId
from metadata.journal import Entry, EntryKind
from metadata.stores import StoreState, StoreTraits
from metadata.text import Sentence
from storage.policy import EVERYWHERE, ReplicaPolicy, place, policy_for

MOVE, DRAIN, RETIRE, REINSTATE = "move", "drain", "retire", "reinstate"
STATES_TOLD = {
    DRAIN: StoreState.DRAINING,
    MOVE: StoreState.DRAINING,
    RETIRE: StoreState.RETIRED,
    REINSTATE: StoreState.ACTIVE,
}
"""The state that an act in the archive's journal brings a store into."""
_PAGE = 100


@dataclass(frozen=True, slots=True)
class Standing:
    """How the stores stand: the state of each, and where those that move are moving to."""

    states: Mapping[StoreId, StoreState]
    destinations: Mapping[StoreId, StoreId]

    def state(self, store: StoreId) -> StoreState:
        """The store's state; one that nobody has spoken of is active."""
        return self.states.get(store, StoreState.ACTIVE)

    def with_state(self, store: StoreId, state: StoreState, to: StoreId | None = None) -> Standing:
        """As it would be with that store in that state."""
        moving = {one: other for one, other in self.destinations.items() if one != store}
        return Standing({**self.states, store: state}, moving if to is None else {**moving, store: to})


def last_word(catalogue: Catalogue, store: StoreId) -> Entry | None:
    """The last entry in the journal that said which state the store is in."""
    before: int | None = None
    while page := catalogue.journal.entries(EntryKind.STORE, store.value, _PAGE, before):
        for numbered in page:
            if numbered.entry.act in STATES_TOLD:
                return numbered.entry
        before = page[-1].number
    return None


class Places:
    """The policies, the stores that they are about, and how many replicas there must be at the least."""

    def __init__(
        self,
        catalogue: Catalogue,
        traits: Sequence[StoreTraits],
        policies: Sequence[ReplicaPolicy] = (),
        required: int = 2,
    ) -> None:
        self._catalogue = catalogue
        self._policies = (*policies, EVERYWHERE)
        self._required = required
        self.traits = {one.id: one for one in traits}

    def standing(self) -> Standing:
        """How the stores stand now."""
        states = {id: record.state for id, record in self._catalogue.stores.records().items()}
        moving = {}
        for store in (id for id, state in states.items() if state is StoreState.DRAINING):
            last = last_word(self._catalogue, store)
            if last is not None and last.act == MOVE:
                moving[store] = StoreId(str(last.document["to"]))
        return Standing(states, moving)

    def check(self, standing: Standing) -> None:
        """Raises UsageError when one of the policies could not be satisfied for what comes in."""
        for policy in self._policies:
            if len(place(policy, list(self.traits.values()), standing.states)) < self._required:
                raise self._few(policy, len(place(policy, list(self.traits.values()), standing.states)))

    def policy(self, fonds: FondsCode, access: str) -> ReplicaPolicy:
        """The policy for such AIPs."""
        return policy_for(self._policies, fonds, access)

    def wanted(
        self, standing: Standing, fonds: FondsCode, access: str, held: Collection[StoreId] = ()
    ) -> tuple[StoreId, ...]:
        """The stores in which replicas are to lie, those that ``held`` has first of all.

        What lies in a store that moves is to lie where it moves to. Raises UsageError when it cannot be had.
        """
        policy = self.policy(fonds, access)
        moved = [standing.destinations[one] for one in held if one in standing.destinations]
        chosen = place(policy, list(self.traits.values()), standing.states, {*held, *moved})
        if len(chosen) < self._required:
            raise self._few(policy, len(chosen))
        return tuple(dict.fromkeys((*chosen, *(one for one in moved if standing.state(one) is StoreState.ACTIVE))))

    def for_ingest(self, fonds: FondsCode, access: str) -> tuple[StoreId, ...]:
        """Those of them that can be written to and read back now; a medium on a shelf, or a cold store, gets its
        replica later.

        Raises UsageError when the policy cannot be satisfied, or leaves fewer of them than are required.
        """
        policy = self.policy(fonds, access)
        chosen = self.wanted(self.standing(), fonds, access)
        online = tuple(one for one in chosen if not (self.traits[one].offline or self.traits[one].cold))
        if len(online) < self._required:
            raise self._few(policy, len(online))
        return online

    def in_use(self) -> tuple[StoreId, ...]:
        """The stores that can be asked here and now and are not retired."""
        standing = self.standing()
        return tuple(
            id
            for id, traits in self.traits.items()
            if not traits.offline and standing.state(id) is not StoreState.RETIRED
        )

    def missing(self, standing: Standing, fonds: FondsCode, access: str, held: Collection[StoreId]) -> list[StoreId]:
        """The stores that ought to have a replica and are not among ``held``. Raises UsageError."""
        return [one for one in self.wanted(standing, fonds, access, held) if one not in held]

    def _few(self, policy: ReplicaPolicy, count: int) -> UsageError:
        return UsageError(
            Sentence(
                f"Chính sách bản sao “{policy.name}” chỉ cho {count} nơi lưu ghi được, mà phải có ít nhất "
                f"{self._required} (storage.required_replicas). Hãy thêm nơi lưu hoặc sửa chính sách.",
                f"The replica policy “{policy.name}” gives {count} stores that can be written to, and at least "
                f"{self._required} are required (storage.required_replicas). Add a store or change the policy.",
            )
        )
