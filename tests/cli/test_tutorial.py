"""The tutorial, from its first command to its last, on a small made-up study."""

import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
from miniatures import recordings
from toy import make_dataset

from foveal.datasets import save_dataset
from foveal.gaze import Stimuli

BEFORE, PAGE = (Path(__file__).parents[2] / "docs/tutorial.md").read_text(encoding="utf-8").split("\n## 1. ")


def test_recordings_become_the_folder_that_it_begins_with(foveal, tmp_path):
    for name in ("p01.asc", "p02.asc"):
        recordings.eyelink(tmp_path / name)
    recordings.write_pictures(tmp_path / "stimuli")
    (command,) = re.findall(r"^    foveal (.*)$", BEFORE, re.MULTILINE)
    assert foveal(*command.split())[0] == 0
    assert pd.read_csv(tmp_path / "my-study/fixations.csv")["subject"].unique().tolist() == ["p01", "p02"]


def test_the_tutorial_runs(foveal, tmp_path, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "agg")
    toy = make_dataset(n_images=5, n_subjects=3, per_subject=2, name="my-study")
    names = ["street.jpg", *(f"{number}.jpg" for number in range(1, len(toy)))]
    stimuli = Stimuli([stimulus.image for stimulus in toy.stimuli], names, 4.0)
    save_dataset(replace(toy, stimuli=stimuli), tmp_path / "my-study")

    commands = re.findall(r"^    foveal (.*)$", PAGE, re.MULTILINE)
    assert [command.split()[0] for command in commands] == ["datasets", "evaluate", "train", "predict"]
    outputs = []
    for command in commands:
        code, out, err = foveal(*command.split())
        assert (code, err) == (0, "")
        outputs.append(out)
    (script,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(compile(script, "docs/tutorial.md", "exec"), {})

    written = (
        "summary/fixations.png summary/observers.csv weights/foveal-s.safetensors figures/street.overlay.pdf figure.pdf"
    )
    assert all((tmp_path / name).stat().st_size > 0 for name in written.split())
    assert {"IG", "AUC", "NSS"} <= set(pd.read_csv(tmp_path / "scores.csv").columns)
    # What is printed today begins its lines as those that the page shows.
    shown = [block.split("\n") for block in re.findall(r"```text\n(.*?)\n```", PAGE, re.DOTALL)]
    for lines, out in zip(shown, [outputs[0], outputs[2]], strict=True):
        labels = [re.split(r"  |: ", line.strip())[0] for line in lines if re.match(r" *[a-z ,-]+(: |  )", line)]
        assert len(labels) >= 5
        assert [label for label in labels if label not in out] == []
