"""The one kind of error that a user is meant to read."""


class FovealError(ValueError):
    """Something that the caller can put right, in one line: what is wrong, with which file or value, what to do."""
