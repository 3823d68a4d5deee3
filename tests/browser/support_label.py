"""A person at one of the local pages: their keys, what they see, and what the page complained of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

WATCH = """window.violations = [];
document.addEventListener('securitypolicyviolation', e => window.violations.push(e.violatedDirective + ' ' + e.blockedURI));"""


@dataclass
class Seen:
    """A page with all that it complained of and asked for."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def press(self, *keys: str) -> None:
        """Press keys, one after another."""
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        """Type into whatever has the keyboard."""
        self.page.keyboard.type(text)

    def go(self, index: int) -> None:
        """Go to a message by its number."""
        self.press("g")
        self.type(str(index))
        self.press("Enter")

    def words(self, selector: str) -> list[str]:
        """Return the words of elements."""
        found: list[str] = self.page.locator(selector).all_inner_texts()
        return found

    def script(self, text: str) -> Any:
        """Return what a script gives."""
        return self.page.evaluate(text)

    def wait(self, selector: str) -> None:
        """Wait for an element to be seen."""
        self.page.locator(selector).first.wait_for()

    def settled(self) -> None:
        """Wait until everything is written down."""
        self.page.wait_for_timeout(500)  # typing is sent after 400 ms
        self.until(lambda: not self.page.locator(".saved.waiting").count())

    def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds; playwright's own waiting evaluates strings, which the page's policy forbids."""
        for _ in range(150):
            if holds():
                return
            self.page.wait_for_timeout(30)
        raise AssertionError("never so")

    def clean(self, address: str) -> None:
        """Check that the page complained of nothing, ran nothing strange, and asked nobody else."""
        assert self.complaints == []
        assert self.script("window.violations") == []
        assert self.script("window.hacked") is None
        assert all(request.startswith((address, "data:")) for request in self.requests)


def tab(context: BrowserContext, url: str) -> Seen:
    """Open a page in one more tab of a browser that holds its cookies."""
    seen = Seen(context.new_page())
    seen.page.on("console", lambda message: seen.complaints.append(f"{message.type}: {message.text}"))
    seen.page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    seen.page.on("request", lambda request: seen.requests.append(request.url))
    seen.page.goto(url)
    seen.wait(".row.at, .notice, .broken")
    return seen


def context_of(browser: Browser, width: int = 1280, height: int = 900) -> BrowserContext:
    """Return a browser without cookies that watches the policy."""
    context = browser.new_context(viewport={"width": width, "height": height})
    context.add_init_script(WATCH)
    return context
