"""Judging signatures as a task of the workshop. Its equipment ``trust`` is a trust store as JSON has it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

from preservation.signatures.answering import Answerer
from preservation.signatures.gathering import accepted, requests_for
from preservation.signatures.port import Question
from preservation.signatures.trust import TrustStore
from preservation.workshop.port import Tools, Values


def prepare(tools: Tools) -> None:
    """Read the trust store. Raises ValueError when a certificate of it cannot be parsed."""
    _answerer(tools)


def check(tools: Tools, arguments: Values, files: Sequence[BinaryIO]) -> Values:
    """The task: a question's arguments and its files. Answers with a report's fields."""
    return _answerer(tools).answer(Question.of_arguments(arguments, files)).fields()


def requests(tools: Tools, arguments: Values, files: Sequence[BinaryIO]) -> Values:
    """The task: what could be asked of authorities about an ``evidence``; see :func:`gathering.requests_for`."""
    return {"requests": requests_for(arguments["evidence"], _answerer(tools).store)}


def accept(tools: Tools, arguments: Values, files: Sequence[BinaryIO]) -> Values:
    """The task: an ``evidence`` with those of the ``answers`` that are their authority's, and what became of each."""
    evidence, told = accepted(arguments["evidence"], _answerer(tools).store, arguments["answers"])
    return {"evidence": evidence, "told": told}


def _answerer(tools: Tools) -> Answerer:
    return tools.once("preservation.signatures", lambda: Answerer.of(TrustStore.of_json(tools.equipment["trust"])))
