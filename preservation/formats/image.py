"""Images, by Pillow: every picture of the file is decoded in full, unless it has more pixels than are allowed."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import BinaryIO

from PIL import (
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    Jpeg2KImagePlugin,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

from metadata.characteristics import Facts
from metadata.outcomes import Validity
from preservation.formats.image_tiff import fault_of_chain, is_tiff
from preservation.formats.port import Inspection, Remark, Specimen
from preservation.formats.task import Broken, judged

REFUSALS: tuple[type[Exception], ...] = (UnidentifiedImageError,)

PIXELS = 160_000_000
"""Of one picture: A0 at 300 dots an inch has 140 million."""

PIXELS_OF = {"JPEG2000": 80_000_000}
"""Fewer for readers that need more memory for each."""

_LEAST = 10
"""Dots an inch; fewer are a ratio of sides, not a resolution."""

ALL_PIXELS = 1_000_000_000
FRAMES = 5_000

SECONDS = 20.0
"""After so long no further picture is begun."""

_READERS = tuple(
    one.format
    for one in (
        JpegImagePlugin.JpegImageFile,
        PngImagePlugin.PngImageFile,
        TiffImagePlugin.TiffImageFile,
        Jpeg2KImagePlugin.Jpeg2KImageFile,
        GifImagePlugin.GifImageFile,
        BmpImagePlugin.BmpImageFile,
        WebPImagePlugin.WebPImageFile,
    )
)
# What Pillow raises over data that is not what it should be; OSError only without a number, else it is our disk.
_FAULTS = (SyntaxError, ValueError, EOFError, TypeError, KeyError, IndexError, OverflowError, ZeroDivisionError)
# What stands at the end of a whole file; decoders do not all miss it.
_ENDS = {"JPEG": b"\xff\xd9", "MPO": b"\xff\xd9", "JPEG2000": b"\xff\xd9", "PNG": b"IEND", "GIF": b"\x3b"}
_COLOURS = {
    "1": "bilevel",
    **dict.fromkeys(("L", "LA", "La", "I", "F", "I;16", "I;16B", "I;16L", "I;16N"), "grey"),
    **dict.fromkeys(("P", "PA"), "palette"),
    **dict.fromkeys(("RGB", "RGBA", "RGBa", "RGBX", "YCbCr", "HSV"), "RGB"),
    "CMYK": "CMYK",
    "LAB": "Lab",
}
_SOFTWARE, _MAKE, _MODEL, _RESOLUTION = 0x0131, 0x010F, 0x0110, 0x011A


def inspect(specimen: Specimen, file: BinaryIO | None) -> Inspection:
    """See :mod:`preservation.formats.task`."""
    assert file is not None
    remarks: list[Remark] = []
    if is_tiff(specimen.head) and (fault := fault_of_chain(file, specimen.size)):
        remarks.append(Remark("FORMAT-DAMAGED", {"reason": fault}))
    with _quiet():
        try:
            image = _open(file, PIXELS)
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            with _open(file, None) as image:
                return _swollen(_facts(image), image.format or "")
        except UnidentifiedImageError:
            if is_tiff(specimen.head) and not remarks:
                reason = {"reason": "a kind of TIFF that Pillow does not read"}
                return Inspection(Validity.UNREADABLE, (Remark("FORMAT-UNREADABLE", reason),))
            raise
        with image:
            return _looked(specimen, image, file, remarks)


def _open(file: BinaryIO, pixels: int | None) -> Image.Image:
    file.seek(0)
    Image.MAX_IMAGE_PIXELS = pixels
    try:
        return Image.open(file, formats=_READERS)
    except OSError as error:
        if error.errno or isinstance(error, UnidentifiedImageError):
            raise
        raise Broken(str(error)) from error
    except (SyntaxError, ValueError, EOFError, OverflowError) as error:
        raise Broken(f"{type(error).__name__}: {error}") from error


def _looked(specimen: Specimen, image: Image.Image, file: BinaryIO, remarks: list[Remark]) -> Inspection:
    facts, until = _facts(image), time.monotonic() + SECONDS
    frames = count = 0
    try:
        if image.format == "PNG":
            _verify(file)
        for frames, pixels in enumerate(_frames(image), 1):
            count = frames
            if pixels > ALL_PIXELS or frames == FRAMES or time.monotonic() > until:
                count = max(_count(file), frames)
                if count > frames:
                    remarks.append(Remark("FORMAT-PARTLY", {"seen": str(frames), "of": str(count)}))
                break
        _find_end(specimen, image.format or "")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return _swollen(facts, image.format or "")
    except (OSError, Broken, *_FAULTS) as error:
        if isinstance(error, OSError) and error.errno:
            raise
        where = "" if isinstance(error, Broken) else f"picture {frames + 1}: "
        remarks.append(Remark("FORMAT-DAMAGED", {"reason": f"{where}{str(error) or type(error).__name__}"}))
    pages = count if image.format == "TIFF" else None
    return Inspection(judged(remarks), tuple(remarks), replace(facts, images=count, pages=pages))


def _find_end(specimen: Specimen, kind: str) -> None:
    if _ENDS.get(kind, b"") not in specimen.tail:
        raise Broken("the end of the image is missing")


def _swollen(facts: Facts, kind: str) -> Inspection:
    remarks = (Remark("FORMAT-SWOLLEN", {"limit": f"{PIXELS_OF.get(kind, PIXELS) // 1_000_000} Mpx"}),)
    return Inspection(judged(remarks), remarks, facts)


def _verify(file: BinaryIO) -> None:
    """The checksums of a PNG's parts, which decoding alone does not look at."""
    with _open(file, PIXELS) as image:
        image.verify()


