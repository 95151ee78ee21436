"""Packing a submission: read what the agency has, find what is missing, write the packages and their lists."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from ingest.packing.result import PackResult
from metadata.tt05.sip import Sender


def pack(
    source: Path,
    files: Path | None,
    out: Path,
    sender: Sender,
    *,
    mapping: str | Path | None = None,
    first_number: int = 1,
    partial: bool = False,
    dossier: Mapping[str, str] | None = None,
    created: datetime | None = None,
    on_progress: Callable[[int, int], None] = lambda *_: None,
) -> PackResult:
    """Write every dossier of ``source`` as a SIP_hoso ZIP into the new folder ``out``, with the lists of the submission.

    ``source`` is a workbook (.xlsx), an XML export or edXML message, or a folder of those; ``files`` is the folder (or
    a ZIP) of the documents' files, by default the folder that ``source`` is in. ``mapping`` is the name of a mapping
    that is shipped or the path of one (``docs/packing.md``); by default the source itself says which it is.
    ``first_number`` is the STT of the first package in the submission. ``dossier`` gives fields of the dossier that
    edXML messages belong to. ``created`` is written as the packages' time, by default when the source was last changed.
    ``on_progress`` is told documents done and documents in all.

    Nothing is written when an error was found, unless ``partial``: then the dossiers without one are. ``out`` appears
    whole or not at all. Raises AlreadyExists (``out`` is there), NotFound (``source`` or ``files`` is not), UsageError
    (no such mapping), OSError.
    """
    raise NotImplementedError
