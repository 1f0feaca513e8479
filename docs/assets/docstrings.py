"""An extension of griffe, which reads the docstrings for the site's reference.

Foveal's docstrings end with their example, without a heading, and jaxtyping wants a space in front of a single axis.
Here the example gets its heading, and the axis loses its space.
"""

import re
from typing import Any

import griffe

EXAMPLE = re.compile(r"^(?!.*^Examples\n)(.*?)^(?=>>> )", re.DOTALL | re.MULTILINE)


class FovealDocstrings(griffe.Extension):
    """Makes Foveal's docstrings those that the reference expects."""

    def on_instance(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Give the example its heading."""
        if obj.docstring:
            obj.docstring.value = EXAMPLE.sub(r"\1Examples\n--------\n", obj.docstring.value, count=1)

    def on_function_instance(self, *, func: griffe.Function, **kwargs: Any) -> None:
        """Take the space out of the axes of parameters and of what is returned."""
        for annotation in [func.returns, *(parameter.annotation for parameter in func.parameters)]:
            strip_axes(annotation)

    def on_attribute_instance(self, *, attr: griffe.Attribute, **kwargs: Any) -> None:
        """Take the space out of the axes of an attribute."""
        strip_axes(attr.annotation)


def strip_axes(annotation: Any) -> None:
    """Take the space out of `Int[Tensor, " image"]`."""
    if isinstance(annotation, griffe.ExprConstant):
        annotation.value = re.sub(r"^(['\"]) ", r"\1", annotation.value)
    elif isinstance(annotation, griffe.Expr):
        for part in annotation.iterate(flat=False):
            strip_axes(part)
