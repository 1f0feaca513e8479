"""A server with a quick model, and pictures as visitors send them."""

import json

import numpy as np
import pytest
from fastapi.testclient import TestClient
from toy import make_photograph
from visitors import MODEL, encoded

from foveal.web.app import create_app

HERE = "http://127.0.0.1"


@pytest.fixture(scope="session")
def picture() -> np.ndarray:
    return make_photograph(size=(120, 160))


@pytest.fixture(scope="session")
def upload(picture) -> bytes:
    return encoded(picture)


@pytest.fixture(scope="module")
def client():
    with TestClient(create_app(model=MODEL), base_url=HERE) as visitor:
        yield visitor


@pytest.fixture
def ask(client, upload):
    """Send a picture, as a form does; regions are written as JSON."""

    def send(path: str, content: bytes = upload, name: str = "shop.png", **parts):
        data = {key: part if isinstance(part, str) else json.dumps(part) for key, part in parts.items()}
        return client.post(f"/api/{path}", files={"picture": (name, content)}, data=data)

    return send


@pytest.fixture
def visitor_of():
    """A client of an application of one's own."""
    opened = []

    def visit(app, **options) -> TestClient:
        opened.append(TestClient(app, base_url=HERE, **options))
        return opened[-1].__enter__()

    yield visit
    for visitor in opened:
        visitor.__exit__(None, None, None)
