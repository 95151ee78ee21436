"""A store in a folder: a disk, a NAS, a second building's file server.

    <root>/tangthu-store.json      the marker; without it the store is not mounted
    <root>/objects/<key>           one file an object, see ``storage.stores.paths``
    <root>/uploads/<id>/           an upload: its key, the data as far as it has come
    <root>/uploads/<id>.put        a small object on its way

A file gets its name under ``objects`` only when all its bytes are on disk, by a hard link, which the file system
refuses when the name is taken: creating is atomic and conditional, and what a crash leaves is below ``uploads``.
A name is acknowledged when every folder above it is on disk too.
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from metadata.errors import AlreadyExists, UsageError
from metadata.identifiers import ArchiveCode, StoreId
from metadata.text import Sentence
from storage.keys import SET_KEY
from storage.marker import MARKER_BYTES, MARKER_KEY, Marker
from storage.port import Bytes, ObjectInfo, Part, Upload
from storage.space import Space
from storage.stores.failures import (
    MAX_KEY_BYTES,
    already_exists,
    checked_key,
    checked_range,
    disk_errors,
    no_upload,
    not_found,
    not_mounted,
    on_shelf,
    sealed,
    unavailable,
)
from storage.stores.file_stream import FileStream
from storage.stores.files import (
    assemble,
    folder_below,
    open_file,
    read_file,
    refuse_link,
    removed_empty,
    sync_folder,
    write_at,
    write_sealed,
)
from storage.stores.listing import list_keys
from storage.stores.paths import object_path

_STALE_PUT_SECONDS: Final = 86_400.0
_FOLDER_MODE: Final = 0o750
_FOLDER_TRIES: Final = 100
_OBJECTS: Final = "objects"
_UPLOADS: Final = "uploads"


class DirectoryStore:
    """Objects as files below ``root``. Safe to use from several threads, processes and machines.

    Every method raises StoreUnavailable while the marker is missing or names another store.
    """

    def __init__(self, store_id: StoreId, root: Path, label: str = "", offline: bool = False) -> None:
        """An ``offline`` one is a medium: not there means on its shelf, and once closed as a set it takes nothing."""
        self._id = store_id
        self._root = root
        self._objects = root / _OBJECTS
        self._uploads = root / _UPLOADS
        self._label = label
        self._offline = offline
        self._marker_seen: tuple[int, ...] | None = None

    @property
    def id(self) -> StoreId:
        return self._id

    def create(self, archive: ArchiveCode) -> None:
        """Make the folder a store. Nothing happens when it is this store already.

        Raises AlreadyExists when it is another one, UsageError when it holds other things or its file system has no
        hard links or confuses names.
        """
        with disk_errors(self._id):
            self._root.mkdir(parents=True, exist_ok=True)
            marker_path = self._root / MARKER_KEY
            if marker_path.exists():
                if not self._read_marker().is_of(self._id, archive):
                    raise already_exists(self._id, MARKER_KEY)
                return
            if strangers := {entry.name for entry in self._root.iterdir()} - {"objects", "uploads", "lost+found"}:
                raise _unfit(self._root, f"đã có “{min(strangers)}”", f"it holds “{min(strangers)}”")
            for folder in (self._objects, self._uploads):
                folder.mkdir(mode=_FOLDER_MODE, exist_ok=True)
            self._probe()
            write_sealed(self._uploads / "marker.put", Marker(self._id, archive, self._label).to_bytes())
            with suppress(FileExistsError):
                os.link(self._uploads / "marker.put", marker_path)
            (self._uploads / "marker.put").unlink()
            sync_folder(self._root)
            sync_folder(self._root.parent)
        self._check_mounted()

    def _probe(self) -> None:
        """Refuse a file system that has no hard links or does not keep names as they are given."""
        names = ("Probe-\u1ea3.put", "probe-\u1ea3.put", "Probe-a\u0309.put")
        first, others = self._uploads / names[0], [self._uploads / name for name in names[1:]]
        try:
            first.touch()
            for other in others:
                os.link(first, other)
        except FileExistsError as error:
            raise _unfit(self._root, "hệ thống tệp lẫn lộn các tên khác nhau", "it confuses different names") from error
        except PermissionError as error:
            raise _unfit(self._root, "hệ thống tệp không có liên kết cứng", "it has no hard links") from error
        finally:
            for path in (first, *others):
                path.unlink(missing_ok=True)

    def _read_marker(self) -> Marker:
        try:
            return Marker.parse(read_file(self._root / MARKER_KEY, MARKER_BYTES))
        except ValueError as error:
            raise not_mounted(self._id, "the marker cannot be read") from error

    def _check_mounted(self) -> None:
        try:
            stat = (self._root / MARKER_KEY).stat()
            self._objects.stat()
            for folder in (self._objects, self._uploads):
                refuse_link(folder)
        except OSError as error:
            if self._offline:
                raise on_shelf(self._id, self._label) from error
            raise not_mounted(self._id, error.strerror or type(error).__name__) from error
        seen = (stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns)
        if seen == self._marker_seen:
            return
        with disk_errors(self._id):
            marker = self._read_marker()
        if marker.store != self._id:
            raise not_mounted(self._id, f"{self._root} is the store “{marker.store}”")
        self._marker_seen = seen

    def _check_open(self) -> None:
        """Also refuse when this is a medium that was closed as a set."""
        self._check_mounted()
        if self._offline and self._path(SET_KEY).exists():
            raise sealed(self._id)

    def fitness(self) -> tuple[bool, bool]:
        """Whether the file system has hard links, and keeps names as they are given."""
        try:
            with disk_errors(self._id):
                self._probe()
        except UsageError as error:
            links = not isinstance(error.__cause__, PermissionError)
            return links, not links
        return True, True

    def file_system(self) -> str:
        """What the folder is on, as Linux names it; empty elsewhere."""
        try:
            table = Path("/proc/mounts").read_text("utf-8", "replace").splitlines()
            mounts = [line.split(" ")[1:3] for line in table]
            inside = [(len(at), kind) for at, kind in mounts if self._root.resolve().is_relative_to(at)]
        except (OSError, ValueError):
            return ""
        return max(inside, default=(0, ""))[1]

    def space(self) -> Space:
        """How much room there is; what a quota leaves is told where the file system tells it. May hang with it."""
        self._check_mounted()
        with disk_errors(self._id):
            found = os.statvfs(self._objects)
        return Space(found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize)

    def _path(self, key: str) -> Path:
        return self._root / MARKER_KEY if key == MARKER_KEY else self._objects / object_path(checked_key(key))

    def put(self, key: str, data: Bytes) -> None:
        target = self._path(key)
        self._check_open()
        with disk_errors(self._id):
            if target.exists():
                raise already_exists(self._id, key)
            temporary = self._uploads / f"{uuid.uuid4().hex}.put"
            try:
                write_sealed(temporary, data)
                self._publish(temporary, target, key)
            finally:
                temporary.unlink(missing_ok=True)

    def _publish(self, source: Path, target: Path, key: str) -> None:
        """Give a file that is on disk its name, and put the name on disk."""
        for _ in range(_FOLDER_TRIES):
            try:
                with folder_below(self._root, self._above(target), _FOLDER_MODE) as folder:
                    self._link(source, folder, target.name, key)
            except FileNotFoundError:
                self._check_mounted()
                source.stat()
                continue  # a deletion has just removed a folder that became empty
            break
        else:
            raise unavailable(self._id, f"the folder of “{key}” cannot be made")
        # Another writer may have made a folder above and not have put it on disk yet: all of them count.
        self._sync_above(target)

    def _link(self, source: Path, folder: int, name: str, key: str) -> None:
        try:
            os.link(source, name, dst_dir_fd=folder, follow_symlinks=False)
        except FileExistsError as error:
            there, ours = os.stat(name, dir_fd=folder, follow_symlinks=False), source.stat(follow_symlinks=False)
            if not os.path.samestat(there, ours):  # else an earlier try had come this far
                raise already_exists(self._id, key) from error

    def _above(self, target: Path) -> str:
        """The folder of an object, from the root on: whoever writes to the store from outside may have put links on
        the way there, which would lead into another store."""
        return target.parent.relative_to(self._root).as_posix()

    def _sync_above(self, target: Path) -> None:
        for folder in target.parents:
            with suppress(FileNotFoundError):  # deleted meanwhile, with all that it held
                sync_folder(folder)
            if folder == self._objects:
                break

    def open(self, key: str, start: int = 0, length: int | None = None) -> FileStream:
        path = self._path(key)
        self._check_mounted()
        with disk_errors(self._id):
            try:
                with folder_below(self._root, self._above(path)) as folder:
                    descriptor = open_file(path.name, folder)
            except (FileNotFoundError, NotADirectoryError) as error:
                self._check_mounted()  # still there, so the object is missing and not the disk
                raise not_found(self._id, key) from error
            stream = FileStream(self._id, descriptor, start)
            size = os.fstat(descriptor).st_size
        stream.bound(checked_range(size, start, length))
        return stream

    def head(self, key: str) -> ObjectInfo | None:
        path = self._path(key)
        self._check_mounted()
        with disk_errors(self._id):
            try:
                with folder_below(self._root, self._above(path)) as folder:
                    stat = os.stat(path.name, dir_fd=folder, follow_symlinks=False)
            except (FileNotFoundError, NotADirectoryError):
                self._check_mounted()
                return None
        return ObjectInfo(key, stat.st_size, datetime.fromtimestamp(stat.st_mtime, UTC), f"{stat.st_mtime_ns}")

    def list(self, prefix: str = "", after: str = "") -> Iterator[ObjectInfo]:
        self._check_mounted()
        with disk_errors(self._id):
            for key, stat in list_keys(self._objects, prefix, after):
                yield ObjectInfo(key, stat.st_size, datetime.fromtimestamp(stat.st_mtime, UTC), f"{stat.st_mtime_ns}")
        self._check_mounted()  # a disk that went away meanwhile looks like a store with few objects

    def delete(self, key: str) -> None:
        if key == MARKER_KEY:
            raise ValueError("the marker of a store is never deleted")
        path = self._path(key)
        self._check_open()
        with disk_errors(self._id):
            try:
                with folder_below(self._root, self._above(path)) as above:
                    os.unlink(path.name, dir_fd=above)
            except (FileNotFoundError, NotADirectoryError):
                return
            self._sync_above(path)
            for folder in path.parents:
                if folder == self._objects or not removed_empty(folder):
                    break

    def bury(self, key: str) -> None:
        self.delete(key)

    def thaw(self, key: str) -> bool:
        if self.head(key) is None:
            raise not_found(self._id, key)
        return True

    def begin(self, key: str) -> Upload:
        checked_key(key)
        self._check_open()
        identifier = uuid.uuid4().hex
        with disk_errors(self._id):
            unborn = self._uploads / f"{identifier}.new"
            unborn.mkdir(mode=_FOLDER_MODE)
            write_sealed(unborn / "key", key.encode())
            unborn.rename(self._uploads / identifier)
            started = (self._uploads / identifier / "key").stat().st_mtime
        return Upload(key, identifier, datetime.fromtimestamp(started, UTC))

    def put_part(self, upload: Upload, number: int, data: Bytes, offset: int | None = None) -> Part:
        """With ``offset`` the bytes go to their place at once; without, into a file that ``complete`` joins."""
        folder = self._folder(upload)
        name = "data" if offset is not None else f"in-{number}-{uuid.uuid4().hex}"
        with disk_errors(self._id):
            try:
                write_at(folder / name, data, offset or 0)
            except FileNotFoundError as error:  # aborted meanwhile
                raise no_upload(self._id, upload.key) from error
            if offset is not None:
                return Part(number, len(data), f"at-{offset}")
            for older in folder.glob(f"in-{number}-*"):
                if older.name != name:
                    older.unlink(missing_ok=True)
            return Part(number, len(data), name)

    def complete(self, upload: Upload, parts: Sequence[Part]) -> None:
        self._check_open()
        folder, target = self._folder(upload), self._path(upload.key)
        try:
            with disk_errors(self._id):
                try:
                    source = assemble(folder, parts)
                except (FileNotFoundError, ValueError) as error:
                    raise no_upload(self._id, upload.key) from error
                self._publish(source, target, upload.key)
        except AlreadyExists:
            self._discard(folder)
            raise
        self._discard(folder)

    def abort(self, upload: Upload) -> None:
        self._check_mounted()
        self._discard(self._uploads / upload.id)

    def _folder(self, upload: Upload) -> Path:
        self._check_mounted()
        folder = self._uploads / upload.id
        with disk_errors(self._id):
            try:
                if read_file(folder / "key", MAX_KEY_BYTES) == upload.key.encode():
                    return folder
            except (FileNotFoundError, ValueError):
                pass
        raise no_upload(self._id, upload.key)

    def _discard(self, folder: Path) -> None:
        """Remove an upload, the key first: what a crash leaves of it is then no upload any more."""
        with disk_errors(self._id), suppress(FileNotFoundError):
            (folder / "key").unlink(missing_ok=True)
            for entry in os.scandir(folder):
                Path(entry.path).unlink(missing_ok=True)
            folder.rmdir()

    def uploads(self, prefix: str = "") -> Iterator[Upload]:
        """Also tidies up what a crash, more than a day ago, has left of things that were not yet or no more uploads."""
        self._check_mounted()
        found = []
        with disk_errors(self._id):
            for entry in os.scandir(self._uploads):
                try:
                    stat = (Path(entry.path) / "key").stat(follow_symlinks=False)
                    key = checked_key(read_file(Path(entry.path) / "key", MAX_KEY_BYTES).decode())
                except (FileNotFoundError, NotADirectoryError):
                    self._tidy(entry)
                    continue
                except (OSError, ValueError):
                    continue  # somebody else's
                if entry.is_symlink():
                    continue
                if entry.name.endswith(".new"):
                    self._tidy(entry)
                elif key.startswith(prefix):
                    found.append(Upload(key, entry.name, datetime.fromtimestamp(stat.st_mtime, UTC)))
        yield from sorted(found, key=lambda upload: (upload.key, upload.id))

    def _tidy(self, entry: os.DirEntry[str]) -> None:
        with suppress(FileNotFoundError):
            if entry.stat(follow_symlinks=False).st_mtime > time.time() - _STALE_PUT_SECONDS:
                return
            if entry.is_dir(follow_symlinks=False):
                self._discard(Path(entry.path))
            else:
                Path(entry.path).unlink()


def _unfit(root: Path, vi: str, en: str) -> UsageError:
    return UsageError(
        Sentence(vi=f"Thư mục “{root}” không dùng làm nơi lưu được: {vi}.", en=f"“{root}” cannot be a store: {en}.")
    )
