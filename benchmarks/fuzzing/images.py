"""Damaged photographs beside good ones, for every command that reads photographs."""

import os
import struct
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from fuzzing import inputs
from fuzzing.damage import PNG_SIGNATURE, damaged
from fuzzing.inputs import FORMATS, MODEL, OTHER_FORMATS, encoded, photograph
from fuzzing.outcomes import Finding, Job, arrays_of, check_arrays, check_predictions, check_scores, scores_in
from fuzzing.subject import Subject
from fuzzing.worker import Call, Result

GOOD = {
    "good-0.jpg": FORMATS["jpg"](photograph(0)),
    "good-1.png": FORMATS["png"](photograph(1)),
    "good-2.tif": FORMATS["lzw.tif"](photograph(2)),
}
COMMANDS = ("predict", "predict", "evaluate", "predict", "export", "predict", "train", "predict", "benchmark")
LARGE = 13_000  # px, of the sides of a photograph that its header makes large


def chunk(name: bytes, data: bytes) -> bytes:
    """Of a PNG."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png_of(width: int, height: int, color_type: int, *, palette: bytes | None = None) -> bytes:
    """Eight bits, all zero, however large."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[color_type]
    packer = zlib.compressobj(1)
    rows = [packer.compress(bytes(1 + width * channels)) for _ in range(height)]
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, color_type, 0, 0, 0))
    colors = chunk(b"PLTE", palette) if palette else b""
    return PNG_SIGNATURE + header + colors + chunk(b"IDAT", b"".join([*rows, packer.flush()])) + chunk(b"IEND", b"")


def jpeg_that_says(width: int, height: int, **options: object) -> bytes:
    """A JPEG of a few rows, whose header says another size."""
    data = bytearray(encoded(photograph(9, (480, 640)), "JPEG", **options))
    start = data.index(b"\xff\xc2" if options.get("progressive") else b"\xff\xc0")
    data[start + 5 : start + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def _bmp_that_says(width: int, height: int) -> bytes:
    data = bytearray(FORMATS["bmp"](photograph(9)))
    data[18:26] = struct.pack("<ii", width, height)
    return bytes(data)


def _gif_that_says(width: int, height: int) -> bytes:
    data = bytearray(FORMATS["gif"](photograph(9)))
    data[6:10] = struct.pack("<HH", width, height)
    return bytes(data)


POSTSCRIPT = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 48\n(x) run\nshowpage\n%%EOF\n"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="64" height="48"><rect width="9" height="9"/></svg>'
# Inputs that are known to be hard: by their names, which take the case's number.
FIXED: dict[str, Callable[[], bytes]] = {
    "palette_without_plte.png": lambda: png_of(1, 1, 3),
    "empty.png": lambda: b"",
    "empty.jpg": lambda: b"",
    "text.png": lambda: b"no picture\n",
    "page.jpg": lambda: b"<!doctype html><html><body>404</body></html>",
    "signature.png": lambda: PNG_SIGNATURE,
    "postscript.png": lambda: POSTSCRIPT,
    "postscript.jpg": lambda: POSTSCRIPT,
    "vector.png": lambda: SVG,
    "archive.png": lambda: b"PK\x05\x06" + bytes(18),
    "heic.jpg": lambda: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64),
    "photo.heic": lambda: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64),
    "photo.jfif": lambda: OTHER_FORMATS["jfif"](photograph(5)),
    "photo.mpo": lambda: OTHER_FORMATS["mpo"](photograph(5)),
    "photo.avif": lambda: OTHER_FORMATS["avif"](photograph(5)),
    "photo.jp2": lambda: OTHER_FORMATS["jp2"](photograph(5)),
    "avif.jpg": lambda: OTHER_FORMATS["avif"](photograph(5)),
    "jp2.png": lambda: OTHER_FORMATS["jp2"](photograph(5)),
    "icon.png": lambda: encoded(photograph(5), "ICO"),
    "icns.png": lambda: encoded(photograph(5), "ICNS"),
    "pixmap.png": lambda: encoded(photograph(5), "PPM"),
    "document.jpg": lambda: encoded(photograph(5), "PDF"),
    "PHOTO.JPG": lambda: FORMATS["jpg"](photograph(5)),
    "one.png": lambda: png_of(1, 1, 2),
    "row.png": lambda: png_of(3000, 1, 2),
    "column.png": lambda: png_of(1, 3000, 0),
    "nothing.png": lambda: png_of(0, 0, 2),
    "short_palette.png": lambda: png_of(8, 8, 3, palette=b"\0\0"),
    "float.tif": lambda: encoded(Image.fromarray(np.full((48, 64), 0.5, np.float32)), "TIFF"),
    "nan.tif": lambda: encoded(Image.fromarray(np.full((48, 64), np.nan, np.float32)), "TIFF"),
    "whole.tif": lambda: encoded(Image.fromarray(np.arange(48 * 64, dtype=np.int32).reshape(48, 64)), "TIFF"),
    "lab.tif": lambda: encoded(photograph(5).convert("LAB"), "TIFF"),
    "profile.jpg": lambda: encoded(photograph(5), "JPEG", icc_profile=b"no profile" * 9),
    "metadata.jpg": lambda: encoded(photograph(5), "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff"),
    "comment.png": lambda: PNG_SIGNATURE + png_of(8, 8, 2)[8:33] + chunk(b"zTXt", b"a\0\0x") + png_of(8, 8, 2)[33:],
    "bomb.png": lambda: png_of(30_000, 30_000, 0),
    "large.jpg": lambda: jpeg_that_says(LARGE, LARGE),
    "large_progressive.jpg": lambda: jpeg_that_says(LARGE, LARGE, progressive=True),
    "large.png": lambda: png_of(LARGE, LARGE, 0),
    "large_alpha.png": lambda: png_of(LARGE, LARGE, 6),
    "large.bmp": lambda: _bmp_that_says(LARGE, LARGE),
    "large.gif": lambda: _gif_that_says(LARGE, LARGE),
    "wide.jpg": lambda: jpeg_that_says(65_500, 2_000),
}
SPECIAL = ("folder.png", "pipe.png", "nowhere.png", "circle.png", "device.png")  # that are no files


