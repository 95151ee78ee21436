"""The pack desk: workbooks and files that people hand in, made into packages that can be taken away for a while."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from administration.desk import Advance, Desk, DeskBounds, Upload
from ingest.guards import GuardLimits
from ingest.packing import Packed, PackResult, pack
from metadata.canonical import canonical
from metadata.findings import Finding
from metadata.text import Sentence
from metadata.tt05.sip import Sender

if TYPE_CHECKING:
    from administration.archive import Archive

SOURCE, FILES = "source", "files"
"""The groups of files that are handed in: the workbook (or the XML documents), and what it describes."""
_OUT = "out"
_UNPACKED = 5
"""How many times as large as an upload what its ZIP holds may be: scans and PDF shrink little."""


@dataclass(frozen=True, slots=True)
class PackOrder:
    """How to pack. ``partial``: the dossiers without an error are packed though others have one."""

    sender: Sender
    partial: bool = False
    first_number: int = 1


class PackDesk(Desk):
    """Packs submissions, one after the other. Progress is in documents."""

    prefix = "packed-"
    result = "result.json"
    too_many = Sentence(
        "Đang có quá nhiều đợt nộp chờ đóng gói. Hãy thử lại sau ít phút.",
        "Too many submissions wait to be packed. Try again in a few minutes.",
    )
    not_kept = Sentence(
        "Không có kết quả đóng gói này: kết quả chỉ được giữ trong một thời gian ngắn. Hãy đóng gói lại.",
        "There is no such result: results are kept for a short time only. Pack again.",
    )

    @property
    def too_large(self) -> Sentence:
        megabytes, files = self.bounds.upload // 1_000_000, self.bounds.files
        return Sentence(
            f"Trang này nhận nhiều nhất {megabytes} MB và {files} tệp mỗi lần. Hãy chia nhỏ đợt nộp, hoặc đóng gói "
            "ngay trên máy bằng «tangthu pack».",
            f"This page takes at most {megabytes} MB and {files} files at a time. Divide the submission, or pack it on "
            "your own machine with “tangthu pack”.",
        )

    @classmethod
    def of(cls, archive: Archive) -> Self:
        """The desk of an archive, as its settings say."""
        settings = archive.settings
        upload = settings.count("packs.max_bytes")
        bounds = DeskBounds(
            upload=upload,
            open=settings.count("packs.max_open"),
            kept=settings.count("packs.max_kept"),
            keep=timedelta(minutes=settings.number("packs.keep_minutes")),
            guards=GuardLimits(
                files=settings.count("limits.max_files"),
                bytes=min(settings.count("limits.max_bytes"), upload * _UNPACKED),
                ratio=settings.count("limits.max_ratio"),
            ),
            files=settings.count("packs.max_files"),
        )
        return cls(settings.work_folder, bounds, archive.clock)

    def pack(self, upload: Upload, order: PackOrder) -> str:
        """Everything is written: pack it. The id of the result. Raises NoSpace.

        ``upload`` has at least one file in the group ``source``; one ZIP alone in the group ``files`` is unpacked.
        """
        upload.end()

        def work(place: Path, advance: Advance) -> None:
            source, files = upload.folder / SOURCE, upload.folder / FILES
            files.mkdir(exist_ok=True)
            made = pack(
                _only(source) or source,
                _zip(files) or files,
                place / _OUT,
                order.sender,
                first_number=order.first_number,
                partial=order.partial,
                limits=self.bounds.guards,
                on_progress=advance,
            )
            (place / "new").write_text(_to_json(made, order), encoding="utf-8")
            (place / "new").rename(place / self.result)

        return self.submit(upload, work)

    def order(self, pack_id: str) -> PackOrder:
        """How it was asked for. Raises as :meth:`packed`."""
        fields = json.loads(self.done(pack_id).read_text(encoding="utf-8"))["order"]
        sender = Sender(fields["agency"], fields["fonds"], fields["agreement"])
        return PackOrder(sender, fields["partial"], fields["first_number"])

    def packed(self, pack_id: str) -> PackResult:
        """What came of it. Raises NotFound; Busy while it is not done; what it failed of."""
        return _of_json(self.done(pack_id).read_text(encoding="utf-8"), self.place(pack_id) / _OUT)


def all_files(result: PackResult) -> list[Path]:
    """Everything that was written: packages, then lists."""
    return [*(one.path for one in result.packages), *result.lists]


def _only(folder: Path) -> Path | None:
    """The one file of a folder, None when there are more."""
    found = [path for path in folder.rglob("*") if path.is_file()]
    return found[0] if len(found) == 1 else None


def _zip(folder: Path) -> Path | None:
    path = _only(folder)
    return path if path is not None and zipfile.is_zipfile(path) and path.suffix.lower() == ".zip" else None


def _to_json(result: PackResult, order: PackOrder) -> str:
    fields: dict[str, Any] = {
        "order": {
            "agency": order.sender.agency,
            "fonds": order.sender.fonds,
            "agreement": order.sender.agreement,
            "partial": order.partial,
            "first_number": order.first_number,
        },
        "packages": [
            {
                "path": one.path.name,
                "objid": one.objid,
                "code": one.code,
                "title": one.title,
                "documents": one.documents,
                "bytes": one.bytes,
            }
            for one in result.packages
        ],
        "lists": [path.name for path in result.lists],
        "findings": [one.fields() for one in result.findings],
        "counts": dict(result.counts),
    }
    return canonical(fields)


def _of_json(text: str, folder: Path) -> PackResult:
    fields = json.loads(text)
    packages = [Packed(**(one | {"path": folder / one["path"]})) for one in fields["packages"]]
    findings = [Finding.of_fields(one) for one in fields["findings"]]
    lists = tuple(folder / name for name in fields["lists"])
    return PackResult(tuple(packages), lists, tuple(findings), fields["counts"])
