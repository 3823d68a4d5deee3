"""An invented chat of three friends, to try every step on: nobody in it exists, and its pictures are drawn on the spot."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from mldr.files import write_text
from mldr.folders import check_free, fresh_folder

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw

SIZE = (640, 420)
CHAT = "chat.jsonl"


def write_example(out: Path, *, force: bool = False) -> Path:
    """Write the chat as an export would lie there: `chat.jsonl` and its pictures; return the file.

    Raises:
        MldrError: if something else stands at `out`.
    """
    check_free(out, CHAT, force=force)
    with fresh_folder(out, CHAT, force=force) as workshop:
        text = files(__package__).joinpath(CHAT).read_text(encoding="utf-8")
        write_text(workshop.new / CHAT, text)
        (workshop.new / "pictures").mkdir()
        for name, draw in PICTURES.items():
            drawn(draw).save(workshop.new / "pictures" / f"{name}.png")
    return out / CHAT


def drawn(draw: Callable[[ImageDraw], None]) -> Image:
    """Return a picture of the example."""
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", SIZE, (216, 233, 245))
    draw(ImageDraw.Draw(picture))
    return picture


def _hills(on: ImageDraw) -> None:
    on.ellipse((470, 40, 550, 120), fill=(255, 214, 102))
    on.polygon([(0, 420), (0, 260), (170, 110), (330, 290), (430, 420)], fill=(122, 158, 126))
    on.polygon([(220, 420), (440, 160), (640, 330), (640, 420)], fill=(86, 127, 96))
    on.polygon([(0, 420), (0, 360), (320, 330), (640, 390), (640, 420)], fill=(176, 190, 99))


def _cat(on: ImageDraw, *, ears: int = 40, eyes: int = 3) -> None:
    fur = (226, 149, 77)
    on.rectangle((0, 300, 640, 420), fill=(196, 178, 160))
    on.ellipse((180, 190, 520, 370), fill=fur)
    on.ellipse((120, 150, 290, 310), fill=fur)
    on.polygon([(140, 190), (150, 190 - ears), (200, 165)], fill=fur)
    on.polygon([(220, 165), (265, 190 - ears), (272, 200)], fill=fur)
    for x in (175, 235):
        on.ellipse((x - 9, 222 - eyes, x + 9, 222 + eyes), fill=(60, 60, 40))
    for x in range(300, 500, 50):
        on.line((x, 205, x - 14, 262), fill=(190, 110, 50), width=10)


def _awake_cat(on: ImageDraw) -> None:
    _cat(on, ears=62, eyes=12)
    on.ellipse((30, 320, 150, 370), fill=(120, 130, 140))
    on.ellipse((40, 318, 140, 345), fill=(150, 96, 62))


def _map(on: ImageDraw, *, bend: int = 0) -> None:
    on.rectangle((0, 0, 640, 420), fill=(236, 240, 225))
    for step in range(5):
        on.ellipse((90 + 40 * step, 30 + 34 * step, 590 - 40 * step, 390 - 30 * step), outline=(184, 200, 160), width=2)
    on.line((0, 330, 220, 300, 400, 370, 640, 350), fill=(140, 176, 212), width=9)
    route = [(60, 380), (150, 290), (210, 210), (310, 170 - bend), (420, 140 - bend), (470, 90)]
    on.line(route, fill=(203, 53, 53), width=6, joint="curve")
    for x, y in (route[0], route[3], route[-1]):
        on.ellipse((x - 9, y - 9, x + 9, y + 9), fill=(203, 53, 53))


def _long_map(on: ImageDraw) -> None:
    _map(on, bend=75)


def _dish(on: ImageDraw) -> None:
    on.rectangle((0, 0, 640, 420), fill=(150, 108, 74))
    on.ellipse((90, 60, 550, 380), fill=(246, 246, 240))
    on.ellipse((140, 100, 500, 340), fill=(231, 226, 214))
    for row in range(3):
        for column in range(4):
            x, y = 200 + 62 * column + 16 * (row % 2), 140 + 56 * row
            on.rounded_rectangle((x, y, x + 50, y + 42), 8, fill=(138, 52, 32))
            on.rectangle((x + 6, y + 14, x + 44, y + 21), fill=(214, 160, 130))
    for x, y in ((190, 240), (330, 130), (430, 260), (300, 300)):
        on.rectangle((x, y, x + 26, y + 5), fill=(80, 150, 80))


def _medicine(on: ImageDraw) -> None:
    on.rectangle((0, 0, 640, 420), fill=(210, 220, 226))
    on.rounded_rectangle((80, 120, 330, 320), 14, fill=(250, 250, 250), outline=(130, 150, 170), width=4)
    on.rectangle((170, 210, 240, 230), fill=(200, 60, 60))
    on.rectangle((195, 185, 215, 255), fill=(200, 60, 60))
    for row in range(2):
        for column in range(4):
            x, y = 380 + 56 * column, 180 + 66 * row
            on.ellipse((x, y, x + 40, y + 40), fill=(244, 238, 200), outline=(150, 150, 130), width=3)


PICTURES: dict[str, Callable[[ImageDraw], None]] = {
    "hills": _hills,
    "cat": _cat,
    "map": _map,
    "dish": _dish,
    "medicine": _medicine,
    "map2": _long_map,
    "cat2": _awake_cat,
}
"""name of the file -> what draws it."""
