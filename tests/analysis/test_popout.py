import dataclasses

import numpy as np
import pandas as pd
import pytest
import torch

from foveal.analysis.named_layers import named_layers
from foveal.analysis.popout import popout
from foveal.analysis.popout_layers import TOP, LayerScores, nmm_of_maps, score_layers, table_of_layers
from foveal.analysis.popout_scores import DENSITY, OVER_EMPTY, RAW, ModelMaps, score_arrays
from foveal.analysis.popout_tables import ALL, asymmetries, by_feature, with_settings
from foveal.datasets.search_arrays import SearchArraySettings, empty_array, make_search_array, standard_arrays
from foveal.errors import FovealError
from foveal.kept import KeptTable
from foveal.metrics.nmm import normalized_means_of_items
from foveal.models import load_model, save_model
from foveal.models.base import SaliencyMapModel, SaliencyModel
from foveal.models.deep.dissection import Dissection
from foveal.models.deep.foveal_s import FovealS
from foveal.models.parts.geometry import Axis, Grid, resample
from foveal.progress import Progress

SMALL = {"size": (120, 160), "item_size": 16.0, "jitter": 1.0, "set_size": 6}
ARRAYS = [SearchArraySettings(feature, 1.0, seed=seed, **SMALL) for feature in ("size", "shape") for seed in (0, 1)]


class Contrast(SaliencyMapModel):
    """How far a pixel is from the gray of the background."""

    def saliency_map(self, images):
        return (images - 128 / 255).abs().sum(dim=1)


class Peaked(SaliencyModel):
    """A center bias, times two where there are items."""

    def log_density(self, images, pixels_per_degree=None):
        x = torch.linspace(-2, 2, images.shape[3])
        log = -(x**2)[None, None] + np.log(2) * ((images - 128 / 255).abs().sum(dim=1) > 0.1)
        return log - log.logsumexp(dim=(1, 2), keepdim=True)


def test_scores_are_of_the_items():
    (scores, problems), *_ = score_arrays(Contrast(), ARRAYS)
    assert problems == []
    assert list(scores["array"]) == [array.name for array in ARRAYS]
    assert (scores["map"] == RAW).all()
    array = make_search_array(ARRAYS[0])
    saliency = np.abs(array.image / 255 - 128 / 255).sum(axis=2)
    z = (saliency - saliency.mean()) / saliency.std()
    assert scores["NMM"][0] == pytest.approx(z[array.target].mean(), rel=1e-4)
    assert scores["highest_distractor"][0] == pytest.approx(
        max(z[array.items == n].mean() for n in range(2, 7)), rel=1e-4
    )


def test_a_density_is_scored_with_and_without_what_it_says_of_no_items():
    arrays = [make_search_array(of) for of in ARRAYS]
    maps = ModelMaps(Peaked()).of(arrays)
    assert set(maps) == {DENSITY, OVER_EMPTY}
    is_item = torch.from_numpy(np.stack([np.abs(a.image.astype(int) - 128).sum(axis=2) > 25.5 for a in arrays]))
    ratio = maps[OVER_EMPTY] / maps[OVER_EMPTY].amin(dim=(1, 2), keepdim=True)
    torch.testing.assert_close(ratio, 1.0 + is_item.float(), rtol=1e-3, atol=1e-3)
    assert maps[DENSITY].std(dim=2).min() > 0.05  # across the picture


def test_a_tie_is_no_find_and_a_single_item_is_found():
    class Flat(Contrast):
        def saliency_map(self, images):
            return torch.zeros(images.shape[0], *images.shape[2:])

    alone = dataclasses.replace(ARRAYS[0], set_size=1)
    (scores, _), *_ = score_arrays(Flat(), [ARRAYS[0]])
    assert scores["found"].tolist() == [0.0]
    (scores, _), *_ = score_arrays(Contrast(), [alone])
    assert scores["found"].tolist() == [1.0]
    assert scores["highest_distractor"].isna().all()


def test_an_array_that_a_model_fails_on_is_one_line():
    class Picky(Contrast):
        def saliency_map(self, images):
            if torch.equal((255 * images[0]).round().byte().permute(1, 2, 0), bad):
                raise ValueError("not this one")
            return super().saliency_map(images)

    bad = torch.from_numpy(make_search_array(ARRAYS[1]).image)
    (scores, problems), *_ = score_arrays(Picky(), ARRAYS)
    assert problems == [f"{ARRAYS[1].name}: not this one (ValueError)"]
    assert len(scores) == len(ARRAYS) - 1


