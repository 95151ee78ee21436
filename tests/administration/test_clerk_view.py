"""What the clerk's pages show of a report: the tree, findings by what to do, places in words; all of it bounded."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from administration.pages import view
from ingest.check import CheckedFile
from metadata.findings import Finding, Severity
from metadata.text import Sentence

SAID = Sentence("Hãy sửa.", "Correct it.")


def found(place: str, code: str = "PASS-CHECKSUM", severity: Severity = Severity.ERROR) -> Finding:
    return Finding(code, severity, place, SAID, "RFC 8493 §3")


def shown(nodes: list[view.Node], depth: int = 0) -> list[str]:
    """The tree as lines, marked as the page marks it."""
    lines = []
    for node in nodes:
        mark = f" {node.worst.value}" if node.worst else ""
        lines += [f"{'  ' * depth}{node.name}{mark}{' @' + node.anchor if node.anchor else ''}"]
        lines += shown(node.inside, depth + 1)
    return lines


def test_the_tree_has_folders_in_folders_and_leads_to_what_is_said() -> None:
    findings = [found("a/b/1.pdf"), found("c/", "TT05-TREE-OTHER", Severity.WARNING), found("c/2.pdf")]
    files = [
        CheckedFile("a/b/1.pdf", 1, Severity.ERROR),
        CheckedFile("a/x", 2, None),
        CheckedFile("c/", None, Severity.WARNING),
        CheckedFile("c/2.pdf", None, Severity.ERROR),
    ]
    actions = view.shown_actions(findings, {"PASS-CHECKSUM": 2, "TT05-TREE-OTHER": 1})
    assert shown(view.tree(files, view.anchors(actions))) == [
        "a/ error",
        "  b/ error",
        "    1.pdf error @f1",
        "  x",
        "c/ error @f3",
        "  2.pdf error @f2",
    ]


def test_a_tree_that_goes_deeper_than_a_page_can_stays_a_page() -> None:
    deep = "/".join("x" * 2000) + "/file"
    lines = shown(view.tree([CheckedFile(deep, 1, None), CheckedFile("y", 1, None)], {}))
    assert lines[-1] == "y"
    assert max(line.count("  ") for line in lines) <= 25


@given(st.lists(st.text("ab/.", min_size=1, max_size=12), max_size=20, unique=True))
def test_every_file_is_in_the_tree_once(paths: list[str]) -> None:
    def files(nodes: list[view.Node]) -> int:
        return sum(files(node.inside) if node.folder else 1 for node in nodes)

    made = view.tree([CheckedFile(path, 1, None) for path in paths], {})
    assert files(made) == sum(not path.endswith("/") for path in paths)


def test_findings_are_few_at_once_many_when_asked_for_and_then_counted() -> None:
    findings = [found(f"{number}.pdf") for number in range(1000)]
    findings += [found(f"{number}.xml", f"EARK-X{number % 5}", Severity.WARNING) for number in range(5000)]
    counts = {"PASS-CHECKSUM": 7000} | {f"EARK-X{number}": 1000 for number in range(5)}
    actions = view.shown_actions(findings, counts)
    kinds = [kind for action in actions for kind in action.kinds]
    assert kinds[0].kind.code == "PASS-CHECKSUM"
    assert (len(kinds[0].first), len(kinds[0].folded), kinds[0].unlisted) == (view.FOUND_AT_ONCE, 992, 6000)
    assert all(len(kind.first) + len(kind.folded) + kind.unlisted == kind.kind.count for kind in kinds)
    assert sum(len(kind.first) + len(kind.folded) for kind in kinds) <= view.FOUND_IN_ALL + len(kinds)
    assert all(kind.first for kind in kinds)


def test_places_are_told_in_words_and_made_safe() -> None:
    places = ["Hồ sơ!B3", "Văn bản!12", "Ghi âm, ghi hình!AC7", "a!b/c.pdf", "\u202ecod.pdf", "x!1/2"]
    (action,) = view.shown_actions([found(place) for place in places], {}, cells=True)
    spots = action.kinds[0].first
    cells = [tuple(spot.cell.values()) if spot.cell else None for spot in spots]
    assert cells == [("Hồ sơ", "B", "3"), ("Văn bản", "", "12"), ("Ghi âm, ghi hình", "AC", "7"), None, None, None]
    assert spots[4].place == "\\u202ecod.pdf"
    assert len({spot.anchor for spot in spots}) == len(spots)
    (action,) = view.shown_actions([found("Hồ sơ!B3")], {})
    assert action.kinds[0].first[0].cell is None
