"""A screen that nobody sees, and a hand on its mouse and keys: events as a person's are."""

from __future__ import annotations

import os
import subprocess
import time
from typing import Any

SIZE = "2600x1800x24"
KEYS = {
    "Enter": "Return", "Backspace": "BackSpace", "ArrowLeft": "Left", "ArrowRight": "Right",
    "ArrowUp": "Up", "ArrowDown": "Down", "PageUp": "Prior", "PageDown": "Next",
    "Control": "Control_L", "Shift": "Shift_L", "Alt": "Alt_L", "Meta": "Super_L",
}  # fmt: skip
BUTTONS = {0: 1, 1: 2, 2: 3}
WHEEL = {(0, 1): 5, (0, -1): 4, (1, 0): 7, (-1, 0): 6}
SHIFT = 1


class Screen:
    """An Xvfb of its own, with one window on it."""

    def __init__(self) -> None:
        from Xlib.display import Display

        read, write = os.pipe()
        self._server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write), "-screen", "0", SIZE, "-nolisten", "tcp", "-r"],
            pass_fds=[write], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(write)
        with os.fdopen(read) as told:
            self.name = f":{told.readline().strip()}"
        self._display = Display(self.name)
        self._window: Any = None

    def find_window(self, seconds: float = 60) -> None:
        """Wait for the window, put it into the corner and give it the focus."""
        from Xlib import X

        end = time.monotonic() + seconds
        while self._window is None:
            assert time.monotonic() < end, "no window opened"
            for window in self._display.screen().root.query_tree().children:
                shown = window.get_attributes().map_state == X.IsViewable
                if shown and window.get_geometry().width > 100:
                    self._window = window
            time.sleep(0.02)
        self._window.configure(x=0, y=0)
        self._window.set_input_focus(X.RevertToParent, X.CurrentTime)
        self._display.sync()

    def follow_mouse(self) -> None:
        """Give the keys to the window below the mouse, and put it where windows open."""
        from Xlib import X

        self._display.set_input_focus(X.PointerRoot, X.RevertToPointerRoot, X.CurrentTime)
        self.move(4, 4)

    def resize(self, width: int, height: int) -> None:
        """Resize the window."""
        self._window.configure(width=width, height=height)
        self._display.sync()

    def move(self, x: float, y: float) -> None:
        """Move the mouse."""
        from Xlib import X

        self._fake(X.MotionNotify, 0, round(x), round(y))

    def press_button(self, button: int, down: bool) -> None:
        """Press or release a button of the mouse, numbered as in the DOM."""
        from Xlib import X

        self._fake(X.ButtonPress if down else X.ButtonRelease, BUTTONS[button])

    def turn_wheel(self, x: float, y: float) -> None:
        """Turn the wheel by one notch in each direction that is not 0."""
        from Xlib import X

        for way in ((0, (y > 0) - (y < 0)), ((x > 0) - (x < 0), 0)):
            if way != (0, 0):
                self._fake(X.ButtonPress, WHEEL[way])
                self._fake(X.ButtonRelease, WHEEL[way])

    def press_key(self, key: str, down: bool, shifted: bool) -> bool:
        """Press or release a key by its name in the DOM; False where the keyboard lacks it."""
        from Xlib import XK, X

        symbol = XK.string_to_keysym(KEYS.get(key, key)) or (ord(key) if len(key) == 1 else 0)
        found = self._display.keysym_to_keycodes(symbol) if symbol else []
        levels = [(code, level) for code, level in found if level in (0, SHIFT)]
        if not levels:
            return False
        code, level = min(levels, key=lambda pair: pair[1])
        lacks = level == SHIFT and not shifted
        shift = self._display.keysym_to_keycode(XK.XK_Shift_L)
        if lacks and down:
            self._fake(X.KeyPress, shift)
        self._fake(X.KeyPress if down else X.KeyRelease, code)
        if lacks and down:
            self._fake(X.KeyRelease, shift)
        return True

    def _fake(self, kind: int, detail: int, x: int = 0, y: int = 0) -> None:
        from Xlib.ext import xtest

        xtest.fake_input(self._display, kind, detail, x=x, y=y)
        self._display.sync()

    def close(self) -> None:
        """End the screen."""
        self._display.close()
        self._server.terminate()
        self._server.wait()
