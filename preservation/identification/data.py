"""Where the PRONOM signature files are: those of the operator, or those that the distribution depends on."""

from __future__ import annotations

import hashlib
import re
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from metadata.errors import UsageError
from metadata.events import Agent
from metadata.refusal import DocumentRefused
from metadata.text import Sentence
from preservation.identification.pronom.signature_file import read_signature_files

_VERSION = re.compile(rb'\bVersion="(\d+)"|signatureVersion="(\d+)"')
_DATE = re.compile(r"(\d{8})")


@dataclass(frozen=True, slots=True)
class SignaturePaths:
    """``binary`` is DROID_SignatureFile_Vnnn.xml, ``container`` is container-signature-yyyymmdd.xml."""

    binary: Path
    container: Path

    @property
    def version(self) -> str:
        """Both, for events: ``PRONOM V122, containers 20260119``. Raises OSError."""
        date = _DATE.search(self.container.name)
        return f"PRONOM V{_number(self.binary)}, containers {date[1] if date else _number(self.container)}"

    @property
    def agent(self) -> Agent:
        """Both files as a PREMIS agent, with the SHA-256 of the two one after the other. Raises OSError."""
        digest = hashlib.sha256()
        for path in (self.binary, self.container):
            digest.update(path.read_bytes())
        return Agent(f"pronom-signatures:sha256:{digest.hexdigest()}", self.version)


def default_signatures() -> SignaturePaths:
    """The files that come with opf-fido. Raises UsageError when it has none."""
    spec = find_spec("fido")
    folder = Path(spec.origin).parent / "conf" if spec is not None and spec.origin else Path("conf")
    return _in(folder)


def signatures_in(folder: Path) -> SignaturePaths:
    """The operator's files in ``folder``; the default ones when there is no such folder. Raises UsageError."""
    return _in(folder) if folder.is_dir() else default_signatures()


def _in(folder: Path) -> SignaturePaths:
    binary = sorted(folder.glob("DROID_SignatureFile*.xml"), key=_age)
    container = sorted(folder.glob("container-signature*.xml"), key=_age)
    if not binary or not container:
        raise UsageError(
            Sentence(
                f"Không thấy tệp chữ ký PRONOM trong {folder}: cần DROID_SignatureFile_V….xml và "
                "container-signature-….xml.",
                f"No PRONOM signature files in {folder}: DROID_SignatureFile_V….xml and container-signature-….xml "
                "are needed.",
            )
        )
    return SignaturePaths(binary[-1], container[-1])


def install_signatures(folder: Path, binary: Path, container: Path) -> tuple[SignaturePaths, int]:
    """Read both files on trial and copy them into ``folder`` with their digests; give them and how many signatures.

    The file of digests is written last. Raises UsageError when they are not what they should be; OSError.
    """
    try:
        read = read_signature_files(binary, container)
    except (DocumentRefused, ValueError, KeyError) as error:
        raise UsageError(
            Sentence(f"Không phải tệp chữ ký PRONOM: {error}.", f"Not PRONOM signature files: {error}.")
        ) from error
    given = SignaturePaths(binary, container)
    folder.mkdir(parents=True, exist_ok=True)
    number, date = _numbers_in(given.version)
    kept = SignaturePaths(folder / f"DROID_SignatureFile_V{number}.xml", folder / f"container-signature-{date}.xml")
    lines = []
    for source, target in ((binary, kept.binary), (container, kept.container)):
        data = source.read_bytes()
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
            file.write(data)
        Path(file.name).replace(target)
        lines.append(f"{hashlib.sha256(data).hexdigest()}  {target.name}\n")
    with (folder / "SHA256SUMS").open("a", encoding="utf-8") as sums:
        sums.writelines(lines)
    return kept, len(read.signatures) + len(read.containers)


def _numbers_in(version: str) -> tuple[str, str]:
    found = re.findall(r"\d+", version)
    return (found[0], found[1]) if len(found) > 1 else ("0", "0")


def _age(path: Path) -> tuple[int, str]:
    found = re.findall(r"\d+", path.stem)
    return int(found[-1]) if found else 0, path.name


def _number(path: Path) -> str:
    with path.open("rb") as stream:
        found = _VERSION.search(stream.read(4096))
    return (found[1] or found[2]).decode() if found else "?"
