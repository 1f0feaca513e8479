"""`foveal regions` on the command line."""


def test_regions_found_labelled_and_judged(foveal, study, tmp_path):
    code, out, _ = foveal("regions", "--find", "--dataset", study, "--out", "r")
    assert code == 0
    assert "found.csv" in out
    table = tmp_path / "r/found.csv"
    header, *rows = table.read_text().splitlines()
    labelled = [row.replace(",,,", ",text,S,", 1) for row in rows]
    table.write_text("\n".join([header, *labelled]) + "\n")
    arguments = ("regions", "--dataset", study, "--out", "r", "--models", "image-signature")
    code, out, _ = foveal(*arguments, "--regions", "r/found.csv")
    assert code == 0
    assert "image-signature" in out
    assert "main subject" in (tmp_path / "r/misses.csv").read_text()
    assert (tmp_path / "r/report.html").is_file()
    table.write_text("\n".join([header, *labelled]).replace(",text,", ",cat,") + "\n")
    code, _, err = foveal(*arguments, "--regions", "r/found.csv")
    assert code == 2
    assert "line 2: unknown category: cat" in err
    code, _, err = foveal(*arguments, "--find", "--grid", "3x3")
    assert code == 2
    assert "leave out --models, --grid" in err
    code, _, err = foveal("regions", "--find", "--dataset", study, "--out", "r")
    assert code == 2
    assert "found.csv: is there already" in err
    code, _, err = foveal(*arguments, "--grid", "3by3")
    assert code == 2
    assert "ACROSSxDOWN" in err
