"""BagIt profiles: what is read of a file, and what is judged without a package."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata.bagit_profile import (
    SIZE_LIMIT,
    BagFacts,
    BagProfileRefused,
    ListRule,
    TagRule,
    judge_bag_profile,
    read_bag_profile,
    tt05_bag_profile,
)
from metadata.findings import Findings
from tests.builders.bags import PROFILE_ID, profile


def facts(**changes) -> BagFacts:
    given = {
        "name": "bag",
        "version": "1.0",
        "info": "bag-info.txt",
        "tags": [("BagIt-Profile-Identifier", PROFILE_ID)],
        "manifests": ["sha256"],
        "tag_manifests": [],
        "media_type": "",
        "payload_count": 1,
        "payload_bytes": 1,
        "has_file": lambda _: False,
        "tag_files": list,
        "payload_files": lambda: ["data/a"],
    }
    return BagFacts(**(given | changes))


def codes(data: bytes, bag: BagFacts, **how) -> set[str]:
    findings = Findings()
    judge_bag_profile(read_bag_profile(data, "p.json"), bag, findings, **how)
    return {one.removeprefix("BAG-PROFILE-") for one in findings.counts}


def test_a_profile_is_read_with_its_defaults() -> None:
    read = read_bag_profile(profile(Bag_Info={"A": {"required": True, "values": ["1"], "description": "d"}}), "p.json")
    assert read.identifier == PROFILE_ID
    assert read.tags == (TagRule("A", required=True, values=("1",), description="d"),)
    assert (read.fetch_allowed, read.fetch_required, read.data_empty, read.serialization) == (
        True, False, False, "optional",
    )  # fmt: skip
    assert read.manifests == ListRule()


def test_a_byte_order_mark_and_texts_for_truth_are_read_as_they_are_met() -> None:
    """Published profiles have both."""
    read = read_bag_profile(b"\xef\xbb\xbf" + profile(**{"Allow-Fetch.txt": "false"}), "p.json")
    assert not read.fetch_allowed


def test_a_file_without_end_is_not_read() -> None:
    with pytest.raises(BagProfileRefused) as caught:
        read_bag_profile(b" " * SIZE_LIMIT + profile(), "p.json")
    assert caught.value.code == "BAG-PROFILE-JSON"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=8,
    ),
    st.sampled_from(
        ["Bag-Info", "Manifests-Required", "Tag-Files-Allowed", "Serialization", "Accept-BagIt-Version",
         "Allow-Fetch.txt", "BagIt-Profile-Info", "Payload-Files-Required"]
    ),
)  # fmt: skip
def test_whatever_stands_in_a_field_is_read_or_refused_with_a_code(value: object, field: str) -> None:
    try:
        read_bag_profile(profile(**{field: value}), "p.json")
    except BagProfileRefused as refused:
        assert refused.code.startswith("BAG-PROFILE-")


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused_with_a_code(data: bytes) -> None:
    with pytest.raises(BagProfileRefused):
        read_bag_profile(data, "p.json")


def test_a_value_that_is_empty_does_not_serve_for_a_label_that_is_required() -> None:
    rules = profile(Bag_Info={"A": {"required": True}})
    named = ("bagit-profile-identifier", PROFILE_ID)
    assert codes(rules, facts(tags=[named, ("a", "")])) == {"TAG-MISSING"}
    assert codes(rules, facts(tags=[named, ("a", ""), ("A", "x")])) == set()


def test_a_bag_may_follow_several_profiles() -> None:
    other = ("BagIt-Profile-Identifier", "https://example.org/other.json")
    assert codes(profile(), facts(tags=[other, ("BagIt-Profile-Identifier", PROFILE_ID)])) == set()
    assert codes(profile(), facts(tags=[other])) == {"IDENTIFIER"}


def test_a_caller_who_knows_the_rest_hears_only_of_what_is_there() -> None:
    rules = profile(Bag_Info={"A": {"required": True, "repeatable": False}, "B": {"recommended": True}})
    assert codes(rules, facts(tags=None), only_what_is_there=True) == set()
    assert codes(rules, facts(tags=[("A", "1"), ("A", "2")]), only_what_is_there=True) == {"TAG-REPEATED"}


def test_asterisks_reach_over_folders_and_signs_of_patterns_are_not_code() -> None:
    rules = profile(Payload_Files_Allowed=["data/*.pdf", "data/[(+)].txt"])
    files = ["data/a/b/c.pdf", "data/(.txt", "data/+.txt"]
    assert codes(rules, facts(payload_files=lambda: files)) == set()
    assert codes(rules, facts(payload_files=lambda: ["data/a.txt"])) == {"PAYLOAD-EXTRA"}


def test_a_pattern_made_to_take_long_takes_no_long() -> None:
    rules = profile(Payload_Files_Allowed=["*a" * 200 + "b"])
    assert codes(rules, facts(payload_files=lambda: ["a" * 2000])) == {"PAYLOAD-EXTRA"}


def test_the_archives_own_profile_is_one() -> None:
    own = tt05_bag_profile()
    assert not own.fetch_allowed
    assert {"External-Identifier", "Agency-Code", "Fonds-Code", "External-Description", "Mode"} <= {
        rule.label for rule in own.tags
    }
    assert all(rule.description for rule in own.tags)
    with_all = [("BagIt-Profile-Identifier", own.identifier), *((rule.label, "01") for rule in own.tags)]
    findings = Findings()
    judge_bag_profile(own, facts(tags=with_all), findings)
    assert not findings.counts
    assert json.dumps(dict(own.info), ensure_ascii=False)
