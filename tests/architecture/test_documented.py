"""Whatever a person may see is documented; the pages say what the data say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from metadata.events import EventType
from metadata.findings import finding_rules
from tests.architecture.reference import DOCS, PAGES

ROOT = DOCS.parent


@pytest.mark.parametrize("page", sorted(PAGES))
def test_reference_page_is_what_the_data_say(page: str) -> None:
    assert (DOCS / page).read_text(encoding="utf-8") == PAGES[page](), "run: make reference"


def test_every_event_type_is_documented() -> None:
    text = (DOCS / "events.md").read_text(encoding="utf-8")
    assert [kind for kind in EventType if f"`{kind.value}`" not in text] == []


def test_every_finding_says_what_to_do_in_both_languages() -> None:
    for rule in finding_rules().values():
        assert len(rule.template.vi.split()) >= 5, rule.code
        assert len(rule.template.en.split()) >= 5, rule.code
        assert rule.rule, rule.code


def test_every_finding_code_is_used_somewhere() -> None:
    sources = "\n".join(
        path.read_text(encoding="utf-8")
        for folder in ("metadata", "storage", "preservation", "ingest", "access", "administration")
        for path in [*(ROOT / folder).rglob("*.py"), *(ROOT / folder).glob("eark/*.toml")]
    )
    assert [code for code in finding_rules() if not _used(code, sources)] == []


def _used(code: str, sources: str) -> bool:
    """By its whole code, or (TT 05) as a prefix joined with the name of the check, or (E-ARK) by its requirement."""
    if f'"{code}"' in sources:
        return True
    if code.startswith("EARK-"):
        name = code.removeprefix("EARK-")
        return any(f'"{one}"' in sources for one in (name, name.removesuffix("-MUST").removesuffix("-MAY")))
    if code.startswith("TT05-"):
        name = code.removeprefix("TT05-").removesuffix("-NOTED")
        return f'"{name}"' in sources
    return False


def test_every_link_between_documents_leads_somewhere() -> None:
    broken = []
    for path in [*ROOT.glob("*.md"), *DOCS.rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
            if "://" not in target and not (path.parent / target).exists():
                broken.append(f"{path.relative_to(ROOT)}: {target}")
    assert broken == []


def test_no_module_grows_beyond_its_bound() -> None:
    """DESIGN §7 rule 2: about 400 lines."""
    long = {
        str(path.relative_to(ROOT)): count
        for folder in ("metadata", "storage", "preservation", "ingest", "access", "administration", "demo")
        for path in Path(ROOT / folder).rglob("*.py")
        if (count := len(path.read_text(encoding="utf-8").splitlines())) > 420 and "migrations" not in path.parts
    }
    assert long == {}


def test_sources_name_no_registry_and_no_path_of_a_machine() -> None:
    pattern = re.compile(r"https?://[\w.-]*(?:pypi|pythonhosted|npmjs|debian|crates)[\w.-]*|/(?:root|home|work)/\w")
    found = []
    for path in ROOT.rglob("*"):
        if (
            path.is_file()
            and path.suffix in (".py", ".md", ".toml", ".lock", ".txt", ".sh", ".html")
            and not any(part.startswith(".") or part == "demo-archive" for part in path.relative_to(ROOT).parts)
        ):
            found += [f"{path.relative_to(ROOT)}: {hit}" for hit in pattern.findall(path.read_text(encoding="utf-8"))]
    assert found == []
