"""One map from one file: what it may be, and one line for whatever else it is."""

import os
from functools import partial

import cv2
import h5py
import numpy as np
import pytest
import scipy.io
import scipy.sparse
from PIL import Image

from foveal.benchmarking.map_files import HDF5Maps, read_map
from foveal.errors import FovealError

VALUES = np.random.default_rng(0).random((6, 8))


def line_of(path, size=None):
    """The one line that says why there is no map."""
    with pytest.raises(FovealError) as caught:
        read_map(path, size)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    return str(caught.value).removeprefix(str(path))


def test_masks_and_counts_keep_their_zeros(tmp_path):
    for name, values in (("mask", np.eye(5, dtype=bool)), ("counts", np.arange(25).reshape(5, 5) % 9)):
        np.save(tmp_path / f"{name}.npy", values)
        np.testing.assert_array_equal(read_map(tmp_path / f"{name}.npy"), values)
    eight_bits_as_double = np.arange(250.0).reshape(10, 25)
    np.save(tmp_path / "double.npy", eight_bits_as_double)
    assert read_map(tmp_path / "double.npy")[0, 0] == 0.25
    sixteen = (np.arange(400).reshape(20, 20) * 160).astype(np.uint16)
    cv2.imwrite(str(tmp_path / "rgb.png"), np.repeat(sixteen[..., None], 3, axis=2))
    assert len(np.unique(read_map(tmp_path / "rgb.png"))) == 400


