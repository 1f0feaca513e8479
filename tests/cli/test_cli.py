"""The command line from end to end, in this process, as a user types it."""

import json
import os
import re

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from scipy.io import savemat
from toy import make_photograph, write_image, write_palette_without_colors

from foveal.cli.app import app
from foveal.images import read_image
from foveal.metrics import list_metrics
from foveal.models import DEFAULT_MODEL, load_model, save_model
from foveal.models.base import stacked
from foveal.models.classical.image_signature import ImageSignature


def test_predict_a_file(foveal, tmp_path):
    write_image(tmp_path / "photo.jpg", make_photograph())
    code, out, _ = foveal("predict", "photo.jpg", "--save", "overlay,overlay2x,density,map", "--out", "res")
    assert code == 0
    assert out.split() == [
        "res/photo.overlay.png",
        "res/photo.overlay@2x.png",
        "res/photo.density.npy",
        "res/photo.map.png",
    ]
    log_density = np.load(tmp_path / "res/photo.density.npy")
    assert (log_density.shape, log_density.dtype) == ((60, 80), np.float32)
    assert np.logaddexp.reduce(log_density.ravel().astype(np.float64)) == pytest.approx(0, abs=1e-4)
    assert cv2.imread(str(tmp_path / "res/photo.map.png"), cv2.IMREAD_UNCHANGED).dtype == np.uint16
    listing = json.loads((tmp_path / "res/predictions.json").read_text())
    assert listing["model"] == DEFAULT_MODEL
    assert listing["failed"] == []
    assert listing["predictions"][0]["width"] == 80
    assert listing["predictions"][0]["files"]["map"] == "res/photo.map.png"


