"""The real browser, for the flows that need one."""

from __future__ import annotations

import os

from tests.services.chromium import chromium

__all__ = ["chromium"]

collect_ignore = [] if os.environ.get("TANGTHU_THREE_NODES") else ["test_three_nodes.py"]