@pytest.mark.parametrize("dtype", [">f8", "<f4", ">f4", "f2", "i1", ">i8", "u2", "bool"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_every_kind_of_numbers(tmp_path, dtype, order):
    values = np.asarray(VALUES * 20, dtype=dtype, order=order)
    np.save(tmp_path / "x.npy", values)
    with h5py.File(tmp_path / "x.hdf5", "w") as file:
        file["x"] = values
    np.testing.assert_array_equal(read_map(tmp_path / "x.npy", (6, 8)), values.astype(np.float64))
    np.testing.assert_array_equal(HDF5Maps(tmp_path / "x.hdf5").read("x", (6, 8)), values.astype(np.float64))


def test_numpy_files_that_hold_no_map(tmp_path):
    for values, complaint in (
        (np.array([[{}]]), "Python objects"),
        (np.zeros((6, 8), dtype=[("x", "f4")]), "not a map (height, width) of numbers, but [('x', '<f4')] (6, 8)"),
        (VALUES * 1j, "but complex128 (6, 8)"),
        (np.full((6, 8), "a"), "but <U1 (6, 8)"),
        (np.zeros((0, 8)), "but numbers (0, 8)"),
        (np.array(1.0), "but numbers ()"),
    ):
        np.save(tmp_path / "x.npy", values)
        assert complaint in line_of(tmp_path / "x.npy")
    np.savez(tmp_path / "x.npz", VALUES)
    (tmp_path / "x.npz").rename(tmp_path / "x.npy")
    assert "an archive (.npz), not one array" in line_of(tmp_path / "x.npy")
    np.save(tmp_path / "x.npy", VALUES)
    whole = (tmp_path / "x.npy").read_bytes()
    (tmp_path / "x.npy").write_bytes(whole[:-8])
    assert "the map cannot be read" in line_of(tmp_path / "x.npy")
    (tmp_path / "x.npy").write_bytes(
        whole.replace(b"(6, 8)", b"(6, 8" + b"0" * 9 + b")").replace(b" " * 9 + b"\n", b"\n")
    )
    assert "the map cannot be read" in line_of(tmp_path / "x.npy")


def test_what_is_no_regular_file(tmp_path):
    (tmp_path / "folder.npy").mkdir()
    assert "no regular file" in line_of(tmp_path / "folder.npy")
    assert "no such file" in line_of(tmp_path / "none.npy").lower()
    for suffix in (".npy", ".png", ".mat"):
        os.mkfifo(tmp_path / f"pipe{suffix}")
        assert "no regular file" in line_of(tmp_path / f"pipe{suffix}")


def test_matlab_files_with_one_map_and_other_things(tmp_path):
    scipy.io.savemat(tmp_path / "sparse.mat", {"map": scipy.sparse.csc_matrix(VALUES), "name": "saliency"})
    with h5py.File(tmp_path / "text.mat", "w") as file:
        file["map"] = VALUES.T
        file["name"] = np.frombuffer(b"saliency", np.uint8).astype(np.uint16)[:, None]
        file["name"].attrs["MATLAB_class"] = np.bytes_("char")
    for name in ("sparse", "text"):
        np.testing.assert_array_equal(read_map(tmp_path / f"{name}.mat", (6, 8)), VALUES)


@pytest.mark.parametrize(
    ("contents", "complaint"),
    [
        ({"x": VALUES * 1j}, "but complex128 (6, 8)"),
        ({"x": np.array(["abcd", "efgh"])}, "is a map, but it holds x: char (2,)"),
        ({"x": np.array([[1, "a"]], dtype=object)}, "is a map, but it holds x: cell (1, 2)"),
        ({"x": {"y": VALUES}}, "is a map, but it holds x: struct (1, 1)"),
        ({"x": np.zeros((0, 8))}, "is a map, but it holds x: numbers (0, 8)"),
        ({}, "is a map, but it holds nothing"),
        ({"x": VALUES, "y": VALUES}, "is a map, but it holds x, y"),
        ({"x": scipy.sparse.coo_matrix(([1.0], ([0], [0])), (10**6, 10**6))}, "more than 100 megapixels"),
    ],
)
def test_matlab_files_that_hold_no_map(tmp_path, contents, complaint):
    scipy.io.savemat(tmp_path / "x.mat", contents)
    assert complaint in line_of(tmp_path / "x.mat")


def test_arrays_of_hdf5_that_are_no_map(tmp_path):
    with h5py.File(tmp_path / "x.hdf5", "w") as file:
        file["good"] = VALUES
        file["nothing"] = h5py.Empty("f8")
        file["elsewhere"] = h5py.ExternalLink("other.hdf5", "x")
        file["text"] = "text"
        file.create_dataset("huge", (50_000, 50_000), "f8", chunks=(100, 100), compression="gzip")
    maps = HDF5Maps(tmp_path / "x.hdf5")
    np.testing.assert_array_equal(maps.read("good", (6, 8)), VALUES)
    for place, size, complaint in (
        ("nothing", None, "x.hdf5: nothing: not a map (height, width) of numbers, but empty ()"),
        ("elsewhere", None, "but a link, which is not followed ()"),
        ("text", None, "but object ()"),
        ("huge", None, "x.hdf5: huge has 50000 x 50000 px, more than 100 megapixels"),
        ("huge", (6, 8), "huge has 50000 x 50000 px, not 8 x 6"),
    ):
        with pytest.raises(FovealError) as caught:
            maps.read(place, size)
        assert complaint in str(caught.value)


def test_a_file_that_somebody_writes(tmp_path):
    with h5py.File(tmp_path / "x.hdf5", "w") as file:
        file["x"] = VALUES
        file.flush()
        with pytest.raises(FovealError, match="not an HDF5 file that can be read"):
            HDF5Maps(tmp_path / "x.hdf5")


def test_a_map_of_another_size_is_not_read(tmp_path):
    """What the header says is enough: the rest of the picture is not there."""
    for suffix, write in ((".npy", np.save), (".mat", lambda path, values: scipy.io.savemat(path, {"x": values}))):
        write(tmp_path / f"x{suffix}", VALUES)
        assert "has 8 x 6 px, not 9 x 6" in line_of(tmp_path / f"x{suffix}", (6, 9))
    Image.new("L", (8, 6)).save(tmp_path / "x.png")
    (tmp_path / "x.png").write_bytes((tmp_path / "x.png").read_bytes()[:45])
    assert "has 8 x 6 px, not 9 x 6" in line_of(tmp_path / "x.png", (6, 9))
    assert "the map cannot be read (Truncated" in line_of(tmp_path / "x.png", (6, 8))


def test_a_part_of_a_png_that_is_said_to_be_long_takes_no_memory(tmp_path, monkeypatch):
    """OpenCV makes room for 4 GB and finds then that they are not there."""
    Image.new("L", (8, 6)).save(tmp_path / "x.png")
    whole = (tmp_path / "x.png").read_bytes()
    (tmp_path / "x.png").write_bytes(whole.replace(whole[33:41], b"\xff\x00\x00\x00IDAT"))
    monkeypatch.setattr(cv2, "imdecode", None)  # it is not asked
    assert "the map cannot be read (Truncated" in line_of(tmp_path / "x.png")


def test_pictures(tmp_path):
    eight, sixteen = (VALUES * 255).astype(np.uint8), (VALUES * 65535).astype(np.uint16)
    Image.fromarray(eight).convert("P").save(tmp_path / "palette.png")
    Image.fromarray(np.stack([eight, 255 - eight], axis=2), "LA").save(tmp_path / "varied.png")
    Image.fromarray(np.stack([eight] * 3 + [np.full_like(eight, 9)], axis=2), "RGBA").save(tmp_path / "opaque.png")
    for name in ("palette", "varied", "opaque"):
        np.testing.assert_array_equal(read_map(tmp_path / f"{name}.png"), np.where(eight == 0, 0.25, eight))
    cv2.imwrite(str(tmp_path / "rgb.png"), np.stack([sixteen] * 3, axis=2))
    np.testing.assert_array_equal(read_map(tmp_path / "rgb.png"), sixteen)
    for name, values in (("double", VALUES), ("color", np.stack([VALUES.astype(np.float32)] * 3, axis=2))):
        cv2.imwrite(str(tmp_path / f"{name}.tiff"), values)  # Pillow knows neither
        np.testing.assert_allclose(read_map(tmp_path / f"{name}.tiff", (6, 8)), VALUES, atol=1e-7)
        assert "has 8 x 6 px" in line_of(tmp_path / f"{name}.tiff", (6, 9))


def test_a_map_in_the_alpha_channel_is_not_taken_for_a_black_one(tmp_path):
    alpha = (VALUES * 255).astype(np.uint8)
    for color in (0, 255):
        gray = np.full_like(alpha, color)
        Image.fromarray(np.stack([gray, alpha], axis=2), "LA").save(tmp_path / "x.png")
        assert "the map is in the alpha channel" in line_of(tmp_path / "x.png")
    red = np.stack([np.full_like(alpha, 255), gray * 0, gray * 0, alpha], axis=2)
    Image.fromarray(red, "RGBA").save(tmp_path / "x.png")
    assert "the map is in the alpha channel" in line_of(tmp_path / "x.png")


def write_picture(path):
    Image.fromarray((VALUES * 255).astype(np.uint8)).save(path)


def write_hdf5(path):
    with h5py.File(path, "w") as file:
        file.create_dataset("x", data=VALUES, chunks=(3, 8), compression="gzip")


WRITERS = {
    ".npy": lambda path: np.save(path, VALUES),
    ".mat": lambda path: scipy.io.savemat(path, {"x": VALUES, "y": {"z": np.array([1, "a"], dtype=object)}}),
    ".hdf5": write_hdf5,
    ".png": write_picture,
    ".tiff": write_picture,
    ".jpg": write_picture,
}


def maps_in(path):
    """The maps in a file, and a line for each that cannot be read."""
    maps, lines = [], []
    try:
        files = [HDF5Maps(path)] if path.suffix == ".hdf5" else []
        readings = [partial(file.read, place, None) for file in files for place in file.places]
    except FovealError as error:
        return [], [str(error)]
    for reading in readings if files else [partial(read_map, path)]:
        try:
            maps.append(reading())
        except FovealError as error:
            lines.append(str(error))
    return maps, lines


@pytest.mark.filterwarnings("ignore:::PIL")  # odd metadata
@pytest.mark.parametrize("suffix", WRITERS)
def test_damaged_files_are_maps_or_one_line(tmp_path, suffix):
    path = tmp_path / f"x{suffix}"
    WRITERS[suffix](path)
    whole = path.read_bytes()
    assert len(maps_in(path)[0]) == 1
    rng = np.random.default_rng(0)
    n_lines = 0
    for _ in range(150):
        damaged = bytearray(whole)
        for position in rng.integers(0, len(whole), rng.integers(1, 5)):
            damaged[position] = rng.integers(256)
        path.write_bytes(damaged if rng.random() < 0.8 else damaged[: rng.integers(len(whole))])
        maps, lines = maps_in(path)
        assert all(values.ndim == 2 and values.dtype == np.float64 for values in maps)
        assert not any("\n" in line for line in lines)
        n_lines += len(lines)
    assert n_lines > 10
