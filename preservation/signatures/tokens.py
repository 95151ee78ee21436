"""Timestamp tokens (RFC 3161): do they belong to what they stamp, and are they to be trusted?"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from asn1crypto import cms
from pyhanko.sign.ades.report import AdESFailure, AdESSubIndic
from pyhanko.sign.general import extract_certificate_info
from pyhanko.sign.validation.ades import ades_timestamp_validation

from preservation.signatures.clock import present
from preservation.signatures.knowledge import Knowledge
from preservation.signatures.policy import Algorithms, Rules, policy_days, timing

T = TypeVar("T")
_WEAK = "WEAK_IMPRINT"


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
        result = run(rules.control, ades_timestamp_validation(signed, spec, imprint, timing_info=timing(rules.control)))
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


def name_of(word: AdESSubIndic) -> str:
    """The sub-indication as ETSI EN 319 102-1 writes it."""
    return str(getattr(word, "name", word))


def run(moment: datetime, coroutine: Coroutine[Any, Any, T]) -> T:
    with present(moment):
        return asyncio.run(coroutine)
