"""`foveal layers`: the subsets of Fig. 5, what is measured of them, and that nothing is measured twice."""

import dataclasses

import pandas as pd
import pytest
from toy import make_dataset

import foveal
from foveal.analysis import layers as module
from foveal.analysis.layers import layers, layers_of, subsets_of
from foveal.errors import FovealError
from foveal.gaze import Fixations

pytestmark = pytest.mark.filterwarnings("ignore:features of:foveal.errors.FovealNote")


@pytest.fixture(autouse=True)
def features_in_a_folder_of_their_own(tmp_path, monkeypatch):
    monkeypatch.setattr("platformdirs.user_cache_path", lambda _: tmp_path / "cache")


def test_subsets_are_those_of_the_figure():
    subsets = {(subset.figure, subset.label): subset.layers for subset in subsets_of(layers_of("alexnet"))}
    assert subsets["a", "≥4"] == ("conv4", "relu4", "conv5", "relu5", "pool5")
    assert subsets["b", "≤1"] == ("conv1", "relu1", "pool1")
    assert subsets["c", "3"] == ("conv3", "relu3")
    assert subsets["d", "pool"] == ("pool1", "pool2", "pool5")
    assert subsets["e", "conv5"] == ("conv5",)
    assert len(subsets) == 5 + 5 + 5 + 3 + 13
    assert subsets["a", "≥1"] == subsets["b", "≤5"] == tuple(name for (kind, name) in subsets if kind == "e")
    of_vgg = {(subset.figure, subset.label): subset.layers for subset in subsets_of(layers_of("vgg16"))}
    assert of_vgg["c", "1"] == ("conv1_1", "relu1_1", "conv1_2", "relu1_2", "pool1")


def test_a_path_of_penalties(tmp_path):
    dataset = make_dataset(12)
    table = layers(dataset, tmp_path, layers=["conv5"], penalties=[0.001, 10.0]).table
    assert list(table.penalty) == [0.001, 10.0]
    loose, strict = table.iloc[0], table.iloc[1]
    assert loose.features == 256
    assert loose.explained_training_subjects > loose.explained_test_subjects
    # So much sparsity costs fit; what is learned are places that others look at, too.
    assert loose.explained_training_subjects > strict.explained_training_subjects
    assert 0.1 < loose.explained_training_subjects < 1
    assert loose.sAUC_fitted_images > 0.6
    assert (tmp_path / "layers.png").stat().st_size > 10_000
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "layers.csv"), table)
    # More values of λ come to those that are there.
    assert list(layers(dataset, tmp_path, layers=["conv5"], penalties=[0.1]).table.penalty) == [0.001, 0.1, 10.0]


def test_features_of_a_model_that_is_none_of_ours(tmp_path, colors):
    dataset = make_dataset(8)
    table = foveal.layers(dataset, tmp_path, backbone=colors).table
    assert table.groupby("layers").features.first().to_dict() == {"color1": 3, "color1 mean2": 6, "mean2": 3}
    assert list(table[table.figure == "d"].label) == ["color", "mean"]
    assert table.explained_training_subjects.notna().all()
    with pytest.raises(FovealError, match=r"no layer 'conv5' among the model's features \(has color1, mean2\)"):
        layers(dataset, tmp_path, backbone=colors, layers=["conv5"])


def test_it_goes_on_where_it_stopped(tmp_path, monkeypatch):
    dataset = make_dataset(12)
    monkeypatch.setattr(module, "subsets_of", lambda _: subsets_of(layers_of("alexnet"))[-3:])  # conv5, relu5, pool5
    measured = []
    measure = module._Sweep.measure

    def interrupted(self, names, penalty):
        if len(measured) == 1:
            raise KeyboardInterrupt
        measured.append(names)
        return measure(self, names, penalty)

    with monkeypatch.context() as patch:
        patch.setattr(module._Sweep, "measure", interrupted)
        with pytest.raises(KeyboardInterrupt):
            layers(dataset, tmp_path)
    first = pd.read_csv(tmp_path / "layers.csv")
    assert list(first.label) == ["conv5"]
    table = layers(dataset, tmp_path).table
    assert list(table.label) == ["conv5", "relu5", "pool5"]
    pd.testing.assert_frame_equal(table.iloc[:1], first)
    monkeypatch.setattr(module._Sweep, "measure", lambda *_: pytest.fail("measured again"))
    pd.testing.assert_frame_equal(layers(dataset, tmp_path).table, table)
    with pytest.raises(FovealError, match="holds another sweep"):
        layers(make_dataset(10), tmp_path)


def test_what_cannot_be_measured(tmp_path):
    dataset = make_dataset(6)
    of_nobody = Fixations.of(dataset.fixations.image, dataset.fixations.x, dataset.fixations.y)
    with pytest.raises(FovealError, match="does not say which subject looked where"):
        layers(dataclasses.replace(dataset, fixations=of_nobody), tmp_path)
    with pytest.raises(FovealError, match="no images are left to be held out"):
        layers(dataset.limit(1), tmp_path)
    with pytest.raises(FovealError, match="no layer 'conv9'"):
        layers(dataset, tmp_path, layers=["conv9"])
    for penalties in ([], [-1.0], [float("nan")]):
        with pytest.raises(FovealError, match="penalties: give numbers of at least 0"):
            layers(dataset, tmp_path, penalties=penalties)
    (tmp_path / "layers.csv").write_text("somebody's own table")
    with pytest.raises(FovealError, match="holds another sweep"):
        layers(dataset, tmp_path, layers=["conv5"])
    assert (tmp_path / "layers.csv").read_text() == "somebody's own table"


def test_other_fixations_are_another_sweep(tmp_path, monkeypatch):
    monkeypatch.setattr(module._Sweep, "measure", lambda *_: (256, 0.5, 0.4, 0.7, 0.6))
    dataset = make_dataset(6)
    layers(dataset, tmp_path, layers=["conv5"])
    others = dataclasses.replace(dataset, fixations=dataset.fixations.where(slice(1, None)))
    with pytest.raises(FovealError, match="holds another sweep"):
        layers(others, tmp_path, layers=["conv5"])
