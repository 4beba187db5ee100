"""What the page does where a browser, a file or a part of it falls short: it says so and goes on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.chromium import ARGUMENTS, find_chromium

SCRIPTS = Path(__file__).parents[2] / "embviz" / "templates" / "js"

# Since when, as MDN's compatibility tables have it; the page knows none of them, or asks first.
NEWER_THAN_TWO_YEARS = {
    r"RegExp\.escape": "2025",
    r"Promise\.try": "2025",
    r"Float16Array|\.f16round|[gs]etFloat16": "2025",
    r"Math\.sumPrecise": "2025",
    r"Error\.isError": "2025",
    r"\.toHex\(|\.toBase64\(|fromHex\(": "2025",
    r"\bIterator\.(from|concat)|(?<!Object)\.(values|keys|entries|matchAll)\([^()]*\)\.(map|filter|take|drop|flatMap|reduce|toArray|forEach|some|every|find)\(": "2025",
    r"\.getOrInsert(Computed)?\(": "2026",
    r"\bTemporal\.": "2026",
    r"startViewTransition": "2025",
    r"scrollend|\.moveBefore\(|closedBy|commandForElement": "2025",
    r"\.letterSpacing|\.fontKerning|context\.filter|\.fontStretch": "not in Safari",
    r"showOpenFilePicker|showSaveFilePicker|EyeDropper": "Chromium only",
}


@pytest.mark.parametrize(
    "path", sorted(SCRIPTS.rglob("*.js")), ids=lambda path: str(path.relative_to(SCRIPTS))
)
def test_no_script_uses_what_browsers_have_learned_in_the_last_two_years(path: Path) -> None:
    code = re.sub(r"/\*.*?\*/|//[^\n]*", "", path.read_text(encoding="utf-8"), flags=re.S)
    for pattern, since in NEWER_THAN_TWO_YEARS.items():
        assert not re.search(pattern, code), f"{pattern}: {since}"
    for line in code.splitlines():
        assert "Uint8Array.fromBase64" not in line or "if (Uint8Array.fromBase64)" in line
        assert "requestIdleCallback" not in line or "requestIdleCallback ??" in line


FORGET = """
for (const [owner, names] of [
  [Uint8Array, ['fromBase64', 'fromHex']], [RegExp, ['escape']], [Promise, ['try']], [Math, ['f16round', 'sumPrecise']],
  [globalThis, ['Float16Array', 'Iterator', 'requestIdleCallback', 'Temporal', 'scheduler', 'navigation', 'CloseWatcher']],
  [Error, ['isError']], [Map.prototype, ['getOrInsert', 'getOrInsertComputed']], [Document.prototype, ['startViewTransition']],
  [Element.prototype, ['moveBefore']], [Response.prototype, ['bytes']], [Blob.prototype, ['bytes']],
  [CanvasRenderingContext2D.prototype, ['letterSpacing', 'filter', 'fontKerning', 'wordSpacing', 'textRendering', 'reset']],
]) for (const name of names) delete owner[name];
const walk = Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]()));
for (const name of Object.getOwnPropertyNames(walk)) if (name !== 'constructor') delete walk[name];
"""


def test_a_browser_of_two_years_ago_shows_it_all(browser: Any, report: Path) -> None:
    context = browser.new_context(viewport={"width": 1280, "height": 840})
    context.add_init_script(FORGET)
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(report.resolve().as_uri())
    page.evaluate("() => window.embviz.ready")
    assert (
        page.evaluate(
            "() => typeof Float16Array + typeof Uint8Array.fromBase64 + typeof [].values().map"
        )
        == "undefined" * 3
    )
    found = page.evaluate(
        "async () => { const e = window.embviz;"
        " for (const projection of ['pca', 'tsne', 'umap', 'custom']) e.set({projection});"
        " e.set({projection: 'pca', selected: [3], labels: 'many'}); e.addBookmark('x');"
        " await e.isolate([...Array(100).keys()]); e.set({help: true}); e.set({help: false});"
        " return [e.query('w1').length, e.neighbors(3, 5, 'cosine').indices.length, e.exportPoints().length > 10]; }"
    )
    assert found == [111, 5, True]
    assert complaints == []
    context.close()


def test_a_browser_too_old_is_told_which_one_it_takes(browser: Any, report: Path) -> None:
    context = browser.new_context()
    context.add_init_script("delete globalThis.DecompressionStream")
    page = context.new_page()
    page.goto(report.resolve().as_uri())
    page.wait_for_timeout(500)
    assert "Firefox" in page.locator("#status").inner_text()
    context.close()


def test_a_place_that_forbids_its_modules_is_named(
    browser: Any, report: Path, tmp_path: Path
) -> None:
    policy = "default-src 'self' 'unsafe-inline'"
    html = report.read_text(encoding="utf-8")
    tag = f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    forbidding = tmp_path / "forbidding.html"
    forbidding.write_text(html.replace('<meta charset="utf-8">', f'<meta charset="utf-8">{tag}', 1))
    context = browser.new_context()
    page = context.new_page()
    page.goto(forbidding.resolve().as_uri())
    page.wait_for_function(
        "() => !document.querySelector('#status').innerText.startsWith('Opening')"
    )
    said = page.locator("#status").inner_text()
    assert "forbids scripts in data: URLs" in said
    allowed = said.rpartition(": script-src ")[2].strip()
    forbidding.write_text(
        html.replace(
            '<meta charset="utf-8">', tag.replace(policy, f"{policy}; script-src {allowed}"), 1
        )
    )
    page.goto(forbidding.resolve().as_uri())
    page.evaluate("() => window.embviz.ready")
    context.close()


def test_without_scripts_the_page_says_what_it_is(browser: Any, report: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(report.resolve().as_uri())
    text = page.inner_text("body")
    assert "Blobs" in text
    assert "300 points of 12 dimensions" in text
    assert "Allow scripts" in text
    assert "Opening" not in text
    context.close()


@pytest.fixture(scope="module")
def flat_browser(browser: Any) -> Iterator[Any]:
    """A Chromium without WebGL."""
    arguments = [a for a in ARGUMENTS if "swiftshader" not in a]
    flat = browser.browser_type.launch(
        executable_path=find_chromium(), args=[*arguments, "--disable-gpu", "--disable-3d-apis"]
    )
    yield flat
    flat.close()


def test_without_webgl_the_page_works_in_2d_and_says_what_3d_lacks(
    flat_browser: Any, report: Path
) -> None:
    page = flat_browser.new_page(viewport={"width": 1280, "height": 840})
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(report.resolve().as_uri())
    page.evaluate("() => window.embviz.ready")
    assert page.evaluate("() => document.createElement('canvas').getContext('webgl') === null")
    page.evaluate("() => window.embviz.set({projection: 'pca', dims: 2})")
    page.wait_for_timeout(500)
    assert "WebGL" not in page.locator(".caption").inner_text()
    box = page.locator(".plot").bounding_box()
    at = page.evaluate("() => [...window.embviz.screenPositions().slice(0, 2)]")
    page.mouse.click(box["x"] + at[0], box["y"] + at[1])
    assert page.evaluate("() => window.embviz.selected().length") == 1
    page.evaluate("() => window.embviz.set({dims: 3})")
    page.wait_for_timeout(500)
    before = page.evaluate("() => [...window.embviz.screenPositions()]")
    page.evaluate(
        "() => window.embviz.set({selected: [3]})"
    )  # a new picture does not lose the words
    assert "WebGL" in page.locator(".caption").inner_text()
    page.locator(".plot").focus()
    page.keyboard.press("ArrowLeft")
    page.wait_for_timeout(300)
    after = page.evaluate("() => [...window.embviz.screenPositions()]")
    assert max(abs(a - b) for a, b in zip(before, after, strict=True)) > 5
    page.evaluate("() => window.embviz.set({dims: 2})")
    assert "WebGL" not in page.locator(".caption").inner_text()
    assert complaints == []
    page.close()


def damaged(report: Path, path: Path, name: str) -> Path:
    """Write the report with a block's middle overwritten; the file stays whole otherwise."""
    text = report.read_text(encoding="utf-8")
    start = text.index(f'id="block-{name}">') + len(f'id="block-{name}">')
    end = text.index("</script>", start)
    middle = (start + end) // 2
    path.write_text(text[: middle - 20] + "A" * 40 + text[middle + 20 :], encoding="utf-8")
    return path


