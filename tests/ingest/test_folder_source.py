"""A folder as a source: no link is followed, nothing but regular files is read."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from ingest.ledger import Ledger
from ingest.scan import scan
from ingest.sources import Source, open_source
from metadata.errors import NotFound
from metadata.findings import Findings


def judged(folder: Path) -> tuple[str | None, list[str], Findings]:
    findings = Findings()
    source = open_source(folder, folder.parent / "q", findings)
    assert source is not None
    assert source.name == folder.name
    with Ledger(folder.parent / "ledger") as ledger:
        root = scan(source, ledger, findings)
        paths = list(ledger.paths()) if root is not None else []
    source.close()
    source.close()
    return root, paths, findings


def read(source: Source, path: str) -> bytes:
    with source.open(path) as stream:
        return stream.read()


def tree(tmp_path: Path, *names: str) -> Path:
    folder = tmp_path / "package"
    folder.mkdir()
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


def test_files_are_noted_from_the_single_top_folder(tmp_path: Path) -> None:
    assert judged(tree(tmp_path, "top/a", "top/b/c"))[:2] == ("top/", ["a", "b/c"])


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    folder = tree(tmp_path)
    (folder / "only" / "folders").mkdir(parents=True)
    assert judged(folder)[2].counts == {"SOURCE-EMPTY": 1}


def test_links_pipes_and_sockets_are_refused(tmp_path: Path) -> None:
    folder = tree(tmp_path, "a")
    (folder / "link").symlink_to("a")
    (folder / "folder link").symlink_to("/etc")
    os.mkfifo(folder / "pipe")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(folder / "s"))
        root, _, findings = judged(folder)
    assert root is None
    assert findings.counts == {"SOURCE-LINK": 2, "SOURCE-SPECIAL": 2}


def test_a_name_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    folder = tree(tmp_path, "a")
    with open(os.fsencode(folder) + b"/v\xa8n", "wb"):  # noqa: PTH123 (bytes)
        pass
    assert judged(folder)[2].counts == {"NAME-ENCODING": 1}


def test_what_becomes_a_link_while_we_read_is_not_followed(tmp_path: Path) -> None:
    folder = tree(tmp_path, "d/a", "d/e/b", "c")
    source = open_source(folder, tmp_path / "q", Findings())
    assert source is not None
    assert read(source, "d/a") == b"d/a"
    assert read(source, "d/e/b") == b"d/e/b"
    assert read(source, "c") == b"c"
    source.enter("d/")
    assert read(source, "e/b") == b"d/e/b"
    source.enter("")
    (folder / "c").unlink()
    (folder / "c").symlink_to("/etc/passwd")
    (folder / "d").rename(folder / "x")
    (folder / "d").symlink_to("x")
    os.mkfifo(folder / "pipe")
    for path in ("c", "d/a", "pipe", "../package/x/a", "x/../c", "none"):
        with pytest.raises(OSError, match=r".*"):
            source.open(path)
    source.close()


def test_a_folder_that_cannot_be_read_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tree(tmp_path, "d/a")
    real = os.scandir

    def refuse(path: int) -> object:
        if len(os.listdir(path)) == 1 and os.listdir(path) == ["a"]:
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", refuse)
    findings = judged(folder)[2]
    assert findings.counts == {"SOURCE-UNREADABLE": 1}


def test_nothing_there_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        open_source(tmp_path / "none", tmp_path / "q", Findings())
