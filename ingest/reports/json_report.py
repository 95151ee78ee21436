"""The report as JSON, format ``tangthu-check/1`` (``docs/checking.md``): canonical, and read again as it was."""

from __future__ import annotations

import json
from typing import Any

from ingest.check import CheckedFile, CheckReport, CheckVerdict
from metadata.canonical import canonical
from metadata.findings import Finding, Severity

FORMAT = "tangthu-check/1"


def json_report(report: CheckReport) -> bytes:
    """Keys sorted, no spaces, UTF-8. Of a path that is not Unicode, what can be written."""
    return canonical(report_fields(report)).encode()


def report_fields(report: CheckReport) -> dict[str, Any]:
    """The report as values that JSON has."""
    return {
        "format": FORMAT,
        "name": written(report.name),
        "profile": report.profile,
        "objid": written(report.objid),
        "title": written(report.title),
        "content": report.content,
        "verdict": report.verdict.value,
        "files": report.files,
        "bytes": report.bytes,
        "counts": dict(report.counts),
        "findings": [one.fields() for one in report.findings],
        "tree": [
            {"path": written(one.path), "size": one.size, "worst": one.worst.value if one.worst else None}
            for one in report.tree
        ],
    }


def read_json(text: str) -> CheckReport:
    """Inverse of :func:`json_report`. Raises ValueError when it is no such report."""
    try:
        fields = json.loads(text)
        if fields.pop("format") != FORMAT:
            raise ValueError("not the report of a check")
        fields |= {
            "verdict": CheckVerdict(fields["verdict"]),
            "findings": tuple(Finding.of_fields(one) for one in fields["findings"]),
            "tree": tuple(
                CheckedFile(one["path"], one["size"], Severity(one["worst"]) if one["worst"] else None)
                for one in fields["tree"]
            ),
        }
        return CheckReport(**fields)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError("not the report of a check") from error


def written(text: str) -> str:
    """``text`` as UTF-8 can have it: what is no character is escaped."""
    return text.encode("utf-8", "backslashreplace").decode()
