from __future__ import annotations

import tomllib
from datetime import timedelta
from pathlib import Path

import pytest

from administration.settings import HOME_VARIABLE, find_home, known_settings, load, parse, render
from metadata.errors import NotFound, UsageError
from metadata.identifiers import FondsCode, StoreId
from storage.policy import ReplicaPolicy

HOME = Path("/kho")
GOOD = """
[archive]
code = "H20.LTLS"
name = "Lưu trữ lịch sử tỉnh Đồng Tháp"
[[stores]]
id = "a"
path = "replica-a"
[[stores]]
id = "b"
kind = "s3"
endpoint = "https://s3.example"
bucket = "kho"
access_key_env = "MY_KEY"
"""


def read(text: str, environment: dict[str, str] | None = None, home: Path = HOME):
    return parse(tomllib.loads(text), home, environment or {})


def test_defaults_and_what_was_given() -> None:
    settings = read(GOOD, {"MY_KEY": "k", "TANGTHU_S3_SECRET_KEY": "s"})
    assert str(settings.archive) == "H20.LTLS"
    assert settings.catalogue_url == "sqlite:////kho/catalogue.sqlite"
    assert settings.required_replicas == 2
    assert settings.audit_period == timedelta(days=90)
    assert settings.listen == ("127.0.0.1", 8020)
    first, second = settings.stores
    assert first.path == HOME / "replica-a"
    assert (second.kind, second.bucket, second.access_key, second.secret_key) == ("s3", "kho", "k", "s")
    assert {path.parent for path in (settings.token_file, settings.search_folder, settings.work_folder)} == {HOME}


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('code = "H20.LTLS"', "", "archive.code"),
        ('code = "H20.LTLS"', 'code = " "', "archive.code"),
        ("[archive]", "[archive]\ncolour = 1", "archive.colour"),
        ("[archive]", "[house]\nx = 1\n[archive]", "house"),
        ("[archive]", "archives = 1\n[archive]", "archives"),
        ("[[stores]]", "[audit]\nperiod_days = 0\n[[stores]]", "audit.period_days"),
        ("[[stores]]", "[audit]\nperiod_days = true\n[[stores]]", "audit.period_days"),
        ("[[stores]]", '[audit]\nperiod_days = "90"\n[[stores]]', "audit.period_days"),
        ("[[stores]]", "[work]\nworkers = 1.5\n[[stores]]", "work.workers"),
        ("[[stores]]", "[work]\ncheckers = -1\n[[stores]]", "work.checkers"),
        ("[[stores]]", '[ingest]\nsignatures = "always"\n[[stores]]', "ingest.signatures"),
        ("[[stores]]", "[listen]\nport = 65536\n[[stores]]", "listen.port"),
        ("[[stores]]", "[storage]\nrequired_replicas = 3\n[[stores]]", "storage.required_replicas"),
        ('id = "b"', 'id = "a"', "stores.id"),
        ('id = "b"', 'id = "B!"', "stores[2].id"),
        ('kind = "s3"', 'kind = "tape"', "stores[2].kind"),
        ('bucket = "kho"', "", "stores[2].bucket"),
        ('path = "replica-a"', "", "stores[1].path"),
        ('path = "replica-a"', 'pfad = "x"', "stores[1].pfad"),
    ],
)
def test_what_cannot_be_is_refused_by_name_in_both_languages(old: str, new: str, place: str) -> None:
    assert old in GOOD
    with pytest.raises(UsageError) as caught:
        read(GOOD.replace(old, new, 1))
    assert place in caught.value.sentence.vi
    assert place in caught.value.sentence.en


@pytest.mark.parametrize("stores", ["", "stores = 3\n", "stores = [1]\n"])
def test_an_archive_without_stores_is_refused(stores: str) -> None:
    with pytest.raises(UsageError):
        read(stores + '[archive]\ncode = "a"\nname = "b"\n')


def test_every_setting_has_a_place_a_description_in_both_languages_and_a_default_that_it_allows() -> None:
    settings = known_settings()
    assert len({setting.place for setting in settings}) == len(settings) > 20
    for setting in settings:
        assert setting.about.vi.endswith(".") and setting.about.en.endswith("."), setting.place
        assert setting.default is None or setting.allows(setting.default), setting.place


