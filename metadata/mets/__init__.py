"""METS 1.12.1 as E-ARK CSIP and TT 05 use it: one module of values, one that reads, one that writes."""

from metadata.mets.model import (
    MetsAgent,
    MetsAltRecord,
    MetsEntry,
    MetsFile,
    MetsHeader,
    MetsItem,
    MetsLink,
    MetsPackage,
    MetsPointer,
    MetsReference,
    MetsRoot,
    local_path,
    path_href,
)
from metadata.mets.reader import MetsRefused, iter_mets
from metadata.mets.writer import (
    AIP_PROFILE,
    CSIP_PROFILE,
    EARK_AIP_PROFILE,
    MetsRepresentation,
    write_representation_mets,
    write_root_mets,
)

__all__ = [
    "AIP_PROFILE",
    "CSIP_PROFILE",
    "EARK_AIP_PROFILE",
    "MetsAgent",
    "MetsAltRecord",
    "MetsEntry",
    "MetsFile",
    "MetsHeader",
    "MetsItem",
    "MetsLink",
    "MetsPackage",
    "MetsPointer",
    "MetsReference",
    "MetsRefused",
    "MetsRepresentation",
    "MetsRoot",
    "iter_mets",
    "local_path",
    "path_href",
    "write_representation_mets",
    "write_root_mets",
]
