"""What a caller gives: brought to one kind, or refused in one line that names it.

NumPy and PyTorch make numbers of much that is none (a text, a truth value, what is left of a float), and say nothing.
"""

from collections.abc import Iterable
from math import inf, nan
from numbers import Integral, Real
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from foveal.errors import FovealError

NUMBERS = "iuf"  # NumPy's letters for whole numbers with and without sign, and for floats
NUMBERS_OR_TRUTH = "biuf"


def described(given: Any) -> str:
    """What something is, in a few words: for an error that names what came in the place of something else.

    >>> described(np.zeros((2, 3))), described("a"), described(2.5), described([])
    ('float64 of shape (2, 3)', "'a'", '2.5', 'list')
    """
    if isinstance(given, Real):
        return str(given)
    kind, shape = getattr(given, "dtype", None), getattr(given, "shape", None)
    if kind is not None and shape is not None:
        return f"{kind} of shape {tuple(shape)}"
    return repr(given) if given is None or (isinstance(given, str) and len(given) < 50) else type(given).__name__


def text(given: Any, what: str) -> str:
    """One text.

    Raises
    ------
    FovealError
        If it is something else.
    """
    if not isinstance(given, str):
        raise FovealError(f"{what}: a text is needed, not {described(given)}")
    return given


def texts(given: Any, what: str) -> list[str]:
    """A list of texts; one text has commas between them.

    Raises
    ------
    FovealError
        If it is no list, or something in it is no text.

    >>> texts("IG, AUC", "metrics"), texts(["IG"], "metrics")
    (['IG', 'AUC'], ['IG'])
    """
    if isinstance(given, str):
        return [name.strip() for name in given.split(",")]
    return [text(name, what) for name in listed(given, what)]


def listed(given: Any, what: str) -> list[Any]:
    """What is in a list, or in something else that can be gone through; a text is none.

    Raises
    ------
    FovealError
        If it cannot.
    """
    if isinstance(given, str | bytes) or not isinstance(given, Iterable) or getattr(given, "ndim", 1) == 0:
        raise FovealError(f"{what}: a list is needed, also of only one, not {described(given)}")
    return list(given)


def pair(given: Any, what: str) -> tuple[Any, Any]:
    """Two things.

    Raises
    ------
    FovealError
        If it is something else.
    """
    if len(both := listed(given, what)) != 2:
        raise FovealError(f"{what}: two numbers are needed, not {described(given)}")
    return both[0], both[1]


def real_numbers(given: Any, what: str, kinds: str = NUMBERS) -> np.ndarray:
    """An array of the numbers in any container: a list, a column of a table, a tensor.

    Raises
    ------
    FovealError
        If something in it is no real number (text, a truth value, complex), or masked, or rows differ in length.

    >>> real_numbers([1, 2.5], "x")
    array([1. , 2.5])
    """
    if type(given) is np.ndarray and given.dtype.kind in kinds:
        return given
    try:
        if hasattr(given, "detach"):  # a tensor; NumPy has no bfloat16
            given = given.detach().cpu()
            array = (given.double() if given.is_floating_point() else given).numpy()
        else:
            array = np.asarray(given)
        if array.dtype.kind == "O" and all(isinstance(one, Real) and not isinstance(one, bool) for one in array.flat):
            array = array.astype(np.float64)
    except (TypeError, ValueError, RuntimeError, OverflowError):  # whatever a container makes NumPy or PyTorch say
        raise FovealError(f"{what}: no array of numbers, but {described(given)}") from None
    if array.dtype.kind not in kinds:
        raise FovealError(f"{what}: numbers are needed, not {described(array if array.shape else given)}")
    if np.ma.is_masked(given):
        raise FovealError(f"{what}: some values are masked; fill them in or leave them out")
    return array


def floats(given: Any, what: str) -> Float[np.ndarray, "*shape"]:
    """As `real_numbers`, in float64."""
    return real_numbers(given, what).astype(np.float64, copy=False)


def whole_numbers(given: Any, what: str) -> Int[np.ndarray, "*shape"]:
    """As `real_numbers`, in int64; floats are taken if they are whole.

    Raises
    ------
    FovealError
        If they are no numbers, or one is not whole (NaN and infinity are not).

    >>> whole_numbers([1.0, 2.0], "image")
    array([1, 2])
    """
    numbers = real_numbers(given, what)
    if numbers.dtype == np.int64:
        return numbers
    with np.errstate(invalid="ignore"):
        whole = numbers.astype(np.int64)
    same = whole == numbers
    if not same.all():
        first = int(np.argmin(same))
        raise FovealError(f"{what}: row {first} is {numbers.flat[first]:g}, not a whole number")
    return whole


def whole_number(given: Any, what: str, least: int = 0) -> int:
    """One whole number that is not below `least`, and that 64 bits can hold.

    Raises
    ------
    FovealError
        If it is something else.

    >>> whole_number(np.int64(3), "limit")
    3
    """
    if isinstance(given, bool) or not isinstance(given, Integral) or not least <= int(given) < 2**63:
        raise FovealError(f"{what}: a whole number, at least {least}, not {described(given)}")
    return int(given)


def real_number(given: Any, what: str) -> float:
    """One finite number.

    Raises
    ------
    FovealError
        If it is something else.
    """
    number = _as_float(given)
    if not -inf < number < inf:
        raise FovealError(f"{what}: a number, not {described(given)}")
    return number


def positive_number(given: Any, what: str) -> float:
    """One number above zero, and finite.

    Raises
    ------
    FovealError
        If it is something else.
    """
    number = _as_float(given)
    if not 0 < number < inf:
        raise FovealError(f"{what}: a positive number, not {described(given)}")
    return number


def _as_float(given: Any) -> float:
    """NaN of what is no number."""
    try:
        return nan if isinstance(given, bool) or not isinstance(given, Real) else float(given)
    except OverflowError:  # a whole number beyond all floats
        return inf


def positions(given: Any, what: str, n: int | None = None) -> Int[np.ndarray, " position"]:
    """Positions in a sequence of `n` things, from a mask or a list; a negative one counts from the end.

    Where the length is not known (None), neither is the end.

    Raises
    ------
    FovealError
        If it is no list of whole numbers and no mask, or there is nothing at a position.

    >>> positions([True, False, True], "images", 3), positions([-1], "images", 3)
    (array([0, 2]), array([2]))
    """
    chosen = real_numbers(given, what, NUMBERS_OR_TRUTH)
    if chosen.ndim != 1 or (chosen.dtype == np.bool_ and n not in (None, len(chosen))):
        raise FovealError(f"{what}: a list of positions or a mask{f' of {n}' if n else ''}, not {described(chosen)}")
    if chosen.dtype == np.bool_:
        return np.flatnonzero(chosen)
    chosen = whole_numbers(chosen, what)
    beyond = chosen < (0 if n is None else -n)
    if n is not None:
        beyond |= chosen >= n
    if beyond.any():
        raise FovealError(f"{what}: nothing is at position {chosen[np.argmax(beyond)]}" + (f" of {n}" if n else ""))
    return chosen if n is None else np.where(chosen < 0, chosen + n, chosen)
