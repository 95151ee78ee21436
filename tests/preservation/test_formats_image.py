"""Images: whole ones are VALID with their facts, cut and altered ones are not, bombs are not decoded."""

from __future__ import annotations

import io
import random
import struct
import zlib

import pytest
from PIL import Image

from metadata.characteristics import Facts
from metadata.outcomes import Validity
from preservation.formats import image as module
from preservation.formats.task import look
from tests.builders.images import KINDS, encoded, picture, png_bomb, png_chunk, tiff_loop
from tests.preservation.looking import codes, looked, specimen


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_image_is_valid(kind: str) -> None:
    found = looked(kind, encoded(kind))
    assert (found.validity, found.remarks) == (Validity.VALID, ())
    assert (found.facts.width, found.facts.height, found.facts.images) == (64, 48, 1)
    assert found.facts.colour == ("palette" if kind == "gif" else "RGB")
    assert found.facts.pages == (1 if kind == "tif" else None)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 0.99])
def test_a_cut_image_is_not(kind: str, share: float) -> None:
    data = encoded(kind)
    found = looked(kind, data[: int(len(data) * share)])
    assert found.validity is Validity.INVALID, found
    assert set(codes(found)) <= {"FORMAT-BROKEN", "FORMAT-DAMAGED"}


@pytest.mark.parametrize(
    ("mode", "kind", "colour"),
    [
        ("1", "tif", "bilevel"),
        ("1", "png", "bilevel"),
        ("L", "jpg", "grey"),
        ("I;16", "tif", "grey"),
        ("P", "png", "palette"),
        ("RGBA", "png", "RGB"),
        ("CMYK", "jpg", "CMYK"),
        ("LAB", "tif", "Lab"),
        ("YCbCr", "jpg", "RGB"),
    ],
)
def test_colours_have_one_set_of_names(mode: str, kind: str, colour: str) -> None:
    image = Image.new(mode, (20, 20)) if mode in ("LAB", "I;16") else picture(mode)
    found = looked(kind, encoded(kind, image))
    assert (found.validity, found.facts.colour) == (Validity.VALID, colour)


@pytest.mark.parametrize("kind", ["jpg", "png", "tif", "bmp"])
def test_the_resolution_is_what_the_file_states(kind: str) -> None:
    assert looked(kind, encoded(kind, dpi=(300, 200))).facts.resolution == 200
    assert looked(kind, encoded(kind, dpi=(300, 300))).facts.resolution == 300


def test_a_resolution_that_is_not_stated_is_not_made_up() -> None:
    exif = Image.Exif()
    exif[0x0131] = "May quet"
    found = looked("jpg", encoded("jpg", exif=exif))
    assert (found.facts.resolution, found.facts.application) == (None, "May quet")
    assert looked("png", encoded("png")).facts.resolution is None
    assert looked("tif", encoded("tif", compression="tiff_lzw")).facts.resolution is None


def test_the_camera_is_named() -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0131] = "Canon", "DR-C225", "CaptureOnTouch"
    assert looked("jpg", encoded("jpg", exif=exif)).facts.application == "CaptureOnTouch / Canon DR-C225"
    assert looked("tif", encoded("tif", exif=exif)).facts.application == "CaptureOnTouch / Canon DR-C225"


def test_pages_of_a_tiff_are_counted() -> None:
    pages = [picture("1"), picture("L"), picture()]
    data = encoded("tif", pages[0], save_all=True, append_images=pages[1:])
    found = looked("tif", data)
    assert (found.validity, found.facts.pages, found.facts.images) == (Validity.VALID, 3, 3)


def test_a_later_picture_that_is_cut_is_told_by_its_number() -> None:
    pages = [picture(), picture()]
    data = bytearray(encoded("tif", pages[0], save_all=True, append_images=pages[1:], compression="tiff_adobe_deflate"))
    with Image.open(io.BytesIO(data)) as image:
        image.seek(1)
        (second,) = image.tag_v2[273]  # StripOffsets
    data[second + 20 : second + 200] = bytes(180)
    found = looked("tif", bytes(data))
    assert (found.validity, codes(found)) == (Validity.INVALID, ["FORMAT-DAMAGED"])
    assert "picture 2" in found.remarks[0].details["reason"]


def test_a_tiff_that_goes_round_in_circles_ends() -> None:
    found = looked("tif", tiff_loop())
    assert (found.validity, codes(found)) == (Validity.INVALID, ["FORMAT-DAMAGED"])
    assert "loop" in found.remarks[0].details["reason"]


def test_big_tiff_is_followed_too() -> None:
    data = bytearray(encoded("tif", big_tiff=True))
    assert looked("tif", bytes(data)).validity is Validity.VALID
    (at,) = struct.unpack_from("<Q", data, 8)
    (count,) = struct.unpack_from("<Q", data, at)
    struct.pack_into("<Q", data, at + 8 + 20 * count, at)
    assert "loop" in looked("tif", bytes(data)).remarks[0].details["reason"]


