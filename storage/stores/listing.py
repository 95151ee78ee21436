"""The keys below a folder, in code-point order."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from storage.stores.paths import folder_path, object_path, read_name


class _Entry(NamedTuple):
    order: str  # what all keys below begin with
    path: str  # relative to the folder of objects
    is_object: bool


def list_keys(objects: Path, prefix: str, after: str = "") -> Iterator[tuple[str, os.stat_result]]:
    """Each key beginning with ``prefix`` and coming after ``after``, and its file's status. Raises OSError.

    Holds the names of one folder at each depth. Files that no key maps to are not objects.
    """
    above = prefix[: prefix.rfind("/") + 1]
    return _below(objects, above, folder_path(above), prefix, after)


def _below(objects: Path, above: str, path: str, prefix: str, after: str) -> Iterator[tuple[str, os.stat_result]]:
    for entry in sorted(_entries(objects, above, path)):
        if not (entry.order.startswith(prefix) or prefix.startswith(entry.order)):
            continue
        if entry.order <= after and (entry.is_object or not after.startswith(entry.order)):
            continue
        if not entry.is_object:
            yield from _below(objects, entry.order, entry.path, prefix, after)
        elif entry.order.startswith(prefix) and object_path(entry.order) == entry.path:
            try:
                yield entry.order, (objects / entry.path).lstat()
            except FileNotFoundError:
                continue  # deleted meanwhile


def _entries(objects: Path, above: str, path: str) -> Iterator[_Entry]:
    """The objects and folders of one folder. Long names are followed to their end: they sort by their whole text."""
    try:
        with os.scandir(objects / path) as found:
            entries = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in found]
    except FileNotFoundError:
        return
    for name, is_folder in entries:
        meaning = read_name(name)
        if meaning is None or meaning.is_object is is_folder:
            continue
        text, below = above + meaning.text, f"{path}/{name}" if path else name
        if meaning.continued:
            yield from _entries(objects, text, below)
        else:
            yield _Entry(text if meaning.is_object else text + "/", below, meaning.is_object)
