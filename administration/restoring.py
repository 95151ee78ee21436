"""An archive on an empty machine: out of the newest backup that the stores have, and what the stores tell beyond it.

The settings' file is written last: until everything is back there is no archive in the folder, and the same command
begins again. Without any backup the catalogue is rebuilt from the AIPs alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from administration.archive import Archive, write_settings
from administration.restored_settings import as_toml, settled
from administration.settings import FILE_NAME, Settings, parse_here
from metadata.errors import AlreadyExists, Damaged, NotFound, Unreadable, UsageError
from metadata.identifiers import StoreId
from metadata.journal import EntryKind
from metadata.outcomes import Fixity
from metadata.text import Sentence
from storage.marker import MARKER_BYTES, MARKER_KEY, Marker

if TYPE_CHECKING:
    from preservation.rebuild import RebuildReport
    from preservation.restore import Chain, Loaded
    from storage.port import Store

_UNDER_WAY = "restoring"
_BELIEVED = 2
"""So many stores must tell of a backup before its settings may say what is started and where things are sent."""
Told = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be restored: where to, out of which stores (entries of ``[[stores]]``), and what is given anew.

    ``code`` and ``name`` are for when there is no backup that would tell them; ``catalogue`` is a database's address.
    """

    home: Path
    sources: Sequence[Mapping[str, str]]
    code: str = ""
    name: str = ""
    catalogue: str = ""
    verify: bool = False
    workers: int = 4


@dataclass(slots=True)
class Restored:
    """What came of it. ``backup`` is empty when there was none; ``rebuild`` is what the stores had beyond it.

    ``waiting`` are settings of the backup that somebody has to look at first (``*``: none of them could be used);
    ``alone``: only one store tells of that backup.
    ``verified`` replicas matched; ``bad`` are versions of which no replica given matched, when it was asked.
    """

    backup: str = ""
    rows: int = 0
    journal: int = 0
    indexed: int = 0
    versions: int = 0
    verified: int = 0
    bad: list[str] = field(default_factory=list)
    problems: list[tuple[str, Sentence]] = field(default_factory=list)
    rebuild: RebuildReport | None = None
    waiting: list[str] = field(default_factory=list)
    alone: bool = False

    def note(self, store: StoreId | None, sentence: Sentence) -> None:
        """Keep what is not as it should be."""
        if len(self.problems) < 1000:
            self.problems.append((store.value if store else "", sentence))

    @property
    def whole(self) -> bool:
        """Whether every acknowledged AIP is back."""
        return not self.bad and (self.rebuild is None or not self.rebuild.lost)


def source(text: str) -> dict[str, str]:
    """A store out of ``directory=/folder`` or ``s3=name@https://server/bucket/prefix``. Raises UsageError."""
    from storage.stores.files import read_file

    kind, equals, place = text.partition("=")
    if equals and kind == "directory":
        try:
            marker = Marker.parse(read_file(Path(place) / MARKER_KEY, MARKER_BYTES))
        except (OSError, ValueError) as error:
            raise UsageError(
                Sentence(
                    f"{place} không phải một nơi lưu: không đọc được {MARKER_KEY} ở đó.",
                    f"{place} is no store: {MARKER_KEY} cannot be read there.",
                )
            ) from error
        return {
            "id": marker.store.value, "kind": kind, "path": str(Path(place).resolve()), "archive": marker.archive.value
        }  # fmt: skip
    name, at, url = place.partition("@")
    parts = urlsplit(url)
    bucket, _, prefix = parts.path.lstrip("/").partition("/")
    if kind != "s3" or not (at and name and parts.netloc and bucket):
        raise UsageError(
            Sentence(
                f"{text}: hãy viết directory=/thư-mục hoặc s3=tên@https://máy-chủ/bucket[/tiền-tố].",
                f"{text}: write directory=/folder or s3=name@https://server/bucket[/prefix].",
            )
        )
    return {
        "id": name, "kind": kind, "endpoint": f"{parts.scheme}://{parts.netloc}", "bucket": bucket, "prefix": prefix
    }  # fmt: skip


def restore(wish: Wish, told: Told = lambda *_: None) -> Restored:
    """Make the archive. Raises AlreadyExists where there is one, StoreUnavailable, UsageError, TemporaryError."""
    from preservation.restore import chains, files

    if (wish.home / FILE_NAME).exists():
        raise AlreadyExists(
            Sentence(f"Đã có kho lưu trữ ở {wish.home}.", f"There is an archive at {wish.home} already.")
        )
    wish.home.mkdir(parents=True, exist_ok=True)
    done = Restored()
    bare = _bare(wish)
    with Archive(parse_here(bare, wish.home)) as look:
        stores = list(look.stores.values())
        for chain in chains(stores, done.note):
            try:
                found = dict(files(chain, done.note))
                settings, text, done.waiting = settled(
                    found.get(FILE_NAME, b""), bare, wish.home, wish.catalogue, believed=chain.vouched >= _BELIEVED
                )
                _make(wish, settings, chain, done, told)
            except (Damaged, Unreadable, NotFound) as error:
                done.note(None, error.sentence)
                continue
            _lay_out(found, parse_here(settings, wish.home))
            done.alone = chain.vouched < _BELIEVED
            break
        else:
            settings, text, done.waiting = bare, as_toml(bare), []
            _make(wish, settings, None, done, told)
    write_settings(wish.home, text)
    (wish.home / _UNDER_WAY).unlink(missing_ok=True)
    return done


