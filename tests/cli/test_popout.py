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
