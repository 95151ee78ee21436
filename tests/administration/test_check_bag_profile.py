"""``tangthu check --bag-profile``: a bag judged by a BagIt profile that lies in a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from administration.cli import run
from tests.builders.bags import INFO, PROFILE_ID, bag, profile

NAMED = (*INFO, ("BagIt-Profile-Identifier", PROFILE_ID))


def codes(capsys: pytest.CaptureFixture[str]) -> set[str]:
    (package,) = json.loads(capsys.readouterr().out)["packages"]
    return {one["code"] for one in package["report"]["findings"]}


def test_a_bag_is_judged_by_the_profile_and_not_as_a_delivery(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "p.json").write_bytes(profile(Bag_Info={"Contact-Name": {"required": True}}))
    rules = ["--bag-profile", str(tmp_path / "p.json"), "--json"]
    assert run(["check", str(bag(tmp_path / "poor", info=NAMED)), *rules]) == 3
    assert codes(capsys) == {"BAG-PROFILE-TAG-MISSING"}
    assert run(["check", str(bag(tmp_path / "good", info=(*NAMED, ("Contact-Name", "A")))), *rules]) == 0
    assert codes(capsys) == set()


def test_a_file_that_is_no_profile_and_a_profile_for_no_bag_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    package = str(bag(tmp_path / "bag", info=NAMED))
    (tmp_path / "no.json").write_text("{")
    assert run(["check", package, "--bag-profile", str(tmp_path / "no.json")]) == 7
    assert "no.json" in capsys.readouterr().err
    (tmp_path / "p.json").write_bytes(profile())
    assert run(["check", package, "--profile", "tt05-dip", "--bag-profile", str(tmp_path / "p.json")]) == 2
    assert run(["check", package, "--bag-profile", str(tmp_path / "none.json")]) == 2
