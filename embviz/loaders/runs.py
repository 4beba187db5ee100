"""The steps of a run: checkpoints, folders and files that a number tells apart, in its order."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from embviz.checks import check_path
from embviz.errors import LoadError, ParameterError, counted, printable
from embviz.loaders.formats import check_exists, find_format, telling
from embviz.loaders.opened import list_some

OPTION = "--steps"
_WAYS = "such as all, last:10, or 1000,2000,3000"
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_SAYS_STEP = re.compile(r"(?:step|iter|iteration|checkpoint|ckpt)s?[=_.\- ]*$", re.IGNORECASE)
_SAYS_EPOCH = re.compile(r"epochs?[=_.\- ]*$", re.IGNORECASE)
_SHARD = re.compile(r"-\d{5}-of-\d{5}")
_PIECE = re.compile(r"(?P<prefix>.+)(?:\.data-\d{5}-of-\d{5}|(?<!\.data)-\d{5}-of-\d{5})")
_TEXTS = ("tsv", "csv", "word2vec", "glove", "json")
_GLOB = frozenset("*?[")
_MOST_TRIED = 3  # Members of a family that are asked whether they are sources.


@dataclass(frozen=True)
class RunStep:
    """One step of a run.

    Attributes:
        name: Its number, as `--steps` takes it; of a source that was named, its name.
        path: What opens it.
        tensor: Its tensor in there, where other steps lie in there too.
    """

    name: str
    path: Path
    tensor: str | None = None


@dataclass(frozen=True)
class Run:
    """Steps that belong together.

    Attributes:
        path: What was given.
        tag: The tag of a projector's config, else "".
        pattern: What the names of its files or folders have in common, `emb_*.npy`, else "".
        steps: In the order of their numbers, whatever these look like: 9 before 10.
    """

    path: Path
    steps: tuple[RunStep, ...]
    tag: str = ""
    pattern: str = ""


def find_runs(run: str | Path) -> list[Run]:
    """Find the steps of a run, or of several that lie in one place.

    They are TensorFlow's `ckpt-N`, folders such as `checkpoint-N`, files with a number in their
    names such as `epoch=3-step=400.ckpt` or `emb_0100.npy`, or the tags and steps of a projector's
    config. Of several numbers in a name the one behind `step` counts, else the first that differs.

    Args:
        run: A folder, what all names in it begin with (`run/ckpt`), or a pattern (`run/emb_*.npy`).

    Returns:
        All of several steps, by names and the first bytes of a few files.

    Raises:
        LoadError: If nothing is there, or two steps have one number.
    """
    from embviz.loaders.projector.tags import find_tags

    path = check_path("source", run)
    with telling(path):
        tags = find_tags(path)
        if tags:
            return [
                Run(
                    path,
                    tuple(RunStep(str(n), path, name) for n, name in sorted(steps.items())),
                    tag=tag,
                )
                for tag, steps in tags.items()
            ]
        return _families(path)


def find_steps(run: str | Path, tensor: str | None = None) -> tuple[RunStep, ...]:
    """Find the steps of the one run that a place holds; see `find_runs`.

    Args:
        run: A folder, what all names in it begin with, or a pattern.
        tensor: The tag, where a projector's config has several.

    Raises:
        LoadError: If there are no steps, two of one number, or several runs.
        ParameterError: If there is no such tag.
    """
    path = check_path("source", run)
    found = find_runs(path)
    if not found:
        raise LoadError(
            path,
            "no steps in it: no checkpoints, folders or files that only a number tells apart",
            f"name them one by one: SOURCE SOURCE … {OPTION} all",
        )
    tags = [each.tag for each in found if each.tag]
    if tensor is not None and tags:
        if tensor not in tags:
            raise ParameterError(
                f"tensor '{printable(tensor, 60)}'",
                f"{path} has no such tag of several steps",
                f"there {'is' if len(tags) == 1 else 'are'} {list_some(tags)}",
            )
        found = [each for each in found if each.tag == tensor]
    if len(found) > 1:
        raise _several(path, found)
    return found[0].steps


def tell_order(steps: Sequence[RunStep]) -> str:
    """Say that named sources are in another order than their numbers, "" where they are not.

    A shell puts the files of a pattern in the order of their letters, 10 before 9.
    """
    names = [step.path.name for step in steps]
    if len({_NUMBER.sub("*", name) for name in names}) != 1:
        return ""
    place = _find_place(names)
    if place is None:
        return ""
    numbers = [int(_NUMBER.findall(name)[place]) for name in names]
    if numbers == sorted(numbers):
        return ""
    shown = list_some([str(number) for number in numbers], 5)
    return f"the steps are in the order given, {shown}; a pattern in quotes has them by number"


def _several(path: Path, found: Sequence[Run]) -> LoadError:
    """Return what is said where several runs lie in one place."""
    shown = [printable(run.tag or run.pattern, 60) for run in found]
    counts = [counted(len(run.steps), "step") for run in found]
    listed = list_some([f"{name} ({count})" for name, count in zip(shown, counts, strict=True)], 4)
    if found[0].tag:
        return LoadError(path, f"{len(found)} tags have steps: {listed}", "choose by --tensor TAG")
    first = found[0].steps[0].path.parent / found[0].pattern
    way_out = f"name one, as '{first}', or the sources one by one"
    return LoadError(path, f"{len(found)} runs: {listed}", way_out)


def choose_steps(steps: Sequence[RunStep], asked: str, what: str | Path) -> tuple[RunStep, ...]:
    """Return the steps that are asked for, in their order.

    Args:
        steps: Those that are there.
        asked: `all`, `last:N`, or names with commas.
        what: The run, as it was given.

    Raises:
        ParameterError: If a step is not there, or fewer than two are asked for.
    """
    text = asked.strip()
    chosen = tuple(steps)
    if text.startswith("last:"):
        digits = text.removeprefix("last:").strip()
        if not digits.isdecimal() or int(digits) < 1:
            raise ParameterError(f"{OPTION} {printable(asked, 60)}", "is not understood", _WAYS)
        chosen = chosen[-int(digits) :]
    elif text != "all":
        names = [name.strip() for name in text.split(",")]
        numbers = [str(int(name)) if name.isdecimal() else name for name in names]
        _check_there(numbers, [step.name for step in steps], asked, what)
        chosen = tuple(step for step in steps if step.name in numbers)
    if len(chosen) < 2:
        raise ParameterError(
            f"{OPTION} {printable(asked, 60)}",
            f"{counted(len(chosen), 'step')} of the {len(steps)} of {printable(str(what), 200)}",
            f"a run has two at least; to project one: SOURCE {chosen[-1].path}, without {OPTION}",
        )
    return chosen


def _check_there(names: Sequence[str], there: Sequence[str], asked: str, what: str | Path) -> None:
    shown = f"{OPTION} {printable(asked, 60)}"
    if any(not name for name in names) or not all(map(str.isdecimal, names)):
        raise ParameterError(shown, "is not understood", _WAYS)
    missing = [name for name in names if name not in there]
    if missing:
        also = "" if len(missing) == 1 else f" and {len(missing) - 1} more"
        raise ParameterError(
            shown,
            f"{printable(str(what), 200)} has no step {missing[0]}{also}",
            f"there are {list_some(list(there), 12)}",
        )
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ParameterError(shown, f"names step {twice} twice", "name it once")


def name_sources(sources: Sequence[str | Path]) -> tuple[RunStep, ...]:
    """Return sources that were named one by one as steps, called by what tells them apart."""
    paths = [check_path("source", source) for source in sources]
    for shown in ([p.stem for p in paths], [p.name for p in paths], list(map(str, paths))):
        if len(set(shown)) == len(shown):
            break
    else:
        twice = next(p for p in paths if paths.count(p) > 1)
        raise ParameterError("SOURCE", f"{twice} is named twice", "name it once")
    return tuple(RunStep(printable(name, 200), p) for name, p in zip(shown, paths, strict=True))


def _families(path: Path) -> list[Run]:
    """Return what in a folder, or beside a prefix or pattern, differs by a number alone.

    Raises:
        LoadError: If nothing is there.
    """
    folder = path if path.is_dir() else path.parent
    fits = None if path.is_dir() else _fitting(path)
    names = [name for name in _names(folder) if fits is None or fits(name)]
    found = _group(path, folder, names)
    if not found and path.is_dir() and (path / "checkpoints").is_dir():
        return _families(path / "checkpoints")
    return found


def _fitting(path: Path) -> Callable[[str], bool]:
    """Return what tells whether a name begins with a prefix, or fits a pattern.

    Raises:
        LoadError: If the path is a file or a checkpoint of its own, or nothing is there.
    """
    wanted = path.name
    if path.exists() or path.with_name(wanted + ".index").is_file():
        raise LoadError(path, "one source and no run", f"name its folder: {path.parent}")
    is_glob = bool(_GLOB & set(wanted))

    def fits(name: str) -> bool:
        return fnmatchcase(name, wanted) if is_glob else name.startswith(wanted)

    if not path.parent.is_dir() or not any(map(fits, _names(path.parent))):
        check_exists(path)
    return fits


def _names(folder: Path) -> list[str]:
    """Return the names in a folder, a checkpoint's files as its prefix, without shards."""
    listed = [name for name in sorted(os.listdir(folder)) if not name.startswith(".")]
    prefixes = {found["prefix"] for name in listed if (found := _PIECE.fullmatch(name))}
    kept: dict[str, None] = {}
    for name in listed:
        prefix = name.removesuffix(".index").removesuffix(".meta")
        if prefix in prefixes or (name.endswith(".meta") and prefix in listed):
            kept[prefix] = None
        elif not _SHARD.search(name):
            kept[name] = None
    return list(kept)


