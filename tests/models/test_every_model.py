"""What holds for every registered model: a new one inherits all of this by its name."""

from dataclasses import asdict, replace

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from toy import loaded, make_photograph

from foveal.errors import FovealError
from foveal.models import SaliencyMapModel, list_models, load_model, model_cards, save_model
from foveal.models.base import stacked

# A small form is its network with another configuration (tests/models/deep/test_small_forms.py), and that is there.
FROM_PIXELS = [card.name for card in model_cards() if not card.needs_fixations and not card.name.endswith("-lite")]
NEEDS_FIXATIONS = [card.name for card in model_cards() if card.needs_fixations]


@pytest.fixture(params=FROM_PIXELS, scope="module")  # loaded once, and left as it is
def model(request):
    return loaded(request.param)


@pytest.fixture(scope="module")
def of_a_photograph(model):
    """A model's log density of what the fixture `photograph` is."""
    return model.predict(make_photograph()).log_density


@pytest.fixture
def in_float32(monkeypatch):
    """Predictions as on a processor without instructions for bfloat16."""
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict, raising=False)


def log_mass(log_density: np.ndarray) -> float:
    return float(torch.logsumexp(torch.from_numpy(log_density).double().flatten(), 0))


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (2, 3), (7, 300), (61, 83), (120, 90)])
def test_the_density_sums_to_one_at_any_size(model, size):
    log_density = model.predict(make_photograph(3, size)).log_density
    assert log_density.shape == size
    assert log_density.dtype == np.float32
    assert np.isfinite(log_density).all()
    assert log_mass(log_density) == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("color", [0, 128, 255, (200, 30, 90)], ids=str)
def test_an_image_of_one_color_has_a_density(model, color):
    """That of a model which computes a map is the center bias; that map is zero."""
    pixels = np.full((50, 70, 3), color, np.uint8)
    log_density = model.predict(pixels).log_density
    assert np.isfinite(log_density).all()
    assert log_mass(log_density) == pytest.approx(0, abs=1e-4)
    if isinstance(model, SaliencyMapModel):
        expected = model.calibration.center_bias((50, 70))[0]
        assert expected[25, 35] > expected[0, 0] + 1  # also of a model whose own map has a center bias
        torch.testing.assert_close(torch.from_numpy(log_density), expected, atol=1e-5, rtol=0)
        if color == 128:
            assert not model.saliency_map_of([pixels]).any()


@pytest.mark.usefixtures("in_float32")
def test_a_batch_equals_single_images(model):
    images = [np.full_like(make_photograph(0), 90), make_photograph(2)]
    with torch.inference_mode():
        together = model.log_density(stacked(images))
    for image, log_density in zip(images, together, strict=True):
        torch.testing.assert_close(model.log_density_of([image])[0], log_density, atol=1e-5, rtol=0)


@pytest.mark.usefixtures("in_float32")
def test_a_gray_image_has_no_colours_from_rounding(model):
    gray = stacked([make_photograph()]).mean(dim=1, keepdim=True).expand(-1, 3, -1, -1)
    almost = gray + torch.tensor([1e-7, 0.0, -1e-7]).view(3, 1, 1)
    with torch.inference_mode():
        torch.testing.assert_close(model.log_density(almost), model.log_density(gray), atol=1e-2, rtol=0)


def test_the_same_again(model, of_a_photograph, photograph):
    again = loaded(model.name)
    np.testing.assert_array_equal(of_a_photograph, again.predict(photograph).log_density)


def test_what_a_model_is_made_of_is_saved_with_it(model, tmp_path):
    if model.card.family != "classical" or model.Config is None:
        pytest.skip(f"{model.name} has no choice of what it is made of, or other weights with it")
    model = load_model(model.name)
    name, value = next((name, value) for name, value in asdict(model.config).items() if type(value) in (int, float))
    model.config = replace(model.config, **{name: value + 1})
    save_model(model, tmp_path / "m.safetensors")
    assert load_model(tmp_path / "m.safetensors").config == model.config


def test_saved_and_loaded_it_is_the_same(model, of_a_photograph, photograph, tmp_path):
    save_model(model, tmp_path / "m.safetensors")
    loaded = load_model(tmp_path / "m.safetensors")
    assert loaded.name == model.name
    np.testing.assert_array_equal(of_a_photograph, loaded.predict(photograph).log_density)


@pytest.mark.parametrize(("name", "precision"), [("foveal-s", 16), ("foveal-l", 16), ("faces", 16), ("icf", 32)])
def test_matrices_are_saved_in_so_many_bits(name, precision, tmp_path):
    model = load_model(name)
    matrices = {key: parameter for key, parameter in model.named_parameters() if parameter.ndim > 1}
    with torch.no_grad():
        for parameter in matrices.values():
            parameter.fill_(1 / 3)
    save_model(model, tmp_path / "m.safetensors")
    saved = load_file(tmp_path / "m.safetensors")
    assert {8 * saved[key].itemsize for key in matrices} == {precision}
    assert {8 * saved[key].itemsize for key in saved.keys() - matrices.keys() if saved[key].is_floating_point()} == {32}
    loaded = load_model(tmp_path / "m.safetensors").state_dict()
    for key in matrices:
        assert (loaded[key] - 1 / 3).abs().max() < (1e-4 if precision == 16 else 1e-7)


