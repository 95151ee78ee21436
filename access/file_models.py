"""What the API answers about files: formats, what checks found, signatures."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from access.evidence import KeptEvidence, KeptReason, KeptSignature
from metadata.characteristics import Characteristics
from metadata.holdings import Format, Member

Sha256 = Annotated[str, Field(description="SHA-256, hexadecimal", examples=["9f86d081884c7d65…"])]


class Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FormatModel(Model):
    """A format as identified; ``basis`` is signature, container, text, extension or none."""

    puid: Annotated[str | None, Field(examples=["fmt/354"])]
    name: Annotated[str, Field(examples=["Acrobat PDF/A - Portable Document Format"])]
    version: Annotated[str, Field(examples=["1b"])]
    mime: Annotated[str, Field(examples=["application/pdf"])]
    basis: Annotated[str, Field(examples=["signature"])]
    warning: str

    @classmethod
    def of(cls, value: Format) -> Self:
        puid = value.puid.value if value.puid else None
        return cls(
            puid=puid, name=value.name, version=value.version, mime=value.mime, basis=value.basis, warning=value.warning
        )


class CharacteristicsModel(Model):
    """What the checks of ingest found of a file. ``facts`` has only what is known; ``signature`` is the gravest verdict
    on its digital signatures, null when it has none."""

    validity: Annotated[str, Field(examples=["VALID"])]
    virus: Annotated[str, Field(examples=["CLEAN"])]
    virus_name: str
    signature: Annotated[str | None, Field(examples=["VALID_WITH_NOTES"])]
    signatures: Annotated[int, Field(description="How many signatures", examples=[1])]
    facts: Annotated[dict[str, str | int | bool], Field(examples=[{"pages": 12, "claim": "PDF/A-2b"}])]

    @classmethod
    def of(cls, value: Characteristics) -> Self:
        return cls(**value.fields())


class SentenceModel(Model):
    """A reason: a code that does not change, and what it says in both languages."""

    code: Annotated[str, Field(examples=["SIG-LOCAL-TIME"])]
    vi: str
    en: str

    @classmethod
    def of(cls, kept: KeptReason) -> Self:
        return cls(code=kept.code, vi=kept.sentence.vi, en=kept.sentence.en)


class SignatureModel(Model):
    """One signature or document timestamp. ``facts`` are words by stable names (``docs/signatures.md``)."""

    name: Annotated[str, Field(examples=["Signature1"])]
    kind: Annotated[str, Field(examples=["signature"])]
    outcome: Annotated[str, Field(examples=["VALID"])]
    reasons: list[SentenceModel]
    facts: Annotated[dict[str, str], Field(examples=[{"signer": "Common Name: Nguyễn Văn A", "level": "B-LTA"}])]

    @classmethod
    def of(cls, kept: KeptSignature) -> Self:
        return cls(
            name=kept.name,
            kind=kept.kind,
            outcome=kept.outcome.value,
            reasons=[SentenceModel.of(one) for one in kept.reasons],
            facts=dict(kept.facts),
        )


class SignaturesModel(Model):
    """What was found of a file's signatures at ingest, and where in the AIP the evidence lies."""

    path: str
    signatures: list[SignatureModel]
    reasons: list[SentenceModel]
    proved_since: Annotated[str, Field(description="Since when the archive had the file, ISO 8601; may be empty")]
    evidence: Annotated[str, Field(description="Path of the evidence, a member of the AIP")]
    report: Annotated[str | None, Field(description="Path of the ETSI TS 119 102-2 report, null when there is none")]

    @classmethod
    def of(cls, kept: KeptEvidence) -> Self:
        return cls(
            path=kept.signed.path,
            signatures=[SignatureModel.of(one) for one in kept.signatures],
            reasons=[SentenceModel.of(one) for one in kept.reasons],
            proved_since=kept.proved_since,
            evidence=kept.document.path,
            report=kept.report.path if kept.report else None,
        )


class FileModel(Model):
    """A member file; its bytes lie from ``data`` on in the object."""

    number: int
    path: Annotated[str, Field(examples=["data/urn_uuid_…/representations/rep1/data/cong-van.pdf"])]
    role: Annotated[str, Field(examples=["content"])]
    size: int
    sha256: Sha256
    sha512: Annotated[str, Field(description="SHA-512, hexadecimal")]
    data: int
    format: FormatModel | None
    characteristics: CharacteristicsModel | None

    @classmethod
    def of(cls, member: Member) -> Self:
        return cls(
            number=member.number,
            path=member.path,
            role=member.role.value,
            size=member.size,
            sha256=member.sha256.hex(),
            sha512=member.sha512.hex(),
            data=member.data,
            format=FormatModel.of(member.format) if member.format else None,
            characteristics=CharacteristicsModel.of(member.characteristics) if member.characteristics else None,
        )
