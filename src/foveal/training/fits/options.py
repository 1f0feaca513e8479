"""What may be chosen of a training, as the command line calls it."""


def flag(name: str) -> str:
    """How an option of `foveal.train` is called on the command line.

    >>> flag("left_out"), flag("data_root")
    ('--leave-out', '--data-root')
    """
    return "--leave-out" if name == "left_out" else f"--{name.replace('_', '-')}"
