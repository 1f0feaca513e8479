"""Damaged files of weights, and damaged checkpoints and caches of a training run."""

import io
import json
import os
import pickle
import shutil
import signal
import struct
import time
import zipfile
from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from fuzzing.damage import HOSTILE_TEXTS, Generator, damaged, hostile_json, hostile_text
from fuzzing.inputs import good_pictures, write_study
from fuzzing.outcomes import Finding, Job, check_density, weights_in
from fuzzing.subject import Subject
from fuzzing.worker import Call, Result, running

PICTURES = good_pictures(12)
MODELS = ("image-signature", "centerbias", "spectral-residual", "icf", "foveal-s")
DEEP = 20_000

Header = dict[str, Any]


def parts_of(file: bytes) -> tuple[Header, bytes]:
    """Header and values of a safetensors file."""
    (length,) = struct.unpack("<Q", file[:8])
    return json.loads(file[8 : 8 + length]), file[8 + length :]


def joined(header: Header | str, values: bytes) -> bytes:
    """The file again."""
    text = (header if isinstance(header, str) else json.dumps(header)).encode()
    return struct.pack("<Q", len(text)) + text + values


def _said(key: str, value: str) -> Callable[[Header, bytes], bytes]:
    """One of the header's texts is another."""

    def change(header: Header, values: bytes) -> bytes:
        header["__metadata__"][key] = value
        return joined(header, values)

    return change


def _without(key: str) -> Callable[[Header, bytes], bytes]:
    def change(header: Header, values: bytes) -> bytes:
        header["__metadata__"].pop(key, None)
        return joined(header, values)

    return change


