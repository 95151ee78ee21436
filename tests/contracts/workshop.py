"""What every Workshop must do. A test class inherits the suite and gives the fixture ``workshop``, whose equipment is
``EQUIPMENT``."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from preservation.workshop.port import WorkLost, Workshop
from tests.builders.deeds import MODULE

EQUIPMENT = {"words": ["một", "hai"], "bytes": {"deep": [b"\0\xff", b""]}}


class WorkshopContract:
    @pytest.mark.parametrize(
        "given",
        [
            {},
            {"text": "Số 12/QĐ-UBND", "lone": "\udcff\n\0", "number": 1 << 60, "real": 0.5, "none": None, "yes": True},
            {"bytes": b"x" * 300_000, "more": [b"", {"deep": b"\0"}], "nested": [[1, [2]], {}]},
            {"long": "đ" * 400_000},
        ],
    )
    def test_values_cross_as_they_are(self, workshop: Workshop, given: dict[str, object]) -> None:
        assert workshop.run(f"{MODULE}:echo", given) == given | {"files": []}

    def test_files_are_read_from_their_beginning_and_stay_open(self, workshop: Workshop, tmp_path: Path) -> None:
        path = tmp_path / "tệp"
        path.write_bytes(b"0123456789")
        with path.open("rb") as one, path.open("w+b") as two:
            one.read(3)
            two.write(b"abc")
            for _ in range(2):
                assert workshop.run(f"{MODULE}:echo", {}, [one, two]) == {"files": [b"abc", b"abc"]}
            assert not one.closed
            assert not two.closed

    def test_a_file_without_a_name_can_be_given(self, workshop: Workshop, tmp_path: Path) -> None:
        with (tmp_path / "x").open("w+b") as file:
            file.write(b"spool")
            (tmp_path / "x").unlink()
            assert workshop.run(f"{MODULE}:echo", {}, [file]) == {"files": [b"spool"]}

    def test_equipment_is_what_was_given(self, workshop: Workshop) -> None:
        assert workshop.run(f"{MODULE}:equipped", {}) == {"equipment": EQUIPMENT}

    def test_tools_are_made_once(self, workshop: Workshop) -> None:
        first = workshop.run(f"{MODULE}:count", {})
        second = workshop.run(f"{MODULE}:count", {})
        assert (first["process"], first["asked"] + 1) == (second["process"], second["asked"])

    def test_a_tool_that_could_not_be_made_is_tried_again(self, workshop: Workshop) -> None:
        assert workshop.run(f"{MODULE}:make_what_fails", {}) == {"made": 1, "times": 2}

    @pytest.mark.parametrize(
        "task",
        [f"{MODULE}:fail", f"{MODULE}:missing", "no.such:module", "", f"{MODULE}:unsayable", f"{MODULE}:recurse"],
    )
    def test_a_task_that_raises_is_lost_and_the_next_is_not(self, workshop: Workshop, task: str) -> None:
        before = workshop.run(f"{MODULE}:count", {})
        with pytest.raises(WorkLost) as lost:
            workshop.run(task, {})
        assert not lost.value.late
        assert workshop.run(f"{MODULE}:count", {})["process"] == before["process"]

    def test_what_cannot_be_sent_is_the_callers_error(self, workshop: Workshop) -> None:
        with pytest.raises(TypeError):
            workshop.run(f"{MODULE}:echo", {"x": object()})

    def test_threads_get_their_own_answers(self, workshop: Workshop) -> None:
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda n: workshop.run(f"{MODULE}:echo", {"n": n, "b": b"%d" % n}), range(100)))
        assert [(answer["n"], answer["b"]) for answer in answers] == [(n, b"%d" % n) for n in range(100)]

    def test_files_do_not_stay_open_in_the_child_whatever_the_task_does(
        self, workshop: Workshop, tmp_path: Path
    ) -> None:
        (tmp_path / "x").write_bytes(b"x")
        opened = set()
        for task in ["echo", "fail", "close_files"] * 10:
            with (tmp_path / "x").open("rb") as file, suppress(WorkLost):
                workshop.run(f"{MODULE}:{task}", {}, [file])
            opened.add(workshop.run(f"{MODULE}:open_files", {})["open"])
        assert len(opened) == 1

    def test_may_be_closed_twice(self, workshop: Workshop) -> None:
        workshop.close()
        workshop.close()