def test_predict_a_folder_keeps_its_sub_folders_and_tells_names_apart(foveal, tmp_path):
    for name in ("in/a.jpg", "in/a.png", "in/sub/a.jpg"):
        write_image(tmp_path / name, make_photograph(len(name)))
    code, _, _ = foveal("predict", "in", "--save", "density", "--batch-size", "2")
    assert code == 0
    files = sorted(p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*.npy"))
    assert files == ["a.jpg.density.npy", "a.png.density.npy", "sub/a.density.npy"]


def test_photographs_of_one_name_in_several_folders(foveal, tmp_path):
    for folder in ("monday", "tuesday"):
        write_image(tmp_path / folder / "x.png", make_photograph())
    code, _, _ = foveal("predict", "monday", "tuesday", "monday/x.png", tmp_path / "tuesday/x.png", "--save", "density")
    assert code == 0
    files = sorted(p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*.npy"))
    assert files == ["monday/x.density.npy", "tuesday/x.density.npy"]


def test_results_inside_the_folder_are_not_predicted_again(foveal, tmp_path):
    write_image(tmp_path / "a.png", make_photograph())
    for _ in range(2):
        assert foveal("predict", ".")[0] == 0
    assert len(json.loads((tmp_path / "out/predictions.json").read_text())["predictions"]) == 1


def test_one_result_that_cannot_be_written_does_not_stop_the_others(foveal, tmp_path):
    long = "n" * 245 + ".png"
    for name in (long, "a.png"):
        write_image(tmp_path / name, make_photograph())
    code, out, err = foveal("predict", long, "a.png", "--save", "density")
    assert code == 1
    assert out.split() == ["out/a.density.npy"]
    assert "File name too long" in err


def test_predict_all_kinds_of_images(foveal, tmp_path):
    photo = Image.fromarray(make_photograph())
    photo.convert("L").save(tmp_path / "gray.png")
    photo.convert("CMYK").save(tmp_path / "cmyk.jpg")
    photo.convert("RGBA").save(tmp_path / "rgba.png")
    Image.fromarray(np.asarray(photo.convert("L")).astype(np.uint16) * 257).save(tmp_path / "deep.png")
    exif = Image.Exif()
    exif[0x0112] = 6
    photo.save(tmp_path / "turned.jpg", exif=exif)
    names = ["gray.png", "cmyk.jpg", "rgba.png", "deep.png", "turned.jpg"]
    code, _, _ = foveal("predict", *names, "--save", "density")
    assert code == 0
    shapes = [np.load(tmp_path / f"out/{name.split('.')[0]}.density.npy").shape for name in names]
    assert shapes == [(60, 80)] * 4 + [(80, 60)]


def test_bad_images_are_named_and_the_rest_is_done(foveal, tmp_path):
    write_image(tmp_path / "in/good.png", make_photograph())
    write_image(tmp_path / "in/dot.png", np.full((1, 1, 3), 9, np.uint8))
    write_image(tmp_path / "in/line.png", np.full((1, 3000, 3), 9, np.uint8))
    noise = np.random.default_rng(0).integers(0, 255, (80, 80, 3), dtype=np.uint8)
    write_image(tmp_path / "in/cut.jpg", noise)
    (tmp_path / "in/cut.jpg").write_bytes((tmp_path / "in/cut.jpg").read_bytes()[:2000])
    (tmp_path / "in/text.jpg").write_text("dear diary")
    code, _, err = foveal("predict", "in", "missing.jpg", "no-folder")
    assert code == 1
    complaints = [line for line in err.splitlines() if line.startswith("foveal: error:")]
    assert len(complaints) == 4
    for name in ("cut.jpg", "text.jpg", "missing.jpg", "no-folder"):
        assert sum(name in line for line in complaints) == 1
    assert "4 of 7 inputs failed" in err
    listing = json.loads((tmp_path / "out/predictions.json").read_text())
    assert {p["image"] for p in listing["predictions"]} == {"in/good.png", "in/dot.png", "in/line.png"}
    assert len(listing["failed"]) == 4
    assert np.load(tmp_path / "out/line.density.npy").shape == (1, 3000)


def test_what_is_left_out_of_a_folder_is_named(foveal, tmp_path):
    write_image(tmp_path / "in/good.png", make_photograph())
    write_palette_without_colors(tmp_path / "in/bare.png")
    os.mkfifo(tmp_path / "in/pipe.jpg")
    for name in ("a.heic", "notes.txt", ".DS_Store"):
        (tmp_path / "in" / name).touch()
    code, out, err = foveal("predict", "in", "in/a.heic", "n" * 300, "--save", "density")
    assert (code, out.split()) == (1, ["out/good.density.npy"])
    *complaints, count = err.splitlines()
    for name in ("in/bare.png", "in/pipe.jpg", "nnn"):
        assert sum(f"error: {name}" in line for line in complaints) == 1
    assert sum("in/a.heic: pictures of this kind (.heic) are not read" in line for line in complaints) == 2
    assert (len(complaints), count) == (5, "foveal: 5 of 6 inputs failed")
    (tmp_path / "in/good.png").unlink()
    code, _, err = foveal("predict", "in/a.heic", "missing.jpg")
    assert code == 1


def test_weights_that_are_no_numbers_predict_nothing(foveal, tmp_path):
    model = load_model("image-signature")
    model.calibration.log_prior[0, 0] = float("nan")
    save_model(model, tmp_path / "nan.safetensors")
    write_image(tmp_path / "a.png", make_photograph())
    code, out, err = foveal("predict", "a.png", "--model", "nan.safetensors")
    assert (code, out) == (1, "")
    assert err.splitlines()[0].startswith("foveal: error: a.png: the prediction holds NaN or infinite values")


@pytest.mark.parametrize("command", ["evaluate", "benchmark", "export", "train"])
def test_one_bad_picture_of_a_data_set_is_named_and_the_rest_is_done(foveal, study, command):
    """One without its colors, one that the model fails on, one of a kind that is not read."""
    (study / "images/left.heic").touch()
    write_palette_without_colors(study / "images/0.png", (60, 80))
    options = {
        "evaluate": ["--model", "image-signature", "--metrics", "NSS", "--dataset", "study"],
        "benchmark": ["--models", "image-signature", "--metrics", "NSS", "--datasets", "study", "--out", "b"],
        "export": ["--model", "image-signature", "--dataset", "study", "--out", "e.h5"],
        "train": ["image-signature", "--dataset", "study"],
    }
    with pytest.MonkeyPatch.context() as patch:
        compute = ImageSignature.saliency_map

        def fail(self, images):
            if torch.equal(images[0], stacked([read_image(study / "images/3.png")])[0]):
                raise RuntimeError("no kernel")
            return compute(self, images)

        patch.setattr(ImageSignature, "saliency_map", fail)
        code, _, err = foveal(command, *options[command])
    assert code == 1
    lines = err.splitlines()
    for said in (
        "left.heic: pictures of this kind",
        "0.png: the image cannot be read (it has no pal",
        "3.png: no kernel",
    ):
        assert sum(said in line for line in lines) == 1, err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["predict", "missing.jpg"], "missing.jpg: no such file or folder"),
        (["predict", "empty"], "no picture in it"),
        (["predict", "photo.jpg", "--out", "photo.jpg/x"], "choose another folder"),
        (["predict", "photo.jpg", "--model", "unknown-net"], "no model 'unknown-net'"),
        (["predict", "photo.jpg", "--model", "gold"], "gold is made from fixations"),
        (["predict", "photo.jpg", "--save", "video"], "no output 'video'"),
        (["predict", "photo.jpg", "--save", ""], "no output ''"),
        (["predict", "photo.jpg", "--ppd", "-3"], "positive number"),
        (["predict", "photo.jpg", "--batch-size", "0"], "at least 1"),
        (["predict", "photo.jpg", "--device", "warp9"], "device 'warp9'"),
        (["evaluate", "--model", "bms", "--dataset", "nothing"], "no data set 'nothing'"),
        (["evaluate", "--model", "bms", "--dataset", "osie"], "osie: no data/eye/fixations.mat under"),
        (["evaluate", "--model", "bms", "--dataset", "study", "--metrics", "AUK"], "no metric 'AUK'"),
        (["evaluate", "--model", "bms", "--dataset", "study", "--split", "fold0"], "no split 'fold0'"),
        (["evaluate", "--model", "bms", "--dataset", "study", "--window", "0-500"], "needed are the columns start_ms"),
        (["evaluate", "--model", "bms", "--dataset", "study", "--window", "500"], "window begins before it ends"),
        (["evaluate", "--model", "bms", "--dataset", "study", "--window", "-5"], "START-STOP in ms"),
        (["evaluate", "--model", "bms", "--dataset", "study", "--order", "0"], "a number such as 1"),
        (["evaluate", "--model", "bms", "--dataset", "study", "--order", "7"], "no fixation with the number 7"),
        (["datasets", "salicon"], "no data set 'salicon'"),
        (["train", "uniform", "--dataset", "study"], "nothing to train"),
        (["train", "bms", "--dataset", "study", "--out", "photo.jpg/x"], "choose another folder"),
        (["evaluate", "--model", "bms", "--dataset", "study", "--json", "photo.jpg/x"], "choose another folder"),
        (["evaluate", "--model", "bms,bms", "--dataset", "study"], "two of the models are called 'bms'"),
        (["evaluate", "--model", "bms", "--dataset", "study", "--metrics", ""], "no metric to compute"),
        (["predict"], "Missing argument"),
        (["predict", "photo.jpg", "--speed", "9"], "No such option"),
    ],
)
def test_a_wrong_call_is_one_clear_line_and_status_2(foveal, study, tmp_path, arguments, complaint):
    write_image(tmp_path / "photo.jpg", make_photograph())
    (tmp_path / "empty").mkdir()
    code, out, err = foveal(*arguments)
    assert code == 2
    assert complaint in err
    assert out == ""
    assert "Traceback" not in err
    if err.startswith("foveal: error:"):
        assert len(err.splitlines()) == 1


