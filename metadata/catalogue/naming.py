"""Which held document has a name: what linked documents of TT 05 are looked up by."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, or_, select

from metadata.catalogue.database import BATCH
from metadata.catalogue.schema import aip_version, record
from metadata.identifiers import AipId, FondsCode, VersionId

_FEW = 50
_Found = tuple[int, AipId, int]  # how well the name fits (0 best), the AIP, the document's number


def named_documents(
    connection: Connection, fonds: FondsCode, names: Iterable[str]
) -> Mapping[str, tuple[VersionId, int]]:
    """The documents of ``fonds`` that are called so: by docId, else by code, else by title; in their latest version.

    A name that fits several documents equally well is nobody's. Documents that are links themselves do not count. All
    documents of the fonds are looked through once, however many names are asked for; of few names by the database.
    """
    wanted = frozenset(name for name in names if name)
    found: dict[str, set[_Found]] = {}
    versions: dict[AipId, int] = {}
    columns = (aip_version.c.aip, aip_version.c.number, record.c.number.label("document"), record.c.code)
    query = (
        select(*columns, record.c.title, record.c.fields)
        .join(aip_version, aip_version.c.version == record.c.version)
        .where(aip_version.c.fonds == fonds.value, record.c.number > 0)
    )
    if len(wanted) <= _FEW:
        said = (
            record.c.fields.contains(f'"docId":{json.dumps(name, ensure_ascii=False)}', autoescape=True)
            for name in wanted
        )
        query = query.where(or_(record.c.code.in_(wanted), record.c.title.in_(wanted), *said))
    for row in connection.execution_options(yield_per=BATCH).execute(query):
        fields = json.loads(row.fields)
        if fields.get("linkedDocument"):
            continue
        for fit, name in enumerate((fields.get("docId"), row.code, row.title)):
            if name in wanted:
                aip = AipId.parse(row.aip)
                versions[aip] = max(versions.get(aip, 0), row.number)
                found.setdefault(name, set()).add((fit, aip, row.document))
    return {name: one for name, all_found in found.items() if (one := _only(all_found, versions)) is not None}


def _only(found: set[_Found], versions: Mapping[AipId, int]) -> tuple[VersionId, int] | None:
    best = min(fit for fit, _, _ in found)
    documents = {(aip, number) for fit, aip, number in found if fit == best}
    if len(documents) > 1:
        return None
    (aip, number) = documents.pop()
    return VersionId(aip, versions[aip]), number
