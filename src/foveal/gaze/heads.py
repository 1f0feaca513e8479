"""Where people's heads are in a photograph, as somebody labelled them."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float


@dataclass(frozen=True)
class Heads:
    """The heads in one photograph.

    Attributes
    ----------
    boxes
        Left, top, width and height, px; what is cut off by the border of the photograph may reach beyond it.
    has_face
        Is the head seen from the front or from the side, not from behind?
    """

    boxes: Float[np.ndarray, "head 4"]
    has_face: Bool[np.ndarray, " head"]