def test_evaluate_a_folder_of_ones_own(foveal, study, tmp_path):
    code, out, err = foveal(
        "evaluate", "--model", "uniform,centerbias,bms,gold", "--dataset", "study", "--json", "out.json"
    )
    assert (code, err) == (0, "")
    rows = json.loads((tmp_path / "out.json").read_text())
    assert {row["metric"] for row in rows} == set(list_metrics())
    assert {row["model"] for row in rows} == {"uniform", "centerbias", "bms", "gold"}
    assert set(rows[0]) == {"model", "dataset", "metric", "value", "ci_low", "ci_high", "n_images"}
    assert all(row["n_images"] == 4 and row["dataset"] == "toy" for row in rows)
    assert out.splitlines()[0].strip() == "toy, 4 images"
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in out.splitlines() if "│" in line]
    uniform = [row[1:] for row in rows if row[0] == "uniform"]
    assert [row[0] for row in uniform[:4]] == ["IG ↑", "AUC ↑", "NSS ↑", "sAUC ↑"]
    assert uniform[1][3:] == ["", "0.5"]
    assert float(uniform[1][1]) == 0.5
    assert ["KL ↓", "nat", ""] in [[row[0], *row[3:]] for row in uniform]
    assert ["IG ↑", "bit/fixation", "0"] in [[row[0], *row[3:]] for row in uniform]
    assert not re.search(r"-0\.0+\b", out)


