"""What the overlay promises to whoever looks at it."""

import cv2
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image
from skimage.color import rgb2lab

from foveal.errors import FovealError
from foveal.figures import overlay
from foveal.figures.colors import HEAT
from foveal.figures.labels import covered_by, font_of
from foveal.figures.levels import density_at_mass, enclosed_mass
from foveal.figures.lines import contour_lines, hotspot_lines
from foveal.figures.scene import Scene
from foveal.figures.styles import OUTERMOST, STYLES

# Machado, Oliveira & Fernandes 2009, severity 1, on linear RGB; and the luminance of Rec. 709.
SEEN_BY = {
    "everybody": np.eye(3),
    "protanopes": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopes": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "gray paper": [[0.2126, 0.7152, 0.0722]] * 3,
}


def lightness(rgb, viewer="everybody"):
    """CIELAB L* of sRGB in [0, 1], as a viewer sees it."""
    rgb = np.asarray(rgb, float)
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ np.transpose(SEEN_BY[viewer])
    linear = linear.clip(0, 1)
    return rgb2lab(np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055))[..., 0]


def blobs(size=(300, 400), centers=((120, 150), (300, 130)), weights=(3, 1), sigma=22):
    y, x = np.mgrid[: size[0], : size[1]]
    density = sum(
        weight * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * sigma**2))
        for (cx, cy), weight in zip(centers, weights, strict=True)
    )
    return np.log(density / density.sum() + 1e-12).astype(np.float32)


def gray(size=(300, 400), value=128):
    return np.full((*size, 3), value, np.uint8)


def textured(size=(300, 400)):
    return np.random.default_rng(0).integers(60, 200, (*size, 3), dtype=np.uint8)


@pytest.mark.parametrize("style", ["heatmap", "hotspots", "contours", "heatmap+contours"])
def test_the_picture_is_untouched_where_hardly_anybody_looks(style):
    log_density = blobs()
    outside = enclosed_mass(np.exp(log_density)) > 0.995
    outside[:, 395:] = False
    image = textured()
    drawn = overlay(image, log_density, style=style)
    np.testing.assert_array_equal(drawn[outside], image[outside])
    assert (drawn != image).any()


def test_the_opacity_rises_with_the_density():
    """Over black and over white: what the color hides of the difference is its opacity."""
    log_density = blobs()
    black, white = (overlay(gray(value=value), log_density).astype(float).mean(axis=2) for value in (118, 138))
    order = np.argsort(log_density.ravel())[:: 300 * 400 // 50]
    hidden = (20 - (white - black)).ravel()[order]
    assert (np.diff(hidden) > -1.5).all()
    assert hidden[-1] > 10
    assert hidden[0] == 0


@pytest.mark.parametrize("viewer", SEEN_BY)
def test_the_colors_order_the_regions_by_lightness_for_every_eye(viewer):
    steps = np.diff(lightness(HEAT(np.linspace(0, 1, 33))[None, :, :3], viewer)[0])
    assert (steps < 0).all()


def test_the_colors_are_even():
    lab = rgb2lab(HEAT(np.linspace(0, 1, 9))[None, :, :3])[0]
    assert np.ptp(np.diff(lab[:, 0])) < 3
    distances = np.linalg.norm(np.diff(lab, axis=0), axis=1)
    assert distances.max() / distances.min() < 2


@pytest.mark.parametrize("viewer", SEEN_BY)
@pytest.mark.parametrize("ground", [110, 170, 255])
def test_regions_that_are_looked_at_more_are_darker_for_every_eye(viewer, ground):
    log_density = blobs()
    drawn = overlay(gray(value=ground), log_density)
    enclosed = enclosed_mass(np.exp(log_density - log_density.max()))
    at = [np.abs(enclosed - share) < 0.02 for share in (0.02, 0.25, 0.5, 0.7)]
    seen = [lightness(drawn[where][None] / 255, viewer).mean() for where in at]
    assert (np.diff(seen) > 1).all()


def test_letters_stay_readable_under_the_peak():
    image = gray(value=255)
    image[148:152, 60:180] = 20  # a stroke of a letter, across the peak
    drawn = overlay(image, blobs())
    stroke, paper = drawn[150, 120] / 255, drawn[158, 120] / 255
    luminance = [
        np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]
        for c in (stroke, paper)
    ]
    assert (luminance[1] + 0.05) / (luminance[0] + 0.05) > 3  # WCAG's contrast for large letters


def test_a_level_encloses_its_share_of_what_is_drawn():
    scene = Scene.of(None, blobs(), levels=[0.3, 0.6, 0.9])
    for share in scene.levels:
        mask = scene.density >= density_at_mass(scene.density, [share])[0]
        assert scene.density[mask].sum() / scene.density.sum() == pytest.approx(share, abs=0.005)
        lines, _ = contour_lines(Scene.of(None, blobs(), levels=[share]))
        points = np.concatenate(lines).round().astype(int)
        np.testing.assert_allclose(scene.enclosed[points[:, 1], points[:, 0]], share, atol=0.03)


