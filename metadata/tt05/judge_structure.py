"""Judging the structMap of a TT 05 package's METS file."""

from __future__ import annotations

from collections.abc import Mapping

from metadata.tt05.judge_notes import Notes
from metadata.tt05.packages import MetsRules

_KEPT = 1000


class StructureJudge:
    """The structMap with the LABEL of the profile (CSIP), and the first; others are passed over."""

    def __init__(self, path: str, rules: MetsRules, notes: Notes) -> None:
        self._path = path
        self._rules = rules
        self._notes = notes
        self._forms = notes.profile.mets
        self._maps = 0
        self._csip = False
        self._inside = False
        self._depth = 0
        self._labels: dict[str, None] = {}

    def open(self, name: str, found: Mapping[str, str]) -> None:
        """A structMap or a div begins."""
        if name == "structMap":
            self._map(found.get("LABEL", ""), found.get("TYPE", ""))
            return
        self._depth += 1
        if not self._inside:
            return
        if self._depth == 1:
            kind = found.get("TYPE", "")
            if self._rules.division_type and kind != self._rules.division_type:
                self._notes.add("REP-TYPE", self._path, value=kind, wanted=self._rules.division_type)
        elif len(self._labels) < _KEPT:
            self._division(found.get("LABEL", ""))

    def close(self, name: str) -> None:
        """A structMap or a div ends."""
        if name == "div":
            self._depth -= 1
        else:
            self._inside = False

    def end(self) -> None:
        """The document ends: what was not there."""
        if not self._csip:
            self._notes.add("METS-LACKS", self._path, element=f'structMap LABEL="{self._forms.structure_label}"')
        if self._maps:
            for label in self._rules.divisions:
                if label not in self._labels:
                    self._notes.add("METS-DIV", self._path, wanted=label)

    def _map(self, label: str, kind: str) -> None:
        self._maps += 1
        named = label == self._forms.structure_label
        self._inside = named or self._maps == 1
        self._csip = self._csip or named
        if not self._inside or kind.upper() == self._forms.structure_type:
            return
        if kind.lower() == "logical":
            self._notes.add("STRUCT-LOGICAL", self._path)
        else:
            self._notes.add("STRUCT-TYPE", self._path, value=kind)

    def _division(self, label: str) -> None:
        if label in self._labels:
            return
        self._labels[label] = None
        if label not in self._rules.divisions and label not in self._rules.also_divisions:
            self._notes.add("METS-DIV-OTHER", self._path, value=label)
