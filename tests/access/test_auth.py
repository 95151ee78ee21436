"""Tokens, sessions and forms."""

from __future__ import annotations

from datetime import timedelta

import pytest

from access.auth import SESSION_LENGTH, TokenAuth
from tests.builders.reading import NOW, TOKEN

AUTH = TokenAuth(TOKEN, secure=True)


@pytest.mark.parametrize("token", ["", "wrong", TOKEN[:-1], TOKEN + "x", "ă" * 20, "\ud800"])
def test_another_token_is_refused(token: str) -> None:
    assert not AUTH.accepts_token(token)


@pytest.mark.parametrize(
    ("header", "good"),
    [
        (f"Bearer {TOKEN}", True),
        (f"bearer  {TOKEN}", True),
        (f"Basic {TOKEN}", False),
        (TOKEN, False),
        ("Bearer", False),
    ],
)
def test_headers(header: str, good: bool) -> None:
    assert AUTH.accepts_header(header) is good


def test_a_session_ends() -> None:
    session = AUTH.open_session(NOW)
    assert AUTH.accepts_session(session, NOW + SESSION_LENGTH - timedelta(seconds=1))
    assert not AUTH.accepts_session(session, NOW + SESSION_LENGTH)


def test_a_session_cannot_be_made_or_changed() -> None:
    expires, nonce, signature = AUTH.open_session(NOW).split(".")
    for forged in (
        f"{int(expires) + 1}.{nonce}.{signature}",
        f"{expires}.{'0' * 32}.{signature}",
        f"999999999999.{nonce}.{signature}",
        f"{expires}.{nonce}.{'0' * 64}",
        TOKEN,
        "",
    ):
        assert not AUTH.accepts_session(forged, NOW)


def test_a_new_token_ends_all_sessions() -> None:
    assert not TokenAuth("another-token-of-some-length", secure=True).accepts_session(AUTH.open_session(NOW), NOW)


def test_a_session_is_no_form_and_a_form_is_no_session() -> None:
    cookie = AUTH.new_form_cookie()
    assert AUTH.accepts_form(cookie, AUTH.form_token(cookie))
    assert not AUTH.accepts_form("", AUTH.form_token(""))
    assert not AUTH.accepts_form(AUTH.new_form_cookie(), AUTH.form_token(cookie))
    assert not AUTH.accepts_session(AUTH.form_token(cookie), NOW)


def test_a_short_token_is_no_token() -> None:
    with pytest.raises(ValueError, match="16"):
        TokenAuth("short", secure=True)
