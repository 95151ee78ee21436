"""The report as PDF/A-2b, for people and for the file of the transfer.

The layout is ``report.typ``; what is written comes to it as JSON, so that nothing from outside is ever markup.
A PDF is for reading: of each kind of finding and of the files it lists the first, says how many more there are, and
leaves the rest to CSV and JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from importlib.metadata import version
from typing import Any

from ingest.advice import Action, FindingKind, actions
from ingest.check import GRAVITY, CheckedFile, CheckReport
from ingest.reports.tree_rows import TreeRow, tree_rows
from ingest.reports.words import Marked, number_text, profile_name, severity_mark, verdict_mark, verdict_next
from ingest.typesetting import Template, typeset
from metadata.findings import Severity

_TEMPLATE = Template("ingest.reports", "report.typ")
KIND_LIMIT = 25
"""Findings listed of a kind, as long as there is room."""
FINDING_LIMIT = 400
"""Findings listed in all; one of each kind is always listed."""
FILE_LIMIT = 300
_VIETNAM = timezone(timedelta(hours=7))
_UNDRAWN = re.compile(
    "[^ -~\u00a0-\u00ac\u00ae-\u017f\u01a0\u01a1\u01af\u01b0\u0300\u0301\u0303\u0309\u0323"
    "\u0384-\u038a\u038c\u038e-\u03a1\u03a3-\u03ce\u0400-\u045f\u1ea0-\u1ef9\u2010-\u2015\u2018-\u201e"
    "\u2020-\u2022\u2026\u2030\u2039\u203a\u20ab\u20ac\u2116\u2122\u2190-\u2193\u2212\u2248\u2260\u2264\u2265]"
)
"""What the embedded fonts do not have, or may not have, is written as its number: PDF/A allows no empty glyph."""


def pdf_report(report: CheckReport, made: datetime) -> bytes:
    """The report as PDF/A-2b; ``made`` (aware) is when the package was checked. The same arguments, the same bytes."""
    content = json.dumps(_layout(report, made), ensure_ascii=False)
    return typeset(_TEMPLATE, content, made.astimezone(UTC).replace(microsecond=0))


def drawn(text: str, limit: int = 600) -> str:
    """``text`` as the fonts of the PDF can draw it, of bounded length."""
    kept = _UNDRAWN.sub(lambda match: f"\\u{ord(match.group()):04x}", text[:limit])
    return kept if len(text) <= limit else kept + "…"


def _layout(report: CheckReport, made: datetime) -> dict[str, Any]:
    """What the template needs, as JSON has it."""
    there = made.astimezone(_VIETNAM)
    listed = _listed_files(report)
    tree = [_row(row) for row in tree_rows(listed)]
    unlisted = max(report.files, len(report.tree)) - len(listed)
    return {
        "heading": drawn(f"Báo cáo kiểm tra gói tin {report.name}", 300),
        "short": drawn(report.name, 60),
        "software": f"Tàng Thư {version('tangthu')}",
        "year": there.year,
        "month": there.month,
        "day": there.day,
        "verdict": report.verdict.value,
        "mark": _mark(verdict_mark(report.verdict)),
        "next": {"vi": verdict_next(report.verdict).vi, "en": verdict_next(report.verdict).en},
        "severities": {one.value: _mark(severity_mark(one)) for one in Severity},
        "counted": [[one.value, number_text(report.counted(one))] for one in GRAVITY if report.counted(one)],
        "facts": list(_facts(report, there)),
        "actions": [_action(action, kinds) for action, kinds in _shared_out(report)],
        "tree": tree,
        "unlisted": number_text(unlisted) if unlisted > 0 else "",
    }


def _facts(report: CheckReport, there: datetime) -> Iterator[dict[str, object]]:
    profile = profile_name(report.profile)
    rows = (
        ("Gói tin", "Package", report.name, "name"),
        ("Hồ sơ", "Dossier", report.title, "text"),
        ("OBJID", "OBJID", report.objid, "name"),
        ("Kiểm tra theo", "Judged by", f"{profile.vi} / {profile.en}", "text"),
        ("Số tệp, dung lượng", "Files, size", f"{number_text(report.files)} · {_size_text(report.bytes)}", "text"),
        ("Lúc kiểm tra", "Checked", f"{there:%d/%m/%Y %H:%M} (+07:00)", "text"),
        ("Mã băm nội dung (SHA-256)", "Digest of the content", report.content, "code"),
    )
    for vi, en, value, kind in rows:
        if value:
            yield {"vi": vi, "en": en, "value": drawn(value), "kind": kind}


def _shared_out(report: CheckReport) -> list[tuple[Action, list[tuple[FindingKind, int]]]]:
    """Actions, and of each kind how many findings are listed: room for all kinds, then for the gravest."""
    found = actions(report.findings, report.counts)
    room = max(0, FINDING_LIMIT - sum(len(action.kinds) for action in found))
    shared = []
    for action in found:
        kinds = []
        for kind in action.kinds:
            more = min(len(kind.findings) - 1, KIND_LIMIT - 1, room)
            room -= more
            kinds.append((kind, 1 + more))
        shared.append((action, kinds))
    return shared


def _action(action: Action, kinds: list[tuple[FindingKind, int]]) -> dict[str, object]:
    return {
        "vi": action.sentence.vi,
        "en": action.sentence.en,
        "count": number_text(action.count),
        "kinds": [_kind(kind, listed) for kind, listed in kinds],
    }


def _kind(kind: FindingKind, listed: int) -> dict[str, object]:
    return {
        "code": kind.code,
        "severity": kind.severity.value,
        "rule": drawn(kind.rule),
        "count": number_text(kind.count),
        "unlisted": number_text(kind.count - listed) if kind.count > listed else "",
        "findings": [
            {"place": drawn(one.place), "vi": drawn(one.message.vi, 2000), "en": drawn(one.message.en, 2000)}
            for one in kind.findings[:listed]
        ],
    }


def _listed_files(report: CheckReport) -> list[CheckedFile]:
    """The gravest first, then the first of the others."""
    order = [*GRAVITY, None]
    return sorted(report.tree, key=lambda one: order.index(one.worst))[:FILE_LIMIT]


def _row(row: TreeRow) -> dict[str, object]:
    return {
        "depth": min(row.depth, 12),
        "name": drawn(row.name, 255),
        "folder": row.is_folder,
        "size": "" if row.size is None else _size_text(row.size),
        "mark": row.worst.value if row.worst else "none",
        "sign": severity_mark(row.worst).sign if row.worst else " ",
    }


def _mark(mark: Marked) -> dict[str, str]:
    return {"sign": mark.sign, "vi": mark.word.vi, "en": mark.word.en}


def _size_text(size: int) -> str:
    value = float(size)
    for unit in ("byte", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "byte" else f"{value:.1f} {unit}".replace(".", ",")
        value /= 1000
    return f"{value:.1f} TB".replace(".", ",")
