"""Putting a good copy in the place of a damaged one, so that the damaged one goes last."""

from __future__ import annotations

from contextlib import suppress

from metadata.errors import TangThuError
from preservation.checks import Progress
from storage.aip.parts import part_size
from storage.port import ByteStream, Part, Store, Upload

_PIECE = 1 << 20


class StagedCopy:
    """A copy of an object that lies in ``target`` as an upload: nobody sees it before :meth:`replace`."""

    def __init__(self, source: Store, target: Store, key: str) -> None:
        self._source = source
        self._target = target
        self._key = key
        self._upload: Upload | None = None
        self._parts: list[Part] = []

    def stage(self, on_progress: Progress | None = None) -> int:
        """Send every byte; return their number. Raises what either store raises; then nothing is left behind."""
        self.sweep()
        self._upload = self._target.begin(self._key)
        total = 0
        try:
            with self._source.open(self._key) as stream:
                while data := _read_part(stream, part_size(len(self._parts) + 1)):
                    self._parts.append(self._target.put_part(self._upload, len(self._parts) + 1, data, total))
                    total += len(data)
                    if on_progress:
                        on_progress(len(data))
        except BaseException:
            self.abort()
            raise
        return total

    def replace(self) -> None:
        """Delete what lies under the key and complete the copy. A crash between the two leaves a missing replica."""
        if self._upload is None:
            raise ValueError("nothing is staged")
        self._target.delete(self._key)
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


def _read_part(stream: ByteStream, size: int) -> bytearray:
    buffer = bytearray(size)
    filled = 0
    with memoryview(buffer) as view:
        while filled < size and (count := stream.readinto(view[filled : filled + _PIECE])):
            filled += count
    if filled < size:
        del buffer[filled:]
    return buffer
