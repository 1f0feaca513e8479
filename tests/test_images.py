"""Every kind of picture comes out as it is meant to be seen."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from foveal.errors import FovealError
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
