"""What is told of a signature beside its outcome: words by stable names, for PREMIS and for people.

``docs/signatures.md`` tells what each name means; names are added, never changed.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from importlib.metadata import version

from asn1crypto import cms, x509

from preservation.signatures.policy import policy_data
from preservation.signatures.trust import TrustStore

FACTS = (
    # of the signature
    "format", "level", "subfilter", "signature_algorithm", "digest_algorithm", "signature_encoding", "signature_value",
    # who
    "signer", "issuer", "serial", "certificate_sha256", "certificate_from", "certificate_until",
    # when
    "claimed_time", "proved_time", "proved_by", "timestamp", "timestamp_authority",
    # over what
    "coverage", "modification", "signed_content",
    # revocation of the signer's certificate
    "revocation", "revocation_time", "revocation_source",
    # how it was judged
    "ades", "engine", "engine_version", "policy", "policy_sha256", "trust_store", "trust_store_sha256", "validated_at",
    "evidence_time",
)  # fmt: skip
LARGEST_VALUE = 4096
"""Bytes of the longest signature value that is told; RSA of 16,384 bits has 2,048."""

_PACKAGES = ("pyhanko", "pyhanko-certvalidator", "signxml")


def iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def certificate_facts(certificate: x509.Certificate) -> dict[str, str]:
    """Who signed. Serial number in decimal, names as RFC 4514 nearly has them."""
    return {
        "signer": certificate.subject.human_friendly,
        "issuer": certificate.issuer.human_friendly,
        "serial": str(certificate.serial_number),
        "certificate_sha256": certificate.sha256.hex(),
        "certificate_from": iso(certificate.not_valid_before),
        "certificate_until": iso(certificate.not_valid_after),
    }


def value_facts(algorithm: str, digest: str, value: bytes) -> dict[str, str]:
    """How it was signed: ``RSA-SHA256`` and the like, and the value that came of it."""
    found = {"digest_algorithm": digest}
    if algorithm:
        found["signature_algorithm"] = algorithm
    if len(value) <= LARGEST_VALUE:
        found |= {"signature_encoding": "base64", "signature_value": base64.b64encode(value).decode()}
    return found


def cms_facts(info: cms.SignerInfo) -> dict[str, str]:
    """:func:`value_facts` of a CMS signer."""
    digest = str(info["digest_algorithm"]["algorithm"].native)
    try:
        name = str(info["signature_algorithm"].signature_algo)
    except ValueError:
        name = str(info["signature_algorithm"]["algorithm"].native)
    return value_facts(algorithm_name(name, digest), digest, info["signature"].native)


def algorithm_name(name: str, digest: str) -> str:
    """``rsassa_pkcs1v15``, ``sha256`` → ``RSA-SHA256``."""
    known = {"rsassa_pkcs1v15": "RSA", "rsassa_pss": "RSA-PSS", "ecdsa": "ECDSA", "dsa": "DSA"}
    key = known.get(name)
    return name if key is None else f"{key}-{digest.upper().replace('_', '-')}"


def common_facts(store: TrustStore, at: datetime) -> dict[str, str]:
    """By what and when it was judged: the same for every signature of a report."""
    return {
        "engine_version": ", ".join(f"{name} {version(name)}" for name in _PACKAGES),
        "policy": policy_name(),
        "policy_sha256": policy_digest(),
        "trust_store": store.version,
        "trust_store_sha256": store.digest,
        "validated_at": iso(at),
    }


@cache
def policy_digest() -> str:
    """SHA-256 of ``policy.toml`` as it stands. Days that a trust store sets itself are in that store's digest."""
    return hashlib.sha256((resources.files("preservation.signatures") / "policy.toml").read_bytes()).hexdigest()


def policy_name() -> str:
    """As ``policy.toml`` says."""
    return str(policy_data()["name"])
