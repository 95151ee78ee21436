"""The E-ARK corpus: what it declares invalid is caught, what it declares valid is left alone, nothing crashes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.check import check_package
from metadata.findings import Severity
from metadata.package_kinds import PackageKind
from tests.builders.eark import build_eark
from tests.conformance.eark_corpus import Outcome, Pair, codes_for, corpus_folder, declared, judge, known, outcomes

CAUGHT, ALARMS = 0.95, 0.01


@pytest.fixture(scope="module")
def found() -> list[Outcome]:
    corpus = corpus_folder()
    if corpus is None:
        pytest.skip("the E-ARK corpus is not here; tests/rules shows every rule by packages of our own")
    return outcomes(corpus)


def test_prove_eark_corpus(found: list[Outcome], capsys: pytest.CaptureFixture[str]) -> None:
    """The table that ``make prove`` prints, and what it must come to."""
    with capsys.disabled():
        print("\n" + "\n".join(table(found)))
    invalid, valid = ([one for one in found if one.pair.valid is wanted] for wanted in (False, True))
    assert not [one.pair.name for one in found if one.crash]
    assert sum(one.right for one in invalid) >= CAUGHT * len(invalid)
    assert sum(one.severity is Severity.ERROR for one in valid) <= ALARMS * len(valid)
    assert sum(not one.right for one in valid) <= ALARMS * len(valid)


def test_every_miss_is_explained(found: list[Outcome]) -> None:
    """Of the half of the corpus that there is to look at: the cases of odd numbers."""
    misses = {one.pair.name for one in found if not one.right}
    explained = set(known("misses"))
    looked_at = {one.pair.name for one in found if int(re.sub(r"\D", "", one.pair.requirement)) % 2}
    assert (misses & looked_at) - explained == set(), "say why in eark_corpus.toml"
    assert explained & {one.pair.name for one in found} <= misses, "explained, but it comes out right now"


def test_a_miss_is_reported_as_what_it_is(found: list[Outcome]) -> None:
    for one in found:
        entry = known("misses").get(one.pair.name, {})
        assert set(entry.get("instead", [])) <= set(one.all_codes), one.pair.name


def test_a_check_of_a_whole_package_names_the_requirements_too(found: list[Outcome], tmp_path: Path) -> None:
    """As a clerk asks, with the profile left to the package: digests come from the pass over the bytes."""
    codes: dict[Path, set[str]] = {}
    right = {True: [0, 0], False: [0, 0]}
    for one in found:
        pair = one.pair
        if pair.package not in codes:
            codes[pair.package] = set(check_package(pair.package, tmp_path).counts)
        name = f"EARK-{pair.requirement}"
        told = any(code == name or code.startswith(f"{name}-") for code in codes[pair.package])
        right[pair.valid][0] += told is not pair.valid
        right[pair.valid][1] += 1
    assert right[False][0] >= CAUGHT * right[False][1]
    assert right[True][1] - right[True][0] <= ALARMS * right[True][1]


def test_a_wrong_digest_is_told_by_its_requirement(tmp_path: Path) -> None:
    package = build_eark(tmp_path, "sip")
    assert "PASS-CHECKSUM" not in check_package(package, tmp_path).counts
    (package / "representations" / "rep1" / "data" / "a.txt").write_bytes(b"b\n")
    assert {"PASS-CHECKSUM", "EARK-CSIP71"} <= set(check_package(package, tmp_path).counts)


def test_the_truth_is_read_per_rule(tmp_path: Path) -> None:
    """The reading of testCase.xml, which is all that the figures rest on; needs no corpus."""
    case = tmp_path / "CSIP" / "CSIP96"
    (case / "invalid" / "a").mkdir(parents=True)
    (case / "testCase.xml").write_text(
        '<testCase><id version="2.1.0" requirementId="CSIP96"/><rules><rule id="1"><corpusPackages>'
        '<package isValid="FALSE"><path>invalid/a</path></package>'
        '<package isValid="TRUE"><path>valid/not-there</path></package>'
        "</corpusPackages></rule></rules></testCase>"
    )
    pairs = list(declared(tmp_path))
    assert pairs == [Pair("CSIP96", "1", "2.1.0", False, case / "invalid" / "a")]
    assert codes_for("CSIP96", PackageKind.EARK_CSIP, "2.1.0") == {"EARK-CSIP96-MUST"}
    assert codes_for("CSIP9", PackageKind.EARK_CSIP, "2.1.0") == {"EARK-CSIP9"}
    assert not judge(pairs[0], {"EARK-CSIP96"}).right
    assert judge(pairs[0], {"EARK-CSIP96-MUST"}).right
    assert judge(Pair("CSIP71", "2", "", False, tmp_path), {"PASS-CHECKSUM"}).right


def table(found: list[Outcome]) -> Iterator[str]:
    """Rule, package, what is declared and what was found; then the figures, then each miss and why."""
    width = max(len(one.pair.package.name) for one in found)
    for one in found:
        truth = "valid" if one.pair.valid else "invalid"
        mark = "" if one.right else "   <--"
        said = one.crash or ", ".join(one.codes) or "-"
        yield f"{one.pair.requirement:<10} {one.pair.rule:<2} {one.pair.package.name:<{width}} {truth:<8} {said}{mark}"
    invalid, valid = ([one for one in found if one.pair.valid is wanted] for wanted in (False, True))
    yield ""
    yield f"E-ARK corpus: {len(found)} pairs of rule and package, {sum(bool(one.crash) for one in found)} crashes"
    yield _share("invalid, caught", sum(one.right for one in invalid), len(invalid))
    yield _share("valid, an error for the rule", sum(one.severity is Severity.ERROR for one in valid), len(valid))
    yield _share("valid, a warning for the rule", sum(one.severity is Severity.WARNING for one in valid), len(valid))
    yield _share("valid, a note for the rule", sum(one.severity is Severity.NOTE for one in valid), len(valid))
    for one in found:
        if not one.right:
            yield f"{one.pair.name}: {known('misses').get(one.pair.name, {}).get('why', 'not explained')}"


def _share(what: str, part: int, whole: int) -> str:
    return f"{what}: {part} of {whole} ({100 * part / max(1, whole):.1f} %)"
