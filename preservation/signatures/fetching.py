"""Fetching of OCSP answers, revocation lists and issuers: off unless hosts are allowed, and only from those.

The requests are made in this process by the standard library; what to ask and whether an answer is its authority's is
told by a child, as both parse what comes from outside. A host that is allowed is asked at public addresses only, unless
it is allowed together with a network or is an address itself. No redirect is followed.
"""

from __future__ import annotations

import http.client
import ipaddress
import logging
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Self
from urllib.parse import urlsplit

from metadata.errors import UsageError
from metadata.outcomes import SignatureOutcome
from metadata.text import Sentence
from preservation.signatures.port import Evidence, Question, SignatureChecker, SignatureReport
from preservation.workshop.port import WorkLost, Workshop

_LOG = logging.getLogger(__name__)
_REQUESTS, _ACCEPTED = (f"preservation.signatures.task:{name}" for name in ("requests", "accept"))
_ROUNDS = 3
_CHUNK = 1 << 16
_CONTENT = {"ocsp": "application/ocsp-request"}
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class NotFetched(Exception):
    """Why nothing was fetched: refused before a packet left, or no answer."""


@dataclass(frozen=True, slots=True)
class AllowedHost:
    """``host``, ``host:port`` (else 80), ``host@network``: at addresses of that network instead of public ones."""

    host: str
    port: int = 80
    network: Network | None = None

    @classmethod
    def of(cls, text: str) -> Self:
        """Raises UsageError."""
        place, _, network = text.strip().partition("@")
        try:
            parts = urlsplit(f"//{place}")
            host, port = parts.hostname or "", parts.port or 80
            within = ipaddress.ip_network(network) if network else _address_network(host)
            if not host or parts.path or parts.query or "@" in place:
                raise ValueError(text)  # noqa: TRY301 - one way out
        except ValueError as error:
            raise UsageError(
                Sentence(
                    f"{text}: viết máy chủ dạng tên, tên:cổng hoặc tên@mạng (ocsp.ca.gov.vn, ocsp.noi-bo@10.0.0.0/8).",
                    f"{text}: write a host as name, name:port or name@network (ocsp.ca.gov.vn, ocsp.inner@10.0.0.0/8).",
                )
            ) from error
        return cls(host, port, within)

    def address(self) -> str:
        """Where to connect. Raises NotFetched for an address outside what is allowed, OSError when there is none."""
        found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        address = str(found[0][4][0])
        at = ipaddress.ip_address(address.partition("%")[0])
        if not (at.is_global and not at.is_multicast if self.network is None else at in self.network):
            raise NotFetched(f"{self.host} is at {address}")
        return address


def allowed_hosts(text: str) -> tuple[AllowedHost, ...]:
    """Of a setting: hosts with commas or spaces between them. Raises UsageError."""
    return tuple(AllowedHost.of(one) for one in text.replace(",", " ").split())


class _Memory:
    """What was answered lately, and who did not answer: many files of one signer are asked about once. Of bounded size;
    threads may share it."""

    def __init__(self, seconds: float = 600.0, largest: int = 1 << 26) -> None:
        self._seconds, self._largest = seconds, largest
        self._lock = threading.Lock()
        self._known: dict[tuple[str, bytes], tuple[float, bytes | None]] = {}

    def find(self, key: tuple[str, bytes]) -> tuple[bool, bytes | None]:
        """Whether it is known, and the answer (None: there was none)."""
        with self._lock:
            until, data = self._known.get(key, (0.0, None))
            return until > time.monotonic(), data

    def keep(self, key: tuple[str, bytes], data: bytes | None) -> None:
        with self._lock:
            self._known[key] = time.monotonic() + self._seconds, data
            while sum(len(held or b"") + 100 for _, held in self._known.values()) > self._largest:
                del self._known[next(iter(self._known))]


