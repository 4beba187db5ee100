"""What a pickle says, as a tree: nothing is imported, called or unpickled.

The opcodes of protocols 2 to 5 (https://github.com/python/cpython/blob/main/Lib/pickletools.py).
Classes stay names, what is made by calling them stays the call. Numbers, texts, tuples and lists
are Python's own; dictionaries are lists of pairs, so that nothing of a file is hashed.
"""

from __future__ import annotations

import mmap
import struct
from collections.abc import Callable
from typing import Any

from embviz.loaders.weights.pickle_nodes import Dict, Made, Name, Persistent, PickleError, Skipped

MOST_STEPS = 12_000_000
MOST_OBJECTS = 8_000_000
MOST_TEXT = 1 << 16  # Bytes of a text; a longer one is no name.
MOST_INTEGER = 64  # Bytes of an integer; a longer one is no size.
_MOST_GLOBAL = 512
Buffer = bytes | mmap.mmap


def read_pickle(
    data: Buffer, start: int = 0, kept: list[Persistent] | None = None
) -> tuple[Any, int]:
    """Read one pickle.

    Args:
        data: Bytes, or a file in memory.
        start: Where it begins.
        kept: Takes what the file keeps elsewhere, in order.

    Returns:
        Its value and the position behind it.

    Raises:
        PickleError: If it is damaged, cut off, of protocol 0 or 1, or larger than any that is met.
    """
    if data[start : start + 1] != b"\x80":
        raise PickleError("no pickle of protocol 2 or later")
    machine = _Machine(data, start, [] if kept is None else kept)
    try:
        return machine.run()
    except (IndexError, struct.error):
        raise PickleError(f"damaged or cut off at byte {machine.at}") from None


class _Machine:
    """The stack, the marks in it, the memo, and where the next opcode is."""

    def __init__(self, data: Buffer, start: int, kept: list[Persistent]) -> None:
        self.data, self.at, self.end = data, start, len(data)
        self.kept = kept
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memo: dict[int, Any] = {}
        self.objects = 0

    def run(self) -> tuple[Any, int]:
        data = self.data
        for _ in range(MOST_STEPS):
            if self.at >= self.end:
                raise PickleError(f"cut off at byte {self.at}")
            code = data[self.at]
            self.at += 1
            if code == _STOP:
                return self.pop(), self.at
            step = _STEPS.get(code)
            if step is None:
                raise PickleError(f"opcode {code:#04x} at byte {self.at - 1}, which is not read")
            step(self)
        raise PickleError(f"more than {MOST_STEPS} steps")

    def pop(self) -> Any:
        """Take the top of the stack, which no mark lies above."""
        if len(self.stack) <= (self.marks[-1] if self.marks else 0):
            raise PickleError(f"a value is missing at byte {self.at}")
        return self.stack.pop()

    def top(self) -> Any:
        if len(self.stack) <= (self.marks[-1] if self.marks else 0):
            raise PickleError(f"a value is missing at byte {self.at}")
        return self.stack[-1]

    def pop_mark(self) -> list[Any]:
        """Take what lies above the last mark."""
        if not self.marks:
            raise PickleError(f"a mark is missing at byte {self.at}")
        mark = self.marks.pop()
        items = self.stack[mark:]
        del self.stack[mark:]
        return items

    def count(self, n: int) -> None:
        """Bound the memory that a file's bytes become."""
        self.objects += n
        if self.objects > MOST_OBJECTS:
            raise PickleError(f"more than {MOST_OBJECTS} objects")

    def new(self, value: Any) -> None:
        """Push what takes memory of its own."""
        self.count(4 if isinstance(value, Made) else 1)
        self.stack.append(value)

    def keep(self, number: int) -> None:
        """Keep the top of the stack under a number."""
        self.count(1)
        self.memo[number] = self.top()

    def unpack(self, layout: struct.Struct) -> Any:
        (value,) = layout.unpack_from(self.data, self.at)
        self.at += layout.size
        return value

    def take(self, n_bytes: int) -> tuple[int, int]:
        """Go past some bytes and return where they lie."""
        first = self.at
        if not 0 <= n_bytes <= self.end - first:
            raise PickleError(f"{n_bytes} bytes at byte {first}, {self.end - first} are left")
        self.at += n_bytes
        return first, self.at

    def line(self) -> str:
        found = self.data.find(b"\n", self.at, min(self.end, self.at + _MOST_GLOBAL))
        if found < 0:
            raise PickleError(f"a name without an end at byte {self.at}")
        raw = self.data[self.at : found]
        self.at = found + 1
        return _decode(raw)


