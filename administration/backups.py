"""Backups and drills of an archive as its settings want them: what goes along, and where it may lie."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from administration.settings import FILE_NAME
from metadata.stores import StoreState

if TYPE_CHECKING:
    from administration.keeping import Keeping
    from preservation.backup import Backups
    from preservation.drills import Drills
    from storage.port import Store

_PASSWORD = re.compile(r"(\w://[^\s\"'/@:]*):[^\s\"'/@]*@|([?&]\w*password=)[^\s\"'&]*", re.IGNORECASE)


def backups_of(archive: Keeping) -> Backups:
    """Who makes backups; they lie in stores that are on line and not retired."""
    from preservation.backup import BackupPlace, Backups

    place = BackupPlace(
        archive.settings.archive,
        archive.catalogue,
        archive.journal,
        lambda: list(stores_at_hand(archive)),
        lambda: files_of(archive),
        archive.clock,
        archive.agent,
        min(len(archive.settings.stores), max(2, archive.settings.required_replicas)),
        timedelta(hours=archive.settings.number("backup.every_hours")),
        archive.incidents,
    )
    return Backups(place)


def drills_of(archive: Keeping) -> Drills:
    """Who restores on trial."""
    from preservation.drills import DrillPlace, Drills

    archive.settings.work_folder.mkdir(parents=True, exist_ok=True)
    return Drills(
        DrillPlace(
            archive.catalogue,
            archive.journal,
            lambda: list(stores_at_hand(archive)),
            archive.clock,
            archive.settings.work_folder,
            archive.backups,
            archive.incidents,
            archive.settings.count("drills.aips"),
        )
    )


def stores_at_hand(archive: Keeping) -> Iterator[Store]:
    """Those that are read and written at once: neither retired, nor cold, nor on a shelf."""
    states = {id: record.state for id, record in archive.catalogue.stores.records().items()}
    for one in archive.settings.stores:
        if states.get(one.id) is not StoreState.RETIRED and not (one.traits.cold or one.traits.offline):
            yield archive.stores[one.id]


def files_of(archive: Keeping) -> Iterator[tuple[str, Path | bytes]]:
    """The settings without any password, what signatures are judged by, newer signature files, stores' certificates."""
    home = archive.settings.home
    settings = home / FILE_NAME
    if settings.is_file():
        yield FILE_NAME, without_passwords(settings.read_text(encoding="utf-8")).encode()
    for folder in (archive.settings.trust_folder, archive.settings.formats_folder):
        for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
            if path.is_file() and not path.is_symlink():
                yield path.relative_to(home).as_posix(), path
    for ca in sorted({Path(store.ca) for store in archive.settings.stores if store.ca}):
        if ca.is_file() and ca.is_relative_to(home):
            yield ca.relative_to(home).as_posix(), ca


def without_passwords(text: str) -> str:
    """Settings as a backup keeps them: the addresses of databases and proxies lose their passwords."""
    return _PASSWORD.sub(lambda found: f"{found[1]}@" if found[1] else found[2], text)
