"""From each tracker's file to fixations on pictures."""

import gzip
import json
import re
import warnings

import numpy as np
import pandas as pd
import pytest
from miniatures import recordings as small
from toy import make_photograph, write_image

import foveal
from foveal.datasets.recordings.formats import read_recordings
from foveal.datasets.recordings.pictures import shown_to
from foveal.errors import FovealError, FovealNote, RowsLeftOut

pytestmark = [
    pytest.mark.filterwarnings("ignore::foveal.errors.FovealNote"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:pymovements"),
]
WITHIN = 1.0  # px, of the mean of 75 samples with a noise of 0.4 px
PLACE = tuple(map(float, (*small.CORNER, *small.PICTURE)))


@pytest.fixture
def images(tmp_path):
    return small.write_pictures(tmp_path / "images")


@pytest.fixture
def imported(tmp_path, images):
    """Import recordings, and return what became of them."""

    def run(*paths, **options):
        options = {"screen": small.SCREEN, "picture": PLACE, **options}
        return foveal.import_recordings(paths, images, tmp_path / "study", **options)

    return run


def table_of(tmp_path) -> pd.DataFrame:
    return pd.read_csv(tmp_path / "study/fixations.csv", dtype={"subject": str})


def check(table: pd.DataFrame, shift=(0.0, 0.0), within=WITHIN, lingers=small.LINGERS) -> None:
    """All of what was looked at, in order, and nothing else."""
    for picture in small.LOOKED:
        rows = table[table["image"] == picture].sort_values("order")
        np.testing.assert_allclose(rows[["x", "y"]], small.expected(picture) + shift, atol=within)
        assert rows["order"].tolist() == [0, 1, 2, 3]
        assert rows["duration_ms"].between(250, 330).all()
        onsets = lingers + small.EACH * np.arange(4)
        np.testing.assert_allclose(rows["start_ms"], onsets, atol=30)  # saccades take time, which is not skipped


FILES = {
    "EyeLink": lambda folder: (small.eyelink(folder / "p01.asc"), "p01", {"ivt", "idt", "tracker"}),
    "Tobii": lambda folder: (small.tobii(folder / "export.tsv"), "anna", {"ivt", "idt", "tracker"}),
    "Tobii, times in ms": lambda folder: (small.tobii(folder / "x.tsv", unit="ms"), "anna", {"ivt", "idt", "tracker"}),
    "Gazepoint": lambda folder: (small.gazepoint(folder / "User 0_all_gaze.csv"), "User 0", {"ivt", "tracker"}),
    "Gazepoint, fixations": lambda folder: (
        small.gazepoint(folder / "User 0_fixations.csv", only_fixations=True),
        "User 0",
        {"tracker"},
    ),
    "Pupil Player": lambda folder: (small.pupil_player(folder), "gaze_positions_on_surface_screen", {"ivt", "idt"}),
    "Pupil Player, fixations": lambda folder: (
        small.pupil_player(folder, only_fixations=True),
        "fixations_on_surface_screen",
        {"tracker"},
    ),
    "Pupil Cloud": lambda folder: (small.pupil_cloud(folder / "gaze.csv"), "1f0c", {"ivt", "idt", "tracker"}),
    "SMI": lambda folder: (small.smi(folder / "smi.txt"), "p07", {"ivt", "idt", "tracker"}),
    "SMI, BeGaze": lambda folder: (small.begaze(folder / "begaze.txt"), "berta", {"ivt", "idt"}),
    "BIDS": lambda folder: (small.bids(folder / "beh", eyes=("cyclopean",)), "03", {"ivt", "idt"}),
}


@pytest.mark.parametrize("name", FILES)
def test_each_tracker_says_where_people_looked(name, tmp_path, imported):
    path, subject, methods = FILES[name](tmp_path)
    times = small.times(tmp_path / "times.csv") if name.startswith("Pupil") else None
    for method in sorted(methods):
        done = imported(path, method=method, times=times)
        assert done.problems == ()
        table = table_of(tmp_path)
        assert table["subject"].iloc[0] == subject
        # With I-DT a fixation ends when the span exceeds a degree, with samples of the saccade in it.
        table = table[table["subject"] == subject]
        if name == "Gazepoint" and method == "ivt":  # without samples before, the look at the cross is the first
            table = table[table["order"] > 0].assign(order=lambda rows: rows["order"] - 1)
        lingers = 0 if name == "Gazepoint, fixations" else small.LINGERS  # it counts from the first
        check(table, within=4.0 if method == "idt" else WITHIN, lingers=lingers)
        assert done.quality["tracker"].iloc[0] == name.split(",")[0].replace("Player", "Labs").replace("Cloud", "Labs")
        assert (done.quality["method"] == method).all()
    for method in {"ivt", "tracker"} - methods:
        problems = imported(path, method=method, times=times).problems
        assert len(problems) == 1
        assert "say --method" in problems[0]


def test_two_people_in_one_file_are_two_subjects(tmp_path, imported):
    imported(small.pupil_cloud(tmp_path / "gaze.csv"), times=small.times(tmp_path / "times.csv"))
    assert table_of(tmp_path)["subject"].unique().tolist() == ["1f0c", "9a3b"]


@pytest.mark.parametrize(("eye", "right"), [("left", 0.0), ("mean", 3.0), ("right", 6.0)])
@pytest.mark.parametrize("make", [lambda folder: small.eyelink(folder / "p.asc", "LR"), small.bids])
def test_of_two_eyes_the_left_the_right_or_their_mean(make, eye, right, tmp_path, imported):
    imported(make(tmp_path), eye=eye, method="ivt")
    check(table_of(tmp_path), shift=(right, 0.0))


def rewritten(path, change):
    """A file of BIDS with its rows changed."""
    rows = gzip.decompress(path.read_bytes()).decode().splitlines()
    path.write_bytes(gzip.compress("\n".join([*change(rows), ""]).encode()))
    return path


def test_samples_without_a_time_are_left_out(tmp_path, imported):
    path = small.bids(tmp_path, ("cyclopean",))
    rewritten(path, lambda rows: ["n/a\t1\t1\t3", *(f"n/a\t1\t1\t3\n{row}" for row in rows)])
    assert imported(path).problems == ()
    check(table_of(tmp_path))


def test_whatever_a_file_does_the_others_are_imported(tmp_path, imported, monkeypatch):
    def broken(recording, *_):
        if recording.subject == "bad":
            raise ValueError("no integer")
        return shown_to(recording, *_)

    monkeypatch.setattr("foveal.analysis.recordings.shown_to", broken)
    done = imported(small.eyelink(tmp_path / "bad.asc"), small.eyelink(tmp_path / "good.asc"))
    assert done.problems == (f"{tmp_path}/bad.asc: damaged, or not complete (no integer)",)
    assert table_of(tmp_path)["subject"].unique().tolist() == ["good"]


@pytest.mark.parametrize(
    ("origin", "turned"),
    [
        (["top", "left"], lambda x, y: (x, y)),
        (["bottom", "left"], lambda x, y: (x, 599 - y)),
        ("top right", lambda x, y: (799 - x, y)),
        (["center"], lambda x, y: (x - 399.5, y - 299.5)),
    ],
)
def test_positions_from_another_corner_of_the_screen(origin, turned, tmp_path, imported):
    path = small.bids(tmp_path, ("cyclopean",))
    about = json.loads((tmp_path / "sub-03_task-view_events.json").read_text())
    about["StimulusPresentation"]["ScreenOrigin"] = origin
    (tmp_path / "sub-03_task-view_events.json").write_text(json.dumps(about))

    def turn(row):
        time, x, y, pupil = row.split("\t")
        return "\t".join([time, *map(str, turned(float(x), float(y))), pupil])

    imported(rewritten(path, lambda rows: map(turn, rows)))
    check(table_of(tmp_path))


def test_an_origin_that_is_not_known_is_refused(tmp_path, imported):
    path = small.bids(tmp_path, ("cyclopean",))
    about = {"StimulusPresentation": {"ScreenOrigin": ["somewhere"], "ScreenResolution": [800, 600]}}
    (tmp_path / "sub-03_task-view_events.json").write_text(json.dumps(about))
    [problem] = imported(path).problems
    assert problem == f"{path}: its ScreenOrigin ['somewhere'] for positions in px is none that can be read"


def test_an_eye_that_has_no_samples_is_lost(tmp_path):
    path = small.bids(tmp_path)
    rewritten(path.with_name(path.name.replace("eye1", "eye2")), lambda rows: rows[:100] + rows[150:300])
    [recording] = read_recordings(path)
    lost = np.isnan(recording.gaze["right"]).any(axis=1)
    assert lost[102:148].all()
    assert lost[302:].all()
    assert not lost[:100].any()
    assert not lost[152:300].any()


def test_blocks_of_another_eye_have_fixations_too(tmp_path, imported):
    path = small.eyelink(tmp_path / "p.asc")
    first, second = path.read_text().split("TRIALID 2")
    second = second.replace("LEFT", "RIGHT").replace("EFIX L", "EFIX R").replace("EBLINK L", "EBLINK R")
    path.write_text(f"{first}TRIALID 2{second}")
    imported(path)
    check(table_of(tmp_path))


def test_fixations_of_both_eyes_are_counted_once(tmp_path, imported):
    imported(small.eyelink(tmp_path / "p.asc", "LR"), method="tracker")
    check(table_of(tmp_path))


def test_two_files_of_two_eyes_are_one_recording(tmp_path, imported):
    first = small.bids(tmp_path)
    done = imported(first, first.with_name(first.name.replace("eye1", "eye2")))
    assert len(done.quality) == 1
    assert len(table_of(tmp_path)) == 8


def test_the_other_eye_only_is_said(tmp_path, imported):
    [problem] = imported(small.eyelink(tmp_path / "p.asc"), eye="right").problems
    assert problem == f"{tmp_path}/p.asc: the right eye was not recorded (there is left)"


def test_degrees_are_px_of_the_screen(tmp_path, imported):
    imported(small.bids(tmp_path, ("cyclopean",), units="deg"), pixels_per_degree=small.PIXELS_PER_DEGREE)
    check(table_of(tmp_path))


def test_lost_samples_are_counted_and_split_fixations(tmp_path, imported):
    # 250 Hz: 40 ms of the first fixation on the first picture, 120 ms after it began.
    lost = slice((small.CROSS + small.LINGERS + 120) // 4, (small.CROSS + small.LINGERS + 160) // 4)
    done = imported(small.eyelink(tmp_path / "p.asc", lost=lost), method="ivt")
    first = table_of(tmp_path).iloc[:2]
    assert np.ptp(first["x"]) < WITHIN
    assert first["duration_ms"].between(100, 150).all()
    assert done.quality["lost"].iloc[0] == pytest.approx(10 / (2 * small.SHOWN / 4), rel=0.02)


def test_the_quality_of_a_recording(tmp_path, imported):
    done = imported(small.eyelink(tmp_path / "p.asc"), method="ivt")
    [row] = done.quality.to_dict("records")
    assert row["sampling_rate_hz"] == small.RATE
    assert row["lost"] == 0
    assert row["blinks"] == 1
    # Between two samples with a noise of 0.4 px in x and y each lie 0.4 * sqrt(4) px.
    assert row["precision_deg"] == pytest.approx(0.8 / small.PIXELS_PER_DEGREE, rel=0.1)
    assert abs(row["drift_x_deg"]) < 0.02
    assert abs(row["drift_y_deg"]) < 0.02
    assert pd.read_csv(tmp_path / "study/recordings.csv").columns.tolist() == done.quality.columns.tolist()
    assert foveal.images.read_image(tmp_path / "study/recordings.png").std() > 0


def test_the_scale_is_that_of_the_pictures(tmp_path, images, imported):
    for name in small.LOOKED:  # twice as large as they were shown
        write_image(images / name, make_photograph(0, (600, 800)))
    imported(small.eyelink(tmp_path / "p.asc"))
    assert "pixels_per_degree = 60.0" in (tmp_path / "study/dataset.toml").read_text()
    table = table_of(tmp_path)
    expected = 2 * (small.expected("a.png") + 0.5) - 0.5
    np.testing.assert_allclose(table.loc[table["image"] == "a.png", ["x", "y"]], expected)


def test_without_a_place_pictures_are_where_the_file_says(tmp_path, imported):
    with warnings.catch_warnings():
        warnings.simplefilter("error", FovealNote)
        imported(small.eyelink(tmp_path / "p.asc"), picture=None, screen=None)
    check(table_of(tmp_path))


def test_without_any_place_they_are_in_the_center_and_it_is_said(tmp_path, imported):
    with pytest.warns(FovealNote, match="in the center of the screen, in their own size"):
        imported(small.smi(tmp_path / "smi.txt"), picture=None)
    check(table_of(tmp_path))


def with_variables_first(path):
    """EyeLink's file with the variables of each trial sent between TRIALID and START."""
    text = path.read_text()
    variables = re.findall(r"MSG\t\d+ (!V TRIAL_VAR .*)\n", text)
    text = re.sub(r"MSG\t\d+ !V TRIAL_VAR .*\n", "", text)
    text = re.sub(r"MSG\t(\d+) TRIALID \d+\n", lambda m: f"{m[0]}MSG\t{m[1]} {variables.pop(0)}\n", text)
    # Trackers start some ms after the script says so.
    path.write_text(re.sub(r"MSG\t(\d+) (TRIALID|!V TRIAL_VAR)", lambda m: f"MSG\t{int(m[1]) - 5} {m[2]}", text))
    return path


@pytest.mark.parametrize("written", [lambda path: path, with_variables_first])
def test_pictures_by_trial_variables(written, tmp_path, imported):
    imported(written(small.eyelink(tmp_path / "p.asc", with_images=False)))
    table = table_of(tmp_path)
    assert table["image"].value_counts().to_dict() == {"a.png": 5, "b.png": 5}  # with the cross: the whole trial
    for picture in small.LOOKED:
        rows = table[(table["image"] == picture) & (table["order"] > 0)]
        np.testing.assert_allclose(rows[["x", "y"]], small.expected(picture), atol=WITHIN)


def test_a_trial_that_names_two_pictures_is_left_out_and_said(tmp_path, imported):
    path = small.eyelink(tmp_path / "p.asc", with_images=False)
    variable = re.compile(r"(MSG\t\d+ !V TRIAL_VAR) image b.png\n")
    path.write_text(variable.sub(r"\g<0>\1 other a.png\n", path.read_text()))
    with pytest.warns(FovealNote, match="1 trials left out: their variables name several pictures"):
        imported(path)
    assert table_of(tmp_path)["image"].unique().tolist() == ["a.png"]


def test_a_message_about_the_picture_on_the_screen_ends_it(tmp_path, imported):
    path = small.eyelink(tmp_path / "p.asc")
    text = re.sub(r"3 !V IMGLOAD CENTER stimuli/(\S+) 400 300", r"0 stim_on \1", path.read_text())
    off = [f"MSG\t{2_095_865 + start + 600:.0f} stim_off {name}" for name, (start, _) in small.simulated()[2].items()]
    lines = text.splitlines()
    for message in off:
        after = next(at for at, line in enumerate(lines) if line.startswith(message.split()[1]))
        lines.insert(after, message)
    path.write_text("\n".join([*lines, ""]))
    done = imported(path)
    assert done.quality["pictures"].tolist() == [2]
    assert len(table_of(tmp_path)) == 4  # two on each: those that begin at 200 and 520 ms


def test_a_table_of_times_says_what_was_shown(tmp_path, imported):
    path = small.eyelink(tmp_path / "p.asc", with_images=False)
    imported(path, times=small.times(tmp_path / "times.csv"))
    check(table_of(tmp_path))


def test_times_may_differ_from_person_to_person(tmp_path, imported):
    paths = [small.eyelink(tmp_path / f"p{n}.asc", with_images=False) for n in (1, 2)]
    rows = [f"p{n},{line}" for n in (1, 2) for line in small.times(tmp_path / "t").read_text().split()[1:]]
    swapped = [row.replace("a.png", "?").replace("b.png", "a.png").replace("?", "b.png") for row in rows[2:]]
    (tmp_path / "times.csv").write_text("\n".join(["subject,picture,start_ms,end_ms", *rows[:2], *swapped]))
    imported(*paths, times=tmp_path / "times.csv")
    table = table_of(tmp_path)
    check(table[table["subject"] == "p1"])
    check(table[table["subject"] == "p2"].replace({"image": {"a.png": "b.png", "b.png": "a.png"}}))


def test_times_of_somebody_else_are_not_passed_over(tmp_path, imported):
    header, *rows = small.times(tmp_path / "t").read_text().split()
    (tmp_path / "times.csv").write_text("\n".join([f"subject,{header}", *(f"P01,{row}" for row in rows)]))
    [problem] = imported(small.eyelink(tmp_path / "p01.asc"), times=tmp_path / "times.csv").problems
    assert problem == f"{tmp_path}/p01.asc: --times has no row of the subject 'p01' (its first is 'P01')"


def test_times_of_events_only_count_from_start(tmp_path, imported):
    path = small.eyelink(tmp_path / "p.asc", with_images=False)
    lines = [line for line in path.read_text().splitlines() if not line[:1].isdigit()]
    path.write_text("\n".join([*lines, ""]))
    imported(path, times=small.times(tmp_path / "times.csv"))
    check(table_of(tmp_path))


def test_times_of_fixations_only_count_from_the_first_and_it_is_said(tmp_path, imported):
    with pytest.warns(FovealNote, match="no samples, so that --times count from its first fixation"):
        imported(small.pupil_player(tmp_path, only_fixations=True), times=small.times(tmp_path / "times.csv"))


def test_a_row_that_is_not_valid_does_not_split_a_fixation(tmp_path, imported):
    path = small.gazepoint(tmp_path / "User 0_all_gaze.csv")
    table = pd.read_csv(path)
    table.loc[table[table["FPOGV"] == 1].groupby(["MEDIA_NAME", "FPOGID"]).head(9).index[8::9], "FPOGV"] = 0
    table.to_csv(path, index=False)
    imported(path, method="tracker")
    check(table_of(tmp_path))


def test_rows_of_the_mouse_do_not_say_what_was_shown(tmp_path, imported):
    path = small.tobii(tmp_path / "t.tsv")
    table = pd.read_csv(path, sep="\t")
    table.loc[table["Sensor"] == "Mouse", "Presented Media name"] = ""
    table.to_csv(path, sep="\t", index=False)
    assert imported(path).quality["pictures"].tolist() == [2]


def test_other_messages_do_not_end_a_picture(tmp_path, imported):
    path = small.smi(tmp_path / "smi.txt")
    stamp = 26_781_134_651 + (small.CROSS + small.LINGERS + 100) * 1000
    lines = path.read_text().splitlines()
    after = next(at for at, line in enumerate(lines) if line.startswith(str(stamp)))
    path.write_text("\n".join([*lines[:after], f"{stamp}\tMSG\t1\t# Message: key pressed", *lines[after:], ""]))
    imported(path)
    check(table_of(tmp_path))


def test_the_fourth_column_may_be_gaze_and_message(tmp_path, imported):
    path = small.smi(tmp_path / "smi.txt")
    lines = [line.split("\t") for line in path.read_text().splitlines()]
    lines = [line if len(line) < 8 else [*line[:3], *line[5:], *line[3:5]] for line in lines]
    path.write_text("\n".join("\t".join(line) for line in [*lines, [""]]))
    imported(path, method="ivt")
    check(table_of(tmp_path))


def test_a_picture_that_fills_the_screen(tmp_path, imported):
    path = small.eyelink(tmp_path / "p.asc")
    path.write_text(re.sub(r"IMGLOAD CENTER (\S+) 400 300", r"IMGLOAD FILL \1", path.read_text()))
    imported(path, picture=None)
    expected = (np.array(small.LOOKED["a.png"]) + 0.5) / 2 - 0.5
    table = table_of(tmp_path)
    np.testing.assert_allclose(table.loc[table["image"] == "a.png", ["x", "y"]], expected)


def test_a_single_picture_was_shown_all_the_time(tmp_path, images, imported):
    (images / "b.png").unlink()
    imported(small.pupil_player(tmp_path))
    assert (table_of(tmp_path)["image"] == "a.png").all()


def test_pictures_that_are_not_there_are_counted(tmp_path, images, imported):
    (images / "b.png").unlink()
    with pytest.warns(RowsLeftOut, match=r"left out: 1 times it names a picture that is not in --images"):
        imported(small.tobii(tmp_path / "t.tsv"))
    assert table_of(tmp_path)["image"].unique().tolist() == ["a.png"]


def test_fixations_beside_the_picture_are_counted(tmp_path, imported):
    with pytest.warns(RowsLeftOut, match=r"\d of 8 fixations left out: beside their picture"):
        imported(small.tobii(tmp_path / "t.tsv"), picture=(0.0, 0.0, 400.0, 300.0))


def test_files_of_one_name_are_told_apart_by_their_folders(tmp_path, imported):
    paths = [small.pupil_player(tmp_path / who / "exports") for who in ("anna", "ben")]
    imported(*paths, times=small.times(tmp_path / "times.csv"))
    stem = "exports/gaze_positions_on_surface_screen"
    assert table_of(tmp_path)["subject"].unique().tolist() == [f"anna/{stem}", f"ben/{stem}"]


def test_a_person_of_two_files_looks_on(tmp_path, imported):
    paths = [small.tobii(tmp_path / f"{n}.tsv") for n in (1, 2)]
    imported(*paths)
    table = table_of(tmp_path)
    assert table["subject"].unique().tolist() == ["anna"]
    for picture in small.LOOKED:
        rows = table[table["image"] == picture].sort_values("order")
        assert rows["order"].tolist() == list(range(8))
        np.testing.assert_allclose(rows[["x", "y"]], np.tile(small.expected(picture), (2, 1)), atol=WITHIN)


def appended(path, name):
    """A second recording behind the first in Tobii's table, both from time 0; `name` is what its column is called."""
    table = pd.read_csv(small.tobii(path), sep="\t")
    both = [table.assign(**{name: f"Recording{n}"}) for n in (1, 2)]
    pd.concat(both).sort_values("Recording timestamp", kind="stable").to_csv(path, sep="\t", index=False)
    return path


def test_two_recordings_in_one_table_are_two(tmp_path, imported):
    done = imported(appended(tmp_path / "t.tsv", "Recording name"))
    assert len(done.quality) == 2
    assert (done.quality["fixations"] == 8).all()


def test_time_that_goes_back_is_refused(tmp_path, imported):
    path = small.begaze(tmp_path / "begaze.txt")
    header, *rows = path.read_text().splitlines(keepends=True)
    path.write_text("".join([header, *rows, *rows]))
    [problem] = imported(path).problems
    assert problem == f"{path}: its time goes back; are two recordings in it? Give each in a file of its own"


def test_users_of_gazepoint_are_told_apart_by_their_folders(tmp_path, imported):
    imported(*(small.gazepoint(tmp_path / who / "User 0_all_gaze.csv") for who in "AB"))
    assert table_of(tmp_path)["subject"].unique().tolist() == ["A/User 0", "B/User 0"]


def test_samples_and_fixations_of_one_user_are_not_counted_twice(tmp_path, imported):
    paths = [small.gazepoint(tmp_path / f"User 0_{what}.csv") for what in ("all_gaze", "fixations")]
    [problem] = imported(*paths).problems
    assert problem == f"{paths[1]}: {paths[0]} is of the same subject (User 0), and is imported; give one of them"
    assert len(table_of(tmp_path)) == 8


def in_unit(path):
    """Tobii's table with positions from 0 to 1."""
    table = pd.read_csv(small.tobii(path), sep="\t")
    for axis, length in zip("XY", small.SCREEN, strict=True):
        for point in (f"Gaze point {axis}", f"Fixation point {axis}"):
            table[point] = (table[point] + 0.5) / length
    table.to_csv(path, sep="\t", index=False)
    return path


def test_fractions_of_the_screen_if_it_is_said(tmp_path, imported):
    [problem] = imported(in_unit(tmp_path / "t.tsv")).problems
    assert "are from 0 to 1, which are no px: say --units fraction" in problem
    assert imported(in_unit(tmp_path / "t.tsv"), units="fraction").problems == ()
    check(table_of(tmp_path))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"screen": (400, 300)}, r"of \d+ positions are outside the screen of 400 x 300 px"),
        ({"screen": None}, "say --screen 1920x1080"),
        ({"method": "tracker"}, "it has no fixations of the tracker's own"),
        ({"picture": (5000.0, 0.0, 10.0, 10.0)}, "no fixation is on a picture while it was shown"),
    ],
)
def test_what_does_not_fit_is_one_line(options, message, tmp_path, imported):
    [problem] = imported(small.begaze(tmp_path / "begaze.txt"), **options).problems
    assert problem.startswith(f"{tmp_path}/begaze.txt: ")
    assert re.search(message, problem)
    assert "\n" not in problem


