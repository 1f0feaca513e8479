"""PyAV, which reads and writes films, is installed by those who have films."""

from typing import Any

from foveal.errors import FovealError


def pyav() -> Any:
    """The module `av`.

    Raises
    ------
    FovealError
        If it is not installed.
    """
    try:
        import av
    except ImportError:
        raise FovealError("films need PyAV: pip install 'foveal[video]'") from None
    return av
