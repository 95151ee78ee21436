"""Restoring one AIP on trial: copied out of a store, unpacked as anybody would unpack it, every file held against the
bag's own manifests and against the catalogue."""

from __future__ import annotations

import hashlib
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from metadata.bagit import BagSyntax, iter_manifest, leaves_root
from metadata.catalogue import Catalogue
from metadata.errors import NoSpace
from metadata.holdings import AipVersion
from metadata.text import Sentence
from preservation.checks import describe
from storage.aip.verify import verify_object
from storage.port import Store

_PIECE = 1 << 20
_SPARE = 64 << 20
_MOST = 100
MANIFESTS = ("manifest-sha256.txt", "manifest-sha512.txt", "tagmanifest-sha256.txt", "tagmanifest-sha512.txt")


@dataclass(slots=True)
class Trial:
    """What came of it: how many files and bytes were unpacked, and the first hundred sentences on what is wrong."""

    files: int = 0
    size: int = 0
    problems: list[Sentence] = field(default_factory=list)

    def wrong(self, path: str, vi: str, en: str) -> None:
        """Note what is wrong with a file."""
        if len(self.problems) < _MOST:
            self.problems.append(Sentence(f"{path}: {vi}", f"{path}: {en}"))


def restore_aip(catalogue: Catalogue, store: Store, version: AipVersion, scratch: Path) -> Trial:
    """Take the AIP out of ``store`` into ``scratch`` and validate it there; the folder is left with what was unpacked.

    Raises NoSpace when there is no room for twice its size, NotFound, StoreUnavailable.
    """
    if shutil.disk_usage(scratch).free < 2 * version.size + _SPARE:
        raise NoSpace(
            Sentence(
                f"{scratch} không đủ chỗ để phục hồi thử {version.id}.",
                f"There is no room in {scratch} to restore {version.id} on trial.",
            )
        )
    trial = Trial()
    packed = scratch / "aip.zip"
    _copy(store, version, packed, trial)
    unpack(packed, scratch, version.id.root, trial)
    packed.unlink()
    validate(scratch / version.id.root, trial)
    _compare(catalogue, version, scratch / version.id.root, trial)
    # What others' readers overlook (the bytes between and after the members) our own verifier does not.
    verdict = verify_object(store, version.key, catalogue.holdings.members(version.id))
    if verdict.outcome.damaged and not trial.problems:
        trial.wrong(version.key, describe(verdict), describe(verdict))
    return trial


def _copy(store: Store, version: AipVersion, target: Path, trial: Trial) -> None:
    left = version.size
    with store.open(version.key) as stream, target.open("wb") as out:
        while left > 0 and (data := stream.read(min(_PIECE, left))):
            out.write(data)
            left -= len(data)
        longer = left == 0 and bool(stream.read(1))
    if left or longer:
        size, sign = version.size - left, "≥ " if longer else ""
        trial.wrong(version.key, f"dài {sign}{size + longer} byte", f"has {sign}{size + longer} bytes")


def unpack(packed: Path, folder: Path, root: str, trial: Trial) -> None:
    """Unpack a ZIP by Python's own reader, which shares nothing with ours; what would leave ``root`` is not written,
    nor what is compressed: all that lies in an AIP fits into its size."""
    left = packed.stat().st_size
    try:
        with zipfile.ZipFile(packed) as archive:
            for info in archive.infolist():
                inside = info.filename.removeprefix(f"{root}/")
                if inside == info.filename or leaves_root(inside):
                    trial.wrong(info.filename, "nằm ngoài thư mục gói", "lies outside the bag")
                    continue
                if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1 or info.file_size > left:
                    trial.wrong(
                        inside, "nén, mã hóa hoặc chồng lên tệp khác", "is packed, encrypted, or lies over others"
                    )
                    continue
                left -= info.file_size
                target = folder / root / inside
                try:
                    target.parent.mkdir(parents=True, exist_ok=True)
                    with archive.open(info) as source, target.open("xb") as out:
                        shutil.copyfileobj(source, out, _PIECE)
                except (OSError, zipfile.BadZipFile, EOFError) as error:
                    trial.wrong(inside, f"không mở ra được ({error})", f"cannot be unpacked ({error})")
                    continue
                trial.files += 1
                trial.size += info.file_size
    except (OSError, zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        trial.wrong(packed.name, f"không phải ZIP đọc được ({error})", f"is no ZIP that can be read ({error})")


def validate(bag: Path, trial: Trial) -> None:
    """Hold a bag on disk against its four manifests: each file listed, there, and of its digest (RFC 8493 §3)."""
    for name in MANIFESTS:
        manifest = bag / name
        if not manifest.is_file():
            trial.wrong(name, "không có", "is not there")
            continue
        listed = 0
        try:
            with manifest.open("rb") as stream:
                for line in iter_manifest(stream, name):
                    listed += 1
                    _validate_line(bag, name, line.path, line.digest_hex, trial)
        except BagSyntax as error:
            trial.wrong(name, error.sentence.vi, error.sentence.en)
        expected = sum(1 for _ in _files(bag)) if not name.startswith("tag") else listed
        if expected != listed:
            trial.wrong(name, f"kê {listed} tệp, có {expected}", f"lists {listed} files, there are {expected}")


def _validate_line(bag: Path, manifest: str, path: str, digest: str, trial: Trial) -> None:
    try:
        with (bag / path).open("rb") as stream:
            found = hashlib.file_digest(stream, "sha512" if "sha512" in manifest else "sha256").hexdigest()
    except OSError:
        trial.wrong(path, f"có trong {manifest} nhưng không có trong gói", f"is in {manifest} and not in the bag")
        return
    if found != digest.lower():
        trial.wrong(path, f"không khớp {manifest}", f"does not match {manifest}")


def _files(bag: Path) -> Iterator[Path]:
    return (path for path in (bag / "data").rglob("*") if path.is_file())


def _compare(catalogue: Catalogue, version: AipVersion, bag: Path, trial: Trial) -> None:
    """Every member that the catalogue knows is there with its size and digest."""
    count = 0
    for member in catalogue.holdings.members(version.id):
        count += 1
        path = bag / member.path
        try:
            if path.stat().st_size != member.size:
                trial.wrong(member.path, "khác kích thước trong danh mục", "is not of the size in the catalogue")
            elif not member.path.startswith("data/"):
                with path.open("rb") as stream:
                    if hashlib.file_digest(stream, "sha256").digest() != member.sha256:
                        trial.wrong(member.path, "khác mã băm trong danh mục", "is not of the digest in the catalogue")
        except OSError:
            trial.wrong(
                member.path, "có trong danh mục nhưng không có trong gói", "is in the catalogue, not in the bag"
            )
    if count != trial.files:
        trial.wrong(str(version.id), f"danh mục có {count} tệp, gói có {trial.files}",
                    f"the catalogue has {count} files, the bag {trial.files}")  # fmt: skip
