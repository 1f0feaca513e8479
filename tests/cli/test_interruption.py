"""Interrupted or killed: nothing half-written under a final name."""

import json
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from toy import make_photograph, write_image

ENDINGS = (".overlay.png", ".density.npy", ".map.png")


def wait_for_first_results(out: Path) -> None:
    for _ in range(600):
        if len(list(out.glob("*.density.npy"))) >= 2:
            return
        time.sleep(0.1)
    pytest.fail("no result in a minute")


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    """Many files of a few photographs."""
    folder = tmp_path_factory.mktemp("many") / "in"
    few = [write_image(folder / f"{i:03}.png", make_photograph(i, (240, 320))) for i in range(3)]
    for i in range(3, 300):
        (folder / f"{i:03}.png").hardlink_to(few[i % 3])
    return folder


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_what_is_there_is_whole(tmp_path, photographs, how):
    command = [sys.executable, "-m", "foveal.cli.app", "predict", str(photographs), "--model", "image-signature"]
    command += ["--no-color-bar", "--save", "overlay,density,map"]
    env = {**os.environ, "PYTHONPATH": ""}
    # What runs in the background of a shell ignores Ctrl-C, and its children would, too.
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(
        command, cwd=tmp_path, env=env, stderr=subprocess.PIPE, text=True, preexec_fn=heed
    ) as process:
        wait_for_first_results(tmp_path / "out")
        process.send_signal(how)
        _, err = process.communicate(timeout=60)
    written = [
        path for path in (tmp_path / "out").iterdir() if path.name.endswith(ENDINGS) and not path.name.startswith(".")
    ]
    assert 2 <= len(written) < 900
    for path in written:
        if path.suffix == ".npy":
            assert np.load(path).shape == (240, 320)
        else:
            assert cv2.imread(str(path), cv2.IMREAD_UNCHANGED).shape[:2] == (240, 320)
    if how != signal.SIGKILL:
        assert process.returncode == 128 + how
        assert "Traceback" not in err
        assert not list((tmp_path / "out").glob(".*"))
        listing = json.loads((tmp_path / "out/predictions.json").read_text())
        assert all((tmp_path / file).exists() for entry in listing["predictions"] for file in entry["files"].values())
