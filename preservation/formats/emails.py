"""Electronic mail (RFC 5322, MIME) and web pages kept as mail (MHTML): headers, parts, words."""

from __future__ import annotations

from collections.abc import Sequence
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from typing import BinaryIO

from metadata.characteristics import Facts
from metadata.outcomes import Validity
from preservation.formats.html import read_html
from preservation.formats.office_parts import Words
from preservation.formats.port import Inspection, Remark, Specimen
from preservation.formats.task import Broken, judged

REFUSALS: tuple[type[Exception], ...] = ()

_MOST = 64 << 20
_PARTS = 1000
_LINES = 3_000_000
_BOUNDARIES = 100
_HEADER = 16 * 1024  # characters of a header that are read: the library takes the square of it for parameters
_KNOWN = ("from", "to", "subject", "date", "received", "message-id", "mime-version", "content-type", "return-path")


def inspect(specimen: Specimen, file: BinaryIO | None) -> Inspection:
    """See :mod:`preservation.formats.task`."""
    if file is None or specimen.size > _MOST:
        return Inspection(remarks=(Remark("FORMAT-TOO-LARGE"),))
    data = file.read(_MOST)
    # The library asks of each line whether it is one of the boundaries that are open.
    if data.count(b"\n") > _LINES or data.lower().count(b"boundary") > _BOUNDARIES:
        reason = f"more than {_LINES} lines or {_BOUNDARIES} boundaries"
        return Inspection(Validity.UNREADABLE, (Remark("FORMAT-UNREADABLE", {"reason": reason}),))
    message = message_from_bytes(data, policy=_SHORT)
    if not any(name in message for name in _KNOWN):
        raise Broken("it has none of the headers of a message")
    words, script, attachments = Words(), "", 0
    for name in ("subject", "from", "to", "date"):
        words.add(f"{_header(message, name)}\n")
    for number, part in enumerate(message.walk()):
        if number >= _PARTS:
            break
        if part.is_multipart():
            if part.get_content_maintype() == "multipart" and not part.get_boundary():
                raise Broken("a part of several has no boundary")
            continue
        if part.get_filename() or part.get_content_disposition() == "attachment":
            attachments += 1
        elif part.get_content_type() in ("text/plain", "text/html"):
            text = _text(part)
            if part.get_content_subtype() == "html":
                text, active = read_html(text)
                script = script or active
            words.add(text + "\n")
    if any(type(one).__name__ == "StartBoundaryNotFoundDefect" for one in message.defects):
        raise Broken("its parts are missing")
    if any(type(one).__name__ == "CloseBoundaryNotFoundDefect" for one in message.defects):
        raise Broken("its last part is cut short")
    remarks = []
    if script:
        remarks.append(Remark("FORMAT-SCRIPT", {"script": script}))
    if attachments:
        remarks.append(Remark("FORMAT-ATTACHMENTS", {"count": str(attachments)}))
    return Inspection(judged(remarks), tuple(remarks), Facts(), words.text())


class _ShortHeaders(policy.Compat32):
    """Of each header the beginning."""

    def header_source_parse(self, sourcelines: Sequence[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(list(sourcelines))
        return name, value[:_HEADER]


_SHORT = _ShortHeaders()


def _header(message: Message, name: str) -> str:
    """A header as people read it; as it stands when it cannot be read."""
    raw = str(message.get(name, ""))[:2000]
    shown = EmailMessage(policy=policy.default)
    try:
        shown[name] = raw.replace("\r", "").replace("\n", "")
        return str(shown[name])
    except Exception:  # noqa: BLE001 - whatever the library stumbles over, one header's words are lost only
        return raw


def _text(part: Message) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    try:
        return payload.decode(part.get_content_charset("utf-8"), "replace")
    except (LookupError, ValueError):  # a character set that nobody has
        return payload.decode("cp1252", "replace")
