"""Putting a good copy in the place of a damaged one, so that the damaged one goes last."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from metadata.errors import Busy, TangThuError
from metadata.outcomes import Fixity
from metadata.text import Sentence
from preservation.checks import Progress
from storage.aip.blocks import Block, ReadAhead
from storage.aip.parts import part_size
from storage.aip.verify import Expected, Verdict, verify_blocks
from storage.port import ObjectInfo, Part, Store, Upload


class StagedCopy:
    """A copy of an object that lies in ``target`` as an upload: nobody sees it before :meth:`replace`."""

    def __init__(self, source: Store, target: Store, key: str) -> None:
        self._source = source
        self._target = target
        self._key = key
        self._upload: Upload | None = None
        self._there: ObjectInfo | None = None
        self._parts: list[Part] = []
        self._held = bytearray()
        self._sent = 0
        self._trouble: TangThuError | None = None

    def stage(self, expected: Expected | None, on_progress: Progress | None = None) -> Verdict:
        """Send every byte, held against ``expected`` on the way: the source may have changed since it was looked at.

        Only a copy that matched is kept. Raises what the target raises; then nothing is left behind.
        """
        self.sweep()
        self._there = self._target.head(self._key)
        self._upload = self._target.begin(self._key)
        try:
            with ReadAhead(self._source, self._key) as blocks:
                verdict = verify_blocks(self._sending(iter(blocks)), self._source, self._key, expected, on_progress)
            self._end(verdict)
        except BaseException:
            self.abort()
            raise
        if verdict.outcome is not Fixity.MATCH:
            self.abort()
        return verdict

    def replace(self) -> None:
        """Bury what lies under the key and complete the copy. A crash between the two leaves a missing replica.

        Raises Busy, and buries nothing, when something else lies there by now: it may be another worker's good copy.
        """
        if self._upload is None:
            raise ValueError("nothing is staged")
        if self._target.head(self._key) != self._there:
            raise Busy(
                Sentence(
                    f"Tiến trình khác đang sửa {self._key} ở nơi lưu {self._target.id}.",
                    f"Another worker is repairing {self._key} in store {self._target.id}.",
                )
            )
        self._target.bury(self._key)
        self._target.complete(self._upload, self._parts)
        self._upload = None

    def abort(self) -> None:
        """Forget the copy; the damaged object stays as it is."""
        if self._upload is not None:
            self._target.abort(self._upload)
            self._upload = None

    def discard(self) -> None:
        """As :meth:`abort`, as far as the store lets us; what is left is swept later."""
        with suppress(TangThuError):
            self.abort()

    def sweep(self) -> None:
        """Abort uploads of this object that an earlier repair left behind."""
        for upload in list(self._target.uploads(self._key)):
            if upload.key == self._key:
                self._target.abort(upload)

    def _sending(self, blocks: Iterator[Block]) -> Iterator[Block]:
        """The blocks, sent in whole parts. What the target raises is kept apart from what the source does."""
        for block in blocks:
            try:
                self._take(block)
            except TangThuError as error:
                self._trouble = error
                return
            yield block

    def _end(self, verdict: Verdict) -> None:
        if self._trouble is not None:
            raise self._trouble
        if verdict.outcome is Fixity.MATCH:
            self._send(self._held)

    def _take(self, block: Block) -> None:
        with memoryview(block[0]) as view:
            at = 0
            while at < block[1]:
                room = part_size(len(self._parts) + 1) - len(self._held)
                self._held += view[at : min(block[1], at + room)]
                at += min(room, block[1] - at)
                if len(self._held) == part_size(len(self._parts) + 1):
                    self._send(self._held)

    def _send(self, data: bytearray) -> None:
        if data:
            assert self._upload is not None
            self._parts.append(self._target.put_part(self._upload, len(self._parts) + 1, data, self._sent))
            self._sent += len(data)
            self._held = bytearray()
