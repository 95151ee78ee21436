"""What looks after what is kept: places, audits, repairs, incidents, backups, forms, alerts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from administration.foundation import Foundation, Once

if TYPE_CHECKING:
    from administration.alerts import Sender
    from administration.forms import FormService
    from metadata.identifiers import StoreId
    from preservation.audit import Auditor
    from preservation.audits import Audits
    from preservation.backup import Backups
    from preservation.drills import Drills
    from preservation.incidents import Incidents
    from preservation.journal import ArchiveJournal
    from preservation.places import Places
    from preservation.reconciliation import Reconciler
    from preservation.reidentification import Reidentifier
    from preservation.repair import Repairer
    from preservation.replication import Replicator
    from preservation.salvage import Salvager
    from preservation.standing import StandingAudits
    from preservation.store_moves import StoreKeeper
    from preservation.watch import Watch
    from storage.port import Store
    from storage.replicas import ReplicaSet
    from storage.space import SpaceGauge


class Keeping(Foundation):
    """The services of preservation, over one archive."""

    @Once
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

    @property
    def media(self) -> frozenset[StoreId]:
        """The stores that may be on a shelf."""
        return frozenset(one.id for one in self.settings.stores if one.offline)

    @Once
    def replicas(self) -> ReplicaSet:
        from storage.replicas import ReplicaSet

        return ReplicaSet(list(self.stores.values()), self.settings.required_replicas)

    @Once
    def journal(self) -> ArchiveJournal:
        """What is done to the archive as a whole is written down here."""
        from preservation.journal import ArchiveJournal

        stores = [store for store_id, store in self.stores.items() if store_id not in self.media]
        return ArchiveJournal(self.catalogue, stores, self.clock, self.agent)

    @Once
    def space(self) -> SpaceGauge:
        """How much room the folders among the stores have."""
        from administration.rooms import gauge_of

        return gauge_of(self)

    @Once
    def places(self) -> Places:
        """Which stores an AIP is to lie in."""
        from preservation.places import Places

        traits = [store.traits for store in self.settings.stores]
        return Places(self.catalogue, traits, self.settings.policies, self.settings.required_replicas)

    @Once
    def replicator(self) -> Replicator:
        """Who makes replicas that the policies ask for and that are missing."""
        from preservation.replication import Replicator

        work = self.settings.work_folder
        work.mkdir(parents=True, exist_ok=True)
        return Replicator(self.catalogue, self.stores, self.places, self.clock, self.agent, self.schedule, work)

    @Once
    def store_keeper(self) -> StoreKeeper:
        """Who drains, retires and reinstates stores."""
        from preservation.store_moves import StoreKeeper

        return StoreKeeper(
            self.catalogue, self.stores, self.places, self.replicator, self.journal, self.clock, self.agent
        )

    @Once
    def incidents(self) -> Incidents:
        """What went wrong, who was told, how it was handled."""
        from administration.incidents import incidents_of

        return incidents_of(self)

    @Once
    def watch(self) -> Watch:
        """Who makes incidents of what audits, repairs and stores show."""
        from administration.incidents import watch_of

        return watch_of(self)

    @Once
    def backups(self) -> Backups:
        """Catalogue and settings, put away beside the records."""
        from administration.backups import backups_of

        return backups_of(self)

    @Once
    def drills(self) -> Drills:
        """Restores on trial."""
        from administration.backups import drills_of

        return drills_of(self)

    @Once
    def salvager(self) -> Salvager:
        """Who saves what is left when no replica is whole."""
        from administration.incidents import salvager_of

        return salvager_of(self)

    @Once
    def reconciler(self) -> Reconciler:
        """Who holds what the stores have against what the catalogue knows."""
        from administration.incidents import reconciler_of

        return reconciler_of(self)

    @Once
    def auditor(self) -> Auditor:
        from preservation.audit import Auditor

        readers = self.settings.count("audit.readers")
        stores, schedule = self.audit_stores, self.schedule
        return Auditor(
            self.catalogue,
            stores,
            self.clock,
            self.agent,
            schedule,
            watch=self.watch,
            readers=readers,
            media=self.media,
        )

    @Once
    def audit_stores(self) -> Mapping[StoreId, Store]:
        """The stores as audits see them: within the audits' budgets, and not waited for at each AIP while away."""
        from administration.audits import budgets_of
        from storage.wrappers import BreakerStore

        budgets = budgets_of(self.settings)
        return {id: BreakerStore(budgets.of(id).within(store)) for id, store in self.stores.items()}

    @Once
    def standing(self) -> StandingAudits:
        """What is due by the policy, store by store."""
        from administration.audits import standing_of

        return standing_of(self)

    @Once
    def audits(self) -> Audits:
        """Audits that people begin and steer, and the daily light one."""
        from administration.audits import audits_of

        return audits_of(self)

    @Once
    def repairer(self) -> Repairer:
        from preservation.repair import Repairer

        watch, media = self.watch, self.media
        return Repairer(self.catalogue, self.stores, self.clock, self.agent, self.schedule, watch=watch, media=media)

    @Once
    def reidentifier(self) -> Reidentifier:
        """Who tells formats of what is held anew, by the signature files at hand now."""
        from preservation.identification.data import signatures_in
        from preservation.reidentification import Reidentifier

        agent = signatures_in(self.settings.formats_folder).agent
        self.settings.work_folder.mkdir(parents=True, exist_ok=True)
        identifier, work = self.checkers.identifier, self.settings.work_folder
        return Reidentifier(self.catalogue, self.stores, identifier, agent, self.clock, work)

    @Once
    def forms(self) -> FormService:
        """Forms of TT 05 Phụ lục VII and the year's statistics."""
        from administration.forms import FormService

        sites = {store.id: store.site for store in self.settings.stores}
        return FormService(self.catalogue, self.journal, self.clock, self.agent, self.settings.name, sites)

    @Once
    def alerts(self) -> Sender:
        """Who tells people what happened, as the settings say."""
        from administration.alerts import Sender, alert_settings

        return Sender(self.catalogue, alert_settings(self.settings), self.clock)