class Images(Subject):
    """Photographs."""

    name = "images"
    cases = 480
    together = 8

    def prepare(self) -> None:
        """The good photographs alone: their densities and scores."""
        inputs.write_study(self.room / "study", GOOD)
        for argv in (_argv("predict"), _argv("evaluate"), _argv("export")):
            self.rehearsed(argv, self.room)
        self.densities = {name: np.load(self.room / f"out/{Path(name).stem}.density.npy") for name in GOOD}
        self.scores = scores_in(self.room / "out/images.csv")
        self.arrays = arrays_of(self.room / "out/maps.hdf5")
        self.good_files = {name: make(photograph(7)) for name, make in FORMATS.items()}

    def job(self, folder: Path, numbers: Sequence[int]) -> Job:
        """Photographs in one folder."""
        cases, own, pictures = {}, {}, dict(GOOD)
        special = {}
        for number in numbers:
            name, data, cases[number] = self._case(number)
            if data is None:
                special[name] = number
            else:
                pictures[name] = data
            own[number] = name
        command = COMMANDS[self.command_number(numbers) % len(COMMANDS)]
        study = inputs.write_study(folder / "study", pictures)
        for name in special:
            _make_special(study / "images" / name, name.split("-", 1)[1])
        given = [name for name in pictures if name not in GOOD]

        def check(_: Result) -> Finding | None:
            if command == "predict":
                return check_predictions(folder / "out", self.densities, given, "study/images")
            if command == "evaluate":
                return check_scores(folder / "out/images.csv", self.scores)
            if command == "export":
                return check_arrays(folder / "out/maps.hdf5", self.arrays)
            made = folder / "out" / {"train": f"{MODEL}.safetensors", "benchmark": "results.json"}[command]
            return None if made.is_file() else Finding("lost", f"no {made.name}")

        return Job(Call(_argv(command), folder, {}), cases, check, own)

    def _case(self, number: int) -> tuple[str, bytes | None, str]:
        """Name, bytes (None of what is no file), and what it is."""
        fixed = [*FIXED, *SPECIAL]
        if number < len(fixed):
            name = fixed[number]
            return f"{number}-{name}", FIXED[name]() if name in FIXED else None, name
        rng = self.rng(number)
        names = list(self.good_files)
        name = names[int(rng.integers(len(names)))]
        data, label = damaged(self.good_files[name], rng, list(self.good_files.values()))
        if rng.random() < 0.1:
            ending = Path(names[int(rng.integers(len(names)))]).name
            label, name = f"{name} called {ending}, {label}", ending
        return f"{number}-photo.{name}", data, f"{name}: {label}"


def _argv(command: str) -> list[str]:
    model, data = ["--model", MODEL], ["--dataset", "study"]
    metrics = ["--metrics", "LL,NSS"]
    return {
        "predict": ["predict", "study/images", *model, "--out", "out", "--save", "overlay,density,map"],
        "evaluate": ["evaluate", *data, *model, *metrics, "--json", "out/table.json", "--per-image", "out/images.csv"],
        "export": ["export", *data, *model, "--out", "out/maps.hdf5"],
        "train": ["train", MODEL, *data, "--out", "out"],
        "benchmark": ["benchmark", "--datasets", "study", "--models", MODEL, *metrics, "--out", "out"],
    }[command]


def _make_special(path: Path, kind: str) -> None:
    match kind:
        case "folder.png":
            path.mkdir()
        case "pipe.png":
            os.mkfifo(path)
        case "nowhere.png":
            path.symlink_to("nowhere")
        case "circle.png":
            path.symlink_to(path.name)
        case "device.png":
            path.symlink_to("/dev/zero")
