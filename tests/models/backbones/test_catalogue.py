"""What can be installed: every file known by its hash, without torch."""

import re
import subprocess
import sys

import pytest

from foveal.errors import FovealError
from foveal.models.backbones import catalogue
from foveal.models.backbones.catalogue import torchvision_networks


def test_every_file_is_known_by_its_whole_hash():
    for weights in catalogue.CATALOGUE.values():
        for source in weights.sources:
            assert re.fullmatch("[0-9a-f]{64}", source.sha256)
            published = re.search(r"-([0-9a-f]{8})\.pth$", source.file)
            assert published is None or source.sha256.startswith(published[1])


def test_every_network_of_torchvision_has_weights():
    for name in torchvision_networks():
        for source in catalogue.weights_of(name).sources:
            assert (
                len(source.sha256) == 64 or re.fullmatch(r".*-([0-9a-f]{8,10})\.pth", source.file)[1] == source.sha256
            )
    assert "SWAG" in catalogue.weights_of("regnet_y_128gf").licence
    with pytest.raises(FovealError, match="no weights 'vgg16_tiny'"):
        catalogue.weights_of("vgg16_tiny")


def test_to_list_weights_takes_no_torch():
    listing = (
        "import sys; from foveal.cli.weights import list_weights; list_weights(); assert 'torch' not in sys.modules"
    )
    told = subprocess.run([sys.executable, "-c", listing], capture_output=True, text=True, check=True)
    assert "efficientnet_lite2" in told.stdout
