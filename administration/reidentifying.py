"""Telling formats anew over many versions, and what came of it as people and programs see it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from administration.archive import Archive
from metadata.errors import TangThuError, TemporaryError
from metadata.holdings import AipVersion, Format
from metadata.identifiers import VersionId
from metadata.retelling import Retold
from metadata.text import Sentence
from preservation.checks import Progress

_KEPT = 1000
_SHOWN = 50


@dataclass(slots=True)
class ReidentifyReport:
    """Counts of versions and files; the first 1,000 changes and failures. ``postponed`` versions must be tried again,
    ``skipped`` were looked at by these signature files before, ``unreadable`` files no store gave as they should be."""

    signatures: str
    agent: str
    versions: int = 0
    skipped: int = 0
    postponed: int = 0
    files: int = 0
    changed: int = 0
    unreadable: int = 0
    changes: list[tuple[VersionId, Retold]] = field(default_factory=list)
    failed: list[tuple[VersionId, str, Sentence]] = field(default_factory=list)

    def to_json(self) -> dict[str, object]:
        """As ``--json`` prints it."""
        names = ("signatures", "agent", "versions", "skipped", "postponed", "files", "changed", "unreadable")
        return {name: getattr(self, name) for name in names} | {
            "changes": [
                {"aip": str(version), "path": one.path, "before": _fields(one.before), "after": _fields(one.format)}
                for version, one in self.changes
            ],
            "failed": [
                {"aip": str(version), "path": path, "vi": why.vi, "en": why.en} for version, path, why in self.failed
            ],
        }

    def lines(self) -> Iterator[str]:
        """The first changes and failures, one a line."""
        for version, one in self.changes[:_SHOWN]:
            yield f"  {version}  {one.path}: {_word(one.before)} → {_word(one.format)}"
        if self.changed > _SHOWN:
            yield "  …"
        for version, path, why in self.failed[:_SHOWN]:
            yield f"  ✗ {version}  {path}  {why}"


def held(archive: Archive, aips: Iterable[str], fonds: str | None) -> Iterator[AipVersion]:
    """The versions meant by AIP identifiers, else those of a fonds, else all. Raises NotFound."""
    named = [archive.shelf.held(aip) for aip in aips]
    for version in named or archive.catalogue.holdings.every_version():
        if fonds is None or version.fonds.value == fonds:
            yield version


def reidentify_all(
    archive: Archive, versions: Iterable[AipVersion], again: bool, on_progress: Progress
) -> ReidentifyReport:
    """Look at every version that was not looked at before, or at all. One that cannot be done does not stop others."""
    reidentifier = archive.reidentifier
    report = ReidentifyReport(archive.checkers.identifier.name, reidentifier.agent.identifier)
    for version in versions:
        if not again and reidentifier.done(version.id):
            report.skipped += 1
            continue
        try:
            found = reidentifier.look(version, on_progress)
        except TemporaryError:
            report.postponed += 1
            continue
        except TangThuError as error:
            report.failed += [(version.id, version.key, error.sentence)] if len(report.failed) < _KEPT else []
            continue
        report.versions += 1
        report.files += found.files
        report.changed += found.changed
        report.unreadable += found.failures
        report.changes += [(version.id, one) for one in found.changes[: _KEPT - len(report.changes)]]
        report.failed += [(version.id, path, why) for path, why in found.failed[: _KEPT - len(report.failed)]]
    return report


def _fields(format: Format | None) -> dict[str, str] | None:
    if format is None:
        return None
    names = ("name", "version", "mime", "basis", "warning")
    return {"puid": str(format.puid or "")} | {name: getattr(format, name) for name in names}


def _word(format: Format | None) -> str:
    return "—" if format is None else f"{format.puid or format.mime} ({format.basis})"
