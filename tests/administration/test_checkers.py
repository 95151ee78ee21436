"""Who looks into files: the same for an ingest and for a deep check, but that a check fetches nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from administration.checkers import checkers_of
from administration.cli.app import Context
from administration.cli.checks import _checkers
from administration.settings import load
from preservation.signatures.checker import PyHankoChecker
from preservation.signatures.fetching import FetchingChecker

SETTINGS = """
[archive]
code = "H20.LTLS"
name = "Kho"

[storage]
required_replicas = 1

[work]
checkers = 3

[formats]
verapdf = "/opt/verapdf/verapdf"

[signatures]
fetch_hosts = "ocsp.example.vn"

[[stores]]
id = "a"
kind = "directory"
path = "a"
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "tangthu.toml").write_text(SETTINGS, encoding="utf-8")
    return tmp_path


def test_an_ingest_has_all_that_the_settings_name(home: Path) -> None:
    with checkers_of(load(home), fetch=True) as made:
        assert made.children == 3
        assert made.inspector.name.endswith(", veraPDF")
        assert isinstance(made.signatures, FetchingChecker)


def test_a_deep_check_has_the_same_and_fetches_nothing(home: Path) -> None:
    with _checkers(Context(home)) as made:
        assert made.children == 3
        assert made.inspector.name.endswith(", veraPDF")
        assert isinstance(made.signatures, PyHankoChecker)


def test_where_there_is_no_archive_a_deep_check_goes_by_what_came_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TANGTHU_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    with _checkers(Context(None)) as made:
        assert not made.inspector.name.endswith(", veraPDF")
        assert isinstance(made.signatures, PyHankoChecker)
