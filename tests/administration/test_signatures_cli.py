"""``tangthu signatures`` and ``tangthu trust``, without an archive."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from administration.cli import run
from tests.builders.answering_server import answering_server
from tests.builders.signatures import (
    DAY,
    NOW,
    authority,
    cades,
    certify,
    crl_of,
    ec_key,
    forge_page,
    ocsp_of,
    pdf,
    sign,
)
from tests.builders.xml_signatures import DECREE, sign_xml


@pytest.fixture
def trust(tmp_path: Path) -> Path:
    """A store made by the commands themselves."""
    folder, people = tmp_path / "tin-cậy", authority()
    given = {"root": people["root"].der, "tsa-root": people["tsa-root"].der, "crl": crl_of(people["root"])}
    for role, der in {**given, "crl ": crl_of(people["inter"], revoked=people.revoked)}.items():
        file = tmp_path / "một.der"
        file.write_bytes(der)
        proof = ["--sha256", people[role].asn1.sha256.hex().upper()] if role in ("root", "tsa-root") else []
        words = ["--role", role.strip(), "--source", "công văn 1", "--folder", str(folder), *proof]
        assert run(["trust", "add", str(file), *words]) == 0
    return folder


def ask(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    capsys.readouterr()
    code = run([*arguments, "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_files_of_a_folder_each_with_its_verdict(
    tmp_path: Path, trust: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "hồ sơ"
    folder.mkdir()
    (folder / "a.pdf").write_bytes(sign(pdf()))
    (folder / "b.pdf").write_bytes(forge_page(sign(pdf())))
    (folder / "c.pdf").write_bytes(pdf())
    (folder / "d.docx").write_bytes(b"noi dung")
    (folder / "d.docx.p7s").write_bytes(cades(b"noi dung"))
    (folder / "e.xml").write_bytes(sign_xml())
    (folder / "f.xml").write_bytes(sign_xml().replace(b"30/2020", b"31/2020"))
    (folder / "g.xml").write_bytes(DECREE.encode())
    code, found = ask(capsys, "signatures", str(folder), "--trust", str(trust), "--at", NOW.isoformat())
    outcomes = {Path(one["path"]).name: one["outcome"] for one in found["files"]}
    assert outcomes == {
        "a.pdf": "VALID", "b.pdf": "INVALID", "c.pdf": None, "d.docx": None, "d.docx.p7s": "VALID", "e.xml": "VALID",
        "f.xml": "INVALID", "g.xml": None,
    }  # fmt: skip
    assert "total-failed" in found["files"][1]["report"]
    assert code == 1
    assert ask(capsys, "signatures", str(folder / "a.pdf"), "--trust", str(trust), "--at", NOW.isoformat())[0] == 0


def test_what_is_not_looked_into_is_not_called_unsigned(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.docx"
    file.write_bytes(b"PK\x03\x04")  # signatures inside office files are not judged
    assert run(["signatures", str(file)]) == 0
    out = capsys.readouterr().out
    assert "thuộc loại được xét" in out and "of a kind that is judged" in out


def test_people_read_what_to_do_in_both_languages(
    tmp_path: Path, trust: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "b.pdf"
    file.write_bytes(forge_page(sign(pdf())))
    capsys.readouterr()
    assert run(["signatures", str(file), "--trust", str(trust), "--at", NOW.isoformat()]) == 1
    out = capsys.readouterr().out
    assert "SIG-MODIFIED-AFTER" in out
    assert "xin lại tệp gốc" in out
    assert "ask for the original file" in out


def test_without_a_trust_store_nothing_is_valid_and_the_reason_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TANGTHU_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "a.pdf"
    file.write_bytes(sign(pdf()))
    capsys.readouterr()
    assert run(["signatures", str(file), "--at", NOW.isoformat()]) == 1
    assert "tangthu trust add" in capsys.readouterr().out


def test_kept_evidence_is_used_ten_years_later(tmp_path: Path, trust: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Evidence states the real time at which it was made, so this signature is of this very day."""
    now = datetime.now(UTC)
    for name in ("root", "inter"):
        file = tmp_path / "nay.crl"
        file.write_bytes(crl_of(authority()[name], now - DAY, now + DAY))
        words = ["--role", "crl", "--source", "x", "--folder", str(trust)]
        assert run(["trust", "add", str(file), *words]) == 0
    file = tmp_path / "a.pdf"
    file.write_bytes(sign(pdf(), claimed=now - timedelta(hours=1)))
    keep = tmp_path / "bằng chứng"
    arguments = ["signatures", str(file), "--trust", str(trust), "--keep", str(keep)]
    assert ask(capsys, *arguments)[1]["files"][0]["outcome"] == "VALID"
    (kept,) = keep.iterdir()
    before = kept.read_bytes()
    later = ["--at", (now + 3650 * DAY).date().isoformat()]
    assert ask(capsys, *arguments[:-2], *later)[1]["files"][0]["outcome"] == "INDETERMINATE"
    assert ask(capsys, *arguments, *later)[1]["files"][0]["outcome"] == "VALID"
    assert kept.read_bytes() == before
    kept.write_bytes(b"{")
    assert run(arguments) == 7


