"""Objects that a server keeps in ways of its own: locked until a date, or in the cold."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client
    from types_boto3_s3.type_defs import HeadObjectOutputTypeDef

_COLD_CLASSES: Final = ("GLACIER", "DEEP_ARCHIVE")


@dataclass(frozen=True, slots=True)
class Lock:
    """What keeps a version from being deleted; ``until`` None is a legal hold."""

    mode: str
    until: datetime | None


def lock_of(client: S3Client, bucket: str, name: str, version: str) -> Lock | None:
    """The lock on a version; None when there is none, or the server does not say."""
    try:
        retention = client.get_object_retention(Bucket=bucket, Key=name, VersionId=version).get("Retention", {})
        if until := retention.get("RetainUntilDate"):
            return Lock(retention.get("Mode", ""), until)
    except (ClientError, BotoCoreError):
        pass  # no lock, or no right to ask: the hold may still say
    try:
        hold = client.get_object_legal_hold(Bucket=bucket, Key=name, VersionId=version).get("LegalHold", {})
    except (ClientError, BotoCoreError):
        return None
    return Lock("HOLD", None) if hold.get("Status") == "ON" else None


class ColdState(Enum):
    """Whether an object can be read now, is on its way, or must be asked for."""

    READABLE = auto()
    COMING = auto()
    FROZEN = auto()


def cold_state(head: HeadObjectOutputTypeDef) -> ColdState:
    """Out of the answer to a HEAD: ``x-amz-storage-class``, ``x-amz-archive-status``, ``x-amz-restore``."""
    asked = head.get("Restore", "")
    if 'ongoing-request="true"' in asked:
        return ColdState.COMING
    if 'ongoing-request="false"' in asked:
        return ColdState.READABLE
    frozen = head.get("StorageClass") in _COLD_CLASSES or head.get("ArchiveStatus")
    return ColdState.FROZEN if frozen else ColdState.READABLE


def ask_back(client: S3Client, bucket: str, name: str, days: int) -> None:
    """Ask for an object to be made readable for ``days``. Asking again is harmless. Raises ClientError."""
    try:
        client.restore_object(
            Bucket=bucket, Key=name, RestoreRequest={"Days": days, "GlacierJobParameters": {"Tier": "Bulk"}}
        )
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") != "RestoreAlreadyInProgress":
            raise
