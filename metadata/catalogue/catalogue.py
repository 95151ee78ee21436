"""The catalogue as one thing: its parts share one database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

from metadata.catalogue.alerts import Alerts
from metadata.catalogue.audits import Audits
from metadata.catalogue.coverage import Coverage
from metadata.catalogue.coverage_sums import CoverageSums
from metadata.catalogue.database import Database
from metadata.catalogue.dump import dump
from metadata.catalogue.events import Events
from metadata.catalogue.fixity import FixitySchedule
from metadata.catalogue.held_sums import HeldSums
from metadata.catalogue.holdings import Holdings
from metadata.catalogue.incidents import Incidents
from metadata.catalogue.intake import Intake
from metadata.catalogue.journal import Journal
from metadata.catalogue.migrate import upgrade
from metadata.catalogue.outbox import Outbox
from metadata.catalogue.placements import Placements
from metadata.catalogue.portable import Portable
from metadata.catalogue.quarantine import Quarantine
from metadata.catalogue.statistics import Statistics
from metadata.catalogue.stores import Stores
from metadata.catalogue.strangers import Strangers
from metadata.catalogue.survey import Survey


class Catalogue:
    """``sqlite:///path`` or ``postgresql+psycopg://…``. Threads may share it. Close it, or use it in a ``with``."""

    def __init__(self, url: str) -> None:
        """Open nothing yet. Raises UsageError for another kind of URL.

        All methods of all parts raise Busy, CatalogueUnavailable or NoSpace when they should be tried again later,
        Unreadable when the database file is damaged, UsageError when :meth:`upgrade` was never run.
        """
        self._database = Database(url)
        self.alerts = Alerts(self._database)
        self.audits = Audits(self._database)
        self.coverage = Coverage(self._database)
        self.coverage_sums = CoverageSums(self._database)
        self.held_sums = HeldSums(self._database)
        self.holdings = Holdings(self._database)
        self.events = Events(self._database)
        self.fixity = FixitySchedule(self._database)
        self.incidents = Incidents(self._database)
        self.intake = Intake(self._database)
        self.journal = Journal(self._database)
        self.outbox = Outbox(self._database)
        self.placements = Placements(self._database)
        self.portable = Portable(self._database)
        self.quarantine = Quarantine(self._database)
        self.stores = Stores(self._database)
        self.strangers = Strangers(self._database)
        self.survey = Survey(self._database)
        self.statistics = Statistics(self._database)

    def upgrade(self) -> None:
        """Bring the tables to this release's state; nothing happens when they are. Safe for several at once."""
        upgrade(self._database)

    def dump(self) -> Iterator[tuple[str, dict[str, object]]]:
        """Every row that a rebuild must bring back: (table, row), in one order, the same on both databases."""
        return dump(self._database)

    def close(self) -> None:
        """Close all connections."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