def test_evaluate_some_metrics_of_some_images(foveal, study, tmp_path):
    code, _, _ = foveal(
        "evaluate", "--model", "bms", "--dataset", study, "--metrics", "AUC,NSS", "--limit", "2", "--raw", "--json", "r"
    )
    assert code == 0
    assert [(row["metric"], row["n_images"]) for row in json.loads((tmp_path / "r").read_text())] == [
        ("AUC", 2),
        ("NSS", 2),
    ]


def test_evaluate_what_is_seen_first(foveal, study):
    call = ("evaluate", "--model", "uniform", "--dataset", study, "--metrics", "AUC", "--order")
    assert [foveal(*call, order)[1].splitlines()[0].strip() for order in ("1", "2-3")] == [
        "toy, fixation 1, 4 images",
        "toy, fixations 2 to 3, 4 images",
    ]


def test_paths_of_people(foveal, study, tmp_path):
    code, out, err = foveal(
        "paths", "--dataset", study, "--limit", "3", "--metrics", "ScanMatch,DTW", "--json", "p.json"
    )
    assert (code, err) == (0, "")
    assert out.splitlines()[0].strip() == "toy, 3 images"
    rows = json.loads((tmp_path / "p.json").read_text())
    assert [(row["metric"], row["unit"], row["n_images"]) for row in rows] == [
        ("ScanMatch", "", 3),
        ("DTW", "degree", 3),
    ]
    assert f"{rows[0]['value']:.3f}" in out
    assert "no path metric 'DTV' (did you mean DTW?" in foveal("paths", "--dataset", study, "--metrics", "DTV")[2]


def test_evaluate_names_what_it_left_out(foveal, study):
    table = (study / "fixations.csv").read_text()
    (study / "fixations.csv").write_text(table + "0.png,nan,1,0,9\n1.png,5000,1,0,9\n")
    (study / "dataset.toml").unlink()
    call = ("evaluate", "--model", "uniform", "--dataset", "study", "--metrics", "AUC")
    code, out, err = foveal(*call)
    assert code == 0
    assert "uniform" in out
    lines = err.splitlines()
    assert len(lines) == 3
    assert all(line.startswith("foveal: note: ") for line in lines)
    assert lines[0].startswith("foveal: note: study: 35 pixels per degree assumed")
    assert "x or y is not a number (first: '0.png' in line 122)" in lines[1]
    assert "the fixation is outside its image (first: '1.png' in line 123)" in lines[2]
    code, out, strict_err = foveal(*call, "--strict")
    assert (code, strict_err) == (1, err)
    assert "uniform" in out


def test_strict_is_of_rows_not_of_what_was_assumed(foveal, study):
    table = (study / "fixations.csv").read_text()
    (study / "fixations.csv").write_text(table.replace("0.png", "0.PNG").replace(",", ";"))
    (study / "dataset.toml").unlink()
    code, _, err = foveal("datasets", "study", "--strict")
    assert code == 0
    assert [line.split(": ", 3)[3][:24] for line in err.splitlines()] == [
        "35 pixels per degree ass",
        "its columns are separate",
        "30 of 120 rows name thei",
    ]


@pytest.mark.parametrize(
    "command",
    [
        ("datasets", "study"),
        ("evaluate", "--model", "uniform", "--dataset", "study", "--metrics", "AUC"),
        ("benchmark", "--models", "uniform", "--datasets", "study", "--metrics", "AUC", "--out", "out"),
        ("export", "--model", "uniform", "--dataset", "study", "--out", "out.hdf5"),
        ("train", "centerbias", "--dataset", "study"),
    ],
)
def test_every_command_that_reads_a_table_says_what_is_wrong_with_it(foveal, study, command):
    with (study / "fixations.csv").open("a") as table:
        table.write("gone.png,1,1,0,9\n")
    for strict, status in (((), 0), (("--strict",), 1)):
        code, out, err = foveal(*command, *strict)
        assert code == status
        assert out != ""
        (line,) = err.splitlines()
        assert line.startswith("foveal: note: ")
        assert "1 of 121 rows left out: their image is not among the pictures" in line
    (study / "images" / "broken.png").write_bytes(b"nothing")
    code, _, err = foveal(*command)
    assert (code, "foveal: error: study/images/broken.png: not an image" in err) == (1, True)
    (study / "fixations.csv").write_text("image,x,y\ngone.png,1,1\n")
    code, out, err = foveal(*command)
    assert (code, out) == (2, "")
    assert "fixations.csv: none of its 1 rows can be used: their image is not among the pictures" in err


