"""The page of a report as a reader meets it: in a real browser, on a phone and on a desk, by day and by night."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from app.entrypoints.simulator.report.page import write_report
from app.entrypoints.simulator.report.summary import figures
from app.entrypoints.simulator.run.outcome import Outcome
from app.entrypoints.simulator.watching.tally import MARKS
from tests.rigs.browser import Browser, Page
from tests.simulation.reported import HOSTILE, eventful, large, quiet

SECTIONS = [
    "At a glance",
    "Nodes up and down over time",
    "Promises",
    "The timeline of one node",
    "How long wakes take",
    "Energy and money",
    "Credited by the grid",
    "Packets and chain calls",
    "Faults of the plan",
    "All figures",
]
PHONE, DESK = 360, 1280

BEYOND_ITS_CARD = """
[...document.querySelectorAll('.card *, header *, nav *, #tiles *')].filter((node) => {
  if (node.closest('thead') && getComputedStyle(node.closest('thead')).position === 'absolute') return false;
  const {left, right, width} = node.getBoundingClientRect();
  const box = node.tagName === 'text' ? node.ownerSVGElement : node.closest('.card') || document.documentElement;
  const around = box.getBoundingClientRect();
  return width && (left < around.left - 0.5 || right > around.right + 0.5);
}).map((node) => `${node.tagName} ${node.textContent.slice(0, 60)}`)
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    running = Browser(tmp_path_factory.mktemp("profile"))
    yield running
    running.close()


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return eventful()


@pytest.fixture(scope="module")
def address(outcome: Outcome, tmp_path_factory: pytest.TempPathFactory) -> str:
    return written(outcome, tmp_path_factory.mktemp("report"))


def written(outcome: Outcome, folder: Path) -> str:
    file = folder / "out.html"
    write_report(outcome, file)
    return file.as_uri()


class Opens(Protocol):
    """Opens an address in a tab of its own."""

    def __call__(self, address: str, *, width: int = DESK, scheme: str = "light") -> Page: ...


@pytest.fixture
def opens(browser: Browser) -> Iterator[Opens]:
    pages = []

    def go(address: str, *, width: int = DESK, scheme: str = "light") -> Page:
        pages.append(Page(browser, width=width, height=800, scheme=scheme))
        pages[-1].open(address)
        return pages[-1]

    yield go
    for page in pages:
        page.close()


@pytest.fixture
def page(opens: Opens, address: str) -> Page:
    """The page of the eventful run, at a desk."""
    return opens(address)


def clock(at_s: float) -> str:
    """As the page writes times."""
    return f"{int(at_s) // 3600:02}:{int(at_s) // 60 % 60:02}:{int(at_s) % 60:02}"


def rows(page: Page, selector: str) -> list[list[str]]:
    """The cells of a table's body."""
    found: list[list[str]] = page.tell(
        f"[...document.querySelectorAll('{selector} tbody tr')]"
        ".map((row) => [...row.cells].map((cell) => cell.textContent))"
    )
    return found


def test_every_section_is_there_and_nothing_complains(page: Page) -> None:
    assert page.texts("h2") == SECTIONS
    assert page.complaints() == []


def test_nothing_is_loaded_but_the_page_itself(page: Page, address: str) -> None:
    page.follow("#promises-body a")
    assert [url for url in page.requests() if not url.startswith("data:")] == [address]


def test_it_says_at_once_what_came_of_the_run(page: Page, outcome: Outcome) -> None:
    assert page.text("#verdict") == f"1 of {len(outcome.promises)} promises broken, 30 times"
    assert page.text("#about").startswith("5 nodes in one farm, 4 hours, 4 faults; a script sets the targets")
    tiles = dict(zip(page.texts("#tiles dt"), page.texts("#tiles dd.value"), strict=True))
    assert tiles["saved in this run"] == f"{outcome.energy.saved_kwh:,.1f} kWh"
    assert tiles["wakes"] == f"{len(outcome.wake_latencies_s)}"


def test_the_figures_are_those_of_the_run(page: Page, outcome: Outcome) -> None:
    assert rows(page, "#figures-table") == [list(row) for row in figures(outcome)]
    energy = {name: (kwh, money, share) for name, kwh, money, share in rows(page, "#energy-table")}
    assert energy["no sleep"] == (
        f"{outcome.energy.always_on_kwh:,.1f} kWh",
        f"{outcome.energy.always_on_kwh * 0.3:,.2f} EUR",
        "100 %",
    )
    traffic = {name: number for name, number, *_ in rows(page, "#traffic-table")}
    assert traffic["magic packets"] == f"{outcome.counts['packets']:,}"
    assert traffic["chain reads"] == f"{outcome.counts['chain reads']:,}"
    assert (
        traffic["states that nodes reported (change_power_state)"]
        == f"{outcome.counts['extrinsic change_power_state']:,}"
    )


