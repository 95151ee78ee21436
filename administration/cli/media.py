"""Checking a whole medium with no archive at hand."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from administration.cli.output import Output
from metadata.errors import UsageError
from metadata.outcomes import Fixity
from metadata.text import Sentence


def verify_medium(output: Output, folder: Path) -> int:
    """Check the store in ``folder`` by itself and report by AIP: 0, 1 for damage, 4 when something did not read.

    Raises UsageError when the folder is no store.
    """
    from storage.marker import MARKER_BYTES, MARKER_KEY, Marker
    from storage.media import verify_set
    from storage.stores.directory import DirectoryStore
    from storage.stores.files import read_file

    try:
        marker = Marker.parse(read_file(folder / MARKER_KEY, MARKER_BYTES))
    except (OSError, ValueError) as error:
        raise UsageError(
            Sentence(
                f"{folder} không phải là một nơi lưu: không có tệp {MARKER_KEY} đọc được.",
                f"{folder} is no store: it has no readable {MARKER_KEY}.",
            )
        ) from error
    counts: Counter[Fixity] = Counter()
    read = 0
    head = {"store": marker.store.value, "archive": marker.archive.value, "label": marker.label, "folder": str(folder)}
    with output.listing(head, "checked") as add, output.progress(with_lines=True) as advance:

        def on_progress(count: int) -> None:
            nonlocal read
            read += count
            advance(folder.name, read, 0)

        for one in verify_set(DirectoryStore(marker.store, folder), on_progress):
            counts[one.outcome] += 1
            add({"key": one.key, "outcome": one.outcome.value, "told": one.told})
            output.line(f"  {one.outcome:<12} {one.key}  {one.told}")
    bad = counts[Fixity.MISMATCH] + counts[Fixity.MISSING]
    told = ", ".join(f"{outcome} {count}" for outcome, count in sorted(counts.items()))
    output.say(
        f"{marker.label or marker.store}: {told or 'không có gì'}.",
        "Damaged." if bad else "Checked.",
        "✗" if bad else "✓",
    )
    return 1 if bad else 4 if counts[Fixity.UNREADABLE] else 0
