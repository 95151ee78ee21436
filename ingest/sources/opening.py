"""The one way in: a folder is read where it is, a file is copied into quarantine first, so that it cannot change."""

from __future__ import annotations

import bz2
import contextlib
import errno
import lzma
import os
import stat
import zlib
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from typing import BinaryIO, Protocol

from ingest.guards import LIMITS, GuardLimits
from ingest.sources.folder import FolderSource
from ingest.sources.port import Source, is_ours
from ingest.sources.tar_source import BLOCK, TarSource, is_header
from ingest.sources.zip_source import ZipSource
from metadata.errors import NotFound
from metadata.findings import Findings
from metadata.text import Sentence

_CHUNK = 1 << 20
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x06\x06")
_GZIP, _BZIP2, _XZ = b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00"
_MEDIA_TYPES = {_GZIP: "application/gzip", _BZIP2: "application/x-bzip2", _XZ: "application/x-xz"}


class _Decoder(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class _RefusedError(Exception):
    """A compressed file that will not be unpacked; the argument is the finding's code."""


def open_source(path: Path, quarantine: Path, findings: Findings, limits: GuardLimits = LIMITS) -> Source | None:
    """Open what was sent. None when it is refused: ``findings`` say why, and nothing is left in ``quarantine``.

    ``quarantine`` is a folder of this submission's own; it is made, and emptied again when the source is closed.
    Raises NotFound when there is nothing at ``path``; OSError when our own disk or the medium fails.
    """
    if path.is_dir():
        return _open_folder(path, findings, limits)
    if not path.is_file():
        sentence = Sentence(f"Không có tệp hay thư mục nào ở {path}.", f"There is no file or folder at {path}.")
        raise NotFound(sentence)
    name = path.resolve().name
    quarantine.mkdir(parents=True, exist_ok=True)
    copy = quarantine / "submission"
    try:
        source = _open_file(path, copy, name, findings, limits)
    except BaseException:
        _clear(quarantine)
        raise
    if source is None or findings.refused:
        if source is not None:
            source.close()
        _clear(quarantine)
        return None
    return _Quarantined(source, quarantine)


def _open_folder(path: Path, findings: Findings, limits: GuardLimits) -> Source | None:
    try:
        return FolderSource(path, limits.depth)
    except OSError as error:
        if is_ours(error):
            raise
        findings.add("SOURCE-UNREADABLE", path.resolve().name, reason=error.strerror or type(error).__name__)
        return None


def _open_file(path: Path, copy: Path, name: str, findings: Findings, limits: GuardLimits) -> Source | None:
    if not _copy(path, copy, name, findings, limits):
        return None
    with copy.open("rb") as stream:
        head = stream.read(BLOCK)
    decoder = _decoder(head, limits)
    media_type = next((name for magic, name in _MEDIA_TYPES.items() if head.startswith(magic)), "application/x-tar")
    if decoder is not None:
        tar = copy.with_name("tar")
        try:
            _unpack(copy, tar, decoder, limits)
        except _RefusedError as error:
            findings.add(str(error), name, limit=limits.ratio if str(error) == "SOURCE-RATIO" else limits.bytes)
            return None
        copy.unlink()
        copy = tar
        with copy.open("rb") as stream:
            head = stream.read(BLOCK)
    index = copy.with_name("index")
    if decoder is None and (head.startswith(_ZIP) or _ends_as_zip(copy)):
        return ZipSource(copy, name, index, findings, limits)
    if is_header(head):
        return TarSource(copy, name, index, findings, limits, media_type)
    findings.add("SOURCE-UNKNOWN", name)
    return None


class _Quarantined:
    """A source whose quarantined copy goes when it is closed."""

    def __init__(self, source: Source, quarantine: Path) -> None:
        self._quarantine = quarantine
        self._source = source
        self.name = source.name
        self.media_type = source.media_type
        self.entries = source.entries
        self.enter = source.enter
        self.open = source.open

    def close(self) -> None:
        self._source.close()
        _clear(self._quarantine)


def _clear(quarantine: Path) -> None:
    for name in ("submission", "tar", "index"):
        (quarantine / name).unlink(missing_ok=True)
    with contextlib.suppress(FileNotFoundError):
        quarantine.rmdir()


def _copy(path: Path, copy: Path, name: str, findings: Findings, limits: GuardLimits) -> bool:
    """Copy what was sent into quarantine; False when it cannot be read or is too large. It may be replaced meanwhile,
    by a pipe too, which must not make us wait."""
    try:
        with _regular(path) as source, copy.open("wb", buffering=0) as target:
            left = limits.bytes if os.fstat(source.fileno()).st_size <= limits.bytes else -1
            while left >= 0 and (chunk := source.read(_CHUNK)):
                target.write(chunk)
                left -= len(chunk)
    except OSError as error:
        if is_ours(error):
            raise
        findings.add("SOURCE-UNREADABLE", name, reason=error.strerror or type(error).__name__)
        return False
    if left < 0:
        findings.add("SOURCE-LARGE", name, limit=limits.bytes)
    return left >= 0


def _regular(path: Path) -> FileIO:
    source = FileIO(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK))
    if not stat.S_ISREG(os.fstat(source.fileno()).st_mode):
        source.close()
        raise OSError(errno.EINVAL, "not a regular file")
    return source


