"""What people name on the command line, stores and fonds; a name that nothing bears is answered with those that are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from metadata.errors import NotFound, UsageError
from metadata.identifiers import FondsCode, StoreId
from metadata.text import Sentence

if TYPE_CHECKING:
    from administration.archive import Archive


def store_id(archive: Archive, name: str) -> StoreId:
    """The store of the settings that is called so. Raises NotFound."""
    found = next((id for id in archive.stores if id.value == name), None)
    if found is None:
        names = ", ".join(id.value for id in archive.stores)
        raise NotFound(
            Sentence(f"Không có nơi lưu «{name}». Có: {names}.", f"There is no store “{name}”. There are: {names}.")
        )
    return found


def store_name(name: str) -> StoreId:
    """A store that may be gone from the settings. Raises UsageError for what can be no store's name."""
    try:
        return StoreId(name)
    except ValueError as error:
        raise UsageError(
            Sentence(
                f"«{name}» không phải là tên của một nơi lưu: tangthu storage list liệt kê các nơi lưu.",
                f"“{name}” is no store's name: tangthu storage list lists them.",
            )
        ) from error


def fonds_code(text: str | None) -> FondsCode | None:
    """The fonds that was named, if one was. Raises UsageError for what can be no code."""
    try:
        return FondsCode(text) if text else None
    except ValueError as error:
        raise UsageError(
            Sentence(f"Mã phông không hợp lệ: «{text}».", f"Not a valid code of a fonds: “{text}”.")
        ) from error
