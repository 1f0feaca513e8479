"""Hostile names of photographs, folders, data sets, observers, maps and results."""

import json
import os
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from fuzzing.damage import HOSTILE_TEXTS, Generator
from fuzzing.inputs import FORMATS, MODEL, fixations_on, good_pictures, photograph, table_text, write_study
from fuzzing.maps import npy, saliency
from fuzzing.outcomes import Finding, Job, arrays_of, check_arrays, check_predictions, check_scores, scores_in
from fuzzing.subject import Subject
from fuzzing.worker import Call, Result

PICTURES = good_pictures(3)
OTHER = FORMATS["png"](photograph(7))
LONGEST = 255  # bytes of a file name
MORE_NAMES = (
    "[/b]",
    "[red]a[/red]",
    "[link=file:///x]y[/link]",
    "[/]",
    "[",
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07",
    "\x9b31m",
    "a\nb",
    "a\rb",
    "a\tb",
    "\n",
    " ",
    " a ",
    ".png",
    "..png",
    "a.",
    "a..b",
    "-",
    "--out",
    "~",
    "#",
    "a#b?c=d&e",
    "a%2fb",
    "%00",
    "a\\b",
    "C:\\a",
    "a:b",
    "*",
    "?",
    "[a-z]",
    "{a,b}",
    "a'b\"c",
    "$HOME",
    "`id`",
    "a;b",
    "a|b",
    "a,b",
    "<b>&amp;",
    unicodedata.normalize("NFC", "é"),
    unicodedata.normalize("NFD", "ü"),
    "\u202egnp",
    "\u2028",
    "\ufeffa",
    "\u200b",
    "👁️‍🗨️",
    "名前",
    "ع",
    "con",
    "nul",
    "__proto__",
    "None",
    "nan",
    "0",
    "1e5",
    "predictions.json",
    "a.density",
    "a.overlay",
    os.fsdecode(b"\xff\xfe"),
    os.fsdecode(b"caf\xe9"),
    "a" * (LONGEST - 4),
    "a" * (LONGEST - 20),
    "é" * 125,
)
WAYS = (
    "photographs",
    "photographs",
    "study",
    "data set",
    "observers",
    "categories",
    "out",
    "maps",
    "weights",
    "folder",
)


def names_of_files() -> list[str]:
    """Texts that can be the name of a file, without an ending."""
    names = dict.fromkeys([*MORE_NAMES, *HOSTILE_TEXTS])
    return [
        name
        for name in names
        if name and not set(name) & {"/", "\0"} and name not in (".", "..") and len(os.fsencode(name)) < LONGEST - 3
    ]


