"""Three agencies of Đồng Tháp transfer twelve dossiers, about eighty documents; two further packages are bad."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from demo import documents
from demo.documents import Letter, Organ
from demo.packages import Dossier, Files, Paper, bag, flipped, sip_hoso, write_folder, write_tar, write_zip
from demo.signing import Authority, sign
from metadata.text import Sentence

_DATA = Path(__file__).with_name("dossiers.toml")
_MADE = datetime(2025, 8, 1, 1, 30, tzinfo=UTC)
_SIGNS = {
    "Quyết định": "QĐ",
    "Nghị quyết": "NQ",
    "Chỉ thị": "CT",
    "Quy chế": "QC",
    "Thông báo": "TB",
    "Hướng dẫn": "HD",
    "Chương trình": "CTr",
    "Kế hoạch": "KH",
    "Phương án": "PA",
    "Đề án": "ĐA",
    "Báo cáo": "BC",
    "Tờ trình": "TTr",
    "Phiếu chuyển": "PC",
    "Biên bản": "BB",
    "Hợp đồng": "HĐ",
    "Công điện": "CĐ",
    "Giấy mời": "GM",
    "Bản vẽ kỹ thuật": "BV",
}

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Transfer:
    """A package as it lies in the agency's outgoing folder. ``flaw`` says what is wrong on purpose, None when good."""

    path: Path
    agency: str
    title: str
    documents: int
    flaw: Sentence | None = None


def write_transfers(folder: Path, on_progress: Progress = lambda done, total: None) -> list[Transfer]:
    """Write every package under ``folder``/<agency code>/; the same bytes each time, but for keys and signatures."""
    data = tomllib.loads(_DATA.read_text(encoding="utf-8"))
    agencies = {entry["code"]: entry for entry in data["agency"]}
    total = sum(len(entry["documents"]) for entry in data["dossier"])
    clerk = _Clerk(Authority.new(), on_progress, total)
    transfers: list[Transfer] = []
    sent: dict[str, int] = {}
    first: dict[str, Dossier] = {}
    for entry in data["dossier"]:
        agency = agencies[entry["agency"]]
        dossier = clerk.dossier(entry, agency)
        sent[dossier.agency] = sent.get(dossier.agency, 0) + 1
        first.setdefault(dossier.agency, dossier)
        path = _send(dossier, agency["form"], sent[dossier.agency], folder / dossier.agency)
        transfers.append(Transfer(path, dossier.agency, dossier.title, len(dossier.papers)))
    return transfers + list(_bad(first["H20.07"], first["H20.12"], folder))


def _send(dossier: Dossier, form: str, number: int, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    if form == "sip-folder":
        return write_folder(sip_hoso(dossier), folder / dossier.objid)
    if form == "sip-zip":
        return write_zip(sip_hoso(dossier), dossier.objid, folder / f"{number:02}_{dossier.objid}.zip")
    if number % 2:
        return write_folder(bag(dossier), folder / f"bag-{dossier.code}")
    return write_tar(bag(dossier), f"bag-{dossier.code}", folder / f"bag-{dossier.code}.tar.gz")


def _bad(first: Dossier, second: Dossier, folder: Path) -> Iterator[Transfer]:
    broken = replace(first, code=f"{first.code}B", title=f"{first.title} (gửi lại)")
    files = sip_hoso(broken)
    victim = f"representations/rep1/data/{broken.file_name(3)}"
    yield Transfer(
        write_folder(flipped(files, victim), folder / broken.agency / broken.objid),
        broken.agency,
        broken.title,
        len(broken.papers),
        Sentence("một bit trong một tệp bị lật trên đường truyền", "one bit of one file flipped on the way"),
    )
    escaping = replace(second, code=f"{second.code}B", title=f"{second.title} (gửi lại)")
    escaped: Files = {**sip_hoso(escaping), "../../thoat-ra-ngoai.txt": "Tệp này muốn ra ngoài gói tin.\n".encode()}
    yield Transfer(
        write_zip(escaped, escaping.objid, folder / escaping.agency / f"09_{escaping.objid}.zip"),
        escaping.agency,
        escaping.title,
        len(escaping.papers),
        Sentence("một đường dẫn trong tệp ZIP thoát ra ngoài gói tin", "a path in the ZIP leads out of the package"),
    )


class _Clerk:
    """Makes the documents of dossiers, and signs those that are to be signed."""

    def __init__(self, authority: Authority, on_progress: Progress, total: int) -> None:
        self._authority = authority
        self._signers: dict[str, Any] = {}
        self._on_progress = on_progress
        self._total = total
        self._done = 0

    def dossier(self, entry: Mapping[str, Any], agency: Mapping[str, str]) -> Dossier:
        own = Organ(agency["name"], agency["above"], agency["place"], agency["signer"], agency["post"])
        keywords = tuple(word.strip() for word in entry["keyword"].split(";"))
        papers = []
        for row in entry["documents"]:
            papers.append(self._paper(row, own, agency["short"], keywords))
            self._done += 1
            self._on_progress(self._done, self._total)
        return Dossier(
            agency["code"],
            agency["fonds"],
            agency["name"],
            f"{agency['code']}.{entry['year']}.{entry['notation']}",
            entry["title"],
            entry["keyword"],
            entry.get("mode", "01"),
            _MADE,
            tuple(papers),
        )

    def _paper(self, row: list[Any], own: Organ, short: str, keywords: tuple[str, ...]) -> Paper:
        kind, other, number, date, subject, form, *points = row
        organ, office = (own, short) if not other else _other(other)
        day, month, year = (int(part) for part in date.split("/"))
        sign_of = f"{_SIGNS[kind]}-{office}" if kind in _SIGNS else f"{office}-VP"
        letter = Letter(
            kind, organ, number, sign_of if number else "", day, month, year, subject, tuple(points), keywords
        )
        if form == "signed":
            return Paper(letter, "pdf", self._signed(letter))
        make = {
            "pdf": documents.pdf,
            "docx": documents.docx,
            "xlsx": documents.xlsx,
            "jpg": documents.jpg,
            "txt": documents.txt,
        }[form]
        return Paper(letter, form, make(letter))

    def _signed(self, letter: Letter) -> bytes:
        organ = letter.organ
        if organ.signer not in self._signers:
            self._signers[organ.signer] = self._authority.signer(organ.signer, organ.name)
        return sign(documents.pdf(letter), self._signers[organ.signer], "Phát hành văn bản", organ.place)


def _other(name: str) -> tuple[Organ, str]:
    """Another organ than the one that transfers, and its short name in notations."""
    place = " ".join(name.split()[-2:])
    above = "" if "tỉnh" in name else "HUYỆN THÁP MƯỜI" if " xã " in name else "TỈNH ĐỒNG THÁP"
    council = name.startswith("Hội đồng nhân dân")
    person = "Lưu Hoàng Ánh Dương" if council else "Châu Vĩnh Khang Ninh" if not above else "Trịnh Quốc Bảo Lâm"
    return Organ(name, above, place, person, "CHỦ TỊCH"), "HĐND" if council else "UBND"