def test_a_rendered_file_reads_back_whatever_the_names(tmp_path: Path) -> None:
    name = 'Kho "lưu trữ" \\ Đồng Tháp\t\x07'
    (tmp_path / "tangthu.toml").write_text(
        render("H20", name, [("a", "a b"), ("b", str(tmp_path))], {"listen.port": 0, "audit.period_days": 1.5}),
        encoding="utf-8",
    )
    settings = load(tmp_path, {})
    assert settings.name == name
    assert settings.listen[1] == 0
    assert settings.number("audit.period_days") == 1.5
    assert [store.path for store in settings.stores] == [tmp_path / "a b", tmp_path]
    with pytest.raises(TypeError):
        settings.number("archive.name")


def test_a_missing_file_is_not_found_and_a_broken_one_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        load(tmp_path, {})
    (tmp_path / "tangthu.toml").write_text("[archive", encoding="utf-8")
    with pytest.raises(UsageError, match=r"tangthu\.toml"):
        load(tmp_path)


def test_home_is_given_or_named_or_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(HOME_VARIABLE, raising=False)
    with pytest.raises(UsageError, match=HOME_VARIABLE):
        find_home(None)
    (tmp_path / "tangthu.toml").write_text("", encoding="utf-8")
    assert find_home(None) == tmp_path
    assert find_home(None, {HOME_VARIABLE: "/kho"}) == Path("/kho")
    assert find_home(Path("/given"), {HOME_VARIABLE: "/kho"}) == Path("/given")


POLICIES = """
[[policies]]
name = "hồ sơ mật"
access = "03"
copies = 2
sites = 2
locked = 1
[[policies]]
name = "phông Đảng"
fonds = "P01"
stores = "b, a"
"""
SITES = GOOD.replace('bucket = "kho"', 'bucket = "kho"\nsite = "Hà Nội"\nlock = "governance"\nlock_days = 30')


def test_policies_in_their_order() -> None:
    assert read(GOOD).policies == ()
    assert read(SITES + POLICIES).policies == (
        ReplicaPolicy("hồ sơ mật", 2, 2, 1, None, "03"),
        ReplicaPolicy("phông Đảng", 0, 1, 0, FondsCode("P01"), "", (StoreId("b"), StoreId("a"))),
    )


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('stores = "b, a"', 'stores = "b, c"', "policies[2] cannot be used: there is no store c"),
        ('stores = "b, a"', 'stores = "b"', "only 1 of its stores"),
        ('stores = "b, a"', 'stores = "B!"', "policies[2].stores"),
        ("copies = 2", "copies = 1", "copies is 1, fewer than"),
        ("copies = 2", "copies = 3", "“hồ sơ mật” needs 3 active stores, there are 2"),
        ("copies = 2", "copies = -1", "policies[1].copies"),
        ("sites = 2", "sites = 3", "needs 3 sites, there are 2"),
        ("locked = 1", "locked = 2", "needs 2 stores that lock, there are 1"),
        ('name = "phông Đảng"', 'name = "hồ sơ mật"', "another policy is named"),
        ('name = "phông Đảng"', "", "policies[2].name"),
        ("[[policies]]", "[policies]", "Write each of policies as [[policies]]"),
        ('path = "replica-a"', 'path = "replica-a"\noffline = true', "can be written to at once"),
    ],
)
def test_a_policy_that_cannot_be_is_told(old: str, new: str, told: str) -> None:
    text = SITES + POLICIES
    if new == "[policies]":
        text = SITES + "[policies]\nname = 'x'\n"
    with pytest.raises(UsageError) as caught:
        read(text.replace(old, new, 1))
    assert told in caught.value.sentence.en


def test_periods_of_stores_and_fonds() -> None:
    periods = """
[[audit_periods]]
fonds = "Phông Tỉnh ủy"
days = 30
"""
    assert read(GOOD).fonds_periods == {}
    assert read(GOOD + periods).fonds_periods == {FondsCode("Phông Tỉnh ủy"): timedelta(days=30)}
    for bad in (periods + periods, periods.replace("Phông Tỉnh ủy", ""), periods.replace("30", "0")):
        with pytest.raises(UsageError):
            read(GOOD + bad)
