"""One archive put together: settings in, services out. The composition root; what is not asked for is not opened."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.metadata import version as installed_version
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from administration.settings import FILE_NAME, Settings, load
from administration.store_settings import StoreSettings
from metadata.errors import AlreadyExists, NotFound, UsageError
from metadata.events import Agent
from metadata.identifiers import StoreId
from metadata.text import Sentence

if TYPE_CHECKING:
    from access.search.feeder import Feeder
    from access.search.port import SearchIndex
    from access.services import AccessServices
    from access.shelf import Shelf
    from administration.alerts import Sender
    from administration.forms import FormService
    from ingest.decisions import Decisions
    from ingest.place import IngestPlace
    from ingest.service import IngestService
    from metadata.catalogue import Catalogue
    from metadata.holdings import AipVersion, Member
    from preservation.antivirus.port import VirusScanner
    from preservation.audit import Auditor
    from preservation.audits import Audits
    from preservation.backup import Backups
    from preservation.checkers import Checkers
    from preservation.checks import Schedule
    from preservation.drills import Drills
    from preservation.incidents import Incidents
    from preservation.journal import ArchiveJournal
    from preservation.places import Places
    from preservation.reconciliation import Reconciler
    from preservation.reidentification import Reidentifier
    from preservation.repair import Repairer
    from preservation.replication import Replicator
    from preservation.salvage import Salvager
    from preservation.store_moves import StoreKeeper
    from preservation.watch import Watch
    from storage.port import Store
    from storage.replicas import ReplicaSet
    from storage.stores.directory import DirectoryStore
    from storage.stores.s3 import S3Store


T = TypeVar("T")


class _Once(Generic[T]):
    """A property that is made once, when first asked for, whichever thread asks."""

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make = make
        self._name = make.__name__
        self.__doc__ = make.__doc__

    def __get__(self, archive: Archive, _: type[Archive] | None = None) -> T:
        with archive.making:
            if self._name not in archive.__dict__:
                archive.__dict__[self._name] = self._make(archive)
            made: T = archive.__dict__[self._name]
            return made


def utc_now() -> datetime:
    """The clock of the archive."""
    return datetime.now(UTC)


def software() -> Agent:
    """This software as a PREMIS agent."""
    version = installed_version("tangthu")
    return Agent(f"tangthu/{version}", f"Tàng Thư {version}")


class Archive:
    """Everything that works on one archive, made when first asked for. A context manager; threads may share it."""

    def __init__(self, settings: Settings, clock: Callable[[], datetime] = utc_now) -> None:
        self.settings = settings
        self.clock = clock
        self.agent = software()
        self._closing = ExitStack()
        self.making = threading.RLock()

    @classmethod
    def open(cls, home: Path) -> Self:
        """The archive at ``home``. Raises NotFound when there is none, UsageError for a setting that cannot be."""
        return cls(load(home))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close what was opened."""
        self._closing.close()

    def create(self) -> None:
        """Make what a new archive needs: marked stores, the catalogue's tables, the token. Safe to repeat."""
        for store in self.bare_stores.values():
            store.create(self.settings.archive)
        self.settings.work_folder.mkdir(parents=True, exist_ok=True)
        self.make_token()
        _ = self.catalogue

    def make_token(self) -> None:
        """What opens the web page and the API, once."""
        token = self.settings.token_file
        if not token.exists():
            token.touch(mode=0o600)
            token.write_text(secrets.token_urlsafe(24) + "\n", encoding="ascii")

    @property
    def token(self) -> str:
        """What opens the web page and the API. Raises NotFound when ``init`` was never run here."""
        try:
            return self.settings.token_file.read_text(encoding="ascii").strip()
        except FileNotFoundError as error:
            raise NotFound(
                Sentence(
                    f"Không có tệp mã truy cập {self.settings.token_file}: hãy chạy «tangthu init».",
                    f"There is no token file {self.settings.token_file}: run “tangthu init”.",
                )
            ) from error

    @_Once
    def catalogue(self) -> Catalogue:
        """The catalogue, its tables brought up to this release."""
        from metadata.catalogue import Catalogue

        opened = self._closing.enter_context(Catalogue(self.settings.catalogue_url))
        opened.upgrade()
        return opened

    @_Once
    def bare_stores(self) -> Mapping[StoreId, DirectoryStore | S3Store]:
        """The stores themselves, which fail at the first failure."""
        return {store.id: self._store(store) for store in self.settings.stores}

    @_Once
    def stores(self) -> Mapping[StoreId, Store]:
        """The stores in the order of the settings, trying again while they do not answer."""
        from administration.incidents import room_notice
        from administration.stores import limited
        from storage.wrappers import RetryPolicy, RetryStore, RoomStore

        policy, notice = RetryPolicy(deadline=self.settings.number("storage.retry_seconds")), room_notice(self)
        named = {one.id: one for one in self.settings.stores}
        return {
            key: RoomStore(RetryStore(limited(store, named[key]), policy), notice)
            for key, store in self.bare_stores.items()
        }

    @_Once
    def replicas(self) -> ReplicaSet:
        from storage.replicas import ReplicaSet

        return ReplicaSet(list(self.stores.values()), self.settings.required_replicas)

    @_Once
    def checkers(self) -> Checkers:
        """Who looks into content files: child processes, started when the first file comes."""
        from administration.checkers import checkers_of

        return self._closing.enter_context(checkers_of(self.settings, fetch=True))

    @_Once
    def scanner(self) -> VirusScanner:
        """The virus scanner; none when the settings name none."""
        from preservation.antivirus.clamd import ClamdScanner
        from preservation.antivirus.memory import NoScanner

        address = self.settings.text("antivirus.clamd")
        if not address:
            return NoScanner()
        made = ClamdScanner(address, answer=self.settings.number("antivirus.answer_seconds"))
        self._closing.callback(made.close)
        return made

    @property
    def schedule(self) -> Schedule:
        from preservation.checks import Schedule

        return Schedule(period=self.settings.audit_period)

    @_Once
    def ingest(self) -> IngestService:
        from ingest.service import IngestService

        return IngestService(self.ingest_place)

    @_Once
    def decisions(self) -> Decisions:
        """What people decide about packages in quarantine."""
        from ingest.decisions import Decisions

        return Decisions(self.ingest_place, self.ingest)

    @_Once
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

    @_Once
    def journal(self) -> ArchiveJournal:
        """What is done to the archive as a whole is written down here."""
        from preservation.journal import ArchiveJournal

        media = {one.id for one in self.settings.stores if one.offline}
        stores = [store for store_id, store in self.stores.items() if store_id not in media]
        return ArchiveJournal(self.catalogue, stores, self.clock, self.agent)

    @_Once
    def places(self) -> Places:
        """Which stores an AIP is to lie in."""
        from preservation.places import Places

        traits = [store.traits for store in self.settings.stores]
        return Places(self.catalogue, traits, self.settings.policies, self.settings.required_replicas)

    @_Once
    def replicator(self) -> Replicator:
        """Who makes replicas that the policies ask for and that are missing."""
        from preservation.replication import Replicator

        work = self.settings.work_folder
        work.mkdir(parents=True, exist_ok=True)
        return Replicator(self.catalogue, self.stores, self.places, self.clock, self.agent, self.schedule, work)

    @_Once
    def store_keeper(self) -> StoreKeeper:
        """Who drains, retires and reinstates stores."""
        from preservation.store_moves import StoreKeeper

        return StoreKeeper(
            self.catalogue, self.stores, self.places, self.replicator, self.journal, self.clock, self.agent
        )

    @_Once
    def incidents(self) -> Incidents:
        """What went wrong, who was told, how it was handled."""
        from administration.incidents import incidents_of

        return incidents_of(self)

    @_Once
    def watch(self) -> Watch:
        """Who makes incidents of what audits, repairs and stores show."""
        from administration.incidents import watch_of

        return watch_of(self)

    @_Once
    def backups(self) -> Backups:
        """Catalogue and settings, put away beside the records."""
        from administration.backups import backups_of

        return backups_of(self)

    @_Once
    def drills(self) -> Drills:
        """Restores on trial."""
        from administration.backups import drills_of

        return drills_of(self)

    @_Once
    def salvager(self) -> Salvager:
        """Who saves what is left when no replica is whole."""
        from administration.incidents import salvager_of

        return salvager_of(self)

    @_Once
    def reconciler(self) -> Reconciler:
        """Who holds what the stores have against what the catalogue knows."""
        from administration.incidents import reconciler_of

        return reconciler_of(self)

    @_Once
    def auditor(self) -> Auditor:
        from preservation.audit import Auditor

        return Auditor(self.catalogue, self.stores, self.clock, self.agent, self.schedule, watch=self.watch)

    @_Once
    def audits(self) -> Audits:
        """Audits that people begin and steer, and the daily light one."""
        from administration.audits import audits_of

        return audits_of(self)

    @_Once
    def repairer(self) -> Repairer:
        from preservation.repair import Repairer

        return Repairer(self.catalogue, self.stores, self.clock, self.agent, self.schedule, watch=self.watch)

    @_Once
    def reidentifier(self) -> Reidentifier:
        """Who tells formats of what is held anew, by the signature files at hand now."""
        from preservation.identification.data import signatures_in
        from preservation.reidentification import Reidentifier

        agent = signatures_in(self.settings.formats_folder).agent
        self.settings.work_folder.mkdir(parents=True, exist_ok=True)
        identifier, work = self.checkers.identifier, self.settings.work_folder
        return Reidentifier(self.catalogue, self.stores, identifier, agent, self.clock, work)

    @_Once
    def forms(self) -> FormService:
        """Forms of TT 05 Phụ lục VII and the year's statistics."""
        from administration.forms import FormService

        sites = {store.id: store.site for store in self.settings.stores}
        return FormService(self.catalogue, self.journal, self.clock, self.agent, self.settings.name, sites)

    @_Once
    def alerts(self) -> Sender:
        """Who tells people what happened, as the settings say."""
        from administration.alerts import Sender, alert_settings

        return Sender(self.catalogue, alert_settings(self.settings), self.clock)

    @_Once
    def index(self) -> SearchIndex:
        from access.search.tantivy_index import TantivyIndex

        return TantivyIndex(self.settings.search_folder)

    @_Once
    def feeder(self) -> Feeder:
        from access.content import Span, verified_bytes
        from access.search.feeder import Feeder

        # The bare ones: what does not answer at once is tried again in the next round, and holds up nobody meanwhile.
        services = replace(self.access, open_store=self.bare_stores.__getitem__)

        def read(version: AipVersion, member: Member) -> Iterator[bytes]:
            return verified_bytes(services, version, member, Span(0, member.size))

        self.settings.work_folder.mkdir(parents=True, exist_ok=True)
        return Feeder(self.catalogue, self.index, read, self.settings.work_folder)

    @_Once
    def shelf(self) -> Shelf:
        from access.shelf import Shelf

        return Shelf(self.catalogue)

    @_Once
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

    def _store(self, settings: StoreSettings) -> DirectoryStore | S3Store:
        from administration.stores import make_store

        store = make_store(settings, cache(lambda: self._is_careful(settings.id)))
        if settings.kind == "s3":
            self._closing.callback(store.close)  # type: ignore[union-attr]
        return store

    def _is_careful(self, store: StoreId) -> bool:
        """Whether a store is not known to create conditionally, so that it is read back after writing."""
        from metadata.stores import Ability, Found

        record = self.catalogue.stores.records().get(store)
        found = record.probe.abilities.get(Ability.CONDITIONAL_CREATE) if record and record.probe else None
        return found is not Found.YES


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
