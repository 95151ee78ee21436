"""Evidence is fetched from allowed hosts only, verified before it is kept, and nothing that fails blocks anything."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler
from io import BytesIO
from typing import Any

import pytest

from metadata.errors import UsageError
from preservation.checkers import Checkers
from preservation.identification.data import default_signatures
from preservation.signatures.answering import Answerer
from preservation.signatures.checker import PyHankoChecker, equipment_of
from preservation.signatures.fetching import AllowedHost, Fetcher, FetchingChecker, allowed_hosts
from preservation.signatures.port import Question, SignatureReport
from preservation.signatures.trust import TrustStore
from preservation.workshop.local import LocalWorkshop
from preservation.workshop.pool import ChildWorkshop
from tests.builders.answering_server import AnsweringServer, answering_server
from tests.builders.signatures import (
    DAY,
    NOW,
    Holder,
    authority,
    certify,
    crl_of,
    day,
    ec_key,
    forge_page,
    ocsp_of,
    pdf,
    sign,
)
from tests.preservation.signature_cases import BAD, OPEN, VALID, ask, codes_of

HOUR = timedelta(hours=1)
DATES = (day("2025-01-01"), day("2029-01-01"))


@dataclass
class Direct:
    """A checker in this process."""

    store: TrustStore
    asked: list[datetime] = field(default_factory=list)

    def check(self, question: Question) -> SignatureReport:
        self.asked.append(question.at)
        return Answerer.of(self.store).answer(question)

    def close(self) -> None:
        pass


@pytest.fixture
def server() -> Iterator[AnsweringServer]:
    with answering_server() as made:
        yield made


@pytest.fixture
def other() -> Iterator[AnsweringServer]:
    with answering_server() as made:
        yield made


def lists() -> list[bytes]:
    """Of the root and of timestamps: the signer's certificate and its issuer's list are what is missing."""
    return [crl_of(authority()["root"]), crl_of(authority()["tsa-root"])]


def store() -> TrustStore:
    return authority().store(crls=lists())


def holder(number: int = 40, **urls: str) -> Holder:
    return certify(f"Fetched {number}", ec_key(number), authority()["inter"], DATES, **({"server": ""} | urls))


def look(
    document: bytes, hosts: str, trusted: TrustStore | None = None, *, seconds: float = 5.0, **more: Any
) -> SignatureReport:
    trusted = trusted or store()
    workshop = LocalWorkshop(equipment_of(trusted))
    fetcher = Fetcher(allowed_hosts(hosts), workshop, seconds, clock=lambda: NOW + HOUR)
    checker = FetchingChecker(Direct(trusted), fetcher)
    return checker.check(Question(BytesIO(document), NOW, NOW, **more))


def good(signer: Holder, revoked: datetime | None = None) -> bytes:
    return ocsp_of(signer, authority()["inter"], NOW - HOUR, NOW + DAY, revoked)


def here(server: AnsweringServer) -> str:
    return f"127.0.0.1:{server.port}"


def test_without_allowed_hosts_not_one_request_leaves(server: AnsweringServer) -> None:
    signer = holder(server=server.url("/ocsp"), lists=server.url("/crl"), issuers=server.url("/ca"))
    server.give("/ocsp", good(signer))
    document = sign(pdf(), signer)
    assert ask(document, store()).outcome is OPEN
    assert look(document, "").outcome is OPEN
    assert look(document, "ocsp.example.com").outcome is OPEN
    assert look(document, f"127.0.0.1:{server.port + 1}").outcome is OPEN
    assert server.asked == []


def test_an_ocsp_answer_is_fetched_verified_kept_and_enough_ten_years_later(server: AnsweringServer) -> None:
    signer = holder(server=server.url("/ocsp"))
    server.give("/ocsp", good(signer))
    document = sign(pdf(), signer)
    report = look(document, here(server))
    assert report.outcome is VALID, codes_of(report)
    assert [(method, path) for method, path, _ in server.asked] == [("POST", "/ocsp")]
    (row,) = report.evidence["fetched"]
    assert (row["url"], row["kind"], row["time"]) == (server.url("/ocsp"), "ocsp", (NOW + HOUR).isoformat())
    assert row["sha256"] in report.evidence["objects"]["ocsps"]
    assert report.evidence["proof_of_existence"] == (NOW + HOUR).isoformat()
    later = NOW + timedelta(days=3653)
    assert ask(document, authority().store(crls=[]), later).outcome is OPEN
    again = ask(document, authority().store(crls=[]), later, evidence=report.evidence)
    assert again.outcome is VALID
    assert again.evidence["fetched"] == report.evidence["fetched"]


def test_a_revocation_list_is_fetched(server: AnsweringServer) -> None:
    signer = holder(lists=server.url("/crl"))
    server.give("/crl", crl_of(authority()["inter"]))
    assert look(sign(pdf(), signer), here(server)).outcome is VALID
    assert [path for _, path, _ in server.asked] == ["/crl"]


def test_an_issuer_that_is_not_known_is_fetched_first(server: AnsweringServer) -> None:
    signer = holder(server=server.url("/ocsp"), issuers=server.url("/ca"))
    server.give("/ca", authority()["inter"].der)
    server.give("/ocsp", good(signer))
    assert look(sign(pdf(), signer, embed=()), here(server)).outcome is VALID
    assert [path for _, path, _ in server.asked] == ["/ca", "/ocsp"]


def test_an_answer_that_says_revoked_counts(server: AnsweringServer) -> None:
    signer = holder(server=server.url("/ocsp"))
    server.give("/ocsp", good(signer, NOW - DAY))
    report = look(sign(pdf(), signer), here(server))
    assert report.outcome is BAD
    assert "SIG-REVOKED" in codes_of(report)


def test_what_is_not_its_authoritys_is_not_kept(server: AnsweringServer) -> None:
    people = authority()
    signer = holder(server=server.url("/ocsp"), lists=server.url("/crl"))
    evil = certify("Inter", ec_key(41), people["evil"], DATES, authority=True)
    for answer in (
        ocsp_of(signer, evil, NOW - HOUR, NOW + DAY),
        ocsp_of(people["signer"], people["inter"], NOW - HOUR, NOW + DAY),
        b"",
        b"<html>",
        good(signer)[:-1],
    ):
        for listed in (crl_of(evil), crl_of(people["evil"]), b"\0" * 100):
            server.give("/ocsp", answer)
            server.give("/crl", listed)
            report = look(sign(pdf(), signer), here(server))
            assert report.outcome is OPEN
            assert "fetched" not in report.evidence


def test_an_issuer_that_did_not_issue_is_not_kept(server: AnsweringServer) -> None:
    signer = holder(issuers=server.url("/ca"), server="")
    server.give("/ca", authority()["root"].der)
    report = look(sign(pdf(), signer, embed=()), here(server))
    assert report.outcome is OPEN
    assert "fetched" not in report.evidence


def test_a_redirect_is_not_followed(server: AnsweringServer, other: AnsweringServer) -> None:
    signer = holder(server=server.url("/ocsp"))
    server.give("/ocsp", b"", 302, Location=other.url("/ocsp"))
    other.give("/ocsp", good(signer))
    assert look(sign(pdf(), signer), f"{here(server)}, {here(other)}").outcome is OPEN
    assert len(server.asked) == 1
    assert other.asked == []


@pytest.mark.parametrize("status", [204, 404, 500])
def test_another_status_is_no_answer(status: int, server: AnsweringServer) -> None:
    signer = holder(server=server.url("/ocsp"))
    server.give("/ocsp", good(signer), status)
    assert look(sign(pdf(), signer), here(server)).outcome is OPEN


def test_an_answer_that_is_too_large_or_cut_short_is_not_read(server: AnsweringServer) -> None:
    signer = holder(server=server.url("/ocsp"))
    server.give("/ocsp", good(signer) + bytes(1 << 20))
    assert look(sign(pdf(), signer), here(server)).outcome is OPEN
    data = good(signer)
    server.answers["/ocsp"] = (200, {"Content-Length": str(len(data) + 5)}, data)
    assert look(sign(pdf(), signer), here(server), seconds=1.0).outcome is OPEN


def test_a_server_that_drips_does_not_hold_us(server: AnsweringServer) -> None:
    def drip(handler: BaseHTTPRequestHandler) -> None:
        try:
            for _ in range(300):
                handler.wfile.write(b"H")
                handler.wfile.flush()
                time.sleep(0.1)
        except OSError:
            return

    signer = holder(server=server.url("/ocsp"))
    server.answers["/ocsp"] = drip
    begun = time.monotonic()
    assert look(sign(pdf(), signer), here(server), seconds=0.5).outcome is OPEN
    assert time.monotonic() - begun < 20


def test_a_server_that_is_not_there(server: AnsweringServer) -> None:
    signer = holder(server="http://127.0.0.1:9/ocsp")
    assert look(sign(pdf(), signer), "127.0.0.1:9").outcome is OPEN


def test_a_name_is_asked_at_public_addresses_only_unless_a_network_is_allowed(server: AnsweringServer) -> None:
    signer = holder(server=server.url("/ocsp", "localhost"))
    server.give("/ocsp", good(signer))
    document = sign(pdf(), signer)
    assert look(document, f"localhost:{server.port}").outcome is OPEN
    assert look(document, f"localhost:{server.port}@10.0.0.0/8").outcome is OPEN
    assert server.asked == []
    assert look(document, f"localhost:{server.port}@127.0.0.0/8").outcome is VALID


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1:{port}/ocsp",
        "file:///etc/passwd",
        "ldap://127.0.0.1:{port}/cn=a",
        "gopher://127.0.0.1:{port}/a",
        "http://127.0.0.1:{port}@169.254.169.254/",
        "http://nguoi:mat-khau@127.0.0.1:{port}/ocsp",
        "http://169.254.169.254/latest/meta-data",
        "http://[::1]:{port}/ocsp",
        "http://2130706433:{port}/ocsp",
        "http://127.0.0.1:{port}/a b",
        "http://127.0.0.1:99999999/",
        "//127.0.0.1:{port}/ocsp",
        "",
    ],
)
def test_other_addresses_are_not_asked(url: str, server: AnsweringServer) -> None:
    signer = holder(server=url.format(port=server.port) or "x:", lists=url.format(port=server.port))
    assert look(sign(pdf(), signer), here(server)).outcome is OPEN
    assert server.asked == []


def test_of_one_file_not_more_is_asked_than_allowed(server: AnsweringServer) -> None:
    document = pdf()
    for number in range(16):
        signer = holder(50 + number, server=server.url(f"/{number}"))
        document = sign(document, signer, name=f"Sig{number}")
    assert look(document, here(server)).outcome is OPEN
    assert len(server.asked) == 12


def test_what_was_asked_lately_is_not_asked_again(server: AnsweringServer) -> None:
    """Many files of one signer, and a server that does not answer, cost one request."""
    signer, lost = holder(server=server.url("/ocsp")), holder(42, server=server.url("/none"))
    server.give("/ocsp", good(signer))
    fetcher = Fetcher(allowed_hosts(here(server)), LocalWorkshop(equipment_of(store())), clock=lambda: NOW + HOUR)
    checker = FetchingChecker(Direct(store()), fetcher)
    for _ in range(3):
        for who, outcome in ((signer, VALID), (lost, OPEN)):
            assert checker.check(Question(BytesIO(sign(pdf(), who)), NOW, NOW)).outcome is outcome
    assert sorted(path for _, path, _ in server.asked) == ["/none", "/ocsp"]


def test_nothing_is_fetched_for_what_is_invalid_or_unsigned(server: AnsweringServer) -> None:
    signer = holder(server=server.url("/ocsp"))
    server.give("/ocsp", good(signer))
    assert look(forge_page(sign(pdf(), signer)), here(server)).outcome is BAD
    assert look(pdf(), here(server)).outcome is None
    assert server.asked == []


def test_older_evidence_keeps_its_time(server: AnsweringServer) -> None:
    """What is fetched later says nothing of then, and does not move the proof."""
    signer = holder(server=server.url("/ocsp"))
    document = sign(pdf(), signer)
    first = ask(document, store())
    server.give("/ocsp", ocsp_of(signer, authority()["inter"], NOW + HOUR, NOW + 9 * DAY))
    workshop = LocalWorkshop(equipment_of(store()))
    checker = FetchingChecker(Direct(store()), Fetcher(allowed_hosts(here(server)), workshop))
    question = Question(BytesIO(document), NOW + 2 * DAY, NOW + 2 * DAY, evidence=first.evidence)
    report = checker.check(question)
    assert report.evidence["proof_of_existence"] == first.evidence["proof_of_existence"]
    assert len(report.evidence["fetched"]) == 1


def test_in_a_child(server: AnsweringServer) -> None:
    """The child parses; this process alone uses the network."""
    signer = holder(server=server.url("/ocsp"))
    server.give("/ocsp", good(signer))
    workshop = ChildWorkshop(equipment_of(store()), children=1)
    try:
        fetcher = Fetcher(allowed_hosts(here(server)), workshop, clock=lambda: NOW + HOUR)
        checker = FetchingChecker(PyHankoChecker(store(), workshop), fetcher)
        with tempfile.TemporaryFile() as file:
            file.write(sign(pdf(), signer))
            file.seek(0)
            assert checker.check(Question(file, NOW, NOW)).outcome is VALID
    finally:
        workshop.close()
    assert len(server.asked) == 1


def test_an_archive_fetches_only_when_hosts_are_set() -> None:
    with Checkers(default_signatures(), store(), 1) as plain:
        assert isinstance(plain.signatures, PyHankoChecker)
    with Checkers(default_signatures(), store(), 1, allowed_hosts("ocsp.ca.gov.vn")) as made:
        assert isinstance(made.signatures, FetchingChecker)


@pytest.mark.parametrize("text", ["a/b", "a@b", "a:b", "a:99999", "@10.0.0.0/8", "http://a", "a@10.0.0.1/8"])
def test_a_host_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        allowed_hosts(text)


def test_hosts_of_a_setting() -> None:
    assert allowed_hosts("") == ()
    first, second = allowed_hosts("OCSP.ca.gov.vn, noi-bo:8080@10.0.0.0/8")
    assert first == AllowedHost("ocsp.ca.gov.vn", 80)
    assert (second.host, second.port, str(second.network)) == ("noi-bo", 8080, "10.0.0.0/8")
