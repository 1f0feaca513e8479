"""`foveal attention` on the command line."""

import json

import numpy as np
from PIL import Image

BOXES = "name,x,y,width,height\nspot,20,20,20,20\nrest,0,0,10,60\n"


def picture(path, x):
    pixels = np.full((60, 80, 3), 90, np.uint8)
    pixels[22:38, x : x + 16] = (250, 220, 30)
    Image.fromarray(pixels).save(path)


def test_regions_limits_and_baselines(foveal, tmp_path):
    picture(tmp_path / "a.png", 22)
    picture(tmp_path / "b.png", 60)
    (tmp_path / "r.csv").write_text(BOXES)
    arguments = ("--regions", "r.csv", "--model", "image-signature", "--out", "o")
    code, out, _ = foveal("attention", "a.png", *arguments, "--against", "b.png")
    assert code == 0
    assert "Half of the attention is on" in out
    assert sorted(str(path.relative_to(tmp_path / "o")) for path in (tmp_path / "o").rglob("*.*")) == [
        "A/a.attention.csv", "A/a.attention.json", "A/a.attention.png",
        "B/b.attention.csv", "B/b.attention.json", "B/b.attention.png", "against.csv", "against.png",
    ]  # fmt: skip
    winner = (tmp_path / "o/against.csv").read_text().splitlines()[1]
    assert winner.startswith("spot,")
    assert winner.endswith(",A")
    share = json.loads((tmp_path / "o/A/a.attention.json").read_text())["regions"][0]["share"]
    assert foveal("attention", "a.png", *arguments, "--fail-under", f"spot={share - 0.01}")[0] == 0
    code, _, err = foveal("attention", "a.png", *arguments, "--fail-under", f"spot={share + 0.01}")
    assert code == 1
    assert "error: a: spot gets" in err
    (tmp_path / "o/A/a.attention.json").rename(tmp_path / "before.json")
    assert foveal("attention", "a.png", *arguments, "--baseline", "before.json", "--max-drop", "0.05")[0] == 0
    code, _, err = foveal("attention", "b.png", *arguments, "--baseline", "before.json", "--max-drop", "0.05")
    assert code == 1
    assert "spot fell from" in err


def test_a_report_of_each_picture(foveal, tmp_path):
    picture(tmp_path / "a.png", 22)
    picture(tmp_path / "b.png", 60)
    (tmp_path / "r.csv").write_text(BOXES)
    arguments = ("--against", "b.png", "--regions", "r.csv", "--model", "image-signature", "--pdf", "--out", "o")
    code, out, _ = foveal("attention", "a.png", *arguments)
    assert code == 0
    for path in ("o/A/a.attention.pdf", "o/B/b.attention.pdf"):
        assert path in out.replace("\n", "")
        assert (tmp_path / path).read_bytes().startswith(b"%PDF")


def test_a_call_that_is_wrong(foveal, tmp_path):
    picture(tmp_path / "a.png", 22)
    (tmp_path / "r.csv").write_text("name,x,y,width,height\nfar,200,20,20,20\n")
    for arguments, line in {
        ("--regions", "r.csv"): "far: no pixel of the picture of 80 x 60 px lies in it",
        ("--regions", "none.csv"): "none.csv",
        ("--fail-under", "spot"): "NAME=SHARE",
        ("--fail-under", "spot=2"): "NAME=SHARE",
        ("--fail-under", "spot=0.1"): "no region 'spot' (has none)",
        ("--baseline", "none.json"): "none.json: no such file",
    }.items():
        code, _, err = foveal("attention", "a.png", "--model", "image-signature", *arguments)
        assert code == 2, arguments
        assert line in err.replace("\n", " "), arguments
