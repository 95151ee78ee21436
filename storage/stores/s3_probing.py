"""Trying a bucket out, on scratch objects that are removed again. What a server says of itself is never believed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, cast

from botocore.exceptions import BotoCoreError, ClientError

from metadata.stores import Ability, Found
from storage.stores.s3_checksums import headers_for
from storage.stores.s3_client import S3Options

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

Trial = tuple[Found, str]
_WRITERS: Final = 8
_ROUNDS: Final = 3
_LOCK_SECONDS: Final = 20
_TAKEN: Final = ("PreconditionFailed", "412", "ConditionalRequestConflict", "409")
_NO_RIGHT: Final = ("AccessDenied", "403", "Forbidden", "AllAccessDisabled")


class S3Trial:
    """One bucket, and a prefix in it that is ours alone."""

    def __init__(
        self,
        client: S3Client,
        bucket: str,
        prefix: str,
        options: S3Options,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client: Any = client
        self._bucket = bucket
        self._prefix = prefix
        self._options = options
        self._sleep = sleep

    def run(self) -> Mapping[Ability, Trial]:
        """Each ability that a server of this kind may have. Raises nothing for what the server answers."""
        trials: Mapping[Ability, Callable[[], Trial]] = {
            Ability.CONDITIONAL_CREATE: self._create,
            Ability.CONDITIONAL_COMPLETE: self._complete,
            Ability.CHECKSUMS: self._checksums,
            Ability.OBJECT_LOCK: self._lock,
            Ability.VERSIONING: self._versioning,
            Ability.UPLOAD_LISTING: self._uploads,
            Ability.LIFECYCLE: self._lifecycle,
            Ability.RANGES: self._ranges,
            Ability.ENCRYPTION: self._encryption,
        }
        try:
            return {ability: self._tried(trial) for ability, trial in trials.items()}
        finally:
            self._clean()

    def server(self) -> str:
        """What the server calls itself; empty when it does not say."""
        with suppress(ClientError, BotoCoreError):
            headers = self._client.head_bucket(Bucket=self._bucket)["ResponseMetadata"]["HTTPHeaders"]
            return str(headers.get("server", ""))[:100]
        return ""

    def _tried(self, trial: Callable[[], Trial]) -> Trial:
        try:
            return trial()
        except ClientError as error:
            code = _code(error)
            return (Found.UNKNOWN if code in _NO_RIGHT or code.startswith("5") else Found.NO), code
        except BotoCoreError as error:
            return Found.UNKNOWN, type(error).__name__

    def _at(self, name: str) -> dict[str, Any]:
        return {"Bucket": self._bucket, "Key": self._prefix + name}

    def _put(self, name: str, body: bytes, **more: object) -> dict[str, Any]:
        return cast("dict[str, Any]", self._client.put_object(**self._at(name), Body=body, **more))

    def _wins(self, name: str, body: bytes) -> bool:
        try:
            self._put(name, body, IfNoneMatch="*")
        except ClientError as error:
            if _code(error) in _TAKEN:
                return False
            raise
        return True

    def _create(self) -> Trial:
        if not self._wins("create", b"first") or self._wins("create", b"second"):
            return Found.NO, "If-None-Match is ignored"
        with ThreadPoolExecutor(_WRITERS) as pool:
            for number in range(_ROUNDS):
                bodies = [bytes([writer]) * 100 for writer in range(_WRITERS)]
                won = sum(pool.map(lambda body, name=f"race-{number}": self._wins(name, body), bodies))
                if won != 1:
                    return Found.NO, f"not atomic: {won} of {_WRITERS} writers at once were told that they won"
        return Found.YES, ""

    def _complete(self) -> Trial:
        self._put("complete", b"first")
        upload = self._client.create_multipart_upload(**self._at("complete"))["UploadId"]
        part = {"UploadId": upload, "PartNumber": 1}
        etag = self._client.upload_part(**self._at("complete"), **part, Body=b"second")["ETag"]
        try:
            self._client.complete_multipart_upload(
                **self._at("complete"),
                UploadId=upload,
                MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]},
                IfNoneMatch="*",
            )
        except ClientError as error:
            with suppress(ClientError):
                self._client.abort_multipart_upload(**self._at("complete"), UploadId=upload)
            if _code(error) in _TAKEN:
                return Found.YES, ""
            raise
        return Found.NO, "If-None-Match is ignored"

    def _checksums(self) -> Trial:
        right, wrong = headers_for("crc64nvme", b"data"), headers_for("crc64nvme", b"other")
        refused = self._refuses("wrong-crc", wrong)
        self._put("crc", b"data", **right)
        told = self._client.head_object(**self._at("crc"), ChecksumMode="ENABLED").get("ChecksumCRC64NVME")
        if refused and told == right["ChecksumCRC64NVME"]:
            return Found.YES, "CRC64NVME"
        if self._refuses("wrong-md5", headers_for("md5", b"other")):
            return Found.NO, "no CRC64NVME is kept; a wrong Content-MD5 is refused"
        return Found.NO, "a wrong body is taken: only reading back is relied on"

    def _refuses(self, name: str, asked: Mapping[str, str]) -> bool:
        try:
            self._put(name, b"data", **asked)
        except ClientError as error:
            if _code(error) in _NO_RIGHT:
                raise
            return True
        return False

    def _lock(self) -> Trial:
        if self._options.lock == "none":
            return Found.UNKNOWN, "not tried: stores.lock is none"
        found = self._client.get_object_lock_configuration(Bucket=self._bucket)
        if found.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") != "Enabled":
            return Found.NO, "the bucket was made without Object Lock"
        until = datetime.now(UTC) + timedelta(seconds=_LOCK_SECONDS)
        locking = {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": until}
        version = self._put("canary", b"locked", **locking, **headers_for("both", b"locked")).get("VersionId")
        if version is None:
            return Found.NO, "no version is told"
        try:
            kept = self._client.get_object_retention(**self._at("canary"), VersionId=version).get("Retention", {})
            if kept.get("Mode") != "GOVERNANCE":
                return Found.NO, "the lock is accepted and forgotten"
            return self._canary(version)
        finally:
            self._release(version, until)

    def _canary(self, version: str) -> Trial:
        try:
            self._client.delete_object(**self._at("canary"), VersionId=version)
        except ClientError as error:
            if _code(error) in ("NotImplemented", "501") or _code(error).startswith("5"):
                raise
            return Found.YES, "a locked version could not be deleted"
        return Found.NO, "a locked version could be deleted"

    def _release(self, version: str, until: datetime) -> None:
        """The canary must not stay: by the right to lift its lock, or when its seconds are over."""
        with suppress(ClientError, BotoCoreError):
            self._client.delete_object(**self._at("canary"), VersionId=version, BypassGovernanceRetention=True)
            return
        self._sleep(max(0.0, (until - datetime.now(UTC)).total_seconds() + 1))
        with suppress(ClientError, BotoCoreError):
            self._client.delete_object(**self._at("canary"), VersionId=version)

    def _versioning(self) -> Trial:
        status = self._client.get_bucket_versioning(Bucket=self._bucket).get("Status", "")
        return (Found.YES, "") if status == "Enabled" else (Found.NO, status or "not enabled")

    def _uploads(self) -> Trial:
        upload = self._client.create_multipart_upload(**self._at("upload"))["UploadId"]
        where = {"Bucket": self._bucket, "Prefix": self._prefix}
        listed = [one["UploadId"] for one in self._client.list_multipart_uploads(**where).get("Uploads", ())]
        self._client.abort_multipart_upload(**self._at("upload"), UploadId=upload)
        left = [one["UploadId"] for one in self._client.list_multipart_uploads(**where).get("Uploads", ())]
        if upload not in listed:
            return Found.NO, "an upload that began is not listed"
        return (Found.NO, "an aborted upload stays") if upload in left else (Found.YES, "")

    def _lifecycle(self) -> Trial:
        try:
            rules = self._client.get_bucket_lifecycle_configuration(Bucket=self._bucket).get("Rules", [])
        except ClientError as error:
            if _code(error) == "NoSuchLifecycleConfiguration":
                return Found.YES, "no rule is set"
            raise
        expiring = [rule.get("ID", "") for rule in rules if "Expiration" in rule and rule.get("Status") == "Enabled"]
        note = f"rules that delete objects: {', '.join(expiring)}" if expiring else f"{len(rules)} rules"
        return Found.YES, note

    def _ranges(self) -> Trial:
        self._put("range", b"0123456789")
        answer = self._client.get_object(**self._at("range"), Range="bytes=2-4")
        body = answer["Body"].read(20)
        return (Found.YES, "") if body == b"234" else (Found.NO, f"{len(body)} bytes for 3")

    def _encryption(self) -> Trial:
        asked = self._options.encryption() or {"ServerSideEncryption": "AES256"}
        told = self._put("secret", b"data", **asked).get("ServerSideEncryption")
        wanted = asked["ServerSideEncryption"]
        return (Found.YES, wanted) if told == wanted else (Found.NO, "asked for and not confirmed")

    def _clean(self) -> None:
        with suppress(ClientError, BotoCoreError):
            found = self._client.list_object_versions(Bucket=self._bucket, Prefix=self._prefix)
            for one in [*found.get("Versions", ()), *found.get("DeleteMarkers", ())]:
                with suppress(ClientError, BotoCoreError):
                    self._client.delete_object(Bucket=self._bucket, Key=one["Key"], VersionId=one["VersionId"])
        with suppress(ClientError, BotoCoreError):
            left = self._client.list_objects_v2(Bucket=self._bucket, Prefix=self._prefix)
            for one in left.get("Contents", ()):
                self._client.delete_object(Bucket=self._bucket, Key=one["Key"])


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