def test_a_script_may_say_the_number_of_px_or_of_the_last(tmp_path, imported):
    path = small.eyelink(tmp_path / "p.asc")
    path.write_text(path.read_text().replace("DISPLAY_COORDS 0 0 799 599", "GAZE_COORDS 0.00 0.00 800.00 600.00"))
    assert imported(path).problems == ()


def test_another_screen_than_the_file_says(tmp_path, imported):
    [problem] = imported(small.eyelink(tmp_path / "p.asc"), screen=(1024, 768)).problems
    assert problem.endswith("it says that the screen had 800 x 600 px, not 1024 x 768; correct --screen")


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(bytes(range(256)) * 100),
        lambda path: path.write_text("a poem\nof two lines\n"),
        lambda path: path.write_bytes(path.read_bytes()[:400]),
        lambda path: path.write_bytes(gzip.compress(path.read_bytes())[:200]),
        lambda path: path.unlink(),
    ],
    ids=["empty", "binary", "other", "cut off", "cut off, packed", "missing"],
)
@pytest.mark.parametrize("name", ["EyeLink", "Tobii", "Gazepoint", "SMI"])
def test_a_bad_file_is_one_line_and_loses_nothing_of_the_others(name, damage, tmp_path, imported):
    path, _, _ = FILES[name](tmp_path)
    damage(path)
    done = imported(path, small.eyelink(tmp_path / "good.asc"))
    [problem] = done.problems
    assert problem.startswith(f"{path}: ")
    assert "\n" not in problem
    assert table_of(tmp_path)["subject"].unique().tolist() == ["good"]


