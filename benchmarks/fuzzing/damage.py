"""Ways to damage bytes and values; each is drawn by a generator, so that the same seed damages alike."""

import struct
import unicodedata
import zlib
from collections.abc import Callable, Sequence

import numpy as np

HEADER = 256  # bytes, which every other damage hits: that is where a reader decides what to do
EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**63 - 1, 2**64 - 1)
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"

# What no table, setting or name should come to grief over.
HOSTILE_TEXTS = (
    "",
    " ",
    "nan",
    "NaN",
    "inf",
    "-inf",
    "1e400",
    "1" * 400,
    "-" + "9" * 400,
    "0x10",
    "1_000",
    "1,5",
    "1.5.2",
    "--",
    "NULL",
    "None",
    "NA",
    "True",
    "١٢",
    "½",
    "=1+1",
    "\ufeff",
    "\x00",
    "\x07",
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07",
    "[/b]",
    "[bold]",
    "[link=x]y[/link]",
    "../../../x",
    "..",
    ".",
    "/",
    "a/../../b",
    "a\\b",
    'a"b',
    "a'b",
    "a,b",
    "a;b",
    "a\tb",
    "a\nb",
    "a\r\nb",
    unicodedata.normalize("NFC", "café"),
    unicodedata.normalize("NFD", "café"),
    "\u202egnp.exe",
    "\u200b",
    "👁️",
    "ﬁ",
    "İ",
    "{0}",
    "{model}",
    "%s",
    "%n%n",
    "$(touch x)",
    "`touch x`",
    "<script>alert(1)</script>",
    "</script>",
    "CON",
    "con.png",
    "-rf",
    "--help",
    "a" * 300,
    "01",
    "1e2",
    "0",
    "-0.0",
    "1e-400",
    "4294967296",
    "9223372036854775808",
)

Generator = np.random.Generator


def damaged(data: bytes, rng: Generator, others: Sequence[bytes] = ()) -> tuple[bytes, str]:
    """The bytes with one or two damages, and what they are; `others` lend pieces."""
    labels = []
    for _ in range(int(rng.integers(1, 3))):
        way = DAMAGES[int(rng.integers(len(DAMAGES)))]
        data, label = way(data, rng, others)
        labels.append(label)
    if data.startswith(PNG_SIGNATURE) and rng.random() < 0.5:  # else hardly a reader looks beyond the checksums
        data = with_right_checksums(data)
        labels.append("checksums right")
    return data, ", ".join(labels)


def place(data: bytes, rng: Generator) -> int:
    """A position, every other time near the beginning."""
    end = max(1, len(data))
    return int(rng.integers(min(end, HEADER) if rng.random() < 0.5 else end))


def _flipped(data: bytes, rng: Generator, _: Sequence[bytes]) -> tuple[bytes, str]:
    found = bytearray(data or b"\0")
    places = sorted(place(data, rng) for _ in range(int(rng.integers(1, 9))))
    for position in places:
        found[position] ^= int(rng.integers(1, 256))
    return bytes(found), f"{len(places)} bytes flipped from {places[0]}"


def _cut(data: bytes, rng: Generator, _: Sequence[bytes]) -> tuple[bytes, str]:
    end = place(data, rng)
    return data[:end], f"cut after {end} of {len(data)}"


def _inserted(data: bytes, rng: Generator, _: Sequence[bytes]) -> tuple[bytes, str]:
    position, n = place(data, rng), int(rng.integers(1, 64))
    return data[:position] + rng.bytes(n) + data[position:], f"{n} bytes inserted at {position}"


def _removed(data: bytes, rng: Generator, _: Sequence[bytes]) -> tuple[bytes, str]:
    position, n = place(data, rng), int(rng.integers(1, 64))
    return data[:position] + data[position + n :], f"{n} bytes taken out at {position}"


def _repeated(data: bytes, rng: Generator, _: Sequence[bytes]) -> tuple[bytes, str]:
    position, n = place(data, rng), int(rng.integers(1, 256))
    piece = data[position : position + n]
    return data[:position] + piece * int(rng.integers(2, 5)) + data[position + n :], f"{n} bytes repeated at {position}"


def _filled(data: bytes, rng: Generator, _: Sequence[bytes]) -> tuple[bytes, str]:
    position, n = place(data, rng), int(rng.integers(4, 128))
    value = int(rng.choice([0, 255]))
    filled = data[:position] + bytes([value]) * n + data[position + n :]
    return filled[: len(data)], f"{n} bytes {value:#x} at {position}"


def _field(data: bytes, rng: Generator, _: Sequence[bytes]) -> tuple[bytes, str]:
    size = int(rng.choice([1, 2, 4, 8]))
    value = EXTREMES[int(rng.integers(len(EXTREMES)))] % 256**size
    order = "<" if rng.random() < 0.5 else ">"
    position = place(data, rng)
    field = struct.pack(order + {1: "B", 2: "H", 4: "I", 8: "Q"}[size], value)
    return data[:position] + field + data[position + size :], f"{size} bytes {value:#x} ({order}) at {position}"


def _spliced(data: bytes, rng: Generator, others: Sequence[bytes]) -> tuple[bytes, str]:
    other = others[int(rng.integers(len(others)))] if others else rng.bytes(len(data))
    position = place(data, rng)
    return data[:position] + other[position:], f"another file from {position} on"


Damage = Callable[[bytes, Generator, Sequence[bytes]], tuple[bytes, str]]
DAMAGES: tuple[Damage, ...] = (_flipped, _cut, _inserted, _removed, _repeated, _filled, _field, _field, _spliced)


def with_right_checksums(png: bytes) -> bytes:
    """A PNG whose chunks, as far as they can be told, have the checksums of what is in them."""
    found, position = bytearray(png), len(PNG_SIGNATURE)
    while position + 12 <= len(found):
        (length,) = struct.unpack(">I", found[position : position + 4])
        end = position + 8 + length
        if end + 4 > len(found):
            break
        found[end : end + 4] = struct.pack(">I", zlib.crc32(found[position + 4 : end]))
        position = end + 4
    return bytes(found)


def hostile_text(rng: Generator) -> str:
    """One of the texts above."""
    return HOSTILE_TEXTS[int(rng.integers(len(HOSTILE_TEXTS)))]


def hostile_json(rng: Generator) -> object:
    """A value that JSON can say and hardly anybody expects."""
    deep: object = 0
    for _ in range(int(rng.integers(1, 60))):
        deep = [deep] if rng.random() < 0.5 else {"a": deep}
    values = [
        None, True, False, 0, 1, -1, 2**31, 2**63, 10**30, 1.5, float("nan"), float("inf"), "", [], {}, [[]], [None],
        {"": None}, [1, 2, 3], {"a": 1}, [-1, 10**20], deep,
    ]  # fmt: skip
    chosen = int(rng.integers(len(values) + 4))
    return values[chosen] if chosen < len(values) else hostile_text(rng)