@pytest.mark.parametrize(
    "command", ["datasets", "evaluate", "benchmark", "export", "train", "patches", "paths", "layers"]
)
def test_every_command_that_reads_a_data_set_can_be_strict(foveal, command):
    assert "--strict" in foveal(command, "--help")[1]


def test_no_name_of_a_data_set_leads_out_of_the_folder(foveal, study, tmp_path):
    settings = (study / "dataset.toml").read_text()
    (study / "dataset.toml").write_text(settings.replace('"toy"', '"../../../x"'))
    before = sorted(tmp_path.rglob("*"))
    for call in (
        ("benchmark", "--models", "uniform", "--datasets", "study", "--out", "a/b/out"),
        ("train", "centerbias", "--dataset", "study", "--out", "a/b/out"),
        ("datasets", "study"),
    ):
        code, out, err = foveal(*call)
        assert (code, out) == (2, "")
        assert "study/dataset.toml: name: '../../../x' (needs 1 to 200 characters, no slashes" in err
    assert sorted(tmp_path.rglob("*")) in (
        before,
        sorted([*before, tmp_path / "a", tmp_path / "a/b", tmp_path / "a/b/out"]),
    )


def test_a_name_that_is_too_long_for_a_file_is_one_clear_line(foveal):
    for call in (("datasets", "n" * 5000), ("evaluate", "--model", "bms", "--dataset", "/" + "n" * 5000)):
        code, _, err = foveal(*call)
        assert (code, len(err.splitlines())) == (2, 1)


def test_train_then_predict_with_what_was_trained(foveal, study, tmp_path):
    code, out, _ = foveal("train", "bms", "--dataset", "study", "--out", "weights")
    assert code == 0
    assert "bms fitted to 4 images of toy" in out
    write_image(tmp_path / "photo.jpg", make_photograph())
    code, _, _ = foveal("predict", "photo.jpg", "--model", "weights/bms.safetensors")
    assert code == 0


def test_train_names_what_it_left_out(foveal, study):
    (study / "images/1.png").write_bytes((study / "images/1.png").read_bytes()[:200])
    code, out, err = foveal("train", "bms", "--dataset", "study")
    assert code == 1
    assert "weights: out/bms.safetensors" in out
    assert "1.png: the image cannot be read" in err


def test_the_default_model_is_the_librarys(foveal):
    assert f"[default: {DEFAULT_MODEL}]" in foveal("predict", "--help")[1]


def test_models_and_datasets(foveal):
    code, out, _ = foveal("models")
    assert code == 0
    assert "Zhang & Sclaroff" in out
    cards = json.loads(foveal("models", "--json")[1])
    assert {"name", "family", "year", "paper", "trainable", "weights", "licence"} <= set(cards[0])
    code, out, _ = foveal("datasets", "--data-root", ".")
    assert code == 0
    assert "osie" in out
    assert all(not card["found"] for card in json.loads(foveal("datasets", "--data-root", ".", "--json")[1]))
    assert "data/eye/fixations.mat" in foveal("datasets", "osie")[1]
    assert foveal("--version")[1].startswith("foveal ")


def test_the_splits_of_a_data_set_that_is_here(foveal, tmp_path):
    """Also of one that cannot be read: what is known of it is needed most then."""
    subject = {"fix_x": [40.5, 10.0], "fix_y": [30.2, 1.0], "fix_duration": [200.0, 150.0]}
    mat = tmp_path / "osie/data/eye/fixations.mat"
    mat.parent.mkdir(parents=True)
    savemat(mat, {"fixations": np.array([{"img": "1001.jpg", "subjects": np.array([subject], dtype=object)}])})
    write_image(tmp_path / "osie/data/stimuli/1001.jpg", make_photograph())
    code, out, _ = foveal("datasets", "osie", "--data-root", ".")
    assert (code, "splits: fold0 (1 images), fold1 (0 images)" in out) == (0, True)
    assert "fold0 (1 images)" in json.loads(foveal("datasets", "osie", "--data-root", ".", "--json")[1])[0]["splits"]
    mat.write_bytes(mat.read_bytes()[:100])
    code, out, _ = foveal("datasets", "osie", "--data-root", ".")
    assert (code, "splits: cannot be read (" in out, "how to get" in out) == (0, True, True)


