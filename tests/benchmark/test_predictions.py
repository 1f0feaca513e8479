"""Maps from files: every format, every name, and what is wrong with a bad one."""

import dataclasses

import cv2
import h5py
import numpy as np
import pytest
import scipy.io
from PIL import Image

import foveal
from foveal.benchmark import Predictions
from foveal.benchmark.map_files import read_map
from foveal.errors import FovealError
from foveal.gaze import Stimuli
from foveal.models import load_model

FORMATS = ["png", "png16", "jpg", "tiff", "tiff32", "npy", "mat", "mat73", "hdf5"]


@pytest.fixture(scope="module")
def raw_maps(dataset):
    model = load_model("bms")
    maps = [model.saliency_map_of([stimulus.image])[0].numpy() for stimulus in dataset.stimuli]
    return [(one - one.min()) / (one.max() - one.min()) for one in maps]


def write_maps(folder, maps, fmt):
    """The maps in one of the formats; returns what to score."""
    folder.mkdir()
    if fmt == "hdf5":
        with h5py.File(folder / "maps.hdf5", "w") as file:
            for i, one in enumerate(maps):
                file[str(i)] = one
        return folder / "maps.hdf5"
    for i, one in enumerate(maps):
        eight = (one * 255).round().astype(np.uint8)
        if fmt in ("png", "tiff"):
            cv2.imwrite(str(folder / f"{i}.{fmt}"), eight)
        elif fmt == "jpg":
            Image.fromarray(np.repeat(eight[..., None], 3, axis=2)).save(folder / f"{i}.jpg", quality=95)
        elif fmt == "png16":
            cv2.imwrite(str(folder / f"{i}.png"), (one * 65535).round().astype(np.uint16))
        elif fmt == "tiff32":
            cv2.imwrite(str(folder / f"{i}.tiff"), one.astype(np.float32))
        elif fmt == "npy":
            np.save(folder / f"{i}.npy", one.astype(np.float64))
        elif fmt == "mat":
            scipy.io.savemat(folder / f"{i}.mat", {"salmap": one, "version": 1.0})
        elif fmt == "mat73":
            with h5py.File(folder / f"{i}.mat", "w") as file:
                file["salmap"] = one.T
    return folder


@pytest.mark.parametrize("fmt", FORMATS)
def test_every_format_scores_as_the_model_does(dataset, raw_maps, tmp_path, fmt):
    predictions = Predictions(write_maps(tmp_path / "maps", raw_maps, fmt))
    metrics = ["AUC", "sAUC", "NSS", "CC", "SIM_MIT", "IG_MIT"]
    of_files = foveal.evaluate(predictions, dataset, metrics)
    of_model = foveal.evaluate("bms", dataset, metrics, raw=True)
    tolerance = {"png": 0.01, "tiff": 0.01, "jpg": 0.02}.get(fmt, 1e-3)
    # Eight bits cannot say how near to zero a raw map is, which IG_MIT punishes it for.
    known = (of_files.metric != "IG_MIT") | (fmt in ("tiff32", "npy", "mat", "mat73", "hdf5"))
    np.testing.assert_allclose(of_files.value[known], of_model.value[known], atol=tolerance)
    assert of_files.model[0] == str(predictions.path)
    assert "LL" not in set(foveal.evaluate(predictions, dataset).metric)


def test_eight_bits_of_a_density_do_not_exclude_anything(dataset, tmp_path):
    """A zero of a rounded map is not a zero: the divergence stays near that of the density itself."""
    model = load_model("bms")
    (tmp_path / "maps").mkdir()
    for i, stimulus in enumerate(dataset.stimuli):
        density = 1e-9 + np.exp(3 * model.predict(stimulus.image).log_density)
        cv2.imwrite(str(tmp_path / f"maps/{i}.png"), (255 * density / density.max()).round().astype(np.uint8))
        np.save(tmp_path / f"maps/{i}.density.npy", density)
    scores = foveal.evaluate([Predictions(tmp_path / "maps")], dataset, ["KL", "AUC"])
    for path in (tmp_path / "maps").glob("*.npy"):
        path.unlink()
    rounded = foveal.evaluate([Predictions(tmp_path / "maps")], dataset, ["KL", "AUC"])
    assert rounded.value[0] < 1.5 * max(scores.value[0], 1)


def test_maps_are_found_by_the_names_of_their_images(dataset, raw_maps, tmp_path):
    ids = [f"scenes/{i}.jpg" for i in range(8)]
    named = dataclasses.replace(dataset, stimuli=Stimuli(dataset.stimuli.sources, ids, 4.0))
    for place in ("scenes/{}.png", "{}.png", "deep/scenes/{}.png"):
        folder = tmp_path / place.replace("/", "_").format("x")
        for i, one in enumerate(raw_maps):
            path = folder / place.format(i)
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), (one * 255).astype(np.uint8))
        if place.startswith("deep"):
            with pytest.raises(FovealError, match=r"no map for any image \(the first image is 'scenes/0.jpg'\)"):
                foveal.evaluate(Predictions(folder), named, ["AUC"])
        else:
            assert foveal.evaluate(Predictions(folder), named, ["AUC"]).n_images[0] == 8


