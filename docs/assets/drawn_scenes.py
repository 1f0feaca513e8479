"""Scenes of our own drawing, for the pictures of the documentation: no photograph of anybody is needed."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

FINE = 3  # drawn larger and shrunk, for smooth edges

Color = str | tuple[int, ...]
Points = Sequence[tuple[float, float]]


class Sheet:
    """A picture to draw on, in px of the finished picture."""

    def __init__(self, width: int, height: int, top: Color, bottom: Color) -> None:
        self.size = width, height
        ends = np.array([self._rgb(top), self._rgb(bottom)], dtype=float)
        share = np.linspace(0, 1, height * FINE)[:, None]
        rows = ends[0] * (1 - share) + ends[1] * share
        self.image = Image.fromarray(np.repeat(rows[:, None], width * FINE, axis=1).round().astype(np.uint8))
        self.pen = ImageDraw.Draw(self.image, "RGBA")

    @staticmethod
    def _rgb(color: Color) -> tuple[int, ...]:
        return Image.new("RGB", (1, 1), color).getpixel((0, 0))

    def polygon(self, points: Points, color: Color) -> None:
        """Fill a polygon."""
        self.pen.polygon([(x * FINE, y * FINE) for x, y in points], color)

    def disc(self, x: float, y: float, across: float, color: Color, down: float | None = None) -> None:
        """Fill an ellipse around (x, y) with these half axes."""
        down = across if down is None else down
        self.pen.ellipse([(x - across) * FINE, (y - down) * FINE, (x + across) * FINE, (y + down) * FINE], color)

    def box(self, left: float, top: float, right: float, bottom: float, color: Color, corner: float = 0) -> None:
        """Fill a rectangle, its corners rounded."""
        self.pen.rounded_rectangle([left * FINE, top * FINE, right * FINE, bottom * FINE], corner * FINE, color)

    def line(self, points: Points, color: Color, width: float) -> None:
        """Draw through points."""
        self.pen.line([(x * FINE, y * FINE) for x, y in points], color, round(width * FINE), joint="curve")

    def arc(self, x: float, y: float, across: float, down: float, start: float, end: float, color: Color, width: float):
        """Draw part of an ellipse, from and to an angle in degrees."""
        box = [(x - across) * FINE, (y - down) * FINE, (x + across) * FINE, (y + down) * FINE]
        self.pen.arc(box, start, end, color, round(width * FINE))

    def text(self, x: float, y: float, text: str, color: Color, size: float, bold: bool = False) -> None:
        """Write from the left, around the height y."""
        font = ImageFont.load_default(size * FINE)
        weight = round(size * FINE / 26) if bold else 0
        self.pen.text((x * FINE, y * FINE), text, color, font, anchor="lm", stroke_width=weight, stroke_fill=color)

    def glow(self, x: float, y: float, radius: float, color: tuple[int, int, int], strength: float) -> None:
        """Light around a point."""
        rows, columns = np.mgrid[: self.size[1], : self.size[0]]
        light = strength * np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * (radius / 2) ** 2))
        mask = Image.fromarray((255 * light).clip(0, 255).astype(np.uint8)).resize(self.image.size)
        self.image.paste(Image.new("RGB", self.image.size, color), mask=mask)

    def finished(self) -> np.ndarray:
        """The picture, (height, width, 3) uint8."""
        return np.array(self.image.resize(self.size, Image.Resampling.LANCZOS))


def ridge(width: int, base: float, height: float, seed: int, roughness: float = 0.55) -> list[tuple[float, float]]:
    """The line of a mountain range: waves of ever smaller length and height."""
    rng = np.random.default_rng(seed)
    x = np.arange(-2, width + 3, 2.0)
    y = sum(
        roughness**k * np.sin(2 * np.pi * x / width * 2**k * rng.uniform(0.7, 1.3) + rng.uniform(0, 6))
        for k in range(7)
    )
    return list(zip(x, base - height * y, strict=True))


def lake() -> np.ndarray:
    """An evening by a lake: mountains, a balloon, a boat, a house with light in its windows."""
    width, height, shore = 760, 500, 345
    sheet = Sheet(width, height, "#3f5f9a", "#ffd9a8")
    sheet.glow(560, 300, 300, (255, 214, 150), 0.9)
    sheet.disc(560, 262, 24, "#fff3d6")
    for base, high, seed, color in (
        (270, 42, 3, "#8f8fb5"),
        (292, 34, 8, "#6c739f"),
        (318, 24, 14, "#4a5a80"),
        (338, 12, 21, "#33475f"),
    ):
        sheet.polygon([(-2, height), *ridge(width, base, high, seed), (width + 2, height)], color)
    above = sheet.image.crop((0, 0, width * FINE, shore * FINE)).transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    water = above.filter(ImageFilter.GaussianBlur(5 * FINE)).crop((0, 0, width * FINE, (height - shore) * FINE))
    sheet.image.paste(Image.blend(water, Image.new("RGB", water.size, "#27405e"), 0.35), (0, shore * FINE))
    rng = np.random.default_rng(4)
    for y in np.linspace(shore + 6, height, 26):
        x, long = rng.uniform(0, width), rng.uniform(20, 90) * (y - shore + 40) / 120
        sheet.line([(x, y), (x + long, y)], (255, 235, 210, 38), 1.4)
    # The near shore, a jetty, a house, pines.
    sheet.polygon([(0, 350), (60, 338), (150, 342), (230, 362), (250, 372), (150, 398), (60, 430), (0, 450)], "#22352f")
    for x, y, size in ((20, 352, 1.25), (48, 346, 0.95), (196, 352, 0.8), (215, 356, 0.6)):
        for step in range(4):
            half, bottom = (20 - 4 * step) * size, y - 20 * step * size
            sheet.polygon([(x - half, bottom), (x + half, bottom), (x, bottom - 34 * size)], "#1b2f2c")
    sheet.glow(126, 328, 60, (255, 190, 110), 0.35)
    sheet.box(90, 306, 164, 352, "#5a4032")
    sheet.polygon([(80, 310), (127, 272), (174, 310)], "#33262a")
    sheet.box(146, 276, 156, 296, "#33262a")
    for left in (98, 138):
        sheet.box(left, 316, left + 18, 334, "#ffd27a")
        sheet.line([(left + 9, 316), (left + 9, 334)], "#5a4032", 1.5)
        sheet.line([(left, 325), (left + 18, 325)], "#5a4032", 1.5)
    sheet.box(120, 326, 134, 352, "#2d2023")
    sheet.line([(205, 374), (300, 396)], "#3a2c29", 5)
    for x in (230, 262, 294):
        sheet.line([(x, 378 + (x - 230) / 5), (x, 402 + (x - 230) / 5)], "#2d2226", 3)
    # A sailing boat.
    sheet.polygon([(430, 412), (520, 412), (506, 430), (444, 430)], "#7a2f2a")
    sheet.line([(476, 412), (476, 306)], "#3b2b28", 2.4)
    sheet.polygon([(480, 310), (480, 406), (522, 406)], "#fbf4e6")
    sheet.polygon([(472, 322), (472, 406), (436, 406)], "#e8dcc8")
    sheet.polygon([(440, 434), (510, 434), (490, 470), (456, 470)], (250, 240, 225, 46))
    # A balloon.
    x, y = 300, 120
    for half, color in ((58, "#d8432f"), (42, "#f4b942"), (24, "#d8432f"), (8, "#f4b942")):
        sheet.disc(x, y, half, color, 62)
    sheet.polygon([(x - 48, y + 36), (x + 48, y + 36), (x + 12, y + 84), (x - 12, y + 84)], "#b8372a")
    sheet.polygon([(x - 20, y + 40), (x + 20, y + 40), (x + 6, y + 84), (x - 6, y + 84)], "#dda035")
    for end in (-10, 10):
        sheet.line([(x + end, y + 84), (x + 0.8 * end, y + 100)], "#4a342a", 1.2)
    sheet.box(x - 10, y + 100, x + 10, y + 115, "#6b4630", 3)
    for x, y, size in ((640, 120, 1.0), (664, 134, 0.8), (622, 140, 0.7)):
        for side in (-1, 1):
            sheet.arc(x + 8 * side * size, y, 8 * size, 6 * size, 190, 350, "#2f3a5c", 1.8)
    return sheet.finished()


def portrait() -> np.ndarray:
    """Somebody with a cup beside a plant."""
    width, height = 640, 480
    sheet = Sheet(width, height, "#e9dfd0", "#cbb8a0")
    sheet.box(440, 40, 610, 230, "#f6f1e8")
    sheet.box(450, 50, 600, 220, "#9fc3d4")
    sheet.polygon([(450, 220), (450, 170), (500, 130), (545, 176), (570, 150), (600, 186), (600, 220)], "#5f8f7a")
    sheet.disc(562, 92, 15, "#ffe9b0")
    for angle in np.linspace(-1.25, 1.25, 9):
        tip = (88 + 105 * np.sin(angle), 330 - 125 * np.cos(angle))
        side = (14 * np.cos(angle), 14 * np.sin(angle))
        middle = (88 + 55 * np.sin(angle), 330 - 66 * np.cos(angle))
        near, far = ((middle[0] - side[0], middle[1] - side[1]), (middle[0] + side[0], middle[1] + side[1]))
        sheet.polygon([(88, 334), near, tip, far], "#3f7a55" if round(angle * 10) % 2 else "#56936a")
    sheet.polygon([(52, 328), (124, 328), (114, 400), (62, 400)], "#b5603c")
    # Hair, shoulders, neck, face.
    sheet.disc(322, 178, 100, "#3a2420", 112)
    sheet.box(222, 178, 422, 330, "#3a2420", 40)
    sheet.polygon([(150, 480), (178, 372), (270, 330), (374, 330), (466, 372), (494, 480)], "#2f5d74")
    sheet.polygon([(286, 270), (358, 270), (372, 338), (322, 362), (272, 338)], "#c98f70")
    sheet.disc(322, 196, 74, "#e0a787", 94)
    sheet.polygon(
        [(246, 190), (252, 118), (322, 92), (392, 118), (398, 190), (380, 140), (322, 124), (270, 146)], "#3a2420"
    )
    for side in (-1, 1):
        sheet.disc(322 + 30 * side, 194, 15, "#fdf8f2", 9)
        sheet.disc(322 + 30 * side, 194, 8, "#4a6b57", 8.5)
        sheet.disc(322 + 30 * side, 194, 4, "#1d1716")
        sheet.disc(325 + 30 * side, 191, 1.8, "#ffffff")
        sheet.arc(322 + 30 * side, 182, 19, 9, 200, 340, "#3a2420", 4)
        sheet.arc(322 + 30 * side, 195, 16, 10, 190, 350, "#5b3a30", 2)
        sheet.disc(322 + 44 * side, 228, 14, (225, 120, 100, 60), 9)
    sheet.line([(322, 200), (315, 228), (326, 231)], "#b87a5d", 2.5)
    sheet.polygon([(296, 250), (322, 244), (348, 250), (336, 262), (322, 266), (308, 262)], "#b4494a")
    sheet.line([(296, 250), (322, 254), (348, 250)], "#7e2f33", 1.8)
    # A cup in the hand.
    sheet.box(418, 372, 478, 440, "#f7f3ea", 8)
    sheet.arc(482, 404, 20, 20, -80, 80, "#f7f3ea", 7)
    sheet.disc(448, 373, 29, "#6b4226", 6)
    sheet.box(392, 402, 446, 470, "#dca284", 20)
    for y in (410, 424, 438):
        sheet.box(414, y, 458, y + 13, "#e3ac8d", 6)
    return sheet.finished()


def page(with_portrait: bool = False) -> np.ndarray:
    """The first screen of a made-up page; a portrait can stand in the place of its flowers."""
    sheet = Sheet(900, 600, "#ffffff", "#ffffff")
    ink, soft, green = "#1f2a30", "#5c6b73", "#2f7d5b"
    sheet.disc(52, 34, 11, green)
    sheet.text(72, 34, "Larkspur", ink, 21, bold=True)
    for x, word in ((600, "Plants"), (680, "Plans"), (755, "Prices"), (830, "Help")):
        sheet.text(x, 34, word, soft, 15)
    sheet.box(0, 66, 900, 370, "#eef4ee")
    sheet.text(44, 135, "Plan the garden", ink, 44, bold=True)
    sheet.text(44, 188, "before you dig", ink, 44, bold=True)
    sheet.text(44, 244, "Draw beds, pick plants by light and soil,", soft, 17)
    sheet.text(44, 268, "and get a calendar for your postcode.", soft, 17)
    sheet.box(44, 298, 214, 344, "#d9582b", 8)
    sheet.text(66, 321, "Start your plan", "#ffffff", 17, bold=True)
    sheet.box(500, 96, 860, 340, "#bfe0ea", 12)
    sheet.polygon(
        [
            (500, 262),
            (600, 236),
            (740, 252),
            (860, 230),
            (860, 329),
            (857, 336),
            (849, 340),
            (511, 340),
            (503, 336),
            (500, 329),
        ],
        "#7fb069",
    )
    rng = np.random.default_rng(2)
    for x, tall, color in zip(
        np.linspace(530, 830, 9), rng.uniform(50, 110, 9), ("#e4572e", "#f3a712", "#a8327a") * 3, strict=True
    ):
        sheet.line([(x, 320), (x + 4, 320 - tall)], "#3c6e47", 4)
        for angle in np.arange(6) * np.pi / 3:
            sheet.disc(x + 4 + 10 * np.cos(angle), 320 - tall + 10 * np.sin(angle), 8, color)
        sheet.disc(x + 4, 320 - tall, 7, "#fff2b8")
    if with_portrait:
        somebody = Image.fromarray(portrait()[40:366]).resize((360 * FINE, 244 * FINE))
        sheet.image.paste(somebody, (500 * FINE, 96 * FINE))
    cards = (
        ("Beds to scale", "Measure once, drag the rest.", "Paths and slopes included."),
        ("Plants that fit", "4,200 species with light,", "soil and height."),
        ("A calendar", "What to sow, prune and", "pick, week by week."),
    )
    for left, (title, first, second) in zip((44, 322, 600), cards, strict=True):
        sheet.box(left, 400, left + 256, 520, "#dfe5e2", 10)
        sheet.box(left + 1.5, 401.5, left + 254.5, 518.5, "#ffffff", 9)
        sheet.text(left + 20, 430, title, ink, 19, bold=True)
        sheet.text(left + 20, 464, first, soft, 15)
        sheet.text(left + 20, 487, second, soft, 15)
    sheet.text(44, 562, "Free for one garden. No card needed.", soft, 14)
    return sheet.finished()


def street() -> np.ndarray:
    """A street at night: lit windows, a sign, a lamp, a car, somebody with a dog."""
    width, height = 720, 480
    sheet = Sheet(width, height, "#0c1330", "#2b2f55")
    rng = np.random.default_rng(11)
    for x, y in rng.uniform((0, 0), (width, 150), (60, 2)):
        sheet.disc(x, y, 0.8, (255, 255, 255, 140))
    sheet.disc(610, 70, 24, "#f4efd9")
    sheet.disc(600, 64, 22, "#10173a")
    for left, right, top, color in (
        (0, 120, 150, "#1a2040"),
        (120, 250, 90, "#161b38"),
        (250, 420, 180, "#20264a"),
        (420, 560, 120, "#181d3b"),
        (560, 720, 170, "#1d2345"),
    ):
        sheet.box(left, top, right, 400, color)
        for x in np.arange(left + 16, right - 22, 28):
            for y in np.arange(top + 18, 300, 38):
                lit = rng.uniform() < 0.3
                sheet.box(x, y, x + 13, y + 20, "#e8b45c" if lit else "#2a3158")
    sheet.polygon([(0, 400), (720, 400), (720, 480), (0, 480)], "#23252f")
    sheet.box(0, 392, 720, 404, "#3a3c48")
    for x in range(20, 720, 90):
        sheet.box(x, 444, x + 44, 449, "#8d8a7a")
    # A cafe with a sign.
    sheet.glow(338, 330, 150, (255, 190, 110), 0.4)
    sheet.box(266, 296, 404, 392, "#f6c878")
    for x in (312, 358):
        sheet.box(x, 296, x + 4, 392, "#4b2f28")
    sheet.polygon([(256, 296), (414, 296), (424, 318), (246, 318)], "#9e2f3c")
    sheet.box(282, 252, 388, 288, "#13182f", 6)
    sheet.text(296, 271, "CAFE", "#ff6f7d", 30, bold=True)
    # A lamp, a car, somebody with a dog.
    sheet.glow(508, 250, 120, (255, 220, 150), 0.55)
    sheet.line([(508, 396), (508, 252)], "#0d1020", 5)
    sheet.disc(508, 246, 11, "#fff0c4")
    sheet.box(556, 370, 704, 416, "#a7352f", 14)
    sheet.polygon([(582, 374), (606, 340), (662, 340), (686, 374)], "#8c2a27")
    sheet.polygon([(594, 372), (611, 347), (632, 347), (632, 372)], "#9db7c9")
    sheet.polygon([(638, 372), (638, 347), (658, 347), (674, 372)], "#9db7c9")
    for x in (590, 672):
        sheet.disc(x, 416, 17, "#0c0d14")
        sheet.disc(x, 416, 8, "#7d818c")
    sheet.disc(561, 388, 6, "#fff3c9")
    sheet.glow(540, 396, 60, (255, 240, 190), 0.45)
    sheet.disc(166, 322, 13, "#d9a384", 15)
    sheet.arc(166, 318, 14, 14, 170, 370, "#40261f", 7)
    sheet.polygon([(144, 342), (188, 342), (196, 400), (138, 400)], "#d8b23a")
    sheet.box(148, 398, 162, 434, "#22304f")
    sheet.box(170, 398, 184, 434, "#22304f")
    sheet.line([(190, 376), (226, 404)], "#c9c5b8", 1.6)
    sheet.disc(238, 414, 20, "#b98a5a", 11)
    sheet.disc(260, 404, 9, "#b98a5a")
    for x in (226, 234, 246, 252):
        sheet.box(x, 420, x + 4, 436, "#a5784b")
    return sheet.finished()
