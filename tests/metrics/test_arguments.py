"""What metrics are given: every kind of numbers gives the number of its values, and what is none is one line."""

from copy import deepcopy

import numpy as np
import pytest
import torch

from foveal.discovery import import_all
from foveal.errors import FovealError, FovealNote
from foveal.gaze import Fixations
from foveal.metrics import (
    FixationBatch,
    auc,
    auc_borji,
    correlation,
    earth_movers_distance,
    explained_information,
    fixation_kullback_leibler,
    get_metrics,
    information_gain,
    information_gain_mit,
    list_metrics,
    log_likelihood,
    register_metric,
    shuffled_auc_mit,
)
from foveal.metrics.registry import _METRICS

ON_MAPS = [metric for metric in get_metrics("all") if metric.takes_map]
POINTS = FixationBatch.of([(60, 60), (3, 50), (20, 2)])
OTHERS = FixationBatch.of([(5, 5), (30, 30), (40, 10)])
LEVELS = torch.arange(64 * 64).reshape(1, 64, 64) // 16  # 0 … 255

pytestmark = pytest.mark.usefixtures("as_users_run_it")


def arguments(metric, maps):
    """What the metric needs beside the map; other maps are of the same kind."""
    given = {"fixations": POINTS, "nonfixations": OTHERS, "ten_others": OTHERS}
    mirrored = maps[:, ::-1] if isinstance(maps, np.ndarray) else maps.flip(1)
    return [given.get(need, mirrored) for need in metric.needs]


def test_maps_of_eight_bits_have_the_scores_of_their_values():
    """Each of these was computed as eight bits: 0, and 29 where nothing but the fraction was lost."""
    maps = LEVELS.to(torch.uint8)
    assert auc(maps, POINTS).item() == pytest.approx(0.5905, abs=5e-5)
    assert auc_borji(maps, POINTS).item() == pytest.approx(0.6000, abs=5e-5)
    assert shuffled_auc_mit(maps, POINTS, OTHERS).item() == pytest.approx(0.7222, abs=5e-5)
    assert information_gain_mit(maps, POINTS, torch.ones_like(maps)).item() == pytest.approx(-0.7482, abs=5e-5)
    assert earth_movers_distance(maps, maps.flip(2)).item() == pytest.approx(0.0080, abs=5e-5)
    assert fixation_kullback_leibler(maps, POINTS, OTHERS).item() == pytest.approx(29.9687, abs=5e-5)


KINDS = {
    "bool": lambda maps: maps > 100,
    "uint8": lambda maps: maps.to(torch.uint8),
    "uint16": lambda maps: maps.to(torch.uint16),
    "int16": lambda maps: (maps - 100).to(torch.int16),
    "int32": lambda maps: maps.to(torch.int32),
    "int64": lambda maps: maps - 100,
    "int64, more than float32 holds": lambda maps: 2**30 + maps,
    "float16": lambda maps: (maps / 255).to(torch.float16),
    "bfloat16": lambda maps: (maps / 255).to(torch.bfloat16),
    "float32": lambda maps: (maps / 255).float(),
    "NumPy bool": lambda maps: maps.numpy() > 100,
    "NumPy uint8": lambda maps: maps.numpy().astype(np.uint8),
    "NumPy uint32": lambda maps: maps.numpy().astype(np.uint32),
    "NumPy int64": lambda maps: maps.numpy() - 100,
    "NumPy float16": lambda maps: (maps.numpy() / 255).astype(np.float16),
    "NumPy float32": lambda maps: (maps.numpy() / 255).astype(np.float32),
    "NumPy float64": lambda maps: maps.numpy() / 255,
    "NumPy, bytes the other way": lambda maps: maps.numpy().astype(">f4"),
    "NumPy, not to be written to": lambda maps: np.broadcast_to(maps.numpy().astype(np.float32)[0], (1, 64, 64)),
    "list": lambda maps: maps.tolist(),
}


