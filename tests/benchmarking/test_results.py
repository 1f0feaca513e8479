"""Paired differences, and values by image in files."""

import numpy as np
import pandas as pd
import pytest

import foveal
from foveal.benchmarking import write_per_image
from foveal.errors import FovealError


@pytest.fixture(scope="module")
def results(dataset):
    return foveal.evaluate(["centerbias", "bms", "gold"], dataset, ["IG", "AUC", "CC", "explained_information"])


def test_differences_are_of_the_same_images(results):
    table = results.against("centerbias")
    assert list(table.columns) == list(results.columns)
    assert table[table.model == "bms"].metric.tolist() == ["IG", "AUC", "CC", "explained_information"]
    assert table[table.model == "gold"].metric.tolist() == ["IG", "AUC", "explained_information"]
    value = results.set_index(["model", "metric"])["value"]
    for row in table.itertuples():
        assert row.value == pytest.approx(value[row.model, row.metric] - value["centerbias", row.metric], abs=1e-12)
        assert row.ci_low <= row.value <= row.ci_high
    with pytest.raises(FovealError, match="no model 'gbvs' among the results"):
        results.against("gbvs")


def test_a_paired_interval_is_that_of_the_differences():
    """Two models that differ by little on images that differ by much: only the pairing shows which is better."""
    rng = np.random.default_rng(0)
    difficulty = rng.normal(0, 1, 60)
    better = difficulty + 0.1 + rng.normal(0, 0.02, 60)
    images = [str(i) for i in range(60)]
    per_image = pd.concat(
        pd.DataFrame({"model": name, "dataset": "d", "image": images, "NSS": values})
        for name, values in (("a", difficulty), ("b", better))
    )
    results = foveal.Results.of(per_image, ["NSS"], [], 0)
    assert results.ci_high[0] > results.ci_low[1]
    difference = results.against("a")
    standard_error = np.std(better - difficulty, ddof=1) / np.sqrt(60)
    assert difference.value[0] == pytest.approx(np.mean(better - difficulty))
    assert difference.ci_low[0] == pytest.approx(difference.value[0] - 1.96 * standard_error, abs=0.002)
    assert difference.ci_high[0] == pytest.approx(difference.value[0] + 1.96 * standard_error, abs=0.002)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_values_by_image_are_written(results, tmp_path, suffix):
    write_per_image(results.per_image, tmp_path / f"values{suffix}")
    read = pd.read_csv if suffix == ".csv" else pd.read_parquet
    table = read(tmp_path / f"values{suffix}").astype({"image": str})
    assert list(table.columns) == ["model", "dataset", "image", "IG", "AUC", "CC", "gold_IG"]
    np.testing.assert_allclose(table["IG"], results.per_image["IG"])
    share = table[table.model == "bms"]["IG"].mean() / table[table.model == "bms"]["gold_IG"].mean()
    expected = results[(results.model == "bms") & (results.metric == "explained_information")].value.iloc[0]
    assert share == pytest.approx(expected)


def test_a_difference_leaves_out_what_either_model_lacks():
    per_image = pd.DataFrame(
        {
            "model": ["a"] * 4 + ["b"] * 4,
            "dataset": "d",
            "image": list("wxyz") * 2,
            "NSS": [np.nan, 1, 2, 3, 0, 1, 2, np.nan],
        }
    )
    difference = foveal.Results.of(per_image, ["NSS"], [], 0).against("a")
    assert difference[["value", "n_images"]].iloc[0].tolist() == [0, 2]
