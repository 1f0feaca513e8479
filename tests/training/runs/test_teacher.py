"""Learning from models that were trained before."""

from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from toy import make_dataset

from foveal.errors import FovealError
from foveal.models import load_model
from foveal.models.deep.foveal_s import FovealS
from foveal.progress import Progress
from foveal.training import Phase, Recipe, train_by_recipe
from foveal.training.recipe import Mixture, read_recipe
from foveal.training.runs.held_out import read_maps
from foveal.training.runs.one_run import train_deep
from foveal.training.runs.prepare import prepare
from foveal.training.runs.run import Run
from foveal.training.runs.teacher import teach
from foveal.training.runs.tree import mixed

pytestmark = [
    pytest.mark.filterwarnings("ignore:features of:foveal.errors.FovealNote"),
    pytest.mark.usefixtures("two_folds_of_toy"),
]
SMALL = asdict(FovealS.tiny) | {"width": 16, "hidden": 8, "dropout": 0.0}
FINER = SMALL | {"working_area": 9_000}
MEMBER = Recipe(("toy",), config=SMALL, phases=(Phase(3, 3e-2),), batch_size=4, average=0.5)


@pytest.fixture
def teachers(tmp_path):
    """Two, of which one has a finer grid."""
    folders = []
    for name, config in (("one", SMALL), ("two", FINER)):
        recipe = replace(MEMBER, config=config, held_out=0)
        train_deep(recipe, [make_dataset(6)], tmp_path / name, resume=False, progress=Progress())
        folders.append(tmp_path / name)
    return folders


def student_run(n_images=6, **changes):
    recipe = replace(MEMBER, config=FINER, held_out=0, **changes)
    return prepare(recipe, [make_dataset(n_images)], recipe.views, Accelerator(cpu=True), Progress())


def test_what_is_taught_is_the_mean_of_the_teachers_densities(teachers):
    """In every view, on the student's cells; of the plain view of held-out images it is what the teachers wrote."""
    data, run = make_dataset(6), student_run(zooms=(1.5,), crops=(0.75,))
    teach(run, teachers, [data], Progress())
    assert len(run.examples.groups) == 8
    for (group,) in run.examples.groups:
        torch.testing.assert_close(group.taught.sum(dim=(1, 2)), torch.ones(6), rtol=1e-4, atol=1e-4)
        assert group.taught.shape == group.counts.shape
    written = [read_maps(folder / "held_out/toy.hdf5") for folder in teachers]
    for image in range(0, 6, 2):
        expected = mixed([maps[data.stimuli.ids[image]] for maps in written])
        taught = run.examples.groups[0][0].taught[image]
        np.testing.assert_allclose(taught.numpy(), np.exp(expected), rtol=2e-3, atol=1e-7)
    mirrored = run.examples.groups[1][0].taught
    assert not torch.allclose(mirrored, run.examples.groups[0][0].taught)


def test_a_teacher_that_saw_what_the_student_does_not_is_refused(tmp_path):
    data = make_dataset(6)
    train_deep(replace(MEMBER, held_out=1), [data], tmp_path / "one", resume=False, progress=Progress())
    with pytest.raises(FovealError, match="trained on other images than its student"):
        teach(student_run(), [tmp_path / "one"], [data], Progress())


def test_a_folder_of_another_run_is_refused_before_anything_is_trained(tmp_path):
    """The student's own, with and without --resume, and that of a fold."""
    members = {"one": MEMBER, "two": replace(MEMBER, seed=1)}
    recipe = replace(MEMBER, teacher=Mixture(members))
    for folder in ("student", "fold/folds/1"):
        train_deep(
            replace(MEMBER, seed=3, held_out=0), [make_dataset(6)], tmp_path / folder, resume=False, progress=Progress()
        )
        out = tmp_path / folder.split("/")[0]
        for resume, message in ((False, "holds a run already"), (True, "of another recipe")):
            with pytest.raises(FovealError, match=message):
                train_by_recipe(recipe, out=out, cross_validated=True, resume=resume)
        assert not (out / "teacher").exists()
    with pytest.raises(FovealError, match="leave held_out out of the recipe"):
        train_by_recipe(recipe.without_fold(0), out=tmp_path / "new", cross_validated=True)
    assert not (tmp_path / "new").exists()