@pytest.mark.parametrize("metric", ON_MAPS, ids=lambda metric: metric.name)
def test_every_kind_of_numbers_gives_what_its_values_give(metric):
    for kind, of_kind in KINDS.items():
        maps = of_kind(LEVELS)
        values = maps.double() if isinstance(maps, torch.Tensor) else torch.from_numpy(np.array(maps, np.float64))
        result = metric.function(maps, *arguments(metric, values if isinstance(maps, list) else maps))
        expected = metric.function(values, *arguments(metric, values))
        assert result.dtype in (torch.float32, torch.float64)
        torch.testing.assert_close(
            result.double(), expected, atol=2e-4, rtol=2e-5, msg=lambda text, k=kind: f"{k}: {text}"
        )
        unchanged = maps.double() if isinstance(maps, torch.Tensor) else torch.from_numpy(np.array(maps, np.float64))
        assert torch.equal(unchanged, values)


@pytest.mark.parametrize("metric", ON_MAPS, ids=lambda metric: metric.name)
def test_what_is_no_batch_of_maps_is_one_line(metric):
    good = LEVELS.float()
    others = arguments(metric, good)
    wrong = [
        good[0],
        good[0, 0],
        good[None],
        good[:0],
        good[:, :0],
        good.to(torch.complex64),
        good.to_sparse(),
        good.numpy().astype(np.complex64),
        np.full(good.shape, "a", dtype=object),
        good.numpy().astype(str),
        good.numpy().astype("datetime64[s]"),
        np.ma.masked_less(good.numpy(), 3),
        [[[1.0, 2.0], [3.0]]],
        "map.png",
        None,
        0.5,
        {"a": 1},
    ]
    for maps in wrong:
        expect_one_line(metric, [maps, *others])
        for position, need in enumerate(metric.needs):
            if need in ("empirical_map", "center_bias"):
                expect_one_line(metric, [good, *others[:position], maps, *others[position + 1 :]])


@pytest.mark.parametrize("metric", ON_MAPS, ids=lambda metric: metric.name)
def test_what_does_not_belong_to_the_maps_is_one_line(metric):
    maps = LEVELS.float()
    others = arguments(metric, maps)
    for position, need in enumerate(metric.needs):
        of_two_images = FixationBatch.of([(1, 1)], [(2, 2)])
        wrong = [None, [(1, 1)], Fixations.of([0], [1], [1]), of_two_images, torch.ones(1, 64, 64)]
        if need in ("empirical_map", "center_bias"):
            wrong = [None, POINTS, maps[:, 1:], maps.expand(2, -1, -1)]
        for argument in wrong:
            expect_one_line(metric, [maps, *others[:position], argument, *others[position + 1 :]])
    for option, values in {"seed": [1.5, "a", -1, None, True], "equalize": [1, "no"]}.items():
        if metric.draws if option == "seed" else metric.equalizes:
            for value in values:
                expect_one_line(metric, [maps, *others], **{option: value})
    for share in metric.shares:
        for value in ("a", maps[0]):
            expect_one_line(metric, [maps, *others], **{share: value})


def expect_one_line(metric, given, **options):
    with pytest.raises(FovealError) as raised:
        metric.function(*given, **options)
    assert str(raised.value).startswith(metric.name)
    assert "\n" not in str(raised.value)


def test_one_map_is_told_how_it_becomes_a_batch():
    with pytest.raises(
        FovealError, match=r"AUC: saliency: a batch of maps \(image, height, width\), not .*map\[None\]"
    ):
        auc(torch.rand(8, 9), POINTS)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU on this machine")
def test_fixations_and_maps_of_two_devices_meet_on_that_of_the_first_map():
    maps = LEVELS.float()
    for first, second in (("cuda", "cpu"), ("cpu", "cuda")):
        assert auc(maps.to(first), POINTS.to(second)).device.type == first
        assert correlation(maps.to(first), maps.flip(1).to(second)).device.type == first


