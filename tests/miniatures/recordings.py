"""What a person saw and where the person looked, written as each tracker writes it."""

import gzip
import json
from pathlib import Path

import numpy as np
from toy import make_photograph, write_image

SCREEN = (800, 600)  # px
PICTURE = (400, 300)  # px, in the center of the screen
CORNER = (200, 150)
PIXELS_PER_DEGREE = 30.0
RATE = 250
# On the screen. Before each picture a cross in the center is shown for half a second, and is looked at 200 ms longer.
LOOKED = {
    "a.png": [(250, 200), (500, 300), (300, 400), (550, 220)],
    "b.png": [(400, 200), (220, 420), (560, 400), (380, 330)],
}
CROSS, LINGERS, EACH, SACCADE = 500, 200, 320, 20  # ms
SHOWN = LINGERS + 4 * EACH


def expected(picture: str) -> np.ndarray:
    """Fixations in px of the picture."""
    return np.array(LOOKED[picture]) - CORNER


def write_pictures(folder: Path) -> Path:
    for seed, name in enumerate(LOOKED):
        write_image(folder / name, make_photograph(seed, PICTURE[::-1]))
    return folder


def simulated(rate: int = RATE, noise: float = 0.4) -> tuple[np.ndarray, np.ndarray, dict[str, tuple[float, float]]]:
    """Times in ms from 0, gaze in px of the screen, and when each picture was shown."""
    center = ((SCREEN[0] - 1) / 2, (SCREEN[1] - 1) / 2)
    knots, shown, now = [], {}, 0.0
    for picture, places in LOOKED.items():
        knots.append((now, center))
        shown[picture] = (now + CROSS, now + CROSS + SHOWN)
        now += CROSS + LINGERS
        for place in places:
            knots += [(now - SACCADE, knots[-1][1]), (now, place)]
            now += EACH
        knots.append((now - SACCADE, knots[-1][1]))
    time = np.arange(0, now, 1000 / rate)
    at, places = np.array([t for t, _ in knots]), np.array([place for _, place in knots], dtype=float)
    gaze = np.stack([np.interp(time, at, places[:, axis]) for axis in (0, 1)], axis=1)
    return time, gaze + np.random.default_rng(0).normal(0, noise, gaze.shape), shown


def own_fixations() -> list[tuple[str, float, float, tuple[int, int]]]:
    """What a tracker itself would say: picture, start, stop, place on the screen; the cross among them."""
    rows = []
    for picture, (start, _) in simulated()[2].items():
        begin = start + LINGERS
        rows.append(("", start - CROSS + SACCADE, begin - SACCADE, (400, 300)))
        rows += [
            (picture, begin + i * EACH, begin + (i + 1) * EACH - SACCADE, p) for i, p in enumerate(LOOKED[picture])
        ]
    return rows


