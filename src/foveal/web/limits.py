"""What the server takes of a visitor, so that its memory and time are bounded."""

from dataclasses import dataclass

MEGABYTE = 2**20


@dataclass(frozen=True)
class Limits:
    """Of one server.

    Attributes
    ----------
    body
        Bytes of one request.
    bodies
        Bytes of all requests that are being received or answered, together.
    pixels
        Of one picture.
    regions, region_pixels
        Number of regions of one picture, and how many pixels they may hold together.
    waiting
        Requests that may wait for a worker.
    seconds_to_send, seconds_to_answer
        Time for a request to arrive, and to be answered.
    kept
        Bytes of predictions that are kept in memory, so that a picture is predicted once.
    """

    body: int = 32 * MEGABYTE
    bodies: int = 256 * MEGABYTE
    pixels: int = 24_000_000
    regions: int = 1000
    region_pixels: int = 30_000_000
    waiting: int = 64
    seconds_to_send: float = 30.0
    seconds_to_answer: float = 60.0
    kept: int = 256 * MEGABYTE
