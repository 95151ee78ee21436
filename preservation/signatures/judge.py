"""One signature value judged: pyHanko's AdES engines, then what they do not look at.

pyHanko's result alone is not safe: it says PASSED of a document whose pages were replaced after an archival timestamp,
of timestamps from the future or later than the certificate, and of an expired certificate without asking whether it was
revoked. The joined verdict is the gravest of all that is found here.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from asn1crypto import x509
from pyhanko.sign.ades.report import AdESFailure, AdESIndeterminate
from pyhanko.sign.validation.policy_decl import SignatureValidationSpec

from metadata.outcomes import SignatureOutcome
from preservation.signatures.facts import certificate_facts, iso
from preservation.signatures.knowledge import Knowledge
from preservation.signatures.outcomes import Reason, outcome_of, reason
from preservation.signatures.policy import Algorithms, Rules, policy_data, policy_days
from preservation.signatures.subjects import Finding, Subject
from preservation.signatures.tokens import Token, check_token, name_of

_REVOKED = (AdESIndeterminate.REVOKED_NO_POE, AdESFailure.REVOKED)
_CHAIN = (AdESIndeterminate.CERTIFICATE_CHAIN_GENERAL_FAILURE, AdESIndeterminate.TRY_LATER)
_UNPROVED = (
    AdESIndeterminate.NO_POE,
    AdESIndeterminate.OUT_OF_BOUNDS_NO_POE,
    AdESIndeterminate.REVOCATION_OUT_OF_BOUNDS_NO_POE,
    AdESIndeterminate.TRY_LATER,
)


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
    """Judges one signature; ``inside``: the certificates and revocation answers that the file holds.

    ``sealed``: the time of the first good document timestamp over it, if there is one;
    ``wary``: the certificate of one of them is revoked, so that what the file says of it does not count alone.
    """

    def __init__(
        self, rules: Rules, subject: Subject, inside: Knowledge, *, sealed: datetime | None = None, wary: bool = False
    ) -> None:
        self._rules, self._subject = rules, subject
        self._own, self._sealed, self._wary = inside, sealed, wary
        self._inside = inside + rules.kept + Knowledge(rules.anchors.certificates)
        self._all = self._inside + rules.anchors
        self._archival = sealed is not None
        self._certificate = subject.certificate
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
        result = self._engines(tokens)
        if not result.passed and self._sealed is not None and (found := self._when_sealed(self._sealed)):
            return found
        if result.word in _UNPROVED and self.found.facts["engine"] == "lta":
            result = self._without_archive(result, tokens)
        unstamped = self.found.facts["engine"] == "time" and not good  # passed by a timestamp that we do not take
        if not result.passed or unstamped:
            self._explain(result, tokens, proved=bool(good))
        else:
            if self.found.facts["engine"] == "lta":
                self._proved = min(self._proved, result.best_time or self._proved)
            for token in tokens:
                # A later document timestamp may have kept this one alive: then the proved time is not after it.
                if not token.good and self._proved > token.time:
                    self.found.add("SIG-TIMESTAMP-IGNORED", what=token.word)
        self._again_at_the_proved_time(passed=result.passed, proved=bool(good))
        self._claims()
        self._tell(result, tokens)
        return self.found

    def _when_sealed(self, moment: datetime) -> Judgement | None:
        """As of the first good document timestamp over it, which proves all that the file then held: the signature,
        its own timestamp and the revocation answers. pyHanko's way through a chain of renewals often ends in doubt."""
        rules = at_moment(self._rules, moment)
        found = SignatureJudge(rules, self._subject, self._own).judge()
        if outcome_of(found.reasons) not in (SignatureOutcome.VALID, SignatureOutcome.VALID_WITH_NOTES):
            return None
        found.facts["engine"] += ", document timestamp"
        return found

    def _without_archive(self, lasting: Finding, tokens: list[Token]) -> Finding:
        """As if no document timestamp lay over it, when the file holds no answers that one could protect: adding one
        takes nothing from a signature that answers from outside show to be good."""
        self._archival = False
        result = self._engines(tokens)
        if not result.passed:
            self.found.facts["engine"] = "lta"
            return lasting
        return result

    def _tokens(self) -> list[Token]:
        tokens = []
        for signed, imprint in self._subject.tokens():
            token = check_token(self._rules, signed, imprint, self._inside, self._all)
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

    def _engines(self, tokens: list[Token]) -> Finding:
        """Today's answers can turn a PASSED that kept answers give into a doubt, so those in the file are tried alone
        first; whether the certificate was revoked is asked of all of them later (and of the timestamps', before)."""
        if self._wary or any(token.rejected for token in tokens):
            # pyHanko's archival engine mistakes the revocation of a timestamp for one that the signer outlived.
            self._archival = False
        for known in (self._inside, self._all):
            self._algorithms = Algorithms(self._proved, self._days)
            spec = self._rules.spec(self._proved, known, self._algorithms)
            result = self._engine(spec, known, stamped=bool(tokens))
            if result.passed:
                break
        return result

    def _engine(self, spec: SignatureValidationSpec, known: Knowledge, *, stamped: bool) -> Finding:
        facts, now = self.found.facts, self._rules.control
        if self._archival and (lasting := self._subject.lasting(spec, now)) is not None:
            facts["engine"] = "lta"
            return lasting
        if stamped:
            facts["engine"] = "time"
            timed = self._subject.timed(spec, now)
            return timed if timed is not None else self._basic(self._proved, late=self._proved < now, known=known)
        facts["engine"] = "basic"
        return self._subject.basic(spec, now)

    def _basic(
        self, moment: datetime, *, late: bool, revocation: bool = True, known: Knowledge | None = None
    ) -> Finding:
        self._algorithms = Algorithms(self._proved, self._days)
        spec = self._rules.spec(self._proved, known or self._all, self._algorithms, late=late, revocation=revocation)
        return self._subject.basic(spec, moment)

    def _explain(self, result: Finding, tokens: list[Token], *, proved: bool) -> None:
        """Why it did not pass. Of the signature itself, or only of its timestamp?"""
        bad = next((token for token in tokens if not token.good), None)
        if bad is not None:
            self.found.add("SIG-TIMESTAMP-UNTRUSTED", when=iso(bad.time), what=bad.word)
            result = self._basic(self._rules.control, late=False)
            if result.passed:
                return
        if result.word in _REVOKED:
            self._revoked(result, proved=proved)
            return
        if result.word in _CHAIN and self._basic(self._proved, late=True, revocation=False).passed:
            self.found.add("SIG-REVOCATION-UNKNOWN")
            return
        self._name(result)

    def _revoked(self, result: Finding, *, proved: bool) -> None:
        when, claimed = result.revoked, self._subject.claimed()
        certain = proved or (when is not None and claimed is not None and claimed >= when)
        self.found.add("SIG-REVOKED" if certain else "SIG-REVOKED-NO-PROOF", when=iso(when) if when else "?")

    def _again_at_the_proved_time(self, *, passed: bool, proved: bool) -> None:
        """Was the certificate good when the signature is proved to have been there, as all answers at hand say?"""
        result = self._basic(self._proved, late=True)
        if self._all.crls and self._all.ocsps:
            # An OCSP answer that says good keeps pyHanko from looking at lists, be they younger.
            by_lists = self._basic(self._proved, late=True, known=self._all.only_lists())
            if by_lists.word in (*_REVOKED, AdESIndeterminate.REVOKED_CA_NO_POE):
                result = by_lists
        if result.word in _REVOKED:
            self._revoked(result, proved=proved)
        if not passed or result.word in _REVOKED:
            return
        expired = self._certificate.not_valid_after < self._rules.control
        if not result.passed:
            self._doubt(result, expired=expired)
            return
        oldest = min((time for _, time in self._all.answers_about(self._certificate)), default=None)
        if oldest is not None and oldest > self._certificate.not_valid_after:
            self.found.add("SIG-REVOCATION-AFTER-EXPIRY")

    def _doubt(self, result: Finding, *, expired: bool) -> None:
        """It passed as of the moment asked about, but not as of the proved time. Of an expired certificate pyHanko has
        not asked for revocation; of a good one it has, with answers that may be younger than the proved time."""
        if any(one.code in ("SIG-TIMESTAMP-AFTER-EXPIRY", "SIG-NOT-YET-VALID") for one in self.found.reasons):
            return
        chain = result.word in _CHAIN
        if not chain or not self._basic(self._proved, late=True, revocation=False).passed:
            self._name(result)
        elif expired:
            self.found.add("SIG-REVOCATION-UNKNOWN")

    def _name(self, result: Finding) -> None:
        word = name_of(result.word)
        code = policy_data()["subindications"].get(word, "SIG-NOT-JUDGED")
        if code in ("SIG-CHAIN", "SIG-NO-CHAIN") and self._certificate.issuer == self._certificate.subject:
            code = "SIG-SELF-SIGNED"
        weak = ", ".join(sorted(self._algorithms.refused))
        self.found.add(code, what=weak or result.message or word, when="?")

    def _claims(self) -> None:
        claimed = self._subject.claimed()
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

    def _tell(self, result: Finding, tokens: list[Token]) -> None:
        certificate, facts = self._certificate, self.found.facts
        for what, day in self._algorithms.legacy.items():
            self.found.add("SIG-SHA1-LEGACY", what=what, when=day)
        self.found.path = Knowledge(result.path)
        own = {one.dump() for one in self._own.certificates}
        pinned = {one.dump() for one in self._rules.anchors.certificates}
        if any(one.dump() in pinned and one.dump() not in own for one in result.path):
            self.found.add("SIG-INTERMEDIATE-FROM-STORE")
        facts["ades"] = name_of(result.word)
        facts |= certificate_facts(certificate) | self._subject.facts()
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


def at_moment(rules: Rules, moment: datetime) -> Rules:
    """The same rules as of another moment."""
    return replace(rules, control=moment)
