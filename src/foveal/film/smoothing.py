"""From densities of single frames to one that changes smoothly, and begins anew at cuts.

Densities are averaged, and not their logarithms. A mean of densities is what the fixations of a span of time are drawn
from, and it sums to one. A mean of logarithms is high only where all moments agree: of something that moves, it would
have its peak where the thing was at no moment.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

import cv2
import numpy as np
from jaxtyping import Float

from foveal.film.reading import Frame
from foveal.images import RGBImage

Density = Float[np.ndarray, "height width"]

SMOOTHING = 200.0  # ms: about as long as the eye takes to answer to what has changed; not fitted to films
RATE = 5.0  # predictions a second
THUMBNAIL = 32, 18  # width and height at which frames are compared: what moves a little stays where it is
CUT = 0.1  # mean difference of two frames from which on there may be a cut between them; black to white is 1
STANDS_OUT = 3.0  # how many times as large as the differences before it is
REMEMBERED = 0.5  # how much of them is remembered from frame to frame


@dataclass
class Cuts:
    """Finds cuts: a frame that is unlike the one before, more so than those before were unlike each other.

    A pan, a shaking camera and a flickering light change every frame and are no cuts. A fade is none.

    Attributes
    ----------
    before
        The last frame, small; None at the beginning.
    usual
        Running mean of the differences; at the beginning large, until it is known.
    found
        Times in s of the first frames after a cut.
    """

    before: Float[np.ndarray, "row column 3"] | None = None
    usual: float = 1.0
    found: list[float] = field(default_factory=list)

    def is_cut(self, frame: Frame) -> bool:
        """Is there a cut between the last frame that was given and this one?"""
        now = cv2.resize(frame.picture, THUMBNAIL, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        before, self.before = self.before, now
        if before is None:
            return False
        difference = float(np.abs(now - before).mean())
        is_cut = difference > max(CUT, STANDS_OUT * self.usual)
        self.usual = REMEMBERED * self.usual + (1 - REMEMBERED) * difference
        if is_cut:
            self.found.append(float(frame.time))
        return is_cut


@dataclass(frozen=True, eq=False)
class Moment:
    """A frame, its density, and whether it is the first after a cut."""

    frame: Frame
    density: Density
    is_cut: bool


@dataclass
class FilmDensity:
    """The density of every frame, of a model that is asked a few times a second.

    Between two predictions, densities are interpolated, so frames wait for the next one. A cut has a prediction of its
    own, with which the smoothing begins anew; before it, the last density stays.

    Attributes
    ----------
    predict
        From a picture to its density, which sums to one.
    rate
        Predictions a second at most, cuts aside.
    smoothing
        Time constant of the exponential mean, in ms; 0 for none.
    cuts
        What finds them.
    density
        That of the frame that waits first; if none waits, of the next one.
    waiting
        Frames from the last prediction on, and whether each is the first after a cut.
    n_predictions
        How often the model was asked.
    """

    predict: Callable[[RGBImage], Density]
    rate: Fraction
    smoothing: float
    cuts: Cuts = field(default_factory=Cuts)
    density: Density | None = None
    waiting: list[tuple[Frame, bool]] = field(default_factory=list)
    n_predictions: int = 0

    def take(self, frame: Frame, *, predicted: bool = False) -> list[Moment]:
        """Take the next frame, and return those before it whose density is now known.

        With `predicted`, this one has a prediction of its own, whenever the last was.
        """
        if self.density is not None and not self.waiting:  # an earlier run has predicted this frame
            self.waiting = [(frame, float(frame.time) in self.cuts.found[-1:])]
            return []
        is_cut = self.cuts.is_cut(frame)
        if not (is_cut or predicted or self.density is None or self._is_due(frame.time)):
            self.waiting.append((frame, False))
            return []
        new = self.predict(frame.picture)
        self.n_predictions += 1
        if self.density is None or is_cut:
            known = self.rest()
        else:
            new = self._smoothed(self.density, new, float(frame.time - self.waiting[0][0].time))
            known = self._between(self.density, new, frame.time)
        self.density, self.waiting = new, [(frame, is_cut)]
        return known

    def rest(self) -> list[Moment]:
        """The frames after the last prediction, which have its density: a cut or the end of the film follows."""
        if self.density is None:
            return []
        return [Moment(frame, self.density, is_cut) for frame, is_cut in self.waiting]

    def _is_due(self, time: Fraction) -> bool:
        """The first frame of each span of 1 / rate seconds is predicted."""
        return math.floor(time * self.rate) > math.floor(self.waiting[-1][0].time * self.rate)

    def _smoothed(self, before: Density, new: Density, seconds: float) -> Density:
        if not self.smoothing:
            return new
        return before + np.float32(-math.expm1(-1000 * seconds / self.smoothing)) * (new - before)

    def _between(self, first: Density, last: Density, end: Fraction) -> list[Moment]:
        begin = self.waiting[0][0].time
        shares = (float((frame.time - begin) / (end - begin or 1)) for frame, _ in self.waiting)
        return [
            Moment(frame, first + np.float32(share) * (last - first) if share else first, is_cut)
            for (frame, is_cut), share in zip(self.waiting, shares, strict=True)
        ]
