"""What every Identifier must do. A test class inherits the suite and gives the fixture ``identifier``."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from preservation.identification.port import Identifier
from tests.builders.samples import PDF_14, sample


class IdentifierContract:
    def test_names_itself(self, identifier: Identifier) -> None:
        assert identifier.name.strip()

    def test_knows_a_format_by_its_bytes_whatever_the_name(self, identifier: Identifier) -> None:
        found = identifier.identify(sample("báo cáo", PDF_14))
        assert (str(found.puid), found.basis, found.mime) == ("fmt/18", "signature", "application/pdf")

    def test_knows_text_by_its_bytes_whatever_the_name(self, identifier: Identifier) -> None:
        found = identifier.identify(sample("ghi chú", "Số 12/QĐ-UBND\n".encode()))
        assert (str(found.puid), found.basis, found.warning) == ("x-fmt/111", "text", "")
        assert found.mime == "text/plain; charset=utf-8"

    def test_falls_back_to_the_extension(self, identifier: Identifier) -> None:
        found = identifier.identify(sample("bài hát.MP3", b"\1\2"))
        assert (str(found.puid), found.basis) == ("fmt/134", "extension")
        assert found.warning

    @pytest.mark.parametrize("data", [b"", b"\0", b"\1" * 300_000, bytes(range(256)) * 8])
    def test_what_it_cannot_tell_has_no_puid_and_a_warning(self, identifier: Identifier, data: bytes) -> None:
        found = identifier.identify(sample("vô danh", data))
        assert (found.puid, found.basis, found.mime) == (None, "none", "application/octet-stream")
        assert found.warning

    @pytest.mark.parametrize("name", [".", "..", "a\n.pdf", "x" * 5000, "\udcff.txt", "\0", "đ" * 255 + ".txt"])
    def test_survives_any_name(self, identifier: Identifier, name: str) -> None:
        assert identifier.identify(sample(name, PDF_14)).basis == "signature"

    def test_answers_the_same_each_time(self, identifier: Identifier) -> None:
        assert len({identifier.identify(sample("a.pdf", PDF_14)) for _ in range(3)}) == 1

    def test_threads_get_their_own_answers(self, identifier: Identifier) -> None:
        samples = [sample("a.pdf", PDF_14), sample("b.txt", b"text")] * 10
        with ThreadPoolExecutor(4) as pool:
            bases = [found.basis for found in pool.map(identifier.identify, samples)]
        assert bases == ["signature", "text"] * 10

    def test_is_ready_where_it_can_look(self, identifier: Identifier) -> None:
        identifier.ready()

    def test_may_be_closed_twice(self, identifier: Identifier) -> None:
        identifier.close()
        identifier.close()
