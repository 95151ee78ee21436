"""The sums over all that is held always say what the versions' own rows say, and a page reads only them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

import metadata.catalogue.database as database_module
from metadata.catalogue import Catalogue
from metadata.catalogue.held_sums import FormatSum
from metadata.catalogue.migrate import upgrade
from metadata.catalogue.portable import Line, columns_of
from metadata.catalogue.rows import version_row
from metadata.catalogue.schema import to_micros
from metadata.errors import AlreadyExists
from metadata.holdings import Format
from metadata.identifiers import Puid
from metadata.retelling import Retold
from tests.builders.holdings import AGENT, NOW, PDF, a_head, a_version, register
from tests.metadata.catalogue.test_portable import sections

WORD = Format(Puid("fmt/412"), "Microsoft Word for Windows", "2007 onwards", "application/x-word", "container")


def _exact(catalogue: Catalogue) -> None:
    counted = catalogue.held_sums.counted()
    assert counted == catalogue.held_sums.recounted()
    assert all(counted.values())


def test_nothing_held_is_no_sum(catalogue: Catalogue) -> None:
    assert (catalogue.held_sums.formats(), catalogue.held_sums.received(date(1970, 1, 1), NOW.date())) == ([], 0)
    _exact(catalogue)


def test_each_version_is_counted_once(catalogue: Catalogue) -> None:
    held = register(catalogue)
    (pdf, untold) = catalogue.held_sums.formats()
    assert {pdf.puid, untold.puid} == {"fmt/354", ""}
    before = catalogue.held_sums.counted()
    with pytest.raises(AlreadyExists):
        register(catalogue)
    assert catalogue.held_sums.counted() == before
    register(catalogue, "sau", created=NOW + timedelta(days=40))
    day = NOW.date()
    assert catalogue.held_sums.received(day, day + timedelta(days=39)) == held.version.size
    assert catalogue.held_sums.received(day, day + timedelta(days=40)) == 2 * held.version.size
    assert catalogue.held_sums.received(day + timedelta(days=1), day + timedelta(days=39)) == 0
    assert sum(one.files for one in catalogue.held_sums.formats()) == 2 * (pdf.files + untold.files)
    _exact(catalogue)


def test_formats_told_anew_move_them_and_no_empty_sum_stays(catalogue: Catalogue) -> None:
    held = register(catalogue)
    members = {one.number: one for one in catalogue.holdings.members(held.id) if one.format is not None}
    for ordinal, (number, one) in enumerate(sorted(members.items()), 2):
        assert one.format is not None
        event = Retold(number, one.path, WORD, one.format).event(held.id, NOW, AGENT)
        catalogue.events.append(held.id, [event], a_head(ordinal))
        catalogue.events.append(held.id, [event], a_head(ordinal))
        _exact(catalogue)
    assert catalogue.held_sums.formats() == [FormatSum("fmt/412", WORD.name, len(members))]


def test_a_load_counts_them_anew(catalogue: Catalogue, tmp_path: Path) -> None:
    for name in "abc":
        register(catalogue, name)
    lines: list[Line] = list(catalogue.portable.export())
    assert "held_sum" not in {one.section for one in lines}
    with Catalogue(f"sqlite:///{tmp_path / 'khác.sqlite'}") as other:
        other.upgrade()
        register(other, "thứ khác")
        other.portable.load(sections(lines), full=True)
        assert other.held_sums.counted() == catalogue.held_sums.counted()
        before = [(one.values[0], one.values[1]) for one in lines if one.section == "state"]
        register(catalogue, "d")
        other.portable.load(sections(list(catalogue.portable.export(before))), full=False)
        assert other.held_sums.counted() == catalogue.held_sums.counted()
        _exact(other)
    assert columns_of("held_sum") == ("kind", "name", "amount")


def test_a_catalogue_of_an_earlier_release_is_counted(empty_url: str) -> None:
    database = database_module.Database(empty_url)
    upgrade(database, "0003")
    version = a_version()
    row = {**version_row(version, 0), "created": to_micros(version.created)}
    with database.write() as connection:
        marks = ", ".join(f":{name}" for name in row)
        connection.execute(text(f"INSERT INTO aip_version ({', '.join(row)}) VALUES ({marks})"), row)
        connection.execute(text("INSERT INTO file_format VALUES (7, 'fmt/354', 'Acrobat PDF/A', '', '', '', '')"))
        for number, key in enumerate((7, 7, None), 1):
            connection.execute(
                text(
                    "INSERT INTO member (version, number, path, role, header_at, data_at, size, crc32, sha256, "
                    "sha512, format) VALUES (:version, :number, :path, 'content', 0, 0, 1, 0, :digest, :digest, :key)"
                ),
                {"version": version.id.row, "number": number, "path": f"{number}", "digest": b"", "key": key},
            )
    database.close()
    with Catalogue(empty_url) as catalogue:
        catalogue.upgrade()
        assert [(one.puid, one.files) for one in catalogue.held_sums.formats()] == [("fmt/354", 2), ("", 1)]
        assert catalogue.held_sums.received(NOW.date(), NOW.date()) == version.size
        _exact(catalogue)


def test_many_writers_at_once_lose_no_count_and_wait_in_no_ring(catalogue: Catalogue) -> None:
    """Registrations and formats told anew, in both orders, beside each other."""

    def work(worker: int) -> None:
        for turn in range(6):
            held = register(catalogue, f"{worker}-{turn}", created=NOW + timedelta(days=turn % 3))
            members = [one for one in catalogue.holdings.members(held.id) if one.format is not None]
            chosen = members if worker % 2 else members[::-1]
            events = [
                Retold(one.number, one.path, WORD if worker % 2 else PDF, one.format).event(held.id, NOW, AGENT)
                for one in chosen
            ]
            catalogue.events.append(held.id, events, a_head(2))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))
    _exact(catalogue)