def test_a_large_image_is_shrunk_on_the_way(model, monkeypatch):
    """A model sees at most so many px; the density is of the photograph's own size."""
    monkeypatch.setattr("foveal.models.base.LARGEST_SIDE", 160)
    check_that_it_is_shrunk(model, make_photograph(size=(300, 400)), 160, monkeypatch)


def test_twelve_megapixels_are_shrunk_to_three(monkeypatch):
    large = cv2.resize(make_photograph(), (4000, 3000), interpolation=cv2.INTER_NEAREST)
    check_that_it_is_shrunk(load_model("foveal-s"), large, 2048, monkeypatch)


def check_that_it_is_shrunk(model, photograph, largest_side, monkeypatch):
    seen = []
    log_density = type(model).log_density

    def spy(self, images, pixels_per_degree=None):
        seen.append((tuple(images.shape[2:]), pixels_per_degree))
        return log_density(self, images, pixels_per_degree)

    monkeypatch.setattr(type(model), "log_density", spy)
    prediction = model.predict(photograph, pixels_per_degree=100.0)
    assert prediction.log_density.shape == photograph.shape[:2]
    share = largest_side / photograph.shape[1]
    assert seen == [((share * photograph.shape[0], largest_side), pytest.approx(100 * share))]
    assert log_mass(prediction.log_density) == pytest.approx(0, abs=1e-3)


@pytest.mark.usefixtures("in_float32")
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU on this machine")
def test_gpu_equals_cpu(model):
    images = [make_photograph(seed) for seed in range(2)]
    on_gpu = loaded(model.name, "cuda").log_density_of(images).cpu()
    torch.testing.assert_close(on_gpu, model.log_density_of(images), atol=1e-3, rtol=1e-3)


def test_raw_maps_have_the_size_of_the_image(model):
    if not isinstance(model, SaliencyMapModel):
        pytest.skip(f"{model.name} computes a density")
    maps = model.saliency_map_of([make_photograph(0, (61, 83)), make_photograph(1, (61, 83))])
    assert maps.shape == (2, 61, 83)
    assert torch.isfinite(maps).all()


def test_a_scale_that_is_none_is_refused(model, photograph):
    for scale in (0.0, -3.0, float("inf"), float("nan")):
        with pytest.raises(FovealError, match="positive number"):
            model.predict(photograph, pixels_per_degree=scale)


@pytest.mark.parametrize("name", NEEDS_FIXATIONS)
def test_what_needs_fixations_says_so(name, photograph):
    with pytest.raises(FovealError, match="evaluate"):
        load_model(name).predict(photograph)


def test_weights_that_are_missing_are_told(monkeypatch, tmp_path):
    monkeypatch.setattr("foveal.models.registry._published", lambda name: tmp_path / f"{name}.safetensors")
    for card in model_cards():
        if card.weights != "none":
            line = f"`{card.made_by} --out" if card.made_by else f"the weights of {card.name} are missing"
            with pytest.raises(FovealError, match=line):
                load_model(card.name)


def test_cards_are_complete():
    assert {"uniform", "centerbias", "gold", "bms", "foveal-s"} <= set(list_models())
    for card in model_cards():
        assert card.family in {"baseline", "classical", "deep"}
        assert card.paper
        assert card.licence


def test_what_cannot_be_loaded_is_one_clear_line(tmp_path):
    with pytest.raises(FovealError, match=r"no model 'nothing' \(known"):
        load_model("nothing")
    with pytest.raises(FovealError, match=r"no model 'BMS'.*did you mean bms"):
        load_model("BMS")
    with pytest.raises(FovealError, match="no such file"):
        load_model(tmp_path / "none.safetensors")
    (tmp_path / "bad.safetensors").write_bytes(b"not weights")
    with pytest.raises(FovealError, match="not a safetensors file"):
        load_model(tmp_path / "bad.safetensors")
    save_model(load_model("bms"), tmp_path / "bms.safetensors")
    data = (tmp_path / "bms.safetensors").read_bytes()
    (tmp_path / "other.safetensors").write_bytes(data.replace(b'"model":"bms"', b'"model":"xyz"'))
    with pytest.raises(FovealError, match="weights of 'xyz'"):
        load_model(tmp_path / "other.safetensors")
    (tmp_path / "swapped.safetensors").write_bytes(data.replace(b'.blur"', b'.blue"'))
    with pytest.raises(FovealError, match="do not fit"):
        load_model(tmp_path / "swapped.safetensors")


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_device_that_is_not_there_is_one_clear_line():
    for device in ("cuda", "warp9"):
        with pytest.raises(FovealError, match=f"device '{device}' cannot be used"):
            load_model("bms", device)
