"""The work of the server: a few workers, a line of bounded length before them, predictions kept for a while.

Nothing is written to disk or logged of a picture. What is kept is known by its content: only who has a picture can ask
for what was predicted of it.
"""

import asyncio
import hashlib
import os
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from queue import SimpleQueue
from threading import BoundedSemaphore, Lock, Thread
from typing import Any, TypeVar

from foveal.analysis.attention import PictureAttention, exact_density, of_picture
from foveal.errors import FovealError
from foveal.images import decode_image
from foveal.models.base import SaliencyModel
from foveal.models.catalogue import ModelCard, list_models
from foveal.models.prediction import Prediction
from foveal.models.registry import load_model
from foveal.registry import no_such
from foveal.web.limits import Limits
from foveal.web.problems import Busy, Refused

Result = TypeVar("Result")
Key = tuple[bytes, str, float | None]

MOST_WORKERS = 4
MOST_KEPT = 256  # predictions, however small
JPEG, SCAN = b"\xff\xd8", b"\xff\xda"  # how a file begins, and how each of its passes over the picture
MOST_SCANS = 100  # progressive files have ten or so; each takes as long as the whole picture
MODELS_KEPT = 4


@dataclass(frozen=True, eq=False)
class Predicted:
    """A prediction, and where the attention of its picture is, which is computed once."""

    prediction: Prediction

    @cached_property
    def whole(self) -> PictureAttention:
        """See `PictureAttention`."""
        return of_picture(exact_density(self.prediction), self.prediction.model)

    @property
    def n_bytes(self) -> int:
        """Memory that it takes."""
        return self.prediction.image.nbytes + self.prediction.log_density.nbytes


class Workers:
    """Threads that work off a queue. Unlike those of an executor, they keep no process from ending."""

    def __init__(self, n: int) -> None:
        self._queue: SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = SimpleQueue()
        for number in range(n):
            Thread(target=self._work, name=f"foveal-{number}", daemon=True).start()

    def submit(self, work: Callable[[], Result]) -> Future[Result]:
        """Do it when its turn comes, unless it is cancelled before."""
        future: Future[Result] = Future()
        self._queue.put((future, work))
        return future

    def _work(self) -> None:
        while True:
            future, work = self._queue.get()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(work())
            except BaseException as error:  # it is raised where the result is waited for
                future.set_exception(error)
            del future, work  # a picture is not held while nothing is done


class Workbench:
    """Predicts and computes for all visitors.

    Parameters
    ----------
    default_model
        A name that `foveal models` lists, or a `.safetensors` file: the model of requests that name none.
    device
        Where models compute.
    limits
        See `Limits`.
    """

    def __init__(self, default_model: str, device: str, limits: Limits) -> None:
        self.default_model, self.device, self.limits = default_model, device, limits
        self._workers = Workers(min(MOST_WORKERS, os.cpu_count() or 1))
        self._places = BoundedSemaphore(limits.waiting)
        self._models: OrderedDict[str, SaliencyModel] = OrderedDict()
        self._predicting = Lock()  # models are not made for several threads
        self._kept: OrderedDict[Key, Predicted] = OrderedDict()
        self._keeping = Lock()

    async def do(self, work: Callable[[], Result]) -> Result:
        """Do some work in a worker, when its turn comes.

        Raises
        ------
        Busy
            If too many wait already.
        Refused
            If it takes too long.
        """
        if not self._places.acquire(blocking=False):
            raise Busy
        pending = self._workers.submit(work)
        pending.add_done_callback(lambda _: self._places.release())
        try:
            return await asyncio.wait_for(asyncio.wrap_future(pending), self.limits.seconds_to_answer)
        except TimeoutError:
            line = f"not done within {self.limits.seconds_to_answer:g} seconds; make the picture smaller"
            raise Refused(HTTPStatus.GATEWAY_TIMEOUT, line) from None

    def predict(self, content: bytes, model: str, pixels_per_degree: float | None) -> Predicted:
        """The prediction of a picture by its content: kept, or made.

        Raises
        ------
        FovealError
            If the picture cannot be read, or there is no such model.
        """
        model = model or self.default_model
        key = hashlib.sha256(content).digest(), model, pixels_per_degree
        with self._keeping:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        if content.startswith(JPEG) and content.count(SCAN) > MOST_SCANS:
            raise FovealError(f"picture: a JPEG of more than {MOST_SCANS} scans; save it anew")
        image = decode_image(content, largest_area=self.limits.pixels)
        with self._predicting:
            if key not in self._kept:  # another request may have been for the same
                [prediction] = self._model(model).predict_batch([image], ["picture"], pixels_per_degree)
                self._keep(key, Predicted(prediction))
            return self._kept[key]

    def make_ready(self) -> None:
        """Load the default model, before anybody asks.

        Raises
        ------
        FovealError
            If it cannot be.
        """
        with self._predicting:
            self._model(self.default_model)

    @property
    def own_name(self) -> str:
        """What the default model is called: its name, or that of its file."""
        return Path(self.default_model).name

    def own_card(self) -> ModelCard:
        """The card of the default model, under that name."""
        with self._predicting:
            return replace(self._model(self.default_model).card, name=self.own_name)

    def _model(self, name: str) -> SaliencyModel:
        name = self.default_model if name == self.own_name else name
        if name != self.default_model and name not in list_models():  # no paths of visitors
            raise FovealError(no_such("model", name, list_models()))
        if name not in self._models:
            model = load_model(name, self.device)
            if model.card.needs_fixations:
                raise FovealError(f"{name} is made from fixations, and predicts no picture without them")
            model.make_ready()
            self._models[name] = model
            if len(self._models) > MODELS_KEPT:
                self._models.popitem(last=False)
        self._models.move_to_end(name)
        return self._models[name]

    def _keep(self, key: Key, predicted: Predicted) -> None:
        with self._keeping:
            self._kept[key] = predicted
            while len(self._kept) > 1 and (len(self._kept) > MOST_KEPT or self._bytes_kept > self.limits.kept):
                self._kept.popitem(last=False)

    @property
    def _bytes_kept(self) -> int:
        return sum(kept.n_bytes for kept in self._kept.values())