def _count(file: BinaryIO) -> int:
    """How many pictures there are. One that has been read further would have to be decoded anew to go back there."""
    with _open(file, PIXELS) as image:
        return int(getattr(image, "n_frames", 1))


def _frames(image: Image.Image) -> Iterator[int]:
    """Decode one picture after the other; how many pixels it has been so far."""
    pixels = 0
    for number in range(FRAMES):
        try:
            image.seek(number)
        except EOFError:
            return
        if math.prod(image.size) > PIXELS_OF.get(image.format or "", PIXELS):
            raise Image.DecompressionBombError
        image.load()
        pixels += math.prod(image.size)
        yield pixels


@contextmanager
def _quiet() -> Iterator[None]:
    """What Pillow warns of is nothing to us, but a picture of too many pixels."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def _facts(image: Image.Image) -> Facts:
    """Of the first picture, as its header has it."""
    exif = _exif(image)
    software = str(exif.get(_SOFTWARE) or image.info.get("Software") or "")
    camera = " ".join(str(exif.get(tag) or "").strip("\0 ") for tag in (_MAKE, _MODEL)).strip()
    return Facts(
        width=image.width,
        height=image.height,
        resolution=_resolution(image, exif),
        colour=_COLOURS.get(image.mode, ""),
        application=" / ".join(filter(None, (software.strip("\0 "), camera))),
    )


def _exif(image: Image.Image) -> dict[int, object]:
    if image.format != "TIFF" and "exif" not in image.info:
        return {}  # Pillow would decode a PNG to look for it behind the picture
    try:
        return dict(image.getexif())
    except (OSError, *_FAULTS):
        return {}


def _resolution(image: Image.Image, exif: dict[int, object]) -> int | None:
    """Dots an inch, the lower of both directions, as the file states it; None when it states none."""
    if image.format == "JPEG" and not image.info.get("jfif_unit") and _RESOLUTION not in exif:
        return None  # Pillow would say 72
    try:
        stated = min(float(one) for one in image.info["dpi"])
        return round(stated) if _LEAST <= stated <= 1_000_000 else None
    except (OSError, *_FAULTS):
        return None
