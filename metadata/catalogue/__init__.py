"""The catalogue: what is held, where its replicas are, what became of them. SQLite and PostgreSQL by one URL.

Everything here but the running work (intake, leases, search outbox) can be rebuilt from the stores alone.
"""

from metadata.catalogue.catalogue import Catalogue
from metadata.catalogue.holdings import CheckCounts, Counts, Document, Holder
from metadata.catalogue.intake import Claim, ClaimLost, OpenIntake
from metadata.catalogue.leases import FixityState, Lease
from metadata.catalogue.outbox import OutboxAction, OutboxEntry

__all__ = [
    "Catalogue",
    "CheckCounts",
    "Claim",
    "ClaimLost",
    "Counts",
    "Document",
    "FixityState",
    "Holder",
    "Lease",
    "OpenIntake",
    "OutboxAction",
    "OutboxEntry",
]
