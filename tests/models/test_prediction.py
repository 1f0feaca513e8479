import base64
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO

import cv2
import matplotlib as mpl
import numpy as np
import pytest
import torch
from PIL import Image

from foveal.errors import FovealError
from foveal.models import load_model
from foveal.models.base import rgb_images


@pytest.fixture
def prediction(photograph):
    return load_model("bms").predict(photograph)


def test_what_is_saved_can_be_read_again(prediction, tmp_path):
    paths = prediction.save(tmp_path, ["overlay", "density", "map"])
    np.testing.assert_array_equal(np.load(paths["density"]), prediction.log_density)
    assert cv2.imread(str(paths["overlay"])).shape == prediction.image.shape
    saved = cv2.imread(str(paths["map"]), cv2.IMREAD_UNCHANGED)
    assert saved.dtype == np.uint16
    np.testing.assert_allclose(saved / 65535, prediction.density / prediction.density.max(), atol=1e-5)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "image.density.npy",
        "image.map.png",
        "image.overlay.png",
    ]


def test_unknown_output(prediction, tmp_path):
    with pytest.raises(FovealError, match="no output 'video'"):
        prediction.save(tmp_path, ["video"])


def test_figures_are_saved_as_vectors_the_same_every_time(prediction, tmp_path):
    first = prediction.save(tmp_path / "first", ["pdf", "svg"], style="heatmap+contours")
    assert first["pdf"].name == "image.overlay.pdf"
    assert first["pdf"].read_bytes().startswith(b"%PDF")
    svg = first["svg"].read_bytes()
    assert b"LineCollection" in svg
    assert prediction.save(tmp_path / "second", ["svg"], style="heatmap+contours")["svg"].read_bytes() == svg


def test_an_overlay_is_saved_at_twice_the_size(prediction, tmp_path):
    paths = prediction.save(tmp_path, ["overlay", "overlay2x"])
    assert paths["overlay2x"].name == "image.overlay@2x.png"
    small, large = (cv2.imread(str(path)) for path in paths.values())
    assert large.shape[:2] == (2 * small.shape[0], 2 * small.shape[1])


def test_a_picture_is_the_content_of_the_file(prediction, tmp_path):
    outputs = {"overlay": "png", "overlay2x": "png2x", "pdf": "pdf", "svg": "svg"}
    paths = prediction.save(tmp_path, list(outputs), style="contours", color_bar=False)
    for output, file_format in outputs.items():
        drawn = prediction.picture(file_format, style="contours", color_bar=False)
        assert drawn == paths[output].read_bytes(), output
    with pytest.raises(FovealError, match="no format 'bmp'"):
        prediction.picture("bmp")


def test_figures_of_several_threads_are_as_of_one(prediction):
    expected = prediction.picture("svg")
    with ThreadPoolExecutor(3) as threads:
        assert set(threads.map(prediction.picture, ["svg"] * 6)) == {expected}


def test_the_style_of_an_overlay(prediction, tmp_path):
    pictures = {
        style: prediction.save(tmp_path / style, ["overlay"], style=style)["overlay"].read_bytes()
        for style in ("heatmap", "contours", "fog", "hotspots")
    }
    assert len(set(pictures.values())) == 4
    with pytest.raises(FovealError, match="no style 'jet'"):
        prediction.save(tmp_path, ["density"], style="jet")


def test_a_notebook_shows_the_picture(photograph):
    large = np.kron(photograph, np.ones((20, 20, 1), np.uint8))
    prediction = replace(load_model("bms").predict(large), name="<b>A & B</b>")
    png = Image.open(BytesIO(prediction._repr_png_()))
    assert png.width == 1000
    assert png.height > 750  # with its color bar
    html = prediction._repr_html_()
    source = re.search(r'src="data:image/jpeg;base64,([^"]+)"', html)[1]
    assert Image.open(BytesIO(base64.b64decode(source))).size == png.size
    assert "&lt;b&gt;A &amp; B&lt;/b&gt; by bms, 1600 × 1200 px" in html
    assert "<b>" not in html


def test_path_pil_and_array_are_the_same(photograph, tmp_path):
    model = load_model("bms")
    Image.fromarray(photograph).save(tmp_path / "p.png")
    from_path = model.predict(tmp_path / "p.png")
    assert from_path.name == "p"
    for source in (str(tmp_path / "p.png"), Image.fromarray(photograph), photograph):
        np.testing.assert_array_equal(model.predict(source).log_density, from_path.log_density)


def test_batches_are_read_as_single_photographs_are(photograph, tmp_path):
    model = load_model("spectral-residual")
    Image.fromarray(photograph).save(tmp_path / "p.png")
    several = [tmp_path / "p.png", Image.fromarray(photograph), photograph]
    for compute in (model.saliency_map_of, model.log_density_of):
        for images in (several, np.stack([photograph] * 3)):
            maps = compute(images)
            assert len(maps) == 3
            torch.testing.assert_close(maps, compute([photograph]).expand_as(maps))
    for prediction in model.predict_batch(several, ["a", "b", "c"]):
        np.testing.assert_array_equal(prediction.image, photograph)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "no photographs"),
        (["missing.jpg"], "missing.jpg: no such file"),
        ("photo.jpg", "as a list"),
        (np.zeros((8, 9, 3), np.uint8), "as a list"),
        ([np.zeros((8, 9, 3))], "uint8 values from 0 to 255, not float64"),
        ([np.zeros((8, 9, 3), np.uint8), np.zeros((9, 8, 3), np.uint8)], "images of one size"),
    ],
)
def test_what_is_no_batch_of_photographs(given, message):
    model = load_model("spectral-residual")
    for compute in (model.saliency_map_of, model.log_density_of):
        with pytest.raises(FovealError, match=message):
            compute(given)


def test_one_photograph_is_no_batch(photograph):
    with pytest.raises(FovealError, match="as a list, also if there is only one"):
        rgb_images(Image.fromarray(photograph))


def test_peak_is_where_the_density_is_highest(prediction):
    x, y = prediction.peak
    assert prediction.log_density[y, x] == prediction.log_density.max()


def test_plot_draws_into_given_axes(prediction):
    with mpl.rc_context({"backend": "agg"}):
        from matplotlib.figure import Figure

        ax = Figure().subplots()
        assert prediction.plot(ax) is ax
        assert len(ax.images) == 1