@dataclass(frozen=True, slots=True)
class Fetcher:
    """Asks allowed hosts; ``seconds`` for each request, ``most`` requests for one file. A request that was made lately
    is not made again, whether it was answered or not. Threads may share it."""

    hosts: tuple[AllowedHost, ...]
    workshop: Workshop
    seconds: float = 10.0
    most: int = 12
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    _memory: _Memory = field(default_factory=_Memory)

    def complete(self, evidence: Evidence) -> Evidence:
        """The evidence with what could be had; the same when that is nothing. Raises WorkLost.

        Issuers that are not known are asked for first, as answers about a certificate are judged by its issuer.
        """
        asked: set[tuple[str, bytes]] = set()
        for _ in range(_ROUNDS):
            wanted = self.workshop.run(_REQUESTS, {"evidence": dict(evidence)})["requests"]
            fresh = [one for one in wanted if (one["url"], bytes(one["body"])) not in asked]
            fresh = fresh[: self.most - len(asked)]
            if not fresh:
                break
            asked |= {(one["url"], bytes(one["body"])) for one in fresh}
            answers = [answer for one in fresh if (answer := self._answer(one)) is not None]
            if answers:
                given = self.workshop.run(_ACCEPTED, {"evidence": dict(evidence), "answers": answers})
                evidence = given["evidence"]
                for row in given["told"]:
                    _LOG.info("signatures.fetched", extra={"fetched": dict(row)})
        return evidence

    def _answer(self, request: Mapping[str, Any]) -> dict[str, Any] | None:
        key = str(request["url"]), bytes(request["body"])
        known, data = self._memory.find(key)
        if not known:
            try:
                data = self._fetch(*key, str(request["kind"]), int(request["largest"]))
            except (NotFetched, OSError, http.client.HTTPException, ValueError) as error:
                _LOG.info("signatures.not-fetched", extra={"why": f"{type(error).__name__}: {error}"})
            self._memory.keep(key, data)
        if data is None:
            return None
        return {**request, "data": data, "time": self.clock().isoformat(timespec="seconds")}

    def _fetch(self, url: str, body: bytes, kind: str, largest: int) -> bytes:
        parts = urlsplit(url)
        port = parts.port or 80
        host = next((one for one in self.hosts if (one.host, one.port) == (parts.hostname, port)), None)
        if parts.scheme != "http" or host is None or parts.username is not None:
            raise NotFetched(f"{parts.hostname}: not allowed")
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        if not path.isascii() or not path.isprintable() or " " in path:
            raise NotFetched("an odd address")
        connection = http.client.HTTPConnection(host.host, port, timeout=self.seconds)
        deadline = time.monotonic() + self.seconds
        # To the address that was looked at: a name may mean another one the next moment.
        connection.sock = socket.create_connection((host.address(), port), timeout=self.seconds)
        # The timeout of a socket is that of each piece; a peer that drips would hold us for hours.
        guard = threading.Timer(max(0.0, deadline - time.monotonic()), _end, [connection.sock])
        guard.start()
        try:
            return _exchange(connection, path, body, _CONTENT.get(kind), largest)
        finally:
            guard.cancel()
            connection.close()


class FetchingChecker:
    """A SignatureChecker that fetches evidence for a signed file and looks again. Whatever fails, the first look stays.

    The second look is as of the moment after the fetching, which is then the time that the evidence proves: an answer
    says nothing of the time before it was given. ``ends`` is done at the end.
    """

    def __init__(self, checker: SignatureChecker, fetcher: Fetcher, ends: Callable[[], None] = lambda: None) -> None:
        self._checker, self._fetcher, self._ends = checker, fetcher, ends

    def check(self, question: Question) -> SignatureReport:
        first = self._checker.check(question)
        if not first.evidence or first.outcome in (SignatureOutcome.INVALID, None):
            return first
        try:
            evidence = self._fetcher.complete(first.evidence)
        except (WorkLost, KeyError, TypeError, ValueError) as error:
            _LOG.warning("signatures.not-fetched", extra={"why": type(error).__name__})
            return first
        if evidence.get("fetched") == first.evidence.get("fetched"):
            return first
        if question.evidence is None:
            now = self._fetcher.clock()
            kept = {**evidence, "proof_of_existence": now.isoformat()}
            question = replace(question, at=now, seen=now, evidence=kept)
        else:
            question = replace(question, evidence=evidence)
        second = self._checker.check(question)
        return second if second.verdicts else first

    def close(self) -> None:
        self._checker.close()
        self._ends()


def _exchange(
    connection: http.client.HTTPConnection, path: str, body: bytes, content: str | None, largest: int
) -> bytes:
    headers = {"Accept": "*/*", "Connection": "close"} | ({"Content-Type": content} if content else {})
    connection.request("POST" if body else "GET", path, body or None, headers)
    response = connection.getresponse()
    if response.status != http.client.OK:
        raise NotFetched(f"status {response.status}")
    data = bytearray()
    while chunk := response.read(min(_CHUNK, largest + 1 - len(data))):
        data += chunk
        if len(data) > largest:
            raise NotFetched("too large")
    if response.length:
        raise NotFetched("cut short")
    return bytes(data)


def _end(sock: socket.socket) -> None:
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:  # it has ended by itself
        return


def _address_network(host: str) -> Network | None:
    """An address that is allowed by itself is allowed though it is not public."""
    try:
        return ipaddress.ip_network(host)
    except ValueError:
        return None
