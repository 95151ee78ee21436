"""The eight steps: from an agency's package to a reader, and intact all the way."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from demo.dossiers import Transfer, write_transfers
from demo.stage import Stage

_STORES = ("kho-a", "kho-b")


def tell(folder: Path, *, serve: bool) -> None:
    """Tell the story in ``folder``, which is made. Raises StoryBrokenError when something is not as told."""
    stage = Stage(folder / "kho")
    transfers = _transfers(stage, folder / "nop-luu")
    _ingest(stage, transfers)
    one = _replicas(stage)
    _damage_and_repair(stage, one)
    _write_down(stage, folder)
    before = _search_and_fetch(stage, one, folder)
    _lose_and_rebuild(stage, before)
    _back_up_and_restore(stage, folder)
    _serve(stage, serve=serve)


def _transfers(stage: Stage, folder: Path) -> list[Transfer]:
    stage.chapter(
        1,
        "Ba cơ quan của tỉnh Đồng Tháp đóng gói hồ sơ nộp lưu.",
        "Three agencies of Đồng Tháp pack their dossiers for transfer.",
    )
    with stage.progress("Văn bản / documents") as advance:
        transfers = write_transfers(folder, advance)
    good = [transfer for transfer in transfers if transfer.flaw is None]
    count = sum(transfer.documents for transfer in good)
    stage.tell(
        f"{len(good)} hồ sơ, {count} văn bản: PDF/A, PDF có chữ ký số, Word, Excel, ảnh, văn bản thuần.",
        f"{len(good)} dossiers, {count} documents: PDF/A, signed PDF, Word, Excel, pictures, plain text.",
    )
    for agency in sorted({transfer.agency for transfer in transfers}):
        stage.show(f"{agency}:")
        stage.show(*(f"  {transfer.path.name}" for transfer in transfers if transfer.agency == agency))
    for transfer in transfers:
        if transfer.flaw:
            stage.tell(
                f"Hỏng có chủ ý: {transfer.path.name}: {transfer.flaw.vi}.", f"Bad on purpose: {transfer.flaw.en}."
            )
    return transfers


def _ingest(stage: Stage, transfers: list[Transfer]) -> None:
    stage.chapter(
        2,
        "Lưu trữ lịch sử tiếp nhận: mỗi byte được đọc một lần, ghi vào hai nơi lưu, đọc lại cho khớp rồi mới có "
        "biên nhận.",
        "The archive takes them in: each byte is read once, written to two stores, read back; then a receipt.",
    )
    stage.command("init", "--code", "H20.LTLS", "--name", "Lưu trữ lịch sử tỉnh Đồng Tháp")
    paths = [str(transfer.path) for transfer in transfers]
    stage.command("ingest", *paths, code=3, lines=80, typed=["ingest", f"{transfers[0].path.parent.parent}/*/*"])
    answer = stage.ask("ingest", *paths, code=3)
    receipts = [package["receipt"] for package in answer["packages"]]
    accepted = [receipt for receipt in receipts if receipt["verdict"] == "accepted"]
    flawed = sum(transfer.flaw is not None for transfer in transfers)
    stage.expect(len(accepted) == len(transfers) - flawed, f"{len(accepted)} accepted")
    objects = {store: _objects(stage, store) for store in _STORES}
    stage.expect(all(len(found) == len(accepted) for found in objects.values()), "one object a package in each store")
    left = [*stage.home.glob("tmp/*"), *stage.home.glob("kho-*/uploads/*")]
    stage.expect(not left, f"nothing left behind: {left}")
    stage.tell(
        f"{len(accepted)} gói được lưu, {flawed} gói bị từ chối với mã lý do và không để lại gì. "
        "Gửi lại tất cả lần nữa: vẫn từng ấy gói, biên nhận cũ.",
        f"{len(accepted)} kept, {flawed} refused with coded reasons and without a trace. "
        "All sent once more: no more AIPs, the same receipts.",
    )


def _replicas(stage: Stage) -> Mapping[str, Any]:
    import bagit

    stage.chapter(
        3,
        "Hai bản sao, mỗi gói AIP một tệp ZIP không nén chứa một túi BagIt.",
        "Two replicas; each AIP is one uncompressed ZIP of one BagIt bag.",
    )
    for store in _STORES:
        found = _objects(stage, store)
        stage.show(f"{store}: {len(found)} AIP, {sum(path.stat().st_size for path in found):,} byte")
    one = _aip(stage, '"vùng chuyên canh sen"')
    path = _object(stage, "kho-a", one)
    stage.show(str(path.relative_to(stage.home)))
    with tempfile.TemporaryDirectory(prefix="tangthu-demo-") as folder, zipfile.ZipFile(path) as archive:
        archive.extractall(folder)
        (root,) = Path(folder).iterdir()
        valid = bagit.Bag(str(root)).validate()
        stage.expect(bool(valid), "bagit says that it is a valid bag")
        mets = next(root.glob("data/*/METS.xml")).read_text(encoding="utf-8")
        premis = next(root.glob("data/*/metadata/preservation/PREMIS.xml")).read_text(encoding="utf-8")
    stage.tell("bagit (chương trình của bên thứ ba) nói: túi hợp lệ.", "bagit, a third party's program, says: valid.")
    stage.show("METS.xml:", *(f"  {line[:150]}" for line in mets.splitlines()[1:5]))
    stage.show("PREMIS.xml:", *(f"  {line[:150]}" for line in premis.splitlines()[1:6]))
    stage.command("verify", str(path))
    return one


def _damage_and_repair(stage: Stage, one: Mapping[str, Any]) -> None:
    stage.chapter(
        4,
        "Kiểm tra toàn bộ; rồi một byte trong một bản sao bị đổi trên đĩa; kiểm tra lại, tìm ra, sửa chữa.",
        "Audit everything; then one byte of one replica changes on disk; audit again, find it, repair it.",
    )
    stage.command("audit", "--all")
    victim = next(file for file in one["files"] if file["role"] == "content" and file["path"].endswith(".pdf"))
    path = _object(stage, "kho-b", one)
    place = victim["offset"] + victim["size"] // 2
    mode = path.stat().st_mode
    path.chmod(mode | 0o200)
    with path.open("r+b") as file:
        file.seek(place)
        byte = file.read(1)[0]
        file.seek(place)
        file.write(bytes([byte ^ 0x01]))
    path.chmod(mode)
    stage.tell(
        f"Byte {place:,} của {path.name} trong kho-b: {byte:#04x} → {byte ^ 1:#04x}.",
        "One bit of it is the other way round now.",
    )
    found = stage.command("audit", one["aip"], code=1)
    stage.expect(victim["path"] in found, "the damage is named to the member file")
    stage.command("repair")
    stage.command("audit", one["aip"])
    shown = stage.ask("show", one["aip"])
    stage.tell("Tất cả đã thành sự kiện PREMIS của gói:", "All of it is now PREMIS events of the AIP:")
    stage.show(
        *(
            f"{event['at'][:19]}  {event['type']}: {event['outcome']}  {event['store'] or ''}"
            for event in shown["events"][-7:]
        )
    )
    stage.expect(any(event["type"] == "recovery" for event in shown["events"]), "the repair is a PREMIS event")


def _write_down(stage: Stage, folder: Path) -> None:
    (incident,) = stage.ask("incidents", "list")["incidents"]
    stage.expect(incident["state"] == "mended", "the damage is an incident, and it is mended")
    stage.tell(
        "Hư hại đó là một sự cố: cán bộ ghi nguyên nhân, cách xử lý, rồi in biên bản (TT 05, Phụ lục VII).",
        "That damage is an incident: the officer writes cause and handling, and prints the minutes (TT 05 annex VII).",
    )
    words = (
        "--cause",
        "Một bit đổi trên đĩa của kho-b.",
        "--handling",
        "Đã thay bằng bản sao của kho-a, đọc lại khớp.",
    )
    stage.command("incidents", "close", incident["id"], *words, "--person", "Nguyễn Thị Sen")
    minutes = folder / "bien-ban-su-co.pdf"
    stage.command("forms", "incident", incident["id"], "--person", "Nguyễn Thị Sen", "--out", str(minutes))
    stage.expect(minutes.read_bytes().startswith(b"%PDF-"), "the minutes are a PDF")


def _search_and_fetch(stage: Stage, one: Mapping[str, Any], folder: Path) -> Mapping[str, Any]:
    stage.chapter(
        5,
        "Tìm không dấu, thấy có dấu; lấy một văn bản từ trong gói AIP.",
        "Search without diacritics, find with them; fetch one document from inside its AIP.",
    )
    stage.command("search", "cong", "van", "--limit", "3")
    answer: dict[str, Any] = stage.ask("search", "cong van", "--limit", "100")
    stage.expect(answer["total"] > 0, "công văn is found by cong van")
    member = next(file for file in one["files"] if file["role"] == "content")
    target = folder / Path(member["path"]).name
    stage.command("get", one["aip"], member["path"], "-o", str(target))
    digest = hashlib.sha256(target.read_bytes()).hexdigest()
    stage.expect(digest == member["sha256"], "its digest is that of the manifest")
    stage.show(f"sha256 {digest}")
    part = folder / "range.bin"
    stage.command("get", one["aip"], member["path"], "--range", "100-199", "-o", str(part))
    stage.expect(part.read_bytes() == target.read_bytes()[100:200], "the range is those bytes")
    part.unlink()
    stage.tell("Mã băm trùng với bảng kê của gói; đoạn byte trùng với tệp.", "The digest is that of the manifest.")
    return answer


def _lose_and_rebuild(stage: Stage, before: Mapping[str, Any]) -> None:
    stage.chapter(
        6,
        "Xóa hẳn danh mục và chỉ mục; dựng lại chỉ từ các bản sao.",
        "Delete the catalogue and the index; build them again from the replicas alone.",
    )
    rows = _dump(stage)
    for path in stage.home.glob("catalogue.sqlite*"):
        path.unlink()
    shutil.rmtree(stage.home / "search")
    stage.command("rebuild")
    stage.expect(_dump(stage) == rows, "the catalogue is the same, row by row")
    after = stage.ask("search", "cong van", "--limit", "100")
    stage.expect(after == before, "search gives the same answers")
    stage.command("audit", "--all")
    stage.tell(
        f"{len(rows)} dòng của danh mục giống hệt như trước; tìm kiếm và kiểm tra cho cùng kết quả.",
        f"All {len(rows)} rows are as they were; search and audit give the same answers.",
    )


def _back_up_and_restore(stage: Stage, folder: Path) -> None:
    stage.chapter(
        7,
        "Sao lưu vào chính các nơi lưu; rồi dựng lại cả kho trên một máy trống, chỉ từ các nơi lưu.",
        "A backup into the stores themselves; then the whole archive anew on an empty machine, from the stores alone.",
    )
    stage.command("backup")
    rows = _dump(stage)
    empty = Stage(folder / "may-moi")
    stores = [f"--from=directory={stage.home / store}" for store in _STORES]
    empty.command("restore", *stores, "--verify")
    stage.expect(_dump(empty) == rows, "the restored catalogue is the same, row by row")
    stage.command("drill", "--aips", "3")
    stage.tell(
        "Phục hồi thử: lấy ngẫu nhiên vài gói, mở ra, đối chiếu từng tệp; kết quả nằm trong nhật ký của kho.",
        "A drill: some AIPs by lot, unpacked, every file compared; what came of it is in the archive's journal.",
    )


def _serve(stage: Stage, *, serve: bool) -> None:
    stage.chapter(8, "Phòng đọc: trang web và API.", "The reading room: the web page and the API.")
    if not serve:
        stage.tell(
            f"Mở bằng: tangthu --home {stage.home} serve",
            "Open it with the command above (this run stops before it).",
        )
        return
    from administration.cli import run

    stage.tell(
        "Mở địa chỉ dưới đây, nhập mã truy cập. Ctrl-C để kết thúc.", "Open the address, give the token. Ctrl-C ends."
    )
    run(["--home", str(stage.home), "serve", "--port", "0"])


def _objects(stage: Stage, store: str) -> list[Path]:
    return sorted((stage.home / store).rglob("v*.zip"))


def _object(stage: Stage, store: str, one: Mapping[str, Any]) -> Path:
    aip = one["aip"].rpartition("-v")[0]
    return next(path for path in _objects(stage, store) if aip in path.parts)


def _aip(stage: Stage, words: str) -> Mapping[str, Any]:
    hit = stage.ask("search", words)["hits"][0]
    shown: dict[str, Any] = stage.ask("show", hit["aip"])
    return shown


def _dump(stage: Stage) -> list[str]:
    from administration.archive import Archive

    with Archive.open(stage.home) as archive:
        return [repr(row) for row in archive.catalogue.dump()]
