"""Lists of objects as a store that is behind would give them: without the newest keys, or with deleted ones."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote_plus, urlsplit

_ENTRY = re.compile(rb"<Contents>.*?</Contents>", re.DOTALL)
_KEY = re.compile(rb"<Key>(.*?)</Key>", re.DOTALL)
_MODIFIED = re.compile(rb"<LastModified>(.*?)</LastModified>")
_NEWEST = 2
_MOST = 200


@dataclass
class Listings:
    """``omitted`` and ``ghosts`` count keys that were left out and put in."""

    omitted: int = 0
    ghosts: int = 0
    _entries: dict[str, bytes] = field(default_factory=dict)
    _gone: dict[str, bytes] = field(default_factory=dict)

    def deleted(self, path: str) -> None:
        """An object (``/bucket/key``) was deleted: its entry, if it was ever listed, may come back as a ghost."""
        if (entry := self._entries.pop(path, None)) is not None:
            self._gone[path] = entry

    def page(self, bucket: str, page: bytes, *, omit: bool, ghosts: bool, line: str) -> bytes:
        """One page of ``ListObjectsV2``, changed as asked."""
        found = {_path(bucket, entry): entry for entry in _ENTRY.findall(page)}
        if len(self._entries) < _MOST:
            self._entries.update(found)
        if omit and found:
            newest = sorted(found, key=lambda path: _MODIFIED.findall(found[path])[0])[-_NEWEST:]
            self.omitted += len(newest)
            return _rewritten(page, {path: entry for path, entry in found.items() if path not in newest})
        query = parse_qs(urlsplit(line.split(" ", 2)[1]).query)
        begin = f"{bucket.rstrip('/')}/{query.get('prefix', [''])[0]}"
        after = f"{bucket.rstrip('/')}/{query.get('start-after', [''])[0]}"
        whole = b"<IsTruncated>true" not in page and "continuation-token" not in query
        if ghosts and whole:
            added = {p: e for p, e in self._gone.items() if p not in found and p.startswith(begin) and p > after}
            self.ghosts += len(added)
            return _rewritten(page, found | added)
        return page


def _path(bucket: str, entry: bytes) -> str:
    return f"{bucket.rstrip('/')}/{unquote_plus(_KEY.findall(entry)[0].decode())}"


def _rewritten(page: bytes, entries: dict[str, bytes]) -> bytes:
    bare = _ENTRY.sub(b"", page)
    listed = b"".join(entries[path] for path in sorted(entries))
    return bare.replace(b"</ListBucketResult>", listed + b"</ListBucketResult>")
