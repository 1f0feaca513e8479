"""`foveal evaluate` with predictions and comparisons, `foveal export`, `foveal benchmark`."""

import json

import numpy as np
import pandas as pd


def test_export_and_score_what_was_exported(foveal, study, tmp_path):
    code, out, err = foveal("export", "--format", "tuebingen", "--model", "bms", "--dataset", study, "--out", "p.hdf5")
    assert (code, err) == (0, "")
    assert "4 images" in out
    code, out, _ = foveal(
        *("evaluate", "--predictions", "p.hdf5", "--model", "bms", "--dataset", study, "--metrics", "LL,IG,CC"),
        *("--against", "bms", "--json", "out.json", "--per-image", "values.csv"),
    )
    assert code == 0
    assert "difference from bms" in out
    rows = json.loads((tmp_path / "out.json").read_text())
    values = {(row["model"], row["metric"]): row["value"] for row in rows}
    for metric in ("LL", "IG", "CC"):
        assert abs(values["p.hdf5", metric] - values["bms", metric]) < 1e-6
    per_image = pd.read_csv(tmp_path / "values.csv")
    assert list(per_image.columns) == ["model", "dataset", "image", "LL", "IG", "CC"]
    assert len(per_image) == 8


def test_predicted_maps_of_another_size(foveal, study, tmp_path):
    foveal("predict", study / "images", "--out", "maps", "--save", "density")
    assert len(list((tmp_path / "maps").glob("*.density.npy"))) == 4
    call = ("evaluate", "--predictions", "maps", "--dataset", study, "--metrics", "LL,AUC")
    assert foveal(*call)[0] == 0
    small = np.load(tmp_path / "maps/0.density.npy")[:30]
    np.save(tmp_path / "maps/0.density.npy", small - np.logaddexp.reduce(small.ravel()))
    code, _, err = foveal(*call)
    assert code == 1
    assert "0.png has 80 x 30 px, the image 80 x 60 (--resize" in err
    assert foveal(*call, "--resize")[0] == 0


def test_wrong_calls_of_evaluate(foveal, study, tmp_path):
    for call, message in [
        (("--predictions", "nowhere"), "no folder of maps and no HDF5 file"),
        (("--predictions", "nowhere.h5"), "no such file"),
        ((), "needed, or --predictions"),
        (("--model", "bms", "--per-image", "x.txt"), "written as .csv or .parquet"),
        (("--model", "bms", "--against", "gbvs"), "is not among the models"),
        (("--model", "gold", "--metrics", "CC"), "CC of the gold standard is not defined"),
    ]:
        code, _, err = foveal("evaluate", "--dataset", study, *call)
        assert code == 2
        assert message in err
    code, _, err = foveal("export", "--model", "bms", "--dataset", study, "--out", "x.npz")
    assert (code, "it is an HDF5 file" in err) == (2, True)
    code, _, err = foveal("export", "--model", "gold", "--dataset", study, "--out", "x.h5")
    assert (code, (tmp_path / "x.h5").exists()) == (2, False)


def test_benchmark_writes_a_report(foveal, study, tmp_path):
    call = ("benchmark", "--models", "uniform,centerbias,bms,gold", "--datasets", study, "--out", "bench")
    code, out, err = foveal(*call, "--metrics", "IG,AUC,CC")
    assert (code, err) == (0, "")
    assert "report.html" in out
    assert {path.name for path in (tmp_path / "bench").iterdir()} == {
        *("per_image", "report.html", "results.csv", "results.json")
    }
    rows = json.loads((tmp_path / "bench/results.json").read_text())
    assert len(rows) == 11  # gold has no CC
    assert len(pd.read_csv(tmp_path / "bench/results.csv")) == 11


def test_the_table_follows_the_metrics_asked_for_in_characters_that_can_be_written(foveal, study, monkeypatch):
    call = ("evaluate", "--model", "gold,uniform", "--dataset", study, "--metrics", "KL,AUC")
    out = foveal(*call)[1]
    assert out.index("KL ↓") < out.index("AUC ↑", out.index("uniform"))
    monkeypatch.setattr("foveal.cli.evaluate.can_write", lambda text: False)
    assert "AUC (high)" in foveal(*call)[1]
