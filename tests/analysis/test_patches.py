"""A readout with one planted weight: its patches are where that feature responds most."""

import dataclasses

import cv2
import numpy as np
import pytest
import torch

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
    with pytest.raises(FovealError, match="uniform is no readout"):
        patches("uniform", dataset, tmp_path)


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
