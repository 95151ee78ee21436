"""The reference page of Circular 05/2025/TT-BNV, made from the profile."""

from __future__ import annotations

import tomllib

from metadata.findings import finding_rules
from metadata.tt05.packages import MetsRules, PackageRules
from metadata.tt05.profile import CIRCULAR, Form, Profile, default_profile, profile_text

BEGIN = f"""# Circular 05/2025/TT-BNV: packages, fields, codes

Made from the files in `metadata/tt05/{CIRCULAR}/`: `packages.toml`, `fields.toml`, `lists.toml`, `judging.toml`. How to
read and change them: [tt05.md](../tt05.md).

## Packages
"""


def fields_page() -> str:
    """The whole page."""
    profile = default_profile()
    parts = [BEGIN]
    parts += [_package(rules) for rules in profile.packages.values()]
    parts += [_every(profile)]
    parts += ["## Fields\n", "R required, O optional, C conditional: the last column says on what.\n"]
    parts += [_form(form, profile) for form in profile.forms.values()]
    parts += ["## Code lists\n"]
    parts += [_list(name, profile) for name in profile.lists]
    parts += [_formats(profile), _aliases(profile), _checks(profile), _rules(profile)]
    return "\n".join(parts)


def _package(rules: PackageRules) -> str:
    root, inner = rules.root_mets, rules.representation_mets
    rows = [
        ("annex", rules.annex),
        ("`csip:OAISPACKAGETYPE`", f"`{rules.oais_type}`"),
        ("`mets/@TYPE`", _codes(root.types)),
        ("`OBJID`", _pattern(root.objid.pattern)),
        ("`OBJID` of rep1", _pattern(inner.objid.pattern)),
        ("folder", "OBJID, `:` as `_`" if rules.folder_replaces_colon else "OBJID"),
        ("name of the ZIP", _pattern(rules.zip_name.pattern) if rules.zip_name else "no rule"),
        ("`PROFILE`", f"`{root.profile}`; rep1 `{inner.profile}`"),
        ("agent", f"{_agent(root)}; rep1 {_agent(inner)}"),
        ("`altRecordID`", f"`{root.agreement}`" if root.agreement else "none"),
        ("`fileGrp/@USE`", f"{_groups(root)}; rep1 {_groups(inner)}"),
        ("`div/@LABEL`", f"{_divisions(root)}; rep1 {_divisions(inner)}"),
        ("`TYPE` of the div rep1", f"`{inner.division_type}`" if inner.division_type else "not asked"),
        ("`MDTYPE` of descriptions", _codes(root.md_types)),
        ("must be there", f"{_codes(rules.required)} and one of {_codes(rules.one_of)}"),
        ("may be there", f"{_codes(rules.root)}; in rep1 {_codes(rules.representation)}"),
        ("PREMIS", rules.premis + (f"; event `{rules.creation}`" if rules.creation else "")),
        ("`.fetch.txt`", "may be" if rules.linked else "may not be"),
        ("code of the package", _code(rules)),
        ("code of a document", f"`{rules.document_code}`: {_document_code(rules)}"),
        ("retention of each document", f"only `{rules.permanent}`" if rules.permanent else "any"),
        ("number of documents", f"`{rules.total}`" if rules.total else "not said"),
        ("forms", ", ".join(f"{kind} [{form}](#{form})" for kind, form in rules.forms.items())),
    ]
    return "\n".join(
        [f"### {rules.name}\n", "| | |", "|---|---|", *(f"| {name} | {text} |" for name, text in rows), ""]
    )


def _every(profile: Profile) -> str:
    mets, premis = profile.mets, profile.premis
    rows = [
        ("times in METS", _pattern(mets.time.pattern)),
        ("IDs", f"{_pattern(mets.id.pattern)}; of files {_pattern(mets.file_id.pattern)}"),
        ("`CHECKSUMTYPE`", _codes(mets.checksums)),
        ("`LOCTYPE`", f"`{mets.loctype}`"),
        ("`structMap`", f"`LABEL` `{mets.structure_label}`, `TYPE` `{mets.structure_type}`"),
        ("namespace of PREMIS", f"`{premis.namespace}`"),
        ("categories of objects", _codes(premis.categories)),
        ("object", _codes(premis.object)),
        ("event", _codes(premis.event)),
        ("agent", _codes(premis.agent)),
    ]
    return "\n".join(["### All packages\n", "| | |", "|---|---|", *(f"| {name} | {text} |" for name, text in rows), ""])


