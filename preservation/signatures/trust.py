"""The trust store: a folder of certificates and revocation answers with a dated index, verified against its digests.

``index.toml``::

    version = "2026-11-26"

    [[certificate]]
    file = "rootca.pem"              # beside the index; PEM or DER, one certificate
    role = "root"                    # root, intermediate, tsa-root
    sha256 = "..."                   # of the certificate's DER, as fingerprints are published
    trusted_from = 2018-01-01        # signatures proved older than this do not count under it
    trusted_until = 2028-01-01       # optional: nor those from this day on
    source = "who confirmed the fingerprint, and how"

    [[revocation]]
    file = "ca.crl"
    kind = "crl"                     # crl, ocsp (DER)
    sha256 = "..."
    source = "..."

    [policy]                         # optional: instead of the days in policy.toml
    sha1_before = 2017-02-23
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

from cryptography import x509
from cryptography.x509 import ocsp

from metadata.errors import AlreadyExists, Damaged, Unreadable, UsageError
from metadata.text import Sentence

INDEX = "index.toml"
CERTIFICATE_ROLES = ("root", "intermediate", "tsa-root")
REVOCATION_KINDS = ("crl", "ocsp")
LARGEST = {"root": 1 << 16, "intermediate": 1 << 16, "tsa-root": 1 << 16, "crl": 1 << 25, "ocsp": 1 << 20}
_PARSERS: dict[str, Callable[[bytes], object]] = {"crl": x509.load_der_x509_crl, "ocsp": ocsp.load_der_ocsp_response}
_POLICY = ("sha1_before", "rsa_1024_before")


@dataclass(frozen=True, slots=True)
class TrustEntry:
    """One certificate or revocation answer (``role`` crl, ocsp) and its DER bytes, which match ``sha256``."""

    role: str
    sha256: str
    der: bytes
    source: str
    trusted_from: date = date.min
    trusted_until: date = date.max

    def words(self) -> dict[str, str]:
        """All but the bytes."""
        return {
            "role": self.role,
            "sha256": self.sha256,
            "source": self.source,
            "trusted_from": self.trusted_from.isoformat(),
            "trusted_until": self.trusted_until.isoformat(),
        }


@dataclass(frozen=True, slots=True)
class TrustStore:
    """What is trusted, as of a version. The empty store trusts nothing: every verdict stays INDETERMINATE at best."""

    version: str = "empty"
    entries: tuple[TrustEntry, ...] = ()
    policy: Mapping[str, date] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def digest(self) -> str:
        """SHA-256 of what the store says, in hexadecimal: two stores with one digest judge alike."""
        entries = sorted((entry.words() for entry in self.entries), key=lambda words: (words["role"], words["sha256"]))
        policy = {name: day.isoformat() for name, day in sorted(self.policy.items())}
        text = json.dumps({"entries": entries, "policy": policy}, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read and verify a store. Raises Unreadable (no index, or not as it should be) and Damaged (digests)."""
        try:
            index = tomllib.loads((folder / INDEX).read_text(encoding="utf-8"))
            entries = [_certificate(folder, row) for row in index.get("certificate", ())]
            entries += [_revocation(folder, row) for row in index.get("revocation", ())]
            policy = _days(index.get("policy", {}))
            return cls(str(index["version"]), tuple(entries), MappingProxyType(policy))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise Unreadable(
                Sentence(
                    f"Kho tin cậy {folder} không đọc được ({error}). Hãy xem lại tệp {INDEX} theo docs/signatures.md.",
                    f"The trust store {folder} cannot be read ({error}). See its {INDEX} and docs/signatures.md.",
                )
            ) from error

    def to_json(self) -> dict[str, Any]:
        """With the bytes: for the child process."""
        return {
            "version": self.version,
            "entries": [entry.words() | {"der": base64.b64encode(entry.der).decode()} for entry in self.entries],
            "policy": {name: day.isoformat() for name, day in self.policy.items()},
        }

    @classmethod
    def of_json(cls, data: Mapping[str, Any]) -> Self:
        """Inverse of :meth:`to_json`."""
        entries = tuple(
            TrustEntry(
                row["role"],
                row["sha256"],
                base64.b64decode(row["der"]),
                row["source"],
                date.fromisoformat(row["trusted_from"]),
                date.fromisoformat(row["trusted_until"]),
            )
            for row in data["entries"]
        )
        policy = {name: date.fromisoformat(day) for name, day in data["policy"].items()}
        return cls(data["version"], entries, MappingProxyType(policy))


def fingerprint(data: bytes, role: str) -> str:
    """SHA-256 of the DER bytes, as authorities publish it. Raises Unreadable as :func:`to_der`."""
    return hashlib.sha256(to_der(data, role)).hexdigest()


