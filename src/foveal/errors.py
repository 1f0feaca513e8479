"""What a user is meant to read: errors, and notes on what was assumed."""


class FovealError(ValueError):
    """Something that the caller can put right, in one line: what is wrong, with which file or value, what to do."""


class FovealNote(UserWarning):
    """Something that was assumed and that the caller may want to say better, in one line."""


class RowsLeftOut(FovealNote):
    """Rows of a table that could not be used, in one line: how many, why, and where the first of them is."""


def first_line(error: BaseException) -> str:
    """What an exception of another library says, cut to one line."""
    lines = str(getattr(error, "strerror", None) or error).splitlines()
    return lines[0] if lines else type(error).__name__
