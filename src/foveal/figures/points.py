"""Where points with intervals stand on an axis, in percent of its length: a page draws them at any width."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MARGIN = 3.0  # percent of the length that stay free at both ends, for the points and the ticks' numbers
MOST_STEPS = 4  # between ticks


@dataclass(frozen=True)
class Axis:
    """A horizontal axis.

    Attributes
    ----------
    low, high
        Its ends, in units of the values.
    ticks
        Round numbers between them, and the chance level.
    """

    low: float
    high: float
    ticks: list[float]

    @classmethod
    def over(cls, values: Sequence[float], chance: float | None = None) -> "Axis":
        """The axis that holds all values; from the chance level on, if there is one and no value is below it.

        >>> Axis.over([0.71, 0.89], 0.5)
        Axis(low=0.5, high=0.89, ticks=[0.5, 0.6, 0.7, 0.8])
        >>> Axis.over([0.71, 0.94], 0.5).ticks
        [0.5, 0.6, 0.8]
        """
        from matplotlib.ticker import MaxNLocator

        ends = [value for value in (*values, chance) if value is not None and np.isfinite(value)] or [0.0]
        low, high = min(ends), max(ends)
        if low == high:
            low, high = low - 0.5, high + 0.5
        ticks = MaxNLocator(MOST_STEPS, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
        slack = 1e-9 * (high - low)
        shown = {round(float(tick), 10) for tick in ticks if low - slack <= tick <= high + slack}
        if chance is not None:  # it is one of them, and their numbers do not touch its number
            shown = {tick for tick in shown if abs(tick - chance) > 0.1 * (high - low)} | {chance}
        return cls(low, high, sorted(shown))

    def percent(self, value: float) -> float:
        """Where a value stands.

        >>> Axis(0.0, 2.0, []).percent(1.0)
        50.0
        """
        return round(MARGIN + (100 - 2 * MARGIN) * (value - self.low) / (self.high - self.low), 2)