def test_gradients_pass():
    maps = torch.rand(1, 64, 64, dtype=torch.float16).requires_grad_()
    log_likelihood(maps, POINTS).sum().backward()
    assert maps.grad is not None
    assert maps.grad.dtype == torch.float16


@pytest.mark.parametrize("metric", [information_gain, explained_information])
def test_values_by_image(metric):
    model, yardstick = [1, 3], [4.0, 4.0]
    expected = metric(np.array(model, np.float64), np.array(yardstick))
    for kind in (list, tuple, np.float32, np.int16, torch.tensor, lambda v: torch.tensor(v, dtype=torch.bfloat16)):
        of_kind = np.array(model, kind) if isinstance(kind, type) and issubclass(kind, np.generic) else kind(model)
        result = metric(of_kind, yardstick)
        assert isinstance(result, np.ndarray)
        np.testing.assert_array_equal(result, expected)
    for wrong in (3.0, [], "a", None, ["1", "2"], [1j, 2], [1, None], [1.0, 2.0, 3.0], [[1.0, 2.0], [3.0, 4.0]]):
        with pytest.raises(FovealError, match=r"^(IG|explained_information): [^\n]*$"):
            metric(wrong, yardstick)


# Fixations of a batch.


def test_fixations_of_any_container():
    batch = FixationBatch.of([(4, 1)], [], [(0, 0), (2, 3)])
    for points in (
        [np.array([(4, 1)]), np.empty((0, 2)), np.array([(0.0, 0.0), (2.0, 3.0)])],
        [torch.tensor([(4, 1)]), (), ((0, 0), (2, 3))],
    ):
        same = FixationBatch.of(*points)
        for name in ("image", "x", "y"):
            assert torch.equal(getattr(same, name), getattr(batch, name))
    at = FixationBatch.at([([4], [1]), (np.array([]), np.array([])), (torch.tensor([0, 2]), np.array([0.0, 3.0]))])
    assert at.x.tolist() == [4, 0, 2]
    assert at.count.tolist() == [1, 0, 2]
    assert len(FixationBatch.of().x) == 0


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ([(1.5, 2)], r"fixations of image 1: row 0 is 1\.5, not a whole number"),
        ([(float("nan"), 2)], "row 0 is nan, not a whole number"),
        ([(-1, 2)], "a column or row is -1; they are counted from 0"),
        ([(1, 2, 3)], r"a list of \(x, y\) pixels"),
        ((1, 2), r"a list of \(x, y\) pixels"),
        ([(1, 2), (3,)], "no array of numbers"),
        (["ab"], "numbers are needed"),
        ([(True, False)], "numbers are needed"),
        (None, "numbers are needed"),
    ],
)
def test_pixels_that_cannot_be(points, message):
    with pytest.raises(FovealError, match=message):
        FixationBatch.of([(0, 0)], points)


@pytest.mark.parametrize(
    "pixels", [([1], [2, 3]), ([1],), 5, None, "ab", ([[1]], [[2]]), ([1.5], [2]), ([-1], [2]), (["1"], ["2"])]
)
def test_pairs_of_arrays_that_cannot_be(pixels):
    with pytest.raises(FovealError, match=r"^fixations of image 0: "):
        FixationBatch.at([pixels])


def test_what_is_no_list_of_fixations():
    for wrong in (Fixations.of([0], [1], [1]), [[(1, 2)]], None):
        with pytest.raises(FovealError, match="a list of Fixations, one for each image"):
            FixationBatch.stack(wrong)
    with pytest.raises(FovealError, match="counted from 0"):
        FixationBatch.stack([Fixations.of([0], [-3.0], [1])])


def test_vectors_that_are_no_batch():
    zero, one = torch.zeros(1, dtype=torch.long), torch.tensor([1, 0])
    for image, y, x in ((zero.float(), zero, zero), (zero, zero, one), (one, one, one), (zero + 1, zero, zero)):
        with pytest.raises(FovealError, match=r"^fixations: "):
            FixationBatch(image, y, x, 1 if len(image) == 1 else 2)


# Registration.


