"""Which projections are made of chosen points, with one neighbor graph for all, and how good."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypedDict, Unpack, get_args

from embviz.checks import (
    changed,
    check_kind,
    check_list,
    check_one_of,
    check_seed,
    check_text,
    check_truth,
    check_whole,
)
from embviz.devices import Device
from embviz.errors import ParameterError
from embviz.model import EmbeddingTable, Metric, Projection
from embviz.pictures.asked import (
    check_complete,
    check_options,
    fields_to_fill,
    in_dims,
    is_pca,
    make,
    takes_field,
    understand,
)
from embviz.pictures.cost import check_cost
from embviz.pictures.projecting import graph_sizes, project_all
from embviz.pictures.selection import Part, choose_points, verified
from embviz.pictures.series import (
    LISTS,
    check_values,
    find_leads,
    spread_values,
)
from embviz.pictures.tabs import name_tabs
from embviz.projections import PCA, PROJECTORS, Projector
from embviz.projections.custom import MOST_AXES, check_axes
from embviz.projections.methods import Method, field_names, parse_method
from embviz.space import Normalize

_ALIASES = {
    "perplexity": "perplexity",
    "neighbors": "n_neighbors",
    "iterations": "iterations",
    "density": "density",
}
"""Fields of a plan that some methods take, and theirs."""


class PlanFields(TypedDict, total=False):
    """The fields of `Plan`, as `project` takes them."""

    methods: Sequence[str | Projector]
    axes: Sequence[tuple[str, str]]
    dims: Sequence[int]
    perplexity: float | Sequence[float] | None
    neighbors: int | Sequence[int] | None
    iterations: int | None
    density: bool
    metric: Metric
    normalize: Normalize
    seed: int
    device: Device
    label_by: str | None
    with_pca: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class Plan:
    """Which projections are wanted, in the words of `embviz project`.

    Attributes:
        methods: Names of projectors (`tsne`), with options (`umap:n_neighbors=30,min_dist=0.5`),
            classes (`package.module:Class`), or projectors, which are taken as they are. None may
            be asked for twice with the same options.
        axes: One to three pairs of queries; the method `custom` comes along where none takes them.
        dims: 2, 3 or both; empty is 2, and 3 where that is cheap.
        perplexity: Of the methods that have such a field; of several values each makes a picture of
            its own, laid on the first.
        neighbors: The same for a field `n_neighbors`, such as UMAP's.
        iterations: Of the methods that have such a field.
        density: Whether UMAP keeps the density of points too, which is densMAP.
        metric: What near means, for neighbors, t-SNE and UMAP.
        normalize: What PCA, t-SNE and UMAP see.
        seed: Of all that is drawn, 0 .. 2^32 - 1.
        device: Where neighbors, t-SNE and quality are computed: `cpu`, `cuda` for a card, or
            `auto`: a card where PyTorch sees one and there are more than 20,000 points.
        label_by: The metadata column where queries look that name none.
        with_pca: Whether PCA comes first, asked for or not.

    Raises:
        ParameterError: If there is no such method or option, a value does not fit, or an axis,
            perplexity, number of neighbors or of iterations has no method that takes it; if several
            methods would take a list of values.
    """

    methods: Sequence[str | Projector] = ()
    axes: Sequence[tuple[str, str]] = ()
    dims: Sequence[int] = ()
    perplexity: float | Sequence[float] | None = None
    neighbors: int | Sequence[int] | None = None
    iterations: int | None = None
    density: bool = False
    metric: Metric = "cosine"
    normalize: Normalize = "none"
    seed: int = 0
    device: Device = "auto"
    label_by: str | None = None
    with_pca: bool = True
    asked: tuple[Method | Projector, ...] = field(init=False, repr=False)
    """The methods as they were understood."""

    def __post_init__(self) -> None:
        methods = check_list("methods", self.methods)
        asked = tuple(map(understand, methods))
        for name, value in (
            ("methods", methods),
            ("axes", check_axes("axes", self.axes)),
            ("dims", tuple(dict.fromkeys(check_list("dims", self.dims)))),
        ):
            object.__setattr__(self, name, value)
        self._check_values()
        if self.axes and not any("axes" in fields_to_fill(m) for m in asked):
            taking = (n for n, kind in PROJECTORS.ours.items() if "axes" in field_names(kind))
            asked = (*asked, parse_method(next(taking)))
        object.__setattr__(self, "asked", asked)
        for name in self._given():
            self._check_taken(name, _ALIASES[name])
        for name in LISTS:
            own, values = _ALIASES[name], getattr(self, name)
            asked = spread_values(asked, name, own, values, partial(takes_field, own))
        object.__setattr__(self, "asked", asked)
        self._check()

    def _check_values(self) -> None:
        """Refuse values that no projection can have, and take numbers of dimensions as such."""
        for d in self.dims:
            # A command has them as texts.
            if isinstance(d, bool) or d not in (2, 3, "2", "3"):
                raise ParameterError(f"--dims {d}", "is neither 2 nor 3", "give one or both")
        object.__setattr__(self, "dims", tuple(dict.fromkeys(int(d) for d in self.dims)))
        for name in LISTS:
            if getattr(self, name) is not None:
                object.__setattr__(self, name, check_values(name, getattr(self, name)))
        if self.iterations is not None:
            check_whole("--iterations", self.iterations, 1)
        check_one_of("--metric", self.metric, get_args(Metric))
        check_one_of("--normalize", self.normalize, get_args(Normalize))
        check_seed("--seed", self.seed)
        check_one_of("--device", self.device, get_args(Device))
        if self.label_by is not None:
            check_text("--label-by", self.label_by)
        check_truth("--density", self.density)
        check_truth("with_pca", self.with_pca)

    def _check(self) -> None:
        """Refuse what contradicts itself or cannot be obeyed."""
        if len(self.axes) > MOST_AXES:
            raise ParameterError(
                "--axis", f"{len(self.axes)} axes given", "one to three can be shown"
            )
        if len(self.axes) == MOST_AXES and self.dims == (2,):
            raise ParameterError("--dims 2", "does not show three axes", "leave out an --axis")
        seen: list[tuple[type[Any], Mapping[str, Any]]] = []
        for method in self.asked:
            if isinstance(method, Method):
                check_complete(method, self._offered(None))
                made = (method.projector, self._options(method, None))
                if made in seen:
                    raise ParameterError(
                        f"--method {method.text}", "is asked for twice", "leave one out"
                    )
                seen.append(made)
                check_options(method, made[1])

    def _check_taken(self, name: str, own: str) -> None:
        """Refuse an option whose field no method has, or each of them has typed for itself."""
        if any(takes_field(own, method) for method in self.asked):
            return
        typed = [m for m in self.asked if isinstance(m, Method) and own in m.options]
        if typed:
            raise ParameterError(f"--{name}", f"'{typed[0].text}' has its own", "leave one out")
        owners = [n for n, kind in PROJECTORS.ours.items() if own in field_names(kind)]
        *most, last = owners
        names = f"{', '.join(most)} and {last}" if most else last
        raise ParameterError(f"--{name}", f"belongs to {names}", f"add --method {owners[0]}")

    def _offered(self, whole: EmbeddingTable | None) -> dict[str, Any]:
        """Return what every method that has such a field takes, if it was not typed for it."""
        offered: dict[str, Any] = {
            "metric": self.metric,
            "normalize": self.normalize,
            "seed": self.seed,
            "device": self.device,
            "column": self.label_by,
            "whole": whole,
        }
        if self.axes:
            offered["axes"] = self.axes
        # Of several values each has its method, which has taken it.
        single = {n: v for n, v in self._given().items() if not isinstance(v, tuple)}
        return offered | {_ALIASES[name]: value for name, value in single.items()}

    def _given(self) -> dict[str, Any]:
        """Return what was asked for of the fields that only some methods take."""
        given = {name: getattr(self, name) for name in _ALIASES}
        return {n: v for n, v in given.items() if v is not None and v is not False}

    def _options(self, method: Method, whole: EmbeddingTable | None) -> dict[str, Any]:
        """Return the fields that a method's projector is made with."""
        offered = self._offered(whole)
        taken = {n: offered[n] for n in fields_to_fill(method) if n in offered}
        return {**taken, **method.options}

    def projectors(self, part: Part) -> list[Any]:
        """Return the projectors of some points, in the order in which they are shown."""
        return [projector for _, projector in self.paired(part)]

    def paired(self, part: Part) -> list[tuple[Method | Projector, Any]]:
        """Return the same with the method that each was asked for by."""
        found: list[tuple[Method | Projector, Any]] = []
        for method in self.asked:
            if not isinstance(method, Method):
                found.append((method, method))
                continue
            options = self._options(method, part.whole)
            made = in_dims(method, make(method, options), part.table, self.dims)
            found += [(method, projector) for projector in made]
        if self.with_pca:
            own = PCA(normalize=self.normalize)
            first = [pair for pair in found if isinstance(pair[1], PCA)] or [(own, own)]
            return [*first, *(pair for pair in found if not isinstance(pair[1], PCA))]
        return found

    def foreseen(self) -> list[tuple[Method | Projector, Any]]:
        """Return the methods and the projector of each, before there are points.

        None stands for a projector of another package, which may want to see them.
        """
        ours = PROJECTORS.ours.values()
        found: list[tuple[Method | Projector, Any]] = []
        for method in self.asked:
            if not isinstance(method, Method):
                found.append((method, method))
            elif method.projector in ours:
                found.append((method, method.projector(**self._options(method, None))))
            else:
                found.append((method, None))
        if self.with_pca and not any(is_pca(method) for method in self.asked):
            found.append((PCA(), PCA()))
        return found

    def first(self, projections: Sequence[Projection]) -> Projection:
        """Return the one of this plan's projections that was asked for first, else the first."""
        if not self.with_pca or not self.asked:
            return projections[0]
        n_leading = max(1, sum(map(is_pca, self.asked)))
        return projections[0 if is_pca(self.asked[0]) else n_leading]

    def first_dims(self) -> int:
        """Return how many dimensions are shown first: those asked for, 3 for three axes."""
        if self.dims:
            return self.dims[0]
        three = len(self.axes) == MOST_AXES and "axes" in fields_to_fill(self.asked[0])
        return 3 if three else 2


