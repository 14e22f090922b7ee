"""The page in a real browser: no error on its console, filters, theme, keyboard, contrast, and a phone's width."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select

from nnx_conformance.core.report import Report
from nnx_conformance.reports.formats import get
from reports import STEPS, finding, hostile, report
from test_audit import REACH, SOUND, SURVIVED, audit, written

BROWSER = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chrome")
DRIVER = shutil.which("chromedriver")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (BROWSER and DRIVER),
        reason="needs chromium and chromedriver on the path (Debian: apt-get install chromium chromium-driver)",
    ),
]
QUIET = (
    "--headless --no-sandbox --disable-gpu --disable-quic --disable-dev-shm-usage --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync --window-size=1280,900"
)
BLOCKED = {"counts-in-variable": ("blocked", "wrapper-kept"), "many-calls": ("not applicable", "no loop")}
PAGES = {
    "one": (report(finding(), finding("quiet"), statuses=BLOCKED),),
    "right": (report(),),
    "steps": (report(finding(timeline=STEPS)),),
    "many": (
        report(finding(), finding("quiet"), statuses=BLOCKED),
        report(candidate="other.py"),
        report(finding("quiet"), candidate="third.py"),
    ),
    "hostile": (hostile(), hostile()),
}
#: The least contrast of text with what is behind it, by WCAG 2.2 AA; of shown elements that hold text themselves.
CONTRAST = """
const context = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
const rgb = (colour) => {
  context.clearRect(0, 0, 1, 1); context.fillStyle = colour; context.fillRect(0, 0, 1, 1);
  return [...context.getImageData(0, 0, 1, 1).data];
};
const light = ([r, g, b]) => {
  const [x, y, z] = [r, g, b].map((c) => c / 255).map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  return 0.2126 * x + 0.7152 * y + 0.0722 * z;
};
const behind = (element) => {
  for (let at = element; at; at = at.parentElement) {
    const colour = rgb(getComputedStyle(at).backgroundColor);
    if (colour[3] === 255) return colour;
  }
  return [255, 255, 255, 255];
};
let least = [21, ''];
for (const element of document.querySelectorAll('body *')) {
  const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  if (!own || !element.checkVisibility() || ['SCRIPT', 'STYLE', 'TITLE', 'title'].includes(element.tagName)) continue;
  const style = getComputedStyle(element);
  const colour = element instanceof SVGElement ? style.fill : style.color;
  const [a, b] = [light(rgb(colour)), light(behind(element))];
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  if (ratio < least[0]) least = [ratio, element.outerHTML.slice(0, 200)];
}
return least;
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = str(BROWSER)
    for argument in QUIET.split():
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(str(DRIVER)))
    yield driver
    driver.quit()


@pytest.fixture
def show(browser: webdriver.Chrome, tmp_path: Path) -> Iterator[object]:
    """Open a page; whatever is then done with it, nothing may stand on the console."""

    def show(*reports: Report) -> webdriver.Chrome:
        file = io.StringIO()
        get("html").write(reports, file)
        (tmp_path / "page.html").write_text(file.getvalue(), encoding="utf-8", errors="backslashreplace")
        browser.get((tmp_path / "page.html").as_uri())
        return browser

    phone(browser, 0)
    theme(browser, "light")
    yield show
    assert browser.get_log("browser") == []


