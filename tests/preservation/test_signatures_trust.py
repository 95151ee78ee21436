"""The trust store: data with digests, verified whenever it is read."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from metadata.errors import AlreadyExists, Damaged, TangThuError, Unreadable
from preservation.signatures.trust import INDEX, TrustStore, add_entry, fingerprint
from tests.builders.signatures import authority, crl_of

LIST = cache(lambda: crl_of(authority()["root"]))
TODAY = date(2026, 6, 15)


def filled(folder: Path) -> TrustStore:
    people = authority()
    pem = people["root"].certificate.public_bytes(serialization.Encoding.PEM)
    add_entry(folder, pem, "root", "công văn 1", TODAY, date(2018, 1, 1))
    add_entry(folder, people["inter"].der, "intermediate", "công văn 1", TODAY)
    add_entry(folder, people["tsa-root"].der, "tsa-root", 'điện thoại "A"', TODAY)
    add_entry(folder, LIST(), "crl", "tải ngày 15/6", TODAY)
    return TrustStore.load(folder)


def test_what_is_added_is_what_is_loaded(tmp_path: Path) -> None:
    store = filled(tmp_path)
    assert [entry.role for entry in store.entries] == ["root", "intermediate", "tsa-root", "crl"]
    root = store.entries[0]
    assert (root.der, root.trusted_from, root.source) == (authority()["root"].der, date(2018, 1, 1), "công văn 1")
    assert root.sha256 == authority()["root"].asn1.sha256.hex() == fingerprint(root.der, "root")
    assert store.version == "2026-06-15"
    assert TrustStore.of_json(store.to_json()) == store


def test_the_digest_is_that_of_what_is_trusted(tmp_path: Path) -> None:
    store = filled(tmp_path / "a")
    assert store.digest == filled(tmp_path / "b").digest
    index = tmp_path / "b" / INDEX
    index.write_text(index.read_text().replace("2018-01-01", "2019-01-01"))
    assert TrustStore.load(tmp_path / "b").digest != store.digest


def test_the_same_thing_is_not_added_twice(tmp_path: Path) -> None:
    filled(tmp_path)
    with pytest.raises(AlreadyExists):
        add_entry(tmp_path, authority()["root"].der, "root", "x", TODAY)
    add_entry(tmp_path, authority()["root"].der, "tsa-root", "x", TODAY)


def test_a_changed_certificate_is_damage(tmp_path: Path) -> None:
    filled(tmp_path)
    file = next(tmp_path.glob(f"{authority()['root'].asn1.sha256.hex()}.*"))
    file.write_bytes(authority()["evil"].der)
    with pytest.raises(Damaged):
        TrustStore.load(tmp_path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('role = "root"', 'role = "king"'),
        ('kind = "crl"', 'kind = "rumour"'),
        ('file = "', 'file = "../'),
        ("trusted_from = 2018-01-01", 'trusted_from = "2018"'),
        ("sha256 = ", "sha512 = "),
        ("source = ", "hearsay = "),
        ("version = ", "[policy]\nsha1_until = "),
        ("version = ", "version =="),
    ],
)
def test_an_index_that_is_not_as_it_should_be_is_refused(old: str, new: str, tmp_path: Path) -> None:
    filled(tmp_path)
    index = tmp_path / INDEX
    index.write_text(index.read_text().replace(old, new))
    with pytest.raises(TangThuError):
        TrustStore.load(tmp_path)


@pytest.mark.parametrize(
    "data",
    [b"", b"xin chao", b"-----BEGIN CERTIFICATE-----\n!!\n-----END", b"\x30\x03\x02\x01\x01", b"\x30" * (1 << 17)],
    ids=["empty", "text", "PEM of nothing", "DER of a number", "too large"],
)
def test_what_is_no_certificate_is_not_added(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(Unreadable):
        add_entry(tmp_path, data, "root", "x", TODAY)
    assert list(tmp_path.iterdir()) == []