class Names(Subject):
    """Names."""

    name = "names"
    cases = 400
    together = 4

    def prepare(self) -> None:
        """Outputs of the good inputs under plain names."""
        self.names = names_of_files()
        write_study(self.room / "study", PICTURES)
        (self.room / "maps").mkdir()
        for argv in (_predict(), _evaluate("study"), _export()):
            self.rehearsed(argv, self.room)
        self.densities = {name: np.load(self.room / f"out/{Path(name).stem}.density.npy") for name in PICTURES}
        self.scores = scores_in(self.room / "out/images.csv")
        self.arrays = arrays_of(self.room / "out/maps.hdf5")

    def job(self, folder: Path, numbers: Sequence[int]) -> Job:
        """Names of one kind."""
        way = WAYS[self.command_number(numbers) % len(WAYS)]
        chosen = {number: self._text(number) for number in numbers}
        if way in ("photographs", "study"):
            return self._photographs(folder, way, {number: self._file_name(number) for number in numbers})
        if way in ("out", "maps", "weights", "folder"):
            name = self._file_name(numbers[0])  # of one thing: the others are not tried
            cases = {number: f"{way} called {self._file_name(number)!r:.60}" for number in numbers}
            return self._of_one_file(folder, way, name, cases)
        write_study(folder / "study", PICTURES)
        if way == "observers":
            rows = fixations_on(list(PICTURES))
            texts = list(chosen.values())
            for index, row in enumerate(rows):
                row[3] = texts[index // 4 % len(texts)]
            (folder / "study/fixations.csv").write_text(table_text(rows), encoding="utf-8", errors="surrogateescape")
        elif way == "categories":
            texts = list(chosen.values())
            rows = [[name, texts[index % len(texts)]] for index, name in enumerate([*PICTURES, *texts])]
            text = table_text(rows, ("image", "category"))
            (folder / "study/categories.csv").write_text(text, encoding="utf-8", errors="surrogateescape", newline="")
        else:
            text = json.dumps(next(iter(chosen.values())).encode("utf-8", "replace").decode())
            (folder / "study/dataset.toml").write_text(f"name = {text}\npixels_per_degree = 4.0\n", encoding="utf-8")
        argv = [_evaluate("study"), _benchmark(), ["datasets", "study"], ["train", "centerbias", "--dataset", "study"]][
            numbers[0] // len(WAYS) % 4
        ]
        cases = {number: f"{way} called {text!r:.60} ({argv[0]})" for number, text in chosen.items()}
        return Job(Call(argv, folder, {}), cases, lambda result: self._check_data(folder, argv[0], way, result))

    def _check_data(self, folder: Path, command: str, way: str, result: Result) -> Finding | None:
        if command == "evaluate" and (way != "data set" or result.status != 2):
            return check_scores(folder / "out/images.csv", self.scores)  # which do not depend on observers
        if command == "benchmark" and (way != "data set" or result.status != 2):
            return None if (folder / "out/results.json").is_file() else Finding("lost", "no results.json")
        return None

    def _photographs(self, folder: Path, way: str, names: dict[int, str]) -> Job:
        given = {number: f"{name}.png" for number, name in names.items()}
        pictures = PICTURES | dict.fromkeys(given.values(), OTHER)
        study = folder / "study"
        write_study(study, PICTURES)
        for name in given.values():
            (study / "images" / name).write_bytes(OTHER)
        table = table_text(fixations_on(list(pictures)))
        (study / "fixations.csv").write_text(table, encoding="utf-8", errors="surrogateescape", newline="")
        command = "predict" if way == "photographs" else ("evaluate", "export", "benchmark")[min(names) // 40 % 3]
        argv = {
            "predict": _predict,
            "evaluate": lambda: _evaluate("study"),
            "export": _export,
            "benchmark": _benchmark,
        }[command]()

        def check(_: Result) -> Finding | None:
            if command == "predict":
                # A hidden file is no input of a folder; one that another program cannot name is.
                seen = [name for name in given.values() if not name.startswith(".")]
                return check_predictions(folder / "out", self.densities, seen, "study/images")
            if command == "evaluate":
                return check_scores(folder / "out/images.csv", self.scores)
            if command == "export":
                return check_arrays(folder / "out/maps.hdf5", self.arrays)
            return None if (folder / "out/results.json").is_file() else Finding("lost", "no results.json")

        cases = {number: f"photograph called {name!r:.60} ({command})" for number, name in given.items()}
        return Job(Call(argv, folder, {}), cases, check)

    def _of_one_file(self, folder: Path, way: str, name: str, cases: dict[int, str]) -> Job:
        """The results, a folder of maps, a file of weights or the data set's folder has a hostile name."""
        write_study(folder / "study", PICTURES)
        place = f"./{name}"
        if way == "out":
            argv = _predict(f"out/{name}")
            return Job(Call(argv, folder, {}), cases, lambda _: self._check_elsewhere(folder, f"out/{name}"))
        if way == "maps":
            (folder / name).mkdir()
            for number, picture in enumerate(PICTURES):
                (folder / name / picture.replace(".png", ".npy")).write_bytes(npy(saliency(number)))
            argv = [
                *["evaluate", "--dataset", "study", "--predictions", place, "--metrics", "NSS", "--raw"],
                *["--json", "out/table.json"],
            ]
        elif way == "weights":
            shown = f"{place}.safetensors"
            self.rehearsed(["train", "centerbias", "--dataset", "study", "--out", "weights"], folder)
            (folder / "weights/centerbias.safetensors").rename(folder / shown)
            argv = [
                "evaluate",
                "--dataset",
                "study",
                "--model",
                shown,
                "--metrics",
                "LL,NSS",
                "--json",
                "out/table.json",
            ]
            if "," in name:  # which separates models
                argv = ["predict", "study/images", "--model", shown, "--out", "out"]
        else:
            (folder / "study").rename(folder / name)
            argv = _evaluate(place)
        made = {"predict": "predictions.json", "evaluate": "table.json"}[argv[0]]

        def check(_: Result) -> Finding | None:
            return None if (folder / "out" / made).is_file() else Finding("lost", f"no {made}")

        return Job(Call(argv, folder, {}), cases, check)

    def _check_elsewhere(self, folder: Path, out: str) -> Finding | None:
        return None if (folder / out / "predictions.json").is_file() else Finding("lost", "no predictions.json")

    def _file_name(self, number: int) -> str:
        """Of a file, each number another as long as there are some."""
        return self._pieced(number, self.names)

    def _text(self, number: int) -> str:
        """What a table or a setting says."""
        return self._pieced(number, list(HOSTILE_TEXTS))

    def _pieced(self, number: int, texts: list[str]) -> str:
        rng = self.rng(number)
        text = texts[int(rng.integers(len(texts)))]
        return text if rng.random() < 0.7 else _mixed(text, texts, rng)


def _mixed(text: str, texts: list[str], rng: Generator) -> str:
    """Two together, not too long."""
    return (text[:40] + texts[int(rng.integers(len(texts)))][:40])[:60] or "a"


def _predict(out: str = "out") -> list[str]:
    return ["predict", "study/images", "--model", MODEL, "--out", out]


def _evaluate(study: str) -> list[str]:
    return [
        *["evaluate", "--dataset", study, "--model", MODEL, "--metrics", "LL,NSS"],
        *["--json", "out/table.json", "--per-image", "out/images.csv"],
    ]


def _export() -> list[str]:
    return ["export", "--dataset", "study", "--model", MODEL, "--out", "out/maps.hdf5"]


def _benchmark() -> list[str]:
    return ["benchmark", "--datasets", "study", "--models", MODEL, "--metrics", "LL,NSS", "--out", "out"]
