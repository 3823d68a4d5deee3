"""Writes docs/donate.png: three steps of the donation walk over the example chat, side by side. Needs playwright and Chromium."""

from __future__ import annotations

import datetime as dt
import io
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from mldr.annotation.example import write_example
from mldr.annotation.serving.donation import donation_app
from mldr.annotation.store import open_store
from mldr.web import running

if TYPE_CHECKING:
    from playwright.sync_api import Page

OUT = Path(__file__).with_name("donate.png")
SIZE = {"width": 1180, "height": 820}
TODAY = dt.date(2026, 6, 1)


def walk(page: Page) -> list[bytes]:
    """Walk from the export to the seal and return a picture of reading, of the consents and of the end."""
    shots = []

    def press(name: str) -> None:
        page.get_by_role("button", name=name, exact=True).click()

    press("I have read this: begin")
    press("Read it")
    press("This is right: cut it and begin to read")
    page.wait_for_selector("ol.chat li.row")
    page.wait_for_timeout(600)
    count = int(page.locator("aside .figures").inner_text().split()[0])
    for number in range(count):
        if number == 1:
            page.wait_for_timeout(600)
            shots.append(page.screenshot())
        page.keyboard.press("y")
    page.locator("aside .figures").get_by_text("0 to decide", exact=False).wait_for()
    view = page.locator(".view")
    view.evaluate("node => { node.scrollTop = 0; }")
    while view.evaluate("node => node.scrollTop + node.clientHeight < node.scrollHeight - 2"):
        view.evaluate("node => { node.scrollTop += node.clientHeight * 0.8; }")
        page.wait_for_timeout(40)
    page.keyboard.press("Enter")
    page.wait_for_selector("details.person")
    for place in range(page.locator("details.person").count()):
        card = page.locator("details.person").nth(place)
        if card.get_attribute("open") is None:
            card.locator("summary").click()
        card.get_by_label("yes", exact=True).check()
        for scope in ("research", "images"):
            card.locator(f"input[value={scope}]").check()
        if place == 2:
            shots.append(page.screenshot())
        card.get_by_role("button", name="Enter it").click()
        page.locator("details.person.agreed").nth(place).wait_for()
    press("Check and seal")
    page.locator("code.seal").wait_for()
    page.evaluate("""() => document.querySelectorAll('code').forEach((node) => {
      node.textContent = node.textContent.replace(/^.*\\/(mldr-[^/]*)/, '/home/lin'); })""")
    shots.append(page.screenshot())
    return shots


def beside(shots: list[bytes]) -> Image.Image:
    """Return pictures one under the other, in few colours."""
    pictures = [Image.open(io.BytesIO(shot)).convert("RGB") for shot in shots]
    width, gap = max(one.width for one in pictures), 12
    sheet = Image.new("RGB", (width, sum(one.height + gap for one in pictures) - gap), (150, 150, 150))
    top = 0
    for one in pictures:
        sheet.paste(one, (0, top))
        top += one.height + gap
    return sheet.quantize(96, dither=Image.Dither.NONE)


def main() -> None:
    """Write the picture."""
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory(prefix="mldr-") as folder, sync_playwright() as playwright:
        here = Path(folder)
        export = write_example(here / "export")
        app = donation_app(
            open_store(here / "private", create=True), here / "gift.zip", export=export, today=lambda: TODAY
        )
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        with running(app) as served:
            page = browser.new_page(viewport=SIZE, timezone_id="Asia/Shanghai")  # type: ignore[arg-type]
            page.goto(served.url)
            beside(walk(page)).save(OUT, optimize=True)
        browser.close()
    print(f"{OUT}: {OUT.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
