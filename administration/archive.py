"""One archive put together: settings in, services out. The composition root; what is not asked for is not opened."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from administration.foundation import Once, software, utc_now
from administration.keeping import Keeping
from administration.settings import FILE_NAME
from metadata.errors import AlreadyExists, UsageError
from metadata.text import Sentence

if TYPE_CHECKING:
    from access.search.feeder import Feeder
    from access.search.port import SearchIndex
    from access.services import AccessServices
    from access.shelf import Shelf
    from ingest.decisions import Decisions
    from ingest.place import IngestPlace
    from ingest.service import IngestService
    from metadata.holdings import AipVersion, Member

__all__ = ["Archive", "software", "utc_now", "write_settings"]


class Archive(Keeping):
    """Everything that works on one archive, made when first asked for. A context manager; threads may share it."""

    @Once
    def ingest(self) -> IngestService:
        from ingest.service import IngestService

        return IngestService(self.ingest_place)

    @Once
    def decisions(self) -> Decisions:
        """What people decide about packages in quarantine."""
        from ingest.decisions import Decisions

        return Decisions(self.ingest_place, self.ingest)

    @Once
    def ingest_place(self) -> IngestPlace:
        from ingest.guards import GuardLimits
        from ingest.place import IngestPlace

        return IngestPlace(
            archive=self.settings.archive,
            catalogue=self.catalogue,
            replicas=self.replicas,
            identifier=self.checkers.identifier,
            inspector=self.checkers.inspector,
            signatures=self.checkers.signatures,
            attached=self.checkers.attached,
            checkers=self.checkers.children,
            valid_signatures=self.settings.text("ingest.signatures") == "valid",
            work=self.settings.work_folder,
            agent=self.agent,
            clock=self.clock,
            period=self.settings.audit_period,
            schedule=self.schedule,
            lease=timedelta(seconds=60 + self.settings.number("storage.retry_seconds")),
            limits=GuardLimits(
                files=self.settings.count("limits.max_files"),
                bytes=self.settings.count("limits.max_bytes"),
                ratio=self.settings.count("limits.max_ratio"),
            ),
            scanner=self.scanner,
            quarantine=self.settings.quarantine_folder,
            choose=self.places.for_ingest,
            used=self.places.in_use,
        )

    @Once
    def index(self) -> SearchIndex:
        from access.search.tantivy_index import TantivyIndex

        return TantivyIndex(self.settings.search_folder)

    @Once
    def feeder(self) -> Feeder:
        from access.content import Span, verified_bytes
        from access.search.feeder import Feeder

        # The bare ones: what does not answer at once is tried again in the next round, and holds up nobody meanwhile.
        services = replace(self.access, open_store=self.bare_stores.__getitem__)

        def read(version: AipVersion, member: Member) -> Iterator[bytes]:
            return verified_bytes(services, version, member, Span(0, member.size))

        self.settings.work_folder.mkdir(parents=True, exist_ok=True)
        return Feeder(self.catalogue, self.index, read, self.settings.work_folder)

    @Once
    def shelf(self) -> Shelf:
        from access.shelf import Shelf

        return Shelf(self.catalogue)

    @Once
    def access(self) -> AccessServices:
        """What readers' services need, over plain HTTP on this machine."""
        from access.auth import TokenAuth
        from access.services import AccessServices

        return AccessServices(
            catalogue=self.catalogue,
            index=self.index,
            open_store=self.stores.__getitem__,
            stores=tuple(self.stores),
            clock=self.clock,
            auth=TokenAuth(self.token, secure=False),
            archive_name=self.settings.name,
        )


def write_settings(home: Path, text: str) -> None:
    """Put a new ``tangthu.toml`` into ``home``. Raises AlreadyExists when there is one, UsageError for a bad place."""
    try:
        home.mkdir(parents=True, exist_ok=True)
        with (home / FILE_NAME).open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise AlreadyExists(
            Sentence(f"Đã có kho lưu trữ ở {home}.", f"There is an archive at {home} already.")
        ) from error
    except OSError as error:
        raise UsageError(
            Sentence(f"Không ghi được vào {home}: {error}.", f"Cannot write to {home}: {error}.")
        ) from error
