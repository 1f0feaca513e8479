"""Training a deep model by a recipe: what is learned, what is kept, what a resumed run gives."""

import csv
import dataclasses
import math

import h5py
import numpy as np
import pytest
import torch
from accelerate import PartialState
from accelerate.state import AcceleratorState
from toy import make_dataset, write_palette_without_colors

from foveal.datasets.folder import save_dataset
from foveal.errors import FovealError
from foveal.gaze.center_bias import CenterBiasKDE
from foveal.gaze.folds import held_out_images
from foveal.models import load_model
from foveal.models.backbones.backbone import Backbone
from foveal.models.deep.foveal_s import FovealConfig, FovealS
from foveal.models.parts.finalizer import resize_log_density
from foveal.models.parts.precision import computes_in_bfloat16
from foveal.progress import Progress
from foveal.training import Phase, Recipe
from foveal.training.runs.held_out import file_of_held_out
from foveal.training.runs.in_training import InTraining, running_mean
from foveal.training.runs.one_run import DeepTraining, train_deep
from foveal.training.runs.run import Run
from foveal.training.runs.steps import Supervised
from foveal.training.runs.tree import cross_validate, train_by_recipe

pytestmark = [
    pytest.mark.filterwarnings("ignore:features of:foveal.errors.FovealNote"),
    pytest.mark.usefixtures("empty_cache"),
]
SMALL = dataclasses.asdict(FovealS.tiny) | {"width": 16, "hidden": 8}


def recipe_of(**changes):
    phases = (Phase(2, 1e-2), Phase(1, 1e-3, 1e-3))
    return dataclasses.replace(
        Recipe(("toy",), config=SMALL, held_out=0, phases=phases, batch_size=4, average=0.5), **changes
    )


def run(recipe, datasets, out, resume=False, progress=None):
    return train_deep(recipe, datasets, out, resume=resume, progress=Progress.of(progress))


def test_it_learns_and_keeps_what_it_did(tmp_path):
    datasets = [make_dataset(12), make_dataset(6, size=(80, 60), name="other")]
    done = run(recipe_of(phases=(Phase(12, 1e-2),)), datasets, tmp_path)
    assert len(done.log) == 12
    assert done.log[-1]["loss"] < done.log[0]["loss"] - 0.1
    with (tmp_path / "log.csv").open() as file:
        assert [float(row["IG"]) for row in csv.DictReader(file)] == [row["IG"] for row in done.log]
    assert (tmp_path / "curve.png").stat().st_size > 5_000
    assert Recipe.read(tmp_path / "recipe.toml") == recipe_of(phases=(Phase(12, 1e-2),), loss="log-likelihood")
    model = load_model(done.path)
    assert model.config == FovealConfig(**SMALL)
    prediction = model.predict(datasets[0].stimuli[0].image)
    assert np.exp(prediction.log_density.astype(np.float64)).sum() == pytest.approx(1, abs=1e-4)


@pytest.mark.usefixtures("as_users_run_it")
@pytest.mark.parametrize("changes", [{}, {"optimizer": "sgd", "schedule": "constant", "crops": (0.5,)}])
def test_a_resumed_run_gives_the_same_weights(tmp_path, changes):
    """Stopped three times, in the middle of either phase and between; with dropout, a mean and mirrored images."""
    recipe = recipe_of(phases=(Phase(2, 1e-2), Phase(2, 1e-3, 1e-3)), batch_size=2, **changes)
    dataset = make_dataset(8)
    whole = load_model(run(recipe, [dataset], tmp_path / "whole").path).state_dict()
    out = tmp_path / "stopped"
    for stop_at in (1, 2, 3):

        def stop(what, done, total, epoch=stop_at):
            if what == f"epoch {epoch + 1}/4" and done == 1:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            run(recipe, [dataset], out, resume=stop_at > 1, progress=stop)
        assert not (out / "foveal-s.safetensors").exists()
    resumed = load_model(run(recipe, [dataset], out, resume=True).path).state_dict()
    for name, tensor in whole.items():
        torch.testing.assert_close(resumed[name], tensor, rtol=0, atol=0, msg=name)


