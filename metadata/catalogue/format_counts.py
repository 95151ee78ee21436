"""How many content files of each format a version has: the sums over formats, without reading the members again."""

from __future__ import annotations

from sqlalchemy import Connection, delete, func, insert, literal, select

from metadata.catalogue.schema import file_format, member, outcome_count
from metadata.catalogue.statistics import FORMAT
from metadata.holdings import Role
from metadata.identifiers import VersionId


def count_formats(connection: Connection, version: VersionId) -> None:
    """Write the sums of one version's members as they are now."""
    sums = outcome_count.c
    connection.execute(delete(outcome_count).where(sums.kind == FORMAT, sums.version == version.row))
    puid = func.coalesce(file_format.c.puid, "")
    counted = (
        select(literal(FORMAT), puid, member.c.version, func.count())
        .select_from(member.outerjoin(file_format, file_format.c.format == member.c.format))
        .where(member.c.version == version.row, member.c.role == Role.CONTENT.value)
        .group_by(puid, member.c.version)
    )
    connection.execute(insert(outcome_count).from_select(["kind", "outcome", "version", "members"], counted))
