"""Content files made to hurt who reads them (hostile input, D 69-71 and 74-76): each through the real workshop.

A file that stalls or kills its reader costs that answer only; nothing reaches for the network.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from metadata.outcomes import SignatureOutcome, Validity
from preservation.identification.identifier import LIMITS as IDENTIFY_LIMITS
from preservation.identification.port import WINDOW, Sample
from preservation.signatures.checker import LIMITS as SIGNATURE_LIMITS
from preservation.workshop.port import TaskLimits
from tests.builders.bombs import PDF_BOMBS
from tests.builders.examining import Checks, checks
from tests.builders.pdfs import one_page, stream
from tests.builders.samples import ENDLESS_MP3, word_document
from tests.builders.signatures import Holder, authority, cades, pdf, sign

# Far below the house's limits of processor time, so that a killed parser costs a test little.
SHORT = TaskLimits(seconds=20.0, cpu_seconds=2)
LONG_AGO, LONG_AFTER = datetime(2020, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
OLE = bytes.fromhex("d0cf11e0a1b11ae1")


@pytest.fixture(scope="module")
def short() -> Iterator[Checks]:
    with checks(SHORT) as made:
        # What is loaded once is loaded here.
        made.all("tốt.pdf", pdf())
        yield made


@pytest.mark.parametrize("kind", PDF_BOMBS)
def test_pdfs_that_are_bombs(kind: str, short: Checks) -> None:
    data = PDF_BOMBS[kind]()
    began, before = time.monotonic(), short.workshop.lost
    found = short.all("bom.pdf", data)
    lost = short.workshop.lost - before
    # Three tasks, and as much again for a machine that does much else.
    assert time.monotonic() - began < 6 * SHORT.seconds + 60
    assert found.format.mime == "application/pdf"
    assert isinstance(found.inspection.validity, Validity)
    assert found.signatures.outcome in (None, SignatureOutcome.UNREADABLE)
    if kind == "69 xref stream of a milliard":
        assert found.signatures.reasons[0].code in ("SIG-FILE-STALLED", "SIG-FILE-CRASHED")
        assert lost
    if "contents packed" in kind:
        assert (found.inspection.validity, lost) == (Validity.UNREADABLE, 0)
    after = short.all("tốt.pdf", pdf())
    assert (str(after.format.puid), after.inspection.facts.pages, after.signatures.outcome) == ("fmt/276", 1, None)


def test_the_limits_of_the_house() -> None:
    assert TaskLimits(10.0, 20) == IDENTIFY_LIMITS
    assert TaskLimits(45.0, 40) == SIGNATURE_LIMITS


# 74: files that ask for the network


@pytest.fixture(scope="module")
def listener() -> Iterator[tuple[int, list[bytes]]]:
    """A port of this machine, and the first bytes of whatever came to it."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def listen() -> None:
            while True:
                try:
                    line, _ = server.accept()
                except OSError:
                    return
                with line:
                    heard.append(line.recv(200))

        threading.Thread(target=listen, daemon=True).start()
        with socket.create_connection(("127.0.0.1", port)) as line:
            line.sendall(b"proof")
        while not heard:
            time.sleep(0.01)
        yield port, heard
        server.shutdown(socket.SHUT_RDWR)


def asking_signer(port: int) -> Holder:
    """A signer whose certificate names servers for everything: its issuer, its revocation, lists, policies."""

    def at(path: str) -> x509.UniformResourceIdentifier:
        return x509.UniformResourceIdentifier(f"http://127.0.0.1:{port}/{path}")

    key, issuer = ec.derive_private_key(4242, ec.SECP256R1()), authority()["inter"]
    access = [
        x509.AccessDescription(AuthorityInformationAccessOID.OCSP, at("ocsp")),
        x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, at("issuer.cer")),
    ]
    point = x509.DistributionPoint([at("list.crl")], None, None, None)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Asking")]))
        .issuer_name(issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(4242)
        .not_valid_before(LONG_AGO)
        .not_valid_after(LONG_AFTER)
        .add_extension(x509.KeyUsage(True, True, False, False, False, False, False, False, False), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), critical=False)
        .add_extension(x509.AuthorityInformationAccess(access), critical=False)
        .add_extension(x509.CRLDistributionPoints([point]), critical=False)
        .add_extension(x509.FreshestCRL([point]), critical=False)
        .sign(issuer.key, hashes.SHA256())
    )
    return Holder(certificate, key)