def _ends_as_zip(path: Path) -> bool:
    """Whether a ZIP's end record lies near the end: something else stands before the ZIP."""
    with path.open("rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(0, size - 65_557))
        return b"PK\x05\x06" in stream.read()


def _decoder(head: bytes, limits: GuardLimits) -> _Decoder | None:
    return next(_decoders(head, limits), None)


def _decoders(head: bytes, limits: GuardLimits) -> Iterator[_Decoder]:
    """A decoder for each compressed stream that begins so; a file may be several, one after another."""
    if head.startswith(_GZIP):
        yield _Gzip()
    elif head.startswith(_BZIP2):
        yield bz2.BZ2Decompressor()
    elif head.startswith(_XZ):
        yield lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=limits.lzma_memory)


class _Gzip:
    """One gzip member with the same shape as bz2's and lzma's decoders: what was not used up is kept inside."""

    def __init__(self) -> None:
        self._inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)

    @property
    def eof(self) -> bool:
        return self._inflater.eof

    @property
    def unused_data(self) -> bytes:
        return self._inflater.unused_data

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        return self._inflater.decompress(self._inflater.unconsumed_tail + data, max_length)


def _unpack(packed: Path, plain: Path, decoder: _Decoder, limits: GuardLimits) -> None:
    """Unpack a compressed tar. Raises _RefusedError when it is damaged, followed by something else, or far too big."""
    with packed.open("rb") as source, plain.open("wb") as target:
        made = 0
        try:
            for data in _plain(source, decoder, limits):
                made += len(data)
                if made > limits.bytes:
                    raise _RefusedError("SOURCE-LARGE")
                if made > limits.ratio_from and made > source.tell() * limits.ratio:
                    raise _RefusedError("SOURCE-RATIO")
                target.write(data)
        except (zlib.error, lzma.LZMAError, OSError, EOFError, ValueError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise _RefusedError("SOURCE-DAMAGED") from error


def _plain(source: BinaryIO, decoder: _Decoder, limits: GuardLimits) -> Iterator[bytes]:
    ended = False
    while chunk := source.read(_CHUNK // 16):
        while chunk or not decoder.eof:
            if ended:
                chunk += source.read(len(_XZ))
                following = _decoder(chunk, limits)
                if following is None or type(following) is not type(decoder):
                    raise ValueError("something follows the compressed data")
                decoder, ended = following, False
            data = decoder.decompress(chunk, _CHUNK)
            yield data
            ended, chunk = decoder.eof, decoder.unused_data if decoder.eof else b""
            if not data and not ended:
                break
    if not ended:
        raise EOFError
