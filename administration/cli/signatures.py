"""Commands about digital signatures: signatures, trust. Neither needs an archive's catalogue."""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

import click

from administration.cli.app import EXIT_CODES, Context, command, group
from administration.cli.formats import files_of, open_file
from administration.cli.output import Output
from administration.settings import find_home
from metadata.errors import Unreadable, UsageError
from metadata.text import Sentence

if TYPE_CHECKING:
    from preservation.signatures.port import Evidence, SignatureChecker, SignatureReport, SignatureVerdict
    from preservation.signatures.trust import TrustStore

_VIETNAM = timezone(timedelta(hours=7))
_SIGNED_ASIDE = (".p7s", ".p7m")
_ROLES = ("root", "intermediate", "tsa-root", "crl", "ocsp")
_MARKS = {"VALID": "✓", "VALID_WITH_NOTES": "✓", "INDETERMINATE": "?", "UNREADABLE": "!", "INVALID": "✗"}


@command("signatures")
@click.argument("paths", nargs=-1, required=True, metavar="TỆP…", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--trust",
    metavar="THƯ-MỤC",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Kho tin cậy; mặc định thư mục trust của kho lưu trữ. / The trust store; else the archive's folder trust.",
)
@click.option(
    "--at",
    metavar="NGÀY",
    help="Hỏi hiệu lực vào lúc nào, YYYY-MM-DD hoặc YYYY-MM-DDThh:mm; mặc định bây giờ. / Validity as of when.",
)
@click.option(
    "--keep",
    metavar="THƯ-MỤC",
    type=click.Path(file_okay=False, path_type=Path),
    help="Nơi lưu bằng chứng; bằng chứng đã có ở đó được dùng lại. / Where evidence is kept and taken from.",
)
@click.option(
    "--fetch-from",
    "hosts",
    metavar="MÁY-CHỦ",
    multiple=True,
    help="Cho phép lấy OCSP, CRL từ máy chủ này; mặc định không dùng mạng. / Allow fetching from this host; none else.",
)
def signatures(
    context: Context,
    output: Output,
    paths: tuple[Path, ...],
    trust: Path | None,
    at: str | None,
    keep: Path | None,
    hosts: tuple[str, ...],
) -> int:
    """Kiểm tra chữ ký số. / Check digital signatures.

    Không cần kho lưu trữ; không dùng mạng nếu không có --fetch-from. Chữ ký trong PDF (PAdES), trong XML (XAdES) và tệp
    .p7s, .p7m bên cạnh tệp được ký (CAdES: báo-cáo.docx.p7s ký báo-cáo.docx). Kết luận cho từng chữ ký: VALID (hợp lệ),
    VALID_WITH_NOTES (hợp lệ, có lưu ý), INDETERMINATE (chưa kết luận được), INVALID (không hợp lệ), UNREADABLE (không
    đọc được), kèm lý do và việc cần làm. Chữ ký bên trong tệp văn phòng và gói ASiC chưa được xét. Kho tin cậy do đơn
    vị lập: tangthu trust add.

    Needs no archive, and no network without --fetch-from. Signatures in PDF (PAdES), in XML (XAdES), and .p7s or .p7m
    files beside what they sign (CAdES: report.docx.p7s signs report.docx). Each gets a verdict with its reasons and
    what to do. Signatures inside office files and ASiC containers are not judged. What is trusted is yours to say:
    tangthu trust add. Exit code 1 when a signature is not VALID or VALID_WITH_NOTES.

    \b
    Ví dụ / Examples:
      tangthu signatures quyết-định.pdf --trust ./tin-cậy
      tangthu signatures hồ-sơ/ --keep ./bằng-chứng --json
      tangthu signatures quyết-định.pdf --at 2036-01-01 --keep ./bằng-chứng
      tangthu signatures quyết-định.pdf --keep ./bằng-chứng --fetch-from ocsp.ca.gov.vn
    """
    if hosts and at is not None:
        raise UsageError(
            Sentence(
                "--fetch-from hỏi hiệu lực lúc này, không dùng cùng --at.",
                "--fetch-from asks about the present and does not go with --at.",
            )
        )
    moment = _moment(at)
    store = trust_of(context, trust)
    files = list(files_of(paths))
    results = []
    with closing(_checker(store, hosts)) as checker, output.progress(count_bytes=False) as advance:
        for number, path in enumerate(files, 1):
            report = _check(checker, path, moment, keep)
            # Evidence and reports can be large: they stay only where they are shown.
            results.append((path, report if output.as_json else replace(report, evidence={}, report=b"")))
            advance("chữ ký / signatures", number, len(files))
    return _told(output, store, moment, results)


