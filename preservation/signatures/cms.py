"""CAdES: a CMS file with signatures over a file beside it (detached) or over what it holds itself."""

from __future__ import annotations

import base64
import hashlib
from typing import BinaryIO

from asn1crypto import cms, pem

from preservation.signatures.judge import SignatureJudge
from preservation.signatures.knowledge import Knowledge, tokens_of
from preservation.signatures.outcomes import reason
from preservation.signatures.pdf import Judged
from preservation.signatures.policy import Rules, policy_data
from preservation.signatures.port import SIGNATURE, SignatureVerdict
from preservation.signatures.subjects import CmsSubject

_CHUNK = 1 << 20
_LASTING = {
    "1.2.840.113549.1.9.16.2.27": "archive-time-stamp",
    "1.2.840.113549.1.9.16.2.48": "archive-time-stamp-v2",
    "0.4.0.1733.2.4": "archive-time-stamp-v3",
    "0.4.0.1733.2.2": "long-term-validation",
}
_DIGESTS = ("sha1", "sha224", "sha256", "sha384", "sha512", "sha3_256", "sha3_384", "sha3_512")


def judge_cms(data: bytes, content: BinaryIO | None, rules: Rules) -> Judged:
    """Judge each signer of a CMS. Raises ValueError and others when ``data`` is no CMS with signed data."""
    if pem.detect(data):
        _, _, data = pem.unarmor(data)
    elif data[:2] == b"MI":
        # Base64 without its armour, as mail programs save it.
        data = base64.b64decode(b"".join(data.split()), validate=True)
    info = cms.ContentInfo.load(data, strict=True)
    if info["content_type"].native != "signed_data":
        raise ValueError("no signed data")
    whole: cms.SignedData = info["content"]
    signers = list(whole["signer_infos"])
    limit = policy_data()["most_signatures"]
    if len(signers) > limit:
        return Judged([], [reason("SIG-TOO-MANY", what=limit)], Knowledge())
    if not signers:
        return Judged([], [reason("SIG-MALFORMED", what="no signer")], Knowledge())
    inside = Knowledge.of_cms(whole)
    used = inside
    verdicts = []
    for number, signer in enumerate(signers, 1):
        name = str(number) if len(signers) > 1 else ""
        try:
            verdict, path = _signer(whole, signer, name, content, inside, rules)
            used = used + path
        except Exception as error:  # one signer's trouble, not the file's  # noqa: BLE001
            malformed = (reason("SIG-MALFORMED", what=type(error).__name__),)
            verdict = SignatureVerdict(name, SIGNATURE, malformed, {})
        verdicts.append(verdict)
    return Judged(verdicts, [], used)


def _signer(
    whole: cms.SignedData, signer: cms.SignerInfo, name: str, content: BinaryIO | None, inside: Knowledge, rules: Rules
) -> tuple[SignatureVerdict, Knowledge]:
    algorithm = str(signer["digest_algorithm"]["algorithm"].native)
    if algorithm not in _DIGESTS:
        return SignatureVerdict(name, SIGNATURE, (reason("SIG-WEAK-ALGORITHM", what=algorithm),), {}), Knowledge()
    held = whole["encap_content_info"]["content"]
    carried = held.native is not None
    if not carried and content is None:
        return SignatureVerdict(name, SIGNATURE, (reason("SIG-CONTENT-MISSING", what="?"),), {}), Knowledge()
    notes = []
    if carried:
        inner = hashlib.new(algorithm, bytes(held)).digest()
        notes.append(reason("SIG-CONTENT-INSIDE"))
        if content is not None and _digest(content, algorithm) != inner:
            notes.append(reason("SIG-ALTERED"))
    # pyHanko takes CMS with one signer only: each gets a copy with itself alone.
    alone = whole.copy()
    alone["signer_infos"] = cms.SignerInfos([signer.copy()])
    digest = None if carried or content is None else _digest(content, algorithm)
    found = SignatureJudge(rules, CmsSubject(alone, digest), inside).judge()
    level = "B-T" if any(True for _ in tokens_of(signer)) else "B-B"
    found.facts |= {"format": "CAdES", "level": level, "coverage": "CONTENT_INSIDE" if carried else "CONTENT_BESIDE"}
    if stamps := _archive_stamps(signer):
        notes.append(reason("SIG-ARCHIVE-TIMESTAMP", what=", ".join(stamps)))
    return SignatureVerdict(name, SIGNATURE, (*found.reasons, *notes), found.facts), found.path


def _archive_stamps(signer: cms.SignerInfo) -> list[str]:
    """What CAdES has beside signature timestamps to last, by name."""
    types = {one["type"].dotted for one in signer["unsigned_attrs"] or ()}
    return [name for oid, name in _LASTING.items() if oid in types]


def _digest(stream: BinaryIO, algorithm: str) -> bytes:
    stream.seek(0)
    digest = hashlib.new(algorithm)
    while chunk := stream.read(_CHUNK):
        digest.update(chunk)
    return digest.digest()