def test_a_checkpoint_that_is_not_of_this_run(tmp_path):
    """Of another recipe, other images, other fixations on the same images, or damaged."""
    dataset = make_dataset(6)
    run(recipe_of(), [dataset], tmp_path)
    x = dataset.fixations.x[::-1].copy()
    looked_elsewhere = dataclasses.replace(dataset, fixations=dataclasses.replace(dataset.fixations, x=x))
    for recipe, data in (
        (recipe_of(seed=1), dataset),
        (recipe_of(), make_dataset(7)),
        (recipe_of(), looked_elsewhere),
    ):
        with pytest.raises(FovealError, match="of another recipe or other images"):
            run(recipe, [data], tmp_path, resume=True)
    checkpoint = tmp_path / "checkpoint.pt"
    for damaged in (checkpoint.read_bytes()[:1000], b"junk", b""):
        checkpoint.write_bytes(damaged)
        with pytest.raises(FovealError, match=r"checkpoint.pt: no checkpoint \("):
            run(recipe_of(), [dataset], tmp_path, resume=True)


@pytest.mark.parametrize(("optimizer", "schedule"), [("adamw", "cosine"), ("sgd", "cosine"), ("adamw", "constant")])
def test_steps_are_those_of_the_optimizer_and_its_schedule(tmp_path, monkeypatch, optimizer, schedule):
    """Of gradients that are all one: by how much a weight without decay moves, from the published formulas."""
    weights = []

    def loss_of(step, batch):
        return sum(p.sum() for p in step.run.model.parameters()) * len(batch.log_prior)

    monkeypatch.setattr(Supervised, "loss_of", loss_of)
    monkeypatch.setattr(Run, "save", lambda run, _: weights.append(run.model.numbers["log_sigma"].item()))
    rate, epochs = 0.01, 4  # of one step each
    recipe = recipe_of(phases=(Phase(epochs, rate),), batch_size=8, optimizer=optimizer, schedule=schedule)
    run(recipe, [make_dataset(6)], tmp_path)
    weight, momentum, expected = FovealS(FovealConfig(**SMALL)).log_sigma.item(), 0.0, []
    for step in range(epochs):
        now = rate * (1 if schedule == "constant" else (1 + math.cos(math.pi * step / epochs)) / 2)
        momentum = 0.9 * momentum + 1  # of SGD; to Adam, gradients that do not change are one
        weight -= now * (momentum if optimizer == "sgd" else 1)
        expected.append(weight)
    assert weights == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_only_matrices_decay(tmp_path, monkeypatch, optimizer):
    """With a decay that is all there is, weights of features shrink; biases, the blur and the prior stay."""
    states = []
    monkeypatch.setattr(
        Run, "save", lambda run, _: states.append({k: v.clone() for k, v in run.model.state_dict().items()})
    )
    monkeypatch.setattr(Supervised, "loss_of", lambda step, _: sum(p.sum() * 0 for p in step.run.model.parameters()))
    recipe = recipe_of(phases=(Phase(2, 1e-2),), weight_decay=0.5, optimizer=optimizer)
    run(recipe, [make_dataset(6)], tmp_path)
    before, after = states
    for name, _ in InTraining(FovealS(FovealConfig(**SMALL)), 1).named_parameters():
        shrinks = before[name].ndim > 1 and name.startswith("model.") and ".backbone." not in name
        assert (after[name].norm() < before[name].norm()) == shrinks, name


def test_what_a_run_says_of_held_out_images(tmp_path):
    """Information gain and AUC of the density, as they follow from one image after the other."""
    data = make_dataset(12)
    row = run(recipe_of(phases=(Phase(2, 1e-2),)), [data], tmp_path).log[-1]
    areas, gains = [], []
    unseen = held_out_images(data, 0)
    prior = CenterBiasKDE.fit(data.select(np.setdiff1d(np.arange(len(data)), unseen)))
    with h5py.File(tmp_path / "held_out/toy.hdf5") as file:
        for image in unseen:
            log_density = np.asarray(file[data.stimuli.ids[image]])
            here = data.fixations.for_image(image)
            cell = data.stimuli.sizes[image] / log_density.shape
            at = ((here.pixel_y + 0.5) / cell[0]).astype(int), ((here.pixel_x + 0.5) / cell[1]).astype(int)
            at_fixations = log_density[at]
            below = [(log_density < v).mean() + (log_density == v).mean() / 2 for v in at_fixations]
            areas.append(np.mean(below))
            gains.append((at_fixations - prior.log_density(log_density.shape).numpy()[at]).mean() / np.log(2))
    assert row["AUC"] == pytest.approx(np.mean(areas), abs=1e-3)
    assert 0.5 < row["AUC"] < 1
    assert row["IG"] == pytest.approx(np.mean(gains), abs=1e-3)


