"""Where the PRONOM signature files are: those of the operator, or those that the distribution depends on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from metadata.errors import UsageError
from metadata.text import Sentence

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


def default_signatures() -> SignaturePaths:
    """The files that come with opf-fido. Raises UsageError when it has none."""
    spec = find_spec("fido")
    folder = Path(spec.origin).parent / "conf" if spec is not None and spec.origin else Path("conf")
    return _in(folder)


def signatures_in(folder: Path) -> SignaturePaths:
    """The operator's files in ``folder``; the default ones when there is no such folder. Raises UsageError."""
    return _in(folder) if folder.is_dir() else default_signatures()


def _in(folder: Path) -> SignaturePaths:
    binary = sorted(folder.glob("DROID_SignatureFile*.xml"))
    container = sorted(folder.glob("container-signature*.xml"))
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


def _number(path: Path) -> str:
    with path.open("rb") as stream:
        found = _VERSION.search(stream.read(4096))
    return (found[1] or found[2]).decode() if found else "?"
