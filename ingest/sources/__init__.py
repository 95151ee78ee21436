"""Where packages come from: a folder, a ZIP, a tar. One port, ``Source``; one way in, ``open_source``."""

from ingest.sources.opening import open_source
from ingest.sources.port import BrokenEntryError, EntryKind, RootedSource, Source, SourceEntry

__all__ = ["BrokenEntryError", "EntryKind", "RootedSource", "Source", "SourceEntry", "open_source"]