def _form(form: Form, profile: Profile) -> str:
    lines = [f"### {form.name}\n", f"Without {_codes(sorted(form.identity))} it cannot be catalogued."]
    if form.permanent:
        lines.append(f"`maintenance` must be `{form.permanent}`.")
    if form.partial_dates:
        lines.append("Dates may be MM/YYYY or YYYY too.")
    lines += ["", "| # | field | nhãn | type | length | obligation |", "|---|---|---|---|---|---|"]
    for number, (name, field) in enumerate(form.fields.items(), 1):
        need = str(field.need)
        if field.when:
            need += f": `{field.when[0]}` is {_codes(sorted(field.when[1]))}"
        kind = (
            f"[{field.type}](#{name.lower()})"
            if name in profile.lists and field.type.startswith("code")
            else field.type
        )
        lines.append(f"| {number} | `{name}` | {field.label} | {kind} | {field.length or ''} | {need} |")
    return "\n".join([*lines, ""])


def _list(name: str, profile: Profile) -> str:
    rows = [f"| `{code}` | {label.vi} | {label.en} |" for code, label in profile.lists[name].items()]
    return "\n".join([f"### {name}\n", "| code | nghĩa | meaning |", "|---|---|---|", *rows, ""])


def _formats(profile: Profile) -> str:
    rows = [f"| `{extension}` | {_codes(types)} |" for extension, types in profile.mime.items()]
    head = [
        "## Formats\n",
        "The first media type is the one that is written.\n",
        "| extension | media types |",
        "|---|---|",
    ]
    return "\n".join([*head, *rows, ""])


def _aliases(profile: Profile) -> str:
    rows = [f"| `{other}` | `{name}` |" for other, name in profile.aliases.items()]
    return "\n".join(["## Other names of fields\n", "| name | field |", "|---|---|", *rows, ""])


def _checks(profile: Profile) -> str:
    rows = [f"| {name} | {weight} |" for name, weight in profile.severities.items()]
    head = ["## How much a departure of a field counts\n", "| check | counts as |", "|---|---|"]
    return "\n".join([*head, *rows, ""])


def _rules(profile: Profile) -> str:
    known, why = finding_rules(), _comments()
    head = [
        "## Rules and what is tolerated\n",
        "Every other rule, what it counts as, and when. “The sample” is the one known package of another system.\n",
        "| code | counts as | when | clause |",
        "|---|---|---|---|",
    ]
    rows = [
        f"| [`{code}`](findings.md) | {severity or 'off'} | {_text(why.get(code, ''))} | {_text(known[code].rule)} |"
        for code, severity in profile.rules.items()
    ]
    return "\n".join([*head, *rows, ""])


def _comments() -> dict[str, str]:
    """What ``judging.toml`` says beside each rule."""
    codes = tomllib.loads(profile_text())["rules"]
    lines = (line.partition(" # ") for line in profile_text().splitlines())
    return {rule.split(" = ")[0]: why for rule, _, why in lines if rule.split(" = ")[0] in codes}


def _agent(rules: MetsRules) -> str:
    agent = rules.agent
    kinds = " ".join(part for part in (agent.role, agent.type, agent.other_type) if part)
    return f"`{kinds}` with the note `{agent.note}`"


def _groups(rules: MetsRules) -> str:
    return _codes(rules.groups) + (f", may be {_codes(rules.also_groups)}" if rules.also_groups else "")


def _divisions(rules: MetsRules) -> str:
    return _codes(rules.divisions) + (f", may be {_codes(rules.also_divisions)}" if rules.also_divisions else "")


def _code(rules: PackageRules) -> str:
    form = f" {_pattern(rules.code_form.pattern)}" if rules.code_form else ""
    return f"`{rules.code}`{form}" if rules.code else "none"


def _document_code(rules: PackageRules) -> str:
    return "the package's code and 7 digits" if rules.document_code_form == "package" else "any code and 7 digits"


def _codes(values: object) -> str:
    return ", ".join(f"`{value}`" for value in values)  # type: ignore[attr-defined]


def _pattern(pattern: str) -> str:
    return f"`{_cell(pattern)}`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _text(text: str) -> str:
    return _cell(text).replace("<", "&lt;")