def asking_pdf(port: int) -> bytes:
    """A page whose contents, picture and actions are said to lie on a server."""
    at = b"<</FS/URL/F(http://127.0.0.1:%d/%b)>>"
    contents = stream(b"", b"/F" + at % (port, b"contents"))
    action = b"<</S/URI/URI(http://127.0.0.1:%d/open)>>" % port
    form = b"<</S/SubmitForm/F" + at % (port, b"form") + b">>"
    asks = b"/AA<</WC %b/WS %b>>/OpenAction %b" % (action, form, action)
    image = stream(b"", b"/Type/XObject/Subtype/Image/Width 1/Height 1/F" + at % (port, b"image"))
    return one_page(contents, b"<</XObject<</I 5 0 R>>>>", image, catalogue=asks)


def test_no_request_leaves(short: Checks, listener: tuple[int, list[bytes]], monkeypatch: pytest.MonkeyPatch) -> None:
    port, heard = listener
    monkeypatch.setitem(authority().holders, "asking", asking_signer(port))  # type: ignore[arg-type]
    xml = f'<!DOCTYPE a SYSTEM "http://127.0.0.1:{port}/a.dtd" [<!ENTITY e SYSTEM "http://127.0.0.1:{port}/e">]><a>&e;</a>'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg"><image href="http://127.0.0.1:{port}/x.png"/></svg>'
    content = b"Noi dung"
    files = {
        "ký.pdf": (sign(pdf(), "asking"), None),
        "nội dung.docx.p7s": (cades(content, "asking"), content),
        "xa.pdf": (asking_pdf(port), None),
        "xa.xml": (xml.encode(), None),
        "xa.svg": (svg.encode(), None),
    }
    for name, (data, beside) in files.items():
        found = short.all(name, data, beside)
        assert found.signatures.signed == name.endswith(("ký.pdf", ".p7s"))
    assert heard == [b"proof"]


# 75, 76: files that make an identifier try again and again


STALLERS = {
    "75 MP3 frames": ENDLESS_MP3,
    "75 MP3 frames alone": b"\xff\xfb\x90" * 60_000,
    "76 ZIP members": b"PK\3\4" * 50_000,
    "76 ZIP members and text": b"PK\3\4*" * 50_000,
    "76 ZIP directories": b"PK\3\4" + b"PK\1\2" * 50_000,
    "76 ZIP ends": b"PK\3\4" + b"PK\5\6" * 50_000,
    "76 ZIP64 ends": b"PK\3\4" + b"PK\6\7" * 50_000,
    "76 OLE2 loop": OLE + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(34) + bytes(180_000),
    "76 braces": b"{\\rtf1" + b"{}" * 90_000,
    "76 XML": b"<?xml version='1.0'?>" + b"<a xmlns='x'>" * 20_000,
}


@pytest.mark.parametrize("kind", STALLERS)
def test_files_that_stall_identifiers(kind: str, short: Checks, tmp_path: Path) -> None:
    data, spool = STALLERS[kind], tmp_path / "spool"
    spool.write_bytes(data)
    before = short.workshop.lost
    found = short.identifier.identify(Sample("tên.mp3", len(data), data[:WINDOW], data[-WINDOW:], spool))
    assert short.workshop.lost == before
    assert found.basis in ("signature", "container", "extension", "text", "none")
    assert "giây" not in found.warning
    for name in ("tên.mp3", "tên.docx", "tên.pdf"):
        assert not short.all(name, data).stalled
    assert short.workshop.lost == before


def test_a_document_after_all_that_is_told_rightly(short: Checks) -> None:
    found = short.all("công văn.docx", word_document())
    assert (str(found.format.puid), found.format.basis) == ("fmt/412", "container")
