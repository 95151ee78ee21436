"""Commands for packages in quarantine: list, show, approve, discard."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from administration.cli.app import EXIT_CODES, Context, command, group
from administration.cli.output import Output
from metadata.dates import local_day, local_text

if TYPE_CHECKING:
    from metadata.catalogue.quarantine import Decision, QuarantinedPackage

_PERSON = click.option("--person", required=True, help="Họ tên người quyết định. / Who decides.")
_REASON = click.option("--reason", required=True, help="Lý do. / Why.")


@group.group("quarantine", epilog=EXIT_CODES)
def quarantine() -> None:
    """Gói tin bị cách ly vì vi-rút. / Packages in quarantine for a virus."""


@command("list", parent=quarantine)
@click.option("--over", is_flag=True, help="Những gói đã giải quyết xong. / Those that are over.")
def list_command(context: Context, output: Output, over: bool) -> int:
    """Những gói đang chờ quyết định. / What waits for a decision.

    Mã thoát 1 khi có gói đang chờ. / Exit code 1 while something waits.
    """
    from administration.archive import Archive

    with Archive.open(context.home) as archive:
        packages = archive.catalogue.quarantine.packages(over=over)
    output.document({"packages": [document_of(one) for one in packages]})
    if not packages:
        output.say(
            "Không có gói nào như vậy." if over else "Không có gói nào chờ quyết định. Đã xong: --over.",
            "There is none." if over else "No package waits for a decision. Those that are over: --over.",
            "✓",
        )
    for one in packages:
        vi, en, mark = _state(one)
        output.line(f"{mark} {one.id}  {local_day(one.since)}  {one.agency}  {one.title}: {vi} / {en}")
    if packages and not over:
        output.say("Xem: tangthu quarantine show MÃ", "Look: tangthu quarantine show ID", "→")
    return 1 if packages and not over else 0


@command("show", parent=quarantine)
@click.argument("id", metavar="MÃ")
def show(context: Context, output: Output, id: str) -> int:
    """Một gói: thấy gì, ai đã quyết định gì. / One package: what was found, who decided what."""
    from administration.archive import Archive

    with Archive.open(context.home) as archive:
        package = archive.catalogue.quarantine.get(id)
    _tell(output, package)
    return 0


@command("approve", parent=quarantine)
@click.argument("id", metavar="MÃ")
@_PERSON
@_REASON
def approve(context: Context, output: Output, id: str, person: str, reason: str) -> int:
    """Đồng ý tiếp nhận gói như đang có. / Agree to take the package in as it is.

    Cần hai người khác nhau. Khi người thứ hai đồng ý, gói được tiếp nhận ngay; tệp có vi-rút được giữ nguyên, và sự
    kiện trong PREMIS ghi máy quét, tên vi-rút, cả hai người và lý do.

    Two different people must agree. When the second does, the package is taken in at once, infected files as they are,
    and the event in PREMIS names the scanner, the virus, both people and their reasons.
    """
    from metadata.catalogue.quarantine import Decision

    return _decide(context, output, id, Decision.RELEASE, person, reason)


@command("discard", parent=quarantine)
@click.argument("id", metavar="MÃ")
@_PERSON
@_REASON
def discard(context: Context, output: Output, id: str, person: str, reason: str) -> int:
    """Đồng ý hủy gói. / Agree to discard the package.

    Cần hai người khác nhau. Khi người thứ hai đồng ý, các tệp bị xóa khỏi khu cách ly; bản ghi vẫn còn.

    Two different people must agree. When the second does, its files are removed from quarantine; the record stays.
    """
    from metadata.catalogue.quarantine import Decision

    return _decide(context, output, id, Decision.DISCARD, person, reason)


def _decide(context: Context, output: Output, id: str, decision: Decision, person: str, reason: str) -> int:
    from administration.archive import Archive
    from administration.flows import decided_request, feed, work_options, workflows
    from administration.work.engine import WorkEngine
    from metadata.catalogue.quarantine import QuarantineState

    with Archive.open(context.home) as archive, output.progress() as advance:
        package = archive.decisions.vote(id, person, decision, reason)
        if package.state is not QuarantineState.HELD:
            request = decided_request(id)
            options = work_options(archive.settings, ("quarantine", "index"))

            def on_progress(_: str, step: str, done: int, total: int) -> None:
                advance(f"{id} ({step})", done, total)

            with WorkEngine(archive.settings.work_url, workflows(archive, on_progress), options) as engine:
                engine.enqueue(request)
                status = engine.wait([request.id])[request.id]
            if status.failure is not None:
                output.trouble(status.failure)
                return status.failure.exit_code
            feed(archive)
            package = archive.catalogue.quarantine.get(id)
    _tell(output, package)
    return 0


def document_of(package: QuarantinedPackage) -> dict[str, object]:
    """A package for programs."""
    from metadata.dates import utc_text

    return {
        "id": package.id,
        "state": package.state.value,
        "agency": package.agency.value,
        "objid": package.objid.value,
        "title": package.title,
        "name": package.name,
        "content": package.content.hex(),
        "since": utc_text(package.since),
        "scanner": package.scanner,
        "ended": utc_text(package.ended) if package.ended else None,
        "aip": package.aip or None,
        "votes": [
            {"person": vote.person, "decision": vote.decision.value, "reason": vote.reason, "at": utc_text(vote.at)}
            for vote in package.votes
        ],
        "receipt": json.loads(package.receipt),
    }


def _tell(output: Output, package: QuarantinedPackage) -> None:
    from ingest.quarantine import QUARANTINE_CODES
    from ingest.receipt import Receipt

    output.document({"package": document_of(package)})
    vi, en, mark = _state(package)
    output.say(f"{package.id}: {vi}", en, mark)
    output.line(f"  {package.title}")
    output.line(f"  {package.agency}  {package.objid}  {package.name}  {local_text(package.since)}")
    output.line(f"  {package.scanner}")
    for finding in Receipt.from_json(package.receipt).findings:
        if finding.code in QUARANTINE_CODES:
            output.line(f"  {finding.code}  {finding.message.vi}")
            output.line(f"  {' ' * len(finding.code)}  {finding.message.en}")
    for vote in package.votes:
        word = "tiếp nhận / release" if vote.decision.value == "release" else "hủy / discard"
        output.line(f"  {local_text(vote.at)}  {vote.person}: {word}. {vote.reason}")
    if package.state.value == "held":
        output.say(
            "Cần hai người khác nhau cùng quyết định: tangthu quarantine approve (tiếp nhận) hoặc discard (hủy).",
            "Two different people must decide the same: tangthu quarantine approve or discard.",
            "→",
        )


def _state(package: QuarantinedPackage) -> tuple[str, str, str]:
    """What has become of it, in Vietnamese and in English, and its sign."""
    return {
        "held": ("đang chờ quyết định", "waits for a decision", "!"),
        "releasing": ("đã được cho ra, đang tiếp nhận", "released, being taken in", "•"),
        "released": (f"đã được tiếp nhận thành AIP {package.aip}", f"taken in as AIP {package.aip}", "✓"),
        "discarding": ("đã quyết định hủy", "to be discarded", "•"),
        "discarded": ("đã hủy", "discarded", "✓"),
    }[package.state.value]