_U1, _U2, _U4, _U8 = (struct.Struct(f"<{letter}") for letter in "BHIQ")
_I4, _F8 = struct.Struct("<i"), struct.Struct(">d")
_STOP = ord(".")
_Step = Callable[[_Machine], None]


def _decode(raw: bytes) -> str:
    try:
        return raw.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _text(length: struct.Struct) -> _Step:
    def step(m: _Machine) -> None:
        first, end = m.take(m.unpack(length))
        kept = end - first <= MOST_TEXT
        m.stack.append(_decode(m.data[first:end]) if kept else Skipped("a long text"))

    return step


def _bytes(length: struct.Struct) -> _Step:
    def step(m: _Machine) -> None:
        m.take(m.unpack(length))
        m.stack.append(_BYTES)

    return step


def _integer(length: struct.Struct) -> _Step:
    def step(m: _Machine) -> None:
        first, end = m.take(m.unpack(length))
        kept = end - first <= MOST_INTEGER
        value = int.from_bytes(m.data[first:end], "little", signed=True) if kept else _INTEGER
        m.stack.append(value)

    return step


def _number(layout: struct.Struct) -> _Step:
    return lambda m: m.stack.append(m.unpack(layout))


def _push(value: Any) -> _Step:
    return lambda m: m.stack.append(value)


def _new(make: Callable[[], Any]) -> _Step:
    return lambda m: m.new(make())


def _skip(layout: struct.Struct) -> _Step:
    return lambda m: m.stack.append(Skipped(f"what is registered as {m.unpack(layout)}"))


def _put(layout: struct.Struct) -> _Step:
    return lambda m: m.keep(m.unpack(layout))


def _get(layout: struct.Struct) -> _Step:
    def step(m: _Machine) -> None:
        number = m.unpack(layout)
        if number not in m.memo:
            raise PickleError(f"nothing was kept as {number}, which byte {m.at} asks for")
        m.stack.append(m.memo[number])

    return step


def _tuple(n: int) -> _Step:
    def step(m: _Machine) -> None:
        m.new(tuple(reversed([m.pop() for _ in range(n)])))

    return step


def _pairs(items: list[Any]) -> list[tuple[Any, Any]]:
    if len(items) % 2:
        raise PickleError("a key without a value")
    return list(zip(items[::2], items[1::2], strict=True))


def _set(m: _Machine, items: list[Any]) -> None:
    target = m.top()
    if not isinstance(target, Dict | Made):
        raise PickleError(f"keys are set in what has none at byte {m.at}")
    target.pairs.extend(_pairs(items))


def _append(m: _Machine, items: list[Any]) -> None:
    target = m.top()
    if isinstance(target, Made):
        target.items.extend(items)
    elif isinstance(target, list):
        target.extend(items)
    else:
        raise PickleError(f"values are appended to what is no list at byte {m.at}")


def _set_item(m: _Machine) -> None:
    value, key = m.pop(), m.pop()
    _set(m, [key, value])


def _append_item(m: _Machine) -> None:
    value = m.pop()
    _append(m, [value])


def _call(m: _Machine) -> None:
    args, by = m.pop(), m.pop()
    m.new(Made(by, args))


def _call_with_keywords(m: _Machine) -> None:
    keywords, args, by = m.pop(), m.pop(), m.pop()
    m.new(Made(by, args, states=[keywords]))


def _call_marked(m: _Machine) -> None:
    by, *args = m.pop_mark() or [Skipped("nothing")]
    m.new(Made(by, tuple(args)))


