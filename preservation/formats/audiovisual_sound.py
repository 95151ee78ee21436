"""MP3, FLAC and Ogg."""

from __future__ import annotations

import struct

from preservation.formats.audiovisual_windows import NotSeen, Recording, Windows
from preservation.formats.task import Broken

# Kilobits a second by index, for (version 1, layer) and (version 2, layer); samples a frame; hertz (ISO/IEC 11172-3).
_RATES = {
    (1, 1): (0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (1, 2): (0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (1, 3): (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (2, 1): (0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (2, 2): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 3): (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
_HERTZ = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_LOOKED_THROUGH = 8192
_PAGE = b"OggS"


def inspect_mp3(windows: Windows) -> Recording:
    """A tag, then frames: two that follow each other are a proof. Raises Broken, NotSeen."""
    begin = 0
    if windows.head.startswith(b"ID3"):
        size = windows.read(6, 4)
        begin = 10 + (size[0] << 21 | size[1] << 14 | size[2] << 7 | size[3])
        windows.must_hold(begin, "its ID3 tag")
    window = windows.some(begin, _LOOKED_THROUGH + 3000)
    if not window:
        raise NotSeen
    for at in range(min(len(window), _LOOKED_THROUGH)):
        if window[at] != 0xFF:
            continue
        frame = _frame(window[at : at + 4])
        if frame and (begin + at + frame[0] >= windows.size or _frame(window[at + frame[0] : at + frame[0] + 4])):
            return _stream(windows, begin + at, window[at : at + 200], frame)
    raise Broken("it has no frames of MPEG audio")


def _frame(head: bytes) -> tuple[int, int, int, int, int] | None:
    """Length in bytes, samples, hertz, bits a second and layer of a frame, by its header."""
    if len(head) < 4 or head[0] != 0xFF or head[1] < 0xE0:
        return None
    version, layer, index, rate = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3), head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or layer == 4 or index in (0, 15) or rate == 3:
        return None
    bits, hertz = _RATES[1 if version == 3 else 2, layer][index] * 1000, _HERTZ[version][rate]
    samples = 384 if layer == 1 else 576 if layer == 3 and version != 3 else 1152
    padding = head[2] >> 1 & 1
    length = (12 * bits // hertz + padding) * 4 if layer == 1 else samples // 8 * bits // hertz + padding
    return length, samples, hertz, bits, layer


def _stream(windows: Windows, begin: int, first: bytes, frame: tuple[int, int, int, int, int]) -> Recording:
    _, samples, hertz, bits, layer = frame
    found = Recording(codecs=[f"MPEG audio layer {layer}"])
    mark = max(first.find(b"Xing"), first.find(b"Info"))
    if mark >= 0 and len(first) >= mark + 12 and first[mark + 7] & 1:
        (frames,) = struct.unpack_from(">I", first, mark + 8)
        found.duration = frames * samples * 1000 // hertz
    else:
        found.duration = (windows.size - begin) * 8000 // bits
    return found


def inspect_flac(windows: Windows) -> Recording:
    """Raises Broken."""
    if windows.size < 42 or windows.read(4, 1)[0] & 0x7F != 0 or windows.read(5, 3) != b"\0\0\x22":
        raise Broken("its first block is not STREAMINFO")
    (packed,) = windows.unpack(">Q", 18)
    hertz, samples = packed >> 44, packed & ((1 << 36) - 1)
    if not hertz:
        raise Broken("its sample rate is none")
    return Recording(samples * 1000 // hertz or None, codecs=["FLAC"])


def inspect_ogg(windows: Windows) -> Recording:
    """The first page names the codec, the last one how many samples there are. Raises Broken."""
    page = windows.read(0, min(windows.size, 200))
    if len(page) < 28:
        raise Broken("it is cut short")
    packet = page[27 + page[26] :]
    found, hertz = Recording(), 0
    if packet.startswith(b"\x01vorbis") and len(packet) >= 16:
        found.codecs, hertz = ["Vorbis"], struct.unpack_from("<I", packet, 12)[0]
    elif packet.startswith(b"OpusHead"):
        found.codecs, hertz = ["Opus"], 48000
    elif packet.startswith(b"Speex") and len(packet) >= 40:
        found.codecs, hertz = ["Speex"], struct.unpack_from("<I", packet, 36)[0]
    elif packet.startswith(b"\x7fFLAC") and len(packet) >= 31:
        found.codecs, hertz = ["FLAC"], int.from_bytes(packet[27:30], "big") >> 4
    elif packet.startswith(b"\x80theora"):
        found.codecs = ["Theora"]
    last = windows.tail.rfind(_PAGE)
    if last < 0 or last + 27 > len(windows.tail):
        raise Broken("its last page is cut short")
    segments = windows.tail[last + 26]
    ends = last + 27 + segments + sum(windows.tail[last + 27 : last + 27 + segments])
    if ends > len(windows.tail):
        raise Broken("its last page is cut short")
    (samples,) = struct.unpack_from("<q", windows.tail, last + 6)
    if hertz and samples > 0:
        found.duration = samples * 1000 // hertz
    return found
