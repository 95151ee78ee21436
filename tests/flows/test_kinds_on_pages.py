"""Whatever kind of package it was, the reading room shows what became of it, in both languages."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi import FastAPI

from access.search.feeder import Feeder
from access.web import install
from tests.builders.archive import SmallArchive, small_archive
from tests.builders.browser import browser
from tests.builders.eark import build_eark
from tests.builders.giving import services_of
from tests.builders.packages import linked_document, sip_tailieu
from tests.builders.tt05 import documents, sip_hoso
from tests.flows.test_package_kinds import aip_hoso


@pytest.fixture
def archive(tmp_path: Path):
    with small_archive(tmp_path / "archive") as made:
        yield made


def linking(folder: Path) -> Path:
    return sip_hoso(folder, identity=uuid.UUID(int=2), contents=[*documents(1), linked_document(2, b"D0000002")])


@pytest.mark.parametrize(
    ("build", "shown"),
    [
        (sip_tailieu, ["Văn bản đi tháng 3 năm 2024", "H20.H20.05.2024.01.0000001"]),
        (aip_hoso, ["Đã tiếp nhận gói AIP_hoso của hệ thống khác.", "Tiếp nhận từ hệ thống khác"]),
        (lambda folder: build_eark(folder, "sip"), ["Hồ sơ 2025", "rep2/b/b.txt"]),
        (linking, ["Tài liệu liên kết đang lưu tại", "D0000002"]),
    ],
)
def test_every_page_of_what_was_taken_in(
    archive: SmallArchive, tmp_path: Path, build: Callable[[Path], Path], shown: list[str]
) -> None:
    if build is linking:
        archive.receive(sip_hoso(tmp_path / "held"), "first")
    receipt = archive.receive(build(tmp_path / "sent"))
    assert receipt.aip, receipt.findings
    services = services_of(archive)
    while Feeder(archive.catalogue, services.index).feed():
        pass
    application = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    install(application, services)
    pages = [
        f"/dossiers/{receipt.aip}",
        f"/dossiers/{receipt.aip}/documents/1",
        f"/dossiers/{receipt.aip}/documents/2",
        f"/aips/{receipt.aip}/events",
        f"/aips/{receipt.aip}/files",
        "/",
    ]
    with browser(application) as client:
        client.headers["Authorization"] = "Bearer " + "t" * 32
        for language in ("vi", "en"):
            answers = [client.get(page, params={"lang": language}) for page in pages]
            assert [answer.status_code for answer in answers] == [200] * len(pages), language
            if language == "vi":
                text = "".join(answer.text for answer in answers)
                assert [one for one in shown if one not in text] == []
