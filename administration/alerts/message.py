"""What a message says: one mail or one webhook call for all that is due, in both languages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any

from administration.alerts.settings import AlertSettings
from metadata.alerts import Alert, Batch
from metadata.dates import VIETNAM, utc_text
from metadata.findings import visible
from metadata.text import Sentence

_LINE = 600
_ACTS: Mapping[str, Sentence] = {
    "opened": Sentence("Sự cố mới", "New incident"),
    "again": Sentence("Sự cố xảy ra lại", "Incident met again"),
    "mended": Sentence("Sự cố đã khắc phục", "Incident mended"),
    "test": Sentence("Thư thử", "Test"),
    "heartbeat": Sentence("Báo cáo định kỳ", "Regular report"),
}


def subject(settings: AlertSettings, batch: Batch) -> str:
    """One line: what it is, or how many."""
    if batch.count == 1:
        told = batch.alerts[0].told
        return visible(f"[{settings.archive}] {told.vi or told.en}", 180)
    return visible(f"[{settings.archive}] {batch.count} cảnh báo / alerts", 180)


def body(settings: AlertSettings, batch: Batch) -> str:
    """The text of a mail: every alert that is listed, how many more, and what to do."""
    lines = []
    for one in batch.alerts:
        act = _ACTS.get(str(one.document.get("act", "")), _ACTS["opened"])
        lines += [
            f"• {one.at.astimezone(VIETNAM):%H:%M %d/%m/%Y}  {act.vi} / {act.en}",
            f"  {visible(one.told.vi, _LINE)}",
            f"  {visible(one.told.en, _LINE)}",
        ]
        if id := _incident(one):
            lines.append(f"  {settings.link}/preservation/incidents/{id}" if settings.link else f"  Mã / Id: {id}")
        lines.append("")
    if (more := batch.count - len(batch.alerts)) > 0:
        lines += [f"… và {more} cảnh báo nữa. / … and {more} more.", ""]
    if any(_incident(one) for one in batch.alerts):
        lines += [
            "Việc cần làm: xem sự cố (trang «Bảo quản», hoặc lệnh «tangthu incidents list»), khắc phục, rồi ghi nguyên",
            "nhân và cách xử lý. Không ghi đè hay xóa gì trong kho trước khi xem.",
            "What to do: look at the incident (page “Preservation”, or “tangthu incidents list”), mend it, then write",
            "down its cause and how it was handled. Overwrite and delete nothing in a store before that.",
            "",
        ]
    return "\n".join([*lines, f"-- {visible(settings.archive, 200)}", ""])


def mail(settings: AlertSettings, batch: Batch, at: datetime) -> EmailMessage:
    """The mail. Its Message-ID is that of the batch's first alert and last try."""
    message = EmailMessage(policy=SMTP)
    message["Subject"] = subject(settings, batch)
    message["From"] = _address(settings.sender)
    message["To"] = tuple(map(_address, settings.to))
    message["Date"] = format_datetime(at)
    first = batch.alerts[0].id if batch.alerts else 0
    message["Message-ID"] = (
        f"<tangthu-{first}-{batch.tries}-{int(at.timestamp())}@{settings.sender.rpartition('@')[2]}>"
    )
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(body(settings, batch), charset="utf-8", cte="base64")
    return message


def webhook_document(settings: AlertSettings, batch: Batch, at: datetime) -> dict[str, Any]:
    """What a webhook is told. ``id`` of an alert is the same when it is told twice."""
    return {
        "format": "tangthu-alerts/1",
        "archive": settings.archive,
        "at": utc_text(at),
        "count": batch.count,
        "alerts": [
            {"id": one.id, "at": utc_text(one.at), "incident": one.incident, "document": dict(one.document)}
            for one in batch.alerts
        ],
    }


def _incident(one: Alert) -> str:
    return one.incident if "kind" in one.document else ""


def _address(text: str) -> Address:
    user, _, domain = text.rpartition("@")
    return Address(username=user, domain=domain)
