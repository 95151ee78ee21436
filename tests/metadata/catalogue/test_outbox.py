from __future__ import annotations

from metadata.catalogue import Catalogue, OutboxAction
from tests.builders.holdings import register


def test_a_registered_version_waits_until_it_is_done(catalogue: Catalogue) -> None:
    held = [register(catalogue, str(number)) for number in range(3)]
    entries = catalogue.outbox.pending()
    assert [(one.version, one.action) for one in entries] == [(one.id, OutboxAction.PUT) for one in held]
    assert catalogue.outbox.pending(2) == entries[:2]
    catalogue.outbox.done([entries[0].id, entries[2].id])
    catalogue.outbox.done([entries[0].id])
    assert catalogue.outbox.pending() == [entries[1]]
    assert catalogue.outbox.waiting() == 1
