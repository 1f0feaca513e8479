"""Draw the pictures of README and of docs/gallery.md: scenes of our own, and where foveal-s says that people look.

python docs/assets/make_picture.py
"""

from pathlib import Path

import cv2
import drawn_scenes
import numpy as np
from PIL import Image

import foveal

ASSETS = Path(__file__).parent
STYLES = ("heatmap", "heatmap+contours", "contours", "fog", "hotspots")
GAP = 8  # px


def beside(*pictures: np.ndarray) -> np.ndarray:
    """Pictures in a row on white."""
    height = max(picture.shape[0] for picture in pictures)
    padded = [
        np.pad(picture, ((0, height - picture.shape[0]), (0, GAP), (0, 0)), constant_values=255) for picture in pictures
    ]
    return np.hstack(padded)[:, :-GAP]


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
    scenes = {name: getattr(drawn_scenes, name)() for name in ("lake", "portrait", "page", "street")}
    predictions = {name: model.predict(scene) for name, scene in scenes.items()}

    def drawn(name: str, style: str) -> np.ndarray:
        return foveal.overlay(scenes[name], predictions[name].log_density, style=style, color_bar=True)

    write(beside(scenes["lake"], drawn("lake", "heatmap")), "landscape.png", 1200)
    for name in ("portrait", "page", "street"):
        write(beside(scenes[name], drawn(name, "heatmap")), f"gallery_{name}.webp", 1200)
    for style in STYLES:
        write(drawn("lake", style), f"gallery_style_{style.replace('+', '_')}.webp", 760)

    from matplotlib.figure import Figure

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
