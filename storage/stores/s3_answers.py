"""What an S3 server answers when it refuses, as errors of the house."""

from __future__ import annotations

import http
from typing import Final

from botocore.exceptions import ClientError

from metadata.errors import TangThuError
from metadata.identifiers import StoreId
from storage.stores.failures import already_exists, cold, no_space, no_upload, not_found, unavailable

_FULL: Final = ("QuotaExceeded", "InsufficientStorage", "507", "EntityTooLarge", "StorageFull", "XMinioStorageFull")
_MISSING: Final = ("NoSuchKey", "NotFound", "404")
_NO_UPLOAD: Final = ("NoSuchUpload", "InvalidPart", "InvalidPartOrder", "InvalidPartNumber", "MalformedXML")
_TAKEN: Final = ("PreconditionFailed", "412")
_COLD: Final = ("InvalidObjectState",)
NO_RIGHT: Final = ("AccessDenied", "403", "NotImplemented", "501", "MethodNotAllowed")


def code_of(error: ClientError) -> str:
    """The server's own word."""
    return str(error.response.get("Error", {}).get("Code", ""))


def refusal(store: StoreId, key: str, code: str, status: int) -> TangThuError:
    """The error to raise for an answer that is no success."""
    if code in _FULL or status == http.HTTPStatus.INSUFFICIENT_STORAGE:
        return no_space(store)
    if code in _MISSING:
        return not_found(store, key)
    if code in _NO_UPLOAD:
        return no_upload(store, key)
    if code in _TAKEN:
        return already_exists(store, key)
    if code in _COLD:
        return cold(store, key)
    return unavailable(store, code or str(status))
