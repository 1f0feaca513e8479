"""What visitors of the server send."""

from io import BytesIO

import numpy as np
from PIL import Image

MODEL = "image-signature"  # a quick one


def encoded(pixels: np.ndarray, kind: str = "PNG", **options) -> bytes:
    """The content of a file."""
    content = BytesIO()
    Image.fromarray(pixels).save(content, kind, **options)
    return content.getvalue()