def _group(path: Path, folder: Path, names: Iterable[str]) -> list[Run]:
    """Return the runs among some names: several that differ by numbers alone, and are sources.

    Text is passed over where there is something else: it may be labels.
    """
    alike: dict[str, list[str]] = {}
    for name in names:
        if _NUMBER.search(name):
            alike.setdefault(_NUMBER.sub("*", name), []).append(name)
    found: list[Run] = []
    texts: list[Run] = []
    for pattern, group in alike.items():
        if len(group) < 2:
            continue
        kinds = {_kind(folder / name) for name in group[:_MOST_TRIED]} - {None}
        if kinds:
            listed = texts if all(kind in _TEXTS for kind in kinds) else found
            listed.append(Run(path, _numbered(folder, group), pattern=pattern))
    return found or texts


def _kind(path: Path) -> str | None:
    """Return the format that reads a path, None for no source."""
    try:
        return find_format(path).name
    except LoadError:
        return None


def _numbered(folder: Path, names: Sequence[str]) -> tuple[RunStep, ...]:
    """Return names as steps in the order of their numbers.

    Raises:
        LoadError: If two have the same, or no number tells all of them apart.
    """
    place = _find_place(names)
    if place is None:
        raise LoadError(
            folder, f"no number tells {list_some(list(names), 4)} apart", "name them one by one"
        )
    found: dict[int, str] = {}
    for name in names:
        number = int(_NUMBER.findall(name)[place])
        if number in found:
            raise LoadError(
                folder,
                f"{printable(found[number], 80)} and {printable(name, 80)} are both step {number}",
                "move one of them away, or name the sources one by one",
            )
        found[number] = name
    return tuple(RunStep(str(number), folder / found[number]) for number in sorted(found))


def _find_place(names: Sequence[str]) -> int | None:
    """Return which of the numbers in some names is the step: the first that says so or differs."""
    matches = list(_NUMBER.finditer(names[0]))
    columns = list(zip(*(_NUMBER.findall(name) for name in names), strict=True))
    whole = [i for i, column in enumerate(columns) if all(map(str.isdecimal, column))]
    for said in (_SAYS_STEP, _SAYS_EPOCH):
        for i in whole:
            if said.search(names[0][: matches[i].start()]):
                return i
    varying = [i for i in whole if len(set(columns[i])) > 1]
    distinct = [i for i in varying if len(set(map(int, columns[i]))) == len(names)]
    chosen = distinct or varying or (whole if len(names) == 1 else [])
    return chosen[0] if chosen else None
