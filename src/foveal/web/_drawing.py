import tempfile
from pathlib import Path

from foveal.figures import overlay, save_figure
from foveal.images import encode_png


def attention_picture(prediction, regions, *, file_format, style, color_bar):
    if file_format in ("svg", "pdf"):
        with tempfile.NamedTemporaryFile() as f:
            save_figure(prediction.log_density, prediction.image, f.name, file_format, style=style, color_bar=color_bar)
            return Path(f.name).read_bytes()
    return encode_png(
        overlay(
            prediction.image,
            prediction.log_density,
            style=style,
            color_bar=color_bar,
            outlines=[(r.name, r.polygons) for r in regions],
        )
    )


def attention_report(prediction, regions, found):
    return attention_picture(prediction, regions, file_format="pdf", style="heatmap", color_bar=True)
