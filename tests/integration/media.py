"""Makes media for the tests without an imaging library: pictures, sound, archives, and the broken kind of each."""

import io
import pathlib
import struct
import wave
import zipfile
import zlib

PHOTOS = pathlib.Path(__file__).resolve().parents[1] / "data/photos"
CAT, COFFEE, CAMERA = ((PHOTOS / f"{name}.jpg").read_bytes() for name in ("cat", "coffee", "camera"))
SVG = b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>\n'


def _chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, color=(200, 30, 60)):
    """A whole picture of one colour."""
    rows = (b"\0" + bytes(color) * width) * height
    return _png(width, height, zlib.compress(rows))


def png_claiming(width, height):
    """A header that promises this size, before a few bytes of pixels."""
    return _png(width, height, zlib.compress(b"\0" * 1000))


def _png(width, height, idat):
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", idat) + _chunk(b"IEND", b"")


def wav(seconds=1):
    out = io.BytesIO()
    with wave.open(out, "wb") as w:
        w.setnchannels(1)
        w.setsampwidth(2)
        w.setframerate(8000)
        w.writeframes(bytes(range(256)) * (8000 * 2 * seconds // 256))
    return out.getvalue()


def zipped(name="inside.txt", data=b"what an archive carries"):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        z.writestr(name, data)
    return out.getvalue()