def _filled(value: float) -> Callable[[Header, bytes], bytes]:
    """All numbers are this one."""

    def change(header: Header, values: bytes) -> bytes:
        return joined(header, np.full(len(values) // 4, value, np.float32).tobytes())

    return change


NESTED = "[" * DEEP + "]" * DEEP
FIXED: dict[str, Callable[[Header, bytes], bytes]] = {
    "as it was": joined,
    "empty": lambda *_: b"",
    "seven bytes": lambda *_: bytes(7),
    "header beyond the end": lambda _, values: struct.pack("<Q", 2**63) + values,
    "header of no length": lambda *_: bytes(8),
    "header is a list": lambda _, values: joined("[]", values),
    "header nested deeply": lambda _, values: joined(NESTED, values),
    "no metadata": lambda header, values: joined({k: v for k, v in header.items() if k[0] != "_"}, values),
    "no tensors": lambda header, _: joined({"__metadata__": header["__metadata__"]}, b""),
    "pickle": lambda *_: pickle.dumps({"a": 1}),
    "archive": lambda *_: b"PK\x05\x06" + bytes(18),
    "NaN": _filled(np.nan),
    "infinite": _filled(np.inf),
    "zero": _filled(0.0),
    "large": _filled(3e38),
    "small": _filled(1e-45),
    "negative": _filled(-1.0),
    "model missing": _without("model"),
    "model unknown": _said("model", "[/b]"),
    "model escape": _said("model", "\x1b[31mred"),
    "model path": _said("model", "../../../x"),
    "model other": _said("model", "foveal-l"),
    "model baseline": _said("model", "uniform"),
    "config missing": _without("config"),
    **{
        f"{key} {name}": _said(key, text)
        for key in ("config", "provenance")
        for name, text in {
            "no JSON": "{",
            "null": "null",
            "list": "[]",
            "number": "5",
            "text": '"a"',
            "unknown key": '{"[/b]": 1}',
            "nested deeply": NESTED,
            "400 digits": '{"working_side": ' + "9" * 400 + "}",
            "5,000 digits": '{"working_side": ' + "9" * 5000 + "}",
            "negative": '{"working_side": -1, "blur_sigma": -1}',
            "zero": '{"working_side": 0, "blur_sigma": 0}',
            "nan": '{"blur_sigma": NaN, "working_side": 64}',
            "huge": '{"working_side": 1000000, "blur_sigma": 0.045}',
            "huge blur": '{"working_side": 64, "blur_sigma": 1e300}',
            "wrong kinds": '{"working_side": "a", "blur_sigma": [1]}',
            "members null": '{"members": null}',
            "members list": '{"members": [1]}',
            "members of nothing": '{"members": {"a": 5}}',
            "dataset": '{"dataset": 5}',
            "dataset only": '{"dataset": "a"}',
            "datasets null": '{"datasets": null}',
            "datasets of numbers": '{"datasets": [1]}',
            "datasets without names": '{"datasets": [{}]}',
            "markup": '{"command": "[/b]", "dataset": "[/b]", "licence": "[bold]", "n_images": 3}',
            "escapes": '{"command": "\\u001b[31m", "dataset": "\\u001b[31m", "licence": "", "n_images": 3}',
        }.items()
    },
}
FOLDERS = ("folder", "pipe", "nowhere", "circle")


class Weights(Subject):
    """Files of weights."""

    name = "weights"
    cases = 240

    def prepare(self) -> None:
        """Published weights, which are damaged then."""
        folder = resources.files("foveal.models") / "weights"
        self.files = {name: (folder / f"{name}.safetensors").read_bytes() for name in MODELS}
        write_study(self.room / "study", dict(list(PICTURES.items())[:3]))

    def job(self, folder: Path, numbers: Sequence[int]) -> Job:
        """One file."""
        (number,) = numbers
        shutil.copytree(self.room / "study", folder / "study")
        path = folder / "damaged.safetensors"
        fixed = [*FIXED, *FOLDERS]
        if number < len(fixed):
            label = fixed[number]
            if label in FIXED:
                path.write_bytes(FIXED[label](*parts_of(self.files["image-signature"])))
            elif label == "folder":
                path.mkdir()
            elif label == "pipe":
                os.mkfifo(path)
            else:
                path.symlink_to(path.name if label == "circle" else "nowhere")
        else:
            rng = self.rng(number)
            name = MODELS[int(rng.choice(len(MODELS), p=[0.45, 0.2, 0.2, 0.1, 0.05]))]
            data, label = _damaged_weights(self.files[name], rng, self.files)
            path.write_bytes(data)
            label = f"{name}: {label}"
        commands = {
            "predict": ["predict", "study/images", "--model", path.name, "--out", "out"],
            "models": ["models", path.name],
            "train": ["train", path.name, "--dataset", "study", "--out", "out"],
            "evaluate": [
                *["evaluate", "--dataset", "study", "--model", path.name],
                *["--metrics", "LL,NSS", "--json", "out/table.json"],
            ],
        }
        command = list(commands)[(0, 1, 0, 2, 0, 3, 1)[number % 7]]

        def check(_: Result) -> Finding | None:
            for density in sorted((folder / "out").glob("*.density.npy")):
                if finding := check_density(np.load(density), density.name):
                    return finding
            return None

        return Job(Call(commands[command], folder, {}), {number: f"{label} ({command})"}, check)


def _damaged_weights(file: bytes, rng: Generator, others: dict[str, bytes]) -> tuple[bytes, str]:
    way = rng.choice(["bytes", "said", "config", "provenance", "tensor", "values", "name"])
    header, values = parts_of(file)
    tensors = [key for key in header if key != "__metadata__"]
    if way == "bytes" or not tensors:
        return damaged(file, rng, list(others.values()))
    said = header["__metadata__"]
    tensor = tensors[int(rng.integers(len(tensors)))]
    if way == "said":
        key = str(rng.choice(["model", "config", "provenance", "format"]))
        said[key] = hostile_text(rng)
        return joined(header, values), f"{key} is {said[key]!r:.60}"
    if way in ("config", "provenance"):
        told = json.loads(said.get(way, "{}"))
        keys = [*told, "members", "datasets", "dataset", "recipe"]
        key = keys[int(rng.integers(len(keys)))]
        told[key] = hostile_json(rng)
        if rng.random() < 0.2:
            told = hostile_json(rng)
        said[way] = json.dumps(told)
        return joined(header, values), f"{way} says {said[way]!r:.80}"
    if way == "tensor":
        key = str(rng.choice(["dtype", "shape", "data_offsets"]))
        choices = {
            "dtype": ["F64", "F16", "BF16", "I64", "U8", "BOOL", "C64", "F8_E4M3", "", 5],
            "shape": [[], [0], [1], [-1], [2**40], [2**40, 2**40], "a", header[tensor]["shape"][::-1], [1] * 40],
            "data_offsets": [[0, 0], [0, 2**60], [-1, 4], [4, 0], [0], "a", [0, len(values) + 4]],
        }[key]
        header[tensor][key] = choices[int(rng.integers(len(choices)))]
        return joined(header, values), f"{tensor}: {key} is {header[tensor][key]!r:.60}"
    if way == "values":
        start, end = header[tensor]["data_offsets"]
        if header[tensor]["dtype"] != "F32":
            return damaged(file, rng)
        numbers = np.frombuffer(values[start:end], np.float32).copy()
        chosen = rng.random(len(numbers)) < rng.choice([0.01, 1.0])
        number = float(rng.choice([np.nan, np.inf, -np.inf, 0.0, -1.0, 1e30, -1e30, 1e-40]))
        numbers[chosen] = number
        return joined(header, values[:start] + numbers.tobytes() + values[end:]), f"{tensor} is {number}"
    header[hostile_text(rng)] = header.pop(tensor)
    return joined(header, values), f"{tensor} is called otherwise"


RECIPE = """
datasets = ["study"]
held_out = 0
batch_size = 2
mirrored = false
zooms = []

[config]
backbone = "efficientnet_lite0"
taps = ["block1"]
channels = [24]
first_trained = ""
working_area = 4096
width = 4
hidden = 4
scales = [1.0]

[[phases]]
epochs = 15
learning_rate = 0.01
"""


class Checkpoints(Subject):
    """What a training run keeps: checkpoint, log, recipe, features."""

    name = "checkpoints"
    cases = 70

    def prepare(self) -> None:
        """A run that was interrupted, and what it comes to when it goes on."""
        write_study(self.room / "study", PICTURES)
        (self.room / "recipe.toml").write_text(RECIPE)
        write_backbone(self.room / "backbones")
        environment = self._environment(self.room)
        checkpoint, streams = self.room / "run/checkpoint.pt", self.room / "streams"
        streams.mkdir()
        with running(Call(_train(resume=False), self.room, environment), streams) as process:
            deadline = time.monotonic() + 120
            while not checkpoint.is_file() and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            process.wait()
        if not checkpoint.is_file() or (self.room / "run/recipe.toml").is_file():
            raise RuntimeError(f"the run could not be interrupted: {(streams / 'err').read_text()}")
        shutil.copytree(self.room / "run", self.room / "finished/run")
        for name in ("study", "recipe.toml", "cache"):
            (self.room / "finished" / name).symlink_to(self.room / name)
        result = self.run(Call(_train(resume=True), self.room / "finished", environment))
        if result.status != 0:
            raise RuntimeError(f"the run does not go on: {result.err}{result.traceback}")
        self.weights = weights_in(self.room / "finished/run/foveal-s.safetensors")

    def job(self, folder: Path, numbers: Sequence[int]) -> Job:
        """One run that goes on."""
        (number,) = numbers
        for name in ("study", "run", "cache"):
            shutil.copytree(self.room / name, folder / name)
        shutil.copy(self.room / "recipe.toml", folder)
        rng = self.rng(number)
        harmless = number == 0
        label = "as it was" if harmless else self._damage(folder, number, rng)

        def check(result: Result) -> Finding | None:
            path = folder / "run/foveal-s.safetensors"
            if result.status == 2 and not harmless:
                return None
            if not path.is_file():
                return Finding("lost", f"status {result.status} and no weights")
            found = weights_in(path)
            if harmless and not all(np.array_equal(found[key], values) for key, values in self.weights.items()):
                return Finding("lost", "other weights than those of the run alone")
            return None

        call = Call(_train(resume=True), folder, self._environment(folder))
        return Job(call, {number: label}, check, out="")

    def _environment(self, folder: Path) -> dict[str, str]:
        return {"FOVEAL_WEIGHTS": str(self.room / "backbones"), "XDG_CACHE_HOME": str(folder / "cache")}

    def _damage(self, folder: Path, number: int, rng: Generator) -> str:
        way = ("state", "bytes", "member", "state", "pickle", "cache", "beside")[number % 7]
        checkpoint = folder / "run/checkpoint.pt"
        if way == "bytes":
            data, label = damaged(checkpoint.read_bytes(), rng)
            checkpoint.write_bytes(data)
            return f"checkpoint.pt: {label}"
        if way in ("member", "pickle"):  # of the archive, whose checksums are right again
            with zipfile.ZipFile(checkpoint) as archive:
                members = {name: archive.read(name) for name in archive.namelist()}
            names = [name for name in members if name.endswith("data.pkl") == (way == "pickle")]
            name = names[int(rng.integers(len(names)))]
            members[name], label = damaged(members[name], rng)
            with zipfile.ZipFile(checkpoint, "w") as archive:
                for key, data in members.items():
                    archive.writestr(key, data)
            return f"{name}: {label}"
        if way == "state":
            return _change_state(checkpoint, rng)
        where = "cache" if way == "cache" else "run"
        files = sorted(path for path in (folder / where).rglob("*") if path.is_file() and path != checkpoint)
        path = files[int(rng.integers(len(files)))]
        data, label = damaged(path.read_bytes(), rng)
        path.write_bytes(data)
        return f"{path.name}: {label}"


def _train(*, resume: bool) -> list[str]:
    return ["train", "recipe.toml", "--out", "run", *(["--resume"] if resume else [])]


def write_backbone(folder: Path) -> None:
    """Weights by chance, where Foveal looks for those of a network."""
    import torch
    from safetensors.torch import save_file

    from foveal.models.backbones.architectures import ARCHITECTURES

    folder.mkdir()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        state = ARCHITECTURES["efficientnet_lite0"].steps().state_dict()
    save_file(state, folder / "efficientnet_lite0.safetensors")


def _change_state(checkpoint: Path, rng: Generator) -> str:
    """One value of the state is another, or is missing."""
    import torch

    state = torch.load(checkpoint, weights_only=True)
    path, place = [], state
    while isinstance(place, dict | list) and len(place) and (not path or rng.random() < 0.8):
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        path.append((place, keys[int(rng.integers(len(keys)))]))
        place = path[-1][0][path[-1][1]]
    parent, key = path[-1]
    label = "/".join(str(key) for _, key in path)
    if rng.random() < 0.2:
        del parent[key]
        label += " is missing"
    else:
        tensors = [torch.zeros(0), torch.full((3,), torch.nan), torch.zeros(2, 2, dtype=torch.int64)]
        chosen = int(rng.integers(6))
        parent[key] = tensors[chosen] if chosen < 3 else hostile_json(rng)
        label += f" is {parent[key]!r:.50}"
    if rng.random() < 0.1:
        state, label = HOSTILE_TEXTS[int(rng.integers(len(HOSTILE_TEXTS)))], "a text"
    file = io.BytesIO()
    torch.save(state, file)
    checkpoint.write_bytes(file.getvalue())
    return f"checkpoint.pt: {label}"
