import base64
import io
import re

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as hnp
from matplotlib.figure import Figure
from PIL import Image
from toy import make_photograph

from foveal.errors import FovealError
from foveal.figures import overlay, plot_density, plot_fixations, save_figure
from foveal.figures.levels import density_at_mass
from foveal.figures.scene import Scene
from foveal.figures.styles import STYLES
from foveal.gaze import Fixations


def peaked(size=(90, 120), center=(80, 30), sigma=10):
    y, x = np.mgrid[: size[0], : size[1]]
    log_density = -((x - center[0]) ** 2 + (y - center[1]) ** 2) / (2 * sigma**2)
    return (log_density - np.logaddexp.reduce(log_density.ravel())).astype(np.float32)


@given(hnp.arrays(np.float64, (4, 5), elements={"min_value": 0.01, "max_value": 1}))
def test_a_level_encloses_its_share_and_no_pixel_more(density):
    density = density / density.sum()
    for share, level in zip((0.25, 0.5, 0.75), density_at_mass(density), strict=True):
        assert density[density >= level].sum() >= share - 1e-6
        assert density[density > level].sum() < share + 1e-6


def test_levels_of_a_gaussian():
    """A two-dimensional Gaussian holds the share 1 - exp(-r²/2σ²) within r."""
    density = np.exp(peaked((201, 201), (100, 100), 20))
    for share, level in zip((0.25, 0.5, 0.75), density_at_mass(density), strict=True):
        area = (density >= level).sum()
        assert area == pytest.approx(2 * np.pi * 20**2 * -np.log(1 - share), rel=0.02)


def test_the_overlay_is_hot_where_the_density_is():
    image = np.full((90, 120, 3), 120, np.uint8)
    drawn = overlay(image, peaked())
    assert drawn.shape == image.shape
    warm = drawn[..., 0].astype(int) - drawn[..., 1]
    assert warm[30, 80] > 50
    assert warm[85, 5] == 0


def test_contours_of_all_three_levels_are_drawn():
    image = np.zeros((300, 400, 3), np.uint8)
    log_density = peaked((300, 400), (200, 150), 40)
    white = (overlay(image, log_density, style="contours") > 180).all(axis=2)
    density = np.exp(log_density)
    for level in density_at_mass(density):
        row = density[150, 200:]
        edge = 200 + int((row >= level).sum()) - 1
        assert white[150, edge - 3 : edge + 4].any()


def test_a_photograph_of_another_size_is_refused():
    with pytest.raises(FovealError, match="a density of 120 x 90 px over a photograph of 90 x 120"):
        overlay(np.zeros((120, 90, 3), np.uint8), peaked())


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (50, 1), (3, 3)])
def test_tiny_pictures(size):
    uniform = np.full(size, -np.log(size[0] * size[1]), np.float32)
    assert overlay(np.zeros((*size, 3), np.uint8), uniform).shape == (*size, 3)


def test_a_large_picture_is_shrunk_for_looking_at():
    drawn = overlay(np.zeros((30, 5000, 3), np.uint8), np.zeros((30, 5000), np.float32))
    assert drawn.shape == (12, 2048, 3)


