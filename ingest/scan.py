"""The first look at a package: every name and amount judged, every file noted in the ledger."""

from __future__ import annotations

from ingest.guards import LIMITS, GuardLimits, NameGuard
from ingest.ledger import Ledger
from ingest.ledger_rows import same_nfc
from ingest.sources.port import EntryKind, Source, is_ours
from metadata.findings import Findings

_REFUSED = {
    EntryKind.LINK: "SOURCE-LINK",
    EntryKind.SPECIAL: "SOURCE-SPECIAL",
    EntryKind.SPARSE: "SOURCE-SPARSE",
}


def scan(source: Source, ledger: Ledger, findings: Findings, limits: GuardLimits = LIMITS) -> str | None:
    """Note every file of ``source`` in ``ledger`` and give the package's root; None when it is refused already.

    The root is empty, or the source's single top folder with its ``/``: the ledger's paths are relative to it.
    """
    guard = NameGuard(findings, limits)
    file, folder = EntryKind.FILE, EntryKind.FOLDER
    count = total = 0
    try:
        for entry in source.entries():
            good = guard.judge(entry.path)
            if entry.kind is file:
                count += 1
                total += entry.size
                if good:
                    ledger.add_file(entry.path, entry.size)
            elif entry.kind is not folder:
                findings.add(_REFUSED[entry.kind], entry.path)
            if count > limits.files or total > limits.bytes:
                break
    except OSError as error:
        if is_ours(error):
            raise
        findings.add("SOURCE-UNREADABLE", source.name, reason=error.strerror or type(error).__name__)
    if count > limits.files:
        findings.add("SOURCE-MANY", source.name, limit=limits.files)
    if total > limits.bytes:
        findings.add("SOURCE-LARGE", source.name, limit=limits.bytes)
    if count == 0 and not findings.refused:
        findings.add("SOURCE-EMPTY", source.name)
    if findings.refused:
        return None
    tops = ledger.tops(2)
    root = tops[0] if len(tops) == 1 and tops[0].endswith("/") else ""
    ledger.settle(root)
    source.enter(root)  # also when names clash below: a check reads on, by the ledger's paths
    _clashes(ledger, findings)
    return None if findings.refused else root


def _clashes(ledger: Ledger, findings: Findings) -> None:
    for path in ledger.duplicates():
        findings.add("NAME-TWICE", path)
    for path in ledger.files_as_folders():
        findings.add("NAME-FILE-AND-FOLDER", path)
    for one, other in ledger.folder_look_alikes():
        findings.add("NAME-ONE-AFTER-NFC", other, other=one)
    for one, other in ledger.look_alikes():
        findings.add("NAME-ONE-AFTER-NFC" if same_nfc(one, other) else "NAME-CASE", other, other=one)