def _write(path: Path, lines: list[str], separator: str = "\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(separator.join(lines) + separator, encoding="utf-8")
    return path


def eyelink(
    path: Path, eyes: str = "L", *, shift: float = 6.0, lost: slice = slice(0, 0), with_images: bool = True
) -> Path:
    """An .asc of edf2asc; of two eyes, the right one looks `shift` px to the right."""
    time, gaze, shown = simulated()
    begin = 2_095_865
    names = " ".join({"L": "LEFT", "R": "RIGHT"}[eye] for eye in eyes)
    lines = [
        "** CONVERTED FROM p01.edf using edfapi 4.2.1",
        "** DATE: Wed Mar  8 09:25:20 2017",
        "** TYPE: EDF_FILE BINARY EVENT SAMPLE TAGGED",
        "** VERSION: EYELINK II 1",
        "**",
        "",
        f"MSG\t{begin - 90} DISPLAY_COORDS 0 0 {SCREEN[0] - 1} {SCREEN[1] - 1}",
        f"MSG\t{begin - 80} RECCFG CR {RATE} 2 1 {eyes}",
    ]
    events = []
    for trial, (picture, (start, stop)) in enumerate(shown.items(), 1):
        first, last = begin + int(start - CROSS), begin + int(stop)
        lines_of_block = [
            f"MSG\t{first} TRIALID {trial}",
            f"START\t{first} \t{names}\tSAMPLES\tEVENTS",
            "PRESCALER\t1",
            "VPRESCALER\t1",
            "PUPIL\tAREA",
            f"EVENTS\tGAZE\t{names}\tRATE\t {RATE}.00\tTRACKING\tCR\tFILTER\t2",
            f"SAMPLES\tGAZE\t{names}\tRATE\t {RATE}.00\tTRACKING\tCR\tFILTER\t2",
        ]
        events.append((first, 0, lines_of_block))
        if with_images:
            center = f"{SCREEN[0] // 2} {SCREEN[1] // 2}"
            events.append(
                (
                    begin + int(start),
                    1,
                    [f"MSG\t{begin + int(start) + 3} 3 !V IMGLOAD CENTER stimuli/{picture} {center}"],
                )
            )
        ending = [
            f"MSG\t{last - 1} !V CLEAR 128 128 128",
            f"END\t{last - 1} \tSAMPLES\tEVENTS\tRES\t  {PIXELS_PER_DEGREE:.2f}\t  {PIXELS_PER_DEGREE:.2f}",
            f"MSG\t{last - 1} !V TRIAL_VAR image {picture}",
            f"MSG\t{last - 1} TRIAL_RESULT 0",
        ]
        events.append((last - 1, 3, ending))
    is_lost = np.zeros(len(time), dtype=bool)
    is_lost[lost] = True
    for t, (x, y), gone in zip(time, gaze, is_lost, strict=True):
        values = []
        for eye in eyes:
            right = shift if eye == "R" else 0.0
            values.append("   .\t   .\t    0.0" if gone else f"  {x + right:.1f}\t  {y:.1f}\t  1288.0")
        events.append((begin + int(t), 2, [f"{begin + int(t)}\t" + "\t".join(values) + "\t..."]))
    for _, start, stop, (x, y) in own_fixations():
        for eye in eyes:
            right = shift if eye == "R" else 0.0
            when = f"{begin + start:.0f}\t{begin + stop:.0f}\t{stop - start + 4:.0f}"
            events.append((begin + int(stop), 2, [f"EFIX {eye}   {when}\t  {x + right:.1f}\t  {y:.1f}\t   1260"]))
    events.append((begin + 900, 2, [f"EBLINK {eyes[0]} {begin + 880}\t{begin + 900}\t24"]))
    for _, _, block in sorted(events, key=lambda event: event[:2]):
        lines += block
    return _write(path, lines)


def tobii(path: Path, subject: str = "anna", unit: str = "μs") -> Path:
    """Pro Lab's data export; the media's place is said, and rows of the mouse are between those of the eyes."""
    time, gaze, shown = simulated()
    columns = [
        "Recording timestamp",
        "Sensor",
        "Participant name",
        "Recording resolution height",
        "Recording resolution width",
        "Gaze point X",
        "Gaze point Y",
        "Validity left",
        "Validity right",
        "Presented Stimulus name",
        "Presented Media name",
        "Presented Media width",
        "Presented Media height",
        "Presented Media position X (DACSpx)",
        "Presented Media position Y (DACSpx)",
        "Eye movement type",
        "Gaze event duration",
        "Eye movement type index",
        "Fixation point X",
        "Fixation point Y",
    ]
    lines = ["\t".join(columns)]
    factor = 1000 if unit == "μs" else 1
    for i, (t, (x, y)) in enumerate(zip(time, gaze, strict=True)):
        picture = next((name for name, (a, b) in shown.items() if a <= t < b), "")
        media = [picture.removesuffix(".png"), picture, *map(str, PICTURE), *map(str, CORNER)] if picture else [""] * 6
        own = next(((n, f) for n, f in enumerate(own_fixations(), 1) if f[1] <= t <= f[2]), None)
        event = ["Saccade", "20", str(i), "", ""]
        if own:
            number, (_, a, b, place) = own
            event = ["Fixation", f"{b - a:.0f}", str(number), *map(str, place)]
        stamp = f"{t * factor:.0f}"
        eyes = [f"{x:.0f}", f"{y:.0f}", "Valid", "Valid"]
        screen = [str(SCREEN[1]), str(SCREEN[0])]
        lines.append("\t".join([stamp, "Eye Tracker", subject, *screen, *eyes, *media, *event]))
        if i % 50 == 0:
            lines.append("\t".join([stamp, "Mouse", subject, *screen, "", "", "", "", *media, "", "", "", "", ""]))
    return _write(path, lines)


def gazepoint(path: Path, *, only_fixations: bool = False) -> Path:
    """Gazepoint Analysis' all_gaze.csv or fixations.csv; its clock begins anew with each medium."""
    time, gaze, shown = simulated(150)
    lines = [
        "MEDIA_ID,MEDIA_NAME,CNT,TIME(2024/01/31 10:11:12.345),TIMETICK(f=10000000),FPOGX,FPOGY,FPOGS,FPOGD,FPOGID,"
        "FPOGV,BPOGX,BPOGY,BPOGV,BKID,BKDUR,"
    ]
    fractions = (gaze + 0.5) / SCREEN
    fixations = own_fixations()
    for t, (x, y) in zip(time, fractions, strict=True):
        picture = next((name for name, (a, b) in shown.items() if a <= t < b), "")
        if not picture:
            continue
        begin = shown[picture][0]
        number, (_, start, stop, place) = next(
            ((n, f) for n, f in enumerate(fixations, 1) if f[1] <= t <= f[2] + 2 * SACCADE), (0, ("", 0, 0, (0, 0)))
        )
        valid = start <= t <= stop and start >= begin
        is_last = t + 1000 / 150 > stop
        if only_fixations and not (valid and is_last):
            continue
        duration = stop - start if is_last else t - start
        fx, fy = (place[0] + 0.5) / SCREEN[0], (place[1] + 0.5) / SCREEN[1]
        lines.append(
            f"0,{picture},1,{(t - begin) / 1000:.5f},{t * 1e4:.0f},{fx:.5f},{fy:.5f},{(start - begin) / 1000:.5f},"
            f"{duration / 1000:.5f},{number},{int(valid)},{x:.5f},{y:.5f},1,0,0.0,"
        )
    return _write(path, lines)


def pupil_player(folder: Path, *, only_fixations: bool = False) -> Path:
    """Pupil Player's gaze or fixations on a surface, which is the screen; y goes up, and times are in s."""
    time, gaze, _ = simulated(120)
    fractions = (gaze + 0.5) / SCREEN
    if only_fixations:
        lines = [
            "world_timestamp,world_index,fixation_id,start_timestamp,duration,dispersion,norm_pos_x,norm_pos_y,"
            "x_scaled,y_scaled,on_surf"
        ]
        for number, (_, start, stop, (x, y)) in enumerate(own_fixations()):
            for frame in range(3):  # a row for each frame of the film
                at = f"{(x + 0.5) / SCREEN[0]:.5f},{1 - (y + 0.5) / SCREEN[1]:.5f}"
                lines.append(f"1.5,{frame},{number},{50 + start / 1000:.6f},{stop - start:.2f},0.5,{at},1,1,True")
        return _write(folder / "fixations_on_surface_screen.csv", lines)
    lines = ["world_timestamp,world_index,gaze_timestamp,x_norm,y_norm,x_scaled,y_scaled,on_surf,confidence"]
    for t, (x, y) in zip(time, fractions, strict=True):
        lines.append(f"1.5,1,{50 + t / 1000:.6f},{x:.6f},{1 - y:.6f},1,1,True,0.98")
    return _write(folder / "gaze_positions_on_surface_screen.csv", lines)


def pupil_cloud(path: Path) -> Path:
    """Gaze on a surface of Pupil Cloud's marker mapper, two recordings in one file; times are in ns."""
    time, gaze, _ = simulated(200)
    lines = [
        "section id,recording id,timestamp [ns],gaze detected on surface,gaze position on surface x [normalized],"
        "gaze position on surface y [normalized],fixation id,blink id"
    ]
    for person in ("1f0c", "9a3b"):
        for t, (x, y) in zip(time, (gaze + 0.5) / SCREEN, strict=True):
            number = next((n for n, f in enumerate(own_fixations(), 1) if f[1] <= t <= f[2]), "")
            stamp = 1_700_000_000_000_000_000 + int(t * 1e6)
            lines.append(f"5e,{person},{stamp},True,{x:.6f},{y:.6f},{number},")
    return _write(path, lines)


def smi(path: Path) -> Path:
    """The IDF converter's text, with messages; times are in μs, and a lost eye is at (0, 0)."""
    time, gaze, shown = simulated()
    lines = [
        "## [BeGaze]",
        "## Converted from:\tC:\\p07.idf",
        "## Version:\tBeGaze 3.7.40",
        f"## Sample Rate:\t{RATE}",
        "## Subject:\tp07",
        "## [Calibration]",
        f"## Calibration Area:\t{SCREEN[0]}\t{SCREEN[1]}",
        "## [Geometry]",
        "## Stimulus Dimension [mm]:\t400\t300",
        "## Head Distance [mm]:\t700",
        "##",
        "Time\tType\tTrial\tL Dia X [px]\tL Dia Y [px]\tL POR X [px]\tL POR Y [px]\tL Event Info",
    ]
    begin = 26_781_134_651
    told = set()
    for t, (x, y) in zip(time, gaze, strict=True):
        stamp = begin + int(t * 1000)
        for picture, (start, stop) in shown.items():
            for when, what in ((start, picture), (stop, "cross.png")):
                if t >= when and (picture, what) not in told:
                    told.add((picture, what))
                    lines.append(f"{stamp}\tMSG\t1\t# Message: {what}")
        own = next((f for f in own_fixations() if f[1] <= t <= f[2]), None)
        lines.append(f"{stamp}\tSMP\t1\t12.5\t12.5\t{x:.2f}\t{y:.2f}\t{'Fixation' if own else 'Saccade'}")
    return _write(path, lines)


def begaze(path: Path) -> Path:
    """BeGaze's raw data export, two eyes; nothing is a minus sign."""
    time, gaze, shown = simulated()
    lines = [
        "RecordingTime [ms]\tTrial\tStimulus\tParticipant\tCategory Right\tCategory Left\t"
        "Point of Regard Right X [px]\tPoint of Regard Right Y [px]\tPoint of Regard Left X [px]\t"
        "Point of Regard Left Y [px]"
    ]
    for i, (t, (x, y)) in enumerate(zip(time, gaze, strict=True)):
        picture = next((name for name, (a, b) in shown.items() if a <= t < b), "-")
        left = f"{x - 4:.1f}\t{y:.1f}" if i % 7 else "-\t-"
        lines.append(f"{1000 + t:.3f}\tTrial001\t{picture}\tberta\t-\t-\t{x + 4:.1f}\t{y:.1f}\t{left}")
    return _write(path, lines)


def bids(folder: Path, eyes: tuple[str, ...] = ("left", "right"), units: str = "pixel") -> Path:
    """A run of one person: a file for each eye, and the events; the tracker begins half a second later."""
    time, gaze, shown = simulated()
    folder.mkdir(parents=True, exist_ok=True)
    for number, eye in enumerate(eyes, 1):
        stem = folder / f"sub-03_task-view_recording-eye{number}_physio"
        shift = 6.0 if eye == "right" else 0.0
        positions = gaze + np.array([shift, 0])
        if units == "deg":
            positions = (positions - ((SCREEN[0] - 1) / 2, (SCREEN[1] - 1) / 2)) / PIXELS_PER_DEGREE
        rows = [f"{7.25 + t / 1000:.4f}\t{x:.3f}\t{y:.3f}\t3.1" for t, (x, y) in zip(time, positions, strict=True)]
        Path(f"{stem}.tsv.gz").write_bytes(gzip.compress("\n".join([*rows, ""]).encode()))
        about = {
            "PhysioType": "eyetrack",
            "Columns": ["timestamp", "x_coordinate", "y_coordinate", "pupil_size"],
            "SamplingFrequency": RATE,
            "StartTime": 0.5,
            "RecordedEye": eye,
            "timestamp": {"Units": "s"},
            "x_coordinate": {"Units": units},
            "y_coordinate": {"Units": units},
        }
        Path(f"{stem}.json").write_text(json.dumps(about))
    rows = [f"{0.5 + a / 1000:.3f}\t{(b - a) / 1000:.3f}\timages/{name}" for name, (a, b) in shown.items()]
    _write(folder / "sub-03_task-view_events.tsv", ["onset\tduration\tstim_file", *rows])
    screen = {"ScreenDistance": 0.7, "ScreenSize": [0.4, 0.3], "ScreenResolution": list(SCREEN)}
    (folder / "sub-03_task-view_events.json").write_text(json.dumps({"StimulusPresentation": screen}))
    return folder / "sub-03_task-view_recording-eye1_physio.tsv.gz"


def times(path: Path) -> Path:
    """The table that says what was shown when."""
    rows = [f"{name},{start:.0f},{stop:.0f}" for name, (start, stop) in simulated()[2].items()]
    return _write(path, ["picture,start_ms,end_ms", *rows])
