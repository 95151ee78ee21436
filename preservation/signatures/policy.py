"""The days and tolerances of the policy, and what pyHanko is told: no network, weak algorithms only before a day."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from importlib import resources
from typing import Any

from asn1crypto import algos, keys
from pyhanko.sign.validation.policy_decl import (
    CertificateFetchingRule,
    RevinfoOnlineFetchingRule,
    RevocationInfoGatheringSpec,
    SignatureValidationSpec,
)
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko.sign.validation.utils import CMSAlgorithmUsagePolicy
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.ltv.types import ValidationTimingInfo
from pyhanko_certvalidator.policy_decl import (
    NO_REVOCATION,
    REQUIRE_REVINFO,
    AlgorithmUsageConstraint,
    CertRevTrustPolicy,
)
from pyhanko_certvalidator.registry import SimpleTrustManager

from preservation.signatures.knowledge import Knowledge
from preservation.signatures.trust import TrustStore

_OFFLINE = RevocationInfoGatheringSpec(
    online_fetching_rule=RevinfoOnlineFetchingRule.LOCAL_ONLY,
    certificate_fetching_rule=CertificateFetchingRule.NEVER_FETCH,
)
_FOR_SIGNING = KeyUsageConstraints(key_usage={"non_repudiation", "digital_signature"}, match_all_key_usages=False)
_STRONG_RSA, _LEGACY_RSA = 2048, 1024


@cache
def policy_data() -> Mapping[str, Any]:
    """``policy.toml`` as it stands."""
    text = (resources.files("preservation.signatures") / "policy.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def policy_days(store: TrustStore) -> dict[str, date]:
    """The days before which weak algorithms are accepted: the store's own, else the policy's."""
    return {name: store.policy.get(name, policy_data()[name]) for name in ("sha1_before", "rsa_1024_before")}


class Algorithms(CMSAlgorithmUsagePolicy):
    """Which algorithms count for a signature that is proved to be from ``proved``, whatever moment pyHanko asks about.

    ``legacy`` collects what was accepted only for its age, with the day; ``refused`` what was not accepted.
    """

    def __init__(self, proved: datetime, days: Mapping[str, date]) -> None:
        self._proved, self._days = proved, days
        self.legacy: dict[str, date] = {}
        self.refused: set[str] = set()

    def digest_algorithm_allowed(
        self, algo: algos.DigestAlgorithm, moment: datetime | None
    ) -> AlgorithmUsageConstraint:
        return self.digest_allowed(str(algo["algorithm"].native))

    def signature_algorithm_allowed(
        self, algo: algos.SignedDigestAlgorithm, moment: datetime | None, public_key: keys.PublicKeyInfo | None
    ) -> AlgorithmUsageConstraint:
        try:
            name, digest = str(algo.signature_algo), str(algo.hash_algo)
        except ValueError:
            name, digest = str(algo["algorithm"].native), ""
        return self.signature_allowed(name, digest, public_key)

    def signature_allowed(
        self, name: str, digest: str, public_key: keys.PublicKeyInfo | None
    ) -> AlgorithmUsageConstraint:
        """By asn1crypto's names: ``rsassa_pkcs1v15``, ``sha256``."""
        if name.startswith("rsa") and public_key is not None:
            size = public_key.bit_size
            if size < _STRONG_RSA:
                old_enough = size >= _LEGACY_RSA and self._before("rsa_1024_before", f"RSA {size}")
                if not old_enough:
                    return self._refuse(f"RSA {size}")
        if name == "dsa":
            return self._refuse("DSA")
        return self.digest_allowed(digest)

    def digest_allowed(self, name: str) -> AlgorithmUsageConstraint:
        """By asn1crypto's names: ``sha256``."""
        if name in ("md2", "md4", "md5"):
            return self._refuse(name.upper())
        if name == "sha1" and not self._before("sha1_before", "SHA-1"):
            return self._refuse("SHA-1")
        return AlgorithmUsageConstraint(allowed=True)

    def _before(self, day: str, what: str) -> bool:
        if self._proved.date() >= self._days[day]:
            return False
        self.legacy[what] = self._days[day]
        return True

    def _refuse(self, what: str) -> AlgorithmUsageConstraint:
        self.refused.add(what)
        return AlgorithmUsageConstraint(allowed=False, failure_reason=what)


@dataclass(frozen=True, slots=True)
class Rules:
    """What one validation runs by: a trust store, the time for which is asked, the answers at hand (``kept``), and
    whether that time is one that kept evidence proves."""

    store: TrustStore
    anchors: Knowledge
    control: datetime
    kept: Knowledge = field(default_factory=Knowledge)
    by_evidence: bool = False

    def spec(
        self, proved: datetime, known: Knowledge, algorithms: Algorithms, *, late: bool = False, revocation: bool = True
    ) -> SignatureValidationSpec:
        """For pyHanko. ``late`` lets revocation answers count that were given after the moment of validation, as they
        always do where kept evidence proves that moment: what is not revoked later was not revoked then."""
        rule = CertRevTrustPolicy(
            revocation_checking_policy=REQUIRE_REVINFO if revocation else NO_REVOCATION,
            retroactive_revinfo=late or self.by_evidence,
        )

        def certificates(role: str, at: datetime) -> CertValidationPolicySpec:
            roots = [
                certificate
                for entry, certificate in zip(self.store.entries, self.anchors.all_entries, strict=True)
                if entry.role == role and entry.trusted_from <= at.date() < entry.trusted_until
            ]
            return CertValidationPolicySpec(
                trust_manager=SimpleTrustManager.build(trust_roots=roots),
                revinfo_policy=rule,
                algorithm_usage_policy=algorithms,
            )

        return SignatureValidationSpec(
            cert_validation_policy=certificates("root", proved),
            ts_cert_validation_policy=certificates("tsa-root", proved),
            revinfo_gathering_policy=_OFFLINE,
            local_knowledge=known.local(),
            signature_algorithm_policy=algorithms,
            key_usage_settings=_FOR_SIGNING,
        )


def timing(moment: datetime, proved: datetime | None = None) -> ValidationTimingInfo:
    """Validation as of ``moment``: what is revoked later does not count."""
    return ValidationTimingInfo(moment, proved or moment, point_in_time_validation=True)