def test_a_tiff_that_pillow_cannot_read_is_not_called_broken() -> None:
    data = bytearray(encoded("tif"))
    (at,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, at)
    for entry in range(at + 2, at + 2 + 12 * count, 12):
        if struct.unpack_from("<H", data, entry)[0] == 262:  # PhotometricInterpretation
            struct.pack_into("<H", data, entry + 8, 32803)  # of a colour filter array, as cameras write it
    found = looked("tif", bytes(data))
    assert (found.validity, codes(found)) == (Validity.UNREADABLE, ["FORMAT-UNREADABLE"])


@pytest.mark.parametrize("size", [(100_000, 100_000), (14_000, 14_000)])
def test_a_bomb_is_not_decoded_and_its_size_is_told(size: tuple[int, int]) -> None:
    found = looked("png", png_bomb(*size))
    assert (found.validity, codes(found)) == (Validity.UNREADABLE, ["FORMAT-SWOLLEN"])
    assert (found.facts.width, found.facts.height) == size


def test_facts_of_a_picture_are_told_without_decoding_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image.Image, "load", None)
    monkeypatch.setattr(module.PngImagePlugin.PngImageFile, "load", None)
    found = looked("png", png_bomb())
    assert (codes(found), found.facts.width) == (["FORMAT-SWOLLEN"], 100_000)


def test_a_bomb_in_a_later_picture_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PIXELS", 5_000)
    data = encoded("tif", picture(size=(20, 20)), save_all=True, append_images=[picture(size=(200, 200))])
    found = looked("tif", data)
    assert (found.validity, codes(found)) == (Validity.UNREADABLE, ["FORMAT-SWOLLEN"])


def test_readers_that_need_more_memory_take_fewer_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(module.PIXELS_OF, "JPEG2000", 1_000_000)
    for size, remarks in (((1000, 900), []), ((1000, 1100), ["FORMAT-SWOLLEN"])):
        found = looked("jp2", encoded("jp2", Image.new("L", size)))
        assert codes(found) == remarks
        assert (found.facts.width, found.facts.height) == size


def test_after_some_time_no_further_picture_is_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS", -1.0)
    pages = [picture() for _ in range(4)]
    found = looked("tif", encoded("tif", pages[0], save_all=True, append_images=pages[1:]))
    assert (found.validity, codes(found)) == (Validity.VALID_WITH_NOTES, ["FORMAT-PARTLY"])
    assert dict(found.remarks[0].details) == {"seen": "1", "of": "4"}
    assert found.facts.pages == 4


def test_more_pictures_than_are_looked_at_are_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FRAMES", 3)
    for count, remarks in ((3, []), (5, ["FORMAT-PARTLY"])):
        frames = [picture().rotate(number) for number in range(count)]
        found = looked("gif", encoded("gif", frames[0], save_all=True, append_images=frames[1:]))
        assert codes(found) == remarks
        assert found.facts.images == count


def test_a_checksum_that_does_not_match_is_found() -> None:
    data = encoded("png")
    at = data.index(b"IDAT") + 4 + struct.unpack_from(">I", data, data.index(b"IDAT") - 4)[0]
    found = looked("png", data[:at] + bytes(4) + data[at + 4 :])
    assert (found.validity, codes(found)) == (Validity.INVALID, ["FORMAT-DAMAGED"])


def test_a_text_bomb_in_a_png_is_refused() -> None:
    data = encoded("png")
    text = png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(100 << 20), 9))
    at = data.index(b"IDAT") - 4
    found = looked("png", data[:at] + text + data[at:])
    assert found.validity in (Validity.VALID, Validity.INVALID)
    assert len(found.text) == 0


def test_a_name_that_is_wrong_is_broken() -> None:
    assert codes(looked("jpg", b"\xff\xd8\xff\xe0" + b"x" * 500)) == ["FORMAT-BROKEN"]
    assert codes(looked("gif", b"")) == ["FORMAT-BROKEN"]


@pytest.mark.parametrize("kind", KINDS)
def test_noise_never_comes_out_of_the_task(kind: str) -> None:
    seed = encoded(kind)
    chance = random.Random(f"noise in {kind}")
    outcomes = set()
    for _ in range(150):
        data = bytearray(seed)
        for _ in range(chance.choice((1, 3, 20))):
            data[chance.randrange(len(data))] = chance.randrange(256)
        if chance.random() < 0.3:
            del data[chance.randrange(len(data)) :]
        found = looked(kind, bytes(data))
        assert Facts.of_fields(found.facts.fields()) == found.facts
        assert found.fields()
        outcomes.add(found.validity)
    assert Validity.INVALID in outcomes


def test_what_our_disk_does_is_not_the_file_s_fault() -> None:
    class Torn(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            if self.tell() + (size or -1) > 2_000:
                raise OSError(5, "Input/output error")
            return super().read(size)

    data = encoded("bmp")
    found = look(specimen("bmp", data), Torn(data))
    assert (found.validity, codes(found)) == (Validity.UNREADABLE, ["FORMAT-UNREADABLE"])
