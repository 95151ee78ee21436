"""Giving the package of an AIP as it is kept to another archive of the same system (TT 05 Điều 17: cùng Hệ thống)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from access.content import Span, replicas_of, verified_bytes
from access.dissemination.package_file import new_package
from access.dissemination.recording import dissemination, record
from access.services import AccessServices
from metadata.events import Agent, Event
from metadata.examination import FOLDER
from metadata.holdings import AipVersion, Member, Role

_PAYLOAD = "data/"
_OUTSIDE = (Role.SUBMISSION, Role.TAG)


@dataclass(frozen=True, slots=True)
class Export:
    """What was given: the folder's name in it, how many files and bytes, and the event that tells of it."""

    folder: str
    path: Path
    files: int
    bytes: int
    event: Event


def export_aip(
    services: AccessServices,
    agent: Agent,
    version: AipVersion,
    target: Path,
    on_progress: Callable[[int], None] = lambda _: None,
) -> Export:
    """Write the AIP_hoso (AIP_tailieu, …) folder of an AIP to ``target``: ``….zip``, or a folder.

    It is the information package alone: the bag around it and the submission as it came stay in the archive. Raises
    Damaged when no replica proves right, StoreUnavailable, AlreadyExists, NoSpace, UsageError.
    """
    files = total = 0
    folder = ""
    replicas = replicas_of(services, version)
    with new_package(target) as out:
        for member in services.catalogue.holdings.members(version.id):
            if not _belongs(member):
                continue
            path = member.path.removeprefix(_PAYLOAD)
            folder = path.partition("/")[0]
            chunks = verified_bytes(services, version, member, Span(0, member.size), replicas)
            out.add(path, member.size, member.crc32, chunks)
            files, total = files + 1, total + member.size
            on_progress(member.size)
        detail = f"{version.package_type.value} given to another archive"
        event = dissemination(version, services, agent, detail, f"{files} files, {total} bytes")
        record(services, version, event)
    return Export(folder, target, files, total, event)


def _belongs(member: Member) -> bool:
    """Whether it lies in the package's own folder: not the bag's tag files, the submission, or what checks found."""
    own = member.path.count("/") > 1 and not member.path.startswith(FOLDER)
    return own and member.role not in _OUTSIDE
