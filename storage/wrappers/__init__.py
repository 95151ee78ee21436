"""Stores around stores: trying again, limiting, and failing on purpose. Each is a Store and wraps any Store."""

from storage.wrappers.breaker import BreakerStore
from storage.wrappers.fault import Call, Fault, FaultStore, chance, script
from storage.wrappers.limit import LimitStore
from storage.wrappers.retry import RetryPolicy, RetryStore
from storage.wrappers.room import RoomStore
from storage.wrappers.whole import WholeObjectStore

__all__ = [
    "BreakerStore", "Call", "Fault", "FaultStore", "LimitStore", "RetryPolicy", "RetryStore", "RoomStore",
    "WholeObjectStore", "chance", "script",
]  # fmt: skip
