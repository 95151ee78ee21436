"""Sending what is due: taken first, so that nobody else sends it too; then sent; then noted as sent.

A storm becomes few messages: after one, a channel waits for its share of the hour, and the next tells all that came
meanwhile. What fails is tried again after growing pauses. Whoever dies between sending and noting tells it twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from administration.alerts.channels import call_webhook, send_mail
from administration.alerts.settings import AlertSettings
from metadata.alerts import Alert, Batch, Channel
from metadata.catalogue import Catalogue
from metadata.incidents import IncidentState
from preservation.checks import Clock

LISTED = 20
"""Alerts that one message tells of; of more it says how many."""
KEPT = timedelta(days=90)
"""How long alerts are kept that were sent, or that no channel is there for."""
_LONGEST_PAUSE = timedelta(hours=6)
_SPARE = timedelta(minutes=2)

Send = Callable[[AlertSettings, Batch, datetime], None]
_WAYS: Mapping[Channel, Send] = {Channel.MAIL: send_mail, Channel.WEBHOOK: call_webhook}


@dataclass(frozen=True, slots=True)
class Sending:
    """What one round came to: alerts told by channel, and why a channel failed."""

    sent: Mapping[Channel, int] = field(default_factory=dict)
    failed: Mapping[Channel, str] = field(default_factory=dict)


class Sender:
    """Threads and machines may each have one."""

    def __init__(
        self, catalogue: Catalogue, settings: AlertSettings, clock: Clock, ways: Mapping[Channel, Send] = _WAYS
    ) -> None:
        self._catalogue = catalogue
        self._alerts = catalogue.alerts
        self._settings = settings
        self._clock = clock
        self._ways = ways

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The channels that are set up."""
        return self._settings.channels

    def round(self) -> Sending:
        """Send what is due on every channel; what does not go through stays. Doing it again is harmless."""
        self._beat()
        sent: dict[Channel, int] = {}
        failed: dict[Channel, str] = {}
        for channel in self._settings.channels:
            now = self._clock()
            last = self._alerts.last_sent(channel)
            if last is not None and now < last + timedelta(hours=1) / self._settings.per_hour and last <= now:
                continue
            lease = _SPARE + 10 * timedelta(seconds=self._settings.timeout)
            if (batch := self._alerts.take(channel, now, lease, LISTED)) is None:
                continue
            try:
                self._ways[channel](self._settings, batch, now)
            except OSError as error:
                failed[channel] = str(error)[:300] or type(error).__name__
                self._alerts.failed(batch, self._clock() + pause(batch.tries), failed[channel])
            else:
                sent[channel] = self._alerts.sent(batch, self._clock())
        unused = tuple(channel for channel in Channel if channel not in self._settings.channels)
        self._alerts.forget(self._clock() - KEPT, unused)
        return Sending(sent, failed)

    def test(self) -> Sending:
        """Send a test by every channel now, past the queue."""
        now = self._clock()
        document = {"act": "test", "told": {"vi": "Đây là thư thử: cảnh báo đến được.", "en": "A test: alerts arrive."}}
        sent: dict[Channel, int] = {}
        failed: dict[Channel, str] = {}
        for channel in self._settings.channels:
            alert = Alert(0, channel, now, "", document, 1, now, None, "")
            try:
                self._ways[channel](self._settings, Batch(channel, (alert,), 1, 1, now), now)
                sent[channel] = 1
            except OSError as error:
                failed[channel] = str(error)[:300] or type(error).__name__
        return Sending(sent, failed)

    def _beat(self) -> None:
        """Once in each period of the heartbeat say how things are: silence must not look like health."""
        period = self._settings.heartbeat
        if not period or not self._settings.channels:
            return
        now = self._clock()
        tick = int(now.timestamp() // period.total_seconds())
        self._alerts.queue_once(f"heartbeat-{tick}", self._health(), now)

    def _health(self) -> dict[str, object]:
        states = self._catalogue.incidents.counts()
        replicas = self._catalogue.holdings.counts().replicas
        bad = sum(count for outcome, count in replicas.items() if outcome.damaged)
        opened = states[IncidentState.OPEN]
        well = not bad and not opened
        vi = (
            "Mọi việc đều tốt"
            if well
            else f"Có việc phải làm: {opened} sự cố chưa xử lý, {bad} bản sao hư hại hoặc mất"
        )
        en = "All is well" if well else f"There is work to do: {opened} incidents are open, {bad} replicas are damaged"
        total = sum(replicas.values())
        told = {"vi": f"{vi}. Kho giữ {total} bản sao.", "en": f"{en}. {total} replicas are held."}
        return {"act": "heartbeat", "well": well, "told": told}


def pause(tries: int) -> timedelta:
    """How long to wait after so many tries: one minute, two, four, at most six hours."""
    return min(_LONGEST_PAUSE, timedelta(minutes=2 ** min(tries - 1, 20)))
