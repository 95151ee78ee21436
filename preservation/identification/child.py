"""The child process that looks into files from outside.

``python -m preservation.identification.child <memory bytes> <CPU seconds> <signature file> <container file>``


It answers queries on standard input and output until the pipe closes. It limits itself before the first byte from
outside arrives; whatever happens to it costs one file (DESIGN §2 rule 10).
"""

from __future__ import annotations

import math
import os
import resource
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from preservation.identification.answer import Answer
from preservation.identification.messages import Query, pack_answer, read_query
from preservation.identification.pronom.engine import PronomEngine
from preservation.identification.pronom.signature_file import read_signature_files


def main() -> None:
    memory, seconds = int(sys.argv[1]), int(sys.argv[2])
    answers = os.fdopen(os.dup(1), "wb")
    # What any library prints must not come between the answers.
    os.dup2(2, 1)
    _limit(memory)
    engine = PronomEngine(read_signature_files(Path(sys.argv[3]), Path(sys.argv[4])))
    serve(engine, sys.stdin.buffer, answers, lambda: _allow(seconds))


def serve(engine: PronomEngine, queries: BinaryIO, answers: BinaryIO, allow: Callable[[], None]) -> None:
    """Answer until the queries end; ``allow`` is called before each and sets what it may cost."""
    while (query := read_query(queries)) is not None:
        allow()
        try:
            answer = _answer(engine, query)
        except MemoryError:
            answer = Answer(trouble="MemoryError")
        answers.write(pack_answer(answer))
        answers.flush()


def _answer(engine: PronomEngine, query: Query) -> Answer:
    if query.by_name:
        return engine.by_name(query.name)
    if not query.spool:
        return engine.answer(query.name, query.size, query.head, query.tail)
    try:
        with Path(query.spool).open("rb") as file:
            return engine.answer(query.name, query.size, query.head, query.tail, file)
    except OSError as error:
        answer = engine.answer(query.name, query.size, query.head, query.tail)
        return replace(answer, trouble=answer.trouble or str(error))


def _limit(memory: int) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (32, 32))
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))


def _allow(seconds: int) -> None:
    """After ``seconds`` more of CPU time the kernel ends this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = math.ceil(used.ru_utime + used.ru_stime) + seconds
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    if hard != resource.RLIM_INFINITY:
        soft = min(soft, hard)
    resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


if __name__ == "__main__":
    main()
