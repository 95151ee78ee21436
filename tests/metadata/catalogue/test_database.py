from __future__ import annotations

import logging
import multiprocessing
import resource
import shutil
import sqlite3
import threading
import time
import uuid
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect, text

import metadata.catalogue.database as database_module
from metadata.catalogue import Catalogue
from metadata.catalogue.migrate import upgrade
from metadata.catalogue.rows import version_row
from metadata.catalogue.schema import metadata, to_micros
from metadata.errors import AlreadyExists, Busy, CatalogueUnavailable, NoSpace, Unreadable, UsageError
from tests.builders.holdings import (
    RECEIPT,
    a_head,
    a_version,
    an_event,
    ingest_events,
    members,
    records,
    register,
    replicas,
)
from tests.services.postgres import PostgresService


def test_the_migrations_make_the_tables_of_the_schema(catalogue: Catalogue, url: str) -> None:
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            assert compare_metadata(context, metadata) == []
            found = inspect(connection)
            for table in metadata.sorted_tables:
                made = {
                    one["name"]: one for one in found.get_indexes(table.name) if not one.get("duplicates_constraint")
                }
                assert set(made) == {one.name for one in table.indexes}
                assert found.get_pk_constraint(table.name)["constrained_columns"] == list(
                    table.primary_key.columns.keys()
                )
                nullable = {one["name"]: one["nullable"] for one in found.get_columns(table.name)}
                assert nullable == {one.name: one.nullable for one in table.columns}
    finally:
        engine.dispose()


def test_upgrading_leaves_logging_as_it_was(catalogue: Catalogue) -> None:
    before = [(name, logging.getLogger(name).level, logging.getLogger(name).disabled) for name in ("", "alembic", "x")]
    handlers = list(logging.getLogger().handlers)
    catalogue.upgrade()
    assert [
        (name, logging.getLogger(name).level, logging.getLogger(name).disabled) for name in ("", "alembic", "x")
    ] == before
    assert logging.getLogger().handlers == handlers


def test_upgrading_keeps_what_is_held(catalogue: Catalogue) -> None:
    register(catalogue)
    before = list(catalogue.dump())
    catalogue.upgrade()
    assert list(catalogue.dump()) == before


def test_a_catalogue_of_the_first_release_is_brought_up(empty_url: str) -> None:
    database = database_module.Database(empty_url)
    upgrade(database, "0001")
    version = a_version()
    with database.write() as connection:
        made = {**version_row(version, 0), "created": to_micros(version.created)}
        columns = ", ".join(made)
        marks = ", ".join(f":{name}" for name in made)
        connection.execute(text(f"INSERT INTO aip_version ({columns}) VALUES ({marks})"), made)
        connection.execute(
            text(
                "INSERT INTO event (version, ordinal, id, type, at, detail, outcome, note, agent_id, agent_name) "
                "VALUES (:version, 1, :id, 'validation', 0, '', '', '', 'a', 'b')"
            ),
            {"version": version.id.row, "id": str(uuid.UUID(int=1))},
        )
    database.close()
    with Catalogue(empty_url) as catalogue:
        catalogue.upgrade()
        (event,) = catalogue.events.of(version.id)
        assert (event.id, event.links) == (uuid.UUID(int=1), ())
        assert list(catalogue.holdings.members(version.id)) == []
        register(catalogue, "sau")


def test_several_may_upgrade_at_once(empty_url: str) -> None:
    start, errors = threading.Barrier(3), []

    def work() -> None:
        try:
            with Catalogue(empty_url) as catalogue:
                start.wait(10)
                catalogue.upgrade()
                catalogue.holdings.counts()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []


def test_a_catalogue_never_prepared_says_so(empty_url: str) -> None:
    with Catalogue(empty_url) as catalogue, pytest.raises(UsageError):
        catalogue.holdings.counts()


@pytest.mark.parametrize("url", ["", "sqlite://", "sqlite:///:memory:", "mysql://h/d", "postgresql://h/d", "not a url"])
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(UsageError):
        Catalogue(url)


def test_both_databases_dump_the_same(tmp_path: Path, postgres_url: str) -> None:
    dumps = []
    for url in (f"sqlite:///{tmp_path / 'c.sqlite'}", postgres_url):
        with Catalogue(url) as catalogue:
            catalogue.upgrade()
            order = "bacd" if dumps else "dcab"
            for name in order:
                held = register(catalogue, name)
                catalogue.events.append(held.id, [an_event(held.id, "hai")], a_head(2))
            dumps.append(list(catalogue.dump()))
    assert dumps[0] == dumps[1]
    tables = [name for name, _ in dumps[0]]
    assert {name: tables.count(name) for name in dict.fromkeys(tables)} == {
        "aip_version": 4,
        "placement": 4,
        "replica": 8,
        "member": 20,
        "characteristic": 16,
        "outcome_count": 28,
        "record": 12,
        "record_member": 12,
        "event": 16,
        "log_head": 4,
        "receipt": 4,
        "held_sum": 3,
    }
    assert {row["format_puid"] for name, row in dumps[0] if name == "member"} == {"fmt/354", None}


