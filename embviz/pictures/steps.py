"""The pictures of a run over time, or of two models: one that moves from step to step."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from itertools import pairwise
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from embviz.checks import changed
from embviz.comparison.values import FEW, Step, Steps
from embviz.errors import ParameterError
from embviz.model import Frames, Neighbors, Projection
from embviz.pictures.linear_steps import Followed, follow_linear, spread_out
from embviz.pictures.motion import measure_motion
from embviz.pictures.placing import place
from embviz.pictures.plan import Plan, PlanFields
from embviz.pictures.projecting import Seen
from embviz.pictures.quality import measure_qualities, with_quality
from embviz.pictures.selection import Part
from embviz.pictures.series import find_leads, lay_on_first
from embviz.pictures.step_neighbors import (
    count_neighbors,
    find_here,
    list_nearest,
    points_of,
    seen_by,
    share_in_common,
    telling_step,
    to_here,
    with_figures,
    with_neighbors,
)
from embviz.pictures.tabs import name_tabs
from embviz.pictures.warm_start import begin, count_shown, find_reach, lay_on
from embviz.projections import PCA, Axes, Identity
from embviz.projections.methods import Method
from embviz.projections.placed import Placed
from embviz.space import Space, open_space

log = logging.getLogger("embviz")
progress = logging.getLogger("embviz.progress")

Places = NDArray[np.float64]
SHOWN_COMPONENTS = 3
MUCH_MORE = 1.15
ROUNDED = 1e-3  # The share by which rounding changes distances and lists of neighbors at most.


def project_steps(
    steps: Steps,
    plan: Plan | None = None,
    whole: Steps | None = None,
    **wanted: Unpack[PlanFields],
) -> list[Projection]:
    """Make every projection that is wanted, so that what moves from step to step has moved.

    The first step is placed as usual. t-SNE and UMAP of each later one start from the one before
    (`warm_start.begin`), go on for a while, and are laid on it by a similarity transform over the
    points whose neighbors stayed. So is what another projector makes of each step; where it has a
    method `started_at(places)`, it is asked for the projector that goes on from these. Principal
    components and axes follow as `linear_steps.follow_linear` says.

    Args:
        steps: States of the same points; with neighbors, as `measure_steps` finds them, these are
            not looked for again.
        plan: Which projections; None is PCA alone.
        whole: The same steps with all points, on which axes are defined; None is `steps`.
        wanted: Fields of `Plan`, in place of one or of some of its own.

    Returns:
        Projections of the last step, whose `frames` are all steps (`unit` is `step`). A point that
        is not there at a step has the place where it comes, or was last. `stats["motion"]` has, for
        each number of dimensions, the rank correlation of how far points moved from step to step
        and how many of their neighbors changed; `frames.figures["motion"]` the same a step.

    Raises:
        ParameterError: If a projection cannot be made of a step, or cannot follow.
        LoadError: If a vector holds NaN or infinity.
    """
    return follow_steps(steps, changed("project_steps", plan or Plan(), wanted), whole)[1]


def follow_steps(
    steps: Steps, plan: Plan, whole: Steps | None = None
) -> tuple[Steps, list[Projection]]:
    """Return what `measure_steps` and `project_steps` do, with one neighbor graph a step for both.

    Arguments and errors as for `project_steps`.
    """
    whole = steps if whole is None else whole
    pairs = plan.paired(Part(whole.table, steps.table))
    projectors, leads = _projectors(plan, [p for _, p in pairs], steps), find_leads(pairs)
    sizes = count_neighbors(projectors, steps, plan)
    with _saying_once():
        done: dict[int, Followed] = {}
        tracks: dict[int, _Track] = {}
        for i, projector in enumerate(projectors):
            if isinstance(projector, (Axes, Identity)):
                # A query that matches nothing is told at once.
                done[i] = follow_linear(projector, steps, whole, ())
            elif not isinstance(projector, PCA):
                seen = seen_by(projector, plan)
                tracks[i] = _Track(projector, seen, sizes.get(seen, FEW))
                if i in leads:
                    tracks[i].lead = tracks[leads[i].place]
                    tracks[i].lead_name = leads[i].name
        steps = _follow_all(list(tracks.values()), steps, plan)
        kept = _kept([list_nearest(step) for step in steps.steps])
        done |= {i: track.followed() for i, track in tracks.items()}
        for i, projector in enumerate(projectors):
            if isinstance(projector, PCA):
                done[i] = follow_linear(projector, steps, whole, kept)
        found = [_as_projection(done[i], steps, kept) for i in range(len(projectors))]
        projections = name_tabs(_with_last_quality(found, steps, plan))
    return steps, projections


def _projectors(plan: Plan, made: Sequence[Any], steps: Steps) -> list[Any]:
    """Return a plan's projectors; principal components are three where no number was asked.

    Raises:
        ParameterError: If one of them has places for one step only.
    """
    found = list(made)
    typed = any(
        isinstance(m, PCA) or (isinstance(m, Method) and "n_components" in m.options)
        for m in plan.asked
    )
    for i, projector in enumerate(found):
        if isinstance(projector, Placed):
            raise ParameterError(
                f"--coordinates {projector.title}",
                f"has places for one step, and there are {len(steps.steps)}",
                "leave it out, or project one step",
            )
        if isinstance(projector, PCA) and not typed:
            found[i] = replace(projector, n_components=SHOWN_COMPONENTS)
    return found


def _kept(listed: Sequence[NDArray[np.int32]]) -> list[NDArray[np.float64]]:
    """Return the share of neighbors that each point keeps from each step to the next."""
    return [share_in_common(a, b) for a, b in pairwise(listed)]


@dataclass(eq=False)
class _Track:
    """A map on its way through the steps.

    Attributes:
        projector: What makes the map.
        seen: What it sees of the vectors.
        size: How many neighbors are looked for in that space.
        places: float64 (n_points, n_components) of each step done, NaN where a point was not there.
        latest: The same, with the last places of points that are not there any more.
        reach: How far from its neighbors a point lies in the latest map.
        listed: The 10 nearest in the latest map's space.
        here: The points of the latest map.
        neighbors: Theirs.
        last: The projection of the latest step.
        divergences: Of each step, where there are any.
        lead: The first of a series, on whose first map this one is laid; the others follow it.
        lead_name: What it is called; empty where this one is not laid on it.
    """

    projector: Any
    seen: Seen
    size: int
    places: list[Places] = field(default_factory=list)
    latest: Places = field(default_factory=lambda: np.empty((0, 0)))
    reach: float = 0.0
    listed: NDArray[np.int32] = field(default_factory=lambda: np.empty((0, FEW), np.int32))
    here: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    neighbors: Neighbors | None = None
    last: Projection | None = None
    divergences: list[float | None] = field(default_factory=list)
    lead: _Track | None = None
    lead_name: str = ""

    def go_on(self, step: Step, space: Space, neighbors: Neighbors) -> None:
        """Place the points of the next step."""
        listed = list_nearest(step, neighbors)
        here = points_of(step)
        nearest = neighbors.indices[:, :FEW]
        projector = self._with_neighbors(neighbors)
        if not self.places:
            placed = place(projector, space)
            if self.lead is not None:
                first = self.lead.places[0][here].astype(np.float32)
                first_map = replace(placed, coordinates=first)
                placed = lay_on_first(placed, first_map, self.lead_name)
                self.lead_name = placed.params.get("laid_on", "")
            coordinates = placed.coordinates.astype(np.float64)
        elif self.last is not None and self._is_as_before(here, neighbors):
            placed, coordinates = self.last, self.latest[here]
        else:
            before, kept = self.latest[here], share_in_common(self.listed, listed)[here]
            placed = self._place_after(projector, space, before, kept, nearest)
            coordinates = lay_on(placed.coordinates.astype(np.float64), before, kept)
        places = spread_out(step, coordinates)
        self.latest = np.where(np.isnan(places), self.latest, places) if self.places else places
        self.places.append(places)
        self.reach, self.listed, self.last = find_reach(coordinates, nearest), listed, placed
        self.here, self.neighbors = here, neighbors
        self.divergences.append(placed.stats.get("kl_divergence"))

    def _is_as_before(self, here: NDArray[np.int64], neighbors: Neighbors) -> bool:
        """Tell whether the points and their neighbors are those of the latest map but for rounding.

        A copy that is turned, or scaled, has the same map.
        """
        old = self.neighbors
        if old is None or not hasattr(self.projector, "count_neighbors"):
            return False
        if not np.array_equal(here, self.here) or old.indices.shape != neighbors.indices.shape:
            return False
        if (old.indices != neighbors.indices).mean() > ROUNDED:
            return False
        ways = [n.proportions[:, :FEW].astype(np.float64) for n in (old, neighbors)]
        first, second = (way / (way.mean() or 1.0) for way in ways)
        return np.allclose(first, second, rtol=ROUNDED, atol=1e-6)

    def _with_neighbors(self, neighbors: Neighbors) -> Any:
        """Return the projector with neighbors, where it looks at them and has none."""
        known = hasattr(self.projector, "count_neighbors") and hasattr(self.projector, "neighbors")
        return replace(self.projector, neighbors=neighbors) if known else self.projector

    def _place_after(
        self,
        projector: Any,
        space: Space,
        before: Places,
        kept: NDArray[np.float64],
        nearest: NDArray[np.int32],
    ) -> Projection:
        """Return the map of a later step: it goes on, begins at the step before, or anew.

        A map that goes on from a vague one is compared with one that begins at its places: the
        other is taken where it shows 15 % more of the neighbors, as when structure emerges
        from noise, which a map that holds together would not show.
        """
        if not np.isfinite(before).any() or not nearest.shape[1]:
            return place(projector, space)
        start = begin(before, kept, nearest, self.reach)
        begins = "initialization" in {f.name for f in fields(projector)}
        anew = replace(projector, initialization=start.places) if begins else projector
        if not start.goes_on or not hasattr(projector, "started_at"):
            return place(anew, space)
        settled = place(projector.started_at(start.places), space)
        if not start.is_vague:
            return settled
        other = place(anew, space)
        shown, could = (
            count_shown(p.coordinates.astype(np.float64), nearest) for p in (settled, other)
        )
        return other if could > MUCH_MORE * shown else settled

    def followed(self) -> Followed:
        """Return what became of the map."""
        assert self.last is not None
        params = dict(self.last.params)
        if self.lead_name:
            params["laid_on"] = self.lead_name
        if params.get("initialization") == "given":
            params["initialization"] = "the step before"
        coordinates = self.places[-1].astype(np.float32)
        last = replace(self.last, coordinates=coordinates, frames=None, params=params)
        known = any(value is not None for value in self.divergences)
        return Followed(
            last, self.places, {"kl_divergence": tuple(self.divergences)} if known else {}
        )


def _follow_all(tracks: Sequence[_Track], steps: Steps, plan: Plan) -> Steps:
    """Take all maps through the steps; return these with neighbors and figures.

    Only one step's vectors, and all neighbors that maps look at, are held at once.
    """
    usual: Seen = (plan.metric, "none")
    measured = []
    for step in steps.steps:
        progress.info("step %s", step.name)
        graphs: dict[Seen, Neighbors] = {}
        with telling_step(step):
            space = open_space(step.table).on(plan.device)
            for seen in dict.fromkeys([usual, *(track.seen for track in tracks)]):
                size = max([FEW, *(track.size for track in tracks if track.seen == seen)])
                graphs[seen] = find_here(step, space, size, seen, plan.seed)
            for track in tracks:
                track.go_on(step, space, graphs[track.seen])
        measured.append(with_neighbors(step, graphs[usual], len(steps.steps)))
    return with_figures(replace(steps, steps=tuple(measured)))


def _as_projection(
    followed: Followed, steps: Steps, kept: Sequence[NDArray[np.float64]]
) -> Projection:
    """Return the projection of the last step with all steps as frames."""
    last = followed.last
    overall, each = measure_motion(followed.places, kept, last.kind == "linear")
    figures = {**followed.figures, **each}
    frames = Frames(steps.names, fill_gaps(followed.places), figures, unit="step")
    stats = {**last.stats, "motion": overall}
    return replace(last, frames=frames, stats=stats, coordinates=frames.coordinates[-1])


def fill_gaps(places: Sequence[Places]) -> NDArray[np.float32]:
    """Return the places of all steps, float32 (n_steps, n_points, n_components), without gaps.

    A point has its last place where it is not there any more, and before it comes, its first.
    """
    filled = np.array(places)
    for order in (range(1, len(filled)), range(len(filled) - 2, -1, -1)):
        for i in order:
            other = filled[i - 1] if order.step > 0 else filled[i + 1]
            filled[i] = np.where(np.isnan(filled[i]), other, filled[i])
    return filled.astype(np.float32)


def _with_last_quality(projections: list[Projection], steps: Steps, plan: Plan) -> list[Projection]:
    """Return projections with the quality of the last step's picture."""
    last = steps.steps[-1]
    if last.neighbors is None:
        return projections
    space = open_space(last.table).on(plan.device)
    found = measure_qualities(space, projections, to_here(last, last.neighbors), plan.seed)
    return [with_quality(p, q) for p, q in zip(projections, found, strict=True)]


@contextmanager
def _saying_once() -> Iterator[None]:
    """Say once what is the same at every step."""
    said: set[str] = set()

    def is_new(record: logging.LogRecord) -> bool:
        text = record.getMessage()
        known = text in said
        said.add(text)
        return not known

    log.addFilter(is_new)
    try:
        yield
    finally:
        log.removeFilter(is_new)
