"""Who is let in, what is refused before it is read, and what every answer carries."""

import asyncio
import json
import logging
import re
import socket
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import pytest
from visitors import MODEL, encoded

from foveal.errors import FovealError
from foveal.web import app as server
from foveal.web.app import create_app, listen
from foveal.web.limits import Limits
from foveal.web.problems import Busy, Refused
from foveal.web.work import Workbench

TOKEN = "a-token"


@contextmanager
def running(**options):
    """A real server on a free port: its address."""
    app = create_app(model=MODEL, **options)
    with listen("127.0.0.1", 0) as listening:
        thread = threading.Thread(target=server.serve, args=(app, listening), daemon=True)
        thread.start()
        try:
            yield listening.getsockname()
        finally:
            app.state.stop()
            thread.join(10)
            assert not thread.is_alive()


def head(address, length: int) -> bytes:
    return (
        f"POST /api/attention HTTP/1.1\r\nHost: 127.0.0.1:{address[1]}\r\nContent-Length: {length}\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\n\r\n"
    ).encode()


# ---- who is let in -------------------------------------------------------------------------------------------------


def test_without_the_token_nothing_is_answered(visitor_of):
    client = visitor_of(create_app(model=MODEL, token=TOKEN, hosts=None))
    for path in ("/", "/page/style.css", "/api/models", "/api/openapi.json", "/?token=wrong"):
        answer = client.get(path)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert "address that `foveal serve` printed" in answer.json()["detail"]
    assert client.get("/api/models", headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert client.get("/api/models", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200
    beside = {"Cookie": f'prefs={{"a":"b"}}; foveal-token={TOKEN}'}  # another program's on this host
    assert client.get("/api/models", headers=beside).status_code == 200


def test_the_address_with_the_token_opens_the_page(visitor_of):
    client = visitor_of(create_app(model=MODEL, token=TOKEN, hosts=None))
    answer = client.get(f"/?token={TOKEN}", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")  # the token leaves the address
    cookie = answer.headers["set-cookie"]
    assert all(part in cookie for part in ("HttpOnly", "SameSite=strict"))
    assert client.get("/").status_code == 200
    assert client.get("/api/models").status_code == 200


@pytest.mark.parametrize(
    "headers", [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": "http://["}]
)
def test_other_sites_are_not_answered(client, headers):
    answer = client.get("/api/models", headers=headers)
    assert answer.status_code == 403
    assert client.get("/api/models", headers={"Origin": "http://127.0.0.1"}).status_code == 200


@pytest.mark.parametrize("path", ["/", "/page/js/main.js", "/api/models", "/api/none", "/none"])
def test_every_answer_carries_the_policy(client, path):
    headers = client.get(path).headers
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


def test_the_page_loads_nothing_from_elsewhere():
    page = Path(server.__file__).parent / "page"
    for file in page.rglob("*"):
        if file.suffix in (".html", ".js", ".css"):
            text = file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
            assert not re.search("https?:", text), file
            assert " style=" not in text, file  # the policy would not let it


def test_paths_lead_nowhere_else(client, visitor_of, tmp_path):
    for path in ("/page/../app.py", "/page/..%2fapp.py", "/page/%2e%2e/app.py", "/..%2f..%2f..%2fetc/passwd"):
        assert client.get(path).status_code == 404
    report = tmp_path / "bench"
    report.mkdir()
    (report / "report.html").write_text("<h1>Results</h1>")
    (tmp_path / "secret.txt").write_text("secret")
    (report / "link.txt").symlink_to(tmp_path / "secret.txt")
    visitor = visitor_of(create_app(model=MODEL, reports=[report]))
    for path in ("..%2fsecret.txt", "%2e%2e/secret.txt", "link.txt"):
        assert visitor.get(f"/reports/bench/{path}").status_code == 404


def test_reports_are_shown_and_may_do_nothing_else(visitor_of, tmp_path):
    for name in ("a/bench", "b/bench", "c/bench-2"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "report.html").write_text(f"<h1>{name}</h1>")
    visitor = visitor_of(
        create_app(model=MODEL, reports=[tmp_path / "c/bench-2", tmp_path / "a/bench", tmp_path / "b/bench"])
    )
    assert visitor.get("/api/reports").json() == ["bench-2", "bench", "bench-3"]
    answer = visitor.get("/reports/bench-3/")
    assert answer.text == "<h1>b/bench</h1>"
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")  # of the script that sorts tables
    with pytest.raises(FovealError, match=r"a: no report\.html in it"):
        create_app(model=MODEL, reports=[tmp_path / "a"])


# ---- too large, too slow, too much ---------------------------------------------------------------------------------


def test_a_request_that_is_too_large(visitor_of):
    client = visitor_of(create_app(model=MODEL, limits=Limits(body=2**20)))
    files = {"picture": b"x" * 2**20}
    line = "a request holds at most 1 MB; make the picture smaller"
    answer = client.post("/api/attention", files=files)
    assert (answer.status_code, answer.json()["detail"]) == (413, line)
    chunks = (b"x" * 2**16 for _ in range(20))  # without a length
    answer = client.post("/api/attention", content=chunks, headers={"Content-Type": "multipart/form-data; boundary=b"})
    assert (answer.status_code, answer.json()["detail"]) == (413, line)


def test_a_request_that_is_no_form(client):
    answer = client.post(
        "/api/attention", content=b"&" * 1000, headers={"Content-Type": "application/x-www-form-urlencoded"}
    )
    assert (answer.status_code, answer.json()["detail"]) == (415, "a picture comes in a form: multipart/form-data")


def test_all_requests_together_are_bounded(visitor_of, upload):
    client = visitor_of(create_app(model=MODEL, limits=Limits(bodies=1000)))
    for _ in range(2):  # what was refused is not counted any more
        answer = client.post("/api/attention", files={"picture": upload})
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "2"
        assert client.get("/api/models").status_code == 200


def test_who_sends_too_slowly_is_told_so():
    with running(limits=Limits(seconds_to_send=0.3)) as address, socket.create_connection(address, 10) as visitor:
        visitor.sendall(head(address, 1000) + b"--x\r\n")
        answer = b"".join(iter(lambda: visitor.recv(10_000), b""))
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"the request took too long to arrive" in answer


def test_who_says_nothing_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(server, "SECONDS_TO_BEGIN", 0.3)
    with running() as address, socket.create_connection(address, 10) as visitor:
        visitor.sendall(b"GET / HT")
        assert visitor.recv(10) == b""  # closed
        assert httpx.get(f"http://127.0.0.1:{address[1]}/api/reports").json() == []


def test_a_line_that_is_full_is_said_so():
    bench = Workbench(MODEL, "cpu", Limits(waiting=2))
    goes_on = threading.Event()

    async def three() -> list:
        begun = [asyncio.create_task(bench.do(lambda: goes_on.wait(10))) for _ in range(2)]
        await asyncio.sleep(0.01)
        with pytest.raises(Busy):
            await bench.do(int)
        goes_on.set()
        return [*(await asyncio.gather(*begun)), await bench.do(lambda: "done")]

    assert asyncio.run(three()) == [True, True, "done"]


def test_work_that_takes_too_long_and_the_next():
    bench = Workbench(MODEL, "cpu", Limits(seconds_to_answer=0.2, waiting=3))
    goes_on = threading.Event()
    for _ in range(2):
        with pytest.raises(Refused, match=r"not done within 0\.2 seconds") as refused:
            asyncio.run(bench.do(lambda: goes_on.wait(10)))
        assert refused.value.status_code == 504  # not one that is asked again
    goes_on.set()
    assert asyncio.run(bench.do(lambda: "done")) == "done"


def test_what_is_kept_is_bounded(picture):
    one = picture.nbytes + 4 * picture.shape[0] * picture.shape[1]
    bench = Workbench(MODEL, "cpu", Limits(kept=3 * one))
    uploads = [encoded(np.roll(picture, number, axis=1)) for number in range(6)]
    first = [bench.predict(upload, "", None) for upload in uploads]
    assert len(bench._kept) == 3
    assert bench.predict(uploads[-1], "", None) is first[-1]
    assert bench.predict(uploads[0], "", None) is not first[0]
    tiny = encoded(np.full((9, 9, 3), 7, np.uint8))
    for number in range(300):
        bench.predict(tiny + number.to_bytes(2, "big"), "uniform", None)
    assert len(bench._kept) == 256


# ---- what is left of a picture -------------------------------------------------------------------------------------


def test_nothing_of_a_picture_is_written_or_logged(ask, monkeypatch, caplog, capfd, rng_picture):
    def refuse(*_):
        raise AssertionError("written to disk")

    monkeypatch.setattr(tempfile.SpooledTemporaryFile, "rollover", refuse)
    caplog.set_level(logging.DEBUG, logger="foveal")
    assert len(rng_picture) > 2 * 2**20  # a smaller one stays in memory anyway
    assert ask("attention", content=rng_picture, name="secret.png").status_code == 200
    assert ask("attention", content=rng_picture[:-9999], name="secret.png").status_code == 422
    assert not [record for record in caplog.records if record.name.startswith(("foveal", "uvicorn", "fastapi"))]
    said = capfd.readouterr()
    assert said.out + said.err == ""


@pytest.fixture(scope="module")
def rng_picture():
    pixels = np.random.default_rng(0).integers(0, 256, (1000, 1000, 3)).astype(np.uint8)
    return encoded(pixels, compress_level=0)


def test_listening_where_it_cannot_be():
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(FovealError, match=rf"127\.0\.0\.1:{port} cannot be listened on \(.*\); --port 0 takes"):
            listen("127.0.0.1", port)
    with pytest.raises(FovealError, match=r"--host nowhere\.invalid: no address of this machine"):
        listen("nowhere.invalid", 0)


def test_the_document_says_all_operations(client):
    document = client.get("/api/openapi.json").json()
    assert set(document["paths"]) == {
        f"/api/{name}"
        for name in (
            *("models", "styles", "reports", "attention", "overlay", "density", "table"),
            *("report", "fixations", "compare", "difference"),
        )
    }
    json.dumps(document)
