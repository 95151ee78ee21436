"""A store in a bucket of an S3 service.

Written with the client library, each body with a checksum that the server checks; read by ``s3_reading``.
No request is tried again here: that is for ``storage.wrappers.RetryStore``, which knows what may have happened.
"""

from __future__ import annotations

import http
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import IO, TYPE_CHECKING, Any, Final, cast

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from metadata.errors import AlreadyExists, Locked, NotFound, StoreUnavailable, TangThuError
from metadata.identifiers import ArchiveCode, StoreId
from storage.marker import MARKER_BYTES, MARKER_KEY, Marker
from storage.port import Bytes, ObjectInfo, Part, Upload
from storage.stores.failures import (
    MAX_PREFIX_BYTES,
    already_exists,
    checked_key,
    locked,
    no_upload,
    not_encrypted,
    not_found,
    not_mounted,
    put_wrongly,
    unavailable,
)
from storage.stores.s3_answers import NO_RIGHT, code_of, refusal
from storage.stores.s3_checksums import (
    Body,
    differs,
    headers_for,
    is_joined_etag,
    is_made_of,
    listed_part,
    part_tag,
    upload_headers,
    whole_crc,
)
from storage.stores.s3_client import S3Account, S3Options, make_client
from storage.stores.s3_keeping import ColdState, ask_back, cold_state, lock_of
from storage.stores.s3_probing import S3Trial
from storage.stores.s3_reading import Connections, S3Stream, Source

if TYPE_CHECKING:
    from types_boto3_s3.type_defs import CompletedPartTypeDef, HeadObjectOutputTypeDef

_SIGNED_SECONDS: Final = 3600
_CODE: Final = re.compile(rb"<Code>([A-Za-z0-9]+)</Code>")

