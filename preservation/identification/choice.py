"""One format out of all that matched: the same every time, and saying so when there was a choice."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from metadata.holdings import UNIDENTIFIED, Format
from metadata.identifiers import Puid
from metadata.text import Sentence
from preservation.identification.answer import Answer, Candidate
from preservation.identification.port import Sample

# What a text file is by its name when PRONOM has no signature that matches: plain text, CSV, XML.
GENERAL_TEXT = {"txt": "x-fmt/111", "csv": "x-fmt/18", "xml": "fmt/101"}
_PRONOM = re.compile(r"(x-)?fmt/\d{1,6}")
_GENERIC = frozenset({"x-fmt/263", "fmt/111", "fmt/189", "fmt/101"})
_NOTED = 5


def choose(sample: Sample, answer: Answer) -> Format:
    """The best of ``answer``: inside a container, then by signature, then by the file's extension.

    Among several: those that both the container and the byte signature name, then one that bears the file's
    extension, then the first in PRONOM order. The others are named in the warning. By extension alone, an extension
    of several formats gives their common MIME type and no PUID: a guess must not look like a finding.
    """
    notes: list[Sentence] = []
    if answer.trouble:
        notes.append(
            Sentence(
                f"không đọc hết được nội dung bên trong tệp ({answer.trouble})",
                f"the inside of the file could not be read in full ({answer.trouble})",
            )
        )
    by_signature, by_container = _pronom(answer.signature), _pronom(answer.container)
    if by_container:
        both = [c for c in by_container if c.puid in {s.puid for s in by_signature}]
        return _made(sample, both or by_container, "container", notes)
    if by_signature:
        return _made(sample, by_signature, "signature", notes)
    return _by_extension(sample, _pronom(answer.extension), notes)


def unanswered(sample: Sample, answer: Answer, why: Sentence) -> Format:
    """The answer by extension when the contents could not be looked at; ``why`` becomes the warning."""
    return _by_extension(sample, _pronom(answer.extension), [why], looked=False)


def extension_of(name: str) -> str:
    """The lower-case extension of a file name, without the dot; empty when there is none."""
    return PurePosixPath(name).suffix.lower().lstrip(".")


def is_text(sample: Sample) -> bool:
    """Whether both windows are UTF-8 text: no control characters but tab, line feeds and form feed."""
    tail = sample.tail
    if len(sample.head) < sample.size:
        # The last window may begin inside a character, of which at most three bytes are left.
        tail = tail[:3].lstrip(bytes(range(0x80, 0xC0))) + tail[3:]
    try:
        decoder = codecs.getincrementaldecoder("utf-8-sig")()
        text = decoder.decode(sample.head, final=len(sample.head) >= sample.size) + tail.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not any(c < " " and c not in "\t\n\r\f" for c in set(text))


def _pronom(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Candidates with a PRONOM identifier, each once, in PRONOM order."""
    unique = {c.puid: c for c in candidates if _PRONOM.fullmatch(c.puid)}
    return sorted(unique.values(), key=lambda c: (c.puid.startswith("x-"), int(c.puid.rpartition("/")[2])))


def _made(sample: Sample, found: Sequence[Candidate], basis: str, notes: list[Sentence]) -> Format:
    extension = extension_of(sample.name)
    chosen = next((c for c in found if extension in c.extensions), found[0])
    others = [c.puid for c in found if c is not chosen]
    if others:
        listed = _listed(others)
        notes.append(
            Sentence(
                f"cũng khớp với {listed}; đã chọn {chosen.puid}", f"also matches {listed}; {chosen.puid} was chosen"
            )
        )
    if extension and chosen.extensions and extension not in chosen.extensions and chosen.puid not in _GENERIC:
        notes.append(
            Sentence(
                f"phần mở rộng .{extension} không phải của {chosen.puid}",
                f"extension .{extension} is not one of {chosen.puid}",
            )
        )
    return _format(chosen, basis, notes)


def _by_extension(sample: Sample, found: Sequence[Candidate], notes: list[Sentence], *, looked: bool = True) -> Format:
    extension = extension_of(sample.name)
    general = next((c for c in found if c.puid == GENERAL_TEXT.get(extension)), None)
    if not sample.size:
        notes.append(Sentence("tệp rỗng", "the file is empty"))
    elif looked and not (general and is_text(sample)):
        notes.append(Sentence("nội dung không khớp chữ ký định dạng nào", "the contents match no signature"))
    if general or len(found) == 1:
        return _format(general or found[0], "extension", notes)
    if not found:
        return _format(None, "none", notes)
    listed = _listed([c.puid for c in found])
    notes.append(
        Sentence(
            f"phần mở rộng .{extension} là của nhiều định dạng ({listed}), không chọn định dạng nào",
            f"extension .{extension} belongs to several formats ({listed}); none was chosen",
        )
    )
    mimes = {c.mime for c in found}
    return _format(None, "extension", notes, mimes.pop() if len(mimes) == 1 else "")


def _listed(puids: Sequence[str]) -> str:
    return ", ".join(puids[:_NOTED]) + ("…" if len(puids) > _NOTED else "")


def _format(chosen: Candidate | None, basis: str, notes: Sequence[Sentence], mime: str = "") -> Format:
    warning = ""
    if notes:
        warning = str(Sentence("; ".join(note.vi for note in notes), "; ".join(note.en for note in notes)))
    if chosen is None:
        return Format(None, "", "", mime or UNIDENTIFIED.mime, basis, warning)
    return Format(Puid(chosen.puid), chosen.name, chosen.version, chosen.mime or UNIDENTIFIED.mime, basis, warning)
