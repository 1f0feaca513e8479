"""Faces: the detector, what it learns from labels, and the models that have a channel of them."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import skimage.data
import torch
from faces import average_precision, by_center, by_overlap, curve, judged
from scipy.ndimage import gaussian_filter
from torch import nn
from toy import disc_center, make_dataset, make_photograph

from foveal.datasets import load_dataset
from foveal.errors import FovealError
from foveal.gaze import Heads
from foveal.models import load_model
from foveal.models.base import stacked
from foveal.models.classical.cerf import Cerf
from foveal.models.classical.itti import Itti
from foveal.models.classical.judd import Judd, probability
from foveal.models.deep.faces import FaceDetector, Faces, _drawn, _faces
from foveal.models.parts.geometry import Grid
from foveal.models.parts.gist import N_NUMBERS, gist
from foveal.models.parts.working_size import resized
from foveal.training import train
from foveal.training.fits.learning.classifier import learn_classifier, support_vector_weights
from foveal.training.fits.learning.faces import Example, _loss, learn_faces, targets
from foveal.training.fits.learning.horizon import learn_horizon, ridge

GRID = Grid.over((96, 160), (12, 20))  # cells of 8 px
HEADS = Heads(np.array([[10.0, 20.0, 30.0, 40.0], [100.0, 30.0, 24.0, 24.0]]), np.array([True, False]))


def answers_that_fit(heads):
    """What the detector would say if it had learned the targets by heart."""
    nearness, _, cells, boxes = targets(heads, GRID)
    answers = torch.zeros(5, 12, 20)
    answers[0] = torch.where(nearness == 1, 5.0, -5.0)
    answers[1:].flatten(1)[:, cells] = boxes.T
    return answers


def test_a_face_is_found_where_it_was_labelled():
    found = _faces(answers_that_fit(HEADS), GRID, 0.3)
    np.testing.assert_allclose(found.boxes.numpy(), HEADS.boxes[:1], atol=1e-3)
    assert float(found.scores) > 0.9


def test_a_head_from_behind_is_neither_a_face_nor_none():
    nearness, is_judged, cells, _ = targets(HEADS, GRID)
    assert len(cells) == 1
    assert nearness.argmax() == cells[0]
    left_out = (~is_judged).nonzero()
    assert len(left_out)
    assert (8 * left_out + 3.5 >= torch.tensor([30, 100])).all()
    assert (8 * left_out + 3.5 <= torch.tensor([54, 124])).all()


def test_the_loss_is_least_where_the_targets_are():
    example = Example((96, 160), {}, *targets(HEADS, GRID))
    fits = answers_that_fit(HEADS)
    row, column = divmod(int(example.cells), 20)
    worse = {"misses the face": (0, row, column, -5.0), "sees one elsewhere": (0, 0, 19, 5.0)}
    worse |= {"is off": (1, row, column, 2.0), "is too large": (3, row, column, 4.0)}
    for place in worse.values():
        answers = fits.clone()
        answers[place[:3]] = place[3]
        assert _loss(answers[None], [example]) > _loss(fits[None], [example]) + 0.1
    of_behind = fits.clone()
    of_behind[0][~example.is_judged] = 5.0
    torch.testing.assert_close(_loss(of_behind[None], [example]), _loss(fits[None], [example]))


def test_a_face_is_highest_at_its_centre_and_falls_off_with_its_size():
    drawn = _drawn(Faces(torch.tensor([[60.0, 28.0, 32.0, 32.0]]), torch.tensor([0.8])), GRID)
    assert divmod(int(drawn.argmax()), 20) == (5, 9)  # the face is centerd at y = 44, x = 76
    y, x = 8 * 7 + 3.5, 8 * 9 + 3.5
    expected = 0.8 * np.exp(-((y - 44) ** 2 + (x - 76) ** 2) / (2 * 16**2))
    assert float(drawn[7, 9]) == pytest.approx(expected, rel=1e-4)
    assert _drawn(Faces(torch.zeros(0, 4), torch.zeros(0)), GRID).max() == 0


def test_the_detector_belongs_to_the_network_that_comes_with_it():
    detector = load_model("faces")
    detector.make_ready()
    next(iter(detector.taps.values())).mean.add_(1)
    with pytest.raises(FovealError, match="another foveal-s"):
        detector.make_ready()


def test_without_labels_there_is_nothing_to_learn(tmp_path):
    with pytest.raises(FovealError, match="toy: says of no photograph where the faces are"):
        train("faces", make_dataset(2), out=tmp_path)


def test_it_learns_what_is_labelled():
    """Here, discs: the first and every tenth after are left out, and found."""
    data = make_dataset(11)
    centers = [disc_center(seed, (60, 80)) for seed in range(11)]
    heads = tuple(Heads(np.array([[x - 7.5, y - 7.5, 15.0, 15.0]]), np.array([True])) for x, y in centers)
    detector = FaceDetector()
    learn_faces(detector, replace(data, heads=heads), 0, lambda *_: None)
    for seed in (0, 10):
        (found,) = detector.detect(stacked([data.stimuli[seed].image]), 0.1)
        left, top, width, height = found.boxes[0].tolist()
        assert np.hypot(left + width / 2 - centers[seed][0], top + height / 2 - centers[seed][1]) < 4
        assert 10 < width < 22
        assert 10 < height < 22


def test_a_face_is_found_and_draws_the_eye():
    images = stacked([skimage.data.astronaut()])
    (faces,) = load_model("faces").detect(images)
    assert len(faces.boxes) == 1
    x, y = (faces.boxes[0, :2] + faces.boxes[0, 2:] / 2).tolist()
    assert np.hypot(x - 222, y - 115) < 25
    shares = [(of[0] / of.sum())[int(y), int(x)] for of in (Cerf().saliency_map(images), Itti().saliency_map(images))]
    assert shares[0] > 1.5 * shares[1]


def test_precision_and_recall_by_hand():
    boxes = np.array([[12.0, 22, 30, 40], [14, 24, 30, 40], [100, 30, 24, 24], [60, 60, 9, 9]])
    assert judged(boxes, HEADS, by_center).tolist() == [1, 0, -1, 0]
    assert judged(boxes + np.array([0, 0, 40, 0]), HEADS, by_overlap).tolist() == [0, 0, 0, 0]
    recall, precision, at = curve(np.array([0.9, 0.8, 0.7, 0.6]), np.array([1, 0, -1, 0]), 2)
    assert recall.tolist() == [0.5, 0.5, 0.5]
    np.testing.assert_allclose(precision, [1, 1 / 2, 1 / 3])
    assert at.tolist() == [0.9, 0.8, 0.6]
    assert average_precision(recall, precision) == pytest.approx(0.5)


def test_without_faces_cerf_is_itti():
    images = stacked([make_photograph(2)])
    assert load_model("faces").detect(images)[0].boxes.shape == (0, 4)
    torch.testing.assert_close(Cerf().saliency_map(images), Itti().saliency_map(images) / 4, atol=1e-4, rtol=0)


def test_probability_counts_equal_colours():
    values = torch.tensor([[[[0, 10], [255, 40]]], [[[3, 3], [3, 3]]]], dtype=torch.uint8)
    assert probability(values, 8).flatten(1).tolist() == [[0.5, 0.5, 0.25, 0.25], [1.0] * 4]


def test_judds_features_come_in_their_order():
    pixels = cv2.resize(skimage.data.astronaut(), (200, 200), interpolation=cv2.INTER_AREA)
    images = stacked([pixels])
    features = Judd().features(images)[0]
    bands = features[:13].flatten(1).double().numpy()
    centerd = bands - bands.mean(axis=1, keepdims=True)
    rarity = np.sqrt((centerd * np.linalg.solve(np.cov(bands, bias=True), centerd)).sum(axis=0))
    np.testing.assert_allclose(features[13].flatten(), rarity, rtol=1e-2)
    low_pass = gaussian_filter(pixels.mean(axis=2) / 255, 8)
    np.testing.assert_allclose(features[12, 32:-32, 32:-32], low_pass[32:-32, 32:-32], atol=0.01)
    torch.testing.assert_close(features[14:17], resized(Itti().conspicuity_maps(images), (200, 200))[0])
    torch.testing.assert_close(features[17:20], images[0])
    binned = pixels.reshape(-1, 3) // 32
    for channel in range(3):
        counts = np.bincount(binned[:, channel])
        np.testing.assert_allclose(features[20 + channel].flatten(), counts[binned[:, channel]] / 200**2, rtol=1e-5)
    _, of_place, counts = np.unique(binned, axis=0, return_inverse=True, return_counts=True)
    np.testing.assert_allclose(features[23].flatten(), (counts / 200**2)[of_place.ravel()], rtol=1e-5)
    assert features[27].unique().numel() < features[23].unique().numel()  # a wide median has fewer colors
    row, column = divmod(int(features[28].argmax()), 200)
    assert np.hypot(row - 45, column - 87) < 12
    distance = features[29]
    assert distance[99:101, 99:101].max() < 0.02 < distance.max()
    torch.testing.assert_close(distance[[0, -1], [0, -1]], distance.max().expand(2))
    model = Judd()
    with torch.no_grad():
        model.horizon.weight.zero_()
        model.horizon.bias.fill_(0.25)
    horizon = model.features(images)[0, 30]
    assert horizon.argmax(dim=0).unique().tolist() in ([49], [50])
    np.testing.assert_allclose(horizon[80], np.exp(-(((80.5 / 200 - 0.25) / 0.15) ** 2) / 2), rtol=1e-5)


def test_ridge_is_at_the_minimum():
    """The gradient, written down apart, is zero, and an input that does not vary has no weight."""
    rng = np.random.default_rng(0)
    x = rng.normal(2, [1, 5, 0.1, 0], (40, 4))
    y = x @ [1, 0.5, -3, 0] + rng.normal(0, 1, 40)
    weights, bias = ridge(torch.from_numpy(x), torch.from_numpy(y), 7.0)
    w = weights.double().numpy()
    missing = y - bias - x @ w
    assert abs(missing.sum()) < 1e-4
    np.testing.assert_allclose(x.T @ missing, 7 * x.var(axis=0) * w, atol=1e-3)
    assert w[3] == 0


def test_the_horizon_is_where_people_look_in_such_scenes():
    horizon = nn.Linear(N_NUMBERS, 1)
    learn_horizon(horizon, make_dataset(40), lambda *_: None)
    seeds = range(100, 120)
    with torch.no_grad():
        rows = horizon(gist(stacked([make_photograph(seed) for seed in seeds])))[:, 0].numpy()
    looked_at = [disc_center(seed, (60, 80))[1] / 60 for seed in seeds]
    assert np.corrcoef(rows, looked_at)[0, 1] > 0.5
    assert abs(rows.mean() - 0.5) < 0.1


def test_support_vectors_are_at_the_minimum():
    """No other weights cost less: the gradient, written down apart, is zero."""
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(0.5, 1, (60, 3)), rng.normal(-0.5, 1, (60, 3))])
    y = np.repeat([1.0, -1.0], 60)
    w = support_vector_weights(torch.from_numpy(x).float(), torch.from_numpy(y).float()).double().numpy()
    with_bias = np.concatenate([x, np.ones((120, 1))], axis=1)
    missing = np.maximum(0, 1 - y * (with_bias @ w))
    np.testing.assert_allclose(w - 2 * with_bias.T @ (y * missing), 0, atol=1e-3)
    assert ((with_bias @ w > 0) == (y > 0)).mean() > 0.75


def test_judd_learns_what_is_looked_at():
    model = Judd()
    learn_classifier(model, make_dataset(6), 0, lambda *_: None)
    weights = model.readout.weight.clone()
    y, x = np.mgrid[:60, :80]
    for seed in (50, 51):
        saliency = model.saliency_map_of([make_photograph(seed)])[0].detach().numpy()
        cx, cy = disc_center(seed, (60, 80))
        disc = (x - cx) ** 2 + (y - cy) ** 2 < 5**2
        assert np.median(saliency[disc]) > np.quantile(saliency, 0.85)
    learn_classifier(model, make_dataset(6), 0, lambda *_: None)
    assert torch.equal(weights, model.readout.weight)


@pytest.mark.shared
def test_faces_are_found_in_photographs_that_were_not_learned_from(shared):
    detector, data = load_model("faces"), load_dataset("eyecrowd", shared / "data").split("fold0").limit(4)
    right = wrong = faces = 0
    with torch.inference_mode():
        for stimulus, heads in zip(data.stimuli, data.heads, strict=True):
            verdicts = judged(detector.detect(stacked([stimulus.image]))[0].boxes.numpy(), heads, by_center)
            right, wrong = right + (verdicts == 1).sum(), wrong + (verdicts == 0).sum()
            faces += heads.has_face.sum()
    assert right / faces > 0.6
    assert right / (right + wrong) > 0.6


@pytest.mark.shared
def test_a_crowd_is_labelled(shared):
    data = load_dataset("eyecrowd", shared / "data")
    assert sum(len(heads.boxes) for heads in data.heads) == 9778
    assert data.select([3, 1]).heads[1] is data.heads[1]
    assert isinstance(load_model("faces"), FaceDetector)
