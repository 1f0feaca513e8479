"""A network that says several maps: all are learned, and the last is its answer."""

from dataclasses import asdict, replace

import pytest
import torch
from accelerate import Accelerator
from toy import make_dataset

from foveal.models.deep.salnet import SalNet
from foveal.progress import Progress
from foveal.training import Phase, Recipe
from foveal.training.losses import weighted_loss
from foveal.training.runs.prepare import prepare

RECIPE = Recipe(
    ("toy",),
    model="salnet",
    config=asdict(SalNet.tiny),
    held_out=0,
    loss={"mse": 2.0, "bce": 1.0},
    phases=(Phase(1, 1e-3),),
)


@pytest.fixture
def run(monkeypatch):
    """Of SalNet, which says its map upside down, half of it, and its map."""
    forward = SalNet.forward

    def three(self, *given):
        said = forward(self, *given)
        return torch.stack([said.flip(1), said / 2, said], dim=1)

    monkeypatch.setattr(SalNet, "forward", three)
    return prepare(RECIPE, [make_dataset(4)], RECIPE.views, Accelerator(cpu=True), Progress())


def batch_of(run):
    group, rows = run.examples.groups[0][0], [0, 1, 2]
    return group.batch(rows).to(torch.device("cpu"))


def test_each_map_costs_what_it_would_cost_alone(run):
    run.begin(0)
    batch = batch_of(run)
    said = run.said_of(batch)
    assert said.shape[:2] == (3, 3)
    loss = weighted_loss(RECIPE.losses)
    alone = sum(loss(said[:, number], batch.observed, "map").sum() for number in range(3))
    torch.testing.assert_close(run.loss_of(said, batch), alone)
    taught = replace(batch, taught=batch.observed.density)
    said = said.abs()
    shares = said / said.sum(dim=(2, 3), keepdim=True)
    alone = sum(loss(said[:, number], batch.observed, "map").sum() for number in range(3))
    cross_entropy = -(batch.observed.density[:, None] * shares.log()).sum()
    torch.testing.assert_close(run.loss_of(said, taught), alone / 2 + cross_entropy / 2, rtol=1e-3, atol=0)


def test_the_last_is_the_answer(run):
    run.begin(0)
    batch = batch_of(run)
    said = run.said_of(batch)
    assert torch.equal(run.map_of(said, batch), said[:, -1])
    group, rows = run.examples.groups[0][0], [0, 1, 2]
    torch.testing.assert_close(run.said_by_average(group, rows), said[:, -1].detach())
    model = run.model.model.eval()
    images = torch.rand(1, 3, 60, 80)
    answer = torch.nn.functional.interpolate(model.said(images)[:, -1:], (60, 80), mode="bilinear")[:, 0]
    torch.testing.assert_close(model.saliency_map(images), answer)


def test_a_run_of_it_is_judged_by_its_answer(run):
    run.begin(0)
    run.one_epoch(lambda done, total: None)
    assert {"loss", "NSS", "CC", "AUC"} <= set(run.log[0])