def test_what_foveal_predict_wrote_is_scored_as_densities(dataset, tmp_path):
    model = load_model("bms")
    for i, stimulus in enumerate(dataset.stimuli):
        prediction = model.predict_batch([stimulus.image], [str(i)], 4.0)[0]
        prediction.save(tmp_path / "out", ["overlay", "density", "map"])
    both = foveal.evaluate([Predictions(tmp_path / "out"), model], dataset)
    half = len(both) // 2
    np.testing.assert_allclose(both.value[:half], both.value[half:], atol=1e-5)


def test_one_bad_map_is_reported_and_the_rest_is_scored(dataset, raw_maps, tmp_path):
    folder = write_maps(tmp_path / "maps", raw_maps, "npy")
    (folder / "0.npy").unlink()
    np.save(folder / "1.npy", np.full((60, 80), np.nan))
    (folder / "2.npy").write_bytes(b"no array")
    np.save(folder / "3.npy", np.zeros((60, 80, 4)))
    (folder / "4.npy").unlink()
    Image.new("RGB", (80, 60), "red").save(folder / "4.png")
    results = foveal.evaluate(Predictions(folder), dataset, ["AUC"])
    assert results.n_images[0] == 3
    assert [line.split(": ", 1)[1][:28] for line in results.problems] == [
        "no map of 0",
        "the map of 1 holds NaN or in",
        "the map cannot be read (This",
        "not a map (height, width) of",
        "a picture in color, not a ma",
    ]


def test_log_densities_must_stay_log_densities(dataset, tmp_path):
    for i, stimulus in enumerate(dataset.stimuli):
        np.save(tmp_path / f"{i}.npy", load_model("bms").predict(stimulus.image).log_density + (0.5 if i == 3 else 0))
    results = foveal.evaluate(Predictions(tmp_path), dataset, ["LL"])
    assert results.n_images[0] == 7
    assert "the map of 3 is no log density" in results.problems[0]


def test_two_maps_of_one_image(tmp_path, raw_maps):
    folder = write_maps(tmp_path / "maps", raw_maps, "npy")
    cv2.imwrite(str(folder / "0.png"), np.zeros((60, 80), np.uint8))
    with pytest.raises(FovealError, match=r"0.npy and 0.png are maps of the same image"):
        Predictions(folder)
    (tmp_path / "empty").mkdir()
    with pytest.raises(FovealError, match="no maps in it"):
        Predictions(tmp_path / "empty")
    (tmp_path / "no.h5").write_text("no")
    with pytest.raises(FovealError, match="not an HDF5 file"):
        Predictions(tmp_path / "no.h5")


def test_names_that_are_alike(dataset, raw_maps, tmp_path):
    """Of photo.jpg and photo.png, each has its own array; two images called alike need their folders."""
    sources = dataset.stimuli.sources
    ids = [f"{i // 2}.{'jpg' if i % 2 else 'png'}" for i in range(8)]
    alike = dataclasses.replace(dataset, stimuli=Stimuli(sources, ids, 4.0))
    foveal.export("bms", alike, tmp_path / "alike.h5")
    both = foveal.evaluate([Predictions(tmp_path / "alike.h5"), "bms"], alike, ["LL"])
    assert both.value[0] == pytest.approx(both.value[1])
    folder = write_maps(tmp_path / "maps", raw_maps[:4], "npy")
    with pytest.raises(FovealError, match="would be the map of several images"):
        foveal.evaluate(Predictions(folder), alike, ["AUC"])
    in_folders = [f"{'ab'[i % 2]}/{i // 2}.png" for i in range(8)]
    with pytest.raises(FovealError, match="no map for any image"):
        Predictions(folder).places_of(in_folders)


def test_a_bad_first_map_does_not_decide_for_the_others(dataset, tmp_path):
    model = load_model("bms")
    for i, stimulus in enumerate(dataset.stimuli):
        np.save(tmp_path / f"{i}.npy", model.predict(stimulus.image, 4.0).log_density)
    np.save(tmp_path / "0.npy", np.load(tmp_path / "0.npy") + 0.01)
    (tmp_path / "1.npy").write_bytes(b"broken")
    results = foveal.evaluate(Predictions(tmp_path), dataset, ["LL", "NSS"])
    assert results.n_images.tolist() == [6, 6]
    assert len(results.problems) == 2


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
