"""The HTTP interface: the numbers and drawings of the library, and a clear answer to whatever is wrong."""

import json
import random
import re
import struct
import time
import zlib
from io import BytesIO

import numpy as np
import pytest
from toy import make_photograph
from visitors import MODEL, encoded

import foveal
from foveal.analysis.attention import attention, compared
from foveal.analysis.simulation import simulated_fixations
from foveal.figures.difference import difference_map
from foveal.images import encode_png
from foveal.models.registry import save_model
from foveal.web.app import create_app
from foveal.web.limits import Limits


@pytest.fixture(scope="module")
def prediction(picture):
    return foveal.load_model(MODEL).predict(picture)


def problem_of(answer) -> str:
    """The one line of problem details (RFC 9457)."""
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert told["status"] == answer.status_code
    assert set(told) == {"type", "title", "status", "detail"}
    assert "\n" not in told["detail"]
    return told["detail"]


# ---- what is answered ----------------------------------------------------------------------------------------------


def test_numbers_are_those_of_the_library(ask, prediction):
    regions = [
        {"name": "sign", "box": [10, 20, 50, 40]},
        {"name": "corner", "polygons": [[[0, 0], [60, 0], [0, 60]]]},
    ]
    told = ask("attention", regions=regions).json()
    corner = foveal.PictureRegion("corner", (np.array([[0, 0], [60, 0], [0, 60]]) - 0.5,))
    found = attention(prediction, [foveal.PictureRegion.box("sign", 10, 20, 50, 40), corner], range(1, 11))
    expected = json.loads(json.dumps(found.to_dict())) | {"picture": "shop"}
    expected["whole"]["in_words"] = found.whole.in_words
    assert told == expected


def test_a_density_and_fixations_are_those_of_the_library(ask, prediction):
    assert np.array_equal(np.load(BytesIO(ask("density").content)), prediction.log_density)
    told = [(point["x"], point["y"]) for point in ask("fixations", n="4", seed="2").json()]
    assert told == simulated_fixations(prediction, 4, seed=2)


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_tables_are_those_of_the_command_line(ask, prediction, kind, tmp_path):
    attention(prediction, [foveal.PictureRegion.box("sign", 10, 20, 50, 40)]).save(tmp_path / f"a.{kind}")
    content = ask("table", name="image.png", format=kind, regions=[{"name": "sign", "box": [10, 20, 50, 40]}]).content
    assert content == (tmp_path / f"a.{kind}").read_bytes()


@pytest.mark.parametrize("style", ["heatmap", "contours", "fog", "hotspots", "heatmap+contours"])
def test_a_drawing_cannot_be_told_from_that_of_the_command_line(ask, prediction, style, tmp_path):
    written = prediction.save(tmp_path, ["overlay"], style=style)["overlay"].read_bytes()
    assert ask("overlay", style=style).content == written


def test_a_plain_picture(ask, picture):
    answer = ask("overlay", style="picture")
    assert answer.content == encode_png(picture)
    assert answer.headers["content-type"] == "image/png"


def test_two_pictures_and_two_models(client, ask, upload, prediction):
    other = make_photograph(seed=3, size=(100, 140))
    second = foveal.load_model(MODEL).predict(other)
    regions = [{"name": "left", "box": [0, 0, 70, 100]}]
    files = {"picture": ("a.png", upload), "picture_b": ("b.png", encoded(other))}
    told = client.post("/api/compare", files=files, data={"regions": json.dumps(regions)}).json()
    left = [foveal.PictureRegion.box("left", 0, 0, 70, 100)]
    [row] = compared(attention(prediction, left), attention(second, left))
    assert told["compared"] == [
        {"name": "left", "a": row.a, "b": row.b, "difference": row.difference, "winner": row.winner}
    ]
    drawn = client.post("/api/difference", files=files)
    expected = difference_map(prediction.image, (prediction.density, second.density), ("a", "b"))
    assert drawn.content == encode_png(expected)
    told = ask("compare", model_b="centerbias").json()
    assert (told["a"]["model"], told["b"]["model"]) == (MODEL, "centerbias")


