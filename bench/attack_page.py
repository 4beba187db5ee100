"""What links, bookmarks and texts of strangers do to pages.

    python bench/attack_page.py [--fragments 10000] [--bookmarks 2000] [--seed 0]

Follows fragments and loads bookmark files that are made from the seed (tests/page/attacks.py), five
hundred in a page, one after the other, and opens pages whose labels, values, columns, names, notes
and steps are texts that try to be more than that. A finding is what ran, was asked for from anywhere, was
complained of in the console, took longer than fifteen seconds, changed a prototype, or left the
page without an answer. The exit status is 1 where there is one.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterable
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))
from playwright.sync_api import sync_playwright

from tests.chromium import ARGUMENTS, find_chromium
from tests.page.attacked import WALK, facts, write_attacked, write_other_attacked, write_plain
from tests.page.attacks import BOOKMARKS, DRIVE, bookmark_values, fragments, packed
from tests.page.hostile_texts import payloads

SECONDS, BATCH, PAGE = 15, 100, 500
QUICK = "--disable-ipc-flooding-protection"
"""Else Chromium follows two hundred links in ten seconds, and no more."""


def open_page(context: Any, path: Path, found: list[str]) -> Any:
    """Open a page; what it does that it must not is added to `found`."""
    page = context.new_page()
    own = path.resolve().as_uri()

    def asked(route: Any) -> None:
        url = route.request.url
        if url.split("#")[0] == own or url.startswith(("blob:", "data:")):
            return route.continue_()
        found.append(f"asked for {url[:200]}")
        return route.abort()

    def said(message: Any) -> None:
        if message.type == "error":
            found.append(f"console: {message.text[:300]}")

    page.route("**/*", asked)
    page.on("console", said)
    page.on("pageerror", lambda error: found.append(f"error: {str(error)[:300]}"))
    page.on("dialog", lambda dialog: (found.append("a dialog"), dialog.dismiss()))
    page.goto(own)
    page.evaluate("() => window.embviz.ready")
    return page


def follow(
    open_one: Callable[[], Any], script: str, made: Iterable[str], found: list[str]
) -> float:
    """Run a script over all of them, so many in a page; return the slowest in seconds."""
    slowest, n_done, page = 0.0, 0, open_one()
    left = iter(made)
    while batch := list(islice(left, BATCH)):
        if n_done and n_done % PAGE == 0:
            page.close()
            page = open_one()
        done = page.evaluate(script, [batch, SECONDS])
        found += done["wrong"]
        for each in done["wrong"]:
            print(json.dumps(each), flush=True)
        slowest = max(slowest, done["slowest"])
        n_done += len(batch)
        print(f"\r{n_done:,}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    page.close()
    return slowest


def main() -> int:
    """Attack pages, print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--fragments", type=int, default=10_000)
    parser.add_argument("--bookmarks", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    found: list[str] = []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_chromium(), args=[*ARGUMENTS, QUICK]
        )
        context = browser.new_context()
        plain = write_plain(Path(folder) / "plain.html")
        opened = partial(open_page, context, plain, found)
        slowest = follow(opened, DRIVE, fragments(given.seed, given.fragments, facts()), found)
        print(
            f"{given.fragments:,} fragments, seed {given.seed}: slowest {slowest:.1f} s", flush=True
        )
        made = (packed([text])[0] for text in bookmark_values(given.seed, given.bookmarks, facts()))
        slowest = follow(opened, BOOKMARKS, made, found)
        print(f"{given.bookmarks:,} bookmark files, seed {given.seed}: slowest {slowest:.1f} s")
        pages = [*write_attacked(Path(folder)), *write_other_attacked(Path(folder))]
        for path in pages:
            page = open_page(context, path, found)
            found += page.evaluate(WALK, [payloads(), 1])
            page.close()
        print(f"{len(payloads())} payloads in {len(pages)} pages")
        browser.close()
    print(f"{len(found)} findings")
    for each in dict.fromkeys(found):
        print(json.dumps(each))
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
