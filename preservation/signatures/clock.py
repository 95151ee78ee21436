"""What pyHanko takes for the present, where it does not let its caller say.

In the validation of the past its proofs of existence and its first control time are always those of this machine's
clock, so that a question about another moment would be answered for a mixture of both.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, tzinfo
from typing import Any

from pyhanko_certvalidator.ltv import ades_past, poe

_MODULES: tuple[Any, ...] = (ades_past, poe)


@contextmanager
def present(moment: datetime) -> Iterator[None]:
    """In this block pyHanko's validation of the past begins at ``moment``. For one thread: the child has one."""

    class Fixed(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Fixed:
            return cls.fromtimestamp(moment.timestamp(), tz or UTC)

    for module in _MODULES:
        module.datetime = Fixed
    try:
        yield
    finally:
        for module in _MODULES:
            module.datetime = datetime
