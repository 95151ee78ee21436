"""The web application, and its server with clock and worker in one process."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING

import uvicorn
from fastapi import FastAPI

from access.web import Annex, install
from administration import pages
from administration.api import checks, preservation, quarantine
from administration.checks import CheckDesk
from administration.flows import chimes, work_options, workflows
from administration.packs import PackDesk
from administration.pages.preservation import officers_pages
from administration.work.clock import Clock
from administration.work.engine import WorkEngine
from metadata.errors import UsageError
from metadata.text import Sentence

if TYPE_CHECKING:
    from administration.archive import Archive

Ready = Callable[[str, str], None]
"""Told the address and the token once connections are accepted."""


def application(archive: Archive, desk: CheckDesk, packs: PackDesk) -> FastAPI:
    """The ASGI application: access behind its door, and the desks that check and make packages."""
    app = FastAPI(title=archive.settings.name, docs_url=None, redoc_url=None, openapi_url=None)
    uploads = {**checks.uploads(desk), **pages.uploads(desk, packs)}
    install(app, archive.access, uploads, _annexes(archive, desk, packs))
    app.include_router(checks.router(archive.access, desk))
    app.include_router(quarantine.router(archive.access, archive))
    app.include_router(preservation.router(archive.access, archive))
    return app


def _annexes(archive: Archive, desk: CheckDesk, packs: PackDesk) -> tuple[Annex, ...]:
    return pages.clerks_pages(archive.access, archive, desk, packs), officers_pages(archive.access, archive)


def serve(archive: Archive, host: str, port: int, ready: Ready, *, work: bool = True) -> None:
    """Serve until stopped (SIGINT, SIGTERM). Raises UsageError when the address is taken."""
    with ExitStack() as stack:
        desks = stack.enter_context(CheckDesk.of(archive)), stack.enter_context(PackDesk.of(archive))
        app = application(archive, *desks)
        listener = stack.enter_context(_listen(host, port))
        if work:
            settings = archive.settings
            engine = stack.enter_context(WorkEngine(settings.work_url, workflows(archive), work_options(settings)))
            stack.enter_context(Clock(engine.enqueue, chimes(settings)))
        shown = f"[{host}]" if ":" in host else host
        ready(f"http://{shown}:{listener.getsockname()[1]}/", archive.token)
        config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False, lifespan="off")
        # The server raises the signal that stopped it once more when it is done; we still have things to close.
        for number in (signal.SIGINT, signal.SIGTERM):
            stack.callback(signal.signal, number, signal.signal(number, lambda *_: None))
        uvicorn.Server(config).run(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        raise UsageError(
            Sentence(
                f"Không mở được {host}:{port}: {error.strerror}.", f"Cannot listen on {host}:{port}: {error.strerror}."
            )
        ) from error