def _told(output: Output, store: TrustStore, moment: datetime, results: list[tuple[Path, SignatureReport]]) -> int:
    """Say what was found in each file; the exit code."""
    output.document(
        {
            "trust_store": {"version": store.version, "sha256": store.digest},
            "at": moment.isoformat(),
            "files": [{"path": str(path)} | report.fields() for path, report in results],
        }
    )
    if not any(entry.role == "root" for entry in store.entries):
        output.say(
            "Kho tin cậy chưa có chứng thư gốc nào nên không chữ ký nào có thể hợp lệ: xem tangthu trust add.",
            "The trust store has no root, so no signature can be valid: see tangthu trust add.",
            "!",
        )
    for path, report in results:
        _tell(output, path, report)
    outcomes = [report.outcome for _, report in results if report.outcome is not None]
    return 0 if all(outcome.value.startswith("VALID") for outcome in outcomes) else 1


@group.group("trust", epilog=EXIT_CODES)
def trust() -> None:
    """Kho tin cậy cho chữ ký số. / The trust store for digital signatures."""


@command("add", parent=trust)
@click.argument("file", metavar="TỆP", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--role",
    required=True,
    type=click.Choice(_ROLES),
    help="Vai trò. Gốc của chữ ký (root) không là gốc của dấu thời gian (tsa-root): gốc của cả hai thì thêm hai lần. "
    "/ What it is. A root of signers is no root of timestamps: add it in both roles when it is both.",
)
@click.option("--source", required=True, help="Ai xác nhận mã vân tay, bằng cách nào. / Who confirmed it, and how.")
@click.option("--sha256", help="Mã vân tay SHA-256 do nguồn tin cậy công bố. / The fingerprint as published.")
@click.option("--from", "start", metavar="NGÀY", help="Tin cậy từ ngày. / Trusted from this day on.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Kho tin cậy; mặc định thư mục trust của kho lưu trữ. / The trust store; else the archive's folder trust.",
)
def add(
    context: Context,
    output: Output,
    file: Path,
    role: str,
    source: str,
    sha256: str | None,
    start: str | None,
    folder: Path | None,
) -> int:
    """Thêm chứng thư số hoặc câu trả lời thu hồi. / Add a certificate or revocation answer.

    Chứng thư gốc phải kèm mã vân tay SHA-256 nhận qua kênh khác (văn bản, điện thoại), không phải tính từ chính tệp.

    A root must come with its SHA-256 fingerprint from another channel (a letter, a call), not computed from the file.
    """
    from preservation.signatures.trust import LARGEST, add_entry, fingerprint

    folder = folder or find_home(context.given) / "trust"
    if sha256 is None and role in ("root", "tsa-root"):
        raise UsageError(
            Sentence(
                "Chứng thư gốc cần --sha256: mã vân tay do nguồn tin cậy công bố.",
                "A root needs --sha256: the fingerprint as its owner publishes it.",
            )
        )
    with file.open("rb") as stream:
        data = stream.read(LARGEST[role] + 1)
    found = fingerprint(data, role)
    if sha256 is not None and "".join(c for c in sha256.lower() if c not in ": ") != found:
        raise UsageError(
            Sentence(
                f"Mã vân tay của tệp là {found}, khác với mã được nêu. Không thêm gì.",
                f"The file's fingerprint is {found}, not the one given. Nothing was added.",
            )
        )
    today = datetime.now(UTC).date()
    digest = add_entry(folder, data, role, source, today, _day(start) if start else None)
    output.document({"folder": str(folder), "role": role, "sha256": digest})
    output.say(f"Đã thêm vào {folder}: {digest}", f"Added as {role}.", "✓")
    return 0


@command("show", parent=trust)
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Kho tin cậy; mặc định thư mục trust của kho lưu trữ. / The trust store; else the archive's folder trust.",
)
def show(context: Context, output: Output, folder: Path | None) -> int:
    """Xem kho tin cậy, đối chiếu mã băm. / Show the trust store, verified against its digests."""
    store = trust_of(context, folder)
    output.document(
        {"version": store.version, "sha256": store.digest, "entries": [entry.words() for entry in store.entries]}
    )
    output.line(f"{store.version}  {store.digest}")
    if not store.entries:
        output.say(
            "Kho tin cậy còn trống nên chưa chữ ký nào hợp lệ được: thêm chứng thư gốc bằng tangthu trust add.",
            "The trust store is empty, so no signature can be valid: add a root by tangthu trust add.",
            "!",
        )
    for entry in store.entries:
        output.line(f"{entry.role:12}  {entry.sha256}  {entry.trusted_from}  {entry.source}")
    return 0