def blocks(report: Path) -> list[str]:
    return re.findall(r'id="block-([^"]+)"', report.read_text(encoding="utf-8"))


def test_a_damaged_block_that_the_page_cannot_do_without_is_named(
    open_page: Callable[..., Any], report: Path, tmp_path: Path
) -> None:
    spared = {"vectors", "vector_scales", "sprite", "plotly"}
    needed = [name for name in blocks(report) if name not in spared]
    assert len(needed) >= 5
    for name in needed[:6]:
        page = open_page(damaged(report, tmp_path / f"{name}.html", name), wait=False).page
        page.wait_for_function(
            "() => !document.getElementById('status').hidden && /could not/.test(document.getElementById('status').textContent)"
        )
        assert f"the block {name} of this file is damaged" in page.locator("#status").inner_text()


@pytest.mark.parametrize(
    ("name", "loss"),
    [
        ("vectors", "neighbors and new axes cannot be had"),
        ("sprite", "no thumbnails"),
        ("plotly", "moved without it"),
    ],
)
def test_a_damaged_block_that_the_page_can_do_without_is_named_and_the_rest_is_there(
    open_page: Callable[..., Any], report: Path, tmp_path: Path, name: str, loss: str
) -> None:
    opened = open_page(damaged(report, tmp_path / "out.html", name), plotly=name == "plotly")
    said = opened.page.locator(".message").inner_text()
    assert name in said
    assert loss in said
    opened.call("e.set({projection: 'pca', dims: 2, selected: [4]})")
    positions = opened.call("e.screenPositions()")
    assert len(positions) == 600
    assert max(positions) - min(positions) > 100
    assert opened.page.locator(".card-name").text_content() == "w4"
    assert opened.call("e.query('w1').length") == 111