@pytest.mark.parametrize("first", ["", "block5", "block4", "block1", "stem"])
def test_only_what_is_to_be_trained_changes(tmp_path, first):
    """From no layer of the network to all of them; a phase that leaves it as it is before one that does not."""
    before = Backbone("efficientnet_lite_tiny", until="block5")
    recipe = recipe_of(config=SMALL | {"first_trained": first}, phases=(Phase(1, 1e-2), Phase(1, 1e-3, 1e-3)))
    done = run(recipe, [make_dataset(4)], tmp_path)
    after = load_model(done.path).backbone
    old, new = before.state_dict(), after.state_dict()
    changed = {name.split(".")[1] for name in new if not torch.equal(old[name].half(), new[name].half())}
    assert changed == (set(after.layers[after.layers.index(first) :]) if first else set())


def test_kept_features_of_trained_layers_serve_until_they_are_trained(tmp_path):
    """The readout alone learns the same whether the upper layers' features are read or computed."""
    dataset = make_dataset(8)
    logs = [
        run(recipe_of(phases=phases), [dataset], tmp_path / str(number)).log
        for number, phases in enumerate([(Phase(3, 1e-2),), (Phase(3, 1e-2, 1e-12),)])
    ]
    for read, computed in zip(*logs, strict=True):
        assert read["loss"] == pytest.approx(computed["loss"], abs=2e-3)


def test_the_running_mean_is_short_at_first():
    weight, mean = torch.tensor([1.0]), torch.tensor([0.0])
    update = running_mean(0.5)
    update([mean], [weight], torch.tensor(1))  # the first is copied by AveragedModel itself
    assert mean.item() == pytest.approx(1 - 2 / 11)
    for _ in range(30):
        update([mean], [torch.tensor([3.0])], torch.tensor(1000))
    assert mean.item() == pytest.approx(3.0)


def test_each_data_set_has_its_own_sharpness_and_weight_of_the_centre_bias(tmp_path, monkeypatch):
    """Of two data sets, in one of which people looked where others did, in the other anywhere."""
    weights, sharpness = {}, {}

    def spy(run, _):
        weights["of"], sharpness["of"] = (
            run.averaged.numbers[name].tolist() for name in ("prior_weight", "log_sharpness")
        )

    monkeypatch.setattr(Run, "save", spy)
    central, uniform = make_dataset(12), make_dataset(12, name="other")
    generator = np.random.default_rng(0)
    n = len(uniform.fixations)
    x, y = generator.uniform(0, 79, n), generator.uniform(0, 59, n)
    uniform = dataclasses.replace(uniform, fixations=dataclasses.replace(uniform.fixations, x=x, y=y))
    done = run(recipe_of(phases=(Phase(6, 3e-2),), held_out=None), [central, uniform], tmp_path)
    assert weights["of"][0] != weights["of"][1]
    assert sharpness["of"][0] > sharpness["of"][1]  # nothing is to be seen where people looked anywhere
    assert load_model(done.path).prior_weight.item() == pytest.approx(np.mean(weights["of"]), abs=1e-6)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"first_trained": "block99"}, "no layer 'block99'"),
        ({"taps": ("block6", "block77"), "channels": (48, 88)}, "no layer 'block77'"),
        ({"channels": (48, 88)}, r"channels: \[48, 88\] \(the taps have \[48, 88, 120, 208, 208\]\)"),
        ({"backbone": "lenet"}, "no backbone 'lenet'"),
        ({"scales": (1.0, 0.0)}, r"scales: \[1.0, 0.0\] \(needs"),
        ({"dropout": 2.0}, "dropout: 2.0"),
        ({"working_area": 3}, "working_area: 3 .needs a whole number from 4096 on"),
        ({"taps": ()}, r"taps: \[\]"),
        ({"widht": 3}, r"unknown: widht \(did you mean width\?"),
    ],
)
def test_a_configuration_that_cannot_be(tmp_path, config, message):
    with pytest.raises(FovealError, match=message):
        run(recipe_of(config=config), [make_dataset(4)], tmp_path)


def test_data_sets_that_cannot_be(tmp_path):
    with pytest.raises(FovealError, match="the same name"):
        run(recipe_of(), [make_dataset(4), make_dataset(4)], tmp_path)
    with pytest.raises(FovealError, match="toy: fewer images than folds"):
        cross_validate(recipe_of(held_out=None), [make_dataset(4)], tmp_path, resume=False, progress=Progress())


