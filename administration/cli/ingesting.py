"""Commands that take packages in: ingest, worker."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from administration.cli.app import Context, command
from administration.cli.output import Output, size_text

if TYPE_CHECKING:
    from administration.work.engine import WorkEngine
    from administration.work.plan import JobStatus
    from ingest.receipt import Receipt

_EXIT = {"accepted": 0, "refused": 3, "quarantined": 1}


@command("ingest")
@click.argument("paths", nargs=-1, required=True, metavar="GÓI-TIN…", type=click.Path(exists=True, path_type=Path))
@click.option("--agency", help="Mã cơ quan nộp, khi gói tin không ghi. / The agency's code, when the package has none.")
@click.option("--fonds", help="Mã phông, khi gói tin không ghi. / The fonds' code, when the package has none.")
@click.option("--later", is_flag=True, help="Chỉ xếp hàng cho «tangthu worker». / Only queue it for “tangthu worker”.")
def ingest(
    context: Context, output: Output, paths: tuple[Path, ...], agency: str | None, fonds: str | None, later: bool
) -> int:
    """Tiếp nhận gói tin. / Take packages in.

    GÓI-TIN là một thư mục, tệp ZIP hoặc TAR: SIP hoặc AIP (hồ sơ, tài liệu) theo Thông tư 05/2025/TT-BNV, SIP của
    E-ARK, hoặc gói BagIt. Mỗi gói được kiểm tra, lưu thành một đối tượng AIP ở mọi nơi lưu, đọc lại cho khớp rồi mới có
    biên nhận. Gói bị từ chối không để lại gì; các gói khác vẫn tiếp tục. Gửi lại một gói đã có sẽ nhận lại đúng biên
    nhận cũ. Gói có vi-rút hoặc có tệp không quét được thì vào khu cách ly (mã thoát 1), chờ hai người quyết định. Khi
    máy quét vi-rút vắng mặt, lệnh chờ và tự tiếp tục khi máy quét trở lại.

    A package is a folder, ZIP or TAR: a SIP or AIP (of a dossier or of loose documents) of Circular 05/2025/TT-BNV, a
    SIP of E-ARK, or a BagIt bag. Each is checked, stored as one AIP object in every store, read back and matched, and
    only then receipted. A refused package leaves nothing and the others go on. Sending again what is held gives the
    same receipt again. A package with a virus, or with a file that could not be scanned, goes into quarantine (exit
    code 1) until two people decide. While the virus scanner is away the command waits, and goes on by itself.

    Nếu lệnh bị ngắt giữa chừng, hãy chạy lại: việc dở dang tiếp tục ở đúng bước đang làm.

    When it is cut off, run it again: what was begun goes on at the step where it was.
    """
    from administration.archive import Archive
    from administration.flows import ingest_request, work_options, workflows
    from administration.work.engine import WorkEngine

    _check_codes(agency, fonds)
    requests = {}
    with Archive.open(context.home) as archive, output.progress() as advance:
        _ = archive.token  # an archive that was never made is told at once
        names: dict[str, str] = {}

        def on_progress(job: str, step: str, done: int, total: int) -> None:
            advance(f"{names.get(job, job)} ({step})", done, total)

        queues = () if later else ("ingest", "index")
        with WorkEngine(
            archive.settings.work_url, workflows(archive, on_progress), work_options(archive.settings, queues)
        ) as engine:
            going = _going_on(engine)
            for path in paths:
                asked = {"path": str(path.resolve()), "agency": agency, "fonds": fonds}
                job = going.get(tuple(asked.values()))
                if job is None:
                    request = ingest_request(str(path.resolve()), agency, fonds)
                    engine.enqueue(request)
                    job = request.id
                requests[path] = job
                names[job] = path.name
            statuses = engine.status(requests.values()) if later else engine.wait(list(requests.values()))
            if not later:
                from administration.flows import feed

                feed(archive)
    if later:
        output.document({"queued": list(requests.values())})
        output.say(f"Đã xếp hàng {len(requests)} gói tin.", f"{len(requests)} packages queued.", "✓")
        return 0
    return _report(output, {path: statuses[job] for path, job in requests.items()})


def _check_codes(agency: str | None, fonds: str | None) -> None:
    from metadata.errors import UsageError
    from metadata.identifiers import AgencyCode, FondsCode
    from metadata.text import Sentence

    for kind, code in ((AgencyCode, agency), (FondsCode, fonds)):
        try:
            kind(code or "-")
        except ValueError as error:
            raise UsageError(Sentence(f"Mã không hợp lệ: «{code}».", f"Not a valid code: “{code}”.")) from error


def _going_on(engine: WorkEngine) -> Mapping[tuple[object, ...], str]:
    """Jobs that an earlier command left unfinished, by what they were asked."""
    found: dict[tuple[object, ...], str] = {}
    for job in engine.unfinished("ingest"):
        asked = cast("Mapping[str, object]", job.argument)
        found[asked["path"], asked["agency"], asked["fonds"]] = job.id
    return found


def _report(output: Output, statuses: Mapping[Path, JobStatus]) -> int:
    from ingest.receipt import Receipt

    results: list[dict[str, object]] = []
    codes = set()
    for path, status in statuses.items():
        if status.failure is not None or not isinstance(status.value, dict):
            failure = status.failure
            codes.add(failure.exit_code if failure else 4)
            results.append({"path": str(path), "error": failure.to_json() if failure else None})
            if failure and not output.as_json:
                output.say(f"{path.name}: {failure.sentence.vi}", failure.sentence.en, "✗")
            continue
        receipt = Receipt.from_json(str(status.value["receipt"]))
        codes.add(_EXIT[receipt.verdict.value])
        results.append({"path": str(path), "receipt": _document(receipt)})
        _tell(output, path, receipt)
    output.document({"packages": results})
    _summary(output, results)
    # What may be tried again is told before what may not, so that a script knows to come back.
    return next((code for code in (70, 4, 3, 1) if code in codes), max(codes, default=0))


def _summary(output: Output, results: Sequence[Mapping[str, object]]) -> None:
    """How many came in, after a list that may be long."""
    verdicts = Counter(str(_verdict(one)) for one in results)
    if len(results) > 1:
        output.say(
            f"{len(results)} gói: {verdicts['accepted']} đã lưu, {verdicts['refused']} bị từ chối, "
            f"{verdicts['quarantined']} bị cách ly, {verdicts['None']} chưa làm được (hãy chạy lại).",
            f"{len(results)} packages: {verdicts['accepted']} kept, {verdicts['refused']} refused, "
            f"{verdicts['quarantined']} in quarantine, {verdicts['None']} could not be dealt with (run it again).",
        )
    if verdicts["quarantined"]:
        output.say("Gói bị cách ly: tangthu quarantine list", "In quarantine: tangthu quarantine list", "→")
    if verdicts["accepted"]:
        output.say("Xem: tangthu show AIP; tìm: tangthu search TỪ", "Look: tangthu show; find: tangthu search", "→")


def _verdict(result: Mapping[str, object]) -> object:
    receipt = result.get("receipt")
    return receipt["verdict"] if isinstance(receipt, Mapping) else None


def _document(receipt: Receipt) -> object:
    import json

    return json.loads(receipt.to_json())


def _tell(output: Output, path: Path, receipt: Receipt) -> None:
    from ingest.receipt import Verdict

    if receipt.verdict is Verdict.ACCEPTED:
        output.say(
            f"{path.name}: đã lưu {receipt.files} tệp ({size_text(receipt.bytes)}) tại {', '.join(receipt.stores)}",
            f"{receipt.title}",
            "✓",
        )
        output.line(f"  AIP {receipt.aip}-v{receipt.version}")
    elif receipt.verdict is Verdict.QUARANTINED:
        output.say(
            f"{path.name}: được cách ly ({receipt.quarantine}), chờ hai người quyết định",
            "in quarantine until two people decide: tangthu quarantine show",
            "!",
        )
    else:
        output.say(f"{path.name}: bị từ chối, không lưu gì", "refused, nothing was kept", "✗")
    for finding in receipt.findings:
        output.line(f"  {finding.code}  {finding.message.vi}")
        output.line(f"  {' ' * len(finding.code)}  {finding.message.en}")


@command("worker")
@click.option("--no-clock", is_flag=True, help="Không tự khởi động kiểm tra định kỳ. / Start no scheduled audits.")
def worker(context: Context, output: Output, no_clock: bool) -> int:
    """Xử lý hàng đợi cho đến khi được dừng. / Work on the queues until stopped.

    Tiếp nhận, kiểm tra, sửa chữa, cập nhật chỉ mục. Có thể chạy nhiều tiến trình, trên nhiều máy khi work.url là
    PostgreSQL. Tiến trình nào chết thì việc của nó được tiến trình khác làm tiếp. Dừng bằng Ctrl-C hoặc SIGTERM.

    Ingests, audits, repairs, indexes. Several may run, on several machines when work.url is PostgreSQL; another goes
    on with the work of one that dies. Stop it with Ctrl-C or SIGTERM: it finishes the step it is at.
    """
    import signal
    import threading
    from contextlib import ExitStack

    from administration.archive import Archive
    from administration.flows import chimes, work_options, workflows
    from administration.work.clock import Clock
    from administration.work.engine import WorkEngine

    stop = threading.Event()
    with ExitStack() as stack:
        archive = stack.enter_context(Archive.open(context.home))
        _ = archive.token
        for number in (signal.SIGTERM, signal.SIGINT):
            stack.callback(signal.signal, number, signal.signal(number, lambda *_: stop.set()))
        settings = archive.settings
        engine = stack.enter_context(WorkEngine(settings.work_url, workflows(archive), work_options(settings)))
        if not no_clock:
            stack.enter_context(Clock(engine.enqueue, chimes(settings)))
        output.say(f"Đang chờ việc ({engine.executor}). Ctrl-C để dừng.", "Waiting for work. Ctrl-C stops.", "•")
        stop.wait()
    output.document({"stopped": True})
    return 0
