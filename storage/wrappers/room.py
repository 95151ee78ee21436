"""Telling somebody when a store says that it is full, and when it takes things again."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from metadata.errors import NoSpace
from metadata.identifiers import StoreId
from storage.port import Part, Store, Upload
from storage.wrappers.base import T, WrappedStore

Notice = Callable[[StoreId, bool], None]
"""Gets a store, and whether it has room."""


class RoomStore(WrappedStore):
    """Tells ``notice`` that the store is full, and each time that an object was completed in it."""

    def __init__(self, inner: Store, notice: Notice) -> None:
        super().__init__(inner)
        self._notice = notice

    def complete(self, upload: Upload, parts: Sequence[Part]) -> None:
        super().complete(upload, parts)
        self._notice(self.id, True)

    def _call(self, operation: str, key: str, work: Callable[[], T]) -> T:
        try:
            return super()._call(operation, key, work)
        except NoSpace:
            self._notice(self.id, False)
            raise
