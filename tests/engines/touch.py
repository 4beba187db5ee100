"""Fingers on the screen of each engine, by the way that is nearest to real ones there.

Chromium takes them by its own protocol, Firefox by WebDriver BiDi, past Playwright, which has no
second finger. WebKitGTK takes none: there the page gets the events that they would send.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

Place = tuple[float, float]
FINGERS = "embviz-fingers:"
MOVES = {"touchStart": "pointerdown", "touchMove": "pointermove", "touchEnd": "pointerup"}

# No pointer of such events can be captured; while they last nothing else moves.
DISPATCH = """([type, fingers]) => {
  Element.prototype.setPointerCapture = () => {};
  for (const [id, x, y] of fingers) {
    const at = document.elementFromPoint(x, y) ?? document.body;
    const more = { bubbles: true, cancelable: true, composed: true };
    if (type === 'pointerdown') {
      at.dispatchEvent(new Event('touchstart', more));
    }
    at.dispatchEvent(new PointerEvent(type, {
      ...more, pointerType: 'touch', pointerId: 100 + id, isPrimary: id === 0,
      clientX: x, clientY: y, button: type === 'pointermove' ? -1 : 0,
      buttons: type === 'pointerup' ? 0 : 1,
    }));
    if (type === 'pointerup' && fingers.length === 1) {
      at.dispatchEvent(new MouseEvent('click', { ...more, detail: 1, clientX: x, clientY: y }));
    }
  }
}"""


class Fingers:
    """Fingers on a page, whose places are counted from a corner."""

    def __init__(self, page: Any, left: float = 0, top: float = 0) -> None:
        self._page, self._corner = page, (left, top)
        self._down: list[Place] = []
        engine = page.context.browser.browser_type.name
        self._put: Callable[[str, list[Place]], None] = getattr(self, f"_put_{engine}")
        if engine == "chromium":
            self._session = page.context.new_cdp_session(page)

    def send(self, kind: str, places: Sequence[Place]) -> None:
        """Send touchStart with all that are down then, touchMove with all, touchEnd with none."""
        x, y = self._corner
        moved = [(left + x, top + y) for left, top in places]
        self._put(kind, moved)
        self._down = moved

    def move(self, *steps: Sequence[Place]) -> None:
        """Put fingers down at the first places, move them along the others, and lift them."""
        first = steps[0]
        for i in range(len(first)):
            self.send("touchStart", first[: i + 1])
        for places in steps[1:]:
            self.send("touchMove", places)
        self.send("touchEnd", [])

    def _put_chromium(self, kind: str, places: list[Place]) -> None:
        points = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(places)]
        self._session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def _changed(self, kind: str, places: list[Place]) -> list[tuple[int, float, float]]:
        """Which fingers do something, and where."""
        there = self._down if kind == "touchEnd" else places
        begin = len(self._down) if kind == "touchStart" else 0
        return [(i, x, y) for i, (x, y) in enumerate(there) if i >= begin]

    def _put_firefox(self, kind: str, places: list[Place]) -> None:
        act = {"touchStart": ["pointerDown"], "touchMove": [], "touchEnd": ["pointerUp"]}[kind]
        sources = []
        for i, x, y in self._changed(kind, places):
            move = {"type": "pointerMove", "x": round(x), "y": round(y)}
            actions = [] if kind == "touchEnd" else [move]
            actions += [{"type": each, "button": 0} for each in act]
            touch = {"pointerType": "touch"}
            each = {"type": "pointer", "id": f"finger {i}", "parameters": touch, "actions": actions}
            sources.append(each)
        self._page.bring_to_front()
        self._page.evaluate("(_) => 0", FINGERS + json.dumps(sources))

    def _put_webkit(self, kind: str, places: list[Place]) -> None:
        self._page.evaluate(DISPATCH, [MOVES[kind], self._changed(kind, places)])
