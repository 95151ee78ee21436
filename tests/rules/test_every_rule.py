"""No rule without its pair: every finding code has a package that breaks it and a twin that does not."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from metadata.findings import finding_rules
from tests.rules.cases import Case


def every_case() -> list[Case]:
    """All cases of all areas."""
    modules = sorted(path.stem for path in Path(__file__).parent.glob("test_*.py") if path.stem != "test_every_rule")
    return [case for name in modules for case in import_module(f"tests.rules.{name}").CASES]


def test_every_code_has_a_pair() -> None:
    shown = {code for case in every_case() for code in case.codes}
    assert not set(finding_rules()) - shown, "codes without a case"
    assert not shown - set(finding_rules()), "cases of codes that are gone"


def test_every_case_has_its_own_name() -> None:
    names = [case.name for case in every_case()]
    assert len(names) == len(set(names))
