"""Who may come in: for now the administrator, who shows the archive's token.

A program sends ``Authorization: Bearer <token>``. A browser sends the token once, in a form, and gets a session cookie
that is signed with a key derived from the token: the token itself is never stored in the browser, a new token ends all
sessions, and nothing need be kept on the server.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

SESSION_COOKIE = "tangthu_session"
FORM_COOKIE = "tangthu_form"
SESSION_LENGTH = timedelta(hours=12)
_SESSION = re.compile(r"(\d{1,12})\.([0-9a-f]{32})\.([0-9a-f]{64})", re.ASCII)


@dataclass(frozen=True, slots=True)
class TokenAuth:
    """Judges tokens and sessions. ``secure`` marks cookies for HTTPS only; off only on the machine itself.

    Raises ValueError for a token of fewer than 16 characters.
    """

    token: str
    secure: bool

    def __post_init__(self) -> None:
        if len(self.token) < 16:
            raise ValueError("the administrator's token has at least 16 characters")

    def __repr__(self) -> str:
        return "TokenAuth(token=…)"

    def accepts_token(self, token: str) -> bool:
        """Whether this is the token; takes the same time however much of it is right."""
        return hmac.compare_digest(_digest(token), _digest(self.token))

    def accepts_header(self, header: str) -> bool:
        """Whether an ``Authorization`` header carries the token as Bearer (RFC 6750)."""
        scheme, _, token = header.partition(" ")
        return self.accepts_token(token.strip()) and scheme.lower() == "bearer"

    def open_session(self, now: datetime) -> str:
        """A new session as the value of a cookie, good for twelve hours from ``now``."""
        return self._sign(int((now + SESSION_LENGTH).timestamp()), secrets.token_hex(16))

    def accepts_session(self, cookie: str, now: datetime) -> bool:
        """Whether the cookie is a session we opened that has not run out."""
        if not (match := _SESSION.fullmatch(cookie)):
            return False
        expected = self._sign(int(match[1]), match[2])
        return hmac.compare_digest(expected.encode(), cookie.encode()) and now < datetime.fromtimestamp(
            min(int(match[1]), 253_402_300_799), UTC
        )

    def new_form_cookie(self) -> str:
        """A random value that ties a form to the browser it was shown in."""
        return secrets.token_hex(16)

    def form_token(self, cookie: str) -> str:
        """The hidden value of a form shown to the browser that holds ``cookie`` (a form cookie or a session)."""
        return hmac.new(self._key(b"form"), cookie.encode(errors="replace"), hashlib.sha256).hexdigest()

    def accepts_form(self, cookie: str, token: str) -> bool:
        """Whether the form came from a page that we showed to this browser."""
        return bool(cookie) and hmac.compare_digest(self.form_token(cookie).encode(), token.encode(errors="replace"))

    def _sign(self, expires: int, nonce: str) -> str:
        message = f"{expires}.{nonce}"
        return f"{message}.{hmac.new(self._key(b'session'), message.encode(), hashlib.sha256).hexdigest()}"

    def _key(self, purpose: bytes) -> bytes:
        return hmac.new(_digest(self.token), b"tangthu " + purpose, hashlib.sha256).digest()


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode(errors="surrogatepass")).digest()
