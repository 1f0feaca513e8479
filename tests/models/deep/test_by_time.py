"""Numbers and center bias as functions of time: between times, in a file, in a copy of a network."""

import numpy as np
import pytest
import torch
from toy import make_dataset, make_photograph

import foveal
from foveal.errors import FovealError
from foveal.models import load_model, save_model
from foveal.models.deep.by_time import LOG_PRIOR, ByTime, published
from foveal.models.deep.foveal_s import FovealS

TIMES = torch.tensor([125.0, 375.0, 1000.0])


def made(times=TIMES, seed=0):
    generator = torch.Generator().manual_seed(seed)
    shapes = {"log_sharpness": (), "prior_weight": (), "log_sigma": (), LOG_PRIOR: (64, 64)}
    return ByTime(times, {name: torch.randn(len(times), *size, generator=generator) for name, size in shapes.items()})


@pytest.fixture
def network():
    torch.manual_seed(0)
    return FovealS(FovealS.tiny).eval()


def test_at_the_known_times_and_between():
    by_time = made()
    for name, values in by_time.changes.items():
        for number, time in enumerate(TIMES.tolist()):
            torch.testing.assert_close(by_time.at(time)[name], values[number])
        torch.testing.assert_close(by_time.at(250)[name], (values[0] + values[1]) / 2)
        torch.testing.assert_close(by_time.at(500)[name], 0.8 * values[1] + 0.2 * values[2])
        torch.testing.assert_close(by_time.at(0)[name], values[0])
        torch.testing.assert_close(by_time.at(9000)[name], values[2])


def test_the_mean_of_studies_is_of_those_that_reach_a_time():
    short, long = made(TIMES[:2]), made(TIMES, seed=1)
    mean = ByTime.mean([short, long])
    assert mean.times.tolist() == TIMES.tolist()
    for name, values in mean.changes.items():
        torch.testing.assert_close(values[:2], (short.changes[name] + long.changes[name][:2]) / 2)
        torch.testing.assert_close(values[2], long.changes[name][2])


def test_a_copy_of_a_network_moves_by_the_changes(network):
    by_time, before = made(), {name: tensor.clone() for name, tensor in network.state_dict().items()}
    other = by_time.moved(network, 375)
    for name, number in network.numbers().items():  # of which it says nothing, a number stays
        torch.testing.assert_close(other.numbers()[name], number + by_time.changes.get(name, torch.zeros(3))[1])
    torch.testing.assert_close(other.log_prior, network.log_prior + by_time.changes[LOG_PRIOR][1])
    moved = {name for name, tensor in other.state_dict().items() if not torch.equal(tensor, before[name])}
    assert moved == {"temperature", "prior_weight", "log_sigma", "log_prior"}
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def test_a_file_holds_it(tmp_path):
    by_time = made()
    by_time.save(tmp_path / "a.safetensors", "a command")
    read = ByTime.read((tmp_path / "a.safetensors").read_bytes())
    assert read.times.tolist() == TIMES.tolist()
    for name, values in by_time.changes.items():
        torch.testing.assert_close(read.changes[name], values, atol=2e-3 if name == LOG_PRIOR else 0, rtol=0)


def test_what_comes_with_the_package(network, tmp_path):
    """The center counts most at first, and people agree most; a model at a time is a model like any other."""
    by_time, data = published("foveal-s"), make_dataset(3)
    for name in ("prior_weight", "log_sharpness"):
        assert by_time.at(0)[name] > by_time.at(500)[name] > by_time.at(1500)[name]
    early = network.at(0)
    assert np.logaddexp.reduce(early.predict(make_photograph()).log_density.ravel()) == pytest.approx(0, abs=1e-4)
    assert not torch.equal(early.log_prior, network.log_prior)
    save_model(early, tmp_path / "early.safetensors")
    again = load_model(tmp_path / "early.safetensors")
    values = [foveal.evaluate([model], data, ["LL"]).value[0] for model in (early, again)]
    assert values[0] == pytest.approx(values[1], abs=1e-3)


@pytest.mark.parametrize("time", [-1, float("nan"), True])
def test_what_is_no_time(network, time):
    with pytest.raises(FovealError, match=r"time in ms: a number") as raised:
        network.at(time)
    assert len(str(raised.value).splitlines()) == 1


@pytest.mark.parametrize("name", ["foveal-l", "bms", "centerbias"])
def test_other_models_do_not_say_it(name):
    with pytest.raises(FovealError, match=f"^{name} does not say what is seen when; foveal-s does$"):
        load_model(name).at(500)
