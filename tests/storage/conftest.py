"""The real S3 service, one for all tests of a run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.services.ceph import S3Service, s3_service
from tests.services.swift import swift_service


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Service]:
    with s3_service() as service:
        yield service


@pytest.fixture(scope="session")
def swift() -> Iterator[S3Service]:
    """The second real service, which lacks much."""
    with swift_service() as service:
        yield service
