"""Where packages come from: a folder, a ZIP, a tar. One port, ``Source``; one way in, ``open_source``."""

from ingest.sources.opening import open_source
from ingest.sources.port import BrokenEntryError, EntryKind, Source, SourceEntry

__all__ = ["BrokenEntryError", "EntryKind", "Source", "SourceEntry", "open_source"]
