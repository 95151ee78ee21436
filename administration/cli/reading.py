"""Commands that look and fetch: show, get, search."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from administration.cli.app import Context, command
from administration.cli.output import Output, size_text
from metadata.dates import local_day, local_text
from metadata.errors import UsageError
from metadata.holdings import Role
from metadata.text import Sentence

if TYPE_CHECKING:
    from administration.archive import Archive
    from metadata.events import Event
    from metadata.holdings import AipVersion, Member, Record, Replica


@command("show")
@click.argument("aip", metavar="AIP")
@click.option("--files", is_flag=True, help="Cả danh sách tệp. / The list of files too.")
def show(context: Context, output: Output, aip: str, files: bool) -> int:
    """Xem một gói AIP. / Show an AIP.

    AIP là mã do «ingest» hoặc «search» cho biết, có hoặc không có -v1. Cho thấy hồ sơ, tài liệu, các bản sao và toàn
    bộ sự kiện PREMIS của gói.

    AIP is the id that “ingest” or “search” gave, with or without -v1. Shows the dossier, its documents, the replicas
    and every PREMIS event.
    """
    from administration.archive import Archive

    with Archive.open(context.home) as archive:
        shelf = archive.shelf
        version = shelf.held(aip)
        records = [shelf.dossier(version), *archive.catalogue.holdings.records(version.id, first=1)]
        events = shelf.events(version)
        replicas = shelf.replicas(version)
        members = list(archive.catalogue.holdings.members(version.id)) if files or output.as_json else []
    held = _Held(version, records, replicas, members, events)
    output.document(_document(held))
    _tell(output, held)
    return 0


@dataclass(frozen=True, slots=True)
class _Held:
    """All that is shown of one version."""

    version: AipVersion
    records: list[Record]
    replicas: Sequence[Replica]
    members: list[Member]
    events: Sequence[Event]


def _document(held: _Held) -> dict[str, object]:
    version = held.version
    return {
        "aip": str(version.id),
        "key": version.key,
        "agency": version.agency.value,
        "fonds": version.fonds.value,
        "objid": version.objid.value,
        "code": version.code.value,
        "title": version.title,
        "content": version.content.hex(),
        "size": version.size,
        "created": version.created.isoformat(),
        "replicas": [
            {
                "store": replica.store.value,
                "outcome": replica.outcome.value,
                "checked": replica.checked.isoformat() if replica.checked else None,
                "due": replica.due.isoformat(),
            }
            for replica in held.replicas
        ],
        "records": [_record(record) for record in held.records],
        "files": [_member(member) for member in held.members],
        "events": [_event(event) for event in held.events],
    }


def _tell(output: Output, held: _Held) -> None:
    version = held.version
    output.line(version.title)
    output.line(f"  {version.code}  ·  {version.agency}  ·  {version.fonds}  ·  {size_text(version.size)}")
    output.line(f"  {version.id}")
    output.line(f"  {version.key}")
    output.line()
    for record in held.records[1:]:
        output.line(f"  {record.number:>3}  {record.type_name or '—'}  {record.notation}  {record.title}")
    output.line()
    for replica in held.replicas:
        checked = f"{local_text(replica.checked)}" if replica.checked else "—"
        output.line(f"  {replica.store}: {replica.outcome}  ({checked}; hạn / due {local_day(replica.due)})")
    output.line()
    for event in held.events:
        store = f"  [{event.store}]" if event.store else ""
        output.line(f"  {local_text(event.at)}  {event.type}: {event.outcome}{store}")
        if event.note:
            output.line(f"    {event.note}")
    for member in held.members:
        output.line(f"  {member.size:>12}  {member.path}")
        if told := _found(member):
            output.line(f"{'':>16}{told}")


def _found(member: Member) -> str:
    """What checks found of a content file, in one line; empty when there is nothing that people ask for."""
    found = member.characteristics
    if found is None or member.role is not Role.CONTENT:
        return ""
    facts, told = found.facts, [f"{found.validity}", f"virus {found.virus}"]
    if found.signature is not None:
        told.append(f"chữ ký / signatures {found.signature} ({found.signatures})")
    if facts.pages is not None:
        told.append(f"{facts.pages} trang / pages")
    if facts.width and facts.height:
        told.append(f"{facts.width} × {facts.height}")
    return "  ·  ".join(told)


def _record(record: Record) -> dict[str, object]:
    return {
        "number": record.number,
        "level": record.level.value,
        "code": record.code,
        "title": record.title,
        "type": record.type_name,
        "notation": record.notation,
        "organ": record.organ,
        "start": record.start.iso,
        "end": record.end.iso,
        "access": record.access,
        "members": list(record.members),
    }


def _member(member: Member) -> dict[str, object]:
    return {
        "number": member.number,
        "path": member.path,
        "role": member.role.value,
        "size": member.size,
        "offset": member.data,
        "sha256": member.sha256.hex(),
        "puid": str(member.format.puid) if member.format and member.format.puid else None,
        "characteristics": member.characteristics.fields() if member.characteristics else None,
    }


def _event(event: Event) -> dict[str, object]:
    return {
        "id": str(event.id),
        "type": event.type.value,
        "at": event.at.isoformat(),
        "detail": event.detail,
        "outcome": event.outcome,
        "note": event.note,
        "agent": event.agent.name,
        "store": event.store.value if event.store else None,
        "links": [list(link) for link in event.links],
    }


@command("get")
@click.argument("aip", metavar="AIP")
@click.argument("member", metavar="TỆP")
@click.option(
    "-o", "--output", "target", type=click.Path(dir_okay=False, path_type=Path), help="Ghi ra tệp này. / Write here."
)
@click.option(
    "--range", "wanted", metavar="ĐẦU-CUỐI", help="Chỉ các byte này, như 0-1023. / These bytes only, as 0-1023."
)
def get(context: Context, output: Output, aip: str, member: str, target: Path | None, wanted: str | None) -> int:
    """Lấy một tệp từ trong gói AIP. / Fetch a file from inside an AIP.

    TỆP là đường dẫn trong gói (xem «show --files») hoặc số thứ tự của tài liệu. Chỉ đúng phần của tệp được đọc từ nơi
    lưu, và không byte nào ra khỏi kho mà chưa khớp mã băm: bản sao hư hại thì bản sao kia được dùng.

    TỆP is a path in the AIP (“show --files”) or a document's number. Only the file's own part of the object is read,
    and no byte leaves that was not verified: when one replica is damaged another is used.
    """
    from access.content import OutsideFileError, Span, read_range, verified_bytes
    from administration.archive import Archive

    if output.as_json and target is None:
        raise UsageError(Sentence("--json cần -o TỆP.", "--json needs -o FILE."))
    with Archive.open(context.home) as archive:
        version = archive.shelf.held(aip)
        found = _find(archive, version, member)
        span: Span | None = Span(0, found.size)
        if wanted is not None:
            try:
                span = read_range(f"bytes={wanted}", found.size)
            except OutsideFileError:
                span = None
            if span is None:
                raise UsageError(
                    Sentence(
                        f"--range {wanted}: tệp có {found.size} byte; hãy viết như 0-1023.",
                        f"--range {wanted}: the file has {found.size} bytes; write it as 0-1023.",
                    )
                )
        assert span is not None
        with _target(target) as out:
            for chunk in verified_bytes(archive.access, version, found, span):
                out.write(chunk)
    output.document(
        {"aip": str(version.id), "path": found.path, "sha256": found.sha256.hex(), "size": found.size,
         "start": span.start, "length": span.length, "written": str(target)}
    )  # fmt: skip
    if target is not None:
        output.say(f"Đã ghi {size_text(span.length)} vào {target}, khớp mã băm.", "Written, digest verified.", "✓")
    return 0


def _find(archive: Archive, version: AipVersion, name: str) -> Member:
    if name.isascii() and name.isdigit():
        document = archive.shelf.document(version, int(name))
        if document.members:
            return document.members[0]
    return archive.shelf.file(version, name)


@contextlib.contextmanager
def _target(path: Path | None) -> Iterator[BinaryIO]:
    """Where to write; a file appears whole or not at all."""
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@command("search")
@click.argument("words", nargs=-1, required=True, metavar="TỪ…")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 100), help="Số kết quả. / How many.")
def search(context: Context, output: Output, words: tuple[str, ...], limit: int) -> int:
    """Tìm hồ sơ, tài liệu. / Search dossiers and documents.

    Gõ có dấu hay không dấu đều được: «cong van» tìm thấy «công văn»; viết đúng dấu thì đứng trước. Cụm từ đặt trong
    ngoặc kép.

    With or without diacritics: “cong van” finds “công văn”; exact spelling comes first. Phrases in quotes.
    """
    from access.search.port import TEXT_FIELD, Rights, SearchQuery
    from administration.archive import Archive
    from administration.flows import feed

    with Archive.open(context.home) as archive:
        feed(archive)
        results = archive.index.search(SearchQuery(" ".join(words), limit=limit), Rights.everything())
    output.document(
        {
            "total": results.total,
            "hits": [
                {
                    "aip": str(hit.entry.version),
                    "number": hit.entry.number,
                    "level": hit.entry.level.value,
                    "title": hit.entry.title,
                    "notation": hit.entry.notation,
                    "organ": hit.entry.organ,
                    "date": hit.entry.start.iso,
                    "dossier": hit.entry.dossier_title,
                    "passage": hit.snippet.text if hit.snippet else None,
                }
                for hit in results.hits
            ],
        }
    )
    for hit in results.hits:
        entry = hit.entry
        what = " ".join(part for part in (entry.type_name, entry.notation) if part)
        output.line(f"{entry.title}")
        output.line(f"  {what or entry.code}  ·  {entry.organ or entry.agency}  ·  {entry.start.tt05}")
        output.line(f"  AIP {entry.version}  {f'tài liệu / document {entry.number}' if entry.number else ''}".rstrip())
        if hit.snippet and hit.snippet_field == TEXT_FIELD:
            output.line(f"  “{' '.join(hit.snippet.text.split())}”")
    output.say(f"{results.total} kết quả.", f"{results.total} results.")
    if results.total:
        output.say(
            "Xem: tangthu show AIP; lấy một tài liệu: tangthu get AIP SỐ -o TỆP",
            "Look: tangthu show AIP; fetch a document: tangthu get AIP NUMBER -o FILE",
            "→",
        )
    else:
        output.say(
            "Hãy thử ít từ hơn, hoặc bỏ ngoặc kép. Kho còn trống: tiếp nhận trước bằng tangthu ingest GÓI-TIN…",
            "Try fewer words, or no quotes. When nothing is held yet, take packages in first: tangthu ingest.",
            "→",
        )
    return 0 if results.total else 5
