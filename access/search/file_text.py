"""The words of a version's files, as its AIP keeps them: on our disk while they are fed, so flat in memory."""

from __future__ import annotations

import re
import tempfile
import unicodedata
from array import array
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from access.search.port import MAX_TEXT
from metadata.examination import FileText, lines

_NUMBER = re.compile(rb'\{"number":([1-9][0-9]{0,9}),')


class FileTexts:
    """The lines of ``data/examination/text.jsonl`` by the numbers of their members. A context manager."""

    def __init__(self, chunks: Iterable[bytes], work: Path | None = None) -> None:
        """Keep what comes out of ``chunks`` in ``work``. Raises ValueError for what is no such file, and what they
        raise."""
        self._file = tempfile.TemporaryFile(dir=work)  # noqa: SIM115 - closed by close
        self._starts, self._sizes = array("Q"), array("Q")
        try:
            for line in lines(chunks):
                self._keep(line)
        except BaseException:  # whatever it is, the file goes and it is raised again
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def _keep(self, line: bytes) -> None:
        found = _NUMBER.match(line)
        if found is None or (number := int(found[1])) < len(self._starts):
            raise ValueError("the words of files are not in the order of the members")
        self._starts.extend([0] * (number + 1 - len(self._starts)))
        self._sizes.extend([0] * (number + 1 - len(self._sizes)))
        self._starts[number], self._sizes[number] = self._file.tell(), len(line)
        self._file.write(line)

    def of(self, members: Sequence[int]) -> str:
        """The words of these members in their order, in NFC, no more than are searched of one document."""
        kept: list[str] = []
        left = MAX_TEXT
        for text in self._texts(members):
            kept.append(text[:left])
            left -= len(kept[-1]) + 1
            if left <= 0:
                break
        return "\n".join(kept)

    def _texts(self, members: Sequence[int]) -> Iterator[str]:
        for number in members:
            if number < len(self._sizes) and self._sizes[number]:
                self._file.seek(self._starts[number])
                yield unicodedata.normalize("NFC", FileText.read(self._file.read(self._sizes[number])).text)
