"""JSON in one form only, so that the same content is the same bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def canonical(document: Mapping[str, Any]) -> str:
    """Keys sorted, no spaces, characters as they are."""
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