def _build(m: _Machine) -> None:
    state, target = m.pop(), m.top()
    if not isinstance(target, Made):
        raise PickleError(f"a state is given to what has none at byte {m.at}")
    target.states.append(state)


def _global(m: _Machine) -> None:
    module = m.line()
    m.new(Name(module, m.line()))


def _stack_global(m: _Machine) -> None:
    name, module = m.pop(), m.pop()
    if not isinstance(name, str) or not isinstance(module, str):
        raise PickleError(f"a class without a name at byte {m.at}")
    m.new(Name(module[:_MOST_GLOBAL], name[:_MOST_GLOBAL]))


def _persistent(m: _Machine) -> None:
    m.kept.append(Persistent(m.pop()))
    m.new(m.kept[-1])


def _duplicate(m: _Machine) -> None:
    m.stack.append(m.top())


def _memoize(m: _Machine) -> None:
    m.keep(len(m.memo))


def _pop(m: _Machine) -> None:
    if m.marks and m.marks[-1] == len(m.stack):
        m.marks.pop()
    else:
        m.pop()


def _pop_marked(m: _Machine) -> None:
    m.pop_mark()


def _proto(m: _Machine) -> None:
    number = m.unpack(_U1)
    if not 2 <= number <= 5:
        raise PickleError(f"a pickle of protocol {number}, 2 to 5 are read")


def _frame(m: _Machine) -> None:
    m.unpack(_U8)


def _mark(m: _Machine) -> None:
    m.marks.append(len(m.stack))


def _set_of(m: _Machine) -> None:
    m.new(Made(Name("builtins", "frozenset"), (), items=m.pop_mark()))


_BYTES, _INTEGER = Skipped("bytes"), Skipped("an integer of many bytes")
_STEPS: dict[int, _Step] = {
    0x80: _proto,
    0x95: _frame,
    ord("("): _mark,
    ord("0"): _pop,
    ord("1"): _pop_marked,
    ord("2"): _duplicate,
    ord("N"): _push(None),
    0x88: _push(True),
    0x89: _push(False),
    ord("J"): _number(_I4),
    ord("K"): _number(_U1),
    ord("M"): _number(_U2),
    ord("G"): _number(_F8),
    0x8A: _integer(_U1),
    0x8B: _integer(_I4),
    ord("X"): _text(_U4),
    0x8C: _text(_U1),
    0x8D: _text(_U8),
    ord("T"): _text(_I4),
    ord("U"): _text(_U1),
    ord("B"): _bytes(_U4),
    ord("C"): _bytes(_U1),
    0x8E: _bytes(_U8),
    0x96: _bytes(_U8),
    0x97: _push(_BYTES),
    0x98: lambda m: None,
    ord(")"): _push(()),
    ord("t"): lambda m: m.new(tuple(m.pop_mark())),
    0x85: _tuple(1),
    0x86: _tuple(2),
    0x87: _tuple(3),
    ord("]"): _new(list),
    ord("l"): lambda m: m.new(m.pop_mark()),
    ord("a"): _append_item,
    ord("e"): lambda m: _append(m, m.pop_mark()),
    ord("}"): _new(Dict),
    ord("d"): lambda m: m.new(Dict(_pairs(m.pop_mark()))),
    ord("s"): _set_item,
    ord("u"): lambda m: _set(m, m.pop_mark()),
    0x8F: _new(lambda: Made(Name("builtins", "set"), ())),
    0x90: lambda m: _append(m, m.pop_mark()),
    0x91: _set_of,
    ord("c"): _global,
    0x93: _stack_global,
    ord("R"): _call,
    0x81: _call,
    0x92: _call_with_keywords,
    ord("o"): _call_marked,
    ord("b"): _build,
    ord("Q"): _persistent,
    ord("q"): _put(_U1),
    ord("r"): _put(_U4),
    0x94: _memoize,
    ord("h"): _get(_U1),
    ord("j"): _get(_U4),
    0x82: _skip(_U1),
    0x83: _skip(_U2),
    0x84: _skip(_I4),
}
