"""Good inputs, small, made here: photographs in every format, and a data set of one's own."""

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

SIZE = (48, 64)
MODEL = "image-signature"  # which looks at the pixels, and is fast
SUBJECTS = ("anna", "ben", "cleo")
PER_SUBJECT = 4
COLUMNS = ("image", "x", "y", "subject", "order", "duration_ms")


def photograph(seed: int, size: tuple[int, int] = SIZE) -> Image.Image:
    """A smooth background with a bright disc."""
    rng = np.random.default_rng(seed)
    height, width = size
    y, x = np.mgrid[:height, :width]
    cx, cy = rng.uniform(0.3, 0.7) * width, rng.uniform(0.3, 0.7) * height
    disc = (x - cx) ** 2 + (y - cy) ** 2 < (min(size) / 6) ** 2
    background = 90 + 40 * np.sin(x / width * 3 + seed)[..., None] * np.array([1.0, 0.5, -0.5])
    pixels = np.where(disc[..., None], [250, 220, 40], background) + rng.normal(0, 2, (height, width, 3))
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def encoded(image: Image.Image, format: str, **options: object) -> bytes:  # noqa: A002 (Pillow's word)
    """The bytes of a file."""
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def _turned(image: Image.Image) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(image, "JPEG", exif=exif)


def _sixteen_bits(image: Image.Image) -> Image.Image:
    return Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)


def _several(image: Image.Image) -> dict[str, object]:
    return {"save_all": True, "append_images": [image.rotate(90), image.rotate(180)]}


# By the ending: how a photograph is written.
FORMATS: dict[str, Callable[[Image.Image], bytes]] = {
    "jpg": lambda image: encoded(image, "JPEG", quality=90),
    "progressive.jpg": lambda image: encoded(image, "JPEG", progressive=True),
    "gray.jpg": lambda image: encoded(image.convert("L"), "JPEG"),
    "cmyk.jpeg": lambda image: encoded(image.convert("CMYK"), "JPEG"),
    "turned.jpg": _turned,
    "png": lambda image: encoded(image, "PNG"),
    "gray.png": lambda image: encoded(image.convert("L"), "PNG"),
    "bits.png": lambda image: encoded(image.convert("1"), "PNG"),
    "palette.png": lambda image: encoded(image.quantize(16), "PNG"),
    "alpha.png": lambda image: encoded(image.convert("RGBA"), "PNG"),
    "gray_alpha.png": lambda image: encoded(image.convert("LA"), "PNG"),
    "16.png": lambda image: encoded(_sixteen_bits(image), "PNG"),
    "moving.png": lambda image: encoded(image, "PNG", **_several(image)),
    "tif": lambda image: encoded(image, "TIFF"),
    "lzw.tif": lambda image: encoded(image, "TIFF", compression="tiff_lzw"),
    "deflate.tiff": lambda image: encoded(image, "TIFF", compression="tiff_adobe_deflate"),
    "jpeg.tif": lambda image: encoded(image, "TIFF", compression="jpeg"),
    "16.tif": lambda image: encoded(_sixteen_bits(image), "TIFF"),
    "pages.tif": lambda image: encoded(image, "TIFF", **_several(image)),
    "gif": lambda image: encoded(image, "GIF"),
    "moving.gif": lambda image: encoded(image, "GIF", **_several(image)),
    "bmp": lambda image: encoded(image, "BMP"),
    "palette.bmp": lambda image: encoded(image.quantize(16), "BMP"),
    "webp": lambda image: encoded(image, "WEBP"),
    "lossless.webp": lambda image: encoded(image.convert("RGBA"), "WEBP", lossless=True),
    "moving.webp": lambda image: encoded(image, "WEBP", **_several(image)),
}
# What cameras and telephones write besides.
OTHER_FORMATS: dict[str, Callable[[Image.Image], bytes]] = {
    "jfif": lambda image: encoded(image, "JPEG"),
    "mpo": lambda image: encoded(image, "MPO", **_several(image)),
    "avif": lambda image: encoded(image, "AVIF"),
    "jp2": lambda image: encoded(image, "JPEG2000"),
}


def fixations_on(names: Sequence[str]) -> list[list[str]]:
    """Rows of a table of fixations, the same on an image of one name in whatever company."""
    rows = []
    for number, name in enumerate(names):
        rng = np.random.default_rng(number)
        for subject in SUBJECTS:
            for order in range(PER_SUBJECT):
                x, y = rng.uniform(2, 40, 2)
                rows.append([name, f"{x:.2f}", f"{y:.2f}", subject, str(order), str(int(rng.integers(100, 400)))])
    return rows


def table_text(rows: Sequence[Sequence[str]], columns: Sequence[str] = COLUMNS, **options: str) -> str:
    """A CSV table."""
    text = io.StringIO()
    csv.writer(text, lineterminator=options.pop("lineterminator", "\n"), **options).writerows([columns, *rows])
    return text.getvalue()


def write_study(
    folder: Path, pictures: dict[str, bytes], settings: str | None = 'name = "toy"\npixels_per_degree = 4.0\n'
) -> Path:
    """A data set of one's own."""
    for name, data in pictures.items():
        (folder / "images" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "images" / name).write_bytes(data)
    (folder / "fixations.csv").write_text(table_text(fixations_on(list(pictures))), encoding="utf-8")
    if settings is not None:
        (folder / "dataset.toml").write_text(settings, encoding="utf-8")
    return folder


def good_pictures(n: int = 4) -> dict[str, bytes]:
    """Photographs by their names, PNG."""
    return {f"good-{number}.png": FORMATS["png"](photograph(number)) for number in range(n)}