def test_models_that_predict_are_listed(client):
    models = client.get("/api/models").json()
    assert [model["name"] for model in models if model["is_default"]] == [MODEL]
    names = {model["name"] for model in models}
    assert {"foveal-s", "bms"} <= names
    assert not {"gold", "mlnet"} & names  # one needs fixations, the other has no weights


def test_styles_are_those_of_the_figures(client):
    styles = {style["name"]: style for style in client.get("/api/styles").json()}
    assert list(styles) == ["heatmap", "contours", "fog", "hotspots"]
    assert re.fullmatch("#[0-9a-f]{6}", styles["heatmap"]["colors"][0])


# ---- what is wrong -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("regions", "line"),
    [
        ([{"name": "far", "box": [500, 500, 20, 20]}], "far: no pixel of the picture of 160 x 120 px lies in it"),
        ([{"name": "flat", "box": [5, 5, 0, 20]}], "flat: 0.0 x 20.0 px (a box has a width and a height)"),
        ([{"name": "a", "box": [0, 0, 9, 9]}] * 2, "shop: two regions are called 'a'"),
        ([{"name": str(i), "box": [0, 0, 9, 9]} for i in range(10_000)], "10,000 regions, of at most 1,000"),
        ([{"name": "line", "polygons": [[[0, 0], [9, 9]]]}], "line: "),
        ([{"name": "none"}], "regions.0: Value error, either box or polygons is needed"),
        ([{"name": "huge", "box": [0, 0, 1e300, 9]}], "regions.0.box.2: Input should be less than or equal to 1000000"),
        ("[{", "regions: Invalid JSON"),
    ],
)
def test_regions_that_are_none(ask, regions, line):
    answer = ask("attention", regions=regions)
    assert answer.status_code == 422
    assert problem_of(answer).startswith(line)


def test_a_polygon_that_crosses_itself_has_what_is_enclosed_once(ask):
    bow = [[0, 0], [100, 100], [100, 0], [0, 100]]
    [region] = ask("attention", regions=[{"name": "bow", "polygons": [bow]}]).json()["regions"]
    assert region["area"] == pytest.approx(0.5 * 100 * 100 / (160 * 120), rel=0.03)


@pytest.mark.parametrize("seed", range(4))
def test_a_region_of_the_whole_picture_gets_all(ask, seed):
    content = encoded(make_photograph(seed, (123, 211)))
    [region] = ask("attention", content=content, regions=[{"name": "all", "box": [0, 0, 211, 123]}]).json()["regions"]
    assert region["share"] == pytest.approx(1)
    assert region["area"] == 1


def test_a_thousand_regions_that_are_the_same_or_lie_in_each_other(ask):
    """What is worst for the search of regions in regions is answered in seconds."""
    same = [{"name": str(number), "box": [0, 0, 100, 100]} for number in range(1000)]
    nested = [{"name": str(number), "box": [0, 0, 20 + number / 10, 100]} for number in range(1000)]
    for regions in (same, nested):
        begun = time.monotonic()
        seen = [region["seen"]["3"]["probability"] for region in ask("attention", regions=regions).json()["regions"]]
        assert time.monotonic() - begun < 20
        assert seen == sorted(seen)


def test_a_polygon_of_many_corners(ask):
    angles = np.linspace(0, 2 * np.pi, 5000, endpoint=False)
    corners = np.round(np.stack([80 + 50 * np.cos(angles), 60 + 50 * np.sin(angles)], axis=1), 3)
    [region] = ask("attention", regions=[{"name": "disc", "polygons": [corners.tolist()]}]).json()["regions"]
    assert region["area"] == pytest.approx(np.pi * 50**2 / (160 * 120), rel=0.01)


def test_a_model_from_a_file_is_the_first_of_the_list(upload, visitor_of, tmp_path):
    save_model(foveal.load_model(MODEL), tmp_path / "own.safetensors")
    client = visitor_of(create_app(model=str(tmp_path / "own.safetensors")))
    first = client.get("/api/models").json()[0]
    assert (first["name"], first["is_default"]) == ("own.safetensors", True)
    answer = client.post("/api/attention", files={"picture": upload}, data={"model": "own.safetensors"})
    assert answer.json()["model"] == MODEL


