"""Images of several data sets as the batches that a deep model is trained on, in all views."""

import dataclasses
from contextlib import nullcontext
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from toy import make_dataset

from foveal.errors import FovealError, FovealNote
from foveal.features.cache import FeatureCache
from foveal.gaze import Dataset, Fixations, Stimuli
from foveal.gaze.center_bias import CenterBiasKDE
from foveal.gaze.folds import held_out_images
from foveal.models.deep.foveal_s import FovealConfig, FovealS
from foveal.models.parts.sizes import Viewing
from foveal.progress import Progress
from foveal.training import Recipe
from foveal.training.losses import negative_log_likelihood
from foveal.training.runs.batch import Batch
from foveal.training.runs.examples import Examples, joinable, share_of
from foveal.training.runs.in_training import InTraining

pytestmark = [
    pytest.mark.filterwarnings("ignore:features of:foveal.errors.FovealNote"),
    pytest.mark.usefixtures("empty_cache"),
]
SMALL = dataclasses.asdict(FovealS.tiny) | {"width": 16, "hidden": 8}


def examples_of(model, *datasets, held_out=None, **views):
    """In the views of a recipe."""
    recipe = Recipe(("toy",), **views)
    return Examples(model, datasets, [held_out_images(data, held_out) for data in datasets], recipe.views, Progress())


def as_tensor(data, image):
    return torch.from_numpy(data.stimuli[image].image.copy()).permute(2, 0, 1)[None].float() / 255


def test_in_a_batch_each_image_has_the_loss_that_it_has_alone():
    """Of a step over images of two sizes, plain and mirrored."""
    datasets = [make_dataset(3), make_dataset(2, size=(80, 60), name="other")]
    model = FovealS(FovealConfig(**SMALL | {"dropout": 0.0}))
    in_training = InTraining(model, len(datasets))
    examples = examples_of(model, *datasets)
    steps = [step for seed in range(9) for step in examples.steps(8, torch.Generator().manual_seed(seed))]
    step = max(steps, key=len)
    assert len(step) == 4  # plain and mirrored images of both sizes
    step = [(dataclasses.replace(group, taught=group.densities + 1), rows) for group, rows in step]
    n_images = 0
    for parts in joinable(step):
        batch = Batch.joined([group.batch(rows) for group, rows in parts])
        assert len(parts) == 2
        together = negative_log_likelihood(in_training(batch), batch.observed)
        for number, (group, row) in enumerate((group, row) for group, rows in parts for row in rows):
            one = group.batch([row])
            alone = negative_log_likelihood(in_training(one), one.observed)
            torch.testing.assert_close(together[number : number + 1], alone, rtol=1e-4, atol=1e-4)
            torch.testing.assert_close(batch.taught[number : number + 1], one.taught)
            n_images += 1
    assert n_images == 5


@pytest.mark.parametrize("n_processes", [1, 2, 3])
@pytest.mark.parametrize("numbers", [(1,), (1, 1), (3, 2), (5, 1, 4), (2, 2, 2)])
def test_processes_share_a_batch(numbers, n_processes):
    """Each image is one process's, and none has two more than another."""
    parts = [(group, list(range(n))) for group, n in enumerate(numbers)]
    shares = [share_of(parts, process, n_processes) for process in range(n_processes)]
    images = [[(group, row) for group, rows in share for row in rows] for share in shares]
    assert sorted(image for own in images for image in own) == [(group, row) for group, rows in parts for row in rows]
    assert max(map(len, images)) - min(map(len, images)) <= 1


def test_images_of_other_sizes_data_sets_or_zooms_are_not_joined():
    datasets = [make_dataset(2), make_dataset(2, name="other"), make_dataset(2, size=(80, 60), name="third")]
    model = FovealS(FovealConfig(**SMALL))
    examples = examples_of(model, *datasets, zooms=(1.5,))
    batches = joinable([(group, [0]) for groups in examples.groups for group in groups])
    assert [[(group.dataset, group.viewing.zoom) for group, _ in parts] for parts in batches] == [
        [(number, zoom)] * 2 for zoom in (1.0, 1.5) for number in range(3)
    ]


