"""Judging the fields of one metadata file against its form; how grave each departure is, the profile says."""

from __future__ import annotations

from dataclasses import dataclass

from metadata.dates import RecordDate
from metadata.findings import Findings
from metadata.package_kinds import PackageKind
from metadata.tt05.fields import Fields
from metadata.tt05.profile import (
    DocumentKind,
    FieldRule,
    FieldType,
    Form,
    Need,
    Profile,
    default_profile,
    split_codes,
)


def judge_dossier(
    fields: Fields,
    findings: Findings,
    place: str,
    *,
    package: str | PackageKind = "sip",
    profile: Profile | None = None,
) -> None:
    """Check EAD.xml against its form; what departs from it becomes findings ``TT05-…`` as the profile weighs them."""
    profile = profile or default_profile()
    form = profile.form(None, package)
    judge = _Judge(profile, form, findings, place)
    judge.fields(fields)
    judge.permanent(fields, form.permanent)
    start, end = RecordDate.read(fields.get("startDate")).iso, RecordDate.read(fields.get("endDate")).iso
    if start and end and end < start[: len(end)]:
        judge.note("TT05-PERIOD", value=fields.get("endDate"), start=fields.get("startDate"))


def judge_document(
    fields: Fields,
    findings: Findings,
    place: str,
    *,
    kind: DocumentKind = DocumentKind.TEXT,
    package: str | PackageKind = "sip",
    profile: Profile | None = None,
) -> None:
    """Check an EAD_doc, EAD_pic or EAD_media file against its form."""
    profile = profile or default_profile()
    judge = _Judge(profile, profile.form(kind, package), findings, place)
    judge.fields(fields)
    judge.permanent(fields, profile.package(package).permanent)


@dataclass(frozen=True, slots=True)
class _Judge:
    profile: Profile
    form: Form
    findings: Findings
    place: str

    def add(self, check: str, code: str, **details: object) -> None:
        severity = self.profile.severities[check]
        if severity != "off":
            self.findings.add(f"TT05-{code}" + ("-NOTED" if severity == "warning" else ""), self.place, **details)

    def note(self, code: str, **details: object) -> None:
        """A rule that has one code and the severity that the profile gives it."""
        if severity := self.profile.rules[code]:
            self.findings.weigh(severity, code, self.place, **details)

    def permanent(self, fields: Fields, only: str) -> None:
        """``only`` is the retention that may be submitted, "" when any may."""
        maintenance = fields.get("maintenance")
        if only and maintenance and maintenance.zfill(2) != only:
            self.add("permanent", "PERMANENT", value=maintenance)

    def fields(self, received: Fields) -> None:
        aliases = self.form.known(self.profile.aliases)
        known = received.named(aliases)
        for name in dict.fromkeys(name for name, _ in received if name in aliases):
            self.note("TT05-FIELD-NAME", field=aliases[name], value=name)
        for name in dict.fromkeys(name for name, _ in known):
            if name not in self.form.fields:
                self.add("unknown", "UNKNOWN-FIELD", field=name)
            elif len(known.all(name)) > 1:
                self.add("repeated", "REPEATED", field=name)
        for rule in self.form.fields.values():
            text = known.get(rule.name)
            if not text:
                self._missing(rule, known)
            else:
                self._text(rule, text)

    def _missing(self, rule: FieldRule, known: Fields) -> None:
        if rule.need is Need.REQUIRED:
            check = "identity" if rule.name in self.form.identity else "required"
            self.add(check, "REQUIRED", field=rule.name, label=rule.label)
        elif rule.need is Need.CONDITIONAL and rule.when is not None:
            cause, values = rule.when
            if known.get(cause) in values:
                self.add(
                    "conditional", "CONDITION", field=rule.name, label=rule.label, cause=cause, value=known.get(cause)
                )

    def _text(self, rule: FieldRule, text: str) -> None:
        details = {"field": rule.name, "label": rule.label, "value": text}
        if rule.length and len(text) > rule.length:
            self.add("length", "LENGTH", field=rule.name, label=rule.label, length=len(text), limit=rule.length)
        if rule.type is FieldType.DATE:
            self._date(text, details)
        elif rule.type is FieldType.NUMBER and _number(text) is None:
            self.add("number", "NUMBER", **details)
        elif rule.type is FieldType.BOOLEAN and text not in ("0", "1"):
            self.add("boolean", "BOOLEAN", **details)
        elif rule.type in (FieldType.CODE, FieldType.CODES):
            codes = [text] if rule.type is FieldType.CODE else split_codes(text)
            if not codes or any(code not in self.profile.lists[rule.name] for code in codes):
                self.add("code", "CODE", **details)

    def _date(self, text: str, details: dict[str, str]) -> None:
        read = RecordDate.read(text)
        if read.year is None:
            self.add("date", "DATE", **details)
            return
        if "-" in text:
            self.note("TT05-DATE-ISO", **details)
        if read.day is None and not self.form.partial_dates:
            self.note("TT05-DATE-PARTIAL", **details)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 10 else None
