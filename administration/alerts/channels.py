"""Handing a message over: to a mail server, to a web server. What goes wrong is an OSError with a word on it."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import smtplib
import ssl
from contextlib import closing
from datetime import datetime
from urllib.parse import urlsplit

from administration.alerts.message import mail, webhook_document
from administration.alerts.settings import AlertSettings
from metadata.alerts import Batch
from metadata.canonical import canonical

SIGNATURE = "X-Tangthu-Signature"
"""The header with ``sha256=`` and the HMAC-SHA256 of the body under the shared secret, in hexadecimal."""


def send_mail(settings: AlertSettings, batch: Batch, at: datetime) -> None:
    """Give the mail to the server. Raises OSError when it did not take it from us for everybody."""
    message = mail(settings, batch, at)
    try:
        with _server(settings) as server:
            if settings.security == "starttls":
                server.starttls(context=_trust(settings))
            if settings.user:
                server.login(settings.user, settings.password)
            refused = server.send_message(message, settings.sender, list(settings.to))
    except (smtplib.SMTPException, ValueError) as error:
        raise OSError(f"{type(error).__name__}: {error}") from error
    if refused and len(refused) == len(settings.to):
        raise OSError(f"nobody's address was taken: {', '.join(refused)}")


def call_webhook(settings: AlertSettings, batch: Batch, at: datetime) -> None:
    """POST the batch as canonical JSON; redirects are not followed. Raises OSError unless the answer is 2xx."""
    url = urlsplit(settings.webhook)
    data = f"{canonical(webhook_document(settings, batch, at))}\n".encode("utf-8", "replace")
    headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "tangthu"}
    if settings.secret:
        headers[SIGNATURE] = f"sha256={hmac.new(settings.secret.encode(), data, hashlib.sha256).hexdigest()}"
    host, timeout = url.hostname or "", settings.timeout
    try:
        with closing(
            http.client.HTTPSConnection(host, url.port, timeout=timeout, context=_trust(settings))
            if url.scheme == "https"
            else http.client.HTTPConnection(host, url.port, timeout=timeout)
        ) as connection:
            connection.request("POST", f"{url.path or '/'}{f'?{url.query}' if url.query else ''}", data, headers)
            answer = connection.getresponse()
            answer.read(1 << 16)
    except (http.client.HTTPException, ValueError) as error:
        raise OSError(f"{type(error).__name__}: {error}") from error
    if not 200 <= answer.status < 300:
        raise OSError(f"HTTP {answer.status}")


def _server(settings: AlertSettings) -> smtplib.SMTP:
    if settings.security == "ssl":
        return smtplib.SMTP_SSL(settings.host, settings.port, timeout=settings.timeout, context=_trust(settings))
    return smtplib.SMTP(settings.host, settings.port, timeout=settings.timeout)


def _trust(settings: AlertSettings) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(settings.ca) if settings.ca else None)
