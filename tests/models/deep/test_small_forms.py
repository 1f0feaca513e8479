"""Small forms of published networks: on a network whose weights come with the package, and only once."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

import foveal
from foveal.errors import FovealError
from foveal.models import load_model, ready_models, save_model
from foveal.models.backbones import packaged
from foveal.models.backbones.backbone import Backbone
from foveal.models.backbones.catalogue import WEIGHTS_VARIABLE, packaged_path
from foveal.models.deep.network import list_networks, network_class
from foveal.models.deep.stand_ins import STAND_INS, layers_of

SMALL = [name for name in list_networks() if name.endswith("-lite")]
LARGEST_FILE, LARGEST_PACKAGE = 4e6, 80e6  # bytes
of_every_small_form = pytest.mark.parametrize("name", SMALL)


@pytest.fixture(autouse=True)
def _nothing_installed(monkeypatch, tmp_path):
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(tmp_path / "weights"))


def trained(name):
    """A small form with the package's weights below, and others in all that a training changes."""
    torch.manual_seed(0)
    network = network_class(name)().eval()
    network.load_pretrained()
    with torch.no_grad():
        for group in network.parameter_groups().values():
            for weight in group:
                weight.mul_(1.1)
    return network


@of_every_small_form
def test_its_file_holds_what_was_trained(tmp_path, name):
    network = trained(name)
    path = tmp_path / f"{name}.safetensors"
    save_model(network, path)
    assert path.stat().st_size <= LARGEST_FILE
    with safe_open(path, "pt") as file:
        saved = set(file.keys())
    every = {
        f"{place}.steps.{key}"
        for place, module in network.named_modules()
        if isinstance(module, Backbone)
        for key in module.steps.state_dict()
    }
    of_trained = {key for key, weight in network.named_parameters() if weight.requires_grad}
    assert of_trained <= saved
    assert not (every & saved) - of_trained
    read = load_model(path)
    matrices = {key for key, weight in network.named_parameters() if weight.ndim > 1}
    for key, tensor in network.state_dict().items():
        expected = tensor.half().float() if key in matrices else tensor
        torch.testing.assert_close(read.state_dict()[key], expected, rtol=0, atol=0, msg=key)


@of_every_small_form
def test_it_is_its_network_with_another_configuration(name):
    """Its wiring is that of the published network: the same steps, and no method of its own."""
    cls = network_class(name)
    published = cls.__mro__[1]
    assert issubclass(cls.Config, published.Config)
    assert not {"forward", "see", "cells", "__init__"} & set(vars(cls))
    config = cls.Config()
    several = getattr(config, "backbones", None)
    assert (several or (config.backbone,)) == ("efficientnet_lite0",)


@pytest.mark.parametrize("name", [name for name in SMALL if name in ready_models()])
def test_it_predicts_as_it_comes(name):
    """Without anything installed: a density that is higher at a disc than around it, and more so than without it."""
    scene = np.full((120, 160, 3), 120, np.uint8)
    y, x = np.mgrid[:120, :160]
    disc = (y - 40) ** 2 + (x - 110) ** 2 < 12**2
    with_disc = scene.copy()
    with_disc[disc] = (220, 40, 30)
    model = load_model(name)
    before, after = (model.predict(image).log_density for image in (scene, with_disc))
    for log_density in (before, after):
        assert np.exp(log_density.astype(float)).sum() == pytest.approx(1, abs=1e-3)
    assert (after - before)[disc].mean() > (after - before)[~disc].mean() + 0.5


def test_a_file_of_another_version_says_so(tmp_path, monkeypatch):
    path = tmp_path / "run.safetensors"
    save_model(trained("dissection-lite"), path)
    with safe_open(path, "pt") as file:
        assert list(json.loads(file.metadata()["common"])) == ["efficientnet_lite0"]
    monkeypatch.setattr(packaged, "common_files", lambda _: {"efficientnet_lite0": "0" * 16})
    with pytest.raises(FovealError, match=r"run.safetensors: .*this version has other weights of efficientnet_lite0"):
        load_model(path)


def test_what_lacks_its_own_weights_does_not_get_the_packages(tmp_path):
    """Only a file that says that something was left out is filled up."""
    network = trained("dissection-lite")
    path = tmp_path / "run.safetensors"
    save_model(network, path)
    with safe_open(path, "pt") as file:
        header = {key: value for key, value in file.metadata().items() if key != "common"}
    save_file(load_file(path), path, header)
    with pytest.raises(FovealError, match=r"encoder\.steps\..*: missing"):
        load_model(path)


@pytest.mark.parametrize("name", sorted(STAND_INS))
def test_a_stand_in_has_the_layers_of_its_grids(name):
    stand_in = STAND_INS[name]
    encoder = Backbone(name, pretrained=False, without_stride=stand_in.without_stride, dilations=stand_in.dilations)
    grids = encoder.grids((96, 128), list(set(stand_in.layers.values())))
    steps = {layer: grids[there].rows.step for layer, there in stand_in.layers.items()}
    assert steps == {"relu3_3": 4, "relu4_3": 8} | dict.fromkeys(
        ("pool3", "pool4", "relu5_3", "pool5", "layer3_5", "layer4_2"), 16
    )


def test_a_layer_that_nothing_stands_for():
    with pytest.raises(FovealError, match="efficientnet_lite0: no layer stands for relu2_2"):
        layers_of("efficientnet_lite0", ["relu2_2"])


def test_the_papers_network_names_its_small_form():
    with pytest.raises(
        FovealError, match=r"salgan comes without weights: .*\. salgan-lite, a small form of it, is ready"
    ):
        load_model("salgan")
    with pytest.raises(FovealError, match=r"mr-cnn comes without weights: [^;]*; then give run/mr-cnn\.safetensors$"):
        load_model("mr-cnn")


def test_the_package_stays_small():
    files = [path for path in Path(foveal.__file__).parent.rglob("*") if path.suffix != ".pyc" and path.is_file()]
    assert packaged_path("efficientnet_lite0") in files
    assert sum(path.stat().st_size for path in files) < LARGEST_PACKAGE