@pytest.mark.parametrize("size", [(301, 203), (33, 400), (400, 1)])
def test_a_density_shrunk_in_strips_is_the_density_shrunk(size):
    log_density = np.random.default_rng(0).normal(size=size).astype(np.float32)
    scene = Scene.of(None, log_density, largest_side=50)
    height, width = scene.density.shape
    whole = cv2.resize(np.exp(log_density), (width, height), interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(scene.density, whole / whole.max(), atol=1e-6)


def test_plots_have_the_photographs_coordinates(dataset):
    ax = Figure().subplots()
    fixations = dataset.fixations.for_image(0)
    plot_fixations(fixations, dataset.stimuli[0].image, ax=ax)
    assert ax.get_xlim() == (-0.5, 79.5)
    assert ax.get_ylim() == (59.5, -0.5)
    np.testing.assert_allclose(ax.collections[0].get_offsets(), np.stack([fixations.x, fixations.y], axis=1))
    assert plot_density(peaked(), make_photograph(size=(90, 120)), ax=Figure().subplots()) is not None
    assert plot_density(peaked(), ax=Figure().subplots()) is not None


@pytest.mark.parametrize("style", ["contours", "heatmap+hotspots"])
def test_lines_and_texts_are_vectors_in_a_figure(style):
    image = make_photograph(size=(300, 400))
    ax = plot_density(peaked((300, 400), (200, 150), 50), image, ax=Figure().add_subplot(), style=style)
    svg = io.StringIO()
    ax.figure.savefig(svg, format="svg")
    assert 'id="LineCollection_1"' in svg.getvalue()
    assert "50 %" in [text.get_text() for text in ax.texts]
    lines = ax.collections[0].get_segments()
    assert min(line[:, 0].min() for line in lines) > 100
    assert len(ax.images) == 1


@pytest.mark.parametrize("file_format", ["svg", "pdf"])
def test_a_figure_with_outlined_regions_has_the_same_bytes_every_time(file_format):
    log_density = peaked((300, 400), (200, 150), 50)
    square = np.array([[40.0, 60], [140, 60], [140, 110], [40, 110]])
    files = [io.BytesIO() for _ in range(3)]
    for file, outlines in zip(files, ([("$5$茶", [square])], [("$5$茶", [square])], []), strict=True):
        save_figure(log_density, make_photograph(size=(300, 400)), file, file_format, outlines=outlines)
    assert files[0].getvalue() == files[1].getvalue() != files[2].getvalue()


def test_outlines_in_axes_are_those_of_the_overlay():
    square = np.array([[400.0, 100], [1400, 100], [1400, 300], [400, 300]])
    log_density = peaked((600, 4096), (3000, 300), 100)
    ax = plot_density(log_density, ax=Figure().add_subplot(), outlines=[("$5$ 茶", [square]), ("", [square + 9])])
    line, _ = ax.collections[0].get_segments()
    np.testing.assert_allclose(line, [*square, square[0]], atol=1e-6)
    assert [text.get_text() for text in ax.texts] == ["$5$ □"]


def test_a_picture_in_a_figure_keeps_its_pixels():
    image = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    svg = io.BytesIO()
    save_figure(np.full((30, 40), -np.log(1200)), image, svg, "svg", color_bar=False)
    [png] = re.findall(r'href="data:image/png;base64,([^"]+)"', svg.getvalue().decode())
    drawn = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
    np.testing.assert_array_equal(drawn, image)


def test_lines_of_a_large_photograph_have_its_coordinates():
    log_density = peaked((600, 4096), (3000, 300), 100)
    ax = plot_density(log_density, ax=Figure().add_subplot(), style="contours", levels=[0.5])
    points = np.concatenate(ax.collections[0].get_segments())
    radius = np.hypot(points[:, 0] - 3000, points[:, 1] - 300)
    np.testing.assert_allclose(radius, 100 * np.sqrt(2 * np.log(2)), rtol=0.02)


def test_a_figure_has_a_color_bar_with_the_levels():
    ax = plot_density(peaked(), ax=Figure().add_subplot(), levels=[0.2, 0.6], cmap="viridis")
    (bar,) = ax.child_axes
    assert [tick.get_text() for tick in bar.get_xticklabels()] == ["20 %", "60 %", "95 %"]
    assert not plot_density(peaked(), ax=Figure().add_subplot(), color_bar=False).child_axes
    assert not plot_density(peaked(), ax=Figure().add_subplot(), style="fog").child_axes


def test_fixations_and_scanpaths_go_on_top_of_a_density(dataset):
    fixations = dataset.fixations.for_image(0).where(slice(0, 12))
    photograph = dataset.stimuli[0].image
    ax = plot_density(peaked((60, 80), (40, 30)), photograph, ax=Figure().add_subplot(), color_bar=False)
    assert plot_fixations(fixations, ax=ax, scanpath=True) is ax
    assert len(ax.images) == 1
    assert len(ax.lines) == len(fixations.subjects)
    assert [text.get_text() for text in ax.texts if text.get_text() == "1"]
    first = fixations.for_subject(fixations.subjects[0])
    np.testing.assert_allclose(ax.lines[0].get_xdata(), first.x[np.argsort(first.order)])


def test_what_cannot_be_plotted_is_said_in_one_line(dataset):
    one = dataset.fixations.for_image(0)
    ax = Figure().add_subplot()
    with pytest.raises(FovealError, match="of several photographs"):
        plot_fixations(dataset.fixations, ax=ax)
    with pytest.raises(FovealError, match="give a photograph, or axes"):
        plot_fixations(one)
    with pytest.raises(FovealError, match="needs the order"):
        plot_fixations(Fixations.of(one.image, one.x, one.y), ax=ax, scanpath=True)
    with pytest.raises(FovealError, match=r"has the shape \(height, width\), not \(4,\)"):
        plot_density(np.zeros(4), ax=ax)
    with pytest.raises(FovealError, match="no style 'jet'"):
        plot_density(peaked(), ax=ax, style="jet")


@pytest.mark.parametrize("style", ["contours", "hotspots", "fog"])
def test_a_figure_says_what_its_lines_mean(style):
    log_density = np.log(np.full((30, 40), 1 / 1200, np.float32))
    log_density[10:14, 20:26] += 3
    said = [text.get_text() for text in plot_density(log_density, style=style).texts]
    assert STYLES[style].legend in said
    assert STYLES[style].legend not in [
        text.get_text() for text in plot_density(log_density, style=style, color_bar=False).texts
    ]
