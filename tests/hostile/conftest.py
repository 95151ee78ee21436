"""No test here may reach for the network, not even one that would be refused."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Every attempt to open a connection or to look up a name fails, and fails the test even when it is caught."""
    attempts: list[str] = []

    def refuse(name: str) -> object:
        def attempt(*arguments: object, **_: object) -> None:
            attempts.append(f"{name}{arguments[-1:]}")
            raise OSError(f"a test of hostile input called {name}")

        return attempt

    for name in ("connect", "connect_ex", "sendto", "bind"):
        monkeypatch.setattr(socket.socket, name, refuse(name))
    for name in ("getaddrinfo", "gethostbyname", "create_connection"):
        monkeypatch.setattr(socket, name, refuse(name))
    yield attempts
    assert attempts == []
