"""The reference pages of ``docs/``, made from the data they describe: ``python -m tests.architecture.reference``.

A test compares the pages with what this makes, so that no command, setting, finding or TT 05 field goes undocumented.
"""

from __future__ import annotations

from pathlib import Path

import click

import administration.cli  # noqa: F401  registers the commands
from administration.cli.app import group
from administration.settings import known_settings
from metadata.findings import finding_rules
from tests.architecture.tt05_page import fields_page

DOCS = Path(__file__).parents[2] / "docs"


def findings_page() -> str:
    rows = [
        f"| `{rule.code}` | {rule.severity} | {rule.rule} | {_cell(rule.template.vi)} | {_cell(rule.template.en)} |"
        for rule in sorted(finding_rules().values(), key=lambda one: one.code)
    ]
    return "\n".join(
        [
            "# Findings",
            "",
            "Every finding that a check may have. An *error* refuses the package; others are kept with it.",
            "Words in braces are filled in. Codes and sentences are data: `metadata/finding_codes/`.",
            "",
            "| code | severity | rule | tiếng Việt | English |",
            "|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def settings_page() -> str:
    rows = [
        f"| `{one.place}` | {'must be given' if one.default is None else f'`{_default(one.default)}`'} "
        f"| {_cell(one.about.vi)} | {_cell(one.about.en)} |"
        for one in known_settings()
    ]
    return "\n".join(
        [
            "# Settings",
            "",
            "`tangthu.toml` in the archive's home folder. An unknown setting is an error. `{home}` is the home folder.",
            "",
            "| setting | default | tiếng Việt | English |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _default(value: str | int | float) -> str:
    """As TOML writes it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def commands_page() -> str:
    context = group.context_class(
        group, info_name="tangthu", help_option_names=group.context_settings["help_option_names"]
    )
    return "\n".join(["# Commands", "", _help(group, context), *_commands(group, context)])


def _commands(parent: click.Group, context: click.Context) -> list[str]:
    parts = []
    for name in parent.list_commands(context):
        command = parent.get_command(context, name)
        assert command is not None
        inner = command.context_class(command, info_name=name, parent=context)
        parts += [f"## {inner.command_path}", "", _help(command, inner)]
        if isinstance(command, click.Group):
            parts += _commands(command, inner)
    return parts


def _help(command: click.Command, context: click.Context) -> str:
    context.terminal_width = context.max_content_width = 100
    return f"```\n{command.get_help(context)}\n```\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


PAGES = {
    "reference/findings.md": findings_page,
    "reference/settings.md": settings_page,
    "reference/tt05-fields.md": fields_page,
    "cli.md": commands_page,
}


def main() -> None:
    for name, make in PAGES.items():
        path = DOCS / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(make(), encoding="utf-8")


if __name__ == "__main__":
    main()
