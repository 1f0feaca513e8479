"""Every kind of picture comes out as it is meant to be seen."""

import os
import struct
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin
from toy import write_palette_without_colors

from foveal import images
from foveal.errors import FovealError
from foveal.gaze import Stimuli
from foveal.images import find_images, image_size, read_image

RED = (220, 30, 20)


def test_gray_becomes_three_equal_channels(tmp_path):
    Image.fromarray(np.arange(200, dtype=np.uint8).reshape(10, 20)).save(tmp_path / "gray.png")
    image = read_image(tmp_path / "gray.png")
    assert image.shape == (10, 20, 3)
    assert (image[..., 0] == np.arange(200).reshape(10, 20)).all()
    assert (image == image[..., :1]).all()


def test_transparency_is_laid_on_white(tmp_path):
    pixels = np.zeros((4, 4, 4), np.uint8)
    pixels[..., :3] = RED
    pixels[:2, :, 3] = 255
    Image.fromarray(pixels).save(tmp_path / "half.png")
    image = read_image(tmp_path / "half.png")
    assert (image[:2] == RED).all()
    assert (image[2:] == 255).all()


def test_transparent_palette_is_laid_on_white(tmp_path):
    picture = Image.new("P", (4, 4), 0)
    picture.putpalette([0, 0, 0, *RED])
    picture.paste(1, (0, 0, 4, 2))
    picture.save(tmp_path / "palette.png", transparency=0)
    image = read_image(tmp_path / "palette.png")
    assert (image[:2] == RED).all()
    assert (image[2:] == 255).all()


def test_16_bit_gray_keeps_its_range(tmp_path):
    values = np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)
    Image.fromarray(values).save(tmp_path / "deep.png")
    image = read_image(tmp_path / "deep.png")
    assert np.abs(image[..., 0].astype(float) - values / 257).max() <= 0.5


def test_16_bit_tiff_in_color(tmp_path):
    cv2 = pytest.importorskip("cv2")
    rgb = np.zeros((6, 8, 3), np.uint16)
    rgb[:] = np.array(RED) * 257
    for name in ("deep.tif", "deep.png"):
        cv2.imwrite(str(tmp_path / name), rgb[..., ::-1])
        image = read_image(tmp_path / name)
        assert image.shape == (6, 8, 3)
        assert np.abs(image.astype(int) - RED).max() <= 1


def test_cmyk_has_the_right_colors(tmp_path):
    Image.new("RGB", (16, 16), RED).convert("CMYK").save(tmp_path / "print.jpg", quality=95)
    assert np.abs(read_image(tmp_path / "print.jpg").astype(int) - RED).max() <= 6


