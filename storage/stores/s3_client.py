"""Who we are at an S3 service and how we reach it; and what a store asks of it. The client library is told all of it.

Nothing is taken from the environment or from files of the account's user unless the settings name them.
"""

from __future__ import annotations

import configparser
import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import (
    ContainerProvider,
    CredentialResolver,
    InstanceMetadataFetcher,
    InstanceMetadataProvider,
)

from metadata.errors import UsageError
from metadata.text import Sentence

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

_LARGEST_FILE: Final = 64 << 10
_ROLE_SECONDS: Final = 2
_ROLE_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class S3Account:
    """Where an S3 service is and who we are there. Times in seconds; ``ca`` is a file of trusted certificates.

    With ``role`` the keys are ignored: the machine's or container's own role is asked for some that soon expire;
    ``role`` holds the variables by which a container finds its role.
    """

    endpoint: str
    access_key: str
    secret_key: str = field(repr=False)
    region: str = "us-east-1"
    ca: Path | None = None
    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    proxy: str = ""
    role: Mapping[str, str] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class S3Options:
    """What a store asks of its server.

    ``checksums``: ``auto``, ``crc64nvme``, ``md5`` or ``none``. ``lock``: ``none``, ``governance`` or ``compliance``,
    for ``lock_days`` from when an object is written. ``sse``: ``none``, ``s3`` or ``kms``. ``careful`` says whether
    the server is not known to create conditionally; it is asked when something is written.
    """

    checksums: str = "auto"
    lock: str = "none"
    lock_days: int = 0
    sse: str = "none"
    sse_key: str = ""
    storage_class: str = ""
    thaw_days: int = 7
    careful: Callable[[], bool] = lambda: False

    def encryption(self) -> dict[str, str]:
        """What is asked with each body that is written."""
        if self.sse == "none":
            return {}
        asked = {"ServerSideEncryption": "AES256" if self.sse == "s3" else "aws:kms"}
        return asked | ({"SSEKMSKeyId": self.sse_key} if self.sse_key else {})


def make_client(account: S3Account) -> S3Client:
    """A client that knows only what it is told and tries nothing again."""
    nothing = {"config_file": os.devnull, "credentials_file": os.devnull, "profile": None, "ca_bundle": None}
    variables = {name: (None, None, value, None) for name, value in nothing.items()}
    inner = botocore.session.Session(session_vars=variables)
    if account.role is None:
        session = boto3.session.Session(
            aws_access_key_id=account.access_key,
            aws_secret_access_key=account.secret_key,
            region_name=account.region,
            botocore_session=inner,
        )
    else:
        fetcher = InstanceMetadataFetcher(timeout=_ROLE_SECONDS, num_attempts=_ROLE_TRIES)
        providers = [ContainerProvider(environ=dict(account.role)), InstanceMetadataProvider(iam_role_fetcher=fetcher)]
        inner.register_component("credential_provider", CredentialResolver(providers))
        session = boto3.session.Session(region_name=account.region, botocore_session=inner)
    config = Config(
        signature_version="s3v4",
        s3={"addressing_style": "path", "payload_signing_enabled": False},
        retries={"total_max_attempts": 1, "mode": "standard"},
        connect_timeout=account.connect_timeout,
        read_timeout=account.read_timeout,
        max_pool_connections=32,
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        proxies={"http": account.proxy, "https": account.proxy} if account.proxy else {},
    )
    verify = str(account.ca) if account.ca else None
    return session.client("s3", endpoint_url=account.endpoint, config=config, verify=verify)


def read_credentials(path: Path) -> tuple[str, str]:
    """The access key and the secret key in a file: like AWS's (section ``default``, else the first), or two lines.

    Raises UsageError for a file that is not there, that others may read, or that holds something else.
    """
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            data = file.read(_LARGEST_FILE)
    except OSError as error:
        raise _bad_file(path, f"không đọc được ({error.strerror})", f"it cannot be read ({error.strerror})") from error
    if stat.S_IMODE(mode) & 0o077:
        raise _bad_file(
            path, f"người khác cũng đọc được: hãy chạy «chmod 600 {path}»", f"others may read it: chmod 600 {path}"
        )
    try:
        found = _two_keys(data.decode("utf-8-sig"))
    except (UnicodeDecodeError, configparser.Error):
        found = None
    if found is None:
        raise _bad_file(path, "không có hai khóa (xem docs/stores.md)", "it does not hold two keys (docs/stores.md)")
    return found


def _two_keys(text: str) -> tuple[str, str] | None:
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith(("#", ";"))]
    if len(lines) == 2 and not any(line.startswith("[") for line in lines) and "=" not in lines[0]:
        return lines[0], lines[1]
    parser = configparser.ConfigParser(interpolation=None, default_section="")
    parser.read_string(text)
    section = "default" if parser.has_section("default") else next(iter(parser.sections()), None)
    if section is None:
        return None
    keys = (
        parser.get(section, "aws_access_key_id", fallback=""),
        parser.get(section, "aws_secret_access_key", fallback=""),
    )
    return keys if all(keys) else None


def _bad_file(path: Path, vi: str, en: str) -> UsageError:
    return UsageError(
        Sentence(f"Tệp khóa S3 {path} không dùng được: {vi}.", f"The S3 credentials file {path} is no good: {en}.")
    )
