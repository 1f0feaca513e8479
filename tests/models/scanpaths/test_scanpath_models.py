"""What holds for every model of scanpaths, and what each of them does with a history."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import chisquare
from toy import make_photograph

from foveal.errors import FovealError
from foveal.models import load_model, read_provenance
from foveal.models.base import stacked
from foveal.models.scanpaths import list_scanpath_models, load_scanpath_model, save_scanpath_model

HISTORIES = [[], [(10.0, 20.0)], [(1.0, 2.0), (30.5, 40.25), (50.0, 10.0)], [(60.0, 5.0)] * 6]


@pytest.fixture(scope="module")
def static():
    return load_model("centerbias")


@pytest.fixture(params=list_scanpath_models())
def model(request, static):
    return load_scanpath_model(request.param, static=static)


def test_conditional_densities_sum_to_one_at_any_size(model):
    for size in [(1, 1), (2, 3), (7, 300), (61, 83), (120, 90)]:
        log_density = model.conditional_log_density_of(make_photograph(3, size), HISTORIES)
        assert log_density.shape == (len(HISTORIES), *size)
        torch.testing.assert_close(
            log_density.double().logsumexp(dim=(1, 2)), torch.zeros(4).double(), atol=1e-4, rtol=0
        )


def test_without_a_history_it_is_the_static_density(model, static):
    photograph = make_photograph()
    conditional = model.conditional_log_density_of(photograph, [[]])
    torch.testing.assert_close(conditional, static.log_density_of([photograph]), atol=1e-5, rtol=0)
    is_static = torch.allclose(model.conditional_log_density_of(photograph, [[(40.0, 30.0)]]), conditional, atol=1e-3)
    assert is_static == (model.name == "static")


def test_what_lies_further_back_than_four_fixations_does_not_matter(model):
    last = [(5.0, 9.0), (70.0, 50.0), (30.0, 30.0), (12.0, 40.0)]
    one, other, three = model.conditional_log_density_of(
        make_photograph(), [[(1.0, 1.0), *last], [(60.0, 20.0), (2.0, 55.0), *last], last[1:]]
    )
    torch.testing.assert_close(one, other, atol=0, rtol=0)
    if model.name in ("inhibition-of-return", "foveal-path"):
        assert not torch.allclose(one, three, atol=1e-3)


def test_images_and_histories_together_equal_one_by_one(model, static):
    photographs = [make_photograph(0), make_photograph(1)]
    histories = torch.tensor([[[math.nan, math.nan], [4.0, 5.0]], [[70.0, 20.0], [30.0, 30.0]]])
    with torch.inference_mode():
        together = model.conditional_log_density(stacked(photographs), histories)
    in_px = [[(4.0, 5.0)], [(70.0, 20.0), (30.0, 30.0)]]
    for photograph, history, expected in zip(photographs, in_px, together, strict=True):
        (alone,) = model.conditional_log_density_of(photograph, [history])
        torch.testing.assert_close(alone, expected, atol=1e-5, rtol=0)


def test_the_same_in_other_pixels(model):
    """A picture twice as large, with a history at the same place, has the same density at the same places."""
    small = model.conditional_log_density_of(np.full((60, 80, 3), 90, np.uint8), [[(20.0, 15.0)]])[0]
    large = model.conditional_log_density_of(np.full((120, 160, 3), 90, np.uint8), [[(40.5, 30.5)]])[0]
    pooled = torch.nn.functional.avg_pool2d(large.exp()[None, None], 2)[0, 0] * 4
    assert torch.nn.functional.kl_div(small, pooled, reduction="sum") < 0.01


def test_saved_and_loaded_it_is_the_same(model, static, tmp_path):
    path = tmp_path / "model.safetensors"
    save_scanpath_model(model, path, {"command": "foveal train"})
    assert read_provenance(path)["command"] == "foveal train"
    again = load_scanpath_model(path, static=static)
    assert type(again) is type(model)
    photograph = make_photograph()
    torch.testing.assert_close(
        again.conditional_log_density_of(photograph, HISTORIES), model.conditional_log_density_of(photograph, HISTORIES)
    )


def test_inhibition_lowers_the_density_at_the_last_fixation(static):
    model = load_scanpath_model("inhibition-of-return", static=static, fitted=False)
    photograph, (x, y) = make_photograph(), (40, 30)
    before = static.log_density_of([photograph])[0]
    with torch.no_grad():
        model.strength.fill_(2.0)
    inhibited, further_back = model.conditional_log_density_of(photograph, [[(x, y)], [(x, y), (5.0, 5.0)]])
    assert inhibited[y, x] < before[y, x] - 1
    assert further_back[y, x] < before[y, x] - 1
    assert inhibited[y, 5] > before[y, 5]
    with torch.no_grad():
        model.strength.fill_(-2.0)  # facilitation
    assert model.conditional_log_density_of(photograph, [[(x, y)]])[0][y, x] > before[y, x] + 1


def test_the_table_of_saccades_is_read_in_polar_coordinates():
    model = load_scanpath_model("saccade-statistics", static=load_model("uniform"), fitted=False)
    with torch.no_grad():
        model.log_ratio[:, 6] = 5.0  # a quarter of the circle: up
    up, right, down, left = (
        float(model.conditional_log_density_of(np.zeros((81, 81, 3), np.uint8), [[(40.0, 40.0)]])[0][y, x])
        for x, y in ((40, 20), (60, 40), (40, 60), (20, 40))
    )
    assert up > right + 4.5
    assert right == pytest.approx(down, abs=1e-3)
    assert right == pytest.approx(left, abs=1e-3)


def test_sampled_frequencies_follow_the_density():
    """Of the first fixation the static density, and of the second the one given the first."""
    model = load_scanpath_model("inhibition-of-return", static=load_model("centerbias"), fitted=False)
    with torch.no_grad():
        model.strength.fill_(3.0)
    photograph = np.full((3, 4, 3), 90, np.uint8)
    expected_of = {1: [[]], 2: [[(1.0, 2.0)]]}
    for n, history in expected_of.items():
        paths = model.sample(photograph, n, seed=1, viewers=500, first=(1.0, 2.0) if n == 2 else None)
        drawn = paths.where(paths.order == n - 1)
        counts = np.bincount(drawn.pixel_y * 4 + drawn.pixel_x, minlength=12)
        expected = model.conditional_log_density_of(photograph, history)[0].double().exp().flatten().numpy()
        assert chisquare(counts, expected / expected.sum() * 500).pvalue > 0.01


def test_the_same_seed_gives_the_same_paths(model):
    photograph = make_photograph()
    paths = model.sample(photograph, 5, seed=3, viewers=3)
    again = model.sample(photograph, 5, seed=3, viewers=2)
    other = model.sample(photograph, 5, seed=4, viewers=3)
    for viewer in range(2):  # whatever the number of others
        np.testing.assert_array_equal(paths.for_subject(viewer).x, again.for_subject(viewer).x)
    assert paths.digest() != other.digest()
    assert paths.for_subject(0).digest() != paths.for_subject(1).digest()
    assert paths.order.tolist() == [0, 1, 2, 3, 4] * 3
    assert paths.inside(np.array([photograph.shape[:2]])).digest() == paths.digest()


def test_what_is_refused(static, tmp_path):
    with pytest.raises(FovealError, match=r"no model of scanpaths 'foveal-pat' \(did you mean foveal-path\?"):
        load_scanpath_model("foveal-pat")
    with pytest.raises(FovealError, match=r"no.safetensors: no such file"):
        load_scanpath_model(tmp_path / "no.safetensors")
    (tmp_path / "damaged.safetensors").write_bytes(b"no weights")
    with pytest.raises(FovealError, match=r"damaged.safetensors: the weights cannot be read"):
        load_scanpath_model(tmp_path / "damaged.safetensors")
    model = load_scanpath_model("static", static=static)
    with pytest.raises(FovealError, match=r"history: a list of \(x, y\) in px"):
        model.conditional_log_density_of(make_photograph(), [[(1.0, math.nan)]])
    with pytest.raises(FovealError, match="n: "):
        model.sample(make_photograph(), 0)
    with pytest.raises(FovealError, match="viewers"):
        model.sample(make_photograph(), 3, viewers=0)
