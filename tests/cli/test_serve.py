"""`foveal serve` as a process: where it listens, who is let in, and how it ends."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager

import httpx
import pytest
from toy import make_photograph
from visitors import MODEL, encoded

COMMAND = [sys.executable, "-m", "foveal.cli.app", "serve", "--port", "0", "--model", MODEL]


@contextmanager
def started(*options, **environment):
    """The process, and the address that it prints; it ends by SIGTERM."""
    process = subprocess.Popen(
        [*COMMAND, *map(str, options)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
    )
    try:
        address = process.stdout.readline().strip()
        assert address, process.stderr.read()
        yield process, address
    finally:
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=30)
    assert said == ("", "")  # nothing of what was asked


def test_it_answers_on_this_machine_and_ends_without_a_word(tmp_path):
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench/report.html").write_text("<h1>Results</h1>")
    with started(tmp_path / "bench") as (_, address):
        assert address.startswith("http://127.0.0.1:")
        assert "<title>Foveal" in httpx.get(address).text
        told = httpx.post(f"{address}api/attention", files={"picture": encoded(make_photograph())}).json()
        assert told["model"] == MODEL
        assert httpx.get(f"{address}reports/bench/").text == "<h1>Results</h1>"
        assert httpx.post(f"{address}api/attention", files={"picture": b"none"}).status_code == 422


def test_elsewhere_it_needs_a_token():
    with started("--host", "0.0.0.0", FOVEAL_TOKEN="secret") as (_, address):
        assert address.endswith("/?token=secret")
        port = address.split(":")[2].split("/")[0]
        here = f"http://127.0.0.1:{port}/"
        assert httpx.get(here).status_code == 401
        assert httpx.get(here, headers={"Authorization": "Bearer secret"}).status_code == 200


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--model", "none"], "foveal: error: no model 'none'"),
        (["--model", "mlnet"], "foveal: error: mlnet comes without weights"),
        (["--host", "192.0.2.1"], "foveal: error: 192.0.2.1:0 cannot be listened on"),
        (["nowhere"], "foveal: error: nowhere: no report.html in it"),
    ],
)
def test_what_is_wrong_is_one_line(foveal, arguments, line):
    code, out, err = foveal("serve", "--port", "0", "--model", MODEL, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith(line)
    assert err.count("\n") == 1