def _bare(wish: Wish) -> dict[str, Any]:
    """The settings that the stores alone allow: their own addresses, the archive's code from a marker."""
    if not wish.sources:
        raise UsageError(Sentence("Hãy cho ít nhất một nơi lưu (--from).", "Give at least one store (--from)."))
    code = wish.code or next((one["archive"] for one in wish.sources if "archive" in one), "")
    if not code:
        raise UsageError(Sentence("Hãy cho mã cơ quan lưu trữ (--code).", "Give the archive's code (--code)."))
    stores = [{name: value for name, value in one.items() if name != "archive"} for one in wish.sources]
    made: dict[str, Any] = {
        "archive": {"code": code, "name": wish.name or code},
        "storage": {"required_replicas": min(2, len(stores))},
        "stores": stores,
    }
    return made | ({"catalogue": {"url": wish.catalogue}} if wish.catalogue else {})


def _make(wish: Wish, settings: dict[str, Any], chain: Chain | None, done: Restored, told: Told) -> None:
    from administration.rebuilding import not_retired, retell_journal
    from preservation.journal import ArchiveJournal
    from preservation.rebuild import rebuild
    from preservation.restore import load

    given = {StoreId(one["id"]) for one in wish.sources}
    with Archive(parse_here(settings, wish.home)) as archive:
        archive.make_token()
        _claim(wish.home, archive)
        stores = [store for id, store in archive.stores.items() if id in given]
        if chain is not None:
            loaded: Loaded = load(archive.catalogue, chain, done.note, told)
            done.backup, done.rows = loaded.backup, loaded.rows
        journal = ArchiveJournal(archive.catalogue, stores, archive.clock, archive.agent)
        done.journal = retell_journal(archive, journal, lambda _, store, why: done.note(store, why))
        counted = not_retired(archive, stores) or stores
        count = 0

        def on_progress(_: str) -> None:
            nonlocal count
            count += 1
            told("AIP", count, 0)

        archive.settings.work_folder.mkdir(parents=True, exist_ok=True)
        done.rebuild = rebuild(
            archive.catalogue, counted, archive.clock, archive.schedule, archive.settings.work_folder, on_progress,
            wish.workers,
        )  # fmt: skip
        done.versions, _ = archive.catalogue.portable.counts()
        done.indexed = archive.feeder.rebuild()
        if wish.verify:
            _verify(archive, counted, done, told)
        document = {
            "rows": done.rows, "versions": done.versions, "newer": done.rebuild.rebuilt + done.rebuild.updated,
            "lost": len(done.rebuild.lost), "verified": done.verified, "bad": done.bad[:100],
        }  # fmt: skip
        journal.write(EntryKind.RESTORE, done.backup or "-", "restored" if done.whole else "incomplete", document)


def _claim(home: Path, archive: Archive) -> None:
    """A catalogue that already holds something is replaced only when an earlier try of this command filled it."""
    mark = home / _UNDER_WAY
    versions, entries = archive.catalogue.portable.counts()
    if (versions or entries) and not mark.exists():
        raise AlreadyExists(
            Sentence(
                "Danh mục đã có dữ liệu: chỉ phục hồi vào một cơ sở dữ liệu trống.",
                "The catalogue holds something already: restore into an empty database only.",
            )
        )
    mark.write_text("tangthu restore\n", encoding="utf-8")


def _verify(archive: Archive, stores: Sequence[Store], done: Restored, told: Told) -> None:
    """Every byte of every replica in the stores given; a version is bad when none of them matches."""
    from preservation.checks import check_replica

    for count, version in enumerate(archive.catalogue.holdings.every_version(), 1):
        held = {replica.store for replica in archive.catalogue.holdings.replicas(version.id)}
        good = 0
        for store in (one for one in stores if one.id in held):
            check = check_replica(store, version.key, lambda id=version.id: archive.catalogue.holdings.members(id))  # type: ignore[misc]
            good += check.outcome is Fixity.MATCH
            if check.outcome is not Fixity.MATCH:
                done.note(store.id, Sentence(f"{version.key}: {check.note}", f"{version.key}: {check.note}"))
        done.verified += good
        if not good:
            done.bad.append(version.key)
        told("--verify", count, done.versions)


def _lay_out(found: Mapping[str, bytes], settings: Settings) -> None:
    """What backups take along besides the settings, and nothing else: no token, no database, no file of others."""
    folders = settings.trust_folder, settings.formats_folder
    certificates = {Path(store.ca) for store in settings.stores if store.ca}
    for name, data in found.items():
        target = settings.home / name
        if target in certificates or any(folder in target.parents for folder in folders):
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
