"""The command line in this process, and a folder of one's own to use it on."""

import sys

import pytest
from toy import make_dataset

from foveal.cli import app
from foveal.datasets import save_dataset


@pytest.fixture
def foveal(capsys, monkeypatch, tmp_path):
    """Run a command line and return (exit status, standard output, standard error)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("FOVEAL_DATA", raising=False)

    def run(*arguments) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["foveal", *map(str, arguments)])
        with pytest.raises(SystemExit) as stopped:
            app.main()
        code = stopped.value.code
        output = capsys.readouterr()
        return (code if isinstance(code, int) else 0), output.out, output.err

    return run


@pytest.fixture
def study(tmp_path):
    save_dataset(make_dataset(n_images=4), tmp_path / "study")
    return tmp_path / "study"
