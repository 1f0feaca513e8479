"""Maps from files: every format, every name, and what is wrong with a bad one."""

import dataclasses
import warnings

import cv2
import h5py
import numpy as np
import pytest
import scipy.io
from PIL import Image

import foveal
from foveal.benchmarking import Predictions
from foveal.errors import FovealError, FovealNote
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


def test_constant_maps_are_said_once(dataset, raw_maps, tmp_path):
    """A black picture, and a density that knows nothing, are scored, but not without a word."""
    flat = [np.zeros((60, 80)) if i in (2, 3, 5) else one for i, one in enumerate(raw_maps)]
    folder = write_maps(tmp_path / "maps", flat, "png")
    with pytest.warns(FovealNote) as notes:
        results = foveal.evaluate([Predictions(folder), "uniform"], dataset, ["AUC", "NSS"])
    assert [str(note.message) for note in notes] == [f"3 of 8 maps of {folder} are constant (first: 2)"]
    assert results.n_images.tolist() == [8] * 4
    assert results.problems == []
    uniform = write_maps(tmp_path / "uniform", [np.full((60, 80), -np.log(4800))] * 8, "npy")
    with pytest.warns(FovealNote, match="8 of 8 maps of .* are constant"):
        assert "LL" in set(foveal.evaluate(Predictions(uniform), dataset).metric)


def test_whatever_one_map_is_the_others_are_scored(dataset, raw_maps, tmp_path):
    folder = write_maps(tmp_path / "maps", raw_maps, "npy")
    np.savez(tmp_path / "archive.npz", raw_maps[0])
    (tmp_path / "archive.npz").rename(folder / "0.npy")
    np.save(folder / "1.npy", np.array([[{}]]))
    (folder / "2.npy").unlink()
    (folder / "2.npy").mkdir()
    (folder / "3.npy").unlink()
    scipy.io.savemat(folder / "3.mat", {"text": "no map"})
    results = foveal.evaluate(Predictions(folder), dataset, ["AUC"])
    assert results.n_images[0] == 4
    assert [line.split(": ", 1)[1][:30] for line in results.problems] == [
        "no map of 2",
        "an archive (.npz), not one arr",
        "the map cannot be read (Array ",
        "one two-dimensional array is a",
    ]
    with h5py.File(tmp_path / "maps.hdf5", "w") as file:
        for i, one in enumerate(raw_maps[2:], start=2):
            file[str(i)] = one
        file["0"] = h5py.ExternalLink("other.hdf5", "0")
        file.create_dataset("1", (50_000, 50_000), "f8", chunks=(100, 100), compression="gzip")
    results = foveal.evaluate(Predictions(tmp_path / "maps.hdf5"), dataset, ["AUC"])
    assert results.n_images[0] == 6
    assert "0: not a map (height, width) of numbers, but a link" in results.problems[0]
    assert "1 has 50000 x 50000 px, the image 80 x 60" in results.problems[1]
    resized = foveal.evaluate(Predictions(tmp_path / "maps.hdf5", resize=True), dataset, ["AUC"])
    assert "1 has 50000 x 50000 px, more than 100 megapixels" in resized.problems[1]


def test_a_hostile_map_does_not_decide_what_kind_the_others_are(dataset, tmp_path):
    """Sizes are known before the first map is read: a huge one is not, nor one of another size."""
    for i, stimulus in enumerate(dataset.stimuli):
        np.save(tmp_path / f"{i}.npy", load_model("bms").predict(stimulus.image, 4.0).log_density)
    for i in range(4):
        np.save(tmp_path / f"{i}.npy", np.zeros((10, 10)))
    results = foveal.evaluate(Predictions(tmp_path), dataset, ["LL"])
    assert results.n_images[0] == 4


@pytest.mark.parametrize(
    ("ids", "keys", "of_image"),
    [
        (["gr\u00fcn.jpg", "b.jpg"], ["gru\u0308n", "b"], {0: 0, 1: 1}),  # as a Mac writes it
        (["a/x.jpg", "a/y.jpg"], ["a\\x", "a\\y"], {0: 0, 1: 1}),  # as Windows does
        (["Dog.JPG", "cat.jpg"], ["dog", "CAT.density"], {0: 0, 1: 1}),
        (["a/Dog.jpg", "b/dog.jpg"], ["DOG"], {}),  # it could be of either
        (["a.jpg", "A.jpg"], ["a"], {0: 0}),
        (["a/DOG.jpg", "a/cat.jpg"], ["dog", "cat"], {0: 0, 1: 1}),
        (["dog.jpg", "cat.jpg"], ["DOG", "Dog", "cat"], {1: 2}),  # either could be its
        (["dog.jpg", "cat.jpg"], ["DOG.png", "cat.png"], {0: 0, 1: 1}),  # in HDF5, with an ending
    ],
)
def test_names_that_are_spelled_otherwise(tmp_path, ids, keys, of_image):
    with h5py.File(tmp_path / "maps.hdf5", "w") as file:
        for key in keys:
            file[key] = np.eye(3)
    with warnings.catch_warnings(record=True) as notes:
        warnings.simplefilter("always")
        if of_image:
            places = Predictions(tmp_path / "maps.hdf5").places_of(ids)
            assert places == {ids[image]: keys[key] for image, key in of_image.items()}
        else:
            with pytest.raises(FovealError, match="no map for any image"):
                Predictions(tmp_path / "maps.hdf5").places_of(ids)
    said = [str(note.message) for note in notes if note.category is FovealNote]
    assert len(said) <= 1
    if keys[0] == "gru\u0308n":
        assert said == [
            f"{tmp_path / 'maps.hdf5'}: 1 of 2 images have a map of a name spelled otherwise "
            "(first: gru\u0308n for gr\u00fcn.jpg)"
        ]
