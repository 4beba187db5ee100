"""Which tensor of a source is meant: by a name that a user knows, or by default."""

from __future__ import annotations

import difflib
import logging
import re
from collections.abc import Callable, Sequence

from embviz.errors import LoadError, ParameterError, printable, shell_line
from embviz.loaders.opened import Source, Tensor, list_some

MAX_LISTED = 8
MAX_COMPARED = 200  # characters; comparing takes time with the product of the lengths
MAX_RANKED = 2000
TABLE_NAME = re.compile(
    r"emb|lookup|wte|word_?vec|(^|[/._])vectors?$|(^|[./])shared(\.weight|$)", re.IGNORECASE
)
# Tables of a model that are of positions, kinds of text, patches, or no whole tables.
ASIDE_NAME = re.compile(
    r"(^|[^a-z])(pos|positions?|positional|wpe|token_?types?|segments?|rel|relative|patch|lora"
    r"|per_layer)([^a-z]|$)",
    re.IGNORECASE,
)
# The weights of the layer that scores words, which have a row for each.
HEAD_NAME = re.compile(r"(^|[./])(lm_head|embed_out|output|predictions[./]decoder)[./]weight$")
WHOLE_LISTS = "lists of whole numbers, which may be ids or counts"
# What a layer adds to the name that its user gave it.
TRAILING = ("/embeddings", "/_embeddings", "/weight", ".weight")
_NO_NUMBERS = re.compile(r"string|object|resource|variant|records|[<>|]?[US]\d")
PART = re.compile(r"(^|/)part_\d+$")

_log = logging.getLogger("embviz")


def choose_tensor(source: Source, asked: str | None) -> Tensor:
    """Return the tensor that is asked for, or the default one, which is told.

    Args:
        source: An opened source.
        asked: A name as `match_name` understands it; None for the default.

    Raises:
        LoadError: If no tensor is rows of numbers, several are equally good, the best cannot be
            read, or the one that is asked for is no table.
        ParameterError: If the name is not there or means several tensors.
    """
    chosen = _default(source) if asked is None else _find(source, asked)
    _check_is_table(source, chosen)
    if chosen.told:
        _log.info("%s: %s", source.path, printable(chosen.told, limit=1000))
    return chosen


def choose_default(source: Source) -> list[Tensor]:
    """Return the tensor to take when none is named: one, or several that are equally good.

    Of the tables that are neither slots nor duplicates: those of several rows and columns; of a
    model's weights among others, no table else; that which the source puts first; those of
    which there is no doubt; the only one; else those whose name speaks of an embedding; of these,
    in a model, not those of positions, and the one with the most rows among those with more rows
    than columns. A table that would be it and cannot be read is returned all the same: another is
    not taken in its place.
    """
    pool = [t for t in source.tensors if t.is_candidate]
    if len(source.tensors) > 1:
        pool = [t for t in pool if not _is_thin(t)] or ([] if source.is_model else pool)
    pool = [t for t in pool if t.preferred] or [t for t in pool if not t.doubt] or pool
    if len(pool) > 1:
        pool = [t for t in pool if any(map(TABLE_NAME.search, t.names))] or pool
    if len(pool) > 1 and source.is_model:
        pool = [t for t in pool if not any(map(ASIDE_NAME.search, t.names))] or pool
        tall = [t for t in pool if t.shape[0] > t.shape[1]]
        most = max((t.shape[0] for t in tall), default=0)
        pool = [t for t in tall if t.shape[0] == most] or pool
    barred = _barred(source, pool[0]) if len(pool) == 1 else None
    return pool if barred is None else [barred]


def _is_thin(t: Tensor) -> bool:
    """Tell whether a table has one row or one column, as a bias or a scale has."""
    return not callable(t.sides) and 1 in t.sides


def names_table(name: str) -> bool:
    """Tell whether a name speaks of an embedding, other than one of positions and the like."""
    return bool(TABLE_NAME.search(name)) and not ASIDE_NAME.search(name)


def match_name(tensors: Sequence[Tensor], asked: str) -> list[Tensor]:
    """Return the tensors that a name means: the first rule that any tensor meets decides.

    The rules: the name; without `:0`; any alias; the end of a name on a `/` or `.`; the same before
    `/embeddings`, `/weight` or `.weight`. Where several match, those that are no slots, duplicates
    or other shapes are meant.
    """
    bare = asked.removesuffix(":0")
    rules: list[Callable[[Tensor], bool]] = [
        lambda t: t.name == asked,
        lambda t: t.name == bare,
        lambda t: asked in t.names or bare in (name.removesuffix(":0") for name in t.names),
        lambda t: any(ends_with(name, bare) for name in t.names),
        lambda t: any(ends_with(n, bare + tail) for n in t.names for tail in TRAILING),
    ]
    for rule in rules:
        found = [t for t in tensors if rule(t)]
        if found:
            wanted = [t for t in found if t.is_candidate]
            return wanted if len(found) > 1 and wanted else found
    return []


def ends_with(name: str, ending: str) -> bool:
    """Tell whether a name ends with whole parts, between `/` or `.`."""
    bare = name.removesuffix(":0")
    return bool(ending) and any(
        (mark + bare).endswith(mark + ending.lstrip(mark)) for mark in ("/", ".")
    )


def find_parts(tensors: Sequence[Tensor], asked: str) -> list[Tensor]:
    """Return the parts NAME/part_0, … that were saved by hand under keys of their own."""
    bare = asked.removesuffix(":0")
    parts = [t for t in tensors if PART.search(t.name)]
    return [t for t in parts if bare and ends_with(PART.sub("", t.name), bare)]


