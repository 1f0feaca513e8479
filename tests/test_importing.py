"""Importing Foveal changes nothing in the process: a server, a notebook and a test run keep what they have set."""

import subprocess
import sys
from pathlib import Path

import foveal

CHANGED = """
import sys
from importlib import import_module

for name in OTHERS:  # what they change is theirs
    import_module(name)

import logging, os, random, signal, threading, warnings
import cv2, matplotlib, numpy as np, pandas as pd, torch
from PIL import Image, ImageFile

def state():
    return {
        "warnings": (list(warnings.filters), warnings.showwarning, warnings.formatwarning),
        "PIL": (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES),
        "threads": (torch.get_num_threads(), torch.get_num_interop_threads(), cv2.getNumThreads(), cv2.useOptimized()),
        "running threads": threading.active_count(),
        "torch": (
            torch.get_default_dtype(),
            torch.is_grad_enabled(),
            torch.are_deterministic_algorithms_enabled(),
            torch.get_float32_matmul_precision(),
            torch.backends.cudnn.benchmark,
            torch.backends.cudnn.allow_tf32,
            torch.backends.mkldnn.enabled,
        ),
        "random": (torch.get_rng_state().tolist(), random.getstate(), repr(np.random.get_state())),
        "numpy": (np.geterr(), np.get_printoptions()),
        "pandas": [(name, pd.get_option(name)) for name in ("mode.chained_assignment", "display.width")],
        "matplotlib": dict.copy(matplotlib.rcParams),  # as it is: to look at the backend chooses one
        "logging": (logging.root.level, list(logging.root.handlers), logging.root.manager.disable),
        "signals": [signal.getsignal(number) for number in sorted(signal.valid_signals())],
        "hooks": (sys.excepthook, sys.displayhook, sys.stdout, sys.stderr),
        "interpreter": (sys.getrecursionlimit(), list(sys.path), sys.getswitchinterval()),
        "environment": dict(os.environ),
        "folder": os.getcwd(),
    }

before = state()
assert "foveal" not in sys.modules
for name in OURS:
    import_module(name)
after = state()
print([what for what in before if before[what] != after[what]])
"""


OTHERS = (
    *("accelerate", "cv2", "filelock", "h5py", "jaxtyping", "jinja2", "numpy", "onnxruntime", "onnxscript", "pandas"),
    *("PIL.ImageFile", "platformdirs", "pyarrow.parquet", "pysaliency", "rich.progress", "safetensors.torch"),
    *("scipy.io", "scipy.optimize", "scipy.special", "torch", "typer"),
)


def test_importing_every_module_changes_nothing_in_the_process():
    root = Path(foveal.__file__).parent
    files = [path.relative_to(root.parent).with_suffix("") for path in sorted(root.rglob("*.py"))]
    ours = [".".join(path.parts).removesuffix(".__init__") for path in files]
    assert "foveal.images" in ours
    script = f"OURS, OTHERS = {ours}, {OTHERS}\n{CHANGED}"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"
