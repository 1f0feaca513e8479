"""Models as ONNX files, for programs without Python or PyTorch.

Needs the extra: `pip install foveal[onnx]`.
"""

import os
import re
import warnings
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from foveal.errors import FovealError, first_line
from foveal.files import write_atomically
from foveal.models import SaliencyModel
from foveal.models.base import LARGEST_SIDE, check_pixels_per_degree
from foveal.models.parts.sizes import SeenScale

try:
    import onnxruntime
    import onnxscript  # noqa: F401 (torch's exporter needs it)
except ImportError as error:
    raise FovealError(f"ONNX cannot be written ({error}); pip install 'foveal[onnx]' installs what it needs") from error

TOLERANCE = 1e-3  # of a natural logarithm


@dataclass(frozen=True)
class OnnxExport:
    """What was written: the file, and the largest difference of its log density from the model's."""

    path: Path
    largest_difference: float


class _LogDensity(nn.Module):
    """What a model says, as a module to call."""

    def __init__(self, model: SaliencyModel, pixels_per_degree: float | None = None) -> None:
        super().__init__()
        self.model, self.pixels_per_degree = model, pixels_per_degree

    def forward(self, images: Float[Tensor, "image 3 height width"]) -> Float[Tensor, "image height width"]:
        """Log density."""
        return self.model.log_density(images, self.pixels_per_degree)


def export_onnx(
    model: SaliencyModel, out: str | os.PathLike[str], size: tuple[int, int], pixels_per_degree: float | None = None
) -> OnnxExport:
    """Write a model for images of one (height, width) and scale, and make sure that the file gives the same densities.

    The file's input "image" is float32 RGB in [0, 1], (1, 3, height, width); its output "log_density", (1, height,
    width), is the natural logarithm of the density. The file's metadata say so, with the model's name and licence.

    Raises
    ------
    FovealError
        If the images are too large, the model cannot be written, the file gives densities whose logarithm differs by
        more than 0.001, the scale is no positive number, or the folder cannot be written to.
    """
    if Path(out).suffix != ".onnx":
        raise FovealError(f"{out}: name it .onnx")
    if max(size) > LARGEST_SIDE:
        raise FovealError(
            f"{size[1]} x {size[0]} px: at most {LARGEST_SIDE} a side, to which larger photographs are shrunk"
        )
    check_pixels_per_degree(pixels_per_degree)
    image = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(0))
    module = _LogDensity(model, pixels_per_degree).eval()
    with write_atomically(out) as temporary, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's, about its own workings
        try:
            with torch.no_grad():
                program = torch.onnx.export(
                    module,
                    (image,),
                    input_names=["image"],
                    output_names=["log_density"],
                    dynamo=True,
                    optimize=False,  # it can leave values out that are needed (onnxscript 0.7)
                    verbose=False,
                )
                assert program is not None  # it is of this kind of export
                expected = module(image).numpy()
            program.model.metadata_props.update(_metadata(model, size, pixels_per_degree))
            program.save(temporary)
            options = onnxruntime.SessionOptions()
            options.log_severity_level = 3  # errors; what it cannot fold is of no interest
            session = onnxruntime.InferenceSession(temporary, options, providers=["CPUExecutionProvider"])
            (found,) = session.run(None, {"image": image.numpy()})
        except (FovealError, OSError):
            raise
        except Exception as error:  # whatever the exporter says of an operation that it does not know
            reason = re.sub(r"\x1b\[[0-9;]*m", "", first_line(error.__cause__ or error))  # without a terminal's colors
            raise FovealError(
                f"{model.name} cannot be written as ONNX, which needs PyTorch alone ({reason})"
            ) from error
        largest = float(np.abs(found - expected).max())
        if not largest < TOLERANCE:
            raise FovealError(f"{out}: the file's log densities differ from the model's by up to {largest:.2g}")
    return OnnxExport(Path(out), largest)


def _metadata(model: SaliencyModel, size: tuple[int, int], pixels_per_degree: float | None) -> dict[str, str]:
    """What a program that opens the file can read of it."""
    scale = SeenScale.of(size, pixels_per_degree)
    said = f"{scale.pixels_per_degree:.4g} pixels per degree{' (assumed)' if scale.is_assumed else ''}"
    return {
        **({"scale": said} if model.depends_on_scale else {}),
        "model": model.name,
        "source": f"Foveal {version('foveal')}; {model.card.paper}",
        "licence": model.card.licence,
        "input": "image: RGB in [0, 1], (1, 3, height, width)",
        "output": "log_density: natural logarithm of the density of fixations, (1, height, width)",
    }