def test_runs_of_different_precision_in_one_process(tmp_path):
    losses = [
        run(recipe_of(precision=precision), [make_dataset(4)], tmp_path / precision).log[0]["loss"]
        for precision in ("no", "bf16", "auto")
    ]
    assert losses[0] == pytest.approx(losses[1], rel=0.02)
    assert losses[0] != losses[1]
    assert losses[2] == losses[computes_in_bfloat16()]


def test_a_recipe_finishes_the_model(tmp_path):
    recipe = recipe_of(phases=(Phase(1, 1e-2),), temperature=1.25, prior_weight=0.9)
    data = [make_dataset(4)]
    model = load_model(run(recipe, data, tmp_path).path)
    assert (model.temperature.item(), model.prior_weight.item()) == pytest.approx((1.25, 0.9))
    # Its training is over: only what it is given at the end changes.
    smaller = load_model(
        run(dataclasses.replace(recipe, seen_at={"relative": (1.0, 0.5)}), data, tmp_path, resume=True).path
    )
    assert smaller.config == dataclasses.replace(model.config, relative=(1.0, 0.5), absolute=())
    assert smaller.state_dict()["readout.0.weight"].equal(model.state_dict()["readout.0.weight"])
    assert smaller.size_weights.tolist() == [0.0, 0.0]


def test_a_photograph_that_cannot_be_read_is_left_out(tmp_path, monkeypatch):
    trained = []

    def instead(recipe, datasets, out, **_):
        trained.extend(datasets)
        return DeepTraining(out, [], datasets[0].problems)

    monkeypatch.setattr("foveal.training.runs.tree.train_deep", instead)
    save_dataset(make_dataset(4), tmp_path / "study")
    write_palette_without_colors(tmp_path / "study/images/1.png", (60, 80))
    done = train_by_recipe(recipe_of(datasets=(str(tmp_path / "study"),)), out=tmp_path / "run")
    assert [data.stimuli.ids for data in trained] == [("0.png", "2.png", "3.png")]
    assert len(done.problems) == 1
    assert "1.png: the image cannot be read (it has no palette" in done.problems[0]


def test_cross_validation(tmp_path, monkeypatch):
    """Every image is predicted by the run that did not see it; what is done is not done again; a stop is made good."""
    monkeypatch.setattr("foveal.gaze.folds.FOLDS", 3)
    recipe = recipe_of(phases=(Phase(1, 1e-2),), held_out=None)
    data = make_dataset(7)
    paths = cross_validate(recipe, [data], tmp_path, resume=False, progress=Progress())
    with h5py.File(paths["toy"]) as file:
        assert sorted(file) == sorted(data.stimuli.ids)
        together = {name: np.asarray(file[name]) for name in data.stimuli.ids}
    for fold in range(3):
        with h5py.File(tmp_path / f"folds/{fold}/held_out/toy.hdf5") as file:
            assert sorted(file) == sorted(data.stimuli.ids[fold::3])
        model = load_model(tmp_path / f"folds/{fold}/foveal-s.safetensors")
        for name, image in zip(data.stimuli.ids[fold::3], range(fold, 7, 3), strict=True):
            assert np.exp(together[name]).sum() == pytest.approx(1, abs=1e-4)
            predicted = model.predict(data.stimuli[image].image, 4.0).log_density
            expected = resize_log_density(torch.from_numpy(together[name])[None], predicted.shape)[0].numpy()
            assert np.abs(np.exp(predicted - expected) - 1).mean() < 0.02  # which differ in how the prior is resampled
    (tmp_path / "folds/1/recipe.toml").unlink()  # as if it had been stopped
    seen = []
    cross_validate(recipe, [data], tmp_path, resume=True, progress=Progress(lambda what, *_: seen.append(what)))
    assert seen
    assert all(what.startswith("fold 2/3") for what in seen)
    with pytest.raises(FovealError, match="of another recipe or other images"):
        cross_validate(recipe, [make_dataset(9)], tmp_path, resume=True, progress=Progress())


def test_patience(tmp_path, monkeypatch):
    monkeypatch.setattr(Run, "judge", lambda _: {"IG": 0.5})  # never rises
    done = run(recipe_of(phases=(Phase(9, 1e-3), Phase(9, 1e-3)), patience=2), [make_dataset(6)], tmp_path / "never")
    assert [row["phase"] for row in done.log] == [1, 1, 1, 2, 2, 2]  # each phase has its own


