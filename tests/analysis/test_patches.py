"""A readout with one planted weight: its patches are where that feature responds most."""

import dataclasses

import cv2
import numpy as np
import pytest
import torch

import foveal
from foveal.analysis.patches import patches
from foveal.errors import FovealError
from foveal.gaze import Fixations, Stimuli
from foveal.models.deep.deepgaze1 import DeepGaze1

pytestmark = pytest.mark.filterwarnings("ignore:features of:foveal.errors.FovealNote")


@pytest.mark.parametrize("sign", [1, -1])
def test_patches_lie_where_the_feature_is_strongest(dataset, tmp_path, sign):
    model = DeepGaze1()
    with torch.no_grad():
        model.readout.weight[17] = 2.0 * sign
        model.readout.weight[3] = 0.5
    found = patches(model, dataset, tmp_path)
    strongest = found.table[found.table["rank"] == 0]
    assert (strongest.feature == 17).all()
    assert found.table[found.table["rank"] == 1].feature.iloc[0] == 3
    assert (np.diff(sign * strongest.response) <= 0).all()
    row = strongest.iloc[0]
    image = dataset.stimuli[int(row.image)].image.copy()
    features = model.features(torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255)
    response = sign * features["conv5"][0, 17]
    at = np.unravel_index(int(response.argmax()), response.shape)
    grid = model.grids((60, 80))["conv5"]
    assert row.x == pytest.approx(grid.columns.first + at[1] * grid.columns.step)
    assert row.y == pytest.approx(grid.rows.first + at[0] * grid.rows.step)
    assert sign * row.response == pytest.approx(float(response.max()), rel=1e-2)
    for path in found.files[:2]:
        assert cv2.imread(str(path)).std() > 10


def test_what_has_no_features(dataset, tmp_path):
    with pytest.raises(FovealError, match=r"uniform is no readout of features \(known: deepgaze1\)"):
        patches("uniform", dataset, tmp_path)


def test_of_a_model_that_is_none_of_ours(dataset, tmp_path, colors):
    colors.weights["mean2"][0] = 2.0
    colors.weights["color1"][2] = -1.0
    table = foveal.patches(colors, dataset, tmp_path).table
    assert list(table.groupby("rank").first()[["layer", "feature", "weight"]].iloc[0]) == ["mean2", 0, 2.0]
    least_blue = table[table["rank"] == 1].iloc[0]
    image = dataset.stimuli[int(least_blue.image)].image
    assert (least_blue.layer, least_blue.feature) == ("color1", 2)
    assert least_blue.response == pytest.approx(2 * image[int(least_blue.y), int(least_blue.x), 2] / 255, rel=1e-3)
    assert least_blue.response == pytest.approx(2 * min(s.image[..., 2].min() for s in dataset.stimuli) / 255, rel=1e-3)


def test_images_of_several_sizes(dataset, tmp_path):
    sources = [*dataset.stimuli.sources[:2], dataset.stimuli.sources[2][:40]]
    mixed = dataclasses.replace(
        dataset, stimuli=Stimuli(sources, None, 4.0), fixations=Fixations.of([0], [1], [1]), subject_names=()
    )
    model = DeepGaze1()
    with torch.no_grad():
        model.readout.weight[0] = 1.0
    table = patches(model, mixed, tmp_path).table
    assert set(table[table["rank"] == 0].image) == {"0", "1", "2"}
