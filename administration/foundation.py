"""What every archive stands on: settings, clock, catalogue, stores, checkers; made when first asked for."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.metadata import version as installed_version
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from administration.settings import Settings, load
from metadata.errors import NotFound
from metadata.events import Agent
from metadata.identifiers import StoreId
from metadata.text import Sentence

if TYPE_CHECKING:
    from administration.store_settings import StoreSettings
    from metadata.catalogue import Catalogue
    from preservation.antivirus.port import VirusScanner
    from preservation.checkers import Checkers
    from preservation.checks import Schedule
    from storage.stores.directory import DirectoryStore
    from storage.stores.s3 import S3Store

T = TypeVar("T")


class Once(Generic[T]):
    """A property that is made once, when first asked for, whichever thread asks."""

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make = make
        self._name = make.__name__
        self.__doc__ = make.__doc__

    def __get__(self, archive: Foundation, _: type[Foundation] | None = None) -> T:
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


class Foundation:
    """A context manager; threads may share it."""

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

    @Once
    def catalogue(self) -> Catalogue:
        """The catalogue, its tables brought up to this release."""
        from metadata.catalogue import Catalogue

        opened = self._closing.enter_context(Catalogue(self.settings.catalogue_url))
        opened.upgrade()
        return opened

    @Once
    def bare_stores(self) -> Mapping[StoreId, DirectoryStore | S3Store]:
        """The stores themselves, which fail at the first failure."""
        return {store.id: self._store(store) for store in self.settings.stores}

    @Once
    def checkers(self) -> Checkers:
        """Who looks into content files: child processes, started when the first file comes."""
        from administration.checkers import checkers_of

        return self._closing.enter_context(checkers_of(self.settings, fetch=True))

    @Once
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

        stores = {one.id: timedelta(days=one.audit_days) for one in self.settings.stores if one.audit_days}
        return Schedule(self.settings.audit_period, stores=stores, fonds=self.settings.fonds_periods)

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