def test_a_teacher_that_was_stopped_early_teaches_what_it_wrote(tmp_path, monkeypatch):
    """Stopped while its network was trained, and gone back to its best epoch."""
    gains = iter([0.1, 0.2, 0.5, 0.4, 0.3])
    monkeypatch.setattr(Run, "judge", lambda _: {"IG": next(gains)})
    phases = (Phase(2, 3e-2), Phase(6, 3e-2, 3e-3))
    recipe = replace(MEMBER, config=FINER, held_out=0, phases=phases, patience=2)
    data = make_dataset(6)
    train_deep(recipe, [data], tmp_path / "teacher", resume=False, progress=Progress())
    run = student_run()
    teach(run, [tmp_path / "teacher"], [data], Progress())
    written = read_maps(tmp_path / "teacher/held_out/toy.hdf5")
    for image in range(0, 6, 2):
        taught = run.examples.groups[0][0].taught[image].numpy()
        np.testing.assert_allclose(taught, np.exp(written[data.stimuli.ids[image]]), rtol=2e-3, atol=1e-7)


def test_a_student_of_its_teachers_alone_comes_near_to_them(tmp_path, teachers):
    """It never sees a fixation, and yet says of new images what they say; the more so the longer it learns."""
    data = [make_dataset(6)]
    taught = mixed_held_out(teachers)
    distances = []
    for epochs in (1, 12):
        recipe = replace(MEMBER, config=FINER, held_out=0, taught=1.0, phases=(Phase(epochs, 3e-2),), seed=5)
        out = tmp_path / str(epochs)
        train_deep(recipe, data, out, teachers=teachers, resume=False, progress=Progress())
        said = read_maps(out / "held_out/toy.hdf5")
        distances.append(np.mean([(np.exp(taught[name]) * (taught[name] - said[name])).sum() for name in taught]))
    assert distances[1] < distances[0] / 2


def mixed_held_out(folders):
    first, *others = (read_maps(folder / "held_out/toy.hdf5") for folder in folders)
    return {name: mixed([one, *(other[name] for other in others)]) for name, one in first.items()}


def test_one_recipe_for_a_student_and_its_teachers(tmp_path):
    """Written and read again; each fold's teachers have not seen the fold either; an interrupted run goes on."""
    config, short = SMALL | {"scales": (1.0, 0.75)}, replace(MEMBER, phases=(Phase(1, 3e-2),))
    for name, seed in (("one", 0), ("two", 1)):
        replace(short, seed=seed, config=config).write(tmp_path / f"{name}.toml")
    (tmp_path / "both.toml").write_text('members = ["one.toml", "two.toml"]\n')
    replace(short, taught=0.5).write(tmp_path / "student.toml")
    text = (tmp_path / "student.toml").read_text()
    (tmp_path / "student.toml").write_text('teacher = "both.toml"\n' + text)
    recipe = read_recipe(tmp_path / "student.toml")
    assert isinstance(recipe.teacher, Mixture)
    assert {name: member.seed for name, member in recipe.teacher.members.items()} == {"one": 0, "two": 1}
    out = tmp_path / "out"
    done = train_by_recipe(recipe, out=out, cross_validated=True)
    assert load_model(done.path).card.name == "foveal-s"
    assert load_model(out / "teacher/foveal-l.safetensors").card.name == "foveal-l"
    for fold in range(2):
        of_fold = Recipe.read(out / f"folds/{fold}/recipe.toml")
        assert of_fold.unfinished == recipe.without_fold(fold).unfinished
        for name in ("one", "two"):
            assert Recipe.read(out / f"teacher/{name}/folds/{fold}/recipe.toml").held_out == fold
    seen = []
    train_by_recipe(recipe, out=out, cross_validated=True, resume=True, progress=lambda what, *_: seen.append(what))
    assert not [what for what in seen if "fold" in what]


def test_what_is_wrong_about_a_student_is_said_before_its_teachers_are_trained(tmp_path):
    members = {"one": MEMBER, "two": replace(MEMBER, seed=1)}
    student = replace(MEMBER, teacher=Mixture(members), config=SMALL | {"first_trained": "block99"})
    with pytest.raises(FovealError, match="no layer 'block99'"):
        train_by_recipe(student, out=tmp_path / "out")
    members["two"] = replace(MEMBER, config={"backbone": "lenet"})
    with pytest.raises(FovealError, match="no backbone 'lenet'"):
        train_by_recipe(Mixture(members), out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_teacher_of_other_images_is_refused(tmp_path, teachers):
    with pytest.raises(FovealError, match="one: trained on other images than its student"):
        teach(student_run(7), teachers, [make_dataset(7)], Progress())
    mixture = Mixture({"one": replace(MEMBER, held_out=1), "two": replace(MEMBER, held_out=1)})
    with pytest.raises(FovealError, match=r"teacher: one of other datasets"):
        replace(MEMBER, held_out=0, teacher=mixture)
    with pytest.raises(FovealError, match=r"taught: 1\.5"):
        replace(MEMBER, taught=1.5)
