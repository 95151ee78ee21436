"""What is judged: a signature in CMS (in a PDF or beside a file) or in XML, each with its own way to be looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from asn1crypto import cms, x509
from pyhanko.sign.ades.report import AdESIndeterminate, AdESPassed, AdESSubIndic
from pyhanko.sign.general import extract_certificate_info, extract_signer_info
from pyhanko.sign.validation.ades import (
    AdESBasicValidationResult,
    ades_basic_validation,
    ades_lta_validation,
    ades_with_time_validation,
)
from pyhanko.sign.validation.generic_cms import (
    extract_self_reported_ts,
    message_imprint_checker,
    validate_cert_usage,
)
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.policy_decl import (
    PdfSignatureValidationSpec,
    SignatureValidationSpec,
    bootstrap_validation_data_handlers,
)

from preservation.signatures.facts import cms_facts
from preservation.signatures.knowledge import tokens_of
from preservation.signatures.policy import timing
from preservation.signatures.tokens import run

Imprint = Callable[[str], bytes]
"""The digest of what is stamped, by the name of the digest: ``sha256``."""


@dataclass(frozen=True, slots=True)
class Finding:
    """An engine's word: a sub-indication of ETSI EN 319 102-1, and what it rests on where the engine tells."""

    word: AdESSubIndic
    message: str | None = None
    path: tuple[x509.Certificate, ...] = ()
    revoked: datetime | None = None
    best_time: datetime | None = None

    @property
    def passed(self) -> bool:
        return self.word is AdESPassed.OK


class Subject(Protocol):
    """One signature by one signer."""

    @property
    def certificate(self) -> x509.Certificate: ...

    def tokens(self) -> Iterator[tuple[cms.SignedData, Imprint]]:
        """The timestamps over its value, each with what it should stamp."""
        ...

    def claimed(self) -> datetime | None:
        """When the signer says to have signed."""
        ...

    def facts(self) -> dict[str, str]: ...

    def basic(self, spec: SignatureValidationSpec, moment: datetime) -> Finding:
        """As of ``moment``, without its timestamps."""
        ...

    def timed(self, spec: SignatureValidationSpec, moment: datetime) -> Finding | None:
        """As of ``moment``, with its timestamps; None when there is no engine for that."""
        ...

    def lasting(self, spec: SignatureValidationSpec, moment: datetime) -> Finding | None:
        """As of ``moment``, with document timestamps over it; None when there is no engine for that."""
        ...


class CmsSubject:
    """A CMS signature over content with ``digest`` (None: over what it holds); ``embedded``: the PDF's, if any."""

    def __init__(
        self, signed: cms.SignedData, digest: bytes | None, embedded: EmbeddedPdfSignature | None = None
    ) -> None:
        self._signed, self._digest, self._embedded = signed, digest, embedded
        self._info = extract_signer_info(signed)
        self.certificate: x509.Certificate = extract_certificate_info(signed).signer_cert

    def tokens(self) -> Iterator[tuple[cms.SignedData, Imprint]]:
        for token in tokens_of(self._info):
            yield token, message_imprint_checker(self._info)

    def claimed(self) -> datetime | None:
        if self._embedded is not None:
            try:
                claimed = self._embedded.self_reported_timestamp
            except Exception:  # a date that is none claims nothing  # noqa: BLE001
                return None
        else:
            claimed = extract_self_reported_ts(self._info)
        return claimed if claimed is None or claimed.tzinfo is not None else claimed.replace(tzinfo=UTC)

    def facts(self) -> dict[str, str]:
        return cms_facts(self._info)

    def basic(self, spec: SignatureValidationSpec, moment: datetime) -> Finding:
        return _finding(
            run(
                moment,
                ades_basic_validation(self._signed, spec, timing_info=timing(moment), raw_digest=self._digest),
            )
        )

    def timed(self, spec: SignatureValidationSpec, moment: datetime) -> Finding | None:
        return _finding(
            run(
                moment,
                ades_with_time_validation(self._signed, spec, timing_info=timing(moment), raw_digest=self._digest),
            )
        )

    def lasting(self, spec: SignatureValidationSpec, moment: datetime) -> Finding | None:
        if self._embedded is None:
            return None
        found = run(
            moment,
            ades_lta_validation(self._embedded, PdfSignatureValidationSpec(spec), timing_info=timing(moment)),
        )
        return None if found.ades_subindic is AdESIndeterminate.SIG_CONSTRAINTS_FAILURE else _finding(found)


def certificate_finding(
    certificate: x509.Certificate,
    others: tuple[x509.Certificate, ...],
    spec: SignatureValidationSpec,
    moment: datetime,
) -> Finding:
    """What the engines say of the certificate alone: chain, revocation, purpose, as of ``moment``."""

    async def look() -> Finding:
        now = timing(moment)
        handlers = bootstrap_validation_data_handlers(spec=spec, timing_info=now)
        context = spec.cert_validation_policy.build_validation_context(timing_info=now, handlers=handlers)
        context.certificate_registry.register_multiple(others)
        paths = context.path_builder.async_build_paths_lazy(certificate)
        found = await validate_cert_usage(certificate, context, spec.key_usage_settings, paths)
        path = found.success_result or found.error_path
        details = found.revo_details
        return Finding(
            found.error_subindic or AdESPassed.OK,
            path=tuple(path.iter_certs(include_root=True)) if path is not None else (),
            revoked=details.revocation_date if details is not None else None,
        )

    return run(moment, look())


def _finding(result: AdESBasicValidationResult[Any]) -> Finding:
    status = result.api_status
    path = getattr(status, "validation_path", None)
    details = getattr(status, "revocation_details", None)
    return Finding(
        result.ades_subindic,
        result.failure_msg,
        tuple(path.iter_certs(include_root=True)) if path is not None else (),
        details.revocation_date if details is not None else None,
        getattr(result, "best_signature_time", None),
    )