def test_tables_are_means_over_arrays():
    every = standard_arrays()
    chance = np.random.default_rng(0)
    scores = pd.DataFrame({"model": "m", "map": RAW, "array": [of.name for of in every]})
    scores = scores.assign(NMM=chance.normal(size=len(every)), found=chance.integers(2, size=len(every)).astype(float))
    scored = with_settings(scores, every)
    table = by_feature(scored).set_index("feature")
    plain = [i for i, of in enumerate(every) if not of.swapped]
    for feature, chosen in {
        ALL: [i for i in plain if every[i].feature != "conjunction"],
        "closure": [i for i in plain if every[i].feature == "closure"],
    }.items():
        assert table.loc[feature, "arrays"] == len(chosen)
        assert table.loc[feature, "NMM"] == pytest.approx(scores["NMM"][chosen].mean())
        assert table.loc[feature, "found_low"] < table.loc[feature, "found"] < table.loc[feature, "found_high"]
    row = asymmetries(scored).set_index("feature").loc["size"]
    difference = 0.0
    for i, of in enumerate(every):
        if of.feature == "size" and of.swapped:
            difference += (
                scores["NMM"][[o.name for o in every].index(of.name.replace("-swapped", ""))] - scores["NMM"][i]
            )
    assert row["NMM_difference"] == pytest.approx(difference / 9)
    assert row["pairs"] == 9


@pytest.mark.parametrize("shape", [(5, 7), (60, 80), (1, 3)])
def test_maps_on_a_grid_are_scored_as_if_they_were_enlarged(shape):
    array = make_search_array(ARRAYS[0])
    maps = torch.randn(6, *shape, dtype=torch.float64) + 50
    maps[5] = 3.0
    grid = Grid.over((120, 160), shape)
    large = resample(maps, grid, Grid(Axis(120), Axis(160)))
    items = torch.from_numpy(array.target.astype(int)).expand(6, -1, -1)
    want = normalized_means_of_items(large[:5], items[:5])[:, 0]
    got = nmm_of_maps(maps, grid, array.target)
    torch.testing.assert_close(got[:5], want, rtol=1e-4, atol=1e-5)
    assert got[5] == 0
    with pytest.raises(FovealError, match="NMM: the mask is empty"):
        nmm_of_maps(maps, grid, np.zeros((120, 160), bool))


def test_the_best_maps_are_those_of_highest_mean():
    values = np.random.default_rng(0).normal(size=(30, 40)) + np.linspace(0, 2, 40)
    row = table_of_layers([LayerScores("n", "", {"layer": values})]).iloc[0]
    best = sorted(values.mean(axis=0))[-TOP:]
    assert row["NMM"] == pytest.approx(sum(best) / TOP)
    assert row["NMM_low"] < row["NMM"] < row["NMM_high"]
    assert row["best_map"] == values.mean(axis=0).argmax()


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "tuned.safetensors"
    torch.manual_seed(0)
    save_model(Dissection(dataclasses.replace(Dissection.tiny, first_trained="conv5_3")), path)
    return str(path)


def test_a_run_goes_on_where_it_stopped(tmp_path, weights, monkeypatch):
    out = tmp_path / "out"
    first = popout(["image-signature"], out, limit=2)
    assert set(first.by_feature["model"]) == {"image-signature"}
    assert first.by_layer.empty

    computed = []
    as_before = ModelMaps.of
    monkeypatch.setattr(
        ModelMaps, "of", lambda self, arrays: computed.append((self.model.name, len(arrays))) or as_before(self, arrays)
    )
    done = popout(["image-signature", "no-such"], out, weights=[weights], layers=["relu5_2", "relu5_3"], limit=3)
    on_the_sheet = [("image-signature", 3), ("dissection", 3)]
    assert sorted(computed) == sorted([("image-signature", 1), ("dissection", 3), *on_the_sheet])
    assert [problem.split(":")[0] for problem in done.problems] == ["no model 'no-such'"] or len(done.problems) == 1
    assert done.by_layer["first_trained"].tolist() == ["conv5_3", "conv5_3"]
    assert done.by_layer["arrays"].tolist() == [3, 3]
    names = {
        "scores.csv",
        "models.csv",
        "curves.csv",
        "curves_found.png",
        "curves_NMM.png",
        "layers.png",
        "report.html",
    }
    assert names <= {path.name for path in done.files}
    assert all(path.is_file() for path in done.files)
    page = (out / "report.html").read_text()
    assert "What could not be scored" in page
    assert page.count("data:image/png") == 4
    with pytest.raises(FovealError, match=r"holds results of other arrays \(seed 0\); choose another --out"):
        popout(["image-signature"], out, limit=1, seed=5)


