"""Draw the pictures of README and of docs/gallery.md: scenes of our own, and where foveal-s says that people look.

python docs/assets/make_picture.py
"""

from pathlib import Path

import cv2
import drawn_scenes
import numpy as np
from matplotlib.figure import Figure
from PIL import Image

import foveal
from foveal.figures.legend import add_legend
from foveal.figures.scene import Scene
from foveal.figures.styles import styles_of

ASSETS = Path(__file__).parent
STYLES = ("heatmap+contours", "contours", "fog", "hotspots")
PAIRS = {
    "lake": "landscape.png",
    "portrait": "gallery_portrait.webp",
    "page": "gallery_page.webp",
    "street": "gallery_street.webp",
}
GAP = 8  # px


def pair(scene: np.ndarray, log_density: np.ndarray) -> np.ndarray:
    """A scene and its heatmap beside each other, and below both the legend, large enough for a page's width."""
    gap = np.full((scene.shape[0], GAP, 3), 255, np.uint8)
    both = np.hstack([scene, gap, foveal.overlay(scene, log_density)])
    return add_legend(both, Scene.of(both, np.zeros(both.shape[:2])), styles_of("heatmap"))


def write(picture: np.ndarray, name: str, width: int) -> None:
    """A WebP or PNG of this width."""
    height = round(picture.shape[0] * width / picture.shape[1])
    Image.fromarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)).save(
        ASSETS / name, quality=88, method=6, optimize=True
    )
    print(ASSETS / name)


def made_up_fixations(prediction: foveal.Prediction, observers: int = 3, each: int = 6) -> foveal.Fixations:
    """Points drawn from the density, as fixations of several observers: for show."""
    rng = np.random.default_rng(5)
    pixel = rng.choice(
        prediction.density.size, observers * each, p=prediction.density.ravel() / prediction.density.sum()
    )
    y, x = np.unravel_index(pixel, prediction.density.shape)
    return foveal.Fixations.of(
        np.zeros(len(x)), x, y, np.repeat(np.arange(observers), each), np.tile(np.arange(each), observers)
    )


def main() -> None:
    """Write the pictures beside this file."""
    model = foveal.load_model("foveal-s")
    scenes = {name: getattr(drawn_scenes, name)() for name in PAIRS}
    predictions = {name: model.predict(scene) for name, scene in scenes.items()}

    def drawn(name: str, style: str) -> np.ndarray:
        return foveal.overlay(scenes[name], predictions[name].log_density, style=style, color_bar=True)

    for name, file in PAIRS.items():
        write(pair(scenes[name], predictions[name].log_density), file, 1200)
    for style in STYLES:
        write(drawn("lake", style), f"gallery_style_{style.replace('+', '_')}.webp", 760)

    figure = Figure(figsize=(7, 3.1), layout="constrained")
    left, right = figure.subplots(1, 2)
    portrait = predictions["portrait"]
    portrait.plot(left, style="heatmap+contours")
    portrait.plot(right, style="contours", levels=[0.5, 0.9])
    fixations = made_up_fixations(portrait)
    foveal.plot_fixations(fixations.for_subject(1), ax=right, scanpath=True)
    figure.savefig(ASSETS / "gallery_figure.svg", bbox_inches="tight", metadata={"Date": None})
    print(ASSETS / "gallery_figure.svg")


if __name__ == "__main__":
    main()