def test_examples_are_mirrored_with_all_that_belongs_to_them():
    dataset = make_dataset(4)
    model = FovealS(FovealConfig(**SMALL))
    examples = examples_of(model, dataset)
    (plain,), (mirrored,) = examples.groups
    batch = mirrored.batch([2])
    image = torch.from_numpy(dataset.stimuli[2].image.copy()).permute(2, 0, 1)[None].float() / 255
    features = model.see(image.flip(3), Viewing(4.0))
    for layer, maps in features.items():
        torch.testing.assert_close(batch.seen[layer], maps, rtol=2e-3, atol=2e-3)
    torch.testing.assert_close(batch.observed.counts, plain.batch([2]).observed.counts.flip(2))
    assert batch.observed.density.sum().item() == pytest.approx(1, abs=1e-5)
    assert batch.log_prior.exp().sum().item() == pytest.approx(1, abs=1e-4)
    assert batch.observed.counts.sum() == len(dataset.fixations.for_image(2))


def test_views_at_other_zooms():
    """The network sees the image larger; prior, counts and the cells of the density stay what they are."""
    dataset = make_dataset(4)
    model = FovealS(FovealConfig(**SMALL))
    examples = examples_of(model, dataset, zooms=(1.5,))
    assert [group.viewing.zoom for (group,) in examples.groups] == [1.0, 1.0, 1.5, 1.5]
    plain, zoomed = examples.groups[0][0].batch([2]), examples.groups[2][0].batch([2])
    image = torch.from_numpy(dataset.stimuli[2].image.copy()).permute(2, 0, 1)[None].float() / 255
    for layer, maps in model.see(image, Viewing(4.0, 1.5)).items():
        torch.testing.assert_close(zoomed.seen[layer], maps, rtol=2e-3, atol=2e-3)
        assert layer not in plain.seen or maps.shape[3] >= plain.seen[layer].shape[3]
    torch.testing.assert_close(zoomed.observed.counts, plain.observed.counts)
    torch.testing.assert_close(zoomed.log_prior, plain.log_prior)
    steps = [step for seed in range(9) for step in examples.steps(2, torch.Generator().manual_seed(seed))]
    assert {group.viewing.zoom for step in steps for group, _ in step} == {1.0, 1.5}
    with torch.no_grad():
        saliency = model(zoomed.seen, zoomed.size, zoomed.viewing)
    assert saliency[:, 0].shape == plain.log_prior.shape


@pytest.mark.parametrize(("size", "zoom"), [((60, 80), 1.0), ((61, 83), 1.5)])
def test_views_of_a_part_of_the_image(size, zoom):
    """In turn of each corner: what is seen, where people looked in it, and what the center bias says of the part."""
    datasets = [make_dataset(2, size=(80, 60), name="other"), make_dataset(5, size=size)]
    model = FovealS(FovealConfig(**SMALL | {"working_area": 60_000}))
    examples = examples_of(model, *datasets, zooms=(zoom,), crops=(0.75,))
    (height, width), (h, w) = size, (round(0.75 * size[0]), round(0.75 * size[1]))
    *_, cropped, mirrored = [groups[1] for groups in examples.groups]
    assert (cropped.shown.size, mirrored.shown.size, cropped.viewing.zoom) == ((h, w), (h, w), zoom)
    corners = [(0, 0), (0, width - w), (height - h, 0), (height - h, width - w), (0, 0)]
    for number, (top, left) in enumerate(corners):
        batch, flipped = cropped.batch([number]), mirrored.batch([number])
        image = torch.from_numpy(datasets[1].stimuli[number].image[top : top + h, left : left + w].copy())
        image = image.permute(2, 0, 1)[None].float() / 255
        for seen, expected in ((batch, image), (flipped, image.flip(3))):
            for layer, maps in model.see(expected, Viewing(4.0, zoom)).items():
                torch.testing.assert_close(seen.seen[layer], maps, rtol=2e-3, atol=2e-3)
        here = datasets[1].fixations.for_image(number)
        x, y = here.pixel_x - left, here.pixel_y - top
        inside = (x >= 0) & (x < w) & (y >= 0) & (y < h)
        counts = torch.zeros_like(batch.observed.counts[0])
        rows, columns = counts.shape
        for row, column in zip((y + 0.5)[inside] * rows / h, (x + 0.5)[inside] * columns / w, strict=True):
            counts[int(row), int(column)] += 1
        torch.testing.assert_close(batch.observed.counts[0], counts, rtol=0, atol=0)
        torch.testing.assert_close(flipped.observed.counts[0], counts.flip(1), rtol=0, atol=0)
        # Of the whole density at the pixels, the part's, summed over its cells.
        whole = examples.densities[1].leave_one_image_out(datasets[1], number).exp()
        part = whole[top : top + h, left : left + w]
        summed = torch.nn.functional.adaptive_avg_pool2d(part[None], (rows, columns))[0]
        torch.testing.assert_close(batch.log_prior[0].exp(), summed / summed.sum(), rtol=0.1, atol=2e-5)
        torch.testing.assert_close(flipped.log_prior, batch.log_prior.flip(2))
    steps = [step for seed in range(9) for step in examples.steps(5, torch.Generator().manual_seed(seed))]
    assert any(group is cropped for step in steps for group, _ in step)


