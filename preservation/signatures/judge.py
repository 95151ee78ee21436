"""One signature value judged: pyHanko's AdES engines, then what they do not look at.

pyHanko's result alone is not safe: it says PASSED of a document whose pages were replaced after an archival timestamp,
of timestamps from the future or later than the certificate, and of an expired certificate without asking whether it was
revoked. The joined verdict is the gravest of all that is found here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from asn1crypto import cms, x509
from pyhanko.sign.ades.report import AdESFailure, AdESIndeterminate, AdESPassed, AdESSubIndic
from pyhanko.sign.general import extract_certificate_info, extract_signer_info
from pyhanko.sign.validation.ades import (
    AdESBasicValidationResult,
    ades_basic_validation,
    ades_lta_validation,
    ades_timestamp_validation,
    ades_with_time_validation,
)
from pyhanko.sign.validation.generic_cms import extract_self_reported_ts, message_imprint_checker
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.policy_decl import PdfSignatureValidationSpec, SignatureValidationSpec

from metadata.outcomes import SignatureOutcome
from preservation.signatures.clock import present
from preservation.signatures.facts import certificate_facts, cms_facts, iso
from preservation.signatures.knowledge import Knowledge, tokens_of
from preservation.signatures.outcomes import Reason, outcome_of, reason
from preservation.signatures.policy import Algorithms, Rules, policy_data, policy_days, timing

T = TypeVar("T")
_REVOKED = (AdESIndeterminate.REVOKED_NO_POE, AdESFailure.REVOKED)
_WEAK = "WEAK_IMPRINT"
_CHAIN = (AdESIndeterminate.CERTIFICATE_CHAIN_GENERAL_FAILURE, AdESIndeterminate.TRY_LATER)


@dataclass(frozen=True, slots=True)
class Token:
    """A timestamp token that belongs to what it stamps: when it says, who says so, and pyHanko's word on it."""

    time: datetime
    authority: str
    word: str

    @property
    def good(self) -> bool:
        return self.word == "OK"

    @property
    def revoked(self) -> bool:
        return self.word.startswith("REVOKED")

    @property
    def rejected(self) -> bool:
        """By us, though pyHanko may take it: nothing later can make it good."""
        return self.revoked or self.word == _WEAK


@dataclass(slots=True)
class Judgement:
    """What was found of one signature: reasons, facts, and the certificates of the path that was followed."""

    reasons: list[Reason] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)
    path: Knowledge = field(default_factory=Knowledge)

    def add(self, code: str, **details: object) -> None:
        found = reason(code, **details)
        if all(one.code != code for one in self.reasons):
            self.reasons.append(found)