@pytest.mark.parametrize("ending", ["png", "jpg", "tif", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(tmp_path, orientation, ending):
    # The corner that is red in the upright picture, and where each orientation stores it.
    upright = np.zeros((16, 32, 3), np.uint8)
    upright[:8, :8] = RED
    inverse = {
        1: lambda a: a,
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: np.rot90(a, 2).transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"turned.{ending}"
    Image.fromarray(np.ascontiguousarray(inverse(upright))).save(path, exif=exif, quality=100)
    image = read_image(path)
    assert image_size(path) == image.shape[:2] == (16, 32)
    assert np.abs(image[2:6, 2:6].astype(int) - RED).max() < 12
    assert image[10:, 10:].max() < 12


def test_truncated_jpeg_is_one_clear_line(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "whole.jpg")
    data = (tmp_path / "whole.jpg").read_bytes()
    (tmp_path / "half.jpg").write_bytes(data[: len(data) // 2])
    with pytest.raises(FovealError, match=r"half\.jpg: .*truncated"):
        read_image(tmp_path / "half.jpg")


@pytest.mark.parametrize("content", [b"", b"dear diary", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_image_is_one_clear_line(tmp_path, content):
    (tmp_path / "text.jpg").write_bytes(content)
    with pytest.raises(FovealError, match=r"text\.jpg") as caught:
        read_image(tmp_path / "text.jpg")
    assert "\n" not in str(caught.value)


def test_a_truncated_pil_image_is_one_clear_line(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "cut.jpg")
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "cut.jpg").read_bytes()[:2000])
    with Image.open(tmp_path / "cut.jpg") as image, pytest.raises(FovealError, match="truncated"):
        read_image(image)


def test_missing_file_and_float_image(tmp_path):
    with pytest.raises(FovealError, match="no such file"):
        read_image(tmp_path / "none.png")
    Image.fromarray(np.ones((4, 4), np.float32)).save(tmp_path / "float.tif")
    with pytest.raises(FovealError, match="8 or 16 bits"):
        read_image(tmp_path / "float.tif")


@pytest.mark.parametrize("array", [np.zeros((3, 4, 2), np.uint8), np.zeros((3, 4, 3)), np.zeros((0, 4, 3), np.uint8)])
def test_an_array_that_is_no_image_is_refused(array):
    with pytest.raises(FovealError, match="image array"):
        read_image(array)


@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 3, 4]))
def test_arrays_and_pil_images_give_the_same(height, width, channels):
    array = np.random.default_rng(height * width).integers(0, 255, (height, width, channels), dtype=np.uint8)
    image = read_image(array)
    assert image.shape == (height, width, 3)
    assert image.dtype == np.uint8
    assert (image == read_image(Image.fromarray(array.squeeze(2) if channels == 1 else array))).all()


def test_folders_are_searched_with_their_sub_folders(tmp_path):
    for name in ("b.PNG", "a.jpg", "sub/c.webp", "notes.txt", ".hidden/d.png"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    found, left_out = find_images(tmp_path)
    assert [p.relative_to(tmp_path).as_posix() for p in found] == ["a.jpg", "b.PNG", "sub/c.webp"]
    assert left_out == []


def write_bomb(path, width, height):
    """A small JPEG whose header says that it is large."""
    Image.new("RGB", (16, 16)).save(path)
    data = bytearray(path.read_bytes())
    start_of_frame = data.index(b"\xff\xc0")
    data[start_of_frame + 5 : start_of_frame + 9] = struct.pack(">HH", height, width)
    path.write_bytes(data)


def test_a_palette_without_colors_is_one_clear_line(tmp_path):
    write_palette_without_colors(tmp_path / "bare.png")
    with pytest.raises(FovealError, match=r"bare\.png: the image cannot be read \(it has no palette"):
        read_image(tmp_path / "bare.png")


@pytest.mark.parametrize(
    "error", [MemoryError(), RecursionError("deep"), TypeError("odd\nlines"), struct.error("short")]
)
def test_whatever_a_decoder_raises_is_one_line_with_the_name(tmp_path, monkeypatch, error):
    def fail(*_):
        raise error

    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", fail)
    for read in (read_image, image_size):
        with pytest.raises(FovealError, match=r"a\.png: the image cannot be read") as caught:
            read(tmp_path / "a.png")
        assert "\n" not in str(caught.value)
    readable, problems = Stimuli([tmp_path / "a.png"]).read([0])
    assert (readable, len(problems)) == ({}, 1)


def test_an_interruption_is_no_trouble_of_an_image(tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", interrupt)
    with pytest.raises(KeyboardInterrupt):
        read_image(tmp_path / "a.png")


@pytest.mark.parametrize("name", ["a.jfif", "a.jpe", "a.mpo", "a.avif", "a.jp2", "a.j2k", "a.ppm", "a.pgm"])
def test_what_pillow_reads_is_found_and_read(tmp_path, name):
    kind = {".jfif": "JPEG", ".jpe": "JPEG"}.get(name[1:])
    picture = Image.new("L" if name == "a.pgm" else "RGB", (12, 8), "white")
    picture.save(tmp_path / name, kind, **({"save_all": True, "append_images": [picture]} if name == "a.mpo" else {}))
    assert find_images(tmp_path) == ([tmp_path / name], [])
    assert image_size(tmp_path / name) == (8, 12)
    assert (read_image(tmp_path / name) > 250).all()


def test_a_picture_is_known_by_its_content(tmp_path):
    for name in ("photo.heic", "photo", "photo.txt", "photo.png"):
        Image.new("RGB", (12, 8), RED).save(tmp_path / name, "JPEG", quality=95)
        assert np.abs(read_image(tmp_path / name).astype(int) - RED).max() < 6


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n", "a.jpg", "not an image that can be read"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n", "a.eps", r"of this kind \(.eps\)"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "a.HEIC", r"of this kind \(.HEIC\) are not read; save it as JPEG"),
        (b"8BPS\0\x01" + b"\0" * 40, "a.png", "not an image that can be read"),
    ],
)
def test_other_formats_are_not_opened(tmp_path, content, name, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FovealError, match=message):
        read_image(tmp_path / name)


def test_a_pipe_or_a_folder_is_no_picture(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    (tmp_path / "folder.jpg").mkdir()
    for name in ("pipe.jpg", "loop.jpg", "folder.jpg"):
        for read in (read_image, image_size):
            with pytest.raises(FovealError, match=name):
                read(tmp_path / name)


def test_a_picture_that_says_that_it_is_too_large_is_not_decoded(tmp_path, monkeypatch):
    write_bomb(tmp_path / "bomb.jpg", 9000, 9889)  # 89 megapixels and a little
    Image.new("RGB", (65_536, 1)).save(tmp_path / "line.png")
    Image.new("RGB", (2000, 1001)).save(tmp_path / "wide.webp")
    assert max(images.LARGEST_AREA_OF.values()) == 50_000_000
    monkeypatch.setitem(images.LARGEST_AREA_OF, "WEBP", 2_000_000)
    for name, limit in (("bomb.jpg", 89), ("line.png", 89), ("wide.webp", 2)):
        for read in (read_image, image_size):
            with pytest.raises(FovealError, match=rf"{name}: .* px are too many \(at most {limit} megapixels"):
                read(tmp_path / name)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_pillows_own_limit_is_told_like_ours(tmp_path):
    for size in (13_000, 20_000):
        write_bomb(tmp_path / "bomb.jpg", size, size)
        with pytest.raises(FovealError, match=r"bomb\.jpg: .*at most 89 megapixels"):
            image_size(tmp_path / "bomb.jpg")


def test_compressed_text_does_not_unfold(tmp_path):
    text = PngImagePlugin.PngInfo()
    text.add_text("story", " " * 20_000_000, zip=True)
    Image.new("RGB", (4, 4)).save(tmp_path / "story.png", pnginfo=text)
    with pytest.raises(FovealError, match=r"story\.png: the image cannot be read"):
        read_image(tmp_path / "story.png")


def test_a_large_picture_is_read_as_a_small_one(tmp_path, monkeypatch):
    """Strip by strip, turned and transparent as well."""
    rng = np.random.default_rng(0)
    exif = Image.Exif()
    exif[0x0112] = 7
    for name, channels in (("a.png", 3), ("b.png", 4)):
        pixels = rng.integers(0, 255, (40, 30, channels), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / name, exif=exif)
        whole = read_image(tmp_path / name)
        monkeypatch.setattr("foveal.images.PIXELS_OF_A_STRIP", 70)
        np.testing.assert_array_equal(read_image(tmp_path / name), whole)
        monkeypatch.undo()


@pytest.mark.parametrize("ending", ["jpg", "png", "webp"])
def test_odd_metadata_do_not_make_the_pixels_wrong(tmp_path, ending):
    orientation_9 = b"MM\0*\0\0\0\x08\0\1\x01\x12\0\3\0\0\0\1\0\x09\0\0\0\0\0\0"
    for exif in (b"Exif\0\0no TIFF at all", b"Exif\0\0" + orientation_9):
        Image.new("RGB", (12, 8)).save(tmp_path / f"a.{ending}", exif=exif)
        assert image_size(tmp_path / f"a.{ending}") == read_image(tmp_path / f"a.{ending}").shape[:2] == (8, 12)


def test_values_beyond_16_bits_are_refused(tmp_path):
    for values in ([[0, 65536]], [[-1, 3]]):
        Image.fromarray(np.array(values, np.int32)).save(tmp_path / "deep.tif")
        with pytest.raises(FovealError, match="beyond 16 bits"):
            read_image(tmp_path / "deep.tif")
    big_endian = Image.frombytes("I;16B", (2, 1), np.array([257, 65535], ">u2").tobytes())
    big_endian.save(tmp_path / "deep.tif")
    assert read_image(tmp_path / "deep.tif")[0, :, 0].tolist() == [1, 255]


def test_reading_leaves_the_filters_of_warnings_alone():
    code = (
        "import warnings, cv2, jaxtyping, PIL.Image; before = warnings.filters[:]; "
        "import foveal.images; assert warnings.filters == before"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_arrays_of_other_orders_are_the_same():
    pixels = np.random.default_rng(0).integers(0, 255, (5, 7, 3), dtype=np.uint8)
    deep = pixels.astype(np.uint16) * 257
    unmasked = np.ma.masked_array(pixels, mask=False)
    for array in (np.asfortranarray(pixels), pixels[::-1][::-1], deep, deep.astype(">u2"), unmasked):
        read = read_image(array)
        np.testing.assert_array_equal(read, pixels)
        assert type(read) is np.ndarray
        assert read.flags.c_contiguous
    four = np.asfortranarray(np.dstack([pixels, np.full((5, 7), 255, np.uint8)]))
    np.testing.assert_array_equal(read_image(four), pixels)


@pytest.mark.parametrize(
    "source",
    [
        np.zeros((4, 5, 3), bool),
        np.ma.masked_equal(np.zeros((4, 5, 3), np.uint8), 0),
        np.array(3, np.uint8),
        np.zeros(3, np.uint8),
    ],
)
def test_an_array_of_another_kind_is_one_line(source):
    with pytest.raises(FovealError, match=r"^an image array"):
        read_image(source)
    if source.ndim != 3:
        with pytest.raises(FovealError, match=r"^an image array"):
            image_size(source)


def test_what_is_left_out_is_named(tmp_path, monkeypatch):
    for name in ("a.jpg", "b.heic", "c.CR2", "d.txt", "Thumbs.db", "deep/e.svg", "deep/f.png", "secret/g.png"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).touch()
    (tmp_path / "in/deep/again").symlink_to("..")
    (tmp_path / "in/elsewhere").symlink_to(tmp_path)
    (tmp_path / "in/gone.png").symlink_to("nowhere.png")
    scandir = os.scandir

    def guarded(path):
        if os.fspath(path).endswith("secret"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr("os.scandir", guarded)
    found, left_out = find_images(tmp_path / "in")
    assert [path.name for path in found] == ["a.jpg", "f.png", "gone.png"]
    assert [line.removeprefix(f"{tmp_path}/in/").split(":")[0] for line in left_out] == [
        "b.heic",
        "c.CR2",
        "deep/e.svg",
        "elsewhere",
        "secret",
    ]
    assert "Permission denied" in left_out[-1]