def test_parts_of_the_size_of_others_are_joined_with_them():
    """Images of 60x80, and parts of that size: in one batch, each is what it is alone."""
    small, large = make_dataset(2), make_dataset(2, size=(80, 107))
    sources = [stimulus.image for data in (small, large) for stimulus in data.stimuli]
    fixations = Fixations.of(
        [*small.fixations.image, *large.fixations.image + 2],
        [*small.fixations.x, *large.fixations.x],
        [*small.fixations.y, *large.fixations.y],
    )
    model = FovealS(FovealConfig(**SMALL | {"dropout": 0.0}))
    examples = examples_of(model, Dataset("toy", Stimuli(sources), fixations), mirrored=False, crops=(0.75,))
    (whole, _), (_, part) = examples.groups
    assert whole.shown.size == part.shown.size == (60, 80)
    (parts,) = joinable([(whole, [0, 1]), (part, [0, 1])])
    together = InTraining(model, 1)(Batch.joined([group.batch(rows) for group, rows in parts]))
    alone = [InTraining(model, 1)(group.batch([row])) for group in (whole, part) for row in (0, 1)]
    torch.testing.assert_close(together, torch.cat(alone), rtol=1e-4, atol=1e-4)


def test_an_image_is_not_shown_by_a_part_in_which_nobody_looked():
    """But whole, as large and as often mirrored as it would have been."""
    dataset = make_dataset(4)
    x = np.where(dataset.fixations.image == 1, 0.1, 1.0) * dataset.fixations.x  # at the left; the right is cut out
    dataset = dataclasses.replace(dataset, fixations=dataclasses.replace(dataset.fixations, x=x))
    examples = examples_of(FovealS(FovealConfig(**SMALL)), dataset, zooms=(1.5,), crops=(0.5,))
    groups = [group for (group,) in examples.groups]
    shown: dict[int, list[int]] = {0: [], 1: []}
    for seed in range(400):
        for step in examples.steps(4, torch.Generator().manual_seed(seed)):
            for group, rows in step:
                [view] = [number for number, other in enumerate(groups) if other is group]
                for row in shown.keys() & set(rows):
                    shown[row].append(view)
    assert np.bincount(shown[0], minlength=8) / 400 == pytest.approx(1 / 8, abs=0.05)
    assert np.bincount(shown[1], minlength=8)[:4] / 400 == pytest.approx(1 / 4, abs=0.07)


def test_features_are_kept_of_all_scales():
    """Those of the second scale are features of the network that sees the image by so much smaller, in every view."""
    dataset = make_dataset(4)
    model = FovealS(FovealConfig(**SMALL | {"scales": (1.0, 0.75)}))
    examples = examples_of(model, dataset, zooms=(1.5,))
    image = torch.from_numpy(dataset.stimuli[2].image.copy()).permute(2, 0, 1)[None].float() / 255
    for (group,), zoom in zip(examples.groups, (1.0, 1.0, 1.5, 1.5), strict=True):
        batch = group.batch([2])
        seen = image.flip(3) if group is examples.groups[1][0] or group is examples.groups[3][0] else image
        for layer, maps in model.see(seen, Viewing(4.0, zoom)).items():
            torch.testing.assert_close(batch.seen[layer], maps, rtol=2e-3, atol=2e-3)


