"""Places that show a report: a server with frames around it, and headers of its own."""

from __future__ import annotations

import html
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

# What Chromium itself says of the second sandbox, whatever the page does.
OF_THE_HOST = "both allow-scripts and allow-same-origin"
STRICT = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "clipboard-write=(), clipboard-read=(), fullscreen=(), storage-access=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# Fetch the file and show it as a blob, as MLflow does.
AS_BLOB = """<script type="module">
const text = await (await fetch('/report.html')).text();
const frame = document.querySelector('iframe');
frame.src = URL.createObjectURL(new Blob([text], { type: 'text/html' }));
</script>"""


@dataclass(frozen=True)
class Place:
    """One way in which a report is shown.

    `sandbox` is the frame's attribute, None for none; `by` is `src`, `srcdoc`, `blob` or `header`,
    which is no frame but a policy of the server; `headers` come with the report.
    """

    sandbox: str | None
    by: str
    headers: dict[str, str] = field(default_factory=dict)

    def page(self, report: str) -> str:
        """Return the page of the host."""
        sandbox = "" if self.sandbox is None else f' sandbox="{self.sandbox}"'
        source = {
            "src": ' src="/report.html"',
            "srcdoc": f' srcdoc="{html.escape(report)}"',
            "blob": "",
        }[self.by]
        frame = f'<iframe title="report" width="1200" height="760"{sandbox}{source}></iframe>'
        script = AS_BLOB if self.by == "blob" else ""
        return f"<!doctype html><meta charset=utf-8><title>host</title><textarea></textarea><br>{frame}{script}"


@dataclass
class Shown:
    """A report as a place shows it."""

    page: Any
    frame: Any
    complaints: list[str]

    def call(self, source: str) -> Any:
        """Evaluate an expression with the report's API as `e`."""
        return self.frame.evaluate(
            f"async () => {{ const e = window.embviz; await e.ready; return await ({source}); }}"
        )

    def pasted(self) -> str:
        """Return what is on the clipboard, by pasting it into the host."""
        here = self.page.locator("body > textarea")
        here.fill("")
        here.press("Control+v")
        return str(here.input_value())


@contextmanager
def served(place: Place, report: Path) -> Iterator[str]:
    """Serve a report and the page of a place around it; give that page's address."""
    text = report.read_text(encoding="utf-8")
    files = {"/report.html": text}
    if place.by != "header":
        files["/"] = place.page(text)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = files.get(self.path)
            body = (found or "<p>There is no such file here").encode("utf-8")
            self.send_response(200 if found else 404)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            for name, value in place.headers.items() if self.path == "/report.html" else ():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        start = "/report.html" if place.by == "header" else "/"
        yield f"http://127.0.0.1:{server.server_port}{start}"
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def shown(browser: Any, place: Place, report: Path, **options: Any) -> Iterator[Shown]:
    """Show a report in a place."""
    context = browser.new_context(viewport={"width": 1280, "height": 840}, **options)
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(f"uncaught: {error}"))
    page.on(
        "console",
        lambda m: complaints.append(m.text)
        if m.type in ("error", "warning") and OF_THE_HOST not in m.text and "favicon" not in m.location["url"]
        else None,
    )  # fmt: skip
    with served(place, report) as address:
        page.goto(address)
        frame = page.main_frame
        if place.by != "header":
            frame = page.locator("iframe").element_handle().content_frame()
        frame.wait_for_function("() => window.embviz")
        frame.evaluate("() => window.embviz.ready")
        yield Shown(page, frame, complaints)
        context.close()
