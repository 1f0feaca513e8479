"""Extreme learning machines, unit by unit, and their solution against others."""

import math

import numpy as np
import pytest
import torch

from foveal.models.parts.extreme_learning import hidden_layers, hidden_values, output_weights

CPU = torch.device("cpu")


def test_units_say_the_logistic_function_of_their_sums():
    weights, biases = hidden_layers(range(3), 5, 4, CPU)
    samples = torch.randn(6, 5, generator=torch.Generator().manual_seed(0))
    found = hidden_values(samples, weights, biases)
    assert found.shape == (6, 3, 4)
    for sample in range(6):
        for learner in range(3):
            for unit in range(4):
                total = biases[learner, unit].item()
                total += sum(weights[learner, unit, k].item() * samples[sample, k].item() for k in range(5))
                assert math.isclose(found[sample, learner, unit], 1 / (1 + math.exp(-total)), abs_tol=1e-6)


def test_a_learner_has_its_layer_by_its_number():
    whole, alone = hidden_layers(range(4), 30, 20, CPU), hidden_layers(range(2, 3), 30, 20, CPU)
    for of_all, of_one in zip(whole, alone, strict=True):
        assert torch.equal(of_all[2], of_one[0])
        assert not torch.equal(of_all[0], of_all[1])
        assert -1 <= of_all.min() < -0.9
        assert 0.9 < of_all.max() <= 1
        assert abs(of_all.mean()) < 0.1


@pytest.mark.parametrize("penalty", [1e-4, 0.3, 10.0])
def test_the_solution_is_that_of_samples_which_say_that_each_weight_is_zero(penalty):
    """A penalty is one more sample a unit, which only this unit knows of, by the root of the penalty."""
    generator = torch.Generator().manual_seed(0)
    hidden, targets = torch.rand(40, 5, generator=generator), torch.rand(40, generator=generator)
    samples = np.concatenate([hidden.numpy(), np.sqrt(penalty) * np.eye(5)])
    expected = np.linalg.lstsq(samples, np.concatenate([targets.numpy(), np.zeros(5)]), rcond=None)[0]
    np.testing.assert_allclose(output_weights(hidden, targets, penalty), expected, atol=1e-5)


def test_with_hardly_a_penalty_it_is_the_pseudo_inverse():
    hidden, targets = torch.rand(40, 5), torch.rand(40)
    expected = torch.linalg.pinv(hidden.double()) @ targets.double()
    torch.testing.assert_close(output_weights(hidden, targets, 1e-9).double(), expected, rtol=1e-4, atol=1e-5)


def test_two_units_that_say_the_same_have_the_same_weight():
    """As on a photograph of one color."""
    hidden = torch.tensor([[1.0, 1.0], [2.0, 2.0]])
    found = output_weights(hidden, torch.tensor([1.0, 2.0]), 1e-6)
    torch.testing.assert_close(found, torch.tensor([0.5, 0.5]), rtol=1e-4, atol=1e-4)
