"""How much memory there is for a run, where the system tells."""

from __future__ import annotations

from pathlib import Path

_UNLIMITED = 1 << 60  # cgroup version 1 has a number near 2^63 for no limit.


def available_memory(proc: Path = Path("/proc"), groups: Path = Path("/sys/fs/cgroup")) -> int:
    """Return the bytes that this process can still have; 0 where the system does not tell.

    That is the least of what the machine has left, pages of files that it can give up and swap
    among it, and of what is left in each group of processes (cgroup, version 1 or 2) that this one
    is in.

    Args:
        proc: Where Linux tells of memory and of the groups of this process.
        groups: Where it tells of the groups.
    """
    told = _numbers(proc / "meminfo")
    if "MemAvailable" not in told:
        return 0
    left = [1024 * (told["MemAvailable"] + told.get("SwapFree", 0))]
    for folder, limit, used, files in _folders(proc, groups):
        most, now = _number(folder / limit), _number(folder / used)
        if most is None or now is None or most >= _UNLIMITED:
            continue
        given_up = _numbers(folder / "memory.stat").get(files, 0)
        left.append(max(0, most - now + given_up))
    return min(left)


def _folders(proc: Path, groups: Path) -> list[tuple[Path, str, str, str]]:
    """Return the folders of the groups that hold this process, and the names of what they tell."""
    found: list[tuple[Path, str, str, str]] = []
    for line in _text(proc / "self/cgroup").splitlines():
        number, _, rest = line.partition(":")
        kinds, _, path = rest.partition(":")
        if number == "0" and not kinds:
            root = groups
            names = ("memory.max", "memory.current", "inactive_file")
        elif "memory" in kinds.split(","):
            root = groups / "memory"
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        else:
            continue
        inner = root / path.lstrip("/")
        # Within a container the path may be one outside of it; the root is then its own group.
        found += [(each, *names) for each in (inner, *inner.parents) if each.is_relative_to(root)]
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _number(path: Path) -> int | None:
    text = _text(path).strip()
    return int(text) if text.isascii() and text.isdigit() else None


def _numbers(path: Path) -> dict[str, int]:
    """Return the numbers of lines as `MemTotal:  100 kB` or `inactive_file 100` by their names."""
    found = {}
    for line in _text(path).splitlines():
        words = line.replace(":", " ").split()
        if len(words) > 1 and words[1].isascii() and words[1].isdigit():
            found[words[0]] = int(words[1])
    return found
