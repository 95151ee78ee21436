"""A store in a bucket of an S3 service.

Written with the client library, each body with its CRC64NVME, which the server checks; read by ``s3_reading``.
No request is tried again here: that is for ``storage.wrappers.RetryStore``, which knows what may have happened.
"""

from __future__ import annotations

import base64
import hashlib
import http
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, cast

import awscrt.checksums
import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from metadata.errors import AlreadyExists, Damaged, NotFound, StoreUnavailable, TangThuError
from metadata.identifiers import ArchiveCode, StoreId
from metadata.text import Sentence
from storage.marker import MARKER_KEY, Marker
from storage.port import Bytes, ObjectInfo, Part, Upload
from storage.stores.failures import (
    MAX_PREFIX_BYTES,
    already_exists,
    checked_key,
    no_space,
    no_upload,
    not_found,
    not_mounted,
    unavailable,
)
from storage.stores.s3_reading import Connections, S3Stream, Source

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client
    from types_boto3_s3.type_defs import CompletedPartTypeDef, HeadObjectOutputTypeDef

_FULL: Final = ("QuotaExceeded", "InsufficientStorage", "507", "EntityTooLarge", "StorageFull", "XMinioStorageFull")
_MISSING: Final = ("NoSuchKey", "NotFound", "404")
_NO_UPLOAD: Final = ("NoSuchUpload", "InvalidPart", "InvalidPartOrder", "InvalidPartNumber", "MalformedXML")
_TAKEN: Final = ("PreconditionFailed", "412")
_SEND_BYTES: Final = 1 << 20
_SIGNED_SECONDS: Final = 3600
_CODE: Final = re.compile(rb"<Code>([A-Za-z0-9]+)</Code>")


def _crc_value(text: str) -> int:
    return int.from_bytes(base64.b64decode(text), "big")


@dataclass(frozen=True, slots=True)
class S3Account:
    """Where an S3 service is and who we are there. Times in seconds; ``ca`` is a file of trusted certificates."""

    endpoint: str
    access_key: str
    secret_key: str = field(repr=False)
    region: str = "us-east-1"
    ca: Path | None = None
    connect_timeout: float = 10.0
    read_timeout: float = 60.0


def _client(account: S3Account) -> S3Client:
    """A client that knows only what it is told: nothing from the environment or from files of the account's user."""
    nothing = {"config_file": os.devnull, "credentials_file": os.devnull, "profile": None, "ca_bundle": None}
    variables = {name: (None, None, value, None) for name, value in nothing.items()}
    session = boto3.session.Session(
        aws_access_key_id=account.access_key,
        aws_secret_access_key=account.secret_key,
        region_name=account.region,
        botocore_session=botocore.session.Session(session_vars=variables),
    )
    config = Config(
        signature_version="s3v4",
        s3={"addressing_style": "path", "payload_signing_enabled": False},
        retries={"total_max_attempts": 1, "mode": "standard"},
        connect_timeout=account.connect_timeout,
        read_timeout=account.read_timeout,
        max_pool_connections=32,
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        proxies={},
    )
    verify = str(account.ca) if account.ca else None
    return session.client("s3", endpoint_url=account.endpoint, config=config, verify=verify)


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _crc(data: Bytes) -> int:
    return int(awscrt.checksums.crc64nvme(data))


def _crc_text(crc: int) -> str:
    return base64.b64encode(crc.to_bytes(8, "big")).decode()


