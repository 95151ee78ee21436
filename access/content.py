"""Giving out a file of an AIP: from the first replica that proves right, whole or one range of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from urllib.parse import quote

from access.services import AccessServices
from metadata.errors import Damaged, NotFound, StoreUnavailable, TangThuError
from metadata.holdings import AipVersion, Member
from metadata.identifiers import StoreId
from metadata.outcomes import Fixity
from metadata.stores import StoreState
from metadata.text import Sentence
from storage.aip.reader import open_range

_RANGE = re.compile(r"\s*bytes\s*=\s*(\d{0,19})\s*-\s*(\d{0,19})\s*", re.IGNORECASE | re.ASCII)
_PASSIVE = re.compile(
    r"application/(pdf|msword|vnd\.(?![a-z0-9.+-]*\+xml)[a-z0-9.+-]{1,100})|image/(jpeg|png|tiff|jp2)|"
    r"(audio|video)/[a-z0-9-]{1,40}",
    re.ASCII,
)
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f/\\\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Span:
    """``length`` bytes of a file from ``start``."""

    start: int
    length: int


class OutsideFileError(ValueError):
    """A range of which no byte lies in the file."""


def read_range(header: str, size: int) -> Span | None:
    """The one range that a ``Range`` header asks for (RFC 9110 §14); None for none, several or nonsense: send it whole.

    Raises OutsideFileError.
    """
    if not (match := _RANGE.fullmatch(header)):
        return None
    first, last = match[1], match[2]
    if not first and not last:
        return None
    if not first:
        length = min(int(last), size)
        start, end = size - length, size
    else:
        start, end = int(first), min(int(last) + 1 if last else size, size)
        if last and int(last) < start:
            return None
    if start >= size or start >= end:
        raise OutsideFileError
    return Span(start, end - start)


def etag(member: Member) -> str:
    """The strong entity tag of a member: its SHA-256."""
    return f'"{member.sha256.hex()}"'


def disposition(path: str) -> str:
    """A Content-Disposition that always saves and never lets a name say more than a name (RFC 6266, RFC 8187)."""
    name = _UNSAFE.sub("_", path.rpartition("/")[2])[-200:].strip(" .") or "file"
    return f"attachment; filename*=UTF-8''{quote(name, safe='')}"


def media_type(member: Member) -> str:
    """The media type of a member as identified; a plain stream of bytes for what a browser might run."""
    found = member.format.mime if member.format else ""
    return found if _PASSIVE.fullmatch(found) else "application/octet-stream"


def verified_bytes(
    services: AccessServices, version: AipVersion, member: Member, span: Span, replicas: Sequence[StoreId] = ()
) -> Iterator[bytes]:
    """The bytes of ``span``, digested on the way (invariant 9), from the first replica that proves right.

    A replica is judged before this function returns, so that the next can be tried while nothing is sent yet. Who reads
    many files of one version asks for its ``replicas`` once (:func:`replicas_of`).
    Raises Damaged when no replica proves right, StoreUnavailable when one that might could not be asked.
    """
    troubles: list[TangThuError] = []
    for store_id in replicas or replicas_of(services, version):
        try:
            pieces = iter(open_range(services.open_store(store_id), version.key, member, span.start, span.length))
            first = next(pieces, b"")
        except (Damaged, NotFound, StoreUnavailable) as error:
            troubles.append(error)
            continue
        return chain((first,), pieces)
    for trouble in troubles:
        if isinstance(trouble, StoreUnavailable):
            raise trouble
    raise Damaged(
        Sentence(f"Không bản sao nào của {member.path} đọc được đúng.", f"No replica of {member.path} reads right.")
    )


def replicas_of(services: AccessServices, version: AipVersion) -> list[StoreId]:
    """Stores that hold the version, those not known to be damaged first, then in the order of the settings.

    A store that is being emptied serves as before; one that is retired never does.
    """
    known = services.catalogue.stores.records()
    retired = {id for id, record in known.items() if record.state is StoreState.RETIRED}
    order = {store: place for place, store in enumerate(services.stores) if store not in retired}
    held = [replica for replica in services.catalogue.holdings.replicas(version.id) if replica.store in order]
    held.sort(key=lambda replica: (replica.outcome.damaged, replica.outcome is Fixity.UNREADABLE, order[replica.store]))
    return [replica.store for replica in held]
