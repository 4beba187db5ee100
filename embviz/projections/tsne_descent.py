"""The descent of t-SNE: its schedule, its steps, and what is recorded on the way."""

from __future__ import annotations

import logging
import math
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embviz.errors import ParameterError
from embviz.model import Frames

log = logging.getLogger("embviz")
progress = logging.getLogger("embviz.progress")

EARLY_EXAGGERATION, EARLY_MOMENTUM = 12, 0.8
ANNEALING = tuple(float(e) for e in np.geomspace(4, 1, 20))  # Exaggeration between.
SETTLING = tuple(float(e) for e in np.geomspace(2, 1, 10))  # Exaggeration of a settled map.
SETTLING_ITERATIONS, SETTLING_END = 250, 1 / 5
FAST_POINTS = 3000
N_FRAMES, FEW_FRAMES = 30, 16  # FEW_FRAMES of many points, each of which takes room and time.
INITIAL_DEVIATION = 1e-4  # Of the first component; Kobak and Berens 2019.
LONGEST_STEP = 5.0  # In the map's unit; keeps points from shooting off.
SLOW_POINTS = 20_000
MANY_POINTS = 50_000
LAST_EXTENT = 50.0  # Of a map of many points in 3D, or less; most of the time it has about half.
PROGRESS_SECONDS = 0.1


@dataclass(frozen=True)
class Phase:
    """Iterations under one exaggeration and momentum.

    `near` tells that the affinities of near neighbors alone attract (`tsne_near`).
    """

    iterations: int
    exaggeration: float
    momentum: float
    near: bool = False

    def rate(self, n_points: int) -> float:
        """Return the learning rate (Belkina et al. 2019)."""
        return n_points / self.exaggeration


@dataclass(frozen=True)
class Schedule:
    """Iterations, the shares of them after which exaggeration is 4 and 1, and momenta then."""

    iterations: int
    early_end: float
    annealing_end: float
    annealing_momentum: float
    late_momentum: float


# Fewer points would be thrown about by a high momentum; many need it to spread in few iterations.
FEW = Schedule(750, 2 / 15, 8 / 15, 0.8, 0.8)
MANY = Schedule(300, 1 / 5, 13 / 30, 0.9, 0.95)
# From so many points on near neighbors alone attract but in this share of iterations, the last.
NEAR_POINTS, WHOLE = 10_000, 1 / 10
# Groups lie where they belong already; but a map of very many points has far to spread.
VERY_MANY_POINTS, MORE_ITERATIONS = 200_000, 200
COARSE = Schedule(140, 1 / 10, 3 / 10, 0.9, 0.97)


def plan_phases(n_points: int, total: int | None = None) -> list[Phase]:
    """Return the first phase at exaggeration 12, those while it falls, and the last at 1.

    A map settles in a lower minimum when exaggeration falls slowly than when it ends at once: by 1
    to 8 % of the divergence in bench/few_points.py. From 10,000 points on the last is two phases,
    and only in the second of these do others than near neighbors attract.

    Args:
        n_points: Of the map.
        total: Iterations in all; None is 300, or 750 of few points.
    """
    return _plan(FEW if n_points < FAST_POINTS else MANY, n_points, total)


def plan_coarse(n_points: int, total: int | None = None) -> list[Phase]:
    """Return the same for a map that begins from one of a sample of its points.

    Args:
        n_points: Of the map.
        total: Iterations in all; None is 140, or 200 from 200,000 points on.
    """
    if total is None and n_points >= VERY_MANY_POINTS:
        total = MORE_ITERATIONS
    return _plan(COARSE, n_points, total)


