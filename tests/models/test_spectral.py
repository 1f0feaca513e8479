"""Models of the spectrum: image signature, quaternion DCT, spectral residual; against slow ones and published maps."""

import numpy as np
import pytest
import torch
from scipy import fft, ndimage
from toy import make_photograph

from foveal.images import read_image
from foveal.models.classical.image_signature import NO_SIGN, ImageSignature
from foveal.models.classical.quaternion_dct import QuaternionDCT
from foveal.models.classical.spectral_residual import LUMA, SpectralResidual
from foveal.models.parts.color import to_lab, to_opponent
from foveal.models.parts.cosine_transform import dct
from foveal.models.parts.working_size import shrunk

MODELS = {"image-signature": ImageSignature, "quaternion-dct": QuaternionDCT, "spectral-residual": SpectralResidual}
SMALL = (48, 64)  # no side is changed on the way


@pytest.fixture
def images():
    array = make_photograph(5, SMALL)
    return torch.from_numpy(array.copy()).permute(2, 0, 1)[None].float() / 255


def inner(maps, margin=12):
    """Where it does not matter how a blur treats the border."""
    return maps[margin:-margin, margin:-margin]


def blurred_in_black(maps, sigma, width):
    """Correlated with the published code's kernel; what is outside is zero."""
    places = np.arange(width) - (width - 1) / 2
    gaussian = np.exp(-(places[:, None] ** 2 + places**2) / (2 * sigma**2))
    return ndimage.correlate(maps, gaussian / gaussian.sum(), mode="constant", origin=-1 if width % 2 == 0 else 0)


def correlation(one, other):
    return np.corrcoef(np.ravel(one), np.ravel(other))[0, 1]


def test_the_cosine_transform_is_scipys():
    maps = torch.rand(2, 7, 12)
    expected = fft.dctn(maps.numpy(), axes=(1, 2), norm="ortho")
    np.testing.assert_allclose(dct(maps).numpy(), expected, atol=1e-5)
    np.testing.assert_allclose(dct(torch.from_numpy(expected), inverse=True).numpy(), maps, atol=1e-5)


def test_the_image_signature_is_what_its_definition_says(images):
    lab = to_lab(images)[0].double().numpy()
    spectrum = fft.dctn(lab, axes=(1, 2), norm="ortho")
    signature = np.where(np.abs(spectrum) > NO_SIGN, np.sign(spectrum), 0)
    foreground = (fft.idctn(signature, axes=(1, 2), norm="ortho") ** 2).mean(axis=0)
    expected = blurred_in_black(foreground, 0.045 * 64, 12)
    np.testing.assert_allclose(ImageSignature().saliency_map(images)[0].numpy(), expected, rtol=1e-3)


def quaternion_product(p, q):
    """Of arrays whose first axis holds the real and the three imaginary parts."""
    a, b, c, d = p
    e, f, g, h = q
    return np.stack(
        [
            a * e - b * f - c * g - d * h,
            a * f + b * e + c * h - d * g,
            a * g - b * h + c * e + d * f,
            a * h + b * g - c * f + d * e,
        ]
    )


def test_the_quaternion_transform_with_its_axis(images):
    """Whole quaternion arithmetic, the transform multiplied from the left by a unit quaternion, there and back."""
    colors = to_opponent(images)[0].double().numpy()
    quaternions = np.concatenate([np.zeros((1, *SMALL)), colors])
    axis = np.broadcast_to(np.array([0, 1, 1, 1])[:, None, None] / np.sqrt(3), quaternions.shape)
    spectrum = quaternion_product(axis, fft.dctn(quaternions, axes=(1, 2), norm="ortho"))
    direction = spectrum / np.linalg.norm(spectrum, axis=0)
    back = quaternion_product(axis, fft.idctn(direction, axes=(1, 2), norm="ortho"))
    expected = ndimage.gaussian_filter((back**2).sum(axis=0), 2.5)
    found = QuaternionDCT().saliency_map(images)[0].numpy()
    np.testing.assert_allclose(inner(found), inner(expected), rtol=0.02)


def test_the_spectral_residual_is_what_its_definition_says(images):
    gray = np.tensordot(LUMA, images[0].double().numpy(), axes=1)
    spectrum = np.fft.fft2(gray)
    log_amplitude = np.log(np.abs(spectrum))
    residual = log_amplitude - ndimage.uniform_filter(log_amplitude, 3, mode="nearest")
    foreground = np.abs(np.fft.ifft2(np.exp(residual + 1j * np.angle(spectrum)))) ** 2
    expected = blurred_in_black(foreground, 2.5, 10)
    np.testing.assert_allclose(SpectralResidual().saliency_map(images)[0].numpy(), expected, rtol=1e-3)


@pytest.mark.parametrize("name", MODELS)
def test_the_odd_one_out(name):
    """One red disk among green ones on a gray ground is more salient than they (less so in gray)."""
    image = np.full((120, 160, 3), 110, np.uint8)
    rows, columns = np.mgrid[:120, :160]
    places = [(30, 30), (30, 80), (30, 130), (90, 30), (90, 80), (90, 130)]
    for number, (y, x) in enumerate(places):
        image[(rows - y) ** 2 + (columns - x) ** 2 < 64] = (210, 60, 60) if number == 4 else (60, 150, 60)
    saliency = MODELS[name]().saliency_map_of([image])[0]
    around = [float(saliency[y - 8 : y + 9, x - 8 : x + 9].mean()) for y, x in places]
    assert max(around) == around[4]


def test_a_gray_image_has_no_colours():
    """Rounding is no signature: gray is told by its lightness alone."""
    gray = torch.rand(1, 1, 48, 64).expand(1, 3, -1, -1)
    lab = to_lab(gray)
    assert lab[:, 1:].abs().max() < 1e-3
    only = dct(dct(lab[:, :1]).sign(), inverse=True).square().mean(dim=1) / 3
    found = ImageSignature().saliency_map(gray)
    expected = blurred_in_black(only[0].numpy(), 0.045 * 64, 12)
    assert correlation(found[0].numpy(), expected) > 0.99


def test_images_are_seen_at_one_size():
    assert shrunk(torch.rand(1, 3, 600, 800), 64).shape[2:] == (48, 64)
    assert shrunk(torch.rand(1, 3, 800, 600), 64).shape[2:] == (64, 48)
    assert shrunk(torch.rand(1, 3, 7, 3000), 64).shape[2:] == (1, 64)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "published", "at_least"), [("image-signature", "imsig", 0.997), ("quaternion-dct", "qss", 0.96)]
)
def test_correlates_with_the_published_map(shared, name, published, at_least):
    image = read_image(shared / "data/osie/data/stimuli/1001.jpg")
    expected = np.load(shared / "reference/maps/1001.npz")[published]
    assert correlation(MODELS[name]().saliency_map_of([image])[0], expected) > at_least
