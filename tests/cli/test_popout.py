import torch

from foveal.models import save_model
from foveal.models.deep.dissection import Dissection


def test_a_quick_look(foveal, tmp_path):
    code, out, _ = foveal("popout", "--models", "image-signature", "--limit", "2", "--out", "out")
    assert code == 0
    assert "image-signature" in out
    names = {"scores.csv", "models.csv", "curves.csv", "report.html", "examples.png"}
    assert names <= {line.split("/")[-1] for line in out.splitlines()}
    assert (tmp_path / "out/report.html").is_file()


def test_a_model_that_is_none_is_one_line_and_the_others_are_scored(foveal):
    code, out, err = foveal("popout", "--models", "gloss,image-signature", "--limit", "1", "--out", "out")
    assert code == 1
    assert "image-signature" in out
    assert len([line for line in err.splitlines() if "error" in line and "gloss" in line]) == 1
    assert foveal("popout", "--models", "gloss", "--out", "out")[0] == 2


def test_layers_without_models(foveal, tmp_path):
    torch.manual_seed(0)
    save_model(Dissection(Dissection.tiny), tmp_path / "tuned.safetensors")
    choice = "--networks", "tuned.safetensors", "--layers", "relu5_3", "--limit", "1"
    code, out, _ = foveal("popout", "--models", "", *choice, "--out", "out")
    assert code == 0
    assert "relu5_3" in out
    assert {line.split("/")[-1] for line in out.splitlines()[-3:]} == {"layers.csv", "layers.png", "report.html"}