__all__ = ["S3Account", "S3Options", "S3Store"]


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
        options: S3Options | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        if len(prefix.encode()) > MAX_PREFIX_BYTES:
            raise ValueError(f"the prefix of a store has at most {MAX_PREFIX_BYTES} bytes")
        self._id = store_id
        self._bucket = bucket
        self._prefix = prefix
        self._account = account
        self._client = make_client(account)
        self._connections = Connections(
            account.endpoint, account.ca, account.connect_timeout, account.read_timeout, account.proxy
        )
        self._sleep = sleep
        self._options = options or S3Options()
        self._now = now
        self._sums = self._options.checksums
        self._mounted = False
        self._versions: bool | None = None

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
                if code_of(error) not in ("404", "NoSuchBucket", "NotFound"):
                    raise
                self._client.create_bucket(Bucket=self._bucket)
        marker = Marker(self._id, archive)
        with suppress(AlreadyExists):
            # Both: by what it tells of the marker later a server shows whether it keeps CRCs.
            self._put(MARKER_KEY, marker.to_bytes(), "both" if self._options.checksums == "auto" else self._sums)
        if self._read_marker() != marker:
            raise already_exists(self._id, MARKER_KEY)

    def trial(self, prefix: str) -> S3Trial:
        """What tries this bucket out, on objects whose keys begin with ``prefix``. Raises StoreUnavailable."""
        self._check_mounted(again=True)
        return S3Trial(self._client, self._bucket, self._name(prefix), self._options, self._sleep)

    def _read_marker(self) -> Marker:
        try:
            with self._errors(MARKER_KEY):
                name = self._prefix + MARKER_KEY
                found = self._client.get_object(Bucket=self._bucket, Key=name, ChecksumMode="ENABLED")
                small = found.get("ContentLength", MARKER_BYTES + 1) <= MARKER_BYTES
                marker = Marker.parse(found["Body"].read() if small else b"")
        except (NotFound, ValueError) as error:
            raise not_mounted(self._id, f"{self._bucket}/{self._prefix}{MARKER_KEY}") from error
        if self._options.checksums == "auto":
            self._sums = "crc64nvme" if found.get("ChecksumCRC64NVME") else "md5"
        return marker

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
            raise refusal(self._id, key, code_of(error), status) from error
        except (BotoCoreError, ResponseParserError) as error:
            raise unavailable(self._id, type(error).__name__) from error

    def put(self, key: str, data: Bytes) -> None:
        self._name(key)
        self._check_mounted()
        self._put(key, data, self._sums)

    def _put(self, key: str, data: Bytes, sums: str) -> None:
        asked = headers_for(sums, data)
        with self._errors(key):
            made = self._client.put_object(
                Bucket=self._bucket,
                Key=self._prefix + key,
                Body=cast("IO[bytes]", Body(data)),
                IfNoneMatch="*",
                **cast("Any", asked | self._asked()),
            )
        if not self._encrypted(made):
            self._remove(key)
            raise not_encrypted(self._id)
        if self._options.sse == "none" and differs(asked, made):
            self._remove(key)
            raise put_wrongly(self._id, key)
        if self._options.careful() and not self._holds(key, data):
            raise already_exists(self._id, key)

    def _asked(self) -> dict[str, Any]:
        """What the settings ask of every object: encryption, class, lock."""
        asked: dict[str, Any] = dict(self._options.encryption())
        if self._options.storage_class:
            asked["StorageClass"] = self._options.storage_class
        if self._options.lock != "none":
            asked["ObjectLockMode"] = self._options.lock.upper()
            asked["ObjectLockRetainUntilDate"] = self._now() + timedelta(days=self._options.lock_days)
        return asked

    def _encrypted(self, answer: Mapping[str, Any]) -> bool:
        return self._options.sse == "none" or bool(answer.get("ServerSideEncryption"))

    def _holds(self, key: str, data: Bytes) -> bool:
        """Whether these bytes lie there now: of two at once, a server that is not atomic tells both that they won."""
        with self.open(key) as stream:
            return stream.read(len(data) + 1) == bytes(data)

    def _remove(self, key: str) -> None:
        """Take away what has just been written wrongly; what is locked already stays, out of sight."""
        self.bury(key)

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

        def refused(status: int, body: bytes) -> TangThuError:
            code = _CODE.search(body)
            if status == http.HTTPStatus.PRECONDITION_FAILED:
                return unavailable(self._id, "the object is no longer the same")
            error = refusal(self._id, key, code[1].decode() if code else str(status), status)
            if isinstance(error, NotFound):
                self._check_mounted(again=True)
            return error

        return S3Stream(self._connections, Source(self._id, sign, refused, size, self._sleep), start, length)

    def head(self, key: str) -> ObjectInfo | None:
        found = self._head(key)
        return (
            None
            if found is None
            else ObjectInfo(key, found["ContentLength"], found["LastModified"], found.get("ETag", ""))
        )

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
        pages, last = self._client.get_paginator("list_objects_v2"), after
        with self._errors():
            for page in pages.paginate(
                Bucket=self._bucket, Prefix=self._prefix + prefix, StartAfter=self._prefix + after
            ):
                for found in page.get("Contents", ()):
                    name = found["Key"]
                    key = name.removeprefix(self._prefix)
                    if not name.startswith(self._prefix + prefix) or (key <= last and last):
                        raise unavailable(
                            self._id, "the server lists other keys than it was asked for, or out of order"
                        )
                    last = key
                    if key != MARKER_KEY:
                        yield ObjectInfo(key, found["Size"], found["LastModified"], found.get("ETag", ""))

    def delete(self, key: str) -> None:
        if key == MARKER_KEY:
            raise ValueError("the marker of a store is never deleted")
        self._name(key)
        self._check_mounted()
        self._delete(key)

    def bury(self, key: str) -> None:
        try:
            self.delete(key)
        except Locked:
            with self._errors(key):  # without a version: a marker that nothing is here, over what is locked
                self._client.delete_object(Bucket=self._bucket, Key=self._name(key))
            if self._head(key) is not None:
                raise

    def _delete(self, key: str) -> None:
        """Every version of the object: where versions are kept, a plain delete would only hide it."""
        name = self._prefix + key
        if not self._keeps_versions():
            with suppress(NotFound), self._errors(key):
                self._client.delete_object(Bucket=self._bucket, Key=name)
            return
        while (found := self._head(key)) is not None:
            version = found.get("VersionId", "null")
            try:
                with suppress(NotFound), self._errors(key):
                    self._client.delete_object(Bucket=self._bucket, Key=name, VersionId=version)
            except StoreUnavailable as error:
                if lock := lock_of(self._client, self._bucket, name, version):
                    raise locked(self._id, key, lock.until) from error
                raise

    def _keeps_versions(self) -> bool:
        """Asked until it is answered. Who has no right to ask is taken to write to a bucket that does."""
        if self._versions is None:
            try:
                with self._errors():
                    answer = self._client.get_bucket_versioning(Bucket=self._bucket)
                self._versions = bool(answer.get("Status"))
            except StoreUnavailable as error:
                if not isinstance(error.__cause__, ClientError) or code_of(error.__cause__) not in NO_RIGHT:
                    raise
                return True
        return self._versions

    def thaw(self, key: str) -> bool:
        found = self._head(key)
        if found is None:
            raise not_found(self._id, key)
        state = cold_state(found)
        if state is ColdState.FROZEN:
            with self._errors(key):
                ask_back(self._client, self._bucket, self._prefix + key, self._options.thaw_days)
        return state is ColdState.READABLE

    def begin(self, key: str) -> Upload:
        name = self._name(key)
        self._check_mounted()
        with self._errors(key):
            begun = self._client.create_multipart_upload(
                Bucket=self._bucket, Key=name, **cast("Any", upload_headers(self._sums) | self._asked())
            )
        upload = Upload(key, begun["UploadId"], datetime.now(UTC))
        if not self._encrypted(begun):
            self.abort(upload)
            raise not_encrypted(self._id)
        return upload

    def put_part(self, upload: Upload, number: int, data: Bytes, offset: int | None = None) -> Part:
        if self._sums == "auto":
            self._check_mounted()
        asked = headers_for(self._sums, data)
        with self._errors(upload.key):
            sent = self._client.upload_part(
                Bucket=self._bucket,
                Key=self._name(upload.key),
                UploadId=upload.id,
                PartNumber=number,
                Body=cast("IO[bytes]", Body(data)),
                **cast("Any", asked),
            )
        if self._options.sse == "none" and differs(asked, sent):
            raise unavailable(self._id, "it took other bytes than were sent")
        return Part(number, len(data), part_tag(sent["ETag"], asked))

    def complete(self, upload: Upload, parts: Sequence[Part]) -> None:
        name = self._name(upload.key)
        if not parts:
            raise no_upload(self._id, upload.key)
        if self._options.careful() and self._head(upload.key) is not None:
            done = self._is_made_of(upload.key, parts)
            self.abort(upload)
            if done:
                return  # only the reply was lost
            raise already_exists(self._id, upload.key)
        try:
            with self._errors(upload.key):
                made = self._client.complete_multipart_upload(
                    Bucket=self._bucket,
                    Key=name,
                    UploadId=upload.id,
                    MultipartUpload={"Parts": [cast("CompletedPartTypeDef", listed_part(part)) for part in parts]},
                    IfNoneMatch="*",
                    **cast("Any", {"ChecksumType": "FULL_OBJECT"} if whole_crc(parts) else {}),
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
        self._compare(upload.key, parts, made)

    def _is_made_of(self, key: str, parts: Sequence[Part]) -> bool:
        """Whether the object is there and, by its ETag, made of exactly these parts."""
        found = self._head(key)
        if found is None or found["ContentLength"] != sum(part.size for part in parts):
            return False
        return is_joined_etag(found["ETag"], parts) is True

    def _compare(self, key: str, parts: Sequence[Part], made: Mapping[str, Any]) -> None:
        """Servers take a wrong checksum here, but they tell the true one, or the digest of the parts' digests. An
        answer that says otherwise may have been altered on the line: the object is asked for before it is removed."""
        by_etag = self._options.sse == "none"
        if is_made_of(parts, made, by_etag) is not False:
            return
        with self._errors(key):
            found = self._client.head_object(Bucket=self._bucket, Key=self._name(key), ChecksumMode="ENABLED")
        if is_made_of(parts, found, by_etag) is True:
            return
        self._remove(key)
        raise put_wrongly(self._id, key)

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
