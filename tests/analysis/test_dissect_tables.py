"""Tables by category, against plain loops."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from foveal.analysis.dissect_output import by_category, rank_correlations
from foveal.analysis.dissect_recipes import depth_recipes
from foveal.analysis.dissect_tables import compared, held_out_top_means, held_out_values, map_means, summary_tables
from foveal.models.deep.dissection import Dissection, DissectionConfig

CATEGORIES = ["person_head", "text", "other"]


def table(seed=0, n_maps=25, shift=0.0):
    """Four regions of each of three categories on six images; map 3 answers to text."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(12):
        category = CATEGORIES[number % 3]
        values = rng.normal(shift, 1.0, n_maps)
        values[3] += 5.0 * (category == "text")
        rows.append(
            {"image": f"{number // 2}", "region": number, "category": category}
            | {str(i): v for i, v in enumerate(values)}
        )
    return pd.DataFrame(rows)


def slow_mean(data, category, number):
    return np.mean([row[str(number)] for row in data.to_dict("records") if row["category"] == category])


def test_top_ten_and_threshold():
    data = table()
    found = summary_tables({("net", "conv5_3"): data})
    for category in CATEGORIES:
        means = sorted((slow_mean(data, category, number) for number in range(25)), reverse=True)
        assert found["top_ten"][category][0] == pytest.approx(np.mean(means[:10]))
        assert found["above_threshold"][category][0] == sum(mean > 1.5 for mean in means)
    best = found["top_maps"].query("category == 'text' and rank == 1").iloc[0]
    assert (best["map"], best["mean_nss"]) == (3, pytest.approx(slow_mean(data, "text", 3)))
    assert list(found["top_ten"].columns) == ["network", "layer", "person_head", "text", "other"]
    assert "improvements" not in found


def test_improvements_are_over_the_first_network_at_the_same_layer():
    layers = {("a", "conv5_2"): table(0), ("a", "conv5_3"): table(1), ("b", "conv5_3"): table(2, shift=1.0)}
    found = summary_tables(layers)
    [row] = found["improvements"].to_dict("records")
    top = found["top_ten"].set_index(["network", "layer"])
    assert (row["network"], row["layer"]) == ("b", "conv5_3")
    assert row["text"] == pytest.approx(top.loc[("b", "conv5_3"), "text"] - top.loc[("a", "conv5_3"), "text"])


def test_maps_chosen_on_other_images_gain_nothing_by_chance():
    rng = np.random.default_rng(3)
    values = pd.DataFrame(rng.normal(0, 1, (200, 300)), columns=[str(i) for i in range(300)])
    values.insert(0, "image", [f"{i // 2}" for i in range(200)])
    values.insert(1, "region", range(200))
    values.insert(2, "category", ["plant"] * 20 + ["text"] * 180)
    chosen = summary_tables({("n", "l"): values})["top_ten"].iloc[0]
    held_out = held_out_top_means(values)
    assert chosen["plant"] > 0.35  # the best of 300 maps that answer to nothing
    assert abs(held_out["plant"]) < 0.15
    assert np.isnan(held_out_top_means(values[values["image"] == "0"])["plant"])
    pd.testing.assert_series_equal(held_out_top_means(values.sample(frac=1, random_state=0)), held_out)


def test_anova_and_comparisons():
    data = table(5)
    values = held_out_values(data)
    for value, row in zip(values, data.to_dict("records"), strict=True):
        others = data[data["image"].astype(int) % 2 != int(row["image"]) % 2]
        order = np.argsort([-slow_mean(others, row["category"], number) for number in range(25)], kind="stable")[:10]
        assert value == pytest.approx(np.mean([row[str(number)] for number in order]), rel=1e-5)
    found = compared(values, data["category"])
    groups = [values[data["category"] == category] for category in CATEGORIES]
    assert (found.anova["F"][0], found.anova["p"][0]) == pytest.approx(tuple(stats.f_oneway(*groups)))
    expected = stats.tukey_hsd(*groups)
    for row in found.pairs.itertuples():
        i, j = CATEGORIES.index(row.a), CATEGORIES.index(row.b)
        assert row.p == pytest.approx(expected.pvalue[i, j], abs=2e-3)
        assert row.difference == pytest.approx(groups[j].mean() - groups[i].mean())
    alone = data[data["category"] == "text"]
    assert compared(values[:4], alone["category"]).anova.empty
    unknown = pd.concat([data["category"], pd.Series(["food"] * 3)])
    with_unknown = compared(np.append(values, [np.nan] * 3), unknown)
    pd.testing.assert_frame_equal(with_unknown.anova, found.anova)


def test_output_saliency_by_category():
    data = table(6)
    rng = np.random.default_rng(0)
    outputs = data[["image", "region", "category"]].assign(output=rng.normal(size=12), people=rng.normal(size=12))
    found = by_category(outputs, data)
    for row in found.to_dict("records"):
        of_category = outputs[outputs["category"] == row["category"]]
        assert row["output"] == pytest.approx(np.mean(list(of_category["output"])))
        differences = [abs(a - b) for a, b in zip(of_category["output"], of_category["people"], strict=True)]
        assert row["difference"] == pytest.approx(np.mean(differences))
        means = sorted(map_means(data).loc[row["category"]], reverse=True)
        assert row["inner"] == pytest.approx(np.mean(means[:10]))
    r, p = rank_correlations(found)["output"]
    assert r in (-1.0, -0.5, 0.5, 1.0)
    assert 0 <= p <= 1
    assert np.isnan(rank_correlations(found[:2])["output"][0])


def test_each_recipe_trains_so_many_layers_of_the_tiny_network():
    recipes = depth_recipes()
    n_trained = {}
    for depth, recipe in recipes.items():
        network = Dissection(DissectionConfig(backbone="vgg16_tiny", area=64 * 64, **recipe.config))
        trained = network.parameter_groups().get("backbone", [])
        n_trained[depth] = sum(weight.ndim == 4 for weight in trained)
        assert recipe.losses == {"nss": 1.0}
        assert "osie" not in recipe.datasets
    assert n_trained == {"0": 0, "1": 1, "2": 2, "3": 3, "4": 4, "5": 5, "6": 6, "all": 13}
