"""The crafted cases by which pyHanko's own word was measured: what each must be called, one test for each row."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pyhanko.sign.fields import MDPPerm

from administration.cli import run
from tests.builders.signature_deeds import HOUR, OLD, annotated, filled, other_chain, two
from tests.builders.signatures import (
    DAY,
    NOW,
    add_dss,
    add_timestamp,
    archival,
    authority,
    crl_of,
    flip,
    forge_page,
    ocsp_of,
    pdf,
    sign,
)
from tests.preservation.signature_cases import BAD, NOTES, OPEN, VALID, Case, judge

LEVELS: dict[str, Callable[[], bytes]] = {
    "B-B": lambda: sign(pdf()),
    "B-T": lambda: sign(pdf(), stamp=NOW - HOUR),
    "B-LT": lambda: add_dss(sign(pdf(), stamp=NOW - HOUR), authority().crls()),
    "B-LTA": archival,
}
THREE_HUNDRED = NOW - 300 * DAY


def by_lists_only() -> bytes:
    """B-LTA of 300 days ago with revocation lists only; the signer's certificate has ended."""
    when = THREE_HUNDRED
    lists = authority().crls(when - DAY, when + 7 * DAY, revoked=False)
    return add_timestamp(add_dss(sign(pdf(), "expired", stamp=when, claimed=when), lists), when + timedelta(minutes=5))


def renewed(when: int) -> bytes:
    """The first timestamp authority has ended; ``when`` days ago another one renewed the protection."""
    people = authority()
    answer = ocsp_of(people["tsa-old"], people["tsa-root"], NOW - when * DAY, NOW - (when - 7) * DAY)
    before = archival("expired", THREE_HUNDRED, "tsa-old", tsa="tsa-old")
    return add_timestamp(add_dss(before, [], [answer]), NOW - when * DAY + HOUR)


def sealed(who: str = "signer", when: datetime = NOW - 20 * DAY, answers: int | None = None) -> bytes:
    """A timestamp over it and a document timestamp, but no answers, or lists that ended ``answers`` days before."""
    signed = sign(pdf(), who, stamp=when)
    if answers is not None:
        ended = when - answers * DAY
        signed = add_dss(signed, authority().crls(ended - 7 * DAY, ended, revoked=False))
    return add_timestamp(signed, when + timedelta(minutes=5))


