"""An extension of griffe, which reads the docstrings for the site's reference.

Foveal's docstrings end with their example, without a heading. Here the example gets its heading.
"""

import re
from typing import Any

import griffe

EXAMPLE = re.compile(r"\A((?:(?!^Examples\n).)*?)^(?=>>> )", re.DOTALL | re.MULTILINE)


class ExampleHeadings(griffe.Extension):
    """Gives the example of each docstring its heading."""

    def on_instance(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Put the heading into the docstring of one object."""
        if obj.docstring:
            obj.docstring.value = EXAMPLE.sub(r"\1Examples\n--------\n", obj.docstring.value, count=1)
