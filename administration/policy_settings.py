"""The replica policies of an archive: entries of ``[[policies]]`` in ``tangthu.toml``, held against its stores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from metadata.errors import UsageError
from metadata.identifiers import FondsCode, StoreId
from metadata.stores import StoreTraits
from metadata.text import Sentence
from storage.policy import ReplicaPolicy, place


def policy_of(values: Mapping[str, Any]) -> ReplicaPolicy:
    """Out of an entry whose values were checked one by one."""
    given = {name.partition(".")[2]: value for name, value in values.items()}
    fonds = given["fonds"]
    return ReplicaPolicy(
        given["name"],
        given["copies"],
        given["sites"],
        given["locked"],
        FondsCode(fonds) if fonds else None,
        given["access"],
        tuple(StoreId(name) for name in store_names(given["stores"])),
    )


def store_names(text: str) -> list[str]:
    """Names with commas between them."""
    return [name.strip() for name in text.split(",") if name.strip()]


def is_store_list(text: str) -> bool:
    """Whether each of them can be the name of a store."""
    try:
        return all(StoreId(name) for name in store_names(text))
    except ValueError:
        return False


def is_fonds(text: str) -> bool:
    """Whether it can be the code of a fonds; empty is any."""
    try:
        return not text or bool(FondsCode(text))
    except ValueError:
        return False


def check_policies(policies: Sequence[ReplicaPolicy], traits: Sequence[StoreTraits], required: int) -> None:
    """Raises UsageError for one that the stores, all in use, could not satisfy, or that could never be meant."""
    names = {store.id for store in traits}
    for number, policy in enumerate(policies, 1):
        where = f"policies[{number}]"
        if any(policy.name == other.name for other in policies[: number - 1]):
            raise _wrong(where, f"trùng tên “{policy.name}”", f"another policy is named “{policy.name}” too")
        if strangers := [store.value for store in policy.stores if store not in names]:
            listed = ", ".join(strangers)
            raise _wrong(where, f"không có nơi lưu {listed}", f"there is no store {listed}")
        if 0 < policy.copies < required:
            raise _wrong(
                where,
                f"copies là {policy.copies}, ít hơn storage.required_replicas ({required})",
                f"copies is {policy.copies}, fewer than storage.required_replicas ({required})",
            )
        online = {store.id for store in traits if not (store.offline or store.cold)}
        reached = sum(store in online for store in place(policy, traits, {}))
        if reached < required:
            raise _wrong(
                where,
                f"chỉ {reached} nơi lưu ghi được ngay, mà storage.required_replicas là {required}",
                f"only {reached} of its stores can be written to at once, and storage.required_replicas is {required}",
            )


def _wrong(where: str, vi: str, en: str) -> UsageError:
    return UsageError(Sentence(f"Chính sách bản sao {where} không dùng được: {vi}.", f"{where} cannot be used: {en}."))
