"""Time and memory of Foveal's own models.

    python benchmarks/foveal_s.py --data-root data

One photograph of 640 x 480 on as many threads as PyTorch takes: by foveal-s, by foveal-l, by BMS, by a foveal-s with
four maps, where the scale is assumed and where it is known (35 px a degree), by foveal-s in float32 (which it is anyway
where the processor has no instructions for bfloat16), by its ONNX file under onnxruntime, and by foveal-s without what
makes it fast (maps stored channel after channel; normalisations computed on their own). And a page of 1360 x 768 by
foveal-s. Then the 700 photographs of OSIE from files to overlays and densities. Memory is that of `foveal predict`.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from PIL import Image
from timing import keep, median_seconds_in_turn
from torch import nn

import foveal
from foveal.interop.onnx import export_onnx
from foveal.models import load_model
from foveal.models.backbones.efficientnet_lite import Folded
from foveal.models.base import stacked
from foveal.models.deep.foveal_s import FovealConfig, FovealS

REPEATS = 21


def gigabytes_of_predict(photograph: np.ndarray) -> float:
    with tempfile.TemporaryDirectory() as folder:
        Image.fromarray(photograph).save(Path(folder) / "photograph.png")
        subprocess.run(
            [sys.executable, "-m", "foveal.cli.app", "predict", f"{folder}/photograph.png", "--out", folder], check=True
        )
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e9  # Linux counts in KiB


def in_float32(model: FovealS, photograph: np.ndarray) -> None:
    with torch.no_grad():
        model.log_density(stacked([photograph]))


def plainly(model: FovealS, photograph: np.ndarray) -> None:
    """In float32, without the channels last, and without folded normalisations."""
    fast_backbone, fast = type(model.backbone).forward, Folded.forward

    def channel_after_channel(self, images, *arguments, **options):
        return fast_backbone(self, images.contiguous(memory_format=torch.contiguous_format), *arguments, **options)

    type(model.backbone).forward, Folded.forward = channel_after_channel, nn.Sequential.forward
    try:
        in_float32(model, photograph)
    finally:
        type(model.backbone).forward, Folded.forward = fast_backbone, fast


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-root")
    arguments = parser.parse_args()
    photograph = (np.random.default_rng(0).random((480, 640, 3)) * 255).astype(np.uint8)
    results: dict[str, float] = {"threads": torch.get_num_threads()}
    # First of all: what this process holds counts as its children's memory.
    results["largest memory of foveal predict, GB"] = gigabytes_of_predict(photograph)
    model = load_model("foveal-s")
    assert isinstance(model, FovealS)
    models = (model, load_model("foveal-l"), load_model("bms"))
    calls = {each.name: partial(each.log_density_of, [photograph]) for each in models}
    four_maps = FovealS(FovealConfig(relative=(1.0, 0.5), absolute=(1.0, 0.5))).eval()
    calls["foveal-s with four maps, not trained"] = partial(four_maps.log_density_of, [photograph])
    calls["the same at 35 px a degree"] = partial(four_maps.log_density_of, [photograph], 35.0)
    page = (np.random.default_rng(0).random((768, 1360, 3)) * 255).astype(np.uint8)
    calls["foveal-s, a page of 1360 x 768"] = partial(model.log_density_of, [page])
    calls["foveal-s in float32"] = partial(in_float32, model, photograph)
    calls["as plainly written"] = partial(plainly, model, photograph)
    with tempfile.TemporaryDirectory() as folder:
        done = export_onnx(model, Path(folder) / "foveal-s.onnx", (480, 640))
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3  # errors
        options.intra_op_num_threads = torch.get_num_threads()
        session = onnxruntime.InferenceSession(done.path, options)
        image = {"image": photograph.transpose(2, 0, 1)[None].astype(np.float32) / 255}
        calls["onnxruntime"] = partial(session.run, None, image)
        for name, seconds in median_seconds_in_turn(calls, REPEATS).items():
            results[f"{name}, ms"] = 1000 * seconds
        results["onnxruntime, largest difference of the log density"] = done.largest_difference
        stimuli = foveal.load_dataset("osie", arguments.data_root).stimuli
        start = time.perf_counter()
        foveal.predict_files(list(stimuli.sources), "foveal-s", out=folder, save=["overlay", "density"])
        seconds = time.perf_counter() - start
    results[f"{len(stimuli)} photographs of OSIE to overlay and density, images/s"] = len(stimuli) / seconds
    keep("foveal_s", results)


if __name__ == "__main__":
    main()
