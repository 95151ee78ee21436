"""Replica policies: how many replicas, where, which of them at another site, which of them locked (TT 05 Điều 27)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from metadata.identifiers import FondsCode, StoreId
from metadata.stores import StoreState, StoreTraits


@dataclass(frozen=True, slots=True)
class ReplicaPolicy:
    """For AIPs of ``fonds`` (None: any) and access level ``access`` ("": any).

    ``copies`` replicas (0: one in every store that may hold one), at no fewer than ``sites`` sites, no fewer than
    ``locked`` of them in stores that lock.

    ``stores`` are those that may hold one; empty means all.
    """

    name: str
    copies: int = 0
    sites: int = 1
    locked: int = 0
    fonds: FondsCode | None = None
    access: str = ""
    stores: tuple[StoreId, ...] = ()


def policy_for(policies: Sequence[ReplicaPolicy], fonds: FondsCode, access: str) -> ReplicaPolicy:
    """The first policy that is for such AIPs. Raises LookupError when none is: the settings end with one for all."""
    return next(policy for policy in policies if policy.fonds in (None, fonds) and policy.access in ("", access))


def place(
    policy: ReplicaPolicy,
    stores: Sequence[StoreTraits],
    states: Mapping[StoreId, StoreState],
    held: Sequence[StoreId] = (),
) -> tuple[StoreId, ...]:
    """The stores that are to hold the replicas, those in ``held`` first where they fit, then in the order given.

    Raises UsageError when the active stores cannot satisfy the policy.
    """
    raise NotImplementedError
