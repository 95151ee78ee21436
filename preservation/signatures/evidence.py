"""Evidence: what a verdict rested on, as a JSON document that a later check can be given back.

The time of ``proof_of_existence`` and the document itself are as trustworthy as whoever kept them: the archive's own
PREMIS event and evidence log state both. A later check looks at the signatures as of that time, with the certificates
and revocation answers of that time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, BinaryIO

from preservation.signatures.port import Evidence, SignatureVerdict

FORMAT = "tangthu-signature-evidence/1"
_CHUNK = 1 << 20


def make_evidence(
    digests: Mapping[str, str],
    seen: datetime,
    at: datetime,
    store: Mapping[str, str],
    objects: Mapping[str, Any],
    verdicts: Sequence[SignatureVerdict],
    fetched: Sequence[Mapping[str, str]] = (),
) -> Evidence:
    """Put it together. ``digests``: SHA-256 of the file, and of the content beside it; ``store``: version, digest;
    ``fetched``: which objects came over the network, when and from where."""
    found: dict[str, Any] = {
        "format": FORMAT,
        "engine": {name: version(name) for name in ("pyhanko", "pyhanko-certvalidator")},
        "digests": dict(digests),
        "proof_of_existence": seen.astimezone(UTC).isoformat(),
        "validated_at": at.astimezone(UTC).isoformat(),
        "trust_store": dict(store),
        "objects": dict(objects),
        "signatures": [verdict.fields() for verdict in verdicts],
    }
    return found | {"fetched": [dict(row) for row in fetched]} if fetched else found


def canonical(evidence: Evidence) -> bytes:
    """The bytes to keep and to digest: keys sorted, no spaces, UTF-8."""
    return json.dumps(evidence, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def proof_time(evidence: Evidence) -> datetime:
    """When the file was there, as the evidence says. Raises ValueError, KeyError when it is not such a document."""
    if evidence["format"] != FORMAT:
        raise ValueError("not evidence of signatures")
    moment = datetime.fromisoformat(evidence["proof_of_existence"])
    if moment.tzinfo is None:
        raise ValueError("a time without zone")
    return moment


def sha256_of(stream: BinaryIO) -> str:
    """SHA-256 of the whole stream, in hexadecimal; it ends at its start again."""
    stream.seek(0)
    digest = hashlib.sha256()
    while chunk := stream.read(_CHUNK):
        digest.update(chunk)
    stream.seek(0)
    return digest.hexdigest()