def test_a_panel_that_fails_leaves_the_others_and_is_told(
    open_page: Callable[..., Any], report: Path
) -> None:
    opened = open_page(report)
    # The card of a point is made of dl, dt and dd.
    opened.page.evaluate(
        "() => { const make = document.createElement; document.createElement = function (name) {"
        " if (name === 'dd') throw new RangeError('out of order'); return make.call(document, name); }; }"
    )
    opened.call("e.set({selected: [5], projection: 'tsne', dims: 2})")
    page = opened.page
    assert "went wrong (out of order)" in page.locator(".message").inner_text()
    assert page.get_by_role("tab", name="t-SNE").get_attribute("aria-selected") == "true"
    assert "1 selected" in page.locator(".status").inner_text()
    assert len(opened.call("e.screenPositions()")) == 600
    page.wait_for_timeout(200)
    assert any("out of order" in text for text in opened.complaints)


def test_an_error_that_no_one_awaited_is_told(open_page: Callable[..., Any], report: Path) -> None:
    opened = open_page(report)
    opened.page.evaluate("() => { void Promise.reject(new Error('a lost promise')); }")
    opened.page.wait_for_timeout(100)
    message = opened.page.locator(".message")
    assert "a lost promise" in message.inner_text()
    message.get_by_role("button", name="Close the message").click()
    assert not message.is_visible()
    opened.page.evaluate("() => { void Promise.reject(new Error('another one')); }")
    opened.page.wait_for_timeout(100)
    assert "another one" in message.inner_text()
