"""Backup, drill and restore as a person types them, and as the clock starts them."""

from __future__ import annotations

import json
import shutil
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from administration.archive import Archive
from administration.backups import without_passwords
from administration.flows import backup_request, chimes, workflows
from administration.restored_settings import REACHING, settled
from administration.restoring import source
from administration.settings import known_settings
from administration.work.plan import Job, Json, Workflow
from metadata.backups import BackupKind
from metadata.errors import UsageError
from metadata.identifiers import ArchiveCode, StoreId
from preservation.backup import _pack_files
from preservation.backup_sets import Manifest, PartWriter
from storage.keys import backup_prefix
from storage.stores.directory import DirectoryStore
from tests.flows.test_cli import Desk, desk  # noqa: F401 - a fixture


def dump(home: Path) -> list[object]:
    with Archive.open(home) as archive:
        return list(archive.catalogue.dump())


def test_an_empty_machine(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
    desk.ingest(desk.bag("một"), desk.bag("hai"))
    (desk.home / "trust").mkdir()
    (desk.home / "trust" / "gốc.txt").write_text("tin", encoding="utf-8")
    with (desk.home / "tangthu.toml").open("a", encoding="utf-8") as file:
        file.write('\n[listen]\nport = 8099\nhost = "127.0.0.2"\n')
    made = desk.ask("backup", "--person", "Nguyễn Văn A")
    assert (made["kind"], made["stores"], made["person"]) == ("full", ["kho-a", "kho-b"], "Nguyễn Văn A")
    desk.ingest(desk.bag("ba"))
    desk.ask("audit", "--all")
    before = dump(desk.home)
    moved = desk.folder / "đĩa khác"
    shutil.move(desk.home / "kho-b", moved)
    lost = desk.folder / "mất"
    desk.home.rename(lost)
    done = desk.ask("restore", "--from", f"directory={moved}", "--verify", code=0)
    assert (done["backup"], done["versions"], done["verified"], done["bad"]) == (made["id"], 3, 3, [])
    assert (done["rebuilt"], done["updated"], done["lost"]) == (1, 2, [])
    assert done["elsewhere"] == {"kho-a": 3}
    assert dump(desk.home) == before
    text = (desk.home / "tangthu.toml").read_text(encoding="utf-8")
    settings = tomllib.loads(text)
    assert (done["alone"], done["waiting"]) == (True, ["listen.host"])
    assert settings["listen"] == {"port": 8099}
    assert '# [listen]\n# host = "127.0.0.2"\n' in text
    assert [one["path"] for one in settings["stores"]] == ["kho-a", str(moved)]
    assert (desk.home / "trust" / "gốc.txt").read_text(encoding="utf-8") == "tin"
    assert desk.ask("search", "Hồ sơ")["total"] == 3
    assert desk.ask("restore", "--from", f"directory={moved}", code=6)["error"]["kind"] == "AlreadyExists"


def forge(store: DirectoryStore, id: str, *files: tuple[str, bytes]) -> None:
    """A backup that whoever rules the store has made up: consistent, newer than any, and in no journal."""
    writer = PartWriter(lambda name, data: store.put(backup_prefix(id) + name, data))
    _pack_files(writer, files)
    at = datetime(2099, 1, 1, tzinfo=UTC)
    made = Manifest(id, BackupKind.FULL, at, ArchiveCode("H20.LTLS"), "x", tuple(writer.parts), {}, 0, 0)
    store.put(made.key(), made.encode())


ROGUE = """
[archive]
code = "H20.LTLS"
name = "Kho thử"
[formats]
verapdf = "/tmp/trojan"
[catalogue]
url = "sqlite:////tmp/elsewhere.sqlite"
[alerts]
webhook = "https://example.com/collect"
smtp_password_env = "HOME"
per_hour = 7
[storage]
retry_seconds = 3
[[stores]]
id = "kho-b"
kind = "directory"
path = "elsewhere"
ca = "/etc/x"
[[stores]]
id = "xa"
kind = "s3"
endpoint = "https://example.com"
bucket = "b"
"""


class TestAStoreThatSomebodyElseRules:
    @pytest.fixture
    def rogue(self, desk: Desk) -> DirectoryStore:  # noqa: F811
        desk.ingest(desk.bag("một"))
        desk.ask("backup")
        store = DirectoryStore(StoreId("kho-b"), desk.home / "kho-b")
        files = (
            ("tangthu.toml", ROGUE.encode()),
            ("token", b"known"),
            ("catalogue.sqlite", b"mine"),
            ("trust/gốc.txt", b"x"),
            ("kho-b/objects/x.zip", b"x"),
        )
        forge(store, "20990101T000000Z-ffffff", *files)
        desk.home.rename(desk.folder / "mất")
        return store

    def test_its_made_up_backup_is_not_the_newest(self, desk: Desk, rogue: DirectoryStore) -> None:  # noqa: F811
        stores = [f"--from=directory={desk.folder / 'mất' / name}" for name in ("kho-b", "kho-a")]
        done = desk.ask("restore", *stores)
        assert (done["versions"], done["rebuilt"], done["alone"], done["waiting"]) == (1, 0, False, [])
        assert not done["backup"].startswith("2099")

    def test_alone_it_starts_nothing_and_sends_nothing_anywhere(
        self,
        desk: Desk,  # noqa: F811
        rogue: DirectoryStore,
    ) -> None:
        for made in (desk.folder / "mất" / "kho-b/objects/_tangthu/backup").iterdir():
            if not made.name.startswith("2099"):
                shutil.rmtree(made)
        done = desk.ask("restore", f"--from=directory={desk.folder / 'mất' / 'kho-b'}", code=1)
        assert done["backup"].startswith("2099")
        assert (done["alone"], done["versions"]) == (True, 1)
        assert done["waiting"] == [
            "formats.verapdf", "catalogue.url", "alerts.webhook", "alerts.smtp_password_env", "stores (kho-b, xa)",
            "storage.retry_seconds",
        ]  # fmt: skip
        settings = tomllib.loads((desk.home / "tangthu.toml").read_text(encoding="utf-8"))
        assert settings["alerts"] == {"per_hour": 7}
        assert (settings["formats"], settings["catalogue"]) == ({}, {})
        assert [(one["id"], "ca" in one) for one in settings["stores"]] == [("kho-b", False)]
        assert (desk.home / "token").read_text() != "known"
        assert (desk.home / "catalogue.sqlite").read_bytes().startswith(b"SQLite")
        assert (desk.home / "trust" / "gốc.txt").read_bytes() == b"x"
        assert not (desk.home / "kho-b").exists()


@pytest.mark.parametrize(
    "text",
    [
        "stores = 1",
        "[[stores]]\nid = []",
        "[nothing]\nx = 1",
        'archive = "x"',
        "a = " + "[" * 5000,
        "[archive]\ncode = 1",
    ],
)
def test_settings_that_are_none_leave_those_that_the_stores_allow(text: str, tmp_path: Path) -> None:
    bare = {"archive": {"code": "A", "name": "A"}, "stores": [{"id": "a", "kind": "directory", "path": "a"}]}
    bare["storage"] = {"required_replicas": 1}
    assert settled(text.encode(), bare, tmp_path, "", believed=True)[0] == bare


def test_every_setting_that_is_text_is_known_to_reach_outside_or_not() -> None:
    plain = {
        "archive.code", "archive.name", "ingest.signatures", "audit.hours", "incidents.each",
        "stores.id", "stores.kind", "stores.path", "stores.bucket", "stores.region", "stores.prefix", "stores.site",
        "stores.label", "stores.checksums", "stores.lock", "stores.sse", "stores.storage_class", "stores.audit_hours",
        "audit_periods.fonds", "policies.name", "policies.fonds", "policies.access", "policies.stores",
    }  # fmt: skip
    texts = {setting.place for setting in known_settings() if setting.kind is str}
    assert texts - plain - REACHING == set()


def test_without_any_backup_the_aips_themselves_tell(desk: Desk) -> None:  # noqa: F811
    desk.ingest(desk.bag("một"))
    before = dump(desk.home)
    stores = [f"--from=directory={desk.folder / 'mất' / name}" for name in ("kho-a", "kho-b")]
    desk.home.rename(desk.folder / "mất")
    done = desk.ask("restore", *stores)
    assert (done["backup"], done["rebuilt"]) == ("", 1)
    assert dump(desk.home) == before


def test_a_database_in_use_is_not_replaced(desk: Desk) -> None:  # noqa: F811
    desk.ingest(desk.bag("một"))
    url, other = f"sqlite:///{desk.home / 'catalogue.sqlite'}", Desk(desk.folder, desk._capture)
    other.home = desk.folder / "mới"
    before = dump(desk.home)
    answer = other.ask("restore", "--from", f"directory={desk.home / 'kho-a'}", "--catalogue", url, code=6)
    assert answer["error"]["kind"] == "AlreadyExists"
    assert dump(desk.home) == before


def test_drills_are_listed(desk: Desk) -> None:  # noqa: F811
    desk.ingest(desk.bag("một"))
    desk.ask("backup")
    done = desk.ask("drill", "--person", "Trần Thị B")
    assert (done["outcome"], len(done["aips"])) == ("passed", 1)
    assert desk.ask("drills", "list")["drills"] == [done]
    backup = desk.ask("backups", "list")["backups"][0]
    assert backup["id"] == done["backup"]
    for name in ("kho-a", "kho-b"):
        file = desk.objects(name)[0]
        file.chmod(0o600)
        file.write_bytes(file.read_bytes()[:-1] + b"x")
    assert desk.ask("drill", "--no-chain", code=1)["outcome"] == "failed"


def _run(workflow: Workflow, id: str) -> dict[str, Json]:
    results: dict[str, Json] = {}
    for step in workflow.steps:
        results[step.name] = json.loads(json.dumps(step.run(Job(id, None, dict(results)))))
    return results


def test_the_clock_makes_one_backup_a_day(desk: Desk) -> None:  # noqa: F811
    class Now:
        at = datetime(2026, 3, 2, 1, tzinfo=UTC)

    from administration.settings import load

    with Archive(load(desk.home), lambda: Now.at) as archive:
        flows = {flow.name: flow for flow in workflows(archive)}
        rung = {chime.workflow: chime for chime in chimes(archive.settings)}
        one, two = rung["backup"].request(Now.at), rung["backup"].request(Now.at + timedelta(minutes=20))
        assert one.id == two.id
        for _ in range(50):
            _run(flows["backup"], rung["backup"].request(Now.at).id)
            Now.at += timedelta(hours=1)
        assert [backup.kind.value for backup in archive.backups.listed()] == ["incremental", "incremental", "full"]
        planned = {"id": "mot", "kind": "incremental"}
        asked = backup_request(BackupKind.INCREMENTAL, "Lê A", Now.at)
        assert flows["backup"].steps[0].run(Job("backup@2", None, {})) is None, "nothing is due"
        result = flows["backup"].steps[0].run(Job(asked.id, asked.argument, {}))
        made = flows["backup"].steps[1].run(Job(asked.id, asked.argument, {"plan": result}))
        assert isinstance(made, dict) and (made["kind"], made["person"]) == ("incremental", "Lê A")
        job = Job("backup@1", None, {"plan": dict(planned)})
        assert flows["backup"].steps[1].run(job) == flows["backup"].steps[1].run(job)
        assert len(archive.backups.listed()) == 5
        drilled = _run(flows["drill"], "drill@1")["run"]
        assert isinstance(drilled, dict) and drilled["outcome"] == "passed"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ('url = "postgresql+psycopg://u:mật@máy/kho"', 'url = "postgresql+psycopg://u@máy/kho"'),
        ('url = "postgresql+psycopg:///kho?user=u&password=x&a=b"', 'url = "postgresql+psycopg:///kho?user=u&password=&a=b"'),
        ('proxy = "http://a:b@c:3128"', 'proxy = "http://a@c:3128"'),
        ('path = "/mnt/a:b@c"', 'path = "/mnt/a:b@c"'),
    ],
)  # fmt: skip
def test_no_password_goes_along(text: str, kept: str) -> None:
    assert without_passwords(text) == kept


@pytest.mark.parametrize("text", ["", "directory", "directory=/không/có", "s3=x", "s3=a@b", "ftp=a@http://b/c"])
def test_what_is_no_store_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        source(text)
    assert source("s3=kho-c@https://s3.example/b/x/y")["prefix"] == "x/y"
