"""The pictures of docs/scanpaths.md: python docs/assets/make_paths.py (--data-root data).

Saccades of sampled paths beside people's, from benchmarks/results/scanpaths.json; sampled paths on drawn scenes; and
people's paths beside sampled ones on held-out pictures of OSIE, of which only the static density is drawn.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from drawn_scenes import lake, portrait, street
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

import foveal
from foveal.figures import plot_fixations
from foveal.gaze import Fixations
from foveal.models.scanpaths import load_scanpath_model

HERE = Path(__file__).parent
RESULTS = HERE.parents[1] / "benchmarks" / "results" / "scanpaths.json"
SHOWN = {"people": "black", "static": "#b8b8b8", "saccade-statistics": "#e69f00", "foveal-path": "#4a7fb5"}
LONGEST = 0.8  # of the longer side: where the histogram of amplitudes ends, as in the benchmark
VIEWERS, N = 3, 7
DEEP = 4.0  # nats below the peak where gray ends
HELD_OUT = (10, 45)  # pictures of OSIE, of every fifth


def draw_saccades(file: Path) -> None:
    """Amplitudes and directions, data set by data set."""
    results = json.loads(RESULTS.read_text())
    figure = Figure(figsize=(9, 5.4), layout="constrained")
    for row, dataset in enumerate(("osie", "eyecrowd")):
        of_models = results[f"saccades, {dataset}"]
        ax = figure.add_subplot(2, 2, 2 * row + 1)
        circle = figure.add_subplot(2, 2, 2 * row + 2, projection="polar")
        for name, color in SHOWN.items():
            amplitude, direction = np.array(of_models[name]["amplitude"]), np.array(of_models[name]["direction"])
            middles = (np.arange(len(amplitude)) + 0.5) * LONGEST / len(amplitude)
            style = {"color": color, "linewidth": 2.2 if name == "people" else 1.5}
            ax.plot(middles, 100 * amplitude, label=name, **style)
            around = np.linspace(0, 2 * np.pi, len(direction) + 1)
            circle.plot(around, 100 * np.append(direction, direction[0]), **style)
        ax.set(ylabel=f"{dataset}: % of saccades", xlim=(0, 0.7), ylim=(0, None))
        ax.spines[["top", "right"]].set_visible(False)
        circle.set_xticks(np.radians([0, 90, 180, 270]), labels=["right", "up", "left", "down"])
        circle.tick_params(labelsize=8)
        circle.yaxis.set_major_formatter(lambda share, _: f"{share:.0f} %")
        if row == 0:
            ax.legend(frameon=False)
        else:
            ax.set_xlabel("amplitude, in longer sides of the picture")
    figure.savefig(file, dpi=90)


def draw_scenes(file: Path) -> None:
    """Paths of the static model above those of foveal-path."""
    figure = Figure(figsize=(12, 5.6), layout="constrained")
    axes = figure.subplots(2, 3)
    for row, name in enumerate(("static", "foveal-path")):
        model = load_scanpath_model(name)
        for ax, scene in zip(axes[row], (lake(), street(), portrait()), strict=True):
            plot_fixations(model.sample(scene, N, viewers=VIEWERS), scene, ax=ax, scanpath=True)
        axes[row, 1].set_title(name, fontsize=11)
    _write(figure, file)


def draw_people(file: Path, data_root: str | None) -> None:
    """People's paths, and sampled ones with the same beginnings, over the static density in gray."""
    data, model = foveal.load_dataset("osie", data_root), load_scanpath_model("foveal-path")
    figure = Figure(figsize=(9, 6.8), layout="constrained")
    axes = figure.subplots(len(HELD_OUT), 2)
    for row, image in enumerate(HELD_OUT):
        stimulus = data.stimuli[image]
        static = model.static.log_density_of([stimulus.image], stimulus.known_pixels_per_degree)
        of_image = data.fixations.for_image(image)
        people = of_image.where((of_image.subject < VIEWERS) & (of_image.place() < N))
        people = replace(people, order=people.place(), duration=np.full(len(people), np.nan))  # drawn as the sampled
        begun = [[(float(path.x[0]), float(path.y[0]))] for path in map(people.for_subject, range(VIEWERS))]
        for ax, paths in zip(axes[row], (people, model.sample_given(static, N, 0, begun)), strict=True):
            _over_density(ax, paths, static[0].numpy())
    axes[0, 0].set_title("people", fontsize=11)
    axes[0, 1].set_title("foveal-path", fontsize=11)
    _write(figure, file)


def _over_density(ax: Axes, paths: Fixations, log_density: np.ndarray) -> None:
    """Paths over a density, in gray."""
    gray = 255 - 130 * (log_density - log_density.max() + DEEP).clip(0) / DEEP
    plot_fixations(paths, np.repeat(gray[..., None], 3, axis=2).astype(np.uint8), ax=ax, scanpath=True)


def _write(figure: Figure, file: Path) -> None:
    """As WebP, which is small."""
    png = file.with_suffix(".png")
    figure.savefig(png, dpi=90)
    Image.open(png).convert("RGB").save(file, quality=82, method=6)
    png.unlink()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-root")
    draw_scenes(HERE / "paths_drawn.webp")
    draw_people(HERE / "paths_people.webp", parser.parse_args().data_root)
    draw_saccades(HERE / "paths_saccades.png")