def test_every_wake_is_in_a_bar_of_the_distribution(page: Page, outcome: Outcome) -> None:
    titles = page.texts("#latency-charts rect title")
    in_bars = sum(int(title.split(": ")[1].split()[0]) for title in titles)
    assert in_bars == len(outcome.packet_latencies_s) + len(outcome.wake_latencies_s)
    assert len(page.texts("#latency-charts svg")) == 2
    in_rows = sum(int(number) for _, number in rows(page, "#latency-bars"))
    assert in_rows == in_bars


def test_the_least_credited_nodes_stand_first_and_the_others_are_folded(opens: Opens, tmp_path: Path) -> None:
    outcome = large()
    outcome.income.credited_s = {node: 86_400 - 100 * (node % 20) for node in range(1, 41)}
    page = opens(written(outcome, tmp_path))
    shares = [float(row[2].removesuffix(" %")) for row in rows(page, "#credited-body")]
    assert shares == sorted(shares)
    assert page.texts("#credited-body summary") == [
        f"{len(shares) - 12:,} more nodes, each at least {shares[12]:.2f} %"
    ]
    assert len(rows(page, "#credited-body > table")) == 12


def test_the_table_of_nodes_over_time_is_the_curve(page: Page, outcome: Outcome) -> None:
    assert rows(page, "#over-time-table")[0] == [clock(0), *(str(number) for number in outcome.series[0][1:])]
    last = outcome.series[-1]
    assert rows(page, "#over-time-table")[-1] == [clock(last[0]), *(str(number) for number in last[1:])]


def test_faults_stand_behind_the_curve_each_with_its_words(page: Page) -> None:
    assert page.texts("#over-time-chart .fault title") == [
        "chain-away, all: 00:15:00 for 5 min",
        "power-cut, node 4: 00:20:00 for 10 min",
        "bus-away, farm 1: 00:33:20 for 2 min",
        "crash, node 5: 02:30:00 for 10 min",
    ]


def test_arrow_keys_read_along_the_curve(page: Page, outcome: Outcome) -> None:
    page.tell("document.querySelector('#over-time-chart svg').focus()")
    page.press("ArrowRight", 39)
    page.press("ArrowRight", 39)
    at_s, running, dark, wanted = outcome.series[1]
    assert page.text("#over-time-readout") == f"{clock(at_s)}: {running} running, {dark} dark, {wanted} wanted up"


def test_a_finger_on_the_curve_reads_it(opens: Opens, address: str, outcome: Outcome) -> None:
    page = opens(address, width=PHONE)
    page.tell("document.querySelector('#over-time').scrollIntoView()")
    place = page.tell("document.querySelector('#over-time-chart svg').getBoundingClientRect().toJSON()")
    touch = {"x": place["right"] - 6, "y": place["top"] + 50}
    page.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=[touch])
    page.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
    assert page.text("#over-time-readout").startswith(clock(outcome.series[-1][0]))


def test_a_node_chosen_by_keyboard_shows_its_timeline(page: Page, outcome: Outcome) -> None:
    page.tell("document.querySelector('#node-id').select(); document.querySelector('#node-id').focus()")
    page.call("Input.insertText", text="2")
    page.press("Enter", 13)
    assert page.text("#node-about").startswith("Node 2 of farm 1: dark 1 time")
    assert page.texts("#node-chart svg > title") == ["Timeline of node 2"]
    told = [row for row in rows(page, "#node-table") if not re.match("fault|over", row[1])]
    timeline = outcome.timelines[2]
    words = ["dark" if MARKS[mark] == "off" else MARKS[mark] for mark in timeline[1::2]]
    assert told == [[clock(at_s), word] for at_s, word in zip(timeline[::2], words, strict=True)]
    assert any(title.startswith("dark: ") for title in page.texts("#node-chart .off title"))
    assert page.texts("#node-chart .fault title") == [
        "chain-away, all: 00:15:00 for 5 min",
        "bus-away, farm 1: 00:33:20 for 2 min",
    ]


def test_a_node_that_is_not_there_is_named_and_the_picture_stays(page: Page) -> None:
    page.tell("document.querySelector('#node-id').value = '99'; document.querySelector('#node-form').requestSubmit()")
    assert page.text("#node-about") == "There is no such node; they are 1 to 5."
    assert page.texts("#node-chart svg > title") == ["Timeline of node 4"]


def test_one_can_walk_from_node_to_node_and_zoom(page: Page) -> None:
    page.tell("document.querySelector('#node-after').click()")
    assert page.texts("#node-chart svg > title") == ["Timeline of node 5"]
    assert page.tell("document.querySelector('#node-after').disabled")
    page.tell("document.querySelector('#node-in').click(); document.querySelector('#node-later').click()")
    assert page.texts("#node-table caption") == ["02:00:00 to 03:20:00"]
    page.tell("document.querySelector('#node-all').click()")
    assert page.texts("#node-table caption") == ["00:00:00 to 04:00:00"]