@pytest.fixture
def registry(monkeypatch):
    """Metrics that a test registers are gone after it."""
    monkeypatch.setattr("foveal.metrics.registry._METRICS", deepcopy(_METRICS))


@pytest.mark.usefixtures("registry")
def test_a_harmless_option_stays_at_its_default():
    """An option whose default is None was once asked of the data set, in the middle of a run."""

    @register_metric("mine", uses="density")
    def mine(saliency, fixations, *, weight=None, power: int = 2):
        return saliency[:, 0, 0] ** power

    [metric] = get_metrics(["Mine"])
    assert (metric.needs, metric.shares, metric.draws) == (("fixations",), (), False)
    assert mine(3 * torch.ones(1, 64, 64, dtype=torch.uint8), POINTS).item() == 9
    with pytest.raises(FovealError, match="mine: power: a whole number"):
        mine(torch.ones(1, 64, 64), POINTS, power=0.5)


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize(
    ("function", "uses", "message"),
    [
        (lambda saliency, fixation: 0, "density", "nothing is called 'fixation' .known: fixations, nonfixations"),
        (lambda saliency, *rest: 0, "density", "nothing is called 'rest'"),
        (lambda saliency, fixations, seed: 0, "density", "nothing is called 'seed'"),
        (lambda: 0, "density", "takes no map"),
        (lambda saliency: 0, "densitty", "nothing is called 'densitty'"),
        (lambda gain: 0, "information_gain", "two arguments"),
        (lambda gain, gold, *, option=1: 0, "information_gain", "two arguments"),
    ],
)
def test_what_cannot_be_given_is_refused_at_registration(function, uses, message):
    with pytest.raises(FovealError, match=f"^metric 'mine': .*{message}"):
        register_metric("mine", uses=uses)(function)
    assert "mine" not in list_metrics()


@pytest.mark.usefixtures("registry")
def test_a_name_is_given_once():
    with pytest.raises(FovealError, match=r"metric 'AUC': foveal\.metrics\.auc\.auc is called so already"):
        register_metric("AUC", uses="density")(lambda saliency: saliency)


def test_names_come_in_a_list_or_a_text():
    assert [metric.name for metric in get_metrics("IG, auc")] == ["IG", "AUC"]
    for wrong in (None, 3, [3], ["AUC", None]):
        with pytest.raises(FovealError, match=r"metrics: a (list|text) is needed"):
            get_metrics(wrong)


@pytest.mark.usefixtures("registry")
def test_metrics_of_other_packages(tmp_path, monkeypatch):
    """An installed distribution names its module; one that is broken is left out, and the others are had."""
    (tmp_path / "their_metrics.py").write_text(
        "from foveal.metrics import register_metric\n"
        "@register_metric('darkness', uses='density', takes_any_map=True)\n"
        "def darkness(saliency, fixations):\n"
        "    return -fixations.mean_per_image(fixations.values_in(saliency))\n"
    )
    info = tmp_path / "theirs-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[foveal.metrics]\nbroken = not_there\ndarkness = their_metrics\n")
    monkeypatch.syspath_prepend(tmp_path)
    import_all.cache_clear()
    with pytest.warns(FovealNote, match=r"entry point 'broken' of foveal\.metrics is left out: not_there"):
        assert list_metrics()[-1] == "darkness"
    [metric] = get_metrics("darkness")
    assert metric.function(LEVELS, FixationBatch.of([(0, 63)])).item() == -252


@pytest.mark.usefixtures("registry")
def test_a_file_is_enough(tmp_path, monkeypatch):
    """Every module of the package is imported, whether or not the package names it."""
    (tmp_path / "of_a_new_file.py").write_text(
        "from foveal.metrics import register_metric\n"
        "register_metric('new', uses='density')(lambda saliency: saliency[:, 0, 0])\n"
    )
    monkeypatch.setattr("foveal.metrics.__path__", [str(tmp_path)])
    import_all.cache_clear()
    assert list_metrics()[-1] == "new"
