"""`foveal import`: each tracker's file to a folder, and that to `foveal evaluate`, one command each."""

import json

import pytest
from miniatures import recordings as small

PLACE = ",".join(map(str, (*small.CORNER, *small.PICTURE)))
SCREEN = "{}x{}".format(*small.SCREEN)


@pytest.fixture
def pictures(tmp_path):
    return small.write_pictures(tmp_path / "pictures")


MAKERS = {
    "EyeLink": lambda folder: small.eyelink(folder / "p01.asc"),
    "Tobii": lambda folder: small.tobii(folder / "export.tsv"),
    "Gazepoint": lambda folder: small.gazepoint(folder / "User 0_all_gaze.csv"),
    "Pupil Labs": small.pupil_player,
    "SMI": lambda folder: small.smi(folder / "smi.txt"),
    "BIDS": small.bids,
}


@pytest.mark.parametrize("tracker", MAKERS)
def test_from_a_trackers_file_to_numbers(tracker, tmp_path, foveal, pictures):
    path = MAKERS[tracker](tmp_path)
    arguments = ["--screen", SCREEN, "--picture", PLACE, "--images", pictures, "--out", "study"]
    if tracker == "Pupil Labs":
        arguments += ["--times", small.times(tmp_path / "times.csv")]
    code, out, err = foveal("import", path, *arguments)
    assert code == 0, err
    assert "study/fixations.csv" in out
    assert tracker in out
    model = "uniform,centerbias"
    code, _, err = foveal(
        "evaluate", "--model", model, "--dataset", "study", "--metrics", "AUC,NSS", "--json", "s.json"
    )
    assert code == 0, err
    scores = json.loads((tmp_path / "s.json").read_text())
    assert {row["n_images"] for row in scores} == {2}
    assert next(row["value"] for row in scores if row["model"] == "uniform" and row["metric"] == "AUC") == 0.5


def test_one_bad_recording_of_several(tmp_path, foveal, pictures):
    good, bad = small.eyelink(tmp_path / "good.asc"), tmp_path / "bad.asc"
    bad.write_bytes(b"")
    code, out, err = foveal("import", bad, good, "--images", pictures, "--out", "study")
    assert code == 1
    assert err == f"foveal: error: {bad}: empty\n"
    assert "good" in out
    assert (tmp_path / "study/fixations.csv").read_text().count("good") == 8


def test_none_of_them_good(tmp_path, foveal, pictures):
    code, out, err = foveal("import", tmp_path / "gone.asc", "--images", pictures, "--out", "study")
    assert (code, out) == (1, "")
    assert err == f"foveal: error: {tmp_path}/gone.asc: cannot be read (No such file or directory)\n"
    assert not (tmp_path / "study/fixations.csv").exists()


@pytest.mark.parametrize(
    "arguments", [("--screen", "big"), ("--picture", "1,2,3"), ("--picture", "0,0,0,10"), ("--eye", "third")]
)
def test_a_wrong_call(arguments, tmp_path, foveal, pictures):
    path = small.eyelink(tmp_path / "p.asc")
    assert foveal("import", path, "--images", pictures, "--out", "study", *arguments)[0] == 2