def test_enclosed_mass_agrees_with_the_levels():
    density = np.exp(blobs())
    enclosed = enclosed_mass(density)
    for share, level in zip((0.25, 0.5, 0.75), density_at_mass(density), strict=True):
        assert enclosed[density >= level].max() == pytest.approx(share, abs=0.01)


@pytest.mark.parametrize("where", [((120, 150), (300, 130)), ((8, 150), (390, 150)), ((200, 150), (203, 152))])
@pytest.mark.parametrize("lines_of", [contour_lines, hotspot_lines])
def test_labels_are_inside_off_the_peak_and_off_each_other(lines_of, where):
    scene = Scene.of(None, blobs(centers=where, sigma=50))
    _, labels = lines_of(scene)
    assert labels
    peak_x, peak_y = scene.peak
    for number, label in enumerate(labels):
        assert label.width / 2 <= label.x + 0.5 <= 400 - label.width / 2 + 1
        assert label.height / 2 <= label.y + 0.5 <= 300 - label.height / 2 + 1
        assert abs(label.x - peak_x) > label.width / 2 or abs(label.y - peak_y) > label.height / 2
        for other in labels[:number]:
            assert abs(label.x - other.x) >= (label.width + other.width) / 2 or abs(label.y - other.y) >= label.height


def test_a_line_stops_where_its_label_stands():
    lines, labels = contour_lines(Scene.of(None, blobs(sigma=30)))
    for label in labels:
        assert not any(label.covers(line).any() for line in lines)


def test_hotspots_carry_their_rank_and_share():
    _, labels = hotspot_lines(Scene.of(None, blobs(weights=(1, 1))))
    assert [label.text for label in labels] == ["1: 25 %", "2: 25 %"]
    _, labels = hotspot_lines(Scene.of(None, blobs(weights=(1, 0))))
    assert [label.text for label in labels] == ["50 %"]


def test_every_style_is_another_picture_and_all_leave_a_flat_density_alone():
    image = textured()
    drawn = [overlay(image, blobs(), style=style) for style in (*STYLES, "heatmap+contours", "fog+hotspots")]
    for number, one in enumerate(drawn):
        assert one.shape == image.shape
        assert not any(np.array_equal(one, other) for other in (*drawn[:number], image))
    for style in STYLES:
        np.testing.assert_array_equal(overlay(image, np.full((300, 400), -11.7), style=style), image)


def test_the_fog_leaves_clear_what_is_looked_at():
    image = textured()
    drawn = overlay(image, blobs(), style="fog")
    enclosed = enclosed_mass(np.exp(blobs()))
    np.testing.assert_array_equal(drawn[enclosed < 0.45], image[enclosed < 0.45])
    assert drawn[enclosed > 0.99].std() < 0.3 * image.std()


def test_lines_and_letters_grow_with_the_picture():
    covered, heights = [], []
    for scale in (1, 2):
        size = 200 * scale, 1000 * scale
        log_density = blobs(size, ((300 * scale, 90 * scale), (700 * scale, 110 * scale)), sigma=40 * scale)
        drawn = overlay(gray(size), log_density, style="contours")
        covered.append((drawn != 128).any(axis=2).mean())
        heights.append(contour_lines(Scene.of(None, log_density))[1][0].height)
    assert covered[1] > 0.6 * covered[0]  # a line of the same px would cover half
    assert heights[1] == pytest.approx(2 * heights[0])


@pytest.mark.parametrize("style", ["heatmap", "fog", "heatmap+hotspots"])
def test_twice_as_large_it_is_the_same_drawing(style):
    image = cv2.GaussianBlur(textured((300, 700)), (0, 0), 3)
    square = np.array([[400.0, 200], [600, 200], [600, 280], [400, 280]])
    drawing = {"style": style, "color_bar": True, "outlines": [("tea", [square])]}
    small, large = (overlay(image, blobs((300, 700)), enlarged=n, **drawing) for n in (1, 2))
    assert large.shape == (600 + 2 * (len(small) - 300), 1400, 3)
    shrunk = cv2.resize(large[:600], (700, 300), interpolation=cv2.INTER_AREA).astype(int)
    difference = np.abs(shrunk - small[:300]).max(axis=2)
    assert (difference > 40).mean() < 0.02  # along lines and letters
    assert difference.mean() < 4


def test_twice_as_large_lines_are_drawn_anew_and_a_large_photograph_has_its_detail():
    square = [("", [np.array([[50.0, 50], [250, 50], [250, 250], [50, 250]])])]
    flat = np.zeros((300, 400))
    small, large = (overlay(gray(value=100), flat, outlines=square, enlarged=n)[:, 150 * n, 0] for n in (1, 2))
    assert (small != 100).sum() < (large != 100).sum() < 2 * (small != 100).sum()  # one blown up has blurred edges
    stripes = gray()
    stripes[:, ::2] = 0
    np.testing.assert_array_equal(overlay(stripes, flat, largest_side=200, enlarged=2), stripes)
    assert overlay(stripes, flat, largest_side=200).std() < 1
    with pytest.raises(FovealError, match="enlarged: a whole number from 1 to 2, not 3"):
        overlay(stripes, flat, enlarged=3)


