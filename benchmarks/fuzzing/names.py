"""Hostile names of photographs, folders, data sets, observers, maps and results."""

import json
import os
import unicodedata
from collections.abc import Callable, Sequence
from functools import partial
from importlib import resources
from pathlib import Path

import numpy as np

from fuzzing.damage import HOSTILE_TEXTS
from fuzzing.inputs import FORMATS, MODEL, fixations_on, good_pictures, photograph, table_text, write_study
from fuzzing.maps import npy, saliency
from fuzzing.outcomes import Finding, Job, arrays_of, check_arrays, check_predictions, check_scores, scores_in
from fuzzing.subject import Subject
from fuzzing.weights import RECIPE, write_backbone
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
# What has the name, and the command that meets it.
WAYS = (
    ("photograph", "predict"),
    ("photograph", "evaluate"),
    ("photograph", "export"),
    ("photograph", "benchmark"),
    ("data set", "evaluate"),
    ("data set", "benchmark"),
    ("data set", "train"),
    ("data set", "datasets"),
    ("data set", "recipe"),
    ("observer", "evaluate"),
    ("category", "benchmark"),
    ("results", "predict"),
    ("maps", "evaluate"),
    ("weights", "evaluate"),
    ("folder", "evaluate"),
)
# These first, each in every way; then the others by chance.
FIRST = (
    "[/b]",
    "\x1b[31mred\x1b[0m",
    "../../../x",
    "../../../../../x",
    "a\nb",
    "[bold]",
    os.fsdecode(b"caf\xe9"),
    "\u202egnp",
    "a,b",
    "..",
    "",
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
    cases = 20 * len(WAYS)

    def prepare(self) -> None:
        """Outputs of the good inputs under plain names."""
        self.of_files = names_of_files()
        write_study(self.room / "study", PICTURES)
        write_backbone(self.room / "backbones")
        for argv in (_argv("predict"), _argv("evaluate"), _argv("export")):
            self.rehearsed(argv, self.room)
        self.densities = {name: np.load(self.room / f"out/{Path(name).stem}.density.npy") for name in PICTURES}
        self.scores = scores_in(self.room / "out/images.csv")
        self.arrays = arrays_of(self.room / "out/maps.hdf5")

    def job(self, folder: Path, numbers: Sequence[int]) -> Job:
        """One name."""
        (number,) = numbers
        what, command = WAYS[number % len(WAYS)]
        of_file = what not in ("data set", "observer", "category")
        text = self._text(number, self.of_files if of_file else list(HOSTILE_TEXTS))
        study = write_study(folder / "study", PICTURES)
        argv = _argv(command)
        outputs: Callable[[], Finding | None] = partial(self._outputs, folder, command)
        environment = {}
        if command == "recipe":
            (folder / "recipe.toml").write_text(RECIPE)
            environment = {
                "FOVEAL_WEIGHTS": str(self.room / "backbones"),
                "XDG_CACHE_HOME": str(folder / "out/cache"),
            }
        match what:
            case "photograph":
                (study / "images" / f"{text}.png").write_bytes(OTHER)
                table = table_text(fixations_on([*PICTURES, f"{text}.png"]))
                (study / "fixations.csv").write_text(table, encoding="utf-8", errors="surrogateescape", newline="")
                if command == "predict" and not text.startswith("."):  # a hidden file is no input of a folder
                    outputs = partial(self._check_predictions, folder, [f"{text}.png"])
            case "data set":
                settings = f"name = {json.dumps(text, ensure_ascii=False)}\npixels_per_degree = 4.0\n"
                (study / "dataset.toml").write_text(settings, encoding="utf-8")
            case "observer":
                rows = fixations_on(list(PICTURES))
                rows = [[*row[:3], text if row[3] == "anna" else row[3], *row[4:]] for row in rows]
                (study / "fixations.csv").write_text(table_text(rows), encoding="utf-8", newline="")
            case "category":
                rows = [[name, text] for name in PICTURES] + [[text, "indoor"]]
                table = table_text(rows, ("image", "category"))
                (study / "categories.csv").write_text(table, encoding="utf-8", newline="")
            case "results":
                argv[argv.index("out")] = f"out/{text}"
                outputs = partial(_there, folder / "out" / text / "predictions.json")
            case "maps":
                (folder / text).mkdir()
                for index, picture in enumerate(PICTURES):
                    (folder / text / picture.replace(".png", ".npy")).write_bytes(npy(saliency(index)))
                argv[argv.index("--model") : argv.index("--model") + 2] = ["--predictions", f"./{text}", "--raw"]
                argv[argv.index("LL,NSS")] = "NSS"
                outputs = partial(_there, folder / "out/table.json")
            case "weights":
                weights = folder / f"{text}.safetensors"
                weights.write_bytes((resources.files("foveal.models") / f"weights/{MODEL}.safetensors").read_bytes())
                argv[argv.index(MODEL)] = f"./{weights.name}"
                if "," in text:  # which separates models
                    argv = [*_argv("predict")[:3], f"./{weights.name}", "--out", "out"]
                outputs = partial(_there, folder / "out/table.json", folder / "out/predictions.json")
            case "folder":
                study.rename(folder / text)
                argv[argv.index("study")] = f"./{text}"

        def check(result: Result) -> Finding | None:
            is_refused = what == "data set" and result.status == 2
            return None if is_refused else outputs()

        return Job(Call(argv, folder, environment), {number: f"{what} called {text!r:.60} ({command})"}, check)

    def _text(self, number: int, texts: list[str]) -> str:
        position = number // len(WAYS)
        if position < len(FIRST) and FIRST[position] in texts:
            return FIRST[position]
        rng = self.rng(number)
        text = texts[int(rng.integers(len(texts)))]
        return text if rng.random() < 0.7 else (text[:40] + texts[int(rng.integers(len(texts)))][:40])[:60] or "a"

    def _outputs(self, folder: Path, command: str) -> Finding | None:
        """Are those of the good inputs there and right?"""
        out = folder / "out"
        match command:
            case "predict":
                return self._check_predictions(folder, [])
            case "evaluate":
                return check_scores(out / "images.csv", self.scores)
            case "export":
                return check_arrays(out / "maps.hdf5", self.arrays)
            case "benchmark":
                return _there(out / "results.json")
            case "recipe":
                return _there(out / "foveal-s.safetensors")
            case "train":
                return _there(out / "centerbias.safetensors")
        return None

    def _check_predictions(self, folder: Path, given: Sequence[str]) -> Finding | None:
        return check_predictions(folder / "out", self.densities, given, "study/images")


def _there(*paths: Path) -> Finding | None:
    """Is one of the files there?"""
    return None if any(path.is_file() for path in paths) else Finding("lost", f"no {paths[0].name}")


def _argv(command: str) -> list[str]:
    data, model, metrics = ["--dataset", "study"], ["--model", MODEL], ["--metrics", "LL,NSS"]
    return {
        "predict": ["predict", "study/images", *model, "--out", "out"],
        "evaluate": ["evaluate", *data, *model, *metrics, "--json", "out/table.json", "--per-image", "out/images.csv"],
        "export": ["export", *data, *model, "--out", "out/maps.hdf5"],
        "benchmark": ["benchmark", "--datasets", "study", "--models", MODEL, *metrics, "--out", "out"],
        "train": ["train", "centerbias", *data, "--out", "out"],
        "recipe": ["train", "recipe.toml", "--out", "out"],
        "datasets": ["datasets", "study"],
    }[command]
