"""Taking files out of a ZIP that we do not trust, into a temporary folder."""

from __future__ import annotations

from pathlib import Path

from ingest.guards import GuardLimits, NameGuard
from ingest.sources import Source, open_source
from ingest.sources.port import BrokenEntryError, EntryKind
from metadata.findings import Findings

_CHUNK = 1 << 20


class NotUnpackedError(Exception):
    """A ZIP that will not be unpacked; the argument says which rules it breaks."""


def unpack(archive: Path, target: Path, quarantine: Path, limits: GuardLimits) -> list[Path]:
    """Unpack every file of ``archive`` under the new folder ``target``; the files in the order of the archive.

    Raises NotUnpackedError, OSError.
    """
    findings = Findings()
    source = open_source(archive, quarantine, findings, limits)
    if source is None:
        raise NotUnpackedError(", ".join(findings.counts))
    try:
        return _unpack(source, target, findings, limits)
    except BrokenEntryError as error:
        raise NotUnpackedError(error.code) from error
    finally:
        source.close()


def _unpack(source: Source, target: Path, findings: Findings, limits: GuardLimits) -> list[Path]:
    guard = NameGuard(findings, limits)
    entries = [entry for entry in source.entries() if entry.kind is not EntryKind.FOLDER]
    bad = [entry for entry in entries if not guard.judge(entry.path) or entry.kind is not EntryKind.FILE]
    if len({entry.path.casefold() for entry in entries}) != len(entries):
        raise NotUnpackedError("SOURCE-TWICE")
    if bad or findings.refused:
        raise NotUnpackedError(", ".join(findings.counts) or "SOURCE-LINK")
    if sum(entry.size for entry in entries) > limits.bytes:
        raise NotUnpackedError("SOURCE-LARGE")
    made = []
    for entry in entries:
        path = target / entry.path
        path.parent.mkdir(parents=True, exist_ok=True)
        with source.open(entry.path) as stream, path.open("xb") as sink:
            while chunk := stream.read(_CHUNK):
                sink.write(chunk)
        made.append(path)
    return made
