"""Images brought to the size at which a model sees them."""

import pytest
import torch

from foveal.models.parts.working_size import resized


@pytest.mark.parametrize("mode", ["bicubic", "bilinear"])
@pytest.mark.parametrize(
    ("before", "after"), [((40, 20), (10, 1)), ((40, 1), (80, 1)), ((1, 1), (7, 1)), ((30, 3), (5, 2))]
)
def test_a_tall_image_is_resized_as_a_wide_one(before, after, mode):
    maps = torch.rand(2, 3, *before, generator=torch.Generator().manual_seed(0))
    found = resized(maps, after, mode)
    assert found.shape == (2, 3, *after)
    torch.testing.assert_close(found, resized(maps.mT.contiguous(), after[::-1], mode).mT)
    if before[0] > 1:
        assert found.std(dim=2).min() > 0.01  # its rows differ, as those of the image do