def test_changed_weights_are_scored_again(tmp_path, weights):
    file = tmp_path / "1.safetensors"
    model = load_model(weights)
    save_model(model, file)
    popout([str(file)], tmp_path, limit=2)
    before = pd.read_csv(tmp_path / "scores.csv")
    with torch.no_grad():
        model.readout.weight.neg_()
    save_model(model, file)
    popout([str(file)], tmp_path, limit=1)
    (after,) = pd.read_csv(tmp_path / "scores.csv")["NMM"]  # those of the former weights are gone
    assert after == pytest.approx(-before["NMM"][0], abs=1e-3)


def test_the_same_weights_in_another_configuration_are_scored_again(tmp_path, weights):
    file = tmp_path / "same.safetensors"
    model = load_model(weights)
    nmm = []
    for area in (model.config.area, model.config.area // 4):
        other = Dissection(dataclasses.replace(model.config, area=area))
        other.load_state_dict(model.state_dict())
        save_model(other, file)
        done = popout([str(file)], tmp_path, networks=[str(file)], layers=["relu5_3"], limit=1)
        nmm.append([done.by_feature["NMM"][0], done.by_layer["NMM"][0]])
    assert np.not_equal(*nmm).all()
    assert len(pd.read_csv(tmp_path / "scores.csv")) == len(pd.read_parquet(tmp_path / "layers.parquet")) == 1


def test_arrays_that_are_drawn_another_way_are_other_arrays(tmp_path, monkeypatch):
    popout(["image-signature"], tmp_path, limit=1)
    monkeypatch.setattr("foveal.analysis.popout.VERSION", -1)
    with pytest.raises(FovealError, match=r"holds results of other arrays \(arrays "):
        popout(["image-signature"], tmp_path, limit=1)


def test_files_of_an_earlier_run_do_not_stay_beside_the_report(tmp_path, weights):
    popout(["image-signature"], tmp_path, limit=1)
    done = popout([], tmp_path, networks=[weights], layers=["relu5_3"], limit=1)
    kept = {"scores.csv", "scores.json", "layers.parquet"}
    assert {path.name for path in tmp_path.iterdir()} == kept | {path.name for path in done.files}


def test_layers_of_foveal_s_are_kept_as_they_are_scored(tmp_path, monkeypatch):
    monkeypatch.setattr("foveal.analysis.popout_layers.KEPT_AFTER", 2)
    torch.manual_seed(0)
    network = named_layers(FovealS(FovealS.tiny))
    arrays = standard_arrays()[:3]

    def scored(layers):
        kept = KeptTable(tmp_path / "layers.parquet", {}, ["network", "weights", "layer", "array"])
        return score_layers(network, layers, arrays, kept, Progress(), []).by_layer

    first = scored(network.layers[:1])
    monkeypatch.setattr("foveal.analysis.popout_layers.make_search_array", None)  # nothing is drawn again
    np.testing.assert_array_equal(scored(network.layers[:1])[network.layers[0]], first[network.layers[0]])
    monkeypatch.undo()
    both = scored(network.layers[:2])
    np.testing.assert_array_equal(both[network.layers[0]], first[network.layers[0]])
    assert both[network.layers[1]].shape[0] == 3


def test_nothing_to_score_is_said(tmp_path):
    with pytest.raises(FovealError, match="nothing"):
        popout(["nothing"], tmp_path)


def test_of_an_array_without_items_nothing_is_left():
    assert np.unique(empty_array(ARRAYS[0])).tolist() == [128]


def test_layers_without_models(tmp_path, weights):
    done = popout([], tmp_path, networks=[weights], layers=["relu5_3"], limit=1)
    assert done.by_feature.empty
    assert {path.name for path in done.files} == {"layers.csv", "layers.png", "report.html"}
    assert done.by_layer["NMM"].notna().all()
