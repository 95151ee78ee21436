"""What the answers of ``/api/preservation`` have in common."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query, Request
from pydantic import Field

from access.models import Model, Trouble
from access.web.guard import FormRefusedError, same_origin

Limit = Annotated[int, Query(ge=1, le=1000)]
Person = Annotated[str, Field(max_length=200, examples=["Nguyễn Văn A"])]
NONE: dict[int | str, dict[str, Any]] = {404: {"model": Trouble, "description": "There is no such one"}}


class SentenceModel(Model):
    """One sentence in both languages."""

    vi: str
    en: str


def ours(request: Request) -> None:
    """Raises FormRefusedError for what a page of another site sends."""
    if not same_origin(request):
        raise FormRefusedError
