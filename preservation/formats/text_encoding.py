"""Vietnamese text in the 8-bit encodings of the years before Unicode: TCVN3, VNI, VISCII, Windows-1258.

Told by what it says: bytes are read in each encoding, and the one in which nearly all words are Vietnamese syllables
is it. Text of other languages is in none of them; too few words tell nothing. Tables: ``text_encoding.toml``.
"""

from __future__ import annotations

import codecs
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from importlib import resources
from types import MappingProxyType
from typing import Any
from unicodedata import normalize

_TONES = "\u0300\u0301\u0303\u0309\u0323"  # huyền, sắc, ngã, hỏi, nặng
_STOPPED_TONES = "\u0301\u0323"
_NO_TONES = str.maketrans("", "", _TONES)
_WORD = re.compile(r"[^\W\d_]+")
_MARKS = "\xa0\xa7\xab\xb0\xbb\u2013\u2014\u2018\u2019\u201c\u201d\u2022\u2026"
_STRANGE = re.compile(rf"[^\w\s\x00-\x7f{_MARKS}]|[\x80-\x9f]")
_OF_FONTS = ("tcvn3", "vni")


@dataclass(frozen=True, slots=True)
class _Threshold:
    words: int
    density: float
    share: float
    lead: float
    looked_at: int


@dataclass(frozen=True, slots=True)
class _Tables:
    decoders: Mapping[str, Callable[[bytes], str]]
    syllables: frozenset[str]
    stopped: tuple[str, ...]
    threshold: _Threshold


def legacy_names() -> tuple[str, ...]:
    """The encodings that are known, by the names that facts use."""
    return tuple(_tables().decoders)


def legacy_encoding(data: bytes) -> str:
    """The encoding of Vietnamese text that begins so; empty when the bytes cannot be told to be in one of them.

    Linear in the first 12 KiB. ASCII and UTF-8 are to be told before.
    """
    limits = _tables().threshold
    data = data[: limits.looked_at]
    if data.isascii() or b"\0" in data:
        return ""
    marks = sorted(((_share(read(data)), name) for name, read in _tables().decoders.items()), reverse=True)
    (best, name), (next_best, _) = marks[:2]
    return name if best >= limits.share and best - next_best >= limits.lead else ""


def decode_legacy(data: bytes, name: str) -> str:
    """Text in one of :func:`legacy_names` as Unicode (NFC); bytes that the encoding does not have are U+FFFD.

    Raises KeyError for another name.
    """
    return _tables().decoders[name](data)


def is_syllable(word: str) -> bool:
    """Whether a word, in any Unicode form, is a syllable that Vietnamese can have."""
    parts = normalize("NFD", word.lower())
    tones = [one for one in parts if one in _TONES]
    bare = normalize("NFC", parts.translate(_NO_TONES))
    if len(tones) > 1 or bare not in _tables().syllables:
        return False
    return not bare.endswith(_tables().stopped) or (bool(tones) and tones[0] in _STOPPED_TONES)


def _share(text: str) -> float:
    """How many of the words with letters outside ASCII are Vietnamese, from 0 to 1; strange characters count as words
    that are not."""
    limits, every = _tables().threshold, Counter(_WORD.findall(text))
    words = {word: times for word, times in every.items() if not word.isascii()}
    count = sum(words.values())
    if len(words) < limits.words or count < limits.density * every.total():
        return 0.0
    strange = len(_STRANGE.findall(text))
    return sum(times for word, times in words.items() if is_syllable(word)) / (count + strange)


@cache
def _tables() -> _Tables:
    data = tomllib.loads((resources.files("preservation.formats") / "text_encoding.toml").read_text(encoding="utf-8"))
    syllables = data["syllables"]
    rhymes = syllables["rhymes"].split()
    return _Tables(
        MappingProxyType({name: _decoder(entry) for name, entry in data["encodings"].items()}),
        frozenset(onset + rhyme for onset in ("", *syllables["onsets"].split()) for rhyme in rhymes),
        tuple(syllables["stopped"].split()),
        _Threshold(**data["threshold"]),
    )


def _decoder(entry: Mapping[str, Any]) -> Callable[[bytes], str]:
    if "codec" in entry:
        return partial(_by_codec, codec=entry["codec"])
    if "bytes" in entry:
        table = [_windows(byte) for byte in range(256)]
        for first, characters in entry["bytes"].items():
            at = int(first, 16)
            table[at : at + len(characters)] = characters
        return partial(_by_table, table="".join(table))
    plain = dict(part.split("=") for part in f"{entry['single']} {entry['pairs']}".split())
    table_of = plain | {old.upper(): new.upper() for old, new in plain.items()}
    # A capital letter may be followed by a mark of either case.
    table_of |= {old[0].upper() + old[1]: new.upper() for old, new in plain.items() if len(old) == 2}
    pattern = re.compile("|".join(sorted(map(re.escape, table_of), key=len, reverse=True)))
    return partial(_by_pairs, pattern=pattern, pairs=table_of)


def _windows(byte: int) -> str:
    """What a byte is that a Vietnamese table does not have: ASCII, or punctuation of Windows-1252."""
    if byte < 0x80:
        return chr(byte)
    character = bytes([byte]).decode("cp1252", "replace")
    return character if character in _MARKS else "\ufffd"


def _by_codec(data: bytes, codec: str) -> str:
    return normalize("NFC", data.decode(codec, "replace"))


def _by_table(data: bytes, table: str) -> str:
    return normalize("NFC", codecs.charmap_decode(data, "replace", table)[0])


def _by_pairs(data: bytes, pattern: re.Pattern[str], pairs: Mapping[str, str]) -> str:
    return normalize("NFC", pattern.sub(lambda found: pairs[found.group()], data.decode("cp1252", "replace")))


def in_unicode(text: str) -> tuple[str, str]:
    """Text of an office file as people read it, and the encoding that its fonts stand for ("" for Unicode).

    Documents of the years before Unicode hold letters of Windows-1252 that fonts such as .VnTime or VNI-Times show as
    Vietnamese. Lines with any other letter are Unicode already, and stay.
    """
    lines = text.split("\n")
    as_bytes = [_narrow(line) for line in lines]
    encoding = legacy_encoding(b"\n".join(one for one in as_bytes if one is not None))
    if encoding not in _OF_FONTS:
        return text, ""
    read = [line if data is None else decode_legacy(data, encoding) for line, data in zip(lines, as_bytes, strict=True)]
    return "\n".join(read), encoding


def _narrow(line: str) -> bytes | None:
    try:
        return line.encode("cp1252")
    except UnicodeEncodeError:
        return None