class SignatureJudge:
    """Judges one CMS signature over content with ``digest``; ``embedded`` is the PDF signature it is in, if any.

    ``sealed``: the time of the first good document timestamp over it, if there is one;
    ``wary``: the certificate of one of them is revoked, so that what the file says of it does not count alone.
    """

    def __init__(
        self,
        rules: Rules,
        signed: cms.SignedData,
        digest: bytes | None,
        inside: Knowledge,
        embedded: EmbeddedPdfSignature | None = None,
        *,
        sealed: datetime | None = None,
        wary: bool = False,
    ) -> None:
        self._rules, self._signed, self._digest, self._embedded = rules, signed, digest, embedded
        self._info = extract_signer_info(signed)
        self._own, self._sealed, self._wary = inside, sealed, wary
        self._inside = inside + rules.kept + Knowledge(rules.anchors.certificates)
        self._all = self._inside + rules.anchors
        self._archival = sealed is not None
        self._certificate = extract_certificate_info(signed).signer_cert
        self._days = policy_days(rules.store)
        self._proved = rules.control
        self._algorithms = Algorithms(rules.control, self._days)
        self.found = Judgement()

    def judge(self) -> Judgement:
        """Everything but what only a document knows (coverage, later changes)."""
        tokens = self._tokens()
        good = [token.time for token in tokens if token.good]
        self._proved = min([*good, self._rules.control])
        self._sane(tokens)
        word, result = self._engines(tokens)
        if word is not AdESPassed.OK and self._sealed is not None and (found := self._when_sealed(self._sealed)):
            return found
        unstamped = self.found.facts["engine"] == "time" and not good  # passed by a timestamp that we do not take
        if word is not AdESPassed.OK or unstamped:
            self._explain(word, result, tokens, proved=bool(good))
        else:
            if self.found.facts["engine"] == "lta":
                self._proved = min(self._proved, getattr(result, "best_signature_time", None) or self._proved)
            for token in tokens:
                # A later document timestamp may have kept this one alive: then the proved time is not after it.
                if not token.good and self._proved > token.time:
                    self.found.add("SIG-TIMESTAMP-IGNORED", what=token.word)
        self._again_at_the_proved_time(word, proved=bool(good))
        self._claims()
        self._tell(word, result, tokens)
        return self.found

    def _when_sealed(self, moment: datetime) -> Judgement | None:
        """As of the first good document timestamp over it, which proves all that the file then held: the signature,
        its own timestamp and the revocation answers. pyHanko's way through a chain of renewals often ends in doubt."""
        rules = at_moment(self._rules, moment)
        found = SignatureJudge(rules, self._signed, self._digest, self._own, self._embedded).judge()
        if outcome_of(found.reasons) not in (SignatureOutcome.VALID, SignatureOutcome.VALID_WITH_NOTES):
            return None
        found.facts["engine"] += ", document timestamp"
        return found

    def _tokens(self) -> list[Token]:
        tokens = []
        for signed in tokens_of(self._info):
            token = check_token(self._rules, signed, message_imprint_checker(self._info), self._inside, self._all)
            if token is None:
                self.found.add("SIG-TIMESTAMP-ALTERED")
            else:
                tokens.append(token)
        return tokens

    def _sane(self, tokens: list[Token]) -> None:
        if self._proved < self._certificate.not_valid_before:
            self.found.add("SIG-NOT-YET-VALID")
        latest = self._rules.control + timedelta(minutes=policy_data()["clock_minutes"])
        for token in tokens:
            if token.time > latest:
                self.found.add("SIG-TIMESTAMP-IN-FUTURE", when=iso(token.time))
            elif token.time > self._certificate.not_valid_after and token.time == min(one.time for one in tokens):
                self.found.add("SIG-TIMESTAMP-AFTER-EXPIRY", when=iso(token.time))

    def _engines(self, tokens: list[Token]) -> tuple[AdESSubIndic, AdESBasicValidationResult[Any]]:
        """Today's answers can turn a PASSED that kept answers give into a doubt, so those in the file are tried alone
        first; whether the certificate was revoked is asked of all of them later (and of the timestamps', before)."""
        if self._wary or any(token.rejected for token in tokens):
            # pyHanko's archival engine mistakes the revocation of a timestamp for one that the signer outlived.
            self._archival = False
        for known in (self._inside, self._all):
            self._algorithms = Algorithms(self._proved, self._days)
            spec = self._rules.spec(self._proved, known, self._algorithms)
            word, result = self._engine(spec, bool(tokens))
            if word is AdESPassed.OK:
                break
        return word, result

    def _engine(
        self, spec: SignatureValidationSpec, stamped: bool
    ) -> tuple[AdESSubIndic, AdESBasicValidationResult[Any]]:
        now = timing(self._rules.control)
        if self._embedded is not None and self._archival:
            self.found.facts["engine"] = "lta"
            lasting = _run(
                self._rules.control,
                ades_lta_validation(self._embedded, PdfSignatureValidationSpec(spec), timing_info=now),
            )
            if lasting.ades_subindic is not AdESIndeterminate.SIG_CONSTRAINTS_FAILURE:
                return lasting.ades_subindic, lasting
        if stamped:
            self.found.facts["engine"] = "time"
            timed = _run(
                self._rules.control,
                ades_with_time_validation(self._signed, spec, timing_info=now, raw_digest=self._digest),
            )
            return timed.ades_subindic, timed
        self.found.facts["engine"] = "basic"
        basic = _run(
            self._rules.control, ades_basic_validation(self._signed, spec, timing_info=now, raw_digest=self._digest)
        )
        return basic.ades_subindic, basic

    def _basic(
        self, moment: datetime, *, late: bool, revocation: bool = True, known: Knowledge | None = None
    ) -> AdESBasicValidationResult[Any]:
        algorithms = Algorithms(self._proved, self._days)
        spec = self._rules.spec(self._proved, known or self._all, algorithms, late=late, revocation=revocation)
        return _run(
            moment,
            ades_basic_validation(self._signed, spec, timing_info=timing(moment), raw_digest=self._digest),
        )

    def _explain(
        self, word: AdESSubIndic, result: AdESBasicValidationResult[Any], tokens: list[Token], *, proved: bool
    ) -> None:
        """Why it did not pass. Of the signature itself, or only of its timestamp?"""
        bad = next((token for token in tokens if not token.good), None)
        if bad is not None:
            self.found.add("SIG-TIMESTAMP-UNTRUSTED", when=iso(bad.time), what=bad.word)
            result = self._basic(self._rules.control, late=False)
            word = result.ades_subindic
            if word is AdESPassed.OK:
                return
        if word in _REVOKED:
            self._revoked(result, proved=proved)
            return
        if word in _CHAIN and self._basic(self._proved, late=True, revocation=False).ades_subindic is AdESPassed.OK:
            self.found.add("SIG-REVOCATION-UNKNOWN")
            return
        self._name(result)

    def _revoked(self, result: AdESBasicValidationResult[Any], *, proved: bool) -> None:
        details = getattr(result.api_status, "revocation_details", None)
        when = details.revocation_date if details is not None else None
        claimed = self._claimed()
        certain = proved or (when is not None and claimed is not None and claimed >= when)
        self.found.add("SIG-REVOKED" if certain else "SIG-REVOKED-NO-PROOF", when=iso(when) if when else "?")

    def _again_at_the_proved_time(self, word: AdESSubIndic, *, proved: bool) -> None:
        """Was the certificate good when the signature is proved to have been there, as all answers at hand say?"""
        result = self._basic(self._proved, late=True)
        if self._all.crls and self._all.ocsps:
            # An OCSP answer that says good keeps pyHanko from looking at lists, be they younger.
            by_lists = self._basic(self._proved, late=True, known=self._all.only_lists())
            if by_lists.ades_subindic in (*_REVOKED, AdESIndeterminate.REVOKED_CA_NO_POE):
                result = by_lists
        then = result.ades_subindic
        if then in _REVOKED:
            self._revoked(result, proved=proved)
        if word is not AdESPassed.OK or then in _REVOKED:
            return
        expired = self._certificate.not_valid_after < self._rules.control
        if then is not AdESPassed.OK:
            self._doubt(result, expired=expired)
            return
        if not expired:
            return
        oldest = min((time for _, time in self._all.answers_about(self._certificate)), default=None)
        if oldest is not None and oldest > self._certificate.not_valid_after:
            self.found.add("SIG-REVOCATION-AFTER-EXPIRY")

    def _doubt(self, result: AdESBasicValidationResult[Any], *, expired: bool) -> None:
        """It passed as of the moment asked about, but not as of the proved time. Of an expired certificate pyHanko has
        not asked for revocation; of a good one it has, with answers that may be younger than the proved time."""
        if any(one.code in ("SIG-TIMESTAMP-AFTER-EXPIRY", "SIG-NOT-YET-VALID") for one in self.found.reasons):
            return
        chain = result.ades_subindic in _CHAIN
        if not chain or self._basic(self._proved, late=True, revocation=False).ades_subindic is not AdESPassed.OK:
            self._name(result)
        elif expired:
            self.found.add("SIG-REVOCATION-UNKNOWN")

    def _name(self, result: AdESBasicValidationResult[Any]) -> None:
        word = name_of(result.ades_subindic)
        code = policy_data()["subindications"].get(word, "SIG-NOT-JUDGED")
        weak = ", ".join(sorted(self._algorithms.refused))
        self.found.add(code, what=weak or result.failure_msg or word, when="?")

    def _claimed(self) -> datetime | None:
        if self._embedded is not None:
            try:
                claimed = self._embedded.self_reported_timestamp
            except Exception:  # a date that is none claims nothing  # noqa: BLE001
                return None
        else:
            claimed = extract_self_reported_ts(self._info)
        return claimed if claimed is None or claimed.tzinfo is not None else claimed.replace(tzinfo=UTC)

    def _claims(self) -> None:
        claimed = self._claimed()
        if claimed is None:
            return
        self.found.facts["claimed_time"] = iso(claimed)
        data = policy_data()
        ahead = claimed - self._proved
        quirk = timedelta(hours=data["local_time_hours"])
        slack = timedelta(minutes=data["local_time_slack_minutes"])
        if abs(ahead - quirk) <= slack:
            self.found.add("SIG-LOCAL-TIME")
        elif ahead > timedelta(minutes=data["clock_minutes"]):
            self.found.add("SIG-CLAIMED-TIME-LATER", when=iso(claimed))

    def _tell(self, word: AdESSubIndic, result: AdESBasicValidationResult[Any], tokens: list[Token]) -> None:
        certificate, facts = self._certificate, self.found.facts
        for what, day in self._algorithms.legacy.items():
            self.found.add("SIG-SHA1-LEGACY", what=what, when=day)
        path = getattr(result.api_status, "validation_path", None)
        used = tuple(path.iter_certs(include_root=True)) if path is not None else ()
        self.found.path = Knowledge(used)
        own = {one.dump() for one in Knowledge.of_cms(self._signed).certificates} | {
            one.dump() for one in (Knowledge.of_dss(self._embedded.reader).certificates if self._embedded else ())
        }
        pinned = {one.dump() for one in self._rules.anchors.certificates}
        if any(one.dump() in pinned and one.dump() not in own for one in used):
            self.found.add("SIG-INTERMEDIATE-FROM-STORE")
        facts["ades"] = name_of(word)
        facts |= certificate_facts(certificate) | cms_facts(self._info)
        facts |= self._answered(certificate)
        facts["proved_time"] = iso(self._proved)
        facts["proved_by"] = self._proof(tokens)
        if tokens:
            facts["timestamp"] = iso(tokens[0].time)
            facts["timestamp_authority"] = tokens[0].authority

    def _proof(self, tokens: list[Token]) -> str:
        if any(token.good and token.time == self._proved for token in tokens):
            return "timestamp"
        if self._proved < self._rules.control:
            return "document timestamp"
        return "kept evidence" if self._rules.by_evidence else "moment of the check"

    def _answered(self, certificate: x509.Certificate) -> dict[str, str]:
        """The youngest answer about the signer's certificate that was there, and who gave it to us."""
        sources = (("file", self._own), ("evidence", self._rules.kept), ("trust store", self._rules.anchors))
        found = [
            (time, kind, source)
            for source, known in sources
            for kind, time in known.answers_about(certificate)
            if time <= self._rules.control
        ]
        if not found:
            return {}
        time, kind, source = max(found, key=lambda one: one[0])
        return {"revocation": kind, "revocation_time": iso(time), "revocation_source": source}


