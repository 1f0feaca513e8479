"""What is shown: names are text everywhere, whatever they hold and whatever takes it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from toy import largest_file, make_photograph, write_image

from foveal.cli import console
from foveal.cli.console import harmless
from foveal.models import load_model, save_model

HOSTILE = ("[/b]", "[link=x]y", "\x1b[31m", "a\nb", "\x9b31m", "\u202e", "\udcff", "\u2028", ":heart:", "\r", "é☃")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_is_shown_in_one_line_that_steers_nothing(name, capsys):
    console.tell(name)
    console.say(name)
    console.show(("model",), [(name,)], title=name)
    with console.progress_bars() as report:
        report(name, 1, 2)
    output = capsys.readouterr()
    assert harmless(name) in output.out
    assert output.out.count(harmless(name)) == 3
    assert output.err == f"foveal: {harmless(name)}\n"
    assert not {"\x1b", "\x9b", "\u202e", "\r", "\udcff", "\u2028"} & set(output.out + output.err)
    if name in ("[/b]", "[link=x]y", ":heart:", "é☃"):
        assert harmless(name) == name


def test_json_keeps_the_true_names(capsys):
    console.tell_json(list(HOSTILE))
    text = capsys.readouterr().out
    assert json.loads(text) == list(HOSTILE)
    assert "é☃" in text
    assert not {"\x1b", "\x9b", "\u202e", "\udcff"} & set(text)


def test_files_are_written_before_a_table_whatever_the_names(foveal, study, tmp_path):
    name = "[/b]\x1b[31m.safetensors"
    save_model(load_model("bms"), tmp_path / name)
    models = f"{name},uniform"
    call = ("evaluate", "--model", models, "--dataset", study, "--metrics", "AUC,NSS", "--against", "uniform")
    code, out, err = foveal(*call, "--json", "t.json", "--per-image", "t.csv")
    assert (code, err) == (0, "")
    assert "[/b]\\x1b[31m" in out
    assert json.loads((tmp_path / "t.json").read_text())[0]["model"] == name
    assert set(pd.read_csv(tmp_path / "t.csv").model) == {name, "uniform"}


def test_what_cannot_be_kept_is_shown(foveal, study, tmp_path, monkeypatch):
    """A disk that became full does not take the numbers with it, nor the second file."""
    monkeypatch.setattr("foveal.benchmarking.results.json.dumps", lambda *_, **__: "x" * 20_000_000)
    with largest_file(10_000_000):
        code, out, err = foveal(
            "evaluate", "--model", "bms", "--dataset", study, "--metrics", "AUC", "--json", "t.json"
        )
    assert (code, "bms" in out, "t.json: cannot be written (File too large)" in err) == (2, True, True)
    assert not (tmp_path / "t.json").exists()


def test_an_output_that_knows_few_characters():
    script = """
from foveal.cli.console import show, take_any_character, tell, tell_json
take_any_character()
tell("Kümmerer")
show(["é"], [["☃"]])
tell_json({"é": "☃"})
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-c", script]
    out = subprocess.run(command, env=environment, capture_output=True, check=True).stdout.decode("ascii")
    assert out.splitlines()[:2] == ["K\\xfcmmerer", "+---+"]  # lines that it knows
    assert json.loads(out[out.index("{") :]) == {"é": "☃"}


def run(*arguments, stdout, cwd):
    command = [sys.executable, "-m", "foveal.cli.app", *arguments]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(command, env=environment, stdout=stdout, stderr=subprocess.PIPE, cwd=cwd, check=False)


def test_a_closed_pipe(tmp_path):
    """Who reads no more ends nothing: what is left to do is done, and what failed is said."""
    write_image(tmp_path / "photo.png", make_photograph())
    (tmp_path / "text.png").write_text("dear diary")
    read, write = os.pipe()
    os.close(read)
    call = ("predict", "photo.png", "text.png", "--model", "bms", "--save", "density", "--out", "res")
    done = run(*call, stdout=write, cwd=tmp_path)
    os.close(write)
    assert done.returncode == 1
    assert [line[:14] for line in done.stderr.decode().splitlines()] == ["foveal: error:", "foveal: 1 of 2"]


def test_a_full_disk_as_output(tmp_path):
    with Path("/dev/full").open("w") as full:
        done = run("--version", stdout=full, cwd=tmp_path)
    assert done.returncode == 2
    expected = "foveal: error: the standard output cannot be written to (No space left on device)\n"
    assert done.stderr.decode() == expected


def test_a_folder_that_may_not_be_read_is_one_line(foveal, study, monkeypatch):
    def refused(*_, **__):
        raise PermissionError(13, "Permission denied", "study/images")

    monkeypatch.setattr("foveal.datasets.folder.find_images", refused)  # root may read anything
    code, _, err = foveal("datasets", "study")
    assert (code, err) == (2, "foveal: error: study/images: cannot be read (Permission denied)\n")
