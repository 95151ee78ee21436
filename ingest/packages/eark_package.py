"""An E-ARK package (CSIP, SIP) as a package: its representations, its descriptions, and the AIP made of it."""

from __future__ import annotations

from ingest.packages.completeness import completeness
from ingest.packages.descriptions import Described, read_description
from ingest.packages.examined import Description, Examined, Subject, aip_folder
from ingest.packages.package_mets import PackageMets
from ingest.packages.reading import agency_code, fonds_code, judge_title, object_id, reading, record_code
from ingest.packages.tree import SubjectTree
from metadata.dates import RecordDate
from metadata.holdings import PackageType, Role
from metadata.identifiers import AgencyCode, FondsCode
from metadata.tt05.records import Fields, dossier_record

_FOLDER = "representations/"
_DESCRIPTIVE = "metadata/descriptive/"
_NAME = 240  # bytes of a representation's name
_MOST = 1000  # representations of one package
_DESCRIBED = 10_000  # descriptions of representations of which the standard is remembered
_READ = ("DC", "EAD", "EAD3", "EAD2002", "DCTERMS")
_CREATORS = ("CREATOR", "SUBMITTER")


class EarkPackage:
    """One E-ARK package, its METS files read into the ledger."""

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._root = PackageMets(subject, "")
        self._names: list[str] = []
        self._inner: dict[str, Description] = {}

    @property
    def objid(self) -> str:
        """``mets/@OBJID`` as written; "" when there is none."""
        return self._root.objid

    @property
    def title(self) -> str:
        """LABEL of the root METS."""
        return self._root.label

    @property
    def is_submission(self) -> bool:
        """Whether it says that it is a SIP, whatever profile it follows, or does not say what it is."""
        return self._root.oais_type.upper() in ("SIP", "")

    def structure(self) -> None:
        """Read every METS file and judge what they name."""
        ledger = self._subject.ledger
        self._root.read()
        found = SubjectTree(self._subject).children(_FOLDER, _MOST + 1)
        self._names = [name.rstrip("/") for name in found if name.endswith("/")]
        for name in self._names:
            if len(name.encode()) > _NAME:  # the archive's own files are named after it
                self._subject.findings.add("NAME-LONG", f"{_FOLDER}{name}", limit=_NAME)
        if len(self._names) > _MOST:
            self._subject.findings.add("PACKAGE-REPRESENTATIONS-MANY", _FOLDER, limit=_MOST)
            del self._names[_MOST:]
        for name in self._names:
            if ledger.size_of(f"{_FOLDER}{name}/METS.xml") is not None:
                inner = PackageMets(self._subject, f"{_FOLDER}{name}/")
                inner.read()
                if len(self._inner) < _DESCRIBED:
                    self._inner.update(inner.descriptions)
        completeness(self._subject, "PACKAGE-UNNAMED")

    def examine(self) -> Examined | None:
        """Judge what an archive needs beyond E-ARK's own rules, and plan the AIP. None when it is refused."""
        subject, findings = self._subject, self._subject.findings
        agency, fonds, objid = self._agency(), self._fonds(), object_id(self._root.objid)
        code = record_code(f"{subject.archive}.{self._root.objid}") if objid is not None else None
        if agency is None:
            subject.untold("AGENCY", "METS.xml")
        if fonds is None:
            subject.untold("FONDS", "METS.xml")
        if objid is None or code is None:
            findings.add("PACKAGE-NO-OBJID", "METS.xml")
        kept = [name for name in self._names if subject.ledger.totals(f"{_FOLDER}{name}/data/").files]
        if not kept:
            findings.add("PACKAGE-NO-CONTENT", subject.source.name)
        said = self._described()
        title = " ".join((self._root.label or said.title or self._root.objid).split())
        judge_title(subject, title, "METS.xml")
        if agency is None or fonds is None or objid is None or code is None or findings.refused:
            return None
        form = self._form(code.value, title, said)
        base = f"data/{aip_folder(agency, fonds, objid)}/"
        for name in self._names:
            self._plan(f"{_FOLDER}{name}/", base)
        descriptions = self._plan_descriptions(base)
        for folder in ("schemas/", "documentation/"):
            subject.ledger.plan_all(folder, base + folder, Role.SUPPORT)
        subject.ledger.plan_all("", "data/submission/", Role.SUBMISSION)
        return Examined(
            "E-ARK SIP", PackageType.EARK, agency, fonds, objid, code, title, dossier_record(form), form,
            tuple(kept), descriptions,
        )  # fmt: skip

    def _plan(self, folder: str, base: str) -> None:
        """Where the files of one representation go. Without content it is kept with the submission, as a whole."""
        ledger = self._subject.ledger
        if not ledger.totals(f"{folder}data/").files:
            return
        ledger.plan_all(f"{folder}data/", f"{base}{folder}data/", Role.CONTENT)
        ledger.plan_all(f"{folder}{_DESCRIPTIVE}", f"{base}{folder}{_DESCRIPTIVE}", Role.METADATA)
        for inside in ("schemas/", "documentation/"):
            ledger.plan_all(folder + inside, base + folder + inside, Role.SUPPORT)

    def _plan_descriptions(self, base: str) -> tuple[Description, ...]:
        """Descriptions of the whole keep their places, but for one that lies where the archive writes its own."""
        ledger, own = self._subject.ledger, PackageType.EARK.dossier_file
        names = ledger.children(_DESCRIPTIVE, _MOST)
        kept = [path for name in names if (path := _DESCRIPTIVE + name) != own and not name.endswith("/")]
        for path in kept:
            ledger.plan(path, base + path, Role.METADATA)
        whole = (self._root.descriptions.get(path, Description(path, "OTHER")) for path in kept)
        return (*whole, *self._inner.values())

    def _described(self) -> Described:
        """Title and dates of the first description that has them."""
        title = start = end = ""
        for description in self._root.descriptions.values():
            path = description.path
            known = description.md_type.upper() in _READ and path.lower().endswith(".xml")
            if not known or self._subject.ledger.size_of(path) is None or (title and start):
                continue
            found = reading(self._subject, path, lambda stream, path=path: read_description(stream, path))  # type: ignore[misc]
            if found is not None:
                title = title or found.title
                start, end = (start, end) if start else (found.start, found.end)
        return Described(title, start, end)

    def _form(self, code: str, title: str, said: Described) -> Fields:
        dates = [date for date in (said.start, said.end) if RecordDate.read(date).year is not None]
        pairs = (
            ("arcFileCode", code),
            ("title", title),
            ("startDate", RecordDate.read(dates[0]).tt05 if dates else said.start),
            ("endDate", RecordDate.read(dates[-1]).tt05 if dates else said.end),
            ("description", said.title if said.title != title else ""),
        )
        return Fields(tuple((name, text) for name, text in pairs if text))

    def _agency(self) -> AgencyCode | None:
        """The caller's word, else the identification code of the organization that made or sent it."""
        if self._subject.agency is not None:
            return self._subject.agency
        agents = [agent for agent in self._root.agents if agent.type == "ORGANIZATION" and agent.role in _CREATORS]
        codes = (agency_code(agent.note("IDENTIFICATIONCODE")) for agent in agents)
        return next((code for code in codes if code is not None), None)

    def _fonds(self) -> FondsCode | None:
        """The caller's word, else altRecordID REFERENCECODE: where in the archive the package belongs."""
        return self._subject.fonds or fonds_code(self._root.alt_records.get("REFERENCECODE", ""))
