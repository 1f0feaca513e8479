"""The package as a whole."""

import re
from importlib import metadata
from pathlib import Path

import numpy as np
import onnx
import pytest
import scipy.io
from toy import make_dataset, make_photograph, write_image
from toy_films import ball, write_film

import foveal

ROOT = Path(__file__).parents[1]


def test_every_public_name_can_be_had():
    for name in foveal.__all__:
        assert getattr(foveal, name) is not None
    assert dir(foveal) == foveal.__all__
    with pytest.raises(AttributeError):
        _ = foveal.nothing


def test_the_version_is_said_once():
    assert metadata.version("foveal") == foveal.__version__
    assert f"## {foveal.__version__}" in (ROOT / "CHANGELOG.md").read_text()
    assert f"version: {foveal.__version__}" in (ROOT / "CITATION.cff").read_text()


def write_toy_osie(root: Path) -> None:
    """A few photographs and fixations in OSIE's layout."""
    toy = make_dataset(n_images=4, size=(60, 80))
    structs = np.empty(len(toy), dtype=object)
    for image, stimulus in enumerate(toy.stimuli):
        write_image(root / f"osie/data/stimuli/{1001 + image}.jpg", stimulus.image)
        scanpaths = []
        for subject in toy.fixations.subjects:
            part = toy.fixations.for_image(image).for_subject(subject)
            scanpaths.append({"fix_x": part.x + 1, "fix_y": part.y + 1, "fix_duration": np.full(len(part), 200)})
        subjects = np.empty(len(scanpaths), dtype=object)
        subjects[:] = scanpaths
        structs[image] = {"img": f"{1001 + image}.jpg", "subjects": subjects}
    (root / "osie/data/eye").mkdir(parents=True)
    scipy.io.savemat(root / "osie/data/eye/fixations.mat", {"fixations": structs})


def write_toy_onnx(path: Path) -> None:
    """Of a file that `foveal export` writes, what goes in and comes out; what is between would take a minute."""
    node = onnx.helper.make_node("ReduceMean", ["image"], ["log_density"], axes=[1], keepdims=0)
    image = onnx.helper.make_tensor_value_info("image", onnx.TensorProto.FLOAT, [1, 3, 480, 640])
    log_density = onnx.helper.make_tensor_value_info("log_density", onnx.TensorProto.FLOAT, [1, 480, 640])
    graph = onnx.helper.make_graph([node], "toy", [image], [log_density])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, path)


# What needs published data, or hours, is marked as "py" there, not as "python".
PYTHON_BLOCKS = {
    (page.relative_to(ROOT).as_posix(), number): block
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    if page.name != "tutorial.md"  # its own test runs it from the first command to the last
    for number, block in enumerate(re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL))
}


@pytest.mark.filterwarnings("ignore:.*were trained on by:foveal.errors.FovealNote")  # a page may show it
@pytest.mark.filterwarnings("ignore:.*onsets are cumulated durations:foveal.errors.FovealNote")  # and this, too
@pytest.mark.parametrize("where", PYTHON_BLOCKS, ids=lambda where: f"{where[0]}#{where[1]}")
def test_python_of_the_documentation_runs(where, tmp_path, monkeypatch):
    write_image(tmp_path / "photo.jpg", make_photograph(size=(120, 160)))
    write_film(tmp_path / "film.mp4", (ball(number / 10) for number in range(12)))
    write_toy_osie(tmp_path / "data")
    foveal.save_dataset(make_dataset(n_images=3), tmp_path / "my-study")
    write_toy_onnx(tmp_path / "foveal-s.onnx")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    exec(compile(PYTHON_BLOCKS[where], f"{where[0]}#{where[1]}", "exec"), {})
