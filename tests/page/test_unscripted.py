"""Where no scripts run, a page says what it is and shows the picture beside it."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from embviz import EmbeddingTable, Projection, write_preview, write_report
from embviz.outputs.references import relative_url

# As https://www.jenkins.io/doc/book/security/configuring-content-security-policy/ and the server of
# Argo Workflows (ARGO_ARTIFACT_CONTENT_SECURITY_POLICY) have them by default, and a host that
# forbids scripts without a sandbox.
POLICIES = {
    "jenkins": "sandbox allow-same-origin; default-src 'none'; img-src 'self'; style-src 'self';",
    "jenkins-before": "sandbox; default-src 'none'; img-src 'self'; style-src 'self';",
    "argo": (
        "sandbox; base-uri 'none'; default-src 'none'; img-src 'self'; "
        "style-src 'self' 'unsafe-inline'"
    ),
    "no-sandbox": "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'",
    "none": "",
}
TITLE = "<b>Words</b> & 'more'"
PICTURE = 'the "first", <view> 100 %.png'


class Served:
    """A folder on a local server that sends a policy, and what was asked of it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.policy, self.asked = folder, "", list[str]()
        served = self

        class Handler(SimpleHTTPRequestHandler):
            def __init__(self, *given: Any) -> None:
                super().__init__(*given, directory=str(folder))

            def end_headers(self) -> None:
                if served.policy:
                    self.send_header("Content-Security-Policy", served.policy)
                super().end_headers()

            def do_GET(self) -> None:
                if "favicon" not in self.path:
                    served.asked.append(self.path)
                super().do_GET()

            def log_message(self, *_: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("host")
    (folder / "pages").mkdir()
    (folder / "pictures").mkdir()
    table = EmbeddingTable(
        np.random.default_rng(0).normal(size=(1234, 5)).astype("f4"),
        {"group": ["abc"[i % 3] for i in range(1234)]},
    )
    made = [Projection("m", np.asarray(table.vectors[:, :2]))]
    page = folder / "pages/out.html"
    links = {"light": folder / "pictures" / PICTURE, "dark": folder / "pictures/dark.png"}
    for name, path in links.items():
        write_preview(path, table, made, dark=name == "dark", title=TITLE)
    write_report(
        page, table, made, title=TITLE,
        preview_link=relative_url(links["light"], page),
        preview_dark_link=relative_url(links["dark"], page),
    )  # fmt: skip
    write_report(folder / "pages/alone.html", table, made, title=TITLE)
    found = Served(folder)
    yield found
    found.server.shutdown()


def opened(browser: Any, served: Served, host: str, page: str, **more: Any) -> Any:
    served.policy, served.asked = POLICIES[host], []
    context = browser.new_context(viewport={"width": 1280, "height": 900}, **more)
    found = context.new_page()
    found.goto(f"{served.url}/pages/{page}")
    return found


def pixels(page: Any) -> Any:
    return np.asarray(Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("RGB"))


@pytest.mark.parametrize("host", ["jenkins", "jenkins-before", "argo", "no-sandbox"])
def test_a_host_that_runs_no_scripts_shows_a_line_and_the_picture(
    browser: Any, served: Served, host: str
) -> None:
    page = opened(browser, served, host, "out.html")
    page.wait_for_load_state("networkidle")
    said = page.locator("body").inner_text().strip()
    assert said.count("\n") == 2, "the line, a blank one and what the picture shows"
    assert said.startswith(f"{TITLE}: a projection of 1,234 points of 5 dimensions")
    assert "Allow scripts for this file, or open it in a browser that runs them" in said
    image = page.locator("img")
    assert image.bounding_box()["width"] > 600
    assert len(served.asked) == 2
    shown = page.screenshot()
    wanted = Image.open(served.folder / "pictures" / PICTURE)
    colors = {color for n, color in wanted.convert("RGB").getcolors(1 << 24) if n > 400}
    seen = Image.open(io.BytesIO(shown)).convert("RGB").getcolors(1 << 24)
    assert len(colors & {color for _, color in seen}) > 5
    page.context.close()


def test_the_picture_in_dark_colors_is_for_those_who_ask_for_dark(
    browser: Any, served: Served
) -> None:
    page = opened(browser, served, "jenkins", "out.html", color_scheme="dark")
    page.wait_for_load_state("networkidle")
    assert served.asked == ["/pages/out.html", "/pictures/dark.png"]
    page.context.close()


def test_without_a_picture_there_is_the_line_alone_and_no_image_is_allowed(
    browser: Any, served: Served
) -> None:
    page = opened(browser, served, "jenkins", "alone.html")
    said = page.locator("body").inner_text().strip()
    assert said.startswith(TITLE)
    assert said.count("\n") == 2, "the line, a blank one and what the picture shows"
    assert page.locator("img").count() == 0
    assert served.asked == ["/pages/alone.html"]
    assert "'self'" not in (served.folder / "pages/alone.html").read_text().split("<style>")[0]
    page.context.close()


@pytest.mark.parametrize("policy", ["", "default-src * 'unsafe-inline' data: blob:"])
def test_with_scripts_neither_line_nor_picture_is_there_and_nothing_is_loaded(
    browser: Any, served: Served, policy: str
) -> None:
    context = browser.new_context()
    context.add_init_script(
        "new MutationObserver(() => { const e = document.getElementById('unscripted');"
        " if (e && getComputedStyle(e).display !== 'none') window.flashed = true; })"
        ".observe(document, {childList: true, subtree: true});"
    )
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    served.policy, served.asked = policy, []
    page.goto(f"{served.url}/pages/out.html")
    page.evaluate("() => window.embviz.ready")
    assert page.locator("#unscripted").count() == 0
    assert page.evaluate("() => window.flashed === undefined")
    assert page.locator("#app").is_visible()
    assert served.asked == ["/pages/out.html"]
    assert complaints == []
    answer = page.evaluate(
        "(url) => new Promise((done) => { const image = new Image(); image.src = url;"
        " image.onload = () => done('loaded'); image.onerror = () => done('refused'); })",
        "/pictures/dark.png",
    )
    assert answer == "refused"
    assert served.asked == ["/pages/out.html"]
    context.close()


def test_from_disk_with_scripts_switched_off_the_picture_is_seen(
    browser: Any, served: Served
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((served.folder / "pages/out.html").as_uri())
    page.wait_for_load_state("load")
    page.wait_for_timeout(300)
    image = np.asarray(Image.open(io.BytesIO(page.locator("img").screenshot())).convert("RGB"))
    assert (np.abs(image.astype(int) - 255).max(axis=2) > 100).mean() > 0.02
    context.close()