def add_entry(folder: Path, data: bytes, role: str, source: str, today: date, trusted_from: date | None = None) -> str:
    """Put a file's ``data`` (PEM or DER) into the store and its index; the store is made when there is none.

    Returns the SHA-256 of the DER bytes. Raises Unreadable when the file is not what the role says, AlreadyExists.
    """
    der = to_der(data, role)
    digest = hashlib.sha256(der).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    index = folder / INDEX
    text = index.read_text(encoding="utf-8") if index.exists() else f'version = "{today}"\n'
    if index.exists() and any(one.role == role and one.sha256 == digest for one in TrustStore.load(folder).entries):
        raise AlreadyExists(Sentence(f"Kho tin cậy đã có {digest}.", f"The trust store has {digest} already."))
    revocation = role in REVOCATION_KINDS
    name = f"{digest}.{role if revocation else 'der'}"
    row = {"file": name, "kind" if revocation else "role": role, "sha256": digest, "source": source}
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in row.items()]
    if not revocation:
        lines.append(f"trusted_from = {trusted_from or date(1970, 1, 1)}")
    (folder / name).write_bytes(der)
    old, _, rest = text.partition("\n")
    text = f'version = "{today}"\n{rest}' if old.startswith("version = ") else text
    # Tables of tables may follow [policy]; plain keys may not, so a new row goes to the end.
    temporary = folder / f"{INDEX}.new"
    temporary.write_text(
        f"{text.rstrip()}\n\n[[{'revocation' if revocation else 'certificate'}]]\n" + "\n".join(lines) + "\n",
        encoding="utf-8",
    )
    temporary.replace(index)
    return digest


def to_der(data: bytes, role: str) -> bytes:
    """PEM or DER to DER. Raises Unreadable when it cannot be, or is larger than the role allows."""
    try:
        if len(data) > LARGEST[role]:
            raise ValueError("too large")  # noqa: TRY301 - one way out for every kind of trouble
        if b"-----BEGIN" in data:
            body = data.split(b"-----BEGIN", 1)[1].split(b"-----", 2)[1]
            data = base64.b64decode(b"".join(body.split()), validate=True)
        _PARSERS.get(role, x509.load_der_x509_certificate)(data)
    except (ValueError, IndexError, binascii.Error) as error:
        raise Unreadable(
            Sentence(
                f"Tệp không phải chứng thư số hoặc câu trả lời thu hồi ở dạng PEM hay DER ({error}).",
                f"The file is no certificate or revocation answer in PEM or DER ({error}).",
            )
        ) from error
    return data


def _certificate(folder: Path, row: Mapping[str, Any]) -> TrustEntry:
    role = str(row["role"])
    if role not in CERTIFICATE_ROLES:
        raise ValueError(f"role {role}")
    der = _bytes(folder, row, role)
    until = _day(row["trusted_until"]) if "trusted_until" in row else date.max
    return TrustEntry(role, row["sha256"], der, str(row["source"]), _day(row["trusted_from"]), until)


def _revocation(folder: Path, row: Mapping[str, Any]) -> TrustEntry:
    kind = str(row["kind"])
    if kind not in REVOCATION_KINDS:
        raise ValueError(f"kind {kind}")
    return TrustEntry(kind, row["sha256"], _bytes(folder, row, kind), str(row["source"]))


def _bytes(folder: Path, row: Mapping[str, Any], role: str) -> bytes:
    name = str(row["file"])
    if Path(name).name != name:
        raise UsageError(Sentence(f"{name}: tệp phải nằm cạnh {INDEX}.", f"{name}: the file must be beside {INDEX}."))
    with (folder / name).open("rb") as stream:
        der = to_der(stream.read(LARGEST[role] + 1), role)
    found = hashlib.sha256(der).hexdigest()
    if found != row["sha256"]:
        raise Damaged(
            Sentence(
                f"Kho tin cậy: {name} không khớp mã băm trong {INDEX}. Hãy lấy lại tệp từ nguồn đã xác nhận.",
                f"Trust store: {name} does not match its digest in {INDEX}. Get it again from the confirmed source.",
            )
        )
    return der


def _days(policy: Mapping[str, Any]) -> dict[str, date]:
    if unknown := set(policy) - set(_POLICY):
        raise ValueError(f"policy: {', '.join(sorted(unknown))}")
    return {name: _day(day) for name, day in policy.items()}


def _day(value: object) -> date:
    if isinstance(value, datetime) or not isinstance(value, date):
        raise TypeError(f"{value}: not a day")
    return value
