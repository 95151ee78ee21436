"""One format out of all that matched: the same every time, and saying so when there was a choice."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from metadata.holdings import UNIDENTIFIED, Format
from metadata.identifiers import Puid
from metadata.text import Sentence
from preservation.identification.answer import Answer, Candidate
from preservation.identification.port import Sample
from preservation.identification.text import UNKNOWN

# What a text file is by its name when no signature matches, though the extension has several formats.
GENERAL_TEXT = {"txt": "x-fmt/111", "csv": "x-fmt/18", "xml": "fmt/101"}
PLAIN_TEXT = "x-fmt/111"
_PRONOM = re.compile(r"(x-)?fmt/\d{1,6}")
_GENERIC = frozenset({"x-fmt/263", "fmt/111", "fmt/189", "fmt/101"})
_NOTED = 5
_EXPECTED = ("us-ascii", "utf-8")


def choose(sample: Sample, answer: Answer) -> Format:
    """The best of ``answer``: inside a container, then by signature, then as text, then by the file's extension.

    Among several: those that both the container and the byte signature name, then those that tell more than that a
    file is a ZIP, OLE2 or XML file, then one that bears the file's extension, then the first given. The others are
    named in the warning. By extension alone, an extension of several formats gives their common MIME type and no PUID:
    a guess must not look like a finding.
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
    if answer.encoding:
        return _text(sample, _pronom(answer.extension), answer.encoding, notes)
    return _by_extension(sample, _pronom(answer.extension), notes)


def unanswered(sample: Sample, answer: Answer, why: Sentence) -> Format:
    """The answer by extension when the contents could not be looked at; ``why`` becomes the warning."""
    return _by_extension(sample, _pronom(answer.extension), [why], looked=False)


def extension_of(name: str) -> str:
    """The lower-case extension of a file name, without the dot; empty when there is none."""
    return PurePosixPath(name).suffix.lower().lstrip(".")


def _pronom(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Candidates with a PRONOM identifier, each once."""
    return list({c.puid: c for c in candidates if _PRONOM.fullmatch(c.puid)}.values())


def _made(sample: Sample, found: Sequence[Candidate], basis: str, notes: list[Sentence]) -> Format:
    extension = extension_of(sample.name)
    telling = [c for c in found if c.puid not in _GENERIC] or found
    chosen = next((c for c in telling if extension in c.extensions), telling[0])
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
    if not sample.size:
        notes.append(Sentence("tệp rỗng", "the file is empty"))
    elif looked:
        notes.append(Sentence("nội dung không khớp chữ ký định dạng nào", "the contents match no signature"))
    general = next((c for c in found if c.puid == GENERAL_TEXT.get(extension) and not (looked and sample.size)), None)
    if general or len(found) == 1:
        return _format(general or found[0], "extension", notes)
    if not found:
        return _format(None, "none", notes)
    notes.append(_several(extension, found))
    mimes = {c.mime for c in found}
    return _format(None, "extension", notes, mimes.pop() if len(mimes) == 1 else "")


def _text(sample: Sample, by_extension: Sequence[Candidate], encoding: str, notes: list[Sentence]) -> Format:
    """A text of which PRONOM has no signature: what its extension says when that can be, else plain text."""
    extension = extension_of(sample.name)
    if encoding == UNKNOWN:
        notes.append(Sentence("văn bản không rõ bảng mã", "text in an encoding that cannot be told"))
    elif encoding not in _EXPECTED:
        notes.append(Sentence(f"văn bản theo bảng mã {encoding}", f"text in the encoding {encoding}"))
    general = GENERAL_TEXT.get(extension)
    possible = [c for c in by_extension if c.puid == general] or [c for c in by_extension if not c.signed]
    if len(possible) == 1 and possible[0].puid != PLAIN_TEXT:
        chosen = possible[0]
        mime = f"{chosen.mime}; charset={encoding}" if chosen.mime.startswith("text/") else chosen.mime
        return _format(replace(chosen, mime=mime), "extension", notes)
    if by_extension and not possible:
        notes.append(
            Sentence(
                f"nội dung là văn bản, không phải định dạng nào của phần mở rộng .{extension}",
                f"the contents are text and no format of extension .{extension}",
            )
        )
    elif len(possible) > 1:
        notes.append(_several(extension, possible))
    plain = Candidate(PLAIN_TEXT, "Plain Text File", "", f"text/plain; charset={encoding}", ("txt",))
    return _format(plain, "text", notes)


def _several(extension: str, found: Sequence[Candidate]) -> Sentence:
    listed = _listed([c.puid for c in found])
    return Sentence(
        f"phần mở rộng .{extension} là của nhiều định dạng ({listed}), không chọn định dạng nào",
        f"extension .{extension} belongs to several formats ({listed}); none was chosen",
    )


def _listed(puids: Sequence[str]) -> str:
    return ", ".join(puids[:_NOTED]) + ("…" if len(puids) > _NOTED else "")


def _format(chosen: Candidate | None, basis: str, notes: Sequence[Sentence], mime: str = "") -> Format:
    warning = ""
    if notes:
        warning = str(Sentence("; ".join(note.vi for note in notes), "; ".join(note.en for note in notes)))
    if chosen is None:
        return Format(None, "", "", mime or UNIDENTIFIED.mime, basis, warning)
    return Format(Puid(chosen.puid), chosen.name, chosen.version, chosen.mime or UNIDENTIFIED.mime, basis, warning)
