"""What the judges of TT 05 packages have in common: findings weighed by the profile, counts, reading one file."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import BinaryIO, TypeVar

from metadata.findings import Findings, judging
from metadata.package_tree import PackageTree
from metadata.refusal import DocumentRefused
from metadata.tt05.profile import Profile

T = TypeVar("T")
KEPT = 500_000
"""Identifiers of one file that are remembered (as hashes) to find those that stand twice; beyond it they are not."""

_OURS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EMFILE, errno.ENFILE, errno.ENOMEM})


class Notes:
    """Findings of the rules in the profile's ``[rules]``; codes are given without ``TT05-``."""

    def __init__(self, findings: Findings, profile: Profile) -> None:
        self.findings = findings
        self.profile = profile
        self._tallies: dict[tuple[str, str, tuple[tuple[str, object], ...]], list[object]] = {}

    def add(self, code: str, place: str, **details: object) -> None:
        """A finding, unless the profile has the rule off."""
        severity = self.profile.rules[f"TT05-{code}"]
        if severity is not None:
            self.findings.weigh(severity, f"TT05-{code}", place, **details)

    def tally(self, code: str, place: str, example: object = "", **details: object) -> None:
        """Count what may stand for each of a million files: one finding, with the first as example, on :meth:`tell`."""
        key = (code, place, tuple(details.items()))
        found = self._tallies.get(key)
        if found is None:
            self._tallies[key] = [1, example]
        else:
            found[0] += 1  # type: ignore[operator]

    def tell(self) -> None:
        """Make the findings of what was counted."""
        for (code, place, details), (count, example) in self._tallies.items():
            self.add(code, place, count=count, example=example, **dict(details))
        self._tallies.clear()

    def wrong_root(self, code: str, place: str, root: str) -> None:
        """The document is another one altogether."""
        self._once(DocumentRefused(code, place, root=root))

    def read(self, tree: PackageTree, path: str, read: Callable[[BinaryIO], T]) -> T | None:
        """What ``read`` makes of a file; None when it cannot be read or judged: a finding says why, and we go on.

        Raises OSError only for what is this machine's fault: its disk, its open files, its memory.
        """
        try:
            with tree.open(path) as stream, judging(self.findings, path):
                return read(stream)
        except DocumentRefused as refused:
            self._once(refused)
        except OSError as error:
            if error.errno in _OURS:
                raise
            self.add("UNREADABLE", path, reason=error.strerror or type(error).__name__)
        return None

    def _once(self, refused: DocumentRefused) -> None:
        """Whoever else has read the same file has said the same already."""
        if self.findings.counts.get(refused.code) and any(
            one.code == refused.code and one.place == refused.place for one in self.findings.kept()
        ):
            return
        refused.note(self.findings)
