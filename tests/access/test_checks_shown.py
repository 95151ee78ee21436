"""What checks found is shown to people and programs: outcomes as words, evidence in words."""

from __future__ import annotations

import re

import pytest
from httpx import Client

from access.web.checks import Checks
from access.web.words import Language
from metadata.characteristics import Characteristics, Facts
from metadata.events import Agent, Event, EventType, LogHead
from metadata.holdings import AipVersion
from metadata.outcomes import SignatureOutcome, Validity, Virus
from tests.builders.kept import flip
from tests.builders.reading import NOW, STORES, Archive, Paper

FOUND = Characteristics(
    Validity.INVALID,
    Virus.NOT_SCANNED,
    "quá lớn <b>",
    SignatureOutcome.INVALID,
    2,
    Facts(
        pages=1234, width=2480, height=3508, claim="PDF/A-2b", encrypted=True, duration=3_723_000, application="<i>x"
    ),
)
EVIDENCE = {
    "format": "tangthu-signature-evidence/1",
    "proof_of_existence": "2026-05-20T02:30:00+00:00",
    "trust_store": {"version": "2026-11-26", "sha256": "ab"},
    "outcome": "INVALID",
    "reasons": [{"code": "SIG-REMOVED", "vi": "Mất dấu", "en": "Gone"}],
    "signatures": [
        {
            "name": "Chữ ký <1>",
            "kind": "signature",
            "outcome": "INVALID",
            "reasons": [{"code": "SIG-ALTERED", "vi": "Đã bị sửa", "en": "Altered"}],
            "facts": {
                "signer": "Common Name: Nguyễn Văn A",
                "proved_time": "2026-06-15T07:00:00Z",
                "proved_by": "document timestamp",
                "coverage": "ENTIRE_REVISION",
                "modification": "<script>",
                "serial": "12",
            },
        }
    ],
}


@pytest.fixture
def held(library: Archive) -> AipVersion:
    paper = Paper("Quyết định", found=FOUND, evidence=EVIDENCE)
    return library.add("Hồ sơ ký số", [paper, Paper("Công văn")], code="K")


def _text(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page))


def test_a_document_shows_what_was_found(reader: Client, held: AipVersion) -> None:
    page = reader.get(f"/dossiers/{held.aip}/documents/1").text
    text = _text(page)
    for told in ("✗ không hợp chuẩn", "○ chưa quét", "✗ không hợp lệ", "2 chữ ký", "1.234", "2.480 × 3.508", "1:02:03"):
        assert told in text
    assert "PDF/A-2b" in text
    assert "<i>x" not in page
    assert "quá lớn <b>" not in page
    assert re.search(rf'href="/aips/{held.aip}/files/\d+/signatures"', page)
    plain = _text(reader.get(f"/dossiers/{held.aip}/documents/2").text)
    assert "Mã độc" not in plain


def test_the_evidence_is_shown_in_words(reader: Client, held: AipVersion) -> None:
    link = re.search(r'href="(/aips/[^"]*/signatures)"', reader.get(f"/dossiers/{held.aip}/documents/1").text)
    assert link
    page = reader.get(link[1]).text
    text = _text(page)
    for told in (
        "Nguyễn Văn A", "15/06/2026 14:00:00", "dấu thời gian của tài liệu", "toàn bộ bản được ký", "Đã bị sửa",
        "SIG-ALTERED", "Mất dấu", "20/05/2026 09:30:00", "2026-11-26",
    ):  # fmt: skip
        assert told in text, told
    assert "<script>" not in page
    download = re.search(r'href="(/api/aips/[^"]*examination/signatures/[^"]*[.]json)"', page)
    assert download
    assert reader.get(download[1]).json() == EVIDENCE
    reader.cookies.set("tangthu_language", "en")
    assert "Altered" in reader.get(link[1]).text


def test_the_api_tells_it_too(reader: Client, held: AipVersion) -> None:
    files = reader.get(f"/api/aips/{held.aip}/files").json()["files"]
    told = next(one for one in files if one["characteristics"])
    assert told["characteristics"] == FOUND.fields()
    signed = reader.get(f"/api/aips/{held.aip}/files/{told['number']}/signatures").json()
    assert signed["path"] == told["path"]
    assert signed["signatures"] == EVIDENCE["signatures"]
    assert (signed["reasons"], signed["report"]) == (EVIDENCE["reasons"], None)
    for number in (told["number"] + 1, 9999):
        assert reader.get(f"/api/aips/{held.aip}/files/{number}/signatures").status_code == 404
        assert reader.get(f"/aips/{held.aip}/files/{number}/signatures").status_code == 404


def test_the_dossier_and_the_list_of_files_show_it_in_short(reader: Client, held: AipVersion) -> None:
    text = _text(reader.get(f"/dossiers/{held.aip}").text)
    assert "✗ không hợp lệ: 1" in text
    assert "○ chưa quét: 1" in text
    files = _text(reader.get(f"/aips/{held.aip}/files").text)
    assert "✗ Chữ ký số: không hợp lệ" in files


def test_an_event_leads_to_the_evidence(library: Archive, reader: Client, held: AipVersion) -> None:
    member = next(one for one in library.catalogue.holdings.members(held.id) if "/signatures/" in one.path)
    links = (("File", f"{held.id}/data/van-ban.pdf"), ("member", member.path))
    event = Event(
        Event.derive(held.id, "signed"), held.id, EventType.DIGITAL_SIGNATURE_VALIDATION, NOW, "d", "INVALID", "n",
        Agent("a", "b"), None, links,
    )  # fmt: skip
    library.catalogue.events.append(held.id, [event], LogHead(2, b"\2" * 32))
    page = reader.get(f"/aips/{held.aip}/events").text
    assert f'href="/api/aips/{held.id}/content/{member.path}"' in page
    assert "✗ không hợp lệ" in page
    told = reader.get(f"/api/aips/{held.aip}/events").json()["events"][-1]
    assert told["links"] == [list(link) for link in links]


def test_evidence_that_no_replica_has_whole_is_not_shown(library: Archive, reader: Client, held: AipVersion) -> None:
    member = next(one for one in library.catalogue.holdings.members(held.id) if "/signatures/" in one.path)
    number = member.path.rpartition("/")[2].removesuffix(".json")
    flip(library.stores[STORES[0]], held.key, member.data + 9)
    assert reader.get(f"/aips/{held.aip}/files/{number}/signatures").status_code == 200
    flip(library.stores[STORES[1]], held.key, member.data + 9)
    assert reader.get(f"/api/aips/{held.aip}/files/{number}/signatures").json()["code"] == "damaged"


@pytest.mark.parametrize("language", list(Language))
def test_every_outcome_and_fact_has_words(language: Language) -> None:
    shown = Checks(language)
    words = [shown.validity(one).word for one in Validity]
    words += [shown.virus(one).word for one in Virus] + [shown.signature(one).word for one in SignatureOutcome]
    assert all(words)
    assert (shown.moment("2026-06-15"), shown.moment("x"), shown.moment("")) == ("", "", "")
    facts = Facts(width=5, encrypted=False, colour="RGB", height=None, bit_rate=64_000)
    assert next(row.value for row in shown.facts(facts)) == "5"
