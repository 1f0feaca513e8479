"""Damaged dataset.toml and categories.csv beside good pictures and fixations."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from fuzzing.damage import damaged, hostile_json, hostile_text
from fuzzing.inputs import MODEL, good_pictures, write_study
from fuzzing.outcomes import Finding, Job, check_scores, scores_in
from fuzzing.subject import Subject
from fuzzing.worker import Call, Result

PICTURES = good_pictures(3)
GOOD = 'name = "toy"\npixels_per_degree = 4.0\nlicence = "CC0"\ncitation = "nobody 2020"\n'
CATEGORIES = "image,category\n" + "".join(f"{name},indoor\n" for name in PICTURES)
DEEP = 20_000
FIXED: dict[str, Callable[[], bytes]] = {
    "byte-order mark": lambda: b"\xef\xbb\xbf" + GOOD.encode(),
    "carriage returns": lambda: GOOD.replace("\n", "\r\n").encode(),
    "comments and blank lines": lambda: ("# a\n\n" + GOOD.replace("\n", " # b\n\n")).encode(),
    "empty": lambda: b"",
    "number of 400 digits": lambda: b"pixels_per_degree = " + b"9" * 400 + b"\n",
    "number of 5,000 digits": lambda: b"pixels_per_degree = " + b"9" * 5000 + b"\n",
    "name of 5,000 digits": lambda: b"name = " + b"9" * 5000 + b"\n",
    "small": lambda: b"pixels_per_degree = 1e-320\n",
    "large": lambda: b"pixels_per_degree = 1e308\n",
    "no number": lambda: b"pixels_per_degree = nan\n",
    "infinite": lambda: b"pixels_per_degree = inf\n",
    "negative": lambda: b"pixels_per_degree = -1\n",
    "text": lambda: b'pixels_per_degree = "4"\n',
    "truth": lambda: b"pixels_per_degree = true\n",
    "date": lambda: b"pixels_per_degree = 2020-01-01\n",
    "name is a number": lambda: b"name = 5\n",
    "name is a list": lambda: b'name = ["a"]\n',
    "name is a table": lambda: b'[name]\na = "b"\n',
    "name is empty": lambda: b'name = ""\n',
    "deep lists": lambda: b"name = " + b"[" * DEEP + b"]" * DEEP + b"\n",
    "deep tables": lambda: b"name = " + b"{a=" * DEEP + b"1" + b"}" * DEEP + b"\n",
    "deep keys": lambda: b"a" + b".a" * DEEP + b" = 1\n",
    "utf-16": lambda: GOOD.encode("utf-16"),
    "latin-1": lambda: 'name = "Café"\n'.encode("latin-1"),
    "zero bytes": lambda: bytes(64),
    "twice": lambda: GOOD.encode() * 2,
    "unknown": lambda: b"[/b] = 1\n",
    "unknown with markup": lambda: b'"[/b]" = 1\n',
    "unknown with escapes": lambda: b'"\\u001b[31m" = 1\n',
    "path": lambda: b'name = "../../../x"\n',
    "absolute path": lambda: b'name = "/tmp/fuzz-name"\n',
    "markup": lambda: b'name = "[/b]"\n',
    "escape": lambda: b'name = "\\u001b[31mred"\n',
    "lines": lambda: b'name = "a\\nb"\n',
    "dots": lambda: b'name = ".."\n',
    "slash": lambda: b'name = "a/b"\n',
    "zero": lambda: b'name = "a\\u0000b"\n',
    "long name": lambda: b'name = "' + b"a" * 5000 + b'"\n',
    "name of a published data set": lambda: b'name = "osie"\n',
    "folder": lambda: b"",
    "nowhere": lambda: b"",
}
SAME = ("byte-order mark", "carriage returns", "comments and blank lines")  # as the good one
COMMANDS = ("describe", "evaluate", "benchmark", "train", "export")


class Settings(Subject):
    """What a data set says of itself."""

    name = "settings"
    cases = 220

    def prepare(self) -> None:
        """Scores of the good data set."""
        write_study(self.room / "study", PICTURES, GOOD)
        self.rehearsed(_argv("evaluate"), self.room)
        self.scores = scores_in(self.room / "out/images.csv")

    def job(self, folder: Path, numbers: Sequence[int]) -> Job:
        """One data set."""
        (number,) = numbers
        study = write_study(folder / "study", PICTURES, GOOD)
        (study / "categories.csv").write_text(CATEGORIES)
        every = [(name, command) for name in FIXED for command in COMMANDS[:3]]
        if number < len(every):
            name, command = every[number]
            path = study / "dataset.toml"
            path.unlink()
            if name == "folder":
                path.mkdir()
            elif name == "nowhere":
                path.symlink_to("nowhere")
            else:
                path.write_bytes(FIXED[name]())

            def check(result: Result) -> Finding | None:
                if name in SAME and command == "evaluate":
                    return check_scores(folder / "out/images.csv", self.scores)
                if name in SAME and command == "describe":
                    said = json.loads(result.out or "{}")
                    return None if said.get("citation") == "nobody 2020" else Finding("lost", "what it says of itself")
                return _check_written(folder, command, result)

            return Job(Call(_argv(command), folder, {}), {number: f"{name} ({command})"}, check)
        rng = self.rng(number)
        command = COMMANDS[int(rng.integers(len(COMMANDS)))]
        label = _damage(study, rng)
        return Job(
            Call(_argv(command), folder, {}),
            {number: f"{label} ({command})"},
            lambda result: _check_written(folder, command, result),
        )


def _damage(study: Path, rng: np.random.Generator) -> str:
    way = rng.choice(["value", "json", "bytes", "categories", "category"])
    if way in ("value", "json"):
        key = str(rng.choice(["name", "pixels_per_degree", "licence", "citation", "units", "origin"]))
        value = hostile_text(rng) if way == "value" else hostile_json(rng)
        lines = [line for line in GOOD.splitlines() if not line.startswith(key)]
        written = json.dumps(value, ensure_ascii=False).replace("null", '""').replace(": ", " = ")
        text = "\n".join([*lines, f"{key} = {written}", ""])
        (study / "dataset.toml").write_text(text, encoding="utf-8")
        return f"{key} = {written:.60}"
    if way == "bytes":
        data, label = damaged(GOOD.encode(), rng)
        (study / "dataset.toml").write_bytes(data)
        return f"dataset.toml: {label}"
    if way == "categories":
        data, label = damaged(CATEGORIES.encode(), rng)
        (study / "categories.csv").write_bytes(data)
        return f"categories.csv: {label}"
    value = hostile_text(rng).replace('"', '""')
    cells = [f'good-0.png,"{value}"', f'"{value}",indoor']
    line = cells[int(rng.integers(2))]
    (study / "categories.csv").write_text(CATEGORIES + line + "\n", encoding="utf-8", newline="")
    return f"categories.csv: {line!r:.60}"


def _argv(command: str) -> list[str]:
    data = ["--dataset", "study"]
    return {
        "describe": ["datasets", "study", "--json"],
        "evaluate": [
            *["evaluate", *data, "--model", MODEL, "--metrics", "LL,NSS"],
            *["--per-image", "out/images.csv", "--json", "out/table.json"],
        ],
        "benchmark": ["benchmark", "--datasets", "study", "--models", MODEL, "--metrics", "LL,NSS", "--out", "out"],
        "train": ["train", "centerbias", *data, "--out", "out"],
        "export": ["export", *data, "--model", MODEL, "--out", "out/maps.hdf5"],
    }[command]


def _check_written(folder: Path, command: str, result: Result) -> Finding | None:
    """A command that does not refuse the data set writes what it was asked for."""
    name = {
        "evaluate": "table.json", "benchmark": "results.json", "train": "centerbias.safetensors", "export": "maps.hdf5"
    }.get(command)  # fmt: skip
    if name and result.status != 2 and not (folder / "out" / name).is_file():
        return Finding("lost", f"status {result.status}, but no {name}")
    return None
