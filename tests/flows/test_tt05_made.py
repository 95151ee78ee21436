"""What the archive itself makes of TT 05 packages is what the circular says, by a judge that shares nothing with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree

from access.dissemination.export import export_aip
from metadata.findings import Findings
from metadata.package_kinds import PackageKind
from metadata.tt05.fields import document_kind
from metadata.tt05.judge import judge_tt05
from metadata.tt05.schema import package_schemas
from tests.builders.archive import AGENT, small_archive
from tests.builders.giving import dip_of, services_of, version_of
from tests.builders.trees import FolderTree
from tests.builders.tt05 import all_kinds, sip_hoso, sip_tailieu

REP = "representations/rep1/metadata/descriptive"


def package_in(folder: Path) -> Path:
    """The package's own folder under ``folder``."""
    (mets,) = (path for path in folder.rglob("METS.xml") if "representations" not in path.parts)
    return mets.parent


def proven(folder: Path, kind: PackageKind) -> None:
    findings = Findings()
    judge_tt05(FolderTree(folder), findings, kind)
    assert findings.kept() == ()
    schemas = {name: etree.XMLSchema(etree.fromstring(data)) for name, data in package_schemas(kind).items()}
    assert schemas["EAD.xsd"].validate(etree.parse(str(folder / "metadata/descriptive/EAD.xml")))
    described = list((folder / REP).iterdir())
    assert len(described) == 4
    for path in described:
        found = document_kind(path.name)
        assert found is not None
        by = schemas[f"EAD_{found[0]}.xsd"]
        assert by.validate(etree.parse(str(path))), by.error_log


@pytest.mark.parametrize(
    ("send", "kept"),
    [(sip_hoso, PackageKind.AIP_HOSO), (sip_tailieu, PackageKind.AIP_TAILIEU)],
    ids=["hoso", "tailieu"],
)
def test_a_sip_becomes_an_aip_and_a_dip_without_a_fault(
    send: Callable[..., Path], kept: PackageKind, tmp_path: Path
) -> None:
    with small_archive(tmp_path / "kho") as archive:
        receipt = archive.receive(send(tmp_path / "nop", contents=all_kinds()))
        assert receipt.findings == ()
        export_aip(services_of(archive), AGENT, version_of(archive, receipt), tmp_path / "aip")
        proven(package_in(tmp_path / "aip"), kept)
        dip_of(archive, receipt, tmp_path / "dip")
        proven(package_in(tmp_path / "dip"), PackageKind.DIP)