def test_regions_that_would_not_fit_into_memory(upload, visitor_of):
    client = visitor_of(create_app(model=MODEL, limits=Limits(region_pixels=50_000)))
    whole = [{"name": str(number), "box": [0, 0, 160, 120]} for number in range(4)]
    answer = client.post("/api/attention", files={"picture": upload}, data={"regions": json.dumps(whole)})
    assert problem_of(answer).startswith("the regions hold 77,760 px together, of at most 50,000")


def png_that_says(width: int, height: int) -> bytes:
    """A small file that would be a large picture."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", "picture: not an image that can be read"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "picture: not an image that can be read"),
        (b"%PDF-1.7", "picture: not an image that can be read"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "picture: not an image that can be read"),
        (png_that_says(60_000, 60_000), "picture: too many pixels"),
        (png_that_says(6000, 5000), "picture: 6000 x 5000 px are too many (at most 24 megapixels as PNG"),
        (png_that_says(0, 0), "picture: "),
        (b"\xff\xd8" + b"\xff\xda" * 200, "picture: a JPEG of more than 100 scans"),
    ],
)
def test_what_is_no_picture(ask, content, line):
    answer = ask("attention", content=content, name="photo.jpg")  # what it is called is not trusted
    assert answer.status_code == 422
    assert problem_of(answer).startswith(line)


def malformed(upload_of: dict[str, bytes], seed: int) -> bytes:
    """A picture of some kind, damaged: cut off, bits turned, parts repeated or exchanged with those of another."""
    dice = random.Random(seed)
    content = bytearray(upload_of[dice.choice(sorted(upload_of))])
    for _ in range(dice.randint(1, 4)):
        at = dice.randrange(len(content)) if dice.random() < 0.5 else dice.randrange(min(64, len(content)))
        damage = dice.randrange(5)
        if damage == 0:
            content = content[: max(1, at)]
        elif damage == 1:
            content[at] ^= 1 << dice.randrange(8)
        elif damage == 2:
            content[at : at + 4] = dice.choice([b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff"])
        elif damage == 3:
            content[at:at] = content[at : at + dice.randrange(1, 200)]
        else:
            content[:at] = upload_of[dice.choice(sorted(upload_of))][:at]
    return bytes(content)


def test_300_malformed_uploads(ask, picture):
    kinds = ("PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP", "PPM", "JPEG2000")
    upload_of = {kind: encoded(picture[:40, :50], kind) for kind in kinds}
    statuses = []
    for seed in range(300):
        answer = ask("attention", content=malformed(upload_of, seed))
        statuses.append(answer.status_code)
        if answer.status_code != 200:
            assert problem_of(answer).startswith("picture: ")
    assert set(statuses) == {200, 422}


def test_models_that_do_not_predict(ask, tmp_path):
    assert problem_of(ask("attention", model="bmss")).startswith("no model 'bmss' (did you mean bms?")
    assert (
        problem_of(ask("attention", model="gold"))
        == "gold is made from fixations, and predicts no picture without them"
    )
    assert "comes without weights" in problem_of(ask("attention", model="mlnet"))
    weights = tmp_path / "own.safetensors"  # no path of a visitor is opened
    weights.write_bytes(b"x")
    assert problem_of(ask("attention", model=str(weights))).startswith("no model ")


def test_other_values_that_are_wrong(client, ask):
    assert problem_of(ask("overlay", style="ink")).startswith("no style 'ink'")
    assert problem_of(ask("overlay", format="exe")).startswith("format: ")
    assert problem_of(ask("attention", pixels_per_degree="-3")).startswith("pixels_per_degree: ")
    other = {"photo": b"x"}
    assert problem_of(client.post("/api/attention", files=other)) == "picture: Field required"
    assert client.get("/api/attention").status_code == 405
    assert client.get("/api/none").status_code == 404


def test_a_failure_of_ours_is_a_problem_without_details(upload, visitor_of, monkeypatch, capsys):
    app = create_app(model=MODEL)
    monkeypatch.setattr(app.state.workbench, "predict", lambda *_: 1 / 0)
    answer = visitor_of(app, raise_server_exceptions=False).post("/api/attention", files={"picture": upload})
    assert answer.status_code == 500
    assert problem_of(answer) == "Foveal failed (ZeroDivisionError); please report it"
    assert "ZeroDivisionError in" in capsys.readouterr().err  # for who reports it
