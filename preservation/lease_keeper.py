"""Holding on to a version while its replicas are read or copied."""

from __future__ import annotations

from datetime import timedelta

from metadata.catalogue import Catalogue, Lease
from metadata.errors import TemporaryError
from preservation.checks import Clock, Progress


class LeaseKeeper:
    """Holds a lease while long objects are read: renews it when half is gone. Called with bytes as they are read."""

    def __init__(
        self, catalogue: Catalogue, lease: Lease, clock: Clock, length: timedelta, on_progress: Progress | None = None
    ) -> None:
        self._catalogue = catalogue
        self._lease = lease
        self._clock = clock
        self._length = length
        self._on_progress = on_progress
        self._renew_at = clock() + length / 2
        self._lost: TemporaryError | None = None

    def __call__(self, count: int) -> None:
        """Count bytes. Never raises: it is called from within reads."""
        if self._clock() >= self._renew_at and self._lost is None:
            try:
                self._renew()
            except TemporaryError as error:
                self._lost = error
        if self._on_progress:
            self._on_progress(count)

    def confirm(self) -> None:
        """Asks: raises Busy when another worker has taken the version over, TemporaryError when nobody could say."""
        if self._lost is not None:
            raise self._lost
        self._renew()

    def hold(self, lease: Lease) -> None:
        """Hold on to what is left of the lease."""
        self._lease = lease

    def _renew(self) -> None:
        now = self._clock()
        self._renew_at = now + self._length / 2
        self._catalogue.fixity.renew(self._lease, now, self._length)
