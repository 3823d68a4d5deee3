from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import mldr
from mldr.eval.report import ReportOptions
from mldr.eval.report.words import WORDS
from tests.browser.conftest import absent
from tests.conftest import stored_picture
from tests.eval.support_report import HOSTILE, Answers, pictured_dataset, report_of, spoken_dataset

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

MARKS = ("hit", "missed", "extra")


@dataclass
class Opened:
    """A page with all that it complained of and asked for since it was opened."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def visible(self) -> list[str]:
        """Return the queries that a person sees, in order."""
        found: list[str] = self.page.eval_on_selector_all(
            "#queries > details",
            "all => all.filter(d => d.checkVisibility()).map(d => d.querySelector('b').textContent)",
        )
        return found

    def script(self, text: str) -> Any:
        return self.page.evaluate(text)

    def until(self, condition: str) -> None:
        """Wait for a condition; playwright's own waiting evaluates strings in the page, which the page's policy forbids."""
        for _ in range(100):
            if self.script(condition):
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"never so: {condition}")


WATCH = """window.violations = [];
document.addEventListener('securitypolicyviolation', e => window.violations.push(e.violatedDirective + ' ' + e.blockedURI));"""


@pytest.fixture
def opened(browser: Browser) -> Iterator[_Opener]:
    opener = _Opener(browser)
    yield opener
    opener.close()


class _Opener:
    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.contexts: list[Any] = []

    def __call__(self, path: Path, width: int = 1280, height: int = 900, **settings: Any) -> Opened:
        context = self.browser.new_context(viewport={"width": width, "height": height}, **settings)
        self.contexts.append(context)
        context.add_init_script(WATCH)
        page = context.new_page()
        seen = Opened(page)
        page.on("console", lambda message: seen.complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        page.on("request", lambda request: seen.requests.append(request.url))
        page.goto(path.as_uri())
        return seen

    def close(self) -> None:
        for context in self.contexts:
            context.close()


# --- the reports


@pytest.fixture(scope="module")
def demo_answers(demo_dataset: mldr.Dataset) -> Answers:
    """Everything of the first half of each dialogue, for two queries of three."""
    answers = {}
    for asked in demo_dataset.asked("test"):
        for position, query in enumerate(asked.queries):
            if position % 3 < 2:
                half = range(asked.dialogue.n_utterances // 2)
                answers[query.query_id] = (list(half), list(range(asked.dialogue.n_images)) if position % 3 else [])
    return answers


@pytest.fixture(scope="module")
def demo_report(demo_dataset: mldr.Dataset, demo_answers: Answers, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("report") / "demo.html"
    report_of(demo_dataset, out, {"none": {}, "half": demo_answers}, by=["kind", "language"])
    return out


@pytest.fixture(scope="module")
def hostile_report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    dataset = spoken_dataset(folder / "d", HOSTILE, key=f"ref:{HOSTILE}", language=f'en"{HOSTILE}', name=HOSTILE)
    answers: Answers = {"d-0": ([0, 2], [1])}
    report_of(dataset, folder / "r.html", {f"1 {HOSTILE}": {}, f"2 {HOSTILE}": answers}, by=["label_model", "kind"])
    return folder / "r.html"


def open_all(seen: Opened) -> None:
    seen.script("document.querySelectorAll('details').forEach(details => { details.open = true; })")
    seen.page.wait_for_timeout(100)


# --- quiet and inert


def test_the_page_complains_of_nothing_and_asks_for_nothing(opened: _Opener, demo_report: Path) -> None:
    seen = opened(demo_report)
    open_all(seen)
    asked = [url for url in seen.requests if not url.startswith("data:")]
    assert asked == [demo_report.as_uri()]
    assert seen.complaints == []
    assert seen.script("window.violations") == []


def test_a_hostile_page_runs_nothing_and_asks_for_nothing(opened: _Opener, hostile_report: Path) -> None:
    seen = opened(hostile_report)
    open_all(seen)
    for element in seen.page.query_selector_all("summary, p, th, figcaption, li"):
        element.dispatch_event("mouseover")
    assert seen.script("window.hit === undefined")
    assert [url for url in seen.requests if not url.startswith("data:")] == [hostile_report.as_uri()]
    assert seen.complaints == []
    assert seen.script("window.violations") == []
    assert seen.page.title().split() == f"{HOSTILE} · test".split()
    assert seen.script("document.querySelectorAll('script').length") == 2
    assert sorted(seen.visible()) == [f"{HOSTILE} {position}" for position in (0, 1)]


def test_the_policy_stops_a_script_and_a_style_that_are_not_the_pages_own(opened: _Opener, demo_report: Path) -> None:
    seen = opened(demo_report)
    seen.script(
        """() => { const s = document.createElement('script'); s.textContent = 'window.hit = 1'; document.body.append(s);
        const i = new Image(); i.src = 'https://example.org/x.png'; document.body.append(i); }"""
    )
    seen.until("window.violations.length >= 2")
    assert seen.script("window.hit === undefined")


# --- the queries


def test_the_first_query_is_open_and_its_pictures_are_drawn(opened: _Opener, demo_report: Path) -> None:
    seen = opened(demo_report)
    assert (
        seen.script("Array.from(document.querySelectorAll('#queries > details')).map(d => d.open).indexOf(true)") == 0
    )
    assert seen.script("document.querySelectorAll('#queries > details[open]').length") == 1
    drawn = "#queries > details[open] img"
    assert seen.script(f"document.querySelectorAll('{drawn}').length") > 0
    seen.until(f"Array.from(document.querySelectorAll('{drawn}')).every(i => i.naturalWidth > 0)")


def test_every_picture_is_drawn_once_its_query_is_opened(opened: _Opener, demo_report: Path) -> None:
    seen = opened(demo_report)
    closed = "#queries > details:not([open]) img"
    assert seen.script(f"Array.from(document.querySelectorAll('{closed}')).every(i => !i.src)")
    open_all(seen)
    seen.until("Array.from(document.images).every(i => i.complete && i.naturalWidth > 0)")
    assert seen.script("Array.from(document.images).every(i => i.alt)")


@pytest.mark.parametrize("name", ["outcome", "kind"])
def test_a_filter_hides_the_other_queries_and_the_count_is_announced(
    opened: _Opener, demo_report: Path, name: str
) -> None:
    seen = opened(demo_report)
    everything = seen.visible()
    own = {
        value: [title for title, one in zip(everything, all_values, strict=True) if one == value]
        for all_values in [
            seen.script(f"Array.from(document.querySelectorAll('#queries > details')).map(d => d.dataset.{name})")
        ]
        for value in all_values
    }
    assert len(own) > 1
    announced = seen.page.locator("#shown")
    total = (announced.text_content() or "").rpartition(" ")[2]
    for value, titles in own.items():
        seen.page.select_option(f"select[name={name}]", value)
        assert seen.visible() == titles
        assert announced.text_content() == f"{len(titles)} shown of {total}"
        label = seen.page.locator(f"select[name={name}] option:checked").text_content()
        assert re.fullmatch(rf"{value} \({len(titles)}( / \d+)?\)", label or "")
    seen.page.select_option(f"select[name={name}]", "")
    assert seen.visible() == everything


def test_two_filters_work_together(opened: _Opener, demo_report: Path) -> None:
    seen = opened(demo_report)
    wanted = seen.script(
        "Array.from(document.querySelectorAll('#queries > details'))"
        ".filter(d => d.dataset.kind === 'negative' && d.dataset.outcome === 'missing').length"
    )
    seen.page.select_option("select[name=kind]", "negative")
    seen.page.select_option("select[name=outcome]", "missing")
    assert wanted > 0
    assert len(seen.visible()) == wanted


def test_the_page_is_used_by_keyboard_alone(opened: _Opener, demo_report: Path) -> None:
    seen = opened(demo_report)
    reached = []
    for _ in range(60):
        seen.page.keyboard.press("Tab")
        element = seen.script("document.activeElement.tagName.toLowerCase()")
        reached.append(element)
        assert seen.script("document.activeElement.matches(':focus-visible')")
        outline = "getComputedStyle(document.activeElement)"
        assert seen.script(f"{outline}.outlineStyle !== 'none' && parseFloat({outline}.outlineWidth) >= 2"), element
        if reached.count("summary") == 2:
            break
    assert {"div", "select"} <= set(reached)
    assert reached.count("summary") == 2
    second = "document.querySelectorAll('#queries > details')[1]"
    assert seen.script(f"document.activeElement === {second}.querySelector('summary')")
    assert not seen.script(f"{second}.open")
    seen.page.keyboard.press("Enter")
    seen.until(f"{second}.open")
    seen.until(f"Array.from({second}.querySelectorAll('img')).every(i => i.naturalWidth > 0)")
    seen.page.keyboard.press("Space")
    seen.until(f"!{second}.open")


def test_a_filter_is_worked_by_keyboard(opened: _Opener, demo_report: Path) -> None:
    seen = opened(demo_report)
    before = len(seen.visible())
    seen.page.focus("select[name=kind]")
    seen.page.keyboard.press("ArrowDown")
    seen.until("document.getElementById('filters').kind.value !== ''")
    assert 0 < len(seen.visible()) < before


# --- how it looks


@pytest.mark.parametrize("width", [390, 320])
@pytest.mark.parametrize("which", ["demo_report", "hostile_report"])
def test_on_a_phone_the_page_does_not_scroll_sideways(
    opened: _Opener, request: pytest.FixtureRequest, which: str, width: int
) -> None:
    seen = opened(request.getfixturevalue(which), width, 844, is_mobile=True, device_scale_factor=2)
    open_all(seen)
    assert seen.script("innerWidth") == width
    assert seen.script("document.documentElement.scrollWidth") <= width


def test_on_a_phone_the_numbers_of_a_chart_can_be_read(opened: _Opener, demo_report: Path) -> None:
    seen = opened(demo_report, 390, 844, is_mobile=True, device_scale_factor=2)
    heights = seen.script(
        "Array.from(document.querySelectorAll('.chart text')).map(t => t.getBoundingClientRect().height)"
    )
    assert min(heights) >= 9, f"the smallest text of a chart is {min(heights):.1f} px high"


def test_no_text_of_a_chart_leaves_the_chart(opened: _Opener, demo_report: Path) -> None:
    seen = opened(demo_report)
    outside = seen.script(
        """Array.from(document.querySelectorAll('.chart')).flatMap(chart => { const b = chart.getBoundingClientRect();
        return Array.from(chart.querySelectorAll('text')).filter(t => { const r = t.getBoundingClientRect();
        return r.left < b.left - 1 || r.right > b.right + 1; }).map(t => t.textContent); })"""
    )
    assert outside == []


def test_marks_are_words_that_a_person_sees(opened: _Opener, demo_report: Path) -> None:
    seen = opened(demo_report)
    open_all(seen)
    seen.script(f"window.marks = {list(MARKS)}")
    shown = seen.script(
        "Array.from(document.querySelectorAll('.mark')).filter(m => m.checkVisibility()).map(m => m.innerText)"
    )
    assert set(shown) == {WORDS["en"][mark] for mark in MARKS}
    borders = seen.script("marks.map(mark => getComputedStyle(document.querySelector('p.' + mark)).borderTopStyle)")
    assert len(set(borders)) == 3, "marks differ by more than colour"


def test_text_stands_out_from_its_ground(opened: _Opener, demo_report: Path) -> None:
    seen = opened(demo_report)
    open_all(seen)
    low = seen.script(CONTRAST)
    assert low == [], "contrast below 4.5 to 1"


CONTRAST = """(() => {
  const parse = c => (c.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const ground = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor);
    if (c.length === 3 || c[3] > 0) { return c; } } return [255, 255, 255]; };
  const low = new Set();
  for (const e of document.querySelectorAll('h1, h2, p, li, th, td, small, span, summary, figcaption, caption, label, output')) {
    if (!Array.from(e.childNodes).some(n => n.nodeType === 3 && n.data.trim()) || !e.checkVisibility()) { continue; }
    const [a, b] = [light(parse(getComputedStyle(e).color)), light(ground(e))].sort((x, y) => y - x);
    if ((a + .05) / (b + .05) < 4.5) { low.add(e.tagName + '.' + e.className); }
  }
  return Array.from(low);
})()"""


def test_a_page_in_chinese_is_drawn_and_filters(opened: _Opener, demo_dataset: mldr.Dataset, tmp_path: Path) -> None:
    out = tmp_path / "zh.html"
    report_of(demo_dataset, out, {"all": {}}, by=["kind"], options=ReportOptions("zh"))
    seen = opened(out)
    assert seen.script("document.documentElement.lang") == "zh"
    assert WORDS["zh"]["browser"] in seen.page.inner_text("main")
    before = len(seen.visible())
    seen.page.select_option("select[name=kind]", "negative")
    number = len(seen.visible())
    assert 0 < number < before
    assert (seen.page.locator("#shown").text_content() or "").startswith(f"{number} {WORDS['zh']['shown_of']} ")
    assert seen.complaints == []


def test_without_javascript_all_queries_are_listed_and_open_by_themselves(opened: _Opener, demo_report: Path) -> None:
    seen = opened(demo_report, java_script_enabled=False)
    assert WORDS["en"]["script"] in seen.page.inner_text("main")
    summary = seen.page.locator("#queries > details summary").nth(1)
    summary.click()
    assert seen.page.locator("#queries > details").nth(1).locator("ol.chat").is_visible()


def test_a_page_of_many_queries_lists_as_many_as_it_says(opened: _Opener, tmp_path: Path) -> None:
    dataset = pictured_dataset(tmp_path / "d", 150, [stored_picture("red")])
    report_of(dataset, tmp_path / "r.html", {"a": {}})
    seen = opened(tmp_path / "r.html", 2560, 1440)
    assert len(seen.visible()) == 120
    assert seen.page.locator("#shown").text_content() == "120 shown of 150"


def test_where_a_browser_is_demanded_its_absence_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLDR_NEED_BROWSER", "1")
    with pytest.raises(pytest.fail.Exception, match="no Chromium"):
        absent("no Chromium")
    monkeypatch.delenv("MLDR_NEED_BROWSER")
    with pytest.raises(pytest.skip.Exception, match="no Chromium"):
        absent("no Chromium")
