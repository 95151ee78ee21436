"""Whom a workflow tells how far it is."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, str, int, int], None]
"""Told the job, the step, and how many bytes of how many are done."""
