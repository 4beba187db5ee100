"""For pytest: `embedding_snapshot` fails a test whose vectors have moved away from a reference.

Nothing is imported of embviz before a test asks for the fixture.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from embviz.comparison.values import Comparison
    from embviz.model import Metric

FOLDER = "embedding_snapshots"
_WROTE = "embviz wrote"
_LONGEST = 100
_PROPERTY = "embviz"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the fixture."""
    group = parser.getgroup("embviz", "embedding snapshots")
    group.addoption(
        "--embviz-update",
        action="store_true",
        help="Write the references of embedding_snapshot anew, instead of comparing with them",
    )
    group.addoption(
        "--embviz-pages",
        metavar="DIR",
        help="Write the pages of failed comparisons into DIR, instead of each test's tmp_path",
    )


@pytest.fixture
def embedding_snapshot(request: pytest.FixtureRequest, tmp_path: Path) -> EmbeddingSnapshot:
    """Compare vectors with a small reference that is kept beside the test."""
    pages = request.config.getoption("embviz_pages")
    return EmbeddingSnapshot(
        folder=request.path.parent / FOLDER / request.path.stem,
        test=_file_name(request.node.nodeid.partition("::")[2]),
        pages=Path(request.config.invocation_params.dir, pages) if pages else tmp_path,
        update=bool(request.config.getoption("embviz_update")),
        written=request.node.user_properties,
    )


@dataclass(frozen=True)
class EmbeddingSnapshot:
    """What the fixture `embedding_snapshot` is: see `check`.

    Attributes:
        folder: Where the references of the test's module lie.
        test: The test's name as the name of a file.
        pages: Where the page of a comparison that fails is written.
        update: Whether references are written anew.
        written: What pytest is told of a test, to which the written files are added.
    """

    folder: Path
    test: str
    pages: Path
    update: bool
    written: list[tuple[str, object]]
    _names: list[str] = field(default_factory=list)

    def check(
        self,
        vectors: Any,
        labels: Sequence[str] | None = None,
        *,
        min_overlap: float = 0.6,
        min_matched: float = 1.0,
        metric: Metric = "cosine",
        name: str | None = None,
    ) -> Comparison | None:
        """Fail the test if the points' neighbors are not those of the reference.

        The reference is `embedding_snapshots/<module>/<test>.npz` beside the test: up to 1,000
        points in about a megabyte, chosen by their labels' hash. `pytest --embviz-update` writes
        it; a test without one fails.

        Args:
            vectors: (n_points, n_dims), or a table that `embviz.load_table` gives.
            labels: A name for each point, by which points are found again whatever their order;
                without labels they are the same by row, and there are to be as many.
            min_overlap: The mean share of the 10 nearest that are to be the same, 0 to 1.
            min_matched: The share of the reference's points that are to be there still, 0 to 1.
            metric: What near means, `cosine` or `euclidean`.
            name: A name for the reference, where a test has several; else they are counted.

        Returns:
            What changed, as `embviz.compare` gives it; None where the reference was written.

        Raises:
            EmbvizError: If a value is none that can be compared.
        """
        __tracebackhide__ = True
        from embviz.snapshots import as_table, judge, make_reference, read_reference

        path = self._path(name)
        table = as_table(vectors, labels)
        if self.update:
            self._write(path, make_reference(table))
            return None
        if not path.exists():
            pytest.fail(
                f"there is no reference {path.name} in {path.parent}: "
                "pytest --embviz-update writes it",
                pytrace=False,
            )
        verdict = judge(read_reference(path), table, min_overlap, min_matched, metric)
        if verdict.faults:
            pytest.fail("\n".join(self._told(path, verdict)), pytrace=False)
        return verdict.comparison

    def _path(self, name: str | None) -> Path:
        name = f"{len(self._names) + 1}" if name is None else _file_name(str(name))
        if name in self._names:
            raise ValueError(f"embedding_snapshot: the name '{name}' is given twice in one test")
        self._names.append(name)
        return self.folder / f"{self.test}{'' if name == '1' else f'-{name}'}.npz"

    def _write(self, path: Path, reference: Any) -> None:
        from embviz.outputs.files import write_file
        from embviz.snapshots import encode_reference

        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, encode_reference(reference))
        self.written.append((_PROPERTY, f"{_WROTE} {path}"))

    def _told(self, path: Path, verdict: Any) -> Iterator[str]:
        """Yield what went wrong, what changed most, the comparison's page, and what can be done."""
        from embviz.errors import printable

        yield from (f"embedding snapshot {path.stem}: {fault}" for fault in verdict.faults)
        if verdict.comparison is not None:
            from embviz.export.changes import most_changed
            from embviz.report.comparison import write_comparison

            for change in most_changed(verdict.comparison, 5):
                came = ", ".join(printable(label, 24) for label, _ in change.came[:3])
                yield f"  {printable(change.label, 40)}: {change.overlap10:.0%} kept; came: {came}"
            self.pages.mkdir(parents=True, exist_ok=True)
            page = self.pages / f"{self.folder.name}.{path.stem}.html"
            write_comparison(page, verdict.comparison)
            yield f"the comparison: {page}"
        yield "pytest --embviz-update takes these vectors as the new reference"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Name the references that were written, also those of other processes."""
    reports = [r for some in terminalreporter.stats.values() for r in some]
    found = [getattr(report, "user_properties", ()) for report in reports]
    lines = dict.fromkeys(str(v) for some in found for k, v in some if k == _PROPERTY)
    for line in sorted(lines):
        terminalreporter.write_line(line)


def _file_name(text: str) -> str:
    """Return a text as the name of a file anywhere; what is changed or cut is told by a hash."""
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "_", text.replace("::", ".")).strip("._")[:_LONGEST]
    if plain == text.replace("::", "."):
        return plain
    return f"{plain}-{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
