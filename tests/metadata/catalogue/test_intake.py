from __future__ import annotations

import multiprocessing
import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from metadata.catalogue import Catalogue
from metadata.errors import Busy
from metadata.identifiers import AgencyCode, ObjId
from tests.builders.holdings import NOW

AGENCY, OBJID, LEASE = AgencyCode("H20.05"), ObjId("urn:uuid:1"), timedelta(minutes=5)
LATER = NOW + LEASE


def test_a_claim_keeps_others_out_until_it_ends(catalogue: Catalogue) -> None:
    first = catalogue.intake.claim(AGENCY, OBJID, "w1", NOW, LEASE)
    assert first.first_seen == NOW
    for worker in ("w1", "w2"):
        with pytest.raises(Busy) as error:
            catalogue.intake.claim(AGENCY, OBJID, worker, LATER - timedelta(microseconds=1), LEASE)
        assert "H20.05" in error.value.sentence.vi
    second = catalogue.intake.claim(AGENCY, OBJID, "w2", LATER, LEASE)
    assert second.first_seen == NOW
    assert second.token != first.token


def test_packages_do_not_hinder_each_other(catalogue: Catalogue) -> None:
    catalogue.intake.claim(AGENCY, OBJID, "w1", NOW, LEASE)
    catalogue.intake.claim(AGENCY, ObjId("urn:uuid:2"), "w2", NOW, LEASE)
    catalogue.intake.claim(AgencyCode("H20.06"), OBJID, "w3", NOW, LEASE)
    assert [(one.worker, one.lease_until) for one in catalogue.intake.open()] == [
        ("w1", LATER),
        ("w2", LATER),
        ("w3", LATER),
    ]


def test_a_released_package_is_free_and_remembers_when_it_was_first_seen(catalogue: Catalogue) -> None:
    first = catalogue.intake.claim(AGENCY, OBJID, "w1", NOW, LEASE)
    assert catalogue.intake.release(first)
    assert not catalogue.intake.release(first)
    again = catalogue.intake.claim(AGENCY, OBJID, "w2", NOW + timedelta(seconds=1), LEASE)
    assert again.first_seen == NOW


def test_a_forgotten_package_is_new(catalogue: Catalogue) -> None:
    first = catalogue.intake.claim(AGENCY, OBJID, "w1", NOW, LEASE)
    assert catalogue.intake.forget(first)
    assert catalogue.intake.open() == []
    assert catalogue.intake.claim(AGENCY, OBJID, "w1", LATER, LEASE).first_seen == LATER


def test_renewing_lengthens_the_claim(catalogue: Catalogue) -> None:
    first = catalogue.intake.claim(AGENCY, OBJID, "w1", NOW, LEASE)
    catalogue.intake.renew(first, LATER, LEASE)
    with pytest.raises(Busy):
        catalogue.intake.claim(AGENCY, OBJID, "w2", LATER, LEASE)


@pytest.mark.parametrize("how", ["taken over", "forged", "forgotten and claimed anew"])
def test_a_stale_token_is_refused(catalogue: Catalogue, how: str) -> None:
    stale = catalogue.intake.claim(AGENCY, OBJID, "w1", NOW, LEASE)
    if how == "taken over":
        catalogue.intake.claim(AGENCY, OBJID, "w2", LATER, LEASE)
    elif how == "forged":
        stale = replace(stale, token=stale.token ^ 1)
    else:
        catalogue.intake.forget(stale)
        catalogue.intake.claim(AGENCY, OBJID, "w2", LATER, LEASE)
    before = catalogue.intake.open()
    with pytest.raises(Busy):
        catalogue.intake.renew(stale, LATER, LEASE)
    assert not catalogue.intake.release(stale)
    assert not catalogue.intake.forget(stale)
    assert catalogue.intake.open() == before


def _claim(url: str, worker: str, start: threading.Barrier, queue: multiprocessing.Queue[str]) -> None:
    with Catalogue(url) as catalogue:
        catalogue.intake.open()
        start.wait(120)
        try:
            catalogue.intake.claim(AGENCY, OBJID, worker, NOW, LEASE)
            queue.put("won")
        except Busy:
            queue.put("busy")


def test_of_several_processes_one_gets_the_package(catalogue: Catalogue, url: str) -> None:
    spawn = multiprocessing.get_context("spawn")
    start, queue = spawn.Barrier(3), spawn.Queue()
    workers = [spawn.Process(target=_claim, args=(url, f"w{number}", start, queue)) for number in range(3)]
    for worker in workers:
        worker.start()
    outcomes = sorted(queue.get(timeout=120) for _ in workers)
    for worker in workers:
        worker.join(30)
        worker.close()
    queue.close()
    queue.join_thread()
    assert outcomes == ["busy", "busy", "won"]


def test_of_several_threads_one_gets_each_package(catalogue: Catalogue) -> None:
    start, won = threading.Barrier(4), []

    def work(worker: str) -> None:
        start.wait(10)
        for number in range(20):
            try:
                won.append(catalogue.intake.claim(AGENCY, ObjId(f"urn:uuid:{number}"), worker, NOW, LEASE).objid)
            except Busy:
                continue

    threads = [threading.Thread(target=work, args=(f"w{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(won) == 20
    assert len(set(won)) == 20