def test_a_root_needs_a_fingerprint_that_matches(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "root.der"
    file.write_bytes(authority()["root"].der)
    words = ["trust", "add", str(file), "--role", "root", "--source", "x", "--folder", str(tmp_path / "kho")]
    assert run(words) == 2
    assert run([*words, "--sha256", "00" * 32]) == 2
    assert not (tmp_path / "kho").exists()
    assert run([*words, "--sha256", authority()["root"].asn1.sha256.hex(), "--from", "hôm nay"]) == 2
    assert run([*words, "--sha256", authority()["root"].asn1.sha256.hex(), "--from", "2018-01-01"]) == 0
    code, found = ask(capsys, "trust", "show", "--folder", str(tmp_path / "kho"))
    assert (code, found["entries"][0]["trusted_from"]) == (0, "2018-01-01")


def test_a_date_that_is_none(tmp_path: Path) -> None:
    file = tmp_path / "a.pdf"
    file.write_bytes(pdf())
    assert run(["signatures", str(file), "--at", "mai"]) == 2


def test_evidence_is_fetched_from_hosts_that_are_named(
    tmp_path: Path, trust: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    people, now = authority(), datetime.now(UTC)
    for name in ("root", "tsa-root"):
        file = tmp_path / "nay.crl"
        file.write_bytes(crl_of(people[name], now - DAY, now + DAY))
        assert run(["trust", "add", str(file), "--role", "crl", "--source", "x", "--folder", str(trust)]) == 0
    with answering_server() as server:
        dates = (now - 100 * DAY, now + 100 * DAY)
        signer = certify("Người ký", ec_key(40), people["inter"], dates, server=server.url("/ocsp"))
        server.give("/ocsp", ocsp_of(signer, people["inter"], now + timedelta(minutes=1), now + DAY))
        file = tmp_path / "a.pdf"
        file.write_bytes(sign(pdf(), signer, claimed=now - timedelta(hours=1)))
        keep = tmp_path / "bằng chứng"
        words = ["signatures", str(file), "--trust", str(trust)]
        assert ask(capsys, *words)[1]["files"][0]["outcome"] == "INDETERMINATE"
        assert server.asked == []
        assert run([*words, "--fetch-from", "a/b"]) == 2
        assert run([*words, "--fetch-from", "a", "--at", "2036-01-01"]) == 2
        assert ask(capsys, *words, "--keep", str(keep))[1]["files"][0]["outcome"] == "INDETERMINATE"
        (kept,) = keep.iterdir()
        before = json.loads(kept.read_bytes())
        named = ["--fetch-from", f"127.0.0.1:{server.port}", "--keep", str(keep)]
        assert ask(capsys, *words, *named)[1]["files"][0]["outcome"] == "VALID"
        assert len(server.asked) == 1
    (kept,) = keep.iterdir()
    after = json.loads(kept.read_bytes())
    assert after["proof_of_existence"] == before["proof_of_existence"]
    assert after["fetched"][0]["sha256"] in after["objects"]["ocsps"]
    later = ["--at", (now + 3650 * DAY).date().isoformat(), "--keep", str(keep)]
    assert ask(capsys, *words, *later)[1]["files"][0]["outcome"] == "VALID"


def test_a_pipe_is_not_waited_for_and_costs_itself_only(
    tmp_path: Path, trust: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo(tmp_path / "ống")
    (tmp_path / "a.pdf").write_bytes(sign(pdf()))
    code, found = ask(capsys, "signatures", str(tmp_path / "ống"), str(tmp_path / "a.pdf"), "--trust", str(trust))
    assert code == 1
    first, second = found["files"]
    assert (first["outcome"], first["reasons"][0]["code"]) == ("UNREADABLE", "SIG-FILE-UNREADABLE")
    assert second["signatures"]