def theme(browser: webdriver.Chrome, name: str) -> None:
    """What the system prefers."""
    features = [{"name": "prefers-color-scheme", "value": name}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def phone(browser: webdriver.Chrome, width: int) -> None:
    """Look at it on a phone of this width; 0 for the window again."""
    if not width:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        return
    metrics = {"width": width, "height": 844, "deviceScaleFactor": 2, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def shown(browser: webdriver.Chrome, selector: str) -> list[WebElement]:
    return [element for element in browser.find_elements(By.CSS_SELECTOR, selector) if element.is_displayed()]


def told(browser: webdriver.Chrome) -> str:
    return str(browser.find_element(By.NAME, "shown").text)


def choose(browser: webdriver.Chrome, name: str, value: str) -> None:
    Select(browser.find_element(By.NAME, name)).select_by_visible_text(value)


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("system", ["light", "dark"])
def test_text_can_be_read_in_both_themes(show: object, browser: webdriver.Chrome, name: str, system: str) -> None:
    theme(browser, system)
    show(*PAGES[name])  # type: ignore[operator]
    paper = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert paper == {"light": "rgb(255, 255, 255)", "dark": "rgb(17, 21, 26)"}[system]
    ratio, where = browser.execute_script(CONTRAST)
    assert ratio >= 4.5, where


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_no_wider_than_a_phone(show: object, browser: webdriver.Chrome, name: str) -> None:
    phone(browser, 390)
    show(*PAGES[name])  # type: ignore[operator]
    assert browser.execute_script("return document.documentElement.scrollWidth") == 390


def test_nothing_that_a_candidate_writes_runs(show: object, browser: webdriver.Chrome) -> None:
    show(*PAGES["hostile"])  # type: ignore[operator]
    assert len(browser.find_elements(By.TAG_NAME, "script")) == 1
    assert browser.find_elements(By.TAG_NAME, "img") == []
    assert len(shown(browser, ".nnxc-finding")) == 2


def test_the_policy_stops_what_is_not_of_the_page(show: object, browser: webdriver.Chrome) -> None:
    show(*PAGES["one"])  # type: ignore[operator]
    code = "const s = document.createElement('script'); s.textContent = 'window.ran = 1'; document.body.append(s);"
    browser.execute_script(code)
    assert browser.execute_script("return window.ran") is None
    (entry,) = browser.get_log("browser")
    assert "Content Security Policy" in entry["message"]


def test_filters_by_level_status_and_text(show: object, browser: webdriver.Chrome) -> None:
    show(*PAGES["one"])  # type: ignore[operator]
    assert told(browser) == "2 findings and 27 checks"
    choose(browser, "level", "SHOULD")
    assert told(browser) == "1 finding and 14 checks"
    assert [each.get_attribute("id") for each in shown(browser, ".nnxc-finding")] == ["c1-quiet"]
    choose(browser, "level", "any")
    choose(browser, "status", "blocked")
    assert told(browser) == "0 findings and 1 check"
    assert [each.text.split()[0] for each in shown(browser, "tr[data-status]")] == ["counts-in-variable"]
    choose(browser, "status", "any")
    browser.find_element(By.NAME, "text").send_keys("NO SUCH THING")
    assert told(browser) == "0 findings and 0 checks"
    browser.find_element(By.CSS_SELECTOR, "button[type=reset]").click()
    assert told(browser) == "2 findings and 27 checks"


def test_filters_by_verdict_and_by_the_name_of_a_candidate(show: object, browser: webdriver.Chrome) -> None:
    show(*PAGES["many"])  # type: ignore[operator]
    assert told(browser) == "3 findings and 81 checks of 3 candidates"
    choose(browser, "verdict", "conforms")
    assert told(browser) == "1 finding and 54 checks of 2 candidates"
    assert len(shown(browser, ".nnxc-matrix tbody tr")) == 2
    browser.find_element(By.NAME, "text").send_keys("third")
    assert told(browser) == "1 finding and 27 checks of 1 candidate"
    assert [each.get_attribute("id") for each in shown(browser, ".nnxc-candidate")] == ["c3"]


def test_a_status_is_found_in_checks_that_are_folded(show: object, browser: webdriver.Chrome) -> None:
    show(*PAGES["many"])  # type: ignore[operator]
    assert shown(browser, "tr[data-status]") == []
    choose(browser, "status", "not applicable")
    assert len(shown(browser, "tr[data-status]")) == 1
    choose(browser, "status", "any")
    assert shown(browser, "tr[data-status]") == []


def test_a_right_candidate_alone_can_be_filtered_too(show: object, browser: webdriver.Chrome) -> None:
    show(*PAGES["right"])  # type: ignore[operator]
    choose(browser, "status", "violated")
    assert told(browser) == "0 findings and 0 checks"
    assert shown(browser, ".nnxc-checks") == []


def test_the_keyboard_reaches_every_control_and_shows_where_it_is(show: object, browser: webdriver.Chrome) -> None:
    show(*PAGES["many"])  # type: ignore[operator]
    wanted = {"A", "BUTTON", "INPUT", "SELECT", "SUMMARY", "PRE", "DIV"}
    reached, outlined = set(), set()
    for _ in range(60):
        browser.switch_to.active_element.send_keys(Keys.TAB)
        at = browser.switch_to.active_element
        reached.add(at.tag_name.upper())
        outlined.add(at.value_of_css_property("outline-style"))
    assert wanted <= reached
    assert outlined <= {"solid", "auto"} | ({"none"} if "BODY" in reached else set())


def test_the_first_tab_stop_skips_to_the_findings(show: object, browser: webdriver.Chrome) -> None:
    show(*PAGES["many"])  # type: ignore[operator]
    browser.switch_to.active_element.send_keys(Keys.TAB)
    first = browser.switch_to.active_element
    assert first.text == "Skip to the findings"
    first.send_keys(Keys.ENTER)
    assert browser.switch_to.active_element.get_attribute("id") == "main"


def test_keys_lead_from_finding_to_finding_and_to_the_filter(show: object, browser: webdriver.Chrome) -> None:
    show(report(finding(), finding("count-equals-calls", because="wrapper-kept"), finding("quiet")))  # type: ignore[operator]
    focused = []
    browser.find_element(By.TAG_NAME, "body").send_keys("n")
    for key in "nnpp":
        focused.append(browser.switch_to.active_element.get_attribute("id"))
        browser.switch_to.active_element.send_keys(key)
    assert focused == ["c1-wrapper-kept", "c1-quiet", "c1-quiet", "c1-wrapper-kept"]
    browser.switch_to.active_element.send_keys("/")
    assert browser.switch_to.active_element.get_attribute("name") == "text"
    browser.switch_to.active_element.send_keys("n/p")
    assert browser.switch_to.active_element.get_attribute("value") == "n/p"


def test_print_opens_what_is_folded_on_white(show: object, browser: webdriver.Chrome) -> None:
    theme(browser, "dark")
    show(report(finding(), finding("count-equals-calls", because="wrapper-kept")))  # type: ignore[operator]
    folded = browser.find_element(By.ID, "c1-count-equals-calls")
    assert not folded.is_displayed()
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print", "features": []})
    assert browser.execute_script("return arguments[0].getBoundingClientRect().height", folded) > 100
    assert browser.execute_script("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})


def test_the_theme_can_be_chosen_by_keyboard(show: object, browser: webdriver.Chrome) -> None:
    theme(browser, "dark")
    show(*PAGES["one"])  # type: ignore[operator]
    button = browser.find_element(By.ID, "theme")
    assert button.text == "Theme: system"
    button.send_keys(Keys.ENTER)
    assert button.text == "Theme: light"
    assert browser.execute_script("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    button.send_keys(Keys.SPACE)
    assert button.text == "Theme: dark"
    button.send_keys(Keys.SPACE)
    assert button.text == "Theme: system"


def test_the_picture_has_a_name_and_its_numbers(show: object, browser: webdriver.Chrome) -> None:
    show(*PAGES["one"])  # type: ignore[operator]
    picture = browser.find_element(By.CSS_SELECTOR, "#c1-wrapper-kept .nnxc-timeline svg")
    assert picture.aria_role in ("img", "image")
    assert picture.accessible_name == (
        "Counter.count: before the first call: 0 expected, 0 observed; "
        "after call 1: 1 expected, 1 observed, held by jax.Array"
    )
    assert all(element.is_displayed() for element in picture.find_elements(By.TAG_NAME, "circle"))


@pytest.mark.parametrize("system", ["light", "dark"])
def test_the_page_of_an_audit_can_be_read_in_both_themes_and_on_a_phone(
    browser: webdriver.Chrome, tmp_path: Path, system: str
) -> None:
    text = written("html", audit(*SOUND, SURVIVED, reaches=(REACH,), absent={"torch": 7}))
    (tmp_path / "audit.html").write_text(text, encoding="utf-8")
    theme(browser, system)
    phone(browser, 390)
    browser.get((tmp_path / "audit.html").as_uri())

    ratio, where = browser.execute_script(CONTRAST)
    assert ratio >= 4.5, where
    assert browser.execute_script("return document.documentElement.scrollWidth") == 390
    button = browser.find_element(By.ID, "theme")
    before = button.text
    button.send_keys(Keys.ENTER)
    assert button.text != before and button.text.startswith("Theme: ")
    assert browser.get_log("browser") == []
    phone(browser, 0)
