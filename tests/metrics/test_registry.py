"""What every registered metric says of itself."""

import pytest

from foveal.metrics import get_metrics, list_metrics

CHANCE = {
    **dict.fromkeys(["AUC", "sAUC", "AUC_Judd", "AUC_Borji", "sAUC_MIT"], 0.5),
    **dict.fromkeys(["LL", "IG", "IG_MIT", "NSS", "NSS_MIT", "CC", "explained_information", "KL_fixations"], 0.0),
    **dict.fromkeys(["SIM", "SIM_MIT", "EMD", "KL"]),
}
UNIT = {
    **dict.fromkeys(["LL", "IG", "IG_MIT"], "bit/fixation"),
    **dict.fromkeys(["NSS", "NSS_MIT"], "SD"),
    **dict.fromkeys(["KL", "KL_fixations"], "nat"),
    "EMD": "32 px",
}


@pytest.mark.parametrize("name", list_metrics())
def test_every_metric_says_its_unit_chance_and_meaning(name):
    [metric] = get_metrics([name])
    if name in CHANCE:
        assert metric.chance == CHANCE[name]
        assert metric.unit == UNIT.get(name, "")
    assert metric.meaning[0].isupper()
    assert metric.meaning.endswith(".")
    assert len(metric.meaning.split()) < 20
    assert "\n" not in metric.meaning