def _plan(schedule: Schedule, n_points: int, total: int | None) -> list[Phase]:
    total = schedule.iterations if total is None else total
    early, late = round(total * schedule.early_end), round(total * schedule.annealing_end)
    ends = [early + (late - early) * i // len(ANNEALING) for i in range(len(ANNEALING) + 1)]
    many = n_points >= NEAR_POINTS
    falling = [
        Phase(end - start, e, schedule.annealing_momentum, many)
        for e, start, end in zip(ANNEALING, ends, ends[1:], strict=False)
    ]
    whole = round(total * WHOLE) if many else total - late
    last = [Phase(whole, 1, schedule.late_momentum)]
    if many:
        last.insert(0, Phase(total - late - whole, 1, schedule.late_momentum, near=True))
    return [Phase(early, EARLY_EXAGGERATION, EARLY_MOMENTUM, many), *falling, *last]


def plan_settling(n_points: int, total: int | None = None) -> list[Phase]:
    """Return phases that leave a settled map where it is: exaggeration falls from 2 to 1.

    Measured on digits, words and blobs whose vectors got noise or were exchanged, with points out
    of place put beside their neighbors first: those whose neighbors stay move by 2 to 9 % of the
    map's spread, where another start moves them by 25 to 70 %, and the divergence is 0.98 to 1.03
    of it. It is 1.05 to 1.2 of it where neighbors are hardly seen in the map, as of noise or of
    words of little text: a better map would be another one altogether. Without exaggeration points
    stay even more, and the divergence is up to 1.25 of it; at 12 they move by a third.

    Args:
        n_points: Of the map.
        total: Iterations in all; None is 250.
    """
    total = SETTLING_ITERATIONS if total is None else total
    early = round(total * SETTLING_END)
    ends = [early * i // len(SETTLING) for i in range(len(SETTLING) + 1)]
    momentum = FEW.late_momentum if n_points < FAST_POINTS else MANY.annealing_momentum
    falling = zip(SETTLING, ends, ends[1:], strict=False)
    return [
        *(Phase(end - start, e, momentum) for e, start, end in falling),
        Phase(total - early, 1, momentum),
    ]


@dataclass(eq=False)
class Descent:
    """Gradient descent with momentum and a gain for each coordinate (Jacobs 1988).

    Args:
        points: float64 (n_points, n_components), the start; changed in place.
        gradient: Of the divergence; `tsne_gradient.Gradient`, or that of a device.
        total: Iterations in all.
    """

    points: Any
    gradient: Any
    total: int
    done: int = 0
    recorded: list[tuple[int, float, NDArray[np.float32]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.begin()
        n_frames = N_FRAMES if self.n_points() < MANY_POINTS else FEW_FRAMES
        self.every = max(1, math.ceil(self.total / n_frames))
        self.said = -math.inf
        self.record(self.gradient.divergence(self.points))
        if self.is_slow():
            self.announce()

    def begin(self) -> None:
        """Make what a step keeps for the next."""
        self.update = np.zeros_like(self.points)
        self.gains = np.ones_like(self.points)
        self.spare = np.empty((2, *self.points.shape))  # Memory that is new costs more than a sum.

    def n_points(self) -> int:
        """Return how many points there are."""
        return len(self.points)

    def is_slow(self) -> bool:
        """Tell whether it takes long enough for its time to be told before."""
        return self.points.shape[1] == 3 and len(self.points) > SLOW_POINTS

    def places(self) -> NDArray[np.float64]:
        """Return where the points are, float64 (n_points, n_components)."""
        return np.asarray(self.points)

    def announce(self) -> None:
        """Say how long it will take, after timing one gradient."""
        # A map at its end: a grid costs by the map's extent.
        scale = LAST_EXTENT / max(float(np.ptp(self.points, axis=0).max()), INITIAL_DEVIATION)
        begun = time.monotonic()
        self.gradient(self.points * scale)
        seconds = (time.monotonic() - begun) * self.total
        text = f"{seconds / 60:.0f} minutes" if seconds > 90 else f"{seconds:.0f} seconds"
        log.info("t-SNE in 3D: about %s for %s points", text, f"{len(self.points):,}")

    def run(self, phase: Phase) -> None:
        """Run one phase."""
        rate = phase.rate(self.n_points())
        for _ in range(phase.iterations):
            is_frame = self.done > 0 and self.done % self.every == 0
            gradient, divergence = self.gradient(
                self.points, phase.exaggeration, with_divergence=is_frame, near=phase.near
            )
            if is_frame:
                self.record(divergence)
            if time.monotonic() - self.said >= PROGRESS_SECONDS:
                self.tell()
            self.step(gradient, phase.momentum, rate)
            self.done += 1

    def step(self, gradient: NDArray[np.float64], momentum: float, rate: float) -> None:
        """Take one step, as in openTSNE."""
        # A gain grows by 0.2 where the sign turns, and is 0.8 of itself and 0.01 where it does not.
        spare, other = self.spare
        np.multiply(self.update, gradient, out=spare)
        np.greater(spare, 0, out=spare)
        np.multiply(spare, -0.2, out=other)
        other += 1
        self.gains *= other
        spare *= -0.19
        spare += 0.2
        self.gains += spare
        self.update *= momentum
        np.multiply(self.gains, rate, out=spare)
        spare *= gradient
        self.update -= spare
        if np.abs(self.update, out=spare).max() > LONGEST_STEP / math.sqrt(3):
            squares = np.einsum("ij,ij->i", self.update, self.update)
            long = np.flatnonzero(squares > LONGEST_STEP**2)
            self.update[long] *= (LONGEST_STEP / np.sqrt(squares[long]))[:, None]
        self.points += self.update
        # Many times as quick as along the other axis.
        middle = np.ascontiguousarray(self.points.T).mean(axis=1)
        for c, mean in enumerate(middle):
            self.points[:, c] -= mean
        self.enlarge()

    def enlarge(self) -> None:
        """Bring a map that shrinks to one place back to about the start's deviation.

        Within so small a map a step is linear in the points, so that its unit does not matter, and
        the divergence is that of one place to 1e-8; but points that round to one place stay there.
        A power of two rounds nothing.
        """
        deviation = self.deviation()
        if 0 < deviation < INITIAL_DEVIATION / 10:
            factor = 2.0 ** round(math.log2(INITIAL_DEVIATION / deviation))
            self.points *= factor
            self.update *= factor

    def deviation(self) -> float:
        """Return how far the points are from their middle, the root of the mean square."""
        return math.sqrt(float(np.einsum("ij,ij->", self.points, self.points)) / len(self.points))

    def tell(self) -> None:
        """Tell the progress, with the divergence of the last frame."""
        self.said = time.monotonic()
        text = "t-SNE: iteration %d of %d, KL %.2f"
        progress.info(text, self.done + 1, self.total, self.recorded[-1][1])

    def record(self, divergence: float) -> None:
        """Keep the points as a frame."""
        loss = round(divergence, 5) + 0.0  # Not -0.0.
        frame = (self.done, loss, self.places().astype(np.float32))
        self.recorded.append(frame)

    def finish(self) -> tuple[NDArray[np.float32], float]:
        """Record the last frame; return its coordinates, float32, and KL divergence.

        Raises:
            ParameterError: If the coordinates left the range of numbers.
        """
        if not np.isfinite(self.places()).all():
            raise ParameterError("t-SNE", "the coordinates left the range of numbers")
        self.record(self.gradient.divergence(self.points))
        _, divergence, coordinates = self.recorded[-1]
        return coordinates, divergence

    def frames(self) -> Frames:
        """Return what was recorded."""
        iterations, losses, coordinates = zip(*self.recorded, strict=True)
        steps, figures = tuple(map(str, iterations)), {"kl_divergence": losses}
        return Frames(steps, np.stack(coordinates), figures, unit="iteration")