def test_a_color_bar_stands_below_and_shows_the_colors():
    image = gray((300, 700))
    log_density = blobs((300, 700))
    plain, explained = overlay(image, log_density), overlay(image, log_density, color_bar=True)
    np.testing.assert_array_equal(explained[:300], plain)
    strip = explained[300:].reshape(-1, 3) / 255
    for color in (to_rgb("#b0006f"), to_rgb("#e12162"), to_rgb("#ffdf3f")):
        assert np.abs(strip - color).max(axis=1).min() < 0.02
    viridis = overlay(image, log_density, color_bar=True, cmap="viridis")
    assert np.abs(viridis[300:].reshape(-1, 3) / 255 - to_rgb("#b0006f")).max(axis=1).min() > 0.1
    assert overlay(gray((40, 60)), blobs((40, 60), ((20, 20), (40, 20)), sigma=4), color_bar=True).shape == (40, 60, 3)
    narrow = overlay(gray((400, 340)), blobs((400, 340)), color_bar=True)
    assert len(narrow) - 400 > len(explained) - 300  # the bar goes below the sentence


def test_a_photograph_is_given_as_anywhere_else(tmp_path):
    image = textured()
    Image.fromarray(image).save(tmp_path / "p.png")
    expected = overlay(image, blobs())
    for source in (tmp_path / "p.png", str(tmp_path / "p.png"), Image.fromarray(image)):
        np.testing.assert_array_equal(overlay(source, blobs()), expected)
    assert overlay(image[..., 0], blobs()).shape == image.shape
    assert overlay(None, blobs()).max() == 255
    assert overlay(image, blobs(), largest_side=200).shape == (150, 200, 3)


def test_nobody_looks_at_some_pixels():
    log_density = blobs().astype(np.float64)
    log_density[:, 200:] = -np.inf
    image = textured()
    drawn = overlay(image, log_density, style="heatmap+contours+hotspots")
    np.testing.assert_array_equal(drawn[:, 220:], image[:, 220:])


@pytest.mark.parametrize(
    ("log_density", "options", "message"),
    [
        (np.zeros((300, 400, 1)), {}, r"has the shape \(height, width\), not \(300, 400, 1\)"),
        (np.zeros((0, 400)), {}, r"has the shape \(height, width\), not \(0, 400\)"),
        (np.zeros(5), {}, r"has the shape \(height, width\), not \(5,\)"),
        (np.full((300, 400), np.nan), {}, "its highest is nan"),
        (np.where(np.eye(300, 400) > 0, np.nan, 0), {}, "its highest is nan"),
        (np.full((300, 400), np.inf), {}, "its highest is inf"),
        (np.full((300, 400), -np.inf), {}, "its highest is -inf"),
        (np.zeros((300, 400), complex), {}, "real numbers, not complex128"),
        (np.full((300, 400), "a"), {}, "real numbers, not <U1"),
        (np.zeros((400, 300)), {}, "a density of 300 x 400 px over a photograph of 400 x 300"),
        (blobs(), {"style": "jet"}, "no style 'jet'"),
        (blobs(), {"style": "heatmap+"}, "no style ''"),
        (blobs(), {"cmap": "magmaa"}, "no colormap 'magmaa'"),
        (blobs(), {"levels": [0.5, 1.2]}, "levels: shares of the fixations between 0 and 1"),
        (blobs(), {"levels": []}, "levels: shares"),
        (blobs(), {"levels": [0.5, np.nan]}, "levels: shares"),
    ],
)
def test_what_cannot_be_drawn_is_said_in_one_line(log_density, options, message):
    with pytest.raises(FovealError, match=message) as caught:
        overlay(gray(), log_density, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("image", [gray().astype(float), np.zeros((300, 400, 2), np.uint8), "missing.png"])
def test_what_is_no_photograph(image):
    with pytest.raises(FovealError):
        overlay(image, blobs())


def test_numbers_of_any_precision_draw_the_same():
    expected = overlay(gray(), blobs()).astype(int)
    for kind in (np.float16, np.float64):
        assert np.abs(overlay(gray(), blobs().astype(kind)) - expected).max() <= 4
    assert overlay(gray((2, 3)), [[0, -1, -2], [-1, -2, -3]]).shape == (2, 3, 3)


def test_lines_are_drawn_where_they_run():
    mask = covered_by([np.array([[2.0, 5.0], [8.0, 5.0]])], (10, 12), 1)
    assert mask[5, 3:8].min() > 200
    assert mask[8].max() == 0
    assert OUTERMOST == 0.95


@pytest.mark.parametrize("letter", ["ä", "ß", "é", "ł", "Ж", "λ"])
def test_letters_beyond_ascii_are_drawn(letter):
    def drawn(text):
        font = font_of(40.0, text)
        return np.asarray(font.getmask(text)).copy()

    assert not np.array_equal(drawn(letter), np.asarray(font_of(40.0, letter).getmask("\uffff")))  # not the box
    assert np.array_equal(drawn("a"), np.asarray(font_of(40.0).getmask("a")))  # others as before
