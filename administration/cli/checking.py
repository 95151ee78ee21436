"""Commands that prove: audit, verify."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from administration.cli.app import Context, command
from administration.cli.output import Output, size_text
from metadata.errors import UsageError
from metadata.text import Sentence

if TYPE_CHECKING:
    from administration.archive import Archive
    from preservation.audit_report import AuditReport

_WORDS = {
    "MATCH": "khớp (MATCH)",
    "MISMATCH": "hư hại (MISMATCH)",
    "MISSING": "mất (MISSING)",
    "UNREADABLE": "chưa đọc được (UNREADABLE)",
    "NOT_CHECKED": "chưa kiểm tra (NOT_CHECKED)",
}


@command("audit")
@click.argument("aips", nargs=-1, metavar="[AIP…]")
@click.option("--all", "everything", is_flag=True, help="Mọi gói, dù chưa đến hạn. / All AIPs, due or not.")
def audit(context: Context, output: Output, aips: tuple[str, ...], everything: bool) -> int:
    """Kiểm tra tính toàn vẹn. / Check fixity.

    Đọc lại từng byte của mọi bản sao và so với mã băm: mặc định những gói đến hạn, hoặc những AIP được nêu, hoặc
    --all. Nơi lưu đang tạm dừng, ngoài giờ hay hết kinh phí kiểm tra thì chỉ đọc khi gói được nêu. Hư hại chỉ được báo
    khi hai lần đọc cho cùng kết quả; mọi kết quả đều thành sự kiện PREMIS. Lệnh này đọc ngay ở đây và đợi đến khi xong;
    muốn máy chủ đọc, tạm dừng hay giới hạn được: «tangthu audits».

    Reads every byte of every replica and compares digests: those that are due, or the AIPs named, or --all. What is due
    in a store whose audit is paused, out of hours or out of money is left, unless its AIP is named. Damage is told only
    when two reads agree; every outcome becomes a PREMIS event. It reads here and now, and waits; to leave it to the
    server, and to pause or limit it: “tangthu audits”. Exit code 1 when damage was found.
    """
    from administration.archive import Archive
    from administration.audits import waiting_stores
    from administration.flows import audit_to_json

    if aips and everything:
        raise UsageError(Sentence("AIP… hoặc --all, không phải cả hai.", "AIP… or --all, not both."))
    if aips == ("list",):
        raise UsageError(Sentence("Để xem danh sách: tangthu audits list.", "To see the list: tangthu audits list."))
    with Archive.open(context.home) as archive, output.progress() as advance:
        report = _audit(archive, aips, everything, lambda done, total: advance("kiểm tra / audit", done, total))
        waiting = {} if aips or everything else waiting_stores(archive)
    told = {name: {"vi": why.vi, "en": why.en} for name, why in waiting.items()}
    output.document(audit_to_json(report) | {"waiting": told})
    _tell(output, report, due_only=not aips and not everything)
    for name, why in waiting.items():
        output.say(f"{name}: {why.vi}", why.en, "!")
    return 1 if report.damaged else 4 if report.postponed else 0


def _tell(output: Output, report: AuditReport, *, due_only: bool) -> None:
    """What was found, and what to do next."""
    outcomes = ", ".join(f"{_WORDS[outcome.value]} {count}" for outcome, count in sorted(report.replicas.items()))
    output.say(
        f"Đã kiểm tra {report.audited} gói, đọc {size_text(report.bytes_read)}: {outcomes or 'không có gì đến hạn'}.",
        f"{report.audited} AIPs audited.",
        "✗" if report.damaged else "✓",
    )
    for one in report.damaged:
        for check in one.damaged:
            output.line(f"  {check.outcome}  {one.version}  {check.store}: {check.note}")
    if report.damaged:
        output.say(
            "Hãy sửa: tangthu repair. Đã thấy gì, việc gì còn phải làm: tangthu incidents list.",
            "Repair it: tangthu repair. What was found and is still to be done: tangthu incidents list.",
            "→",
        )
    elif not report.audited and due_only:
        output.say(
            "Khi nào đến hạn: tangthu coverage. Đọc lại ngay dù chưa đến hạn: tangthu audit --all.",
            "When it will be due: tangthu coverage. To read now what is not due: tangthu audit --all.",
            "→",
        )
    if report.shelved:
        output.say(
            f"{report.shelved} bản sao nằm ở phương tiện chưa nối vào máy: không tốt cũng không xấu, chưa kiểm tra.",
            f"{report.shelved} replicas lie on media that are not connected: neither good nor bad, not checked.",
            "•",
        )
    if report.postponed:
        output.say(
            f"{report.postponed} gói phải để lại lần sau: tiến trình khác đang đọc, hoặc nơi lưu không trả lời.",
            f"{report.postponed} AIPs were put off: another worker is at them, or a store does not answer.",
            "!",
        )


def _audit(
    archive: Archive, aips: tuple[str, ...], everything: bool, advance: Callable[[int, int], None]
) -> AuditReport:
    from preservation.audit_report import AuditReport

    total = AuditReport()
    read = 0
    expected = 0

    def on_progress(count: int) -> None:
        nonlocal read
        read += count
        advance(read, expected)

    if not aips and not everything:
        while True:
            batch = archive.standing.step(archive.settings.count("audit.batch"), on_progress=on_progress)
            total.include(batch)
            if not batch.audited:
                return total
    holdings = archive.catalogue.holdings
    if everything:
        expected = sum(version.size for version in holdings.every_version()) * len(archive.stores)
        return archive.auditor.audit_each((version.id for version in holdings.every_version()), on_progress)
    versions = [archive.shelf.held(aip) for aip in aips]
    expected = sum(version.size for version in versions) * len(archive.stores)
    for version in versions:
        total.add(archive.auditor.audit(version.id, on_progress))
    return total


@command("verify")
@click.argument("file", metavar="TỆP.zip|THƯ-MỤC", type=click.Path(exists=True, path_type=Path))
def verify(context: Context, output: Output, file: Path) -> int:
    """Kiểm tra một gói AIP, hoặc cả một bộ, ngoài kho. / Verify an AIP, or a whole set, off-line.

    Không cần kho lưu trữ: chỉ dùng các bảng kê mã băm trong chính gói. Từng byte của tệp đều được đối chiếu.
    Với một thư mục của nơi lưu (ổ rời, băng từ): mọi gói, nhật ký, và danh mục của bộ nếu bộ đã đóng.

    Needs no archive: the AIP's own manifests are enough. Every byte of the file is accounted for. Of a store's folder
    (a removable disk, a tape): every AIP, every log, and the set's manifest when it was closed. Exit code 1 when
    anything is not as it should be, 7 when the file cannot be read as an AIP.
    """
    if file.is_dir():
        from administration.cli.media import verify_medium

        return verify_medium(output, file)
    from administration.cli.one_file import OneFile
    from metadata.outcomes import Fixity
    from storage.aip.verify import verify_object

    with output.progress() as advance:
        read, size = 0, file.stat().st_size

        def on_progress(count: int) -> None:
            nonlocal read
            read += count
            advance(file.name, read, size)

        verdict = verify_object(OneFile(file), file.name, None, on_progress)
    output.document(
        {
            "file": str(file),
            "outcome": verdict.outcome.value,
            "bytes_read": verdict.bytes_read,
            "damage_count": verdict.damage_count,
            "damages": [
                {"place": one.place, "kind": one.kind.value, "expected": one.expected, "found": one.found}
                for one in verdict.damages
            ],
            "reason": str(verdict.reason) if verdict.reason else None,
        }
    )
    if verdict.outcome is Fixity.MATCH:
        output.say(f"{file.name}: nguyên vẹn ({size_text(size)}).", "Intact.", "✓")
        return 0
    if verdict.outcome is Fixity.MISMATCH:
        output.say(f"{file.name}: có {verdict.damage_count} chỗ hư hại.", f"{verdict.damage_count} damages.", "✗")
        for one in verdict.damages:
            output.line(f"  {one.kind}  {one.place}  {one.expected} ≠ {one.found}")
        return 1
    output.say(
        f"{file.name}: không đọc được. {verdict.reason.vi if verdict.reason else ''}",
        verdict.reason.en if verdict.reason else "Cannot be read.",
        "✗",
    )
    return 7
