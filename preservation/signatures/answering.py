"""A question about one file answered, in this process: for the child process, and for nobody else."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO

from preservation.signatures.cms import judge_cms
from preservation.signatures.evidence import make_evidence, proof_time, sha256_of
from preservation.signatures.facts import common_facts, iso
from preservation.signatures.knowledge import Knowledge
from preservation.signatures.outcomes import reason
from preservation.signatures.pdf import Judged, judge_pdf
from preservation.signatures.policy import Rules
from preservation.signatures.port import Question, SignatureReport, SignatureVerdict
from preservation.signatures.report import make_report
from preservation.signatures.trust import TrustStore
from preservation.signatures.xades import judge_xml, mentions_signatures

LARGEST_CMS = 1 << 28
_HEAD = 1024
_SIGNED_DATA = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"
_CHUNK = 1 << 20
_BEFORE_XML = b"\xef\xbb\xbf\xff\xfe\0 \t\r\n"


@dataclass(frozen=True, slots=True)
class Answerer:
    """Answers by one trust store. Raises ValueError at once when a certificate of the store cannot be parsed."""

    store: TrustStore
    anchors: Knowledge

    @classmethod
    def of(cls, store: TrustStore) -> Answerer:
        return cls(store, Knowledge.of_store(store.entries))

    def answer(self, question: Question) -> SignatureReport:
        """Never raises over what the file holds (RecursionError and MemoryError included)."""
        try:
            return self._answer(question)
        except Exception as error:  # the border to pyHanko: some fifteen kinds of exception escape it  # noqa: BLE001
            return SignatureReport(reasons=(reason("SIG-FILE-UNREADABLE", what=type(error).__name__),))

    def _answer(self, question: Question) -> SignatureReport:
        stream, content = question.file, question.content
        stream.seek(0)
        kind = _kind(stream.read(_HEAD), question.name)
        if kind is None or (kind == "xml" and not mentions_signatures(stream)):
            return SignatureReport()
        digests = {"file": sha256_of(stream)}
        if content is not None:
            digests["content"] = sha256_of(content)
        rules = Rules(self.store, self.anchors, question.at)
        if question.evidence is not None and (moment := proof_time(question.evidence)) <= question.at:
            if question.evidence["digests"] != digests:
                return SignatureReport(reasons=(reason("SIG-EVIDENCE-OTHER-FILE"),))
            kept = Knowledge.of_json(question.evidence["objects"])
            rules = Rules(self.store, self.anchors, moment, kept, by_evidence=moment < question.at)
        judged = _judge(kind, question, rules)
        if kind == "pdf" and not judged.verdicts and not judged.reasons and _has_traces(stream):
            return SignatureReport(reasons=(reason("SIG-REMOVED"),))
        common = common_facts(self.store, question.at)
        if rules.by_evidence:
            common["evidence_time"] = iso(rules.control)
        verdicts = tuple(_told(one, common, rules) for one in judged.verdicts)
        if not verdicts:
            return SignatureReport((), tuple(judged.reasons))
        seen = min(question.seen, rules.control) if rules.by_evidence else question.seen
        evidence = make_evidence(
            digests,
            seen,
            question.at,
            {"version": self.store.version, "sha256": self.store.digest},
            self._objects(judged.used + rules.kept).to_json(),
            verdicts,
            (question.evidence or {}).get("fetched", ()),
        )
        return SignatureReport(verdicts, tuple(judged.reasons), evidence, make_report(verdicts, evidence))

    def _objects(self, used: Knowledge) -> Knowledge:
        """What was used, and of the store's revocation answers those of authorities in the paths."""
        names = {one.issuer.hashable for one in used.certificates}
        crls = tuple(one for one in self.anchors.crls if one.issuer.hashable in names)
        serials = {one.serial_number for one in used.certificates}
        ocsps = tuple(one for one in self.anchors.ocsps if serials & set(_serials(one)))
        return used + Knowledge((), crls, ocsps)


def _serials(answer: object) -> list[int]:
    basic = answer["response_bytes"]["response"].parsed  # type: ignore[index]
    return [one["cert_id"]["serial_number"].native for one in basic["tbs_response_data"]["responses"]]


def _told(verdict: SignatureVerdict, common: Mapping[str, str], rules: Rules) -> SignatureVerdict:
    reasons = verdict.reasons
    if rules.by_evidence:
        reasons = (*reasons, reason("SIG-BY-EVIDENCE", when=iso(rules.control)))
    return SignatureVerdict(verdict.name, verdict.kind, reasons, {**verdict.facts, **common})


def _kind(head: bytes, name: str) -> str | None:
    """By what the file holds; by its name only when that says that a signature is expected. CMS first: it may hold a
    PDF."""
    if head[:1] == b"\x30" and _SIGNED_DATA in head[:32]:
        return "cms"
    if b"%PDF-" in head:
        return "pdf"
    if head.lstrip().startswith((b"-----BEGIN PKCS7", b"-----BEGIN CMS")):
        return "cms"
    promised = {".pdf": "pdf", ".p7s": "cms", ".p7m": "cms", ".xml": "xml"}.get(name[-4:].lower())
    return promised or ("xml" if head.lstrip(_BEFORE_XML).startswith(b"<") else None)


def _has_traces(stream: BinaryIO) -> bool:
    """Whether a signed range, which no signature can hide in a compressed object, is written anywhere in the file."""
    stream.seek(0)
    rest = b""
    while chunk := stream.read(_CHUNK):
        if re.search(rb"/ByteRange\s*\[", rest + chunk):
            return True
        rest = chunk[-64:]
    return False


def _judge(kind: str, question: Question, rules: Rules) -> Judged:
    stream = question.file
    stream.seek(0)
    if kind == "pdf":
        return judge_pdf(stream, rules)
    if kind == "xml":
        return judge_xml(stream, rules, promised=question.name[-4:].lower() == ".xml")
    data = stream.read(LARGEST_CMS + 1)
    if len(data) > LARGEST_CMS:
        return Judged([], [reason("SIG-FILE-TOO-LARGE")], Knowledge())
    return judge_cms(data, question.content, rules)
