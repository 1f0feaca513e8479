"""The whole dissection of tiny networks, and what is looked into."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from toy import disc_center, make_dataset

import foveal
from foveal.analysis import dissect_recipes, dissect_trained
from foveal.analysis.dissect import dissect
from foveal.analysis.dissect_trained import dissect_depths, dissect_tasks
from foveal.analysis.named_layers import named_layers
from foveal.analysis.region_fixations import looked_at
from foveal.errors import FovealError, RowsLeftOut
from foveal.gaze import Dataset, Fixations, Stimuli
from foveal.gaze.regions import Region, Regions
from foveal.metrics.fixation_batch import FixationBatch
from foveal.metrics.nss import normalized_scanpath_saliency
from foveal.models.base import to_tensor
from foveal.models.deep.dissection import Dissection
from foveal.models.deep.foveal_s import FovealS
from foveal.models.deep.salicon import SALICON
from foveal.models.parts.geometry import Axis, Grid, resample
from foveal.models.registry import save_model
from foveal.training.recipe import read_recipe

LAYERS = ["conv4_3", "conv5_3"]
SIZE = 64, 64


@pytest.fixture(scope="module")
def data():
    return make_dataset(n_images=6, name="toy")


@pytest.fixture(scope="module")
def regions():
    """The disc of each image as a head, and a strip at the bottom as text."""
    found = []
    for image in range(6):
        x, y = disc_center(image, (60, 80))
        square = np.array([[x - 9, y - 9], [x + 9, y - 9], [x + 9, y + 9], [x - 9, y + 9]])
        found.append(Region(str(image), 1, square, "person_head"))
        found.append(Region(str(image), 2, np.array([[0.0, 30.0], [79.0, 30.0], [79.0, 59.0], [0.0, 59.0]]), "text"))
    return Regions(tuple(found))


def trained(path, seed):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = Dissection(Dissection.tiny)
        model.load_pretrained()
        for weight in model.encoder.steps.conv5_3.parameters():
            weight.data += 0.05 * torch.randn_like(weight)
    save_model(model, path)
    return path


def test_values_are_those_of_resized_maps(data, regions, tmp_path):
    dissect(data, tmp_path, networks=["vgg16_tiny"], layers=LAYERS, regions=regions, size=SIZE, limit=3)
    kept = pd.read_parquet(tmp_path / "associations/vgg16_tiny/conv4_3.parquet")
    network = named_layers("vgg16_tiny", size=SIZE)
    for image in range(3):
        images = to_tensor([data.stimuli[image].image])
        with torch.inference_mode():
            maps, grid = (
                network.maps(images, ["conv4_3"])["conv4_3"][0],
                network.grids((60, 80), ["conv4_3"])["conv4_3"],
            )
            large = resample(maps, grid, Grid(Axis(60), Axis(80)))
        fixations = data.fixations.for_image(image)
        for region in regions.for_image(str(image)):
            inside = [
                (x, y)
                for x, y in zip(fixations.pixel_x.tolist(), fixations.pixel_y.tolist(), strict=True)
                if region.mask((60, 80))[y, x]
            ]
            row = kept[(kept["image"] == str(image)) & (kept["region"] == region.number)].iloc[0]
            expected = normalized_scanpath_saliency(large, FixationBatch.of(*[inside] * len(large)))
            np.testing.assert_allclose(row.iloc[3:].astype(float), expected, atol=1e-4)


def test_goes_on_with_what_is_missing(data, regions, tmp_path):
    def run(limit, layers=LAYERS):
        seen = []
        found = dissect(
            data, tmp_path, networks=["vgg16_tiny"], layers=layers, regions=regions, size=SIZE, limit=limit,
            progress=lambda what, done, total: seen.append((done, total)),
        )  # fmt: skip
        return found, seen

    few, seen = run(2)
    assert seen == [(2, 2)]
    more, seen = run(6)
    assert seen == [(6, 6)]
    again, seen = run(6, LAYERS[1:])
    assert seen == []
    pd.testing.assert_frame_equal(again.tables["top_ten"], more.tables["top_ten"][1:].reset_index(drop=True))
    fewer, seen = run(2)
    assert seen == []
    pd.testing.assert_frame_equal(fewer.tables["top_ten"], few.tables["top_ten"])
    at_once = dissect(data, tmp_path / "2", networks=["vgg16_tiny"], layers=LAYERS, regions=regions, size=SIZE)
    pd.testing.assert_frame_equal(at_once.tables["top_ten"], more.tables["top_ten"], rtol=1e-5)


def test_networks_before_and_after_training(data, regions, tmp_path):
    files = [trained(tmp_path / f"{name}/dissection.safetensors", seed) for seed, name in enumerate("ab")]
    found = dissect(
        data, tmp_path / "out", networks=["vgg16_tiny", *files, "bms"], layers=LAYERS, regions=regions, size=SIZE
    )
    assert [line for line in found.problems if line.startswith("bms: a model without named layers")] == found.problems
    gains = found.tables["improvements"].set_index(["network", "layer"])
    assert list(gains.index) == [(n, layer) for n in ("a/dissection", "b/dissection") for layer in LAYERS]
    assert set(found.outputs) == {"a/dissection", "b/dissection"}
    assert [path.name for path in found.files if path.suffix == ".png"] == [
        "top_ten.png", "top_maps.png", "improvements.png",
        "inner_output_1.png", "answers_1.png", "inner_output_2.png", "answers_2.png",
    ]  # fmt: skip
    page = (tmp_path / "out/report.html").read_text()
    assert page.count("data:image/png") == 7
    table = found.outputs["a/dissection"].table.set_index("category")
    model = foveal.load_model(files[0])
    first, second = sorted((tmp_path / "out/associations").glob("*dissection*/output.parquet"))
    assert not pd.read_parquet(first)["output"].equals(pd.read_parquet(second)["output"])
    values = []
    for image in range(6):
        fixations = data.fixations.for_image(image)
        inside = regions.for_image(str(image))[0].mask((60, 80))[fixations.pixel_y, fixations.pixel_x]
        map_ = model.saliency_map_of([data.stimuli[image].image])
        values.append(float(normalized_scanpath_saliency(map_, FixationBatch.stack([fixations.where(inside)]))))
    assert table.loc["person_head", "output"] == pytest.approx(np.mean(values), abs=1e-4)


def test_layers_that_are_added_are_all_that_is_computed(data, regions, tmp_path):
    def run(*layers):
        dissect(data, tmp_path, networks=["vgg16_tiny"], layers=layers, regions=regions, size=SIZE, limit=2)
        return {path.stem: path.stat().st_mtime_ns for path in tmp_path.glob("associations/*/*.parquet")}

    before = run("conv5_3")
    after = run("conv4_3", "conv5_3")
    assert after["conv5_3"] == before["conv5_3"]
    assert after.keys() == {"conv4_3", "conv5_3"}


@pytest.fixture
def tiny_recipe(monkeypatch):
    """Trains of the smallest network, an epoch long."""
    base = read_recipe("dissection")
    tiny = {"backbone": "vgg16_tiny", "area": 64 * 64}
    recipe = replace(base, config=tiny, phases=(replace(base.phases[0], epochs=1),))
    monkeypatch.setattr(dissect_recipes, "read_recipe", lambda name: recipe)


@pytest.mark.filterwarnings("ignore::foveal.errors.FovealNote")
def test_depths_are_trained_and_compared(data, regions, tmp_path, monkeypatch, tiny_recipe):
    loaded = []

    def load(name, root):
        loaded.append(name)
        return make_dataset(n_images=11, name=name)

    monkeypatch.setattr(dissect_trained, "load_dataset", load)
    seen = replace(data, name="scene")  # one of those that are learned from otherwise
    found = dissect_depths(seen, tmp_path, depths=["0", "2"], layers=LAYERS, regions=regions)
    assert loaded == ["eyecrowd", "mit1003"]
    gains = found.tables["improvements"].set_index("layer").drop(columns="network")
    assert (gains.loc["conv4_3"] == 0).all()  # below all that is trained
    assert (gains.loc["conv5_3"] != 0).all()
    times = {path: path.stat().st_mtime_ns for path in tmp_path.glob("depths/*/*.safetensors")}
    assert len(times) == 2
    dissect_depths(seen, tmp_path, depths=["0", "2"], layers=LAYERS, regions=regions)
    assert times == {path: path.stat().st_mtime_ns for path in times}
    with pytest.raises(FovealError, match=r"no depth '7' \(has 0, 1, "):
        dissect_depths(seen, tmp_path, depths=["7"])


@pytest.mark.filterwarnings("ignore::foveal.errors.FovealNote")
def test_two_tasks_are_compared_on_photographs_that_neither_learned_from(regions, tmp_path, monkeypatch, tiny_recipe):
    monkeypatch.setattr(dissect_trained, "LAST_LAYER", replace(Dissection.tiny, first_trained="conv5_3"))
    whole = replace(make_dataset(n_images=43, name="toy"), categories=("a", "b") * 21 + ("rare",))
    labelled = Regions(
        tuple(replace(region, image=str(i)) for i in range(43) for region in regions.for_image(str(i % 6)))
    )
    found = dissect_tasks(whole, tmp_path, layers=LAYERS, regions=labelled)
    assert list(found.tables["top_ten"]["network"].unique()) == [
        "pretrained/dissection", "saliency/dissection", "scenes/dissection"
    ]  # fmt: skip
    kept = pd.read_parquet(next(tmp_path.glob("associations/*/conv5_3.parquet")))
    assert set(kept["image"]) == {"0", "10", "20", "30", "40", "42"}
    assert found.tables["attention"]["images"].sum() == 5
    with pytest.raises(FovealError, match="no split"):
        dissect_tasks(whole, tmp_path, split="fold0")
    assert "Do people look where scenes are told by?" in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize("cls", [FovealS, SALICON, Dissection])
def test_maps_lie_where_the_grid_says(cls):
    """A bright dot moves the lowest layer's maps most where the grid says that the dot is."""
    model = cls(cls.tiny)
    model.load_pretrained()
    network = named_layers(model.eval())
    base, dotted = torch.full((1, 3, 96, 128), 0.5), torch.full((1, 3, 96, 128), 0.5)
    dotted[..., 68:77, 26:35] = 1.0
    for layer in {
        network.layers[0],
        next(layer for layer in network.layers[::-1] if layer.endswith(network.layers[0])),
    }:
        with torch.inference_mode():
            change = (network.maps(dotted, [layer])[layer] - network.maps(base, [layer])[layer]).abs().sum(dim=1)[0]
        grid = network.grids((96, 128), [layer])[layer]
        weight = change / change.sum()
        y = float((weight.sum(dim=1) * (grid.rows.first + grid.rows.step * torch.arange(len(weight)))).sum())
        x = float((weight.sum(dim=0) * (grid.columns.first + grid.columns.step * torch.arange(weight.shape[1]))).sum())
        assert (x, y) == pytest.approx((30, 72), abs=2 * grid.rows.step)


