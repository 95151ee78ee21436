"""How many content files of each format a version has: the sums over formats, without reading the members again."""

from __future__ import annotations

from collections import Counter

from sqlalchemy import Connection, delete, func, insert, literal, select

from metadata.catalogue.database import Database
from metadata.catalogue.held_sums import move_sums
from metadata.catalogue.schema import file_format, member, outcome_count
from metadata.catalogue.statistics import FORMAT
from metadata.holdings import Role
from metadata.identifiers import VersionId


def count_formats(database: Database, connection: Connection, version: VersionId) -> None:
    """Write the sums of one version's members as they are now, and move those of the holdings by what has changed."""
    sums = outcome_count.c
    here = sums.kind == FORMAT, sums.version == version.row
    moves: Counter[str] = Counter()
    for outcome, count in connection.execute(delete(outcome_count).where(*here).returning(sums.outcome, sums.members)):
        moves[outcome] -= count
    puid = func.coalesce(file_format.c.puid, "")
    counted = (
        select(literal(FORMAT), puid, member.c.version, func.count())
        .select_from(member.outerjoin(file_format, file_format.c.format == member.c.format))
        .where(member.c.version == version.row, member.c.role == Role.CONTENT.value)
        .group_by(puid, member.c.version)
    )
    connection.execute(insert(outcome_count).from_select(["kind", "outcome", "version", "members"], counted))
    for outcome, count in connection.execute(select(sums.outcome, sums.members).where(*here)):
        moves[outcome] += count
    move_sums(database, connection, FORMAT, moves)