ROWS: dict[str, Case] = {
    **{level: Case(make, VALID) for level, make in LEVELS.items()},
    **{f"one byte flipped, {level}": Case(lambda make=make: flip(make()), BAD) for level, make in LEVELS.items()},
    **{
        f"page content replaced after {level}": Case(lambda make=make: forge_page(make()), BAD)
        for level, make in LEVELS.items()
    },
    **{
        f"text annotation added after {level}": Case(lambda make=make: annotated(make()), BAD)
        for level, make in LEVELS.items()
    },
    "second signature": Case(two, VALID),
    "certification and archival updates": Case(lambda: archival(permit=MDPPerm.NO_CHANGES), VALID),
    "certification and second signature": Case(lambda: two(MDPPerm.FILL_FORMS), VALID),
    "certification and form filled": Case(lambda: filled(sign(pdf(form=True), permit=MDPPerm.FILL_FORMS)), NOTES),
    "comment appended after the end": Case(lambda: sign(pdf()) + b"% xin chao\n", NOTES),
    "self-signed": Case(lambda: sign(pdf(), "self-signed", embed=()), BAD, ("SIG-SELF-SIGNED",)),
    "self-signed, with timestamp": Case(lambda: sign(pdf(), "self-signed", stamp=NOW - HOUR, embed=()), BAD),
    "self-signed authority": Case(lambda: sign(pdf(), "evil", embed=()), BAD, ("SIG-SELF-SIGNED",)),
    "expired, no timestamp": Case(lambda: sign(pdf(), "expired", claimed=NOW - 60 * DAY), OPEN),
    "expired now, timestamp before expiry": Case(lambda: sign(pdf(), "expired", stamp=NOW - 60 * DAY), VALID),
    "timestamp after expiry": Case(lambda: sign(pdf(), "expired", stamp=NOW - 10 * DAY), BAD),
    "timestamp thirty days in the future": Case(lambda: sign(pdf(), stamp=NOW + 30 * DAY), BAD),
    "revoked after the timestamp": Case(lambda: sign(pdf(), "revoked", stamp=NOW - 20 * DAY), VALID),
    "revoked before the timestamp": Case(lambda: sign(pdf(), "revoked", stamp=NOW - DAY), BAD),
    "SHA-1 of today": Case(lambda: sign(pdf(), digest="sha1"), OPEN),
    "SHA-1, proved old": Case(lambda: sign(pdf(), "old", digest="sha1", stamp=OLD), NOTES, ("SIG-SHA1-LEGACY",)),
    "Adobe's older kind with timestamp": Case(lambda: sign(pdf(), stamp=NOW - HOUR, adobe=True), VALID),
    "intermediate neither in the file nor known": Case(lambda: sign(pdf(), embed=()), OPEN),
    "intermediate pinned": Case(
        lambda: sign(pdf(), embed=()), VALID, store=lambda: authority().store(pinned=("inter",))
    ),
    "root of timestamps not trusted": Case(
        lambda: sign(pdf(), stamp=NOW - HOUR), OPEN, store=lambda: authority().store(stamps=())
    ),
    "root of signers not trusted": Case(lambda: sign(pdf()), OPEN, store=other_chain),
    # what a document timestamp protects may be nothing: then it takes nothing away either
    "document timestamp, no answers in the file": Case(sealed, VALID),
    "document timestamp, answers in the file had ended": Case(lambda: sealed(answers=3), VALID),
    "document timestamp, no answers, signer expired since": Case(lambda: sealed("expired", NOW - 60 * DAY), VALID),
    "document timestamp, no answers, revoked after": Case(lambda: sealed("revoked"), VALID),
    "document timestamp, no answers, revoked before": Case(lambda: sealed("revoked", NOW - DAY), BAD),
    "document timestamp, no answers, page replaced": Case(lambda: forge_page(sealed()), BAD),
    "document timestamp, no answers anywhere": Case(sealed, OPEN, store=lambda: authority().store(crls=[])),
    "document timestamp, no answers, late": Case(lambda: sealed("expired", NOW - 10 * DAY), BAD),
    # long after
    "B-LTA by OCSP, signer expired since": Case(lambda: archival("expired", THREE_HUNDRED), VALID),
    "B-LTA by lists only, signer expired since": Case(by_lists_only, VALID),
    "B-LTA by lists only, no answers of today": Case(
        by_lists_only, VALID, store=lambda: authority().store(crls=[crl_of(authority()["tsa-root"])])
    ),
    "timestamp authority ended, not renewed": Case(
        lambda: archival("expired", THREE_HUNDRED, "tsa-old", tsa="tsa-old"), OPEN
    ),
    "timestamp authority ended, renewed long before": Case(lambda: renewed(200), VALID),
    "timestamp authority ended, renewed before": Case(lambda: renewed(60), VALID),
}


@pytest.mark.parametrize("name", ROWS)
def test_row(name: str) -> None:
    judge(ROWS[name])


def test_rows_by_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The same through ``tangthu trust add`` and ``tangthu signatures``, all files of a folder at once."""
    people, trust, folder = authority(), tmp_path / "tin-cậy", tmp_path / "tệp"
    folder.mkdir()
    given = [("root", people["root"].der), ("tsa-root", people["tsa-root"].der)]
    given += [("crl", one) for one in people.crls()]
    for role, der in given:
        file = tmp_path / "một.der"
        file.write_bytes(der)
        proof = [] if role == "crl" else ["--sha256", people[role].asn1.sha256.hex()]
        assert run(["trust", "add", str(file), "--role", role, "--source", "x", "--folder", str(trust), *proof]) == 0
    usual = {name: case for name, case in ROWS.items() if case.store is ROWS["B-B"].store}
    assert len(usual) > 25
    for name, case in usual.items():
        (folder / f"{name}.pdf").write_bytes(case.make())
    capsys.readouterr()
    assert run(["signatures", str(folder), "--trust", str(trust), "--at", NOW.isoformat(), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)["files"]
    assert {Path(one["path"]).stem: one["outcome"] for one in found} == {
        name: case.outcome and case.outcome.value for name, case in usual.items()
    }
