from __future__ import annotations

from datetime import UTC, datetime, timedelta

from metadata.alerts import Alert, Batch, Channel
from metadata.catalogue import Catalogue
from metadata.text import Sentence

NOW = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LEASE = 5 * MINUTE
TOLD = Sentence("Bản sao hỏng.", "A replica is damaged.")


def document(name: str = "") -> dict[str, object]:
    return {"told": {"vi": f"{TOLD.vi}{name}", "en": TOLD.en}}


def taken(catalogue: Catalogue, at: datetime, channel: Channel = Channel.MAIL, limit: int = 10) -> Batch:
    found = catalogue.alerts.take(channel, at, LEASE, limit)
    assert found is not None
    return found


def told(alerts: tuple[Alert, ...] | list[Alert]) -> list[str]:
    return [one.told.vi for one in alerts]


def test_what_is_queued_is_due_at_once_on_every_channel_by_itself(catalogue: Catalogue) -> None:
    catalogue.alerts.queue("su-co-1", document(), NOW)
    assert catalogue.alerts.waiting() == {Channel.MAIL: 1, Channel.WEBHOOK: 1}
    batch = taken(catalogue, NOW)
    assert (batch.count, batch.tries, batch.alerts[0].told, batch.alerts[0].incident) == (1, 1, TOLD, "su-co-1")
    assert catalogue.alerts.sent(batch, NOW + MINUTE) == 1
    assert catalogue.alerts.waiting() == {Channel.MAIL: 0, Channel.WEBHOOK: 1}
    assert catalogue.alerts.last_sent(Channel.MAIL) == NOW + MINUTE
    assert catalogue.alerts.last_sent(Channel.WEBHOOK) is None
    assert taken(catalogue, NOW, Channel.WEBHOOK).count == 1
    assert catalogue.alerts.take(Channel.MAIL, NOW + timedelta(days=9), LEASE, 10) is None


def test_nobody_else_takes_what_is_being_sent_until_the_sender_counts_as_dead(catalogue: Catalogue) -> None:
    catalogue.alerts.queue("1", document(), NOW)
    dead = taken(catalogue, NOW)
    assert catalogue.alerts.take(Channel.MAIL, NOW + LEASE - MINUTE, LEASE, 10) is None
    again = taken(catalogue, NOW + LEASE)
    assert (again.count, again.tries) == (1, 2)
    assert catalogue.alerts.sent(dead, NOW) == 0, "it is no longer the first sender's"
    assert catalogue.alerts.failed(dead, NOW, "x") == 0
    assert catalogue.alerts.sent(again, NOW + LEASE) == 1


def test_what_failed_is_tried_again_with_what_came_meanwhile(catalogue: Catalogue) -> None:
    catalogue.alerts.queue("1", document(" 1"), NOW)
    assert catalogue.alerts.failed(taken(catalogue, NOW), NOW + 2 * MINUTE, "no route " * 1000) == 1
    waiting = catalogue.alerts.listed(waiting=True)
    assert [(one.channel, one.trouble[:8], len(one.trouble)) for one in waiting] == [
        (Channel.WEBHOOK, "", 0),
        (Channel.MAIL, "no route", 1000),
    ]
    catalogue.alerts.queue("2", document(" 2"), NOW + 2 * MINUTE)
    batch = taken(catalogue, NOW + 2 * MINUTE)
    assert (batch.count, batch.tries) == (2, 2)
    assert told(batch.alerts) == ["Bản sao hỏng. 1", "Bản sao hỏng. 2"]


def test_of_very_many_the_first_are_given_and_all_are_sent(catalogue: Catalogue) -> None:
    for number in range(25):
        catalogue.alerts.queue(str(number), document(f" {number}"), NOW)
    batch = taken(catalogue, NOW, limit=3)
    assert (batch.count, told(batch.alerts)) == (25, [f"Bản sao hỏng. {number}" for number in range(3)])
    assert catalogue.alerts.sent(batch, NOW) == 25
    assert catalogue.alerts.waiting()[Channel.MAIL] == 0


def test_pages_of_the_list(catalogue: Catalogue) -> None:
    for number in range(5):
        catalogue.alerts.queue(str(number), document(), NOW)
    first = catalogue.alerts.listed(limit=4)
    assert [one.incident for one in first] == ["4", "4", "3", "3"]
    rest = catalogue.alerts.listed(limit=100, before=first[-1].id)
    assert [one.incident for one in rest] == ["2", "2", "1", "1", "0", "0"]


def test_what_is_to_be_told_once_is_queued_once(catalogue: Catalogue) -> None:
    assert catalogue.alerts.queue_once("well-1", document(), NOW)
    assert not catalogue.alerts.queue_once("well-1", document(), NOW)
    assert len(catalogue.alerts.listed()) == len(Channel)


def test_only_what_was_sent_is_forgotten_or_what_no_channel_will_ever_send(catalogue: Catalogue) -> None:
    catalogue.alerts.queue("1", document(), NOW)
    catalogue.alerts.sent(taken(catalogue, NOW), NOW)
    catalogue.alerts.queue("2", document(), NOW)
    assert catalogue.alerts.forget(NOW + MINUTE) == 1
    assert [(one.incident, one.channel) for one in catalogue.alerts.listed()] == [
        ("2", Channel.WEBHOOK),
        ("2", Channel.MAIL),
        ("1", Channel.WEBHOOK),
    ]
    assert catalogue.alerts.forget(NOW, (Channel.WEBHOOK,)) == 0
    assert catalogue.alerts.forget(NOW + MINUTE, (Channel.WEBHOOK,)) == 2
    assert [(one.incident, one.channel) for one in catalogue.alerts.listed()] == [("2", Channel.MAIL)]


def test_a_document_that_says_nothing_is_no_trouble(catalogue: Catalogue) -> None:
    catalogue.alerts.queue("1", {"told": "what"}, NOW)
    catalogue.alerts.queue("2", {"vi": "Một", "en": "One"}, NOW)
    assert [one.told for one in taken(catalogue, NOW).alerts] == [Sentence("", ""), Sentence("Một", "One")]
