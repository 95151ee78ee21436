"""Word to people that something happened: by mail and by webhook, gathered, tried again until it has reached them."""

from administration.alerts.sending import Sender, Sending
from administration.alerts.settings import AlertSettings, alert_settings

__all__ = ["AlertSettings", "Sender", "Sending", "alert_settings"]
