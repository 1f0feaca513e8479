"""A tiny network learns to tell two kinds of pictures, and its file can be looked into."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from toy import make_dataset

import foveal
from foveal.analysis.named_layers import named_layers
from foveal.analysis.scene_task import learn_scenes
from foveal.errors import FovealError
from foveal.gaze import Stimuli
from foveal.models.deep.dissection import Dissection

CONFIG = replace(Dissection.tiny, first_trained="conv5_3")


def two_scenes():
    """Red and blue pictures with noise; one picture of a third kind."""
    rng = np.random.default_rng(0)
    data = make_dataset(n_images=21)
    kinds = ["red", "blue"] * 5 + ["blue", "red"] * 5 + ["green"]
    color = {"red": (200, 60, 60), "blue": (60, 60, 200), "green": (60, 200, 60)}
    pictures = [
        (np.array(color[kind]) + rng.normal(0, 20, (60, 80, 3))).clip(0, 255).astype(np.uint8) for kind in kinds
    ]
    return replace(data, stimuli=Stimuli(pictures, pixels_per_degree=4.0), categories=tuple(kinds))


def test_scenes_are_learned(tmp_path):
    data = two_scenes()
    found = learn_scenes(data, tmp_path, config=CONFIG, fewest=5, epochs=300)
    assert found.scenes == ("blue", "red")
    assert found.accuracy == 1.0
    assert found.balanced_accuracy == 1.0
    assert found.told["image"].tolist() == ["0", "10"]
    assert found.attention["images"].tolist() == [2, 0]
    assert found.attention["NSS"][0] == pytest.approx(found.told["NSS"].mean())
    model = foveal.load_model(found.path)
    before = named_layers("vgg16_tiny").views[0].backbone.state_dict()
    after = model.encoder.state_dict()
    changed = {key for key in after if key.startswith("steps.") and not torch.equal(after[key], before[key])}
    assert changed == {"steps.conv5_3.weight", "steps.conv5_3.bias"}
    images = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    [features] = model.features_read(model.see(images))
    mean = model.on_cells(features.mean(dim=1), (64, 64))
    torch.testing.assert_close(model(model.see(images), (64, 64)), mean)
    written = found.path.stat().st_mtime_ns
    kept = learn_scenes(data, tmp_path, config=CONFIG, fewest=5, epochs=300)
    assert kept.path.stat().st_mtime_ns == written
    pd.testing.assert_frame_equal(kept.attention, found.attention)
    again = learn_scenes(data, tmp_path / "2", config=CONFIG, fewest=5, epochs=300)
    torch.testing.assert_close(foveal.load_model(again.path).state_dict(), model.state_dict(), rtol=0, atol=0)


def test_without_scenes(tmp_path):
    with pytest.raises(FovealError, match="toy: nobody said what kinds of scenes"):
        learn_scenes(make_dataset(n_images=2), tmp_path, config=CONFIG)
    with pytest.raises(FovealError, match="toy: fewer than two kinds of scenes with 11 photographs"):
        learn_scenes(two_scenes(), tmp_path, config=CONFIG, fewest=11)