def find_closest(tensors: Sequence[Tensor], asked: str) -> list[str]:
    """Return the names of tables that are most like a name, best first; else the first tables."""
    tables = [t for t in tensors if t.is_table]
    wanted = asked.removesuffix(":0").lower()[:MAX_COMPARED]
    scores = {}
    for t in sorted(tables, key=lambda t: t.role == "slot")[:MAX_RANKED]:
        forms = {
            form.lower()[:MAX_COMPARED]
            for name in t.names
            for form in (name, name.rpartition("/")[2])
        }
        scores[t.name] = max(
            difflib.SequenceMatcher(None, wanted, form).ratio() for form in forms
        ) - (0.1 if t.role == "slot" else 0)
    best = sorted(scores, key=lambda name: -scores[name])
    close = [name for name in best if scores[name] >= 0.6]
    return (close or best)[:MAX_LISTED]


def _default(source: Source) -> Tensor:
    """Take the default tensor and say so, where there are others."""
    tensors = source.tensors
    best = choose_default(source)
    if not best:
        if len(tensors) == 1:
            return tensors[0]  # What is wrong with it is the most that can be said.
        for t in tensors:
            if t.refusal is not None and not t.dtype:
                raise t.refusal  # Its header could not be read, so that it may be the one.
        what = list_some([t.describe() for t in tensors]) or "none"
        thin = [t.name for t in tensors if t.is_candidate]
        table = "a table of several rows and columns" if thin else "rows of numbers"
        way_out = f"--tensor {shell_line([printable(thin[0], 200)])}" if thin else ""
        raise LoadError(source.path, f"no tensor in it is {table}; there is {what}", way_out)
    if len(best) > 1:
        names = list_some([t.describe() for t in best])
        raise LoadError(
            source.path, f"{len(best)} tensors are equally good: {names}", "choose by --tensor"
        )
    chosen = best[0]
    if chosen.doubt:
        name = printable(chosen.name, 200)
        way_out = f"if they are vectors: --tensor {shell_line([name])}"
        raise LoadError(source.path, f"'{name}' holds {chosen.doubt}", way_out)
    if chosen.refusal is not None:
        refusal, other = chosen.refusal, "or take another table: --tensor NAME"
        way_out = f"{refusal.way_out}; {other}" if refusal.way_out else other
        raise LoadError(refusal.what, refusal.why, way_out)
    if len(tensors) > 1 or chosen.known_as:
        others = [t for t in tensors if t.is_candidate and t is not chosen]
        also = f"; also there: {_list_others(source, others)} (--tensor NAME)" if others else ""
        known = f", known as {chosen.known_as}" if chosen.known_as else ""
        text = f"{source.path}: taking {chosen.describe()}{known}{also}"
        _log.info("%s", printable(text, limit=1000))
    return chosen


def _list_others(source: Source, others: list[Tensor]) -> str:
    """Return the names of tables that were not taken; of a model's weights, embeddings first."""
    names = [t.name for t in others]
    if not source.is_model:
        return list_some(names)
    patterns = (TABLE_NAME, ASIDE_NAME, HEAD_NAME)
    tables = [name for name in names if any(p.search(name) for p in patterns)]
    rest = [name for name in names if name not in set(tables)]
    return list_some([*tables, *rest], max(3, min(len(tables), MAX_LISTED)))


def _barred(source: Source, chosen: Tensor) -> Tensor | None:
    """Return a table that would be taken before another if it could be read."""
    if chosen.preferred:
        return None
    for t in source.tensors:
        if t.refusal is None or callable(t.sides) or _NO_NUMBERS.match(t.dtype):
            continue
        flat, named = len(t.sides) == 2, _speaks(t) - _speaks(chosen)
        taller = flat and source.is_model and t.sides[0] > max(t.sides[1], chosen.shape[0])
        if (named > 0 and (flat or not t.dtype)) or (named == 0 and taller):
            return t
    return None


def _speaks(t: Tensor) -> bool:
    return any(map(names_table, t.names))


def _find(source: Source, asked: str) -> Tensor:
    """Return the one tensor that a name means.

    Raises:
        ParameterError: If there is none, or several.
    """
    tensors, path = source.tensors, source.path
    found = match_name(tensors, asked)
    if len(found) == 1:
        return found[0]
    what = f"tensor '{asked}'"
    if found:
        names = list_some([t.name for t in found])
        why = f"the name of {len(found)} tensors of {path}: {names}"
        raise ParameterError(what, why, "name one in full")
    if len(tensors) == 1:
        raise ParameterError(what, f"{path} holds {tensors[0].name} alone", "leave --tensor out")
    parts = find_parts(tensors, asked)
    if parts:
        names = list_some([t.describe() for t in parts])
        raise ParameterError(what, f"{path} holds it in parts: {names}", "name one of these")
    tables = list_some([t.name for t in tensors if t.is_table])
    close = find_closest(tensors, asked)
    way_out = f"did you mean {list_some(close)}" if close else ""
    raise ParameterError(what, f"{path} holds {tables or 'no table of numbers'}", way_out)


def _check_is_table(source: Source, t: Tensor) -> None:
    """Refuse what is not rows of numbers."""
    if t.refusal is not None:
        raise t.refusal
    if t.is_table:
        return
    shape = " x ".join(map(str, t.shape))
    if len(t.shape) != 2:
        rank = f"{len(t.shape)}-D ({shape})" if t.shape else "a scalar"
        why = f"tensor '{t.name}' is {rank}, a table of rows is 2-D"
    elif 0 in t.shape:
        why = f"tensor '{t.name}' is empty ({shape})"
    else:
        why = f"tensor '{t.name}' is {t.dtype}, real numbers are needed"
    raise LoadError(source.path, why)