def test_the_room_for_all_views_is_told_before_the_first(monkeypatch):
    """Once for all; and that there is too little, before anything is computed."""
    two_sizes = SMALL | {"relative": (1.0, 0.75), "absolute": (), "scales": (1.0,)}
    model, data = FovealS(FovealConfig(**two_sizes)), make_dataset(3)
    with pytest.warns(FovealNote) as notes:
        examples_of(model, data)
    assert ["features of 12 images (in all views and scales) will take" in str(note.message) for note in notes] == [
        True
    ]
    examples_of(model, data)  # now there is nothing to be told
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=1000))
    monkeypatch.setattr(FeatureCache, "groups", lambda *_, **__: pytest.fail("computed"))
    with pytest.raises(FovealError, match=r"MB of features, but 0\.00 GB are free"):
        examples_of(model, data, zooms=(1.5,))


def test_held_out_images_have_no_part_in_anything():
    dataset = make_dataset(12)
    model = FovealS(FovealConfig(**SMALL))
    examples = examples_of(model, dataset, held_out=1)
    assert [example.row for example in examples.held_out] == [1, 11]
    seen = {row for step in examples.steps(3, torch.Generator().manual_seed(0)) for _, rows in step for row in rows}
    assert seen == set(range(12)) - {1, 11}
    expected = CenterBiasKDE.fit(dataset.select([n for n in range(12) if n not in (1, 11)]))
    torch.testing.assert_close(examples.densities[0].counts, expected.counts)
    ((group, rows),) = examples.judged(8)
    assert rows == [1, 11]
    shape = tuple(group.log_priors.shape[1:])
    torch.testing.assert_close(group.log_priors[1], expected.log_density(shape).float(), rtol=1e-4, atol=1e-4)


def test_sizes_in_degrees_go_with_the_scale_of_the_data_set():
    """Unless the scale is said not to be known; images of one size need one scale."""
    near, far = make_dataset(3, pixels_per_degree=2.0), make_dataset(3, name="far", pixels_per_degree=4.0)
    model = FovealS(FovealConfig(**SMALL))
    (groups,) = examples_of(model, near, far, mirrored=False).groups
    assert [group.viewing.pixels_per_degree for group in groups] == [2, 4]
    (groups,) = examples_of(model, near, far, mirrored=False, viewing_distance="assumed").groups
    assert [group.viewing.pixels_per_degree for group in groups] == [None, None]
    seen = groups[0].batch([0]).seen
    torch.testing.assert_close(seen["block2@1"], model.see(as_tensor(near, 0))["block2@1"], rtol=2e-3, atol=2e-3)
    several = Stimuli([stimulus.image for stimulus in near.stimuli], pixels_per_degree=[2.0, 2.0, 3.0])
    with pytest.raises(FovealError, match="toy: images of one size have several pixels per degree; say"):
        examples_of(model, dataclasses.replace(near, stimuli=several))


def test_only_features_are_computed_in_the_precision_of_the_training():
    """Center biases and fixations stay in float32; features of one precision are not taken for another's."""
    data, model = make_dataset(4), FovealS(FovealConfig(**SMALL))
    in_16_bits = partial(torch.autocast, "cpu", torch.bfloat16)
    both = [
        Examples(model, [data], [held_out_images(data, None)], Recipe(("toy",)).views, Progress(), autocast=autocast)
        for autocast in (nullcontext, in_16_bits)
    ]
    plain, rounded = (examples.groups[0][0] for examples in both)
    for name in ("log_priors", "counts", "densities"):
        torch.testing.assert_close(getattr(rounded, name), getattr(plain, name), rtol=0, atol=0)
    expected, found = (group.batch([0]).seen["block4"] for group in (plain, rounded))
    assert 0 < (found - expected).abs().max() < 0.05 * expected.abs().max()


def test_taps_are_standardised():
    model = FovealS(FovealConfig(**SMALL | {"absolute": ()}))
    examples = examples_of(model, make_dataset(6))
    (step,) = examples.steps(6, torch.Generator().manual_seed(0))
    model.begin_from(group.batch(rows).seen for group, rows in step)
    for name, tap in model.taps.items():
        values = [model.all_features(group.batch(rows).seen)[name] for group, rows in step]
        flat = torch.cat([maps.movedim(1, 0).flatten(1) for maps in values], dim=1)
        standardised = (flat - tap.mean[:, None]) / tap.std[:, None]
        assert standardised.mean().abs() < 1e-2
        responding = tap.std > 3e-4  # in a random network the upper layers hardly do
        assert ((standardised.std(dim=1) - 1).abs() * responding).max() < 0.05
