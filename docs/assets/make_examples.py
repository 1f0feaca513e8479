"""Draw the examples of the page of `foveal serve`, with regions of the two designs.

python docs/assets/make_examples.py
"""

import json
from pathlib import Path

import drawn_scenes
import numpy as np
from PIL import Image

EXAMPLES = Path(__file__).parents[2] / "src/foveal/web/page/examples"
DESIGN = {
    "Headline": (40, 106, 410, 112),
    "Picture": (500, 96, 360, 244),
    "Button": (44, 298, 170, 46),
    "Menu": (590, 18, 290, 32),
    "Cards": (44, 400, 812, 120),
}


def write(scene: np.ndarray, name: str, regions: dict[str, tuple[int, int, int, int]]) -> dict[str, object]:
    """A WebP file, and what examples.json says of it."""
    Image.fromarray(scene).save(EXAMPLES / f"{name}.webp", quality=92, method=6)
    print(EXAMPLES / f"{name}.webp")
    named = [{"name": region, "box": box} for region, box in regions.items()]
    return {"file": f"{name}.webp", "name": f"{name}.webp", "regions": named}


def main() -> None:
    """Write pictures and examples.json."""
    EXAMPLES.mkdir(exist_ok=True)
    designs = [
        write(drawn_scenes.page(), "design-A", DESIGN),
        write(drawn_scenes.page(with_portrait=True), "design-B", DESIGN),
    ]
    examples = [
        {"title": "A design against another", "pictures": designs},
        {"title": "A lake in the evening", "pictures": [write(drawn_scenes.lake(), "lake", {})]},
        {"title": "A street at night", "pictures": [write(drawn_scenes.street(), "street", {})]},
        {"title": "Somebody with a cup", "pictures": [write(drawn_scenes.portrait(), "portrait", {})]},
    ]
    text = json.dumps(examples, indent=1, ensure_ascii=False)
    (EXAMPLES / "examples.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
