"""What giving packages out needs, around a small archive."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from access.auth import TokenAuth
from access.dissemination.dip import Dip, make_dip
from access.search.memory import MemoryIndex
from access.services import AccessServices
from access.shelf import Shelf
from ingest.receipt import Receipt
from metadata.holdings import AipVersion
from metadata.tt05.dip import AccessRequest
from tests.builders.archive import AGENT, SmallArchive

REQUEST = AccessRequest(
    "YC-2026-0007", "2/7/2026", "02", "Giải quyết khiếu nại đất đai", "10", "Địa chính", "Cần gấp <trước> 10/7 & đủ"
)


def services_of(archive: SmallArchive, **changes: Any) -> AccessServices:
    """Access to a small archive, over its own stores."""
    by_id = {store.id: store for store in archive.stores}
    given: dict[str, Any] = {
        "catalogue": archive.catalogue,
        "index": MemoryIndex(),
        "open_store": by_id.__getitem__,
        "stores": tuple(by_id),
        "clock": archive.clock,
        "auth": TokenAuth("t" * 32, secure=False),
        "archive_name": "Lưu trữ lịch sử tỉnh Đồng Tháp",
    } | changes
    return AccessServices(**given)


def version_of(archive: SmallArchive, receipt: Receipt) -> AipVersion:
    """What was made of an accepted package."""
    return Shelf(archive.catalogue).held(str(receipt.aip))


def dip_of(
    archive: SmallArchive, receipt: Receipt, target: Path, chosen: Sequence[int] = (), **changes: Any
) -> Dip:  # fmt: skip
    """The DIP of an accepted package for ``REQUEST``."""
    return make_dip(
        services_of(archive, **changes), AGENT, archive.folder / "work", version_of(archive, receipt), REQUEST, target,
        chosen,
    )  # fmt: skip
