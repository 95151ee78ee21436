"""What checks found, as members of the AIP: ``data/examination/`` (``docs/aip-format.md`` §5)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ingest.describing.signatures import evidence_document
from ingest.describing.spool import Spool
from ingest.ledger import Ledger
from metadata.characteristics import Facts
from metadata.examination import FILES, TEXT, ExaminedFile, FileText, encode, evidence_path, report_path
from metadata.holdings import Role


@dataclass(slots=True)
class Written:
    """How many files facts and text are kept of."""

    facts: int = 0
    texts: int = 0


class Examination:
    """Writes the members: ``put_spooled`` takes a path and what was spooled, ``put`` a path and bytes."""

    def __init__(
        self,
        ledger: Ledger,
        work: Path,
        put_spooled: Callable[[str, Spool], object],
        put: Callable[[str, bytes], object],
    ) -> None:
        self._ledger = ledger
        self._work = work
        self._put_spooled = put_spooled
        self._put = put
        self._written = Written()

    def write(self) -> Written:
        """All members; none of a kind of which nothing was found."""
        self._lines(FILES, (one.line() for one in self._files()))
        self._lines(TEXT, (one.line() for one in self._texts()))
        for report in self._ledger.signature_reports():
            self._put(evidence_path(report.number), encode(evidence_document(report)) + b"\n")
            if report.report.report:
                self._put(report_path(report.number), report.report.report)
        return self._written

    def _lines(self, path: str, lines: Iterable[bytes]) -> None:
        with Spool(self._work / "examination.jsonl") as spool:
            for line in lines:
                spool.write(line)
            if spool.digests().size:
                self._put_spooled(path, spool)

    def _files(self) -> Iterator[ExaminedFile]:
        """Every member that somebody looked at. Content comes first, as do the remarks about it."""
        content, remarks = self._ledger.content(), self._ledger.remarks()
        remark = next(remarks, None)
        for member in self._ledger.members():
            codes = []
            if member.role is Role.CONTENT:
                path = next(content).path
                while remark is not None and remark[0] == path:
                    codes.append(remark[1].code)
                    remark = next(remarks, None)
            found = member.characteristics
            if found is not None:
                self._written.facts += found.facts != _NOTHING
                yield ExaminedFile(member.number, member.path, member.format, found, tuple(codes))

    def _texts(self) -> Iterator[FileText]:
        for one in self._ledger.texts():
            self._written.texts += 1
            yield FileText(one.number, one.target, one.text)


_NOTHING = Facts()