def test_what_cannot_be_dissected(data, regions, tmp_path):
    with pytest.raises(FovealError, match=r"no backbone 'vgg17'"):
        dissect(data, tmp_path, networks=["vgg17"], regions=regions)
    with pytest.raises(FovealError, match=r"no layer 'conv9_9' in any of the networks \(vgg16_tiny: conv1_1, "):
        dissect(data, tmp_path, networks=["vgg16_tiny"], layers=["conv5_3", "conv9_9"], regions=regions)
    with pytest.raises(FovealError, match="vgg16_tiny: none of the layers block3"):
        dissect(data, tmp_path, networks=["vgg16_tiny"], layers=["block3"], regions=regions)
    with pytest.raises(FovealError, match="toy: no regions of this data set come with Foveal"):
        dissect(data, tmp_path, networks=["vgg16_tiny"], layers=LAYERS)
    elsewhere = Regions((Region("7.jpg", 1, regions[0].polygon, "text"),))
    with pytest.raises(FovealError, match="toy: no labelled region of its 6 photographs was looked at"):
        dissect(data, tmp_path, networks=["vgg16_tiny"], layers=LAYERS, regions=elsewhere)


def test_fixations_in_regions():
    stimuli = Stimuli([np.zeros((20, 30, 3), np.uint8)] * 2, ["a", "b"])
    data = Dataset("two", stimuli, Fixations.of([0, 0, 0], [5.2, 5, 25], [5, 5, 15]))
    square = np.array([[2.0, 2.0], [8.0, 2.0], [8.0, 8.0], [2.0, 8.0]])
    given = [
        Region("a", 1, square, "text"),
        Region("a", 2, square + 100, "text"),
        Region("a", 3, square + np.array([18, 0]), "plant"),
        Region("a", 4, square, ""),
        Region("a", 5, np.array([[0.0, 0.0], [29.0, 0.0], [29.0, 19.0], [0.0, 19.0]]), "other"),
        Region("b", 1, square, "text"),
    ]
    with pytest.warns(RowsLeftOut, match="two: 2 regions are left out, in which nobody looked"):
        [one], problems = looked_at(data, Regions(tuple(given)))
    assert problems == ["a, region 2: its polygon lies outside the photograph of 30 x 20 px"]
    assert [region.number for region in one.regions] == [1, 5]
    assert one.fixations.count.tolist() == [2, 3]
