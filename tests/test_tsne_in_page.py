"""The schedule of the page's t-SNE beside that of the command line."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from embviz.projections.tsne_descent import plan_phases
from tests.test_javascript import find_node

ROOT = Path(__file__).parent.parent
CODE = """import { planPhases, usualIterations } from '#js/numbers/tsne.js';
const [n, total] = process.argv.slice(-2).map(Number);
console.log(JSON.stringify(planPhases(n, total || usualIterations(n))));"""


@pytest.mark.parametrize("n", [4, 2999, 3000, 5000])
@pytest.mark.parametrize("total", [None, 1, 8, 301, 1000])
def test_the_page_runs_the_phases_of_the_command_line(n: int, total: int | None) -> None:
    told = subprocess.run(
        [find_node(), "--input-type=module", "-e", CODE, "--", str(n), str(total or 0)],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    phases = json.loads(told)
    expected = plan_phases(n, total)
    assert [(p["iterations"], p["momentum"]) for p in phases] == [
        (p.iterations, p.momentum) for p in expected
    ]
    assert [p["exaggeration"] for p in phases] == pytest.approx([p.exaggeration for p in expected])