def check_token(
    rules: Rules,
    signed: cms.SignedData,
    imprint: Callable[[str], bytes],
    inside: Knowledge,
    everything: Knowledge,
    *,
    late: bool = False,
) -> Token | None:
    """Check one timestamp token as of the rules' moment; None when it stamps other bytes or its signature is wrong.

    Good by what is in the file or by all that is known, unless anything known says that its certificate is revoked.
    """
    authority = extract_certificate_info(signed).signer_cert
    stamped = signed["encap_content_info"]["content"].parsed
    time = stamped["gen_time"].native
    words: list[str] = []
    # As for signers: the lists are asked by themselves too.
    for known in (inside, everything, everything.only_lists()):
        spec = rules.spec(time, known, Algorithms(rules.control, policy_days(rules.store)), late=late)
        result = _run(
            rules.control, ades_timestamp_validation(signed, spec, imprint, timing_info=timing(rules.control))
        )
        if result.ades_subindic in (AdESFailure.HASH_FAILURE, AdESFailure.SIG_CRYPTO_FAILURE):
            return None
        words.append(name_of(result.ades_subindic))
    revoked = [word for word in words if word.startswith("REVOKED")]
    word = revoked[0] if revoked else "OK" if "OK" in words[:2] else words[1]
    # pyHanko does not ask by which digest the stamp holds what it stamps.
    days = policy_days(rules.store)
    imprint_digest = stamped["message_imprint"]["hash_algorithm"]
    if word == "OK" and not Algorithms(time, days).digest_algorithm_allowed(imprint_digest, None):
        word = _WEAK
    return Token(time, authority.subject.human_friendly, word)


def at_moment(rules: Rules, moment: datetime) -> Rules:
    """The same rules as of another moment."""
    return replace(rules, control=moment)


def name_of(word: AdESSubIndic) -> str:
    """The sub-indication as ETSI EN 319 102-1 writes it."""
    return str(getattr(word, "name", word))


def _run(moment: datetime, coroutine: Coroutine[Any, Any, T]) -> T:
    with present(moment):
        return asyncio.run(coroutine)