def project(
    points: EmbeddingTable | Part, plan: Plan | None = None, **fields: Unpack[PlanFields]
) -> list[Projection]:
    """Make every projection that is wanted: PCA first, one neighbor graph for all.

    How faithful each projection is stands in its `stats` and `per_point`; where no method looks at
    neighbors, it is measured on fewer points.

    Args:
        points: What `choose_points` gave, or all points of a table.
        plan: Which projections; None is PCA alone.
        fields: Fields of `Plan`, in place of one or of some of its own.

    Raises:
        ParameterError: If a projection cannot be made as asked for, or in the memory there is.
        LoadError: If a vector holds NaN or infinity, or a checksum is wrong.
    """
    check_kind("plan", plan, (Plan, type(None)), "give an embviz.Plan, or its fields as keywords")
    plan = changed("project", plan or Plan(), fields)
    part = points if isinstance(points, Part) else choose_points(points)
    space = part.space.on(plan.device)
    if plan.axes:
        part = replace(part, whole=verified(part.whole))
    pairs = plan.paired(part)
    projectors = [projector for _, projector in pairs]
    usual = (plan.metric, plan.normalize)
    check_cost(space, projectors, graph_sizes(space.table, projectors, usual))
    return name_tabs(project_all(space, projectors, usual, plan.seed, find_leads(pairs)))
