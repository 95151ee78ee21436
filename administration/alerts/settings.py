"""What the settings say of alerts: section ``[alerts]``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from administration.settings import Settings
from metadata.alerts import Channel
from metadata.errors import UsageError
from metadata.text import Sentence


@dataclass(frozen=True, slots=True)
class AlertSettings:
    """How people are told. ``to`` empty: no mail. ``webhook`` empty: none. ``security`` is starttls, ssl or none."""

    archive: str
    to: tuple[str, ...] = ()
    sender: str = ""
    host: str = ""
    port: int = 587
    security: str = "starttls"
    user: str = ""
    password: str = ""
    ca: Path | None = None
    webhook: str = ""
    secret: str = ""
    link: str = ""
    per_hour: int = 6
    timeout: float = 30.0
    heartbeat: timedelta = timedelta(0)

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The channels that are set up."""
        return (*((Channel.MAIL,) if self.to else ()), *((Channel.WEBHOOK,) if self.webhook else ()))


def alert_settings(settings: Settings) -> AlertSettings:
    """Out of the archive's settings. Raises UsageError for what cannot be, or a password file that cannot be read."""
    to = tuple(one.strip() for one in settings.text("alerts.mail_to").split(",") if one.strip())
    ca, webhook = settings.text("alerts.ca"), settings.text("alerts.webhook")
    sender, host = settings.text("alerts.mail_from"), settings.text("alerts.smtp_host")
    if to and not (sender and host):
        raise _cannot_be("alerts.mail_from, alerts.smtp_host", "")
    for place, address in (("alerts.mail_to", to), ("alerts.mail_from", (sender,) if sender else ())):
        for one in address:
            if "@" not in one or not one.isprintable() or " " in one:
                raise _cannot_be(place, one)
    if webhook and (urlsplit(webhook).scheme not in ("http", "https") or not urlsplit(webhook).hostname):
        raise _cannot_be("alerts.webhook", webhook)
    return AlertSettings(
        settings.name,
        to,
        sender,
        host,
        settings.count("alerts.smtp_port"),
        settings.text("alerts.smtp_security"),
        settings.text("alerts.smtp_user"),
        _password(settings),
        settings.home / ca if ca else None,
        webhook,
        settings.secrets.get("alerts.webhook_secret_env", ""),
        settings.text("alerts.link").rstrip("/"),
        settings.count("alerts.per_hour"),
        settings.number("alerts.timeout_seconds"),
        timedelta(days=settings.number("alerts.heartbeat_days")),
    )


def _password(settings: Settings) -> str:
    name = settings.text("alerts.smtp_password_file")
    if not name:
        return settings.secrets.get("alerts.smtp_password_env", "")
    try:
        return (settings.home / name).read_text(encoding="utf-8").rstrip("\n")
    except (OSError, ValueError) as error:
        raise _cannot_be("alerts.smtp_password_file", name) from error


def _cannot_be(place: str, value: str) -> UsageError:
    return UsageError(Sentence(f"Giá trị của {place} không dùng được: «{value}».", f"{place} cannot be “{value}”."))
