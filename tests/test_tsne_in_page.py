"""The page's t-SNE in Node.js against openTSNE's defaults, whose divergences tests/data holds."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.datasets import load_digits

from tests.data.make_fixtures import FOLDER, divergence, exact_affinities
from tests.test_javascript import find_node

ROOT = Path(__file__).parent.parent
CASES = json.loads((FOLDER / "tsne.json").read_text(encoding="utf-8"))["cases"]


@pytest.mark.parametrize("n", [400, 1000])
def test_the_divergence_of_hundreds_of_digits_is_no_higher_than_that_of_opentsne(n: int) -> None:
    (case,) = (case for case in CASES if case["n"] == n)
    rows = load_digits().data[:n]
    given = {"rows": rows.tolist(), "options": {"perplexity": case["perplexity"]}}
    done = subprocess.run(
        [find_node(), str(ROOT / "tests/js/numbers/run_tsne.js")],
        cwd=ROOT,
        input=json.dumps(given),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        check=True,
    )
    found = json.loads(done.stdout)
    shape = (n, n)
    ours = csr_matrix((found["weights"], found["others"], found["starts"]), shape=shape).toarray()
    wanted = exact_affinities(rows, case["perplexity"])
    np.testing.assert_allclose(ours, wanted, atol=1e-8)
    kl = divergence(wanted, np.array(found["points"]).reshape(n, 2))
    assert found["kl"] == pytest.approx(kl, rel=1e-3)
    assert kl <= 1.01 * case["kl"]