def trust_of(context: Context, folder: Path | None = None) -> TrustStore:
    """The store in ``folder``, else the archive's where there is one; else an empty one."""
    from preservation.signatures.trust import INDEX, TrustStore

    if folder is not None:
        return TrustStore.load(folder)
    try:
        home = find_home(context.given) / "trust"
    except UsageError:
        return TrustStore()
    return TrustStore.load(home) if (home / INDEX).exists() else TrustStore()


def _checker(store: TrustStore, hosts: tuple[str, ...]) -> SignatureChecker:
    from preservation.signatures.checker import PyHankoChecker, equipment_of
    from preservation.signatures.fetching import AllowedHost, Fetcher, FetchingChecker
    from preservation.workshop.pool import ChildWorkshop

    if not hosts:
        return PyHankoChecker(store)
    allowed = tuple(AllowedHost.of(host) for host in hosts)
    workshop = ChildWorkshop(equipment_of(store), children=1)
    return FetchingChecker(PyHankoChecker(store, workshop), Fetcher(allowed, workshop), workshop.close)


def _moment(text: str | None) -> datetime:
    """A day means its end; without a zone, Vietnam's time."""
    if text is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise _no_date(text) from error
    if "T" not in text and " " not in text:
        moment = datetime.combine(moment.date(), time(23, 59, 59))
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=_VIETNAM)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise _no_date(text) from error


def _no_date(text: str) -> UsageError:
    return UsageError(Sentence(f"{text}: ngày viết dạng YYYY-MM-DD.", f"{text}: write a day as YYYY-MM-DD."))


def _check(checker: SignatureChecker, path: Path, moment: datetime, keep: Path | None) -> SignatureReport:
    from preservation.signatures.outcomes import reason
    from preservation.signatures.port import Question, SignatureReport

    content = path.with_suffix("") if path.suffix.lower() in _SIGNED_ASIDE else None
    with ExitStack() as stack:
        try:
            file = stack.enter_context(open_file(path))
        except OSError as error:
            what = error.strerror or type(error).__name__
            return SignatureReport(reasons=(reason("SIG-FILE-UNREADABLE", what=what),))
        beside = stack.enter_context(content.open("rb")) if content is not None and content.is_file() else None
        report = checker.check(Question(file, moment, datetime.now(UTC), beside, _kept(keep, path), path.name))
    _keep(keep, path, report)
    return report


def _kept(keep: Path | None, path: Path) -> Evidence | None:
    import json

    file = _evidence_file(keep, path)
    if file is None or not file.exists():
        return None
    try:
        return dict(json.loads(file.read_bytes()))
    except ValueError as error:
        raise Unreadable(
            Sentence(f"Bằng chứng {file} không đọc được.", f"The evidence {file} cannot be read.")
        ) from error


def _keep(keep: Path | None, path: Path, report: SignatureReport) -> None:
    """Evidence is written once, and over older evidence only when more was fetched for the same time of proof."""
    from preservation.signatures.evidence import canonical

    file, old = _evidence_file(keep, path), _kept(keep, path)
    if file is None or not report.evidence:
        return
    same_time = old is not None and old.get("proof_of_existence") == report.evidence["proof_of_existence"]
    if old is None or (same_time and len(report.evidence.get("fetched", ())) > len(old.get("fetched", ()))):
        file.parent.mkdir(parents=True, exist_ok=True)
        new = file.with_suffix(".new")
        new.write_bytes(canonical(report.evidence))
        new.replace(file)


def _evidence_file(keep: Path | None, path: Path) -> Path | None:
    from preservation.signatures.evidence import sha256_of

    if keep is None:
        return None
    with path.open("rb") as stream:
        return keep / f"{sha256_of(stream)}.json"


def _tell(output: Output, path: Path, report: SignatureReport) -> None:
    if report.outcome is None:
        output.line(f"—  {path}  (không thấy chữ ký thuộc loại được xét / no signature of a kind that is judged)")
        return
    output.line(f"{_MARKS[report.outcome]}  {path}  {report.outcome}")
    for one in report.reasons:
        output.say(f"     {one.code}  {one.sentence.vi}", f"     {one.sentence.en}")
    for verdict in report.verdicts:
        _tell_verdict(output, verdict)


def _tell_verdict(output: Output, verdict: SignatureVerdict) -> None:
    facts = verdict.facts
    who = facts.get("signer") or facts.get("timestamp_authority") or ""
    when = facts.get("proved_time") or facts.get("timestamp") or ""
    output.line(f"   {verdict.outcome:16}  {verdict.kind}  {verdict.name}  {who}  {when}".rstrip())
    for one in verdict.reasons:
        output.say(f"     {one.code}  {one.sentence.vi}", f"     {one.sentence.en}")
