"""The work of the server: a few workers, a line of bounded length before them, predictions kept for a while.

Nothing is written to disk or logged of a picture. What is kept is known by its content: only who has a picture can ask
for what was predicted of it.
"""

import asyncio
import hashlib
import os
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from threading import BoundedSemaphore, Lock
from typing import TypeVar

from foveal.analysis.attention import PictureAttention, exact_density, of_picture
from foveal.errors import FovealError
from foveal.images import decode_image
from foveal.models.base import SaliencyModel
from foveal.models.catalogue import list_models
from foveal.models.prediction import Prediction
from foveal.models.registry import load_model
from foveal.registry import no_such
from foveal.web.limits import Limits
from foveal.web.problems import Busy

Result = TypeVar("Result")
Key = tuple[bytes, str, float | None]


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


MOST_WORKERS = 4
MODELS_KEPT = 4


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

    Attributes
    ----------
    drawing
        To be held while a figure is drawn.
    """

    def __init__(self, default_model: str, device: str, limits: Limits) -> None:
        self.default_model, self.device, self.limits = default_model, device, limits
        self._workers = _new_workers()
        self._places = BoundedSemaphore(limits.waiting)
        self._models: OrderedDict[str, SaliencyModel] = OrderedDict()
        self.drawing = Lock()  # Matplotlib's settings are those of all threads
        self._predicting = Lock()  # models are not made for several threads
        self._kept: OrderedDict[Key, Predicted] = OrderedDict()
        self._keeping = Lock()

    async def do(self, work: Callable[[], Result]) -> Result:
        """Do some work in a worker, when its turn comes.

        Raises
        ------
        Busy
            If too many wait already, or it took too long.
        """
        if not self._places.acquire(blocking=False):
            raise Busy
        pending = self._workers.submit(work)
        pending.add_done_callback(lambda _: self._places.release())
        try:
            return await asyncio.wait_for(asyncio.wrap_future(pending), self.limits.seconds_to_answer)
        except TimeoutError:
            raise Busy(f"not done within {self.limits.seconds_to_answer:g} seconds") from None

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

    def close(self) -> None:
        """Let go what waits; who comes later finds new workers, which cost nothing before they work."""
        closing, self._workers = self._workers, _new_workers()
        closing.shutdown(wait=False, cancel_futures=True)

    def _model(self, name: str) -> SaliencyModel:
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
            while len(self._kept) > 1 and sum(kept.n_bytes for kept in self._kept.values()) > self.limits.kept:
                self._kept.popitem(last=False)


def _new_workers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(min(MOST_WORKERS, os.cpu_count() or 1), thread_name_prefix="foveal")