def test_a_packed_file_that_is_cut_off(tmp_path, imported):
    path = small.bids(tmp_path, ("left",))
    path.write_bytes(path.read_bytes()[:5000])
    [problem] = imported(path).problems
    assert problem.startswith(f"{path}: ")


@pytest.mark.parametrize("name", ["Tobii", "Gazepoint", "SMI", "EyeLink"])
def test_of_a_file_that_ends_early_the_rest_is_read(name, tmp_path, imported):
    path, _, _ = FILES[name](tmp_path)
    data = path.read_bytes()
    path.write_bytes(data[: int(0.7 * len(data)) + 3])
    with pytest.warns(FovealNote, match="ends within"):
        done = imported(path)
    assert done.problems == ()
    table = table_of(tmp_path)
    np.testing.assert_allclose(table.loc[table["image"] == "a.png", ["x", "y"]], small.expected("a.png"), atol=1.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "best"}, "no method 'best'"),
        ({"eye": "third"}, "no eye 'third'"),
        ({"units": "mm"}, "no units 'mm'"),
        ({"threshold": 30.0}, "say which"),
        ({"pixels_per_degree": float("nan")}, r"\(--ppd\) must be a positive number, not nan"),
        ({"pixels_per_degree": float("inf")}, r"\(--ppd\) must be a positive number, not inf"),
        ({"pixels_per_degree": -35.0}, r"\(--ppd\) must be a positive number, not -35"),
        ({"pixels_per_degree": 0.0}, r"\(--ppd\) must be a positive number, not 0"),
    ],
)
def test_a_wrong_call_is_said_before_the_work(options, message, imported):
    with pytest.raises(FovealError, match=message):
        imported("nothing.asc", **options)


def test_pictures_and_times_that_cannot_be_read(tmp_path, images):
    with pytest.raises(FovealError, match="no folder with pictures"):
        foveal.import_recordings(["p.asc"], tmp_path / "none", tmp_path / "study")
    (tmp_path / "times.csv").write_text("picture,start_ms,end_ms\na.png,500,100\n")
    with pytest.raises(FovealError, match="line 2 are no time from one to a later one"):
        foveal.import_recordings(["p.asc"], images, tmp_path / "study", times=tmp_path / "times.csv")
