"""The replicas of an AIP: the stores that must hold it, what was left lying in them, and reading all of them back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import datetime
from types import MappingProxyType

from metadata.identifiers import StoreId
from metadata.outcomes import Fixity
from storage.aip.blocks import Lockstep
from storage.aip.verify import Expected, Verdict, verify_blocks, verify_object
from storage.port import Store


def sweep(stores: Iterable[Store], key_prefix: str, before: datetime | None = None) -> int:
    """As :meth:`ReplicaSet.sweep`, in ``stores``."""
    count = 0
    for store in stores:
        for upload in list(store.uploads(key_prefix)):
            if before is None or upload.started < before:
                store.abort(upload)
                count += 1
    return count


class ReplicaSet:
    """The stores that hold replicas. An AIP is stored when all of them were read back and matched."""

    def __init__(self, stores: Sequence[Store], required: int) -> None:
        """Raise ValueError when a store is named twice or fewer stores are given than are required."""
        if len({store.id for store in stores}) != len(stores) or not 1 <= required <= len(stores):
            raise ValueError(f"{required} replicas are required of {len(stores)} different stores")
        self.stores = tuple(stores)
        self._required = required

    def __iter__(self) -> Iterator[Store]:
        return iter(self.stores)

    def store(self, store_id: StoreId) -> Store:
        """The store of that name. Raises KeyError."""
        return {store.id: store for store in self.stores}[store_id]

    def of(self, names: Iterable[StoreId]) -> ReplicaSet:
        """The set of those of its stores, in the order of ``names``, of which as many are required.

        Raises KeyError for a store that is not in it, ValueError when they are fewer than are required.
        """
        return ReplicaSet([self.store(name) for name in names], self._required)

    def sweep(self, key_prefix: str, before: datetime | None = None) -> int:
        """Abort the uploads under ``key_prefix`` (begun before ``before``) that a dead worker left; say how many.

        The caller holds the claim on what lies there. Raises StoreUnavailable.
        """
        return sweep(self.stores, key_prefix, before)

    def read_back(
        self,
        key: str,
        expected: Callable[[], Expected] | None,
        on_progress: Callable[[int], None] | None = None,
    ) -> Mapping[StoreId, Verdict]:
        """Verify the object in every store. ``expected`` gives the members anew at each call; None: by itself.

        Every replica is read to its last byte. The first is digested and the others are compared with it byte by byte;
        when it does not match, or another differs from it, those are verified each by itself. Never raises for what it
        finds (see :func:`~storage.aip.verify.verify_object`). ``on_progress`` gets the bytes of each block digested.
        """
        first = self.stores[0]
        lockstep = Lockstep(self.stores, key)
        with closing(iter(lockstep)) as blocks:
            verdict = verify_blocks(blocks, first, key, expected() if expected else None, on_progress)
        verdicts = {first.id: verdict}
        for index, store in enumerate(self.stores[1:], start=1):
            if verdict.outcome is Fixity.MATCH and index in lockstep.equal:
                verdicts[store.id] = verdict
            else:
                verdicts[store.id] = verify_object(store, key, expected() if expected else None, on_progress)
        return MappingProxyType(verdicts)
