"""Where the public test material lies when it is there: a folder beside the repository, never in it."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path

from lxml import etree

_FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data"


def shared_data(*parts: str) -> Path | None:
    """A file or folder of the shared test material, or None when it is not there."""
    path = _FOLDER.joinpath(*parts)
    return path if path.exists() else None


class _Local(etree.Resolver):
    """Schemas that import others from the web get the copies beside them."""

    def resolve(self, url, pubid, context):
        copy = _FOLDER / "xsd" / url.rpartition("/")[2]
        if copy.exists():
            return self.resolve_filename(str(copy), context)
        return self.resolve_string('<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"/>', context)


@cache
def _schema(name: str) -> etree.XMLSchema:
    parser = etree.XMLParser(no_network=True)
    parser.resolvers.add(_Local())
    return etree.XMLSchema(etree.parse(str(_FOLDER / "xsd" / name), parser))


def official_errors(document: bytes, schema: str) -> list[str]:
    """What the official schema (``mets-1-12-1.xsd``, ``premis-v3-0.xsd``) says against ``document``.

    Without the shared folder only well-formedness is judged.
    """
    tree = etree.parse(io.BytesIO(document))
    if shared_data("xsd", schema) is None:
        return []
    judge = _schema(schema)
    return [] if judge.validate(tree) else [f"{error.line}: {error.message}" for error in judge.error_log]