def test_what_is_in_a_folder_of_ones_own(foveal, study):
    code, out, _ = foveal("datasets", "study")
    assert code == 0
    assert "images with fixations: 4\nobservers: 5\nfixations: 120" in out
    (study / "fixations.csv").write_text("image,x,y\n0.png,1,2\ngone.png,1,2\n")
    code, out, err = foveal("datasets", "study", "--json")
    assert code == 0
    facts = json.loads(out)
    assert facts["images with fixations"] == 1
    assert any("gold standard" in line and "subject" in line for line in facts["missing"])
    assert "'gone.png' in line 3" in facts["notes"][0]
    assert "'gone.png' in line 3" in err
    code, _, err = foveal("datasets", "--out", "summary")
    assert (code, "--out: say which data set" in err) == (2, True)


def test_help_of_every_command(foveal):
    commands = [(command.name,) for command in app.registered_commands]
    for group in app.registered_groups:
        commands += [(group.name,), *((group.name, of.name) for of in group.typer_instance.registered_commands)]
    assert {("predict",), ("layers",), ("weights",), ("weights", "install")} <= set(commands)
    for command in commands:
        code, out, _ = foveal(*command, "--help")
        assert code == 0
        assert f"Usage: foveal {' '.join(command)} " in out


def test_predict_at_a_time(foveal, tmp_path):
    """The density of a moment; earlier, it is another one, and predictions.json says which."""
    write_image(tmp_path / "photo.jpg", make_photograph())
    moments = {"250ms": 250, "1.5s": 1500}
    found = {}
    for text, at_ms in moments.items():
        assert foveal("predict", "photo.jpg", "--at", text, "--save", "density", "--out", text)[0] == 0
        assert json.loads((tmp_path / text / "predictions.json").read_text())["at_ms"] == at_ms
        found[text] = np.load(tmp_path / text / "photo.density.npy")
        expected = load_model("foveal-s").at(at_ms).predict(tmp_path / "photo.jpg").log_density
        np.testing.assert_allclose(found[text], expected, atol=1e-5)
    assert not np.allclose(*found.values(), atol=0.1)


@pytest.mark.parametrize("text", ["500", "soon", "-1s", "1m", "", "ms", "1e3ms"])
def test_predict_at_what_is_no_time(foveal, text):
    code, _, err = foveal("predict", "photo.jpg", "--at", text)
    assert code == 2
    assert f"a time such as 500ms or 1s, not {text!r}" in " ".join(err.split())


@pytest.mark.parametrize("option", [("--at", "1s"), ("--animate",)])
def test_predict_at_a_time_by_another_model(foveal, tmp_path, option):
    write_image(tmp_path / "photo.jpg", make_photograph())
    code, _, err = foveal("predict", "photo.jpg", "--model", "bms", *option)
    assert code == 2
    assert err.splitlines() == ["foveal: error: bms does not say what is seen when; foveal-s does"]
    assert not (tmp_path / "out").exists()


def test_predict_animated(foveal, tmp_path):
    write_image(tmp_path / "photo.jpg", make_photograph(size=(150, 200)))
    code, out, _ = foveal("predict", "photo.jpg", "--animate", "--style", "fog", "--save", "density")
    assert code == 0
    assert out.split() == ["out/photo.density.npy", "out/photo.gif"]
    listing = json.loads((tmp_path / "out/predictions.json").read_text())
    assert listing["predictions"][0]["files"]["animation"] == "out/photo.gif"
    with Image.open(tmp_path / "out/photo.gif") as animation:
        assert animation.n_frames == 13
        frames = []
        for number in range(animation.n_frames):
            animation.seek(number)
            assert animation.info["duration"] == 250
            frames.append(np.asarray(animation.convert("RGB")).astype(int))
    assert frames[0].shape[:2] >= (150, 200)
    # Below the time, which is in the upper left corner, the first second changes most.
    below = [frame[75:150] for frame in frames]
    assert abs(below[4] - below[0]).mean() > abs(below[5] - below[4]).mean() > 0
