"""What strangers put into links and bookmarks, made from a seed."""

from __future__ import annotations

import base64
import json
import random
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import quote

from tests.page.hostile_texts import NAMES, NUMBERS, expression, payloads

Facts = dict[str, Any]
"""Of a page: `tabs`, `columns`, `n` points and `steps`."""

MOST_LETTERS = 2**28
"""Of a bookmark file: half of what a browser's text holds."""


def _rows(r: random.Random, n: int) -> str:
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"

    def base36(x: int) -> str:
        return digits[x] if x < 36 else base36(x // 36) + digits[x % 36]

    kind = r.randrange(6)
    if kind == 0:
        return ".".join(base36(r.randrange(5)) for _ in range(r.randrange(1, 20)))
    if kind == 1:
        return f"0-{base36(n)}"
    if kind == 2:
        return f"{base36(n)}"
    if kind == 3:
        return f"{base36(r.randrange(n))}-{base36(r.choice([0, 1, 2 * n]))}"
    return r.choice(
        [
            "",
            "zzzzzzz",
            "-",
            "0-",
            ".",
            "0.-1",
            "1e9",
            "..",
            "\u0661",
            "0-zzzzzzz",
            "a" * 3000,
            "0." * 900,
        ]
    )


def _camera(r: random.Random) -> str:
    numbers = [r.choice(NUMBERS) for _ in range(r.choice([3, 4, 4, 4, 5, 9, 9, 9, 10]))]
    if r.random() < 0.5:
        wide = [10 ** r.uniform(-18, 18) for _ in range(5)]
        at = r.choice([0, 1, -1e9, 1e300])
        numbers = [f"{x:.17g}" for x in (at, at + wide[0], at, at + wide[1])]
        if r.random() < 0.5:
            numbers = [f"{r.choice([-1, 1]) * x:.4g}" for x in [*wide, *wide[:4]]]
    return f"{r.choice(['2', '3', '3', '2', '4', ''])}_{'_'.join(numbers)}{r.choice(['', '', '_o', '_x'])}"


def fragments(seed: int, count: int, facts: Facts) -> list[str]:
    """Return fragments of links: right, almost right, and nothing of the kind."""
    r = random.Random(seed)
    hostile = [text[:400] for text in payloads()]

    def text() -> str:
        return r.choice(
            [r.choice(hostile), expression(r), r.choice(facts["columns"]), r.choice(NUMBERS)]
        )

    def one_of(*known: str) -> Callable[[], str]:
        return lambda: r.choice(known) if r.random() < 0.7 else text()

    def several() -> str:
        return ".".join(r.choice(NUMBERS[:8]) for _ in range(r.choice([0, 1, 2, 3, 4, 50, 3000])))

    def tags() -> str:
        parts = [
            quote(text()[:250]) if i % 3 < 2 else _rows(r, facts["n"])
            for i in range(r.choice([3, 3, 6, 2, 300]))
        ]
        return "~".join(parts)

    values: dict[str, Callable[[], str]] = {
        "p": one_of(*facts["tabs"], "nosuch"), "d": one_of("2", "3", "4"), "c": several,
        "f": one_of("0", "2", "2.5", "1e9", "-1"), "st": one_of("0", "0.5", str(facts["steps"]), "99"),
        "tr": one_of("0", "1"), "z": one_of("0", "1"),
        "a": lambda: "~".join(quote(text()) for _ in range(r.choice([1, 2, 6, 7]))),
        "in": one_of(*facts["columns"]), "l": one_of(*facts["columns"], ""), "k": one_of(*facts["columns"], ""),
        "as": one_of("auto", "categories", "gradient", "log"), "h": several,
        "o": one_of("0", "-1", "1e9"), "n": one_of("1", "7", "1e9", str(facts["n"])),
        "m": one_of("cosine", "euclidean"), "t": one_of("0", "1"), "b": one_of("few", "many", "none"),
        "r": one_of("0", "1"), "e": one_of("0", "1"), "co": one_of("0", "1"), "y": one_of("one", "side"),
        "q": lambda: r.choice([expression(r), text()]), "i": lambda: _rows(r, facts["n"]),
        "s": lambda: _rows(r, facts["n"]), "g": tags, "v": lambda: _camera(r),
    }  # fmt: skip

    def part() -> str:
        kind = r.random()
        if kind < 0.08:
            return r.choice(
                [
                    r.choice(hostile),
                    quote(r.choice(hostile)),
                    "%",
                    "%FF",
                    "=",
                    "&",
                    "a=%E0%A4%A",
                    "q=%",
                ]
            )
        key = r.choice(list(values))
        value = values[key]()
        if key in "agv" or kind > 0.95:
            return f"{key if kind < 0.97 else r.choice(NAMES)}={value}"
        return f"{key}={quote(value)}"

    made = []
    for _ in range(count):
        parts = [part() for _ in range(r.choice([1, 1, 1, 2, 3, 6]))]
        if r.random() < 0.02:
            parts *= r.choice([2, 500])
        made.append("&".join(parts)[: r.choice([70_000, 70_000, 40])])
    return made


def packed(texts: Iterable[str]) -> list[str]:
    """Return texts as the scripts here unpack them: some have more letters than a driver carries."""
    return [
        base64.b64encode(zlib.compress(text.encode("utf-8", "surrogatepass"), 1)).decode()
        for text in texts
    ]


def bookmark_values(seed: int, count: int, facts: Facts) -> Iterator[str]:
    """Yield texts of bookmark files: JSON or not, of views or of anything."""
    r = random.Random(seed)
    hostile = payloads()
    fields = [
        "label", "isSelected", "tSNEIteration", "tSNEPerplexity", "tSNEis3d", "umapNeighbors", "pcaComponentDimensions",
        "projections", "selectedPoints", "selectedProjection", "dataSetDimensions", "filteredPoints", "cameraDef",
        "selectedColorOptionName", "forceCategoricalColoring", "selectedLabelOption", "customXLeftText",
        "customXLeftRegex", "shuffledDataIndices", "embviz", "zz", "__proto__", "constructor",
    ]  # fmt: skip

    def number() -> str:
        odd = [
            "1e300",
            "1e999",
            "-1e999",
            "1e-300",
            "1e9",
            "-0",
            "1e39",
            "9007199254740993",
            str(facts["n"]),
        ]
        return r.choice(odd) if r.random() < 0.04 else r.choice(["0", "1", "-1", "0.5", "2"])

    def string() -> str:
        known = [
            r.choice(hostile),
            expression(r, 5000),
            "pca",
            "custom",
            r.choice(facts["columns"]),
        ]
        return json.dumps(r.choice(known)[: r.choice([900, 900, 900, 20_000])])

    def value(depth: int) -> str:
        kind = r.randrange(10)
        if kind < 3:
            return number()
        if kind < 6:
            return string()
        if kind == 6 or depth > 3:
            return r.choice(
                [
                    "null",
                    "true",
                    "false",
                    "[]",
                    "{}",
                    "[" * 60 + "]" * 60,
                    "[" * 90_000 + "]" * 90_000,
                ]
            )
        if kind == 7:
            return f"[{','.join(number() for _ in range(r.choice([1, 2, 3, 300, 20_000])))}]"
        if kind == 8:
            return f"[{','.join(value(depth + 1) for _ in range(r.randrange(4)))}]"
        keys = [
            "position",
            "target",
            "zoom",
            "pca-0",
            "pca-1",
            "view",
            "camera",
            "tags",
            "x",
            "y",
            "dims",
            "__proto__",
        ]
        return (
            "{"
            + ",".join(f'"{r.choice(keys)}":{value(depth + 1)}' for _ in range(r.randrange(5)))
            + "}"
        )

    def camera() -> str:
        place = f"[{number()},{number()},{number()}]"
        return f'{{"orthographic":true,"position":{place},"target":{place},"zoom":{number()}}}'

    def view() -> str:
        ours = (
            f'{{"view":{{"query":{string()},"axes":{value(1)},"k":{number()}}},"camera":{{"dims":2,'
        )
        ours += (
            f'"x":[{number()},{number()}],"y":[{number()},{number()}]}},"projection":{string()}}}'
        )
        given = {
            "label": string(),
            "selectedProjection": r.choice(['"pca"', '"custom"', '"tsne"', string()]),
        }
        given |= {"projections": "[]", "cameraDef": camera(), "embviz": ours}
        if r.random() < 0.4:
            given[r.choice(fields)] = value(0)
        return "{" + ",".join(f'"{key}":{found}' for key, found in given.items()) + "}"

    for _ in range(count):
        kind = r.randrange(12)
        if kind == 0:
            yield r.choice(
                [
                    "",
                    "null",
                    "1",
                    "[",
                    "{}",
                    "\ufeff[]",
                    "[" * 100_000,
                    '"x"',
                    "[1,2]",
                    "[[]]",
                    "NaN",
                ]
            )
        elif kind == 1:
            one = view()
            copies = min(r.choice([2, 1001]), MOST_LETTERS // len(one))
            yield f"[{','.join([one] * copies)}]"
        else:
            yield f"[{view()}]"


DRIVE = """
async ([all, seconds]) => {
  const wrong = [];
  let slowest = 0, told = 0;
  const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  const heard = () => new Promise((done) => {
    window.addEventListener('popstate', done, { once: true });
    setTimeout(done, 400);
  });
  const first = [...Object.getOwnPropertyNames(Object.prototype)].length;
  for (const text of all) {
    const begun = performance.now();
    const isMoved = heard();
    location.hash = text ? `#${text}` : '';
    await isMoved;
    await frame();
    const view = embviz.view();
    const fail = (why) => wrong.push(`${why}: ${text.slice(0, 300)}`);
    if (window.pwned !== undefined) fail('it ran');
    if (Object.getOwnPropertyNames(Object.prototype).length !== first) fail('a prototype has changed');
    const { n_points: n } = embviz.table;
    if (![2, 3].includes(view.dims) || !(view.k >= 1 && view.k < n)) fail('the state is odd');
    if ((view.isolated ?? []).concat(view.selected).some((row) => !(row >= 0 && row < n))) fail('odd rows');
    if (embviz.query('row:7').length < 1) fail('it does not answer');
    const took = (performance.now() - begun) / 1000;
    slowest = Math.max(slowest, took);
    if (took > seconds) fail(`${took.toFixed(1)} s`);
    const line = document.querySelector('.message p').textContent;
    if (line) told++;
    if (line.length > 600) fail(`a line of ${line.length} letters`);
    if (line.startsWith('Something in this page')) fail(line);
  }
  return { wrong, slowest, told };
}
"""
"""Follow links one after the other in one page; return what went wrong, and the slowest in seconds."""

BOOKMARKS = """
async ([all, seconds]) => {
  const wrong = [];
  let slowest = 0, read = 0, longest = 0;
  const unpack = (text) => {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'))).text();
  };
  for (const each of all) {
    const text = await unpack(each);
    longest = Math.max(longest, text.length);
    const begun = performance.now();
    const fail = (why) => wrong.push(`${why}: ${text.slice(0, 300)}`);
    try {
      const before = embviz.bookmarks().length;
      embviz.loadBookmarks(text);
      read++;
      for (let i = before; i < Math.min(before + 3, embviz.bookmarks().length); i++) embviz.apply(i);
      if (read % 20 === 1) JSON.parse(embviz.exportBookmarks());
    } catch (error) {
      if (error.constructor.name !== 'BookmarkError') fail(`${error.constructor.name} ${error.message}`.slice(0, 300));
      else if (error.message.length > 400) fail('a long line');
    }
    if (window.pwned !== undefined) fail('it ran');
    if ({}.polluted !== undefined) fail('a prototype has changed');
    const took = (performance.now() - begun) / 1000;
    slowest = Math.max(slowest, took);
    if (took > seconds) fail(`${took.toFixed(1)} s`);
  }
  return { wrong, slowest, read, longest };
}
"""
