"""What access needs of the rest of the house, handed in by the composition root."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from access.auth import TokenAuth
from access.search.port import SearchIndex
from metadata.catalogue import Catalogue
from metadata.identifiers import StoreId
from storage.port import Store


@dataclass(frozen=True, slots=True)
class AccessServices:
    """``stores`` in the order in which replicas are tried; ``clock`` gives aware UTC; ``archive_name`` is shown.

    ``open_store`` may be called from several threads at once and raises StoreUnavailable.
    """

    catalogue: Catalogue
    index: SearchIndex
    open_store: Callable[[StoreId], Store]
    stores: tuple[StoreId, ...]
    clock: Callable[[], datetime]
    auth: TokenAuth
    archive_name: str
