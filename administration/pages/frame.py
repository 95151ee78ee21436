"""What both pages have in common: the policy of pages with our script, and progress as a page and as JSON."""

from __future__ import annotations

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from access.web.guard import CONTENT_SECURITY_POLICY
from access.web.page import Pages, language_of
from access.web.show import Show
from administration.desk import Desk, DeskProgress, DeskState

_POLICY = f"{CONTENT_SECURITY_POLICY}; script-src 'self'; connect-src 'self'"


def shown(pages: Pages, request: Request, template: str, status: int = 200, **context: object) -> HTMLResponse:
    """A page that may run our own script, and nothing else."""
    response = pages.render(request, template, status, **context)
    response.headers["Content-Security-Policy"] = _POLICY
    return response


def progress_page(pages: Pages, request: Request, desk: Desk, progress: DeskProgress, kind: str) -> Response:
    """How far a task has come, or what it failed of; ``kind`` begins the keys of its words: ``check`` or ``pack``."""
    return shown(
        pages,
        request,
        "clerk_progress.html",
        kind=kind,
        progress=progress,
        failed=progress.state is DeskState.FAILED,
        told=told(pages, request, progress, kind),
        minutes=round(desk.bounds.keep.total_seconds() / 60),
    )


def progress_data(pages: Pages, request: Request, progress: DeskProgress, kind: str) -> Response:
    """The same for our script: ``{state, done, total, told}``."""
    return JSONResponse(
        {
            "state": progress.state.value,
            "done": progress.done,
            "total": progress.total,
            "told": told(pages, request, progress, kind),
        }
    )


def told(pages: Pages, request: Request, progress: DeskProgress, kind: str) -> str:
    """The state in a sentence."""
    show = Show(language_of(request))
    if progress.state is DeskState.WAITING:
        return pages.word(request, "progress.waiting", count=show.number(progress.ahead))
    if not progress.total:
        return pages.word(request, f"{kind}.begun")
    amount = show.size if kind == "check" else show.number
    return pages.word(request, f"{kind}.told", done=amount(progress.done), total=amount(progress.total))
