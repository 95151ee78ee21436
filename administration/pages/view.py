"""What the templates of the clerk's pages show: the tree of a package, findings by what to do, places in words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ingest.advice import Action, FindingKind, actions
from ingest.check import GRAVITY, CheckedFile, CheckVerdict
from ingest.reports.tree_rows import tree_rows
from ingest.reports.words import Marked, severity_mark
from metadata.findings import Finding, Severity, visible

__all__ = [
    "GRAVITY",
    "Node",
    "ShownAction",
    "ShownKind",
    "Spot",
    "anchors",
    "colour",
    "severity",
    "shown_actions",
    "tree",
]

FOUND_AT_ONCE = 8
"""Findings of a kind that are seen at once; the others are folded."""
FOUND_IN_ALL = 3000
"""Findings that a page has; more are in the files of the report."""
_DEEPEST = 24
_CELL = re.compile(r"(?P<sheet>[^!]{1,60})!(?P<column>[A-Z]{0,3})(?P<row>\d{1,7})")
_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "amber", Severity.NOTE: "faint"}
_VERDICTS = {CheckVerdict.GOOD: "jade", CheckVerdict.NOTED: "amber", CheckVerdict.REFUSED: "red"}


@dataclass(slots=True)
class Node:
    """A folder or file of the tree. ``anchor`` is where on the page something is said of it, empty for nowhere."""

    name: str
    size: int | None
    worst: Severity | None
    anchor: str = ""
    folder: bool = False
    inside: list[Node] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Spot:
    """A finding on the page: where it is, in words and as received, and the id of its place on the page (or empty)."""

    finding: Finding
    place: str
    cell: Mapping[str, str] | None
    anchor: str


@dataclass(frozen=True, slots=True)
class ShownKind:
    """A kind of finding: ``first`` are seen at once, ``folded`` when asked for, ``unlisted`` only counted."""

    kind: FindingKind
    first: tuple[Spot, ...]
    folded: tuple[Spot, ...]
    unlisted: int


@dataclass(frozen=True, slots=True)
class ShownAction:
    """A thing to do and the kinds of finding that ask for it."""

    action: Action
    kinds: tuple[ShownKind, ...]


def shown_actions(
    findings: Sequence[Finding], counts: Mapping[str, int], *, cells: bool = False
) -> tuple[ShownAction, ...]:
    """Findings grouped by what to do, as many as a page has room for. ``cells``: places may be cells of a workbook."""
    found = actions(findings, counts)
    room = FOUND_IN_ALL
    marked: set[str] = set()
    made = []
    for action in found:
        kinds = []
        for kind in action.kinds:
            listed = kind.findings[: max(1, room)]
            room -= len(listed)
            spots = tuple(_spot(one, marked, cells=cells) for one in listed)
            kinds.append(ShownKind(kind, spots[:FOUND_AT_ONCE], spots[FOUND_AT_ONCE:], kind.count - len(listed)))
        made.append(ShownAction(action, tuple(kinds)))
    return tuple(made)


def anchors(shown: Iterable[ShownAction]) -> Mapping[str, str]:
    """Where on the page the first and gravest is said of each place."""
    spots = [spot for action in shown for kind in action.kinds for spot in (*kind.first, *kind.folded)]
    return {spot.finding.place: spot.anchor for spot in spots if spot.anchor}


def tree(files: Sequence[CheckedFile], at: Mapping[str, str]) -> list[Node]:
    """The files as folders in folders; ``at`` are the anchors of places. What lies deeper than 24 folders is flat."""
    top = Node("", None, None, folder=True)
    path: list[Node] = [top]
    names: list[str] = [""]
    for row in tree_rows(files):
        depth = min(row.depth, _DEEPEST)
        del path[depth + 1 :], names[depth + 1 :]
        whole = names[-1] + row.name
        node = Node(visible(row.name), row.size, row.worst, at.get(whole, ""), row.is_folder)
        path[-1].inside.append(node)
        if row.is_folder:
            path.append(node)
            names.append(whole)
    return top.inside


def severity(one: Severity) -> Marked:
    """Sign and word."""
    return severity_mark(one)


def colour(of: Severity | CheckVerdict) -> str:
    """The class of the stylesheet."""
    return _COLOURS[of] if isinstance(of, Severity) else _VERDICTS[of]


def _spot(finding: Finding, marked: set[str], *, cells: bool) -> Spot:
    place = finding.place
    anchor = ""
    if place and place not in marked:
        marked.add(place)
        anchor = f"f{len(marked)}"
    cell = _CELL.fullmatch(place) if cells else None
    return Spot(finding, visible(place, limit=1000), cell.groupdict() if cell else None, anchor)
