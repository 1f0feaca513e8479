"""Features of one length, all of an image's together."""

import math

import torch

from foveal.models.parts.whole_norm import WholeNorm


def test_value_by_value():
    torch.manual_seed(0)
    part = WholeNorm(9.0)
    features = torch.randn(2, 3, 4, 5)
    lengths = [math.sqrt(sum(value**2 for value in image.flatten().tolist())) for image in features]
    expected = torch.stack([9 * image / length for image, length in zip(features, lengths, strict=True)])
    torch.testing.assert_close(part(features), expected, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(part(features.flatten(1)), expected.flatten(1), rtol=1e-5, atol=1e-6)


def test_its_scale_is_learned():
    part = WholeNorm(400.0)
    part(torch.ones(1, 2, 3)).sum().backward()
    torch.testing.assert_close(part.scale.grad, torch.tensor(math.sqrt(6)))


def test_what_is_zero_stays_zero():
    features = torch.zeros(1, 2, 3, requires_grad=True)
    said = WholeNorm(400.0)(features)
    said.sum().backward()
    assert not said.any()
    assert features.grad.isfinite().all()