def _register_and_read_many(url: str, queue: multiprocessing.Queue[int]) -> None:
    with Catalogue(url) as catalogue:
        for name, count in (("ấm máy", 6_000), ("lớn", 100_000)):
            version = a_version(name)
            events = ingest_events(version.id)
            catalogue.holdings.register(version, members(count), [], replicas(version.id), events, RECEIPT, a_head(1))
            assert sum(1 for _ in catalogue.holdings.members(version.id)) == count
            queue.put(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def test_a_hundred_thousand_members_need_no_more_memory_than_six_thousand(catalogue: Catalogue, url: str) -> None:
    spawn = multiprocessing.get_context("spawn")
    queue = spawn.Queue()
    worker = spawn.Process(target=_register_and_read_many, args=(url, queue))
    worker.start()
    small, large = (queue.get(timeout=180) for _ in range(2))
    worker.join(30)
    assert worker.exitcode == 0
    worker.close()
    queue.close()
    queue.join_thread()
    assert large - small < 16_000  # KiB


def test_only_one_of_two_registers_and_the_other_learns_it(catalogue: Catalogue) -> None:
    start, outcomes = threading.Barrier(2), []

    def work() -> None:
        start.wait(10)
        try:
            register(catalogue)
            outcomes.append("held")
        except AlreadyExists:
            outcomes.append("already")

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["already", "held"]


def test_writers_of_the_same_formats_do_not_block_each_other_for_good(catalogue: Catalogue) -> None:
    errors = []

    def work(worker: int) -> None:
        try:
            for number in range(10):
                register(catalogue, f"{worker}/{number}")
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    assert catalogue.holdings.counts().versions == 40


def _register_forever(url: str, midway: threading.Event) -> None:
    with Catalogue(url) as catalogue:
        version = a_version("bị giết")

        def slow():
            yield from members(20_000)
            midway.set()
            time.sleep(60)

        catalogue.holdings.register(
            version, slow(), records(), replicas(version.id), ingest_events(version.id), RECEIPT, a_head(1)
        )


def test_a_killed_writer_leaves_nothing(catalogue: Catalogue, url: str) -> None:
    held = register(catalogue)
    before = list(catalogue.dump())
    spawn = multiprocessing.get_context("spawn")
    midway = spawn.Event()
    worker = spawn.Process(target=_register_forever, args=(url, midway))
    worker.start()
    assert midway.wait(120)
    worker.kill()
    worker.join(30)
    worker.close()
    assert list(catalogue.dump()) == before
    assert catalogue.holdings.version(held.id) == held.version
    register(catalogue, "bị giết")


def test_a_locked_sqlite_file_is_busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "WAIT_MILLISECONDS", 50)
    path = tmp_path / "c.sqlite"
    with Catalogue(f"sqlite:///{path}") as catalogue:
        catalogue.upgrade()
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        try:
            assert catalogue.holdings.counts().versions == 0
            with pytest.raises(Busy):
                register(catalogue)
        finally:
            other.execute("ROLLBACK")
            other.close()
        register(catalogue)


def test_a_locked_row_is_busy_on_postgresql(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database_module, "WAIT_MILLISECONDS", 50)
    engine = create_engine(postgres_url)
    with Catalogue(postgres_url) as catalogue:
        catalogue.upgrade()
        held = register(catalogue)
        with engine.begin() as connection:
            connection.exec_driver_sql("LOCK TABLE log_head IN ACCESS EXCLUSIVE MODE")
            with pytest.raises(Busy):
                catalogue.events.append(held.id, [an_event(held.id, "hai")], a_head(2))
    engine.dispose()


def test_a_full_disk_is_no_space(tmp_path: Path) -> None:
    with Catalogue(f"sqlite:///{tmp_path / 'c.sqlite'}") as catalogue:
        catalogue.upgrade()
        with catalogue._database.write() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 60")
        version = a_version()
        with pytest.raises(NoSpace):
            catalogue.holdings.register(
                version, members(20_000), [], replicas(version.id), ingest_events(version.id), RECEIPT, a_head(1)
            )
        assert list(catalogue.dump()) == []


def test_a_damaged_file_is_unreadable(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    path.write_bytes(b"not a database at all" * 500)
    with Catalogue(f"sqlite:///{path}") as catalogue, pytest.raises(Unreadable):
        catalogue.holdings.counts()


def test_a_missing_folder_is_unavailable(tmp_path: Path) -> None:
    with Catalogue(f"sqlite:///{tmp_path / 'không có' / 'c.sqlite'}") as catalogue, pytest.raises(CatalogueUnavailable):
        catalogue.upgrade()


def test_a_missing_server_is_unavailable(tmp_path: Path) -> None:
    with (
        Catalogue(f"postgresql+psycopg://postgres@/x?host={tmp_path}") as catalogue,
        pytest.raises(CatalogueUnavailable),
    ):
        catalogue.upgrade()


def test_a_lost_connection_is_replaced(postgres_service: PostgresService, postgres_url: str) -> None:
    with Catalogue(postgres_url) as catalogue:
        catalogue.upgrade()
        register(catalogue)
        postgres_service.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'test_%' AND state = 'idle'"
        )
        assert catalogue.holdings.counts().versions == 1


def test_a_connection_lost_in_the_middle_is_unavailable(postgres_service: PostgresService, postgres_url: str) -> None:
    version = a_version()

    def cut():
        yield from members(10)
        postgres_service.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'test_%' AND state <> 'idle'"
        )
        yield from members(10)

    with Catalogue(postgres_url) as catalogue:
        catalogue.upgrade()
        with pytest.raises(CatalogueUnavailable):
            catalogue.holdings.register(
                version, cut(), [], replicas(version.id), ingest_events(version.id), RECEIPT, a_head(1)
            )
        assert list(catalogue.dump()) == []


def test_the_catalogue_can_be_copied_while_it_is_closed(tmp_path: Path) -> None:
    with Catalogue(f"sqlite:///{tmp_path / 'c.sqlite'}") as catalogue:
        catalogue.upgrade()
        held = register(catalogue)
    assert [one.name for one in tmp_path.iterdir()] == ["c.sqlite"]
    shutil.copy(tmp_path / "c.sqlite", tmp_path / "bản sao.sqlite")
    with Catalogue(f"sqlite:///{tmp_path / 'bản sao.sqlite'}") as copy:
        assert copy.holdings.version(held.id) == held.version