def test_a_patient_run_keeps_its_best_epoch(tmp_path, monkeypatch):
    """Whether it was stopped or not."""
    gains = iter([0.1, 0.9, 0.2, 0.3, 0.1, 0.9, 0.2, 0.3])
    states = []

    def judge(run):
        states.append({name: tensor.clone() for name, tensor in run.averaged.model.state_dict().items()})
        return {"IG": next(gains)}

    monkeypatch.setattr(Run, "judge", judge)
    recipe = recipe_of(phases=(Phase(1, 1e-2), Phase(9, 1e-2, 1e-3)), patience=2)
    for name, stop_at in (("whole", None), ("stopped", 3)):

        def stop(what, done, total, epoch=stop_at):
            if what == f"epoch {epoch}/10" and done == 1:
                raise KeyboardInterrupt

        states.clear()
        if stop_at is not None:
            with pytest.raises(KeyboardInterrupt):
                run(recipe, [make_dataset(6)], tmp_path / name, progress=stop)
        done = run(recipe, [make_dataset(6)], tmp_path / name, resume=True)
        assert len(done.log) == 4
        kept = load_model(done.path).backbone.state_dict()
        for key, tensor in kept.items():
            torch.testing.assert_close(tensor, states[1][f"backbone.{key}"], rtol=1e-3, atol=1e-3)
        moved = [
            key for key, tensor in kept.items() if not torch.equal(states[3][f"backbone.{key}"].half(), tensor.half())
        ]
        assert moved


def test_a_run_that_is_done_is_left_as_it_is(tmp_path):
    """But for the two numbers that its model gets in the end, if the recipe says others now."""
    data, recipe = [make_dataset(4)], recipe_of(phases=(Phase(1, 1e-2),), temperature=1.25)
    done = run(recipe, data, tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert run(recipe, data, tmp_path, resume=True) == done
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
    again = run(dataclasses.replace(recipe, temperature=1.5), data, tmp_path, resume=True)
    assert again.log == done.log
    assert load_model(again.path).temperature == 1.5


def test_what_is_hopeless_is_said_at_once(tmp_path):
    with pytest.raises(FovealError, match="fp16 needs a GPU"):
        run(recipe_of(precision="fp16"), [make_dataset(4)], tmp_path)
    with pytest.raises(FovealError, match=r"epoch 1: the loss is .*smaller learning_rate"):
        run(recipe_of(phases=(Phase(3, 1e30),)), [make_dataset(12)], tmp_path)
    assert not (tmp_path / "checkpoint.pt").exists()


def test_a_run_is_not_begun_again_by_mistake(tmp_path):
    data = [make_dataset(4)]
    run(recipe_of(phases=(Phase(1, 1e-2),)), data, tmp_path)
    with pytest.raises(FovealError, match="holds a run already; go on with --resume"):
        run(recipe_of(phases=(Phase(1, 1e-2),)), data, tmp_path)


def test_without_held_out_images_there_is_no_gain(tmp_path):
    done = run(recipe_of(phases=(Phase(2, 1e-2),), held_out=None), [make_dataset(4)], tmp_path)
    assert list(done.log[0]) == ["epoch", "phase", "loss", "seconds"]
    assert (tmp_path / "curve.png").is_file()
    with pytest.raises(FovealError, match="no image in fold 9"):
        run(recipe_of(held_out=9), [make_dataset(4)], tmp_path / "none")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU on this machine")
def test_gpu_trains_as_the_cpu_does(tmp_path, monkeypatch):
    """Features computed there, both phases; without dropout, which each draws in its own way."""
    recipe = recipe_of(config={**SMALL, "dropout": 0.0})
    on_gpu = run(recipe, [make_dataset(12)], tmp_path / "gpu")
    assert AcceleratorState().device.type == "cuda"
    PartialState._reset_state()  # which keeps its device as long as the process lives
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    on_cpu = run(recipe, [make_dataset(12)], tmp_path / "cpu")
    assert AcceleratorState().device.type == "cpu"
    PartialState._reset_state()
    for one, other in zip(on_gpu.log, on_cpu.log, strict=True):
        assert one["loss"] == pytest.approx(other["loss"], abs=0.01)
    image = make_dataset(12).stimuli[0].image
    densities = [load_model(done.path).predict(image).log_density for done in (on_gpu, on_cpu)]
    np.testing.assert_allclose(*densities, atol=0.05)


def test_densities_of_held_out_images_stay_in_their_folder(tmp_path):
    assert file_of_held_out(tmp_path, "toy") == tmp_path / "held_out/toy.hdf5"
    assert file_of_held_out(tmp_path, "../../x").resolve().parent == tmp_path.resolve() / "held_out"
