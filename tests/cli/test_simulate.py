"""`foveal simulate`: a table, and a picture of numbered paths."""

import cv2
import pandas as pd
from toy import make_photograph, write_image


def test_paths_are_written_as_a_table_and_drawn(foveal, tmp_path):
    write_image(tmp_path / "a.png", make_photograph(0))
    write_image(tmp_path / "more" / "b.png", make_photograph(1, (50, 40)))
    (tmp_path / "broken.png").write_bytes(b"no picture")
    code, out, err = foveal("simulate", "a.png", "more", "broken.png", "--n", 4, "--viewers", 3, "--seed", 7)
    assert code == 1
    assert "broken.png" in err
    assert out.split() == ["out/a.paths.png", "out/b.paths.png", "out/paths.csv"]
    table = pd.read_csv(tmp_path / "out" / "paths.csv")
    assert list(table) == ["image", "viewer", "order", "x", "y"]
    assert table.groupby(["image", "viewer"]).order.apply(list).tolist() == [[0, 1, 2, 3]] * 6
    assert table[table.image == "a.png"].x.between(0, 79).all()
    assert table[table.image == "more/b.png"].y.between(0, 49).all()
    drawn = cv2.imread(str(tmp_path / "out" / "a.paths.png"))
    assert drawn.shape == (900, 1200, 3)
    code, _, _ = foveal("simulate", "a.png", "--n", 4, "--viewers", 3, "--seed", 7, "--out", "again")
    assert code == 0
    again = pd.read_csv(tmp_path / "again" / "paths.csv")
    pd.testing.assert_frame_equal(again, table[table.image == "a.png"])


def test_what_is_wrong_is_one_line(foveal, tmp_path):
    write_image(tmp_path / "a.png", make_photograph(0))
    code, out, err = foveal("simulate", "a.png", "--model", "foveal-s")
    assert (code, out) == (2, "")
    assert "no model of scanpaths 'foveal-s'" in err
    code, out, err = foveal("simulate", "missing.png")
    assert (code, out) == (2, "")
    assert "missing.png: no such file or folder" in err
