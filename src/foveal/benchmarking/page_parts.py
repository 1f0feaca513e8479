"""What all pages that Foveal writes have in common: their look, and pictures that lie in the page itself."""

import base64

import cv2
from jinja2 import ChoiceLoader, Environment, PackageLoader

from foveal.errors import FovealError
from foveal.images import RGBImage

JPEG_QUALITY = 82


def page_environment(package: str) -> Environment:
    """The templates of a package, which can include page.css and sort.js."""
    loaders = [PackageLoader(name, "templates") for name in dict.fromkeys([package, "foveal.benchmarking"])]
    return Environment(loader=ChoiceLoader(loaders), autoescape=True, trim_blocks=True, lstrip_blocks=True)


def picture_uri(picture: RGBImage, width: int) -> str:
    """A picture, brought to a width in px, as a JPEG that is written into the page.

    Raises
    ------
    FovealError
        If it cannot be encoded.
    """
    height = max(1, round(picture.shape[0] * width / picture.shape[1]))
    resized = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    bgr = cv2.cvtColor(resized, cv2.COLOR_RGB2BGR)
    encoded, jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    if not encoded:
        raise FovealError("a picture of the report could not be encoded as JPEG")
    return data_uri(jpeg.tobytes(), "image/jpeg")


def data_uri(content: bytes, kind: str) -> str:
    """The content of a file of a kind (such as "image/png") as an address that holds it."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
