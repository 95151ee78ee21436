"""Media that lie on a shelf: a set of objects, written once, closed, and checked on any computer by itself.

The set's manifest, ``_tangthu/set.json``, is lines of canonical JSON: first the set (label, store, when it was closed),
then each object (key, size, SHA-256) by key in code-point order, then the count.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from metadata.canonical import canonical
from metadata.dates import utc_text
from metadata.errors import NotFound, StoreUnavailable, TangThuError, UsageError
from metadata.outcomes import Fixity
from metadata.text import Sentence
from storage.aip.verify import verify_object
from storage.journal import read_journal
from storage.keys import JOURNAL_PREFIX, SET_KEY, is_own_key, log_prefix, parse_log_key, parse_object_key
from storage.log import read_log
from storage.port import ObjectInfo, Part, Store, Upload
from storage.settled import SMALL

FORMAT: Final = "tangthu-set/1"
_PIECE: Final = 1 << 20
_PART: Final = 8 << 20


@dataclass(frozen=True, slots=True)
class Checked:
    """What checking one thing of a medium came to: an AIP with its log, the journal, another object, the manifest."""

    key: str
    outcome: Fixity
    told: str = ""


def gather(medium: Store, others: Sequence[Store]) -> int:
    """Bring to a medium that is about to be closed what tells of it later: the archive's journal, and the logs of the
    AIPs that it holds, out of the first of ``others`` that answers. How many objects were written."""
    count = 0
    prefixes = [JOURNAL_PREFIX, *(log_prefix(info.key) for info in medium.list() if parse_object_key(info.key))]
    for prefix in prefixes:
        for other in others:
            try:
                count += sum(_bring(medium, other, info) for info in other.list(prefix))
            except StoreUnavailable:
                if other is others[-1]:
                    raise
                continue
            break
    return count


def _bring(medium: Store, other: Store, info: ObjectInfo) -> bool:
    if info.size > SMALL or medium.head(info.key) is not None:
        return False
    with other.open(info.key) as stream:
        medium.put(info.key, stream.read(info.size))
    return True


def seal(
    store: Store, label: str, at: datetime, on_progress: Callable[[int], None] = lambda _: None
) -> tuple[int, int]:
    """Write the set's manifest, reading every object: how many there are, and their bytes.

    Raises AlreadyExists when the set is closed already, UsageError when an upload to it is under way.
    """
    if (pending := next(iter(store.uploads()), None)) is not None:
        raise UsageError(
            Sentence(
                f"Bộ «{store.id}» còn lượt ghi dở dang ({pending.key}): hãy chạy «tangthu sweep» trước.",
                f"Something is still being written to {store.id} ({pending.key}): run “tangthu sweep” first.",
            )
        )
    upload = store.begin(SET_KEY)
    try:
        parts, count, size = _write(store, upload, label, at, on_progress)
        store.complete(upload, parts)
    except BaseException:
        if store.head(SET_KEY) is None:
            store.abort(upload)
        raise
    return count, size


def _write(
    store: Store, upload: Upload, label: str, at: datetime, on_progress: Callable[[int], None]
) -> tuple[list[Part], int, int]:
    parts: list[Part] = []
    head = {"format": FORMAT, "label": label, "store": store.id.value, "at": utc_text(at)}
    buffer = bytearray(f"{canonical(head)}\n".encode())
    count = size = 0
    for info in store.list():
        line = {"key": info.key, "size": info.size, "sha256": _sha256(store, info.key)}
        buffer += f"{canonical(line)}\n".encode()
        count, size = count + 1, size + info.size
        on_progress(size)
        if len(buffer) >= _PART:
            parts.append(store.put_part(upload, len(parts) + 1, buffer))
            buffer = bytearray()
    buffer += f"{canonical({'objects': count, 'bytes': size})}\n".encode()
    parts.append(store.put_part(upload, len(parts) + 1, buffer))
    return parts, count, size


def verify_set(store: Store, on_progress: Callable[[int], None] = lambda _: None) -> Iterator[Checked]:
    """Check everything on a medium by itself: each AIP against its own manifests, logs and journal by their chains,
    and a closed set against its manifest. Never raises for what it finds."""
    yield from _set(store)
    journal = False
    for info in store.list():
        version = parse_object_key(info.key)
        if version is not None:
            verdict = verify_object(store, info.key, None, on_progress)
            if verdict.outcome is Fixity.MATCH:
                yield Checked(info.key, *_log(store, info.key))
            else:
                first = next(iter(verdict.damages), None)
                told = f"{first.kind} {first.place}" if first else str(verdict.reason or "")
                yield Checked(info.key, verdict.outcome, told)
        elif info.key.startswith(JOURNAL_PREFIX):
            journal = True
        elif (log := parse_log_key(info.key)) is not None:
            if log[1] == 1 and store.head(log[0]) is None:
                yield Checked(log[0], Fixity.MISSING, "its log is here, the object is not")
        elif not is_own_key(info.key):
            yield Checked(info.key, Fixity.NOT_CHECKED, "no key of this archive's")
    if journal:
        yield Checked(JOURNAL_PREFIX, *_chain(lambda: read_journal(store)))


def _log(store: Store, key: str) -> tuple[Fixity, str]:
    return _chain(lambda: read_log(store, key))


def _chain(read: Callable[[], Iterator[object]]) -> tuple[Fixity, str]:
    """What reading a chain to its end comes to."""
    try:
        count = sum(1 for _ in read())
    except TangThuError as error:
        return (Fixity.UNREADABLE if error.retry else Fixity.MISMATCH), str(error.sentence)
    return Fixity.MATCH, f"{count}"


def _set(store: Store) -> Iterator[Checked]:
    """A closed set against its manifest: what is missing, what was added, what differs."""
    if store.head(SET_KEY) is None:
        return
    there = (info for info in store.list() if info.key != SET_KEY)
    found = next(there, None)
    try:
        for line in _lines(store):
            if "key" not in line:
                continue
            while found is not None and found.key < line["key"]:
                yield Checked(found.key, Fixity.MISMATCH, "not in the set's manifest")
                found = next(there, None)
            if found is None or found.key != line["key"]:
                yield Checked(line["key"], Fixity.MISSING, "named by the set's manifest")
                continue
            if found.size != line["size"] or _sha256(store, found.key) != line["sha256"]:
                yield Checked(found.key, Fixity.MISMATCH, "not as the set's manifest has it")
            found = next(there, None)
        while found is not None:
            yield Checked(found.key, Fixity.MISMATCH, "not in the set's manifest")
            found = next(there, None)
    except (ValueError, KeyError, TypeError) as error:
        yield Checked(SET_KEY, Fixity.MISMATCH, str(error))
    except TangThuError as error:
        yield Checked(SET_KEY, Fixity.UNREADABLE, str(error.sentence))
    else:
        yield Checked(SET_KEY, Fixity.MATCH)


def _lines(store: Store) -> Iterator[dict[str, Any]]:
    """The manifest's lines. Raises ValueError unless it has a head and an end that counts what is between them."""
    rest, count, last = b"", 0, {}
    with store.open(SET_KEY) as stream:
        while piece := stream.read(_PIECE):
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                last = json.loads(line)
                if count == 0 and last["format"] != FORMAT:
                    raise ValueError("the set's manifest is of another format")
                count += 1
                yield last
    if rest or last.get("objects") != count - 2:
        raise ValueError("the set's manifest ends too early")


def _sha256(store: Store, key: str) -> str:
    digest = hashlib.sha256()
    try:
        with store.open(key) as stream:
            while piece := stream.read(_PIECE):
                digest.update(piece)
    except NotFound:
        return ""
    return digest.hexdigest()
