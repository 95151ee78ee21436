"""For all tests."""

from __future__ import annotations

import pytest


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Bytes make no names of tests: what holds a time or chance would have another name in each worker."""
    return argname if isinstance(val, bytes) else None