class S3Store:
    """Objects of a bucket whose keys begin with ``prefix``. Safe to use from several threads.

    The first use reads the marker; a bucket without it is StoreUnavailable, like a disk that is not mounted.
    """

    def __init__(
        self,
        store_id: StoreId,
        account: S3Account,
        bucket: str,
        prefix: str = "",
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if len(prefix.encode()) > MAX_PREFIX_BYTES:
            raise ValueError(f"the prefix of a store has at most {MAX_PREFIX_BYTES} bytes")
        self._id = store_id
        self._bucket = bucket
        self._prefix = prefix
        self._client = _client(account)
        self._connections = Connections(account.endpoint, account.ca, account.connect_timeout, account.read_timeout)
        self._sleep = sleep
        self._mounted = False

    @property
    def id(self) -> StoreId:
        return self._id

    def close(self) -> None:
        """Let the connections go."""
        self._connections.close()
        self._client.close()

    def create(self, archive: ArchiveCode) -> None:
        """Make the bucket when there is none, and this store in it. Nothing happens when it is this store already.

        Raises AlreadyExists when another store is there.
        """
        with self._errors():
            try:
                self._client.head_bucket(Bucket=self._bucket)
            except ClientError as error:
                if _code(error) not in ("404", "NoSuchBucket", "NotFound"):
                    raise
                self._client.create_bucket(Bucket=self._bucket)
        marker = Marker(self._id, archive)
        with suppress(AlreadyExists):
            self._put(MARKER_KEY, marker.to_bytes())
        if self._read_marker() != marker:
            raise already_exists(self._id, MARKER_KEY)

    def _read_marker(self) -> Marker:
        try:
            with self._errors(MARKER_KEY):
                body = self._client.get_object(Bucket=self._bucket, Key=self._prefix + MARKER_KEY)["Body"]
                return Marker.parse(body.read())
        except (NotFound, ValueError) as error:
            raise not_mounted(self._id, f"{self._bucket}/{self._prefix}{MARKER_KEY}") from error

    def _check_mounted(self, again: bool = False) -> None:
        if self._mounted and not again:
            return
        marker = self._read_marker()
        if marker.store != self._id:
            raise not_mounted(self._id, f"{self._bucket}/{self._prefix} is the store “{marker.store}”")
        self._mounted = True

    def _name(self, key: str) -> str:
        return self._prefix + checked_key(key)

    @contextmanager
    def _errors(self, key: str = "") -> Iterator[None]:
        """Turn the client library's errors into the house's."""
        try:
            yield
        except ClientError as error:
            status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            raise self._refusal(key, _code(error), status) from error
        except BotoCoreError as error:
            raise unavailable(self._id, type(error).__name__) from error

    def _refusal(self, key: str, code: str, status: int) -> TangThuError:
        if code in _FULL or status == http.HTTPStatus.INSUFFICIENT_STORAGE:
            return no_space(self._id)
        if code in _MISSING:
            return not_found(self._id, key)
        if code in _NO_UPLOAD:
            return no_upload(self._id, key)
        if code in _TAKEN:
            return already_exists(self._id, key)
        return unavailable(self._id, code or str(status))

    def put(self, key: str, data: Bytes) -> None:
        self._name(key)
        self._check_mounted()
        self._put(key, data)

    def _put(self, key: str, data: Bytes) -> None:
        with self._errors(key):
            self._client.put_object(
                Bucket=self._bucket,
                Key=self._prefix + key,
                Body=cast("IO[bytes]", _Body(data)),
                IfNoneMatch="*",
                ChecksumAlgorithm="CRC64NVME",
                ChecksumCRC64NVME=_crc_text(_crc(data)),
            )

    def open(self, key: str, start: int = 0, length: int | None = None) -> S3Stream:
        parameters = {"Bucket": self._bucket, "Key": self._name(key)}
        self._check_mounted()

        def sign() -> str:
            return self._client.generate_presigned_url("get_object", Params=parameters, ExpiresIn=_SIGNED_SECONDS)

        def size() -> int:
            info = self.head(key)
            if info is None:
                raise not_found(self._id, key)
            return info.size

        def refusal(status: int, body: bytes) -> TangThuError:
            code = _CODE.search(body)
            if status == http.HTTPStatus.PRECONDITION_FAILED:
                return unavailable(self._id, "the object is no longer the same")
            error = self._refusal(key, code[1].decode() if code else str(status), status)
            if isinstance(error, NotFound):
                self._check_mounted(again=True)
            return error

        return S3Stream(self._connections, Source(self._id, sign, refusal, size, self._sleep), start, length)

    def head(self, key: str) -> ObjectInfo | None:
        found = self._head(key)
        return None if found is None else ObjectInfo(key, found["ContentLength"], found["LastModified"])

    def _head(self, key: str) -> HeadObjectOutputTypeDef | None:
        name = self._name(key)
        self._check_mounted()
        try:
            with self._errors(key):
                return self._client.head_object(Bucket=self._bucket, Key=name)
        except NotFound:
            self._check_mounted(again=True)  # the answer is the same when the bucket is gone
            return None

    def list(self, prefix: str = "", after: str = "") -> Iterator[ObjectInfo]:
        self._check_mounted()
        pages = self._client.get_paginator("list_objects_v2")
        with self._errors():
            for page in pages.paginate(
                Bucket=self._bucket, Prefix=self._prefix + prefix, StartAfter=self._prefix + after
            ):
                for found in page.get("Contents", ()):
                    key = found["Key"].removeprefix(self._prefix)
                    if key != MARKER_KEY:
                        yield ObjectInfo(key, found["Size"], found["LastModified"])

    def delete(self, key: str) -> None:
        if key == MARKER_KEY:
            raise ValueError("the marker of a store is never deleted")
        name = self._name(key)
        self._check_mounted()
        with suppress(NotFound), self._errors(key):
            self._client.delete_object(Bucket=self._bucket, Key=name)

    def begin(self, key: str) -> Upload:
        name = self._name(key)
        self._check_mounted()
        with self._errors(key):
            begun = self._client.create_multipart_upload(
                Bucket=self._bucket, Key=name, ChecksumAlgorithm="CRC64NVME", ChecksumType="FULL_OBJECT"
            )
        return Upload(key, begun["UploadId"], datetime.now(UTC))

    def put_part(self, upload: Upload, number: int, data: Bytes, offset: int | None = None) -> Part:
        crc = _crc_text(_crc(data))
        with self._errors(upload.key):
            sent = self._client.upload_part(
                Bucket=self._bucket,
                Key=self._name(upload.key),
                UploadId=upload.id,
                PartNumber=number,
                Body=cast("IO[bytes]", _Body(data)),
                ChecksumAlgorithm="CRC64NVME",
                ChecksumCRC64NVME=crc,
            )
        return Part(number, len(data), f"{sent['ETag']} {crc}")

    def complete(self, upload: Upload, parts: Sequence[Part]) -> None:
        name = self._name(upload.key)
        if not parts:
            raise no_upload(self._id, upload.key)
        tags = [part.tag.split(" ") for part in parts]
        listed: list[CompletedPartTypeDef] = [
            {"PartNumber": part.number, "ETag": etag, "ChecksumCRC64NVME": crc}
            for part, (etag, crc) in zip(parts, tags, strict=True)
        ]
        try:
            with self._errors(upload.key):
                made = self._client.complete_multipart_upload(
                    Bucket=self._bucket,
                    Key=name,
                    UploadId=upload.id,
                    MultipartUpload={"Parts": listed},
                    ChecksumType="FULL_OBJECT",
                    IfNoneMatch="*",
                )
        except AlreadyExists:
            self.abort(upload)
            raise
        except (StoreUnavailable, NotFound):
            if self._is_made_of(upload.key, parts):
                return  # only the reply was lost
            with self._errors(upload.key):  # Ceph says “in progress” of an upload that is no more
                self._client.list_parts(Bucket=self._bucket, Key=name, UploadId=upload.id, MaxParts=1)
            raise
        self._compare(upload.key, parts, made.get("ChecksumCRC64NVME"))

    def _is_made_of(self, key: str, parts: Sequence[Part]) -> bool:
        """Whether the object is there and, by its ETag, made of exactly these parts."""
        found = self._head(key)
        if found is None or found["ContentLength"] != sum(part.size for part in parts):
            return False
        try:
            digests = b"".join(bytes.fromhex(part.tag.split(" ")[0].strip('"')) for part in parts)
        except ValueError:  # this server's ETags are not digests
            return False
        made = hashlib.md5(digests, usedforsecurity=False).hexdigest()
        return bool(found["ETag"].strip('"') == f"{made}-{len(parts)}")

    def _compare(self, key: str, parts: Sequence[Part], found: str | None) -> None:
        """Servers take a wrong checksum here, but they tell the true one."""
        crc = 0
        for part in parts:
            crc = awscrt.checksums.combine_crc64nvme(crc, _crc_value(part.tag.split(" ")[1]), part.size)
        if found is None or found == _crc_text(crc):
            return
        self.delete(key)
        raise Damaged(
            Sentence(
                vi=f"Kho “{self._id}” đã ghép sai đối tượng “{key}”; đối tượng hỏng đã được xóa. Hãy gửi lại.",
                en=f"The store “{self._id}” put “{key}” together wrongly; the bad object was removed. Send it again.",
            )
        )

    def abort(self, upload: Upload) -> None:
        name = self._name(upload.key)
        self._check_mounted()
        with suppress(NotFound), self._errors(upload.key):
            self._client.abort_multipart_upload(Bucket=self._bucket, Key=name, UploadId=upload.id)

    def uploads(self, prefix: str = "") -> Iterator[Upload]:
        self._check_mounted()
        pages = self._client.get_paginator("list_multipart_uploads")
        with self._errors():
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix + prefix):
                for found in page.get("Uploads", ()):
                    yield Upload(found["Key"].removeprefix(self._prefix), found["UploadId"], found["Initiated"])


class _Body:
    """Bytes as the file that the client library wants, without a copy of them."""

    def __init__(self, data: Bytes) -> None:
        self._data = memoryview(data).cast("B")
        self._position = 0

    def __len__(self) -> int:
        return len(self._data)

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._position = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: len(self)}[whence]
        return self._position

    def read(self, size: int = -1) -> memoryview:
        """At least ``size`` bytes, if there are: the library's own step of 16 KiB would cost a system call each."""
        data = self._data[self._position :][: len(self) if size < 0 else max(size, _SEND_BYTES)]
        self._position += len(data)
        return data