def test_a_violation_leads_to_its_node_at_that_time(page: Page) -> None:
    assert [row[:2] for row in rows(page, "#promises-body table:nth-of-type(2)")] == [
        ["01:02:05", "4"],
        ["01:23:20", "none alone"],
    ]
    page.follow("#promises-body a")
    assert page.texts("#node-chart svg > title") == ["Timeline of node 4"]
    assert page.texts("#node-table caption") == ["00:32:05 to 01:32:05"]
    assert page.texts("#node-table tr.here th") == ["01:02:05"]
    assert page.tell("document.activeElement.id") == "h-node"
    assert len(page.texts("#node-chart .at")) == 1
    assert 0 <= page.tell("document.querySelector('#node').getBoundingClientRect().top") < 200


def test_an_address_with_a_node_in_it_shows_that_node(opens: Opens, address: str) -> None:
    page = opens(f"{address}#node-3")
    assert page.texts("#node-chart svg > title") == ["Timeline of node 3"]


def test_hostile_text_stays_text(page: Page) -> None:
    assert rows(page, "#promises-body table:nth-of-type(2)")[0][3] == HOSTILE
    assert page.tell("document.title").startswith("powerd simulate")
    assert page.tell("document.querySelectorAll('img').length") == 0


@pytest.mark.parametrize("width", [320, PHONE])
def test_a_phone_needs_no_sideways_scrolling_and_nothing_is_cut_off(
    opens: Opens, address: str, tmp_path: Path, width: int
) -> None:
    for each in (address, written(large(), tmp_path)):
        page = opens(each, width=width)
        page.tell("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        assert page.tell("document.scrollingElement.scrollWidth") == width
        assert page.tell(BEYOND_ITS_CARD) == []


def test_a_turned_phone_gets_wider_charts(opens: Opens, address: str) -> None:
    page = opens(address, width=PHONE)
    widths = "[...document.querySelectorAll('svg')].map((chart) => chart.viewBox.baseVal.width)"
    upright = page.tell(widths)
    page.call("Emulation.setDeviceMetricsOverride", width=800, height=360, deviceScaleFactor=2, mobile=True)
    page.tell("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert all(wide > narrow for wide, narrow in zip(page.tell(widths), upright, strict=True))
    assert page.tell(BEYOND_ITS_CARD) == []


def luminance(colour: str) -> float:
    """Relative luminance of ``rgb(…)`` (https://www.w3.org/TR/WCAG22/#dfn-relative-luminance)."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """From 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


READ_ON_CARDS = ("td", "thead th", "summary", ".quiet", ".broken-word", ".kept-word", ".readout", "button")


def test_dark_mode_is_dark_and_both_can_be_read(opens: Opens, address: str) -> None:
    grounds = {}
    for scheme in ("light", "dark"):
        page = opens(address, scheme=scheme)

        def style(selector: str, name: str, page: Page = page) -> str:
            return str(page.tell(f"getComputedStyle(document.querySelector('{selector}')).{name}"))

        grounds[scheme] = style("body", "backgroundColor")
        card = style(".card", "backgroundColor")
        assert {
            each: contrast(style(each, "color"), card)
            for each in READ_ON_CARDS
            if contrast(style(each, "color"), card) < 4.5
        } == {}
        assert contrast(style("#verdict", "color"), style("#verdict", "backgroundColor")) >= 4.5
        assert contrast(style("#about", "color"), grounds[scheme]) >= 4.5
        for series in ("running", "off", "wanted", "fault", "bad"):
            assert contrast(style(f".c-{series}", "color"), card) >= 3, series
    assert luminance(grounds["dark"]) < 0.05 < 0.8 < luminance(grounds["light"])


def test_every_picture_and_every_control_has_a_name(page: Page) -> None:
    assert page.tell("[...document.querySelectorAll('svg')].every((one) => one.querySelector('title').textContent)")
    assert page.tell("document.querySelector('#node-id').labels[0].textContent") == "Node"
    nameless = (
        "[...document.querySelectorAll('button')].filter((one) => !(one.ariaLabel || one.textContent.trim())).length"
    )
    assert page.tell(nameless) == 0
    ids = page.tell("[...document.querySelectorAll('[id]')].map((one) => one.id)")
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_a_run_without_events_looks_right(opens: Opens, tmp_path: Path, width: int) -> None:
    page = opens(written(quiet(), tmp_path), width=width)
    assert page.complaints() == []
    assert "were kept" in page.text("#verdict")
    assert page.text("#promises-body").startswith("No violations.")
    assert page.text("#latency-charts") == "No node was woken in this run."
    assert page.text("#faults-body") == "Nothing was made to go wrong."
    assert page.text("#node-about") == "Node 1 of farm 1: never dark; 0 faults."
    assert "NaN" not in page.tell("document.documentElement.outerHTML.replace(/<script[^]*?<[/]script>/g, '')")
    assert page.tell("document.scrollingElement.scrollWidth") <= width


def test_ten_thousand_nodes_open_and_any_of_them_can_be_looked_at(opens: Opens, tmp_path: Path) -> None:
    page = opens(f"{written(large(), tmp_path)}#node-9999")
    assert page.complaints() == []
    assert page.text("#node-about").startswith("Node 9999 of farm 100: dark ")
    assert len(rows(page, "#node-table")) > 40
