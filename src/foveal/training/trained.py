"""What every training leaves behind, by a recipe or not."""

import os


class Trained:
    """What a training did.

    Attributes
    ----------
    path
        The weights.
    problems
        One line for each thing in the data that could not be used.
    """

    path: str | os.PathLike[str]
    problems: tuple[str, ...]
