"""Sound and film, by what their containers' headers say: duration, codecs, whether the file ends where it must.

Only the first and last 128 KiB are looked at: these are the largest files of all, and are never copied for it. Pictures
and sound are not decoded.
"""

from __future__ import annotations

from typing import BinaryIO

from metadata.characteristics import Facts
from metadata.outcomes import Validity
from preservation.formats.audiovisual_asf import ASF, inspect_asf
from preservation.formats.audiovisual_boxes import inspect_boxes
from preservation.formats.audiovisual_matroska import inspect_matroska
from preservation.formats.audiovisual_riff import inspect_riff
from preservation.formats.audiovisual_sound import inspect_flac, inspect_mp3, inspect_ogg
from preservation.formats.audiovisual_windows import NotSeen, Recording, Windows
from preservation.formats.port import Inspection, Specimen

REFUSALS: tuple[type[Exception], ...] = ()

_KINDS = (
    (b"RIFF", 0, inspect_riff),
    (b"RF64", 0, inspect_riff),
    (b"fLaC", 0, inspect_flac),
    (b"OggS", 0, inspect_ogg),
    (b"\x1a\x45\xdf\xa3", 0, inspect_matroska),
    (ASF, 0, inspect_asf),
    (b"ID3", 0, inspect_mp3),
    (b"ftyp", 4, inspect_boxes),
    (b"moov", 4, inspect_boxes),
    (b"mdat", 4, inspect_boxes),
    (b"wide", 4, inspect_boxes),
    (b"free", 4, inspect_boxes),
    (b"skip", 4, inspect_boxes),
)


def inspect(specimen: Specimen, file: BinaryIO | None) -> Inspection:
    """See :mod:`preservation.formats.task`. What lies beyond the windows is NOT_CHECKED."""
    del file
    windows = Windows(specimen.head, specimen.tail, specimen.size)
    look = next((look for mark, at, look in _KINDS if specimen.head[at : at + len(mark)] == mark), None)
    if look is None and "audio/mpeg" in specimen.format.mime:
        look = inspect_mp3
    if look is None:  # a variant that nobody reads; of those told by their name alone perhaps nothing of the kind
        return Inspection()
    try:
        found = look(windows)
    except NotSeen:
        return Inspection()
    return Inspection(Validity.VALID, facts=_facts(found, specimen.size))


def _facts(found: Recording, size: int) -> Facts:
    """The bit rate is that of the whole file."""
    duration = found.duration if found.duration and 0 < found.duration < _LONGEST else None
    return Facts(
        width=found.width,
        height=found.height,
        duration=duration,
        bit_rate=size * 8000 // duration if duration else None,
        codecs=", ".join(dict.fromkeys(one for one in found.codecs if one)),
        application=found.application,
    )


_LONGEST = 10 * 365 * 24 * 3600 * 1000
