"""Projectors by name, with their fields as options."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pytest

from embviz.errors import ParameterError
from embviz.model import Projection
from embviz.projections import PCA, TSNE, UMAP
from embviz.projections.methods import field_names, find_projector, option_types, parse_method


@dataclass(frozen=True)
class Mine:
    """A projector as a package would have it."""

    n_components: int = 2
    power: float = 1.5
    start: Literal["pca", "random"] = "pca"
    flip: bool = False
    name: str = "x"
    steps: int | None = None
    weights: np.ndarray[Any, Any] | None = None

    def project(self, table: Any) -> Projection:
        return Projection("mine", np.zeros((table.n_points, self.n_components), np.float32))


@pytest.mark.parametrize(
    ("text", "projector", "options"),
    [
        ("tsne", TSNE, {}),
        ("tsne:perplexity=5", TSNE, {"perplexity": 5.0}),
        ("umap:n_neighbors=30,min-dist=0.25", UMAP, {"n_neighbors": 30, "min_dist": 0.25}),
        ("umap:n_neighbors=none", UMAP, {"n_neighbors": None}),
        ("pca:n_components=4,normalize=sphere", PCA, {"n_components": 4, "normalize": "sphere"}),
        (f"{__name__}:Mine", Mine, {}),
        (
            f"{__name__}:Mine:power=2,start=random,flip=true,name=a:b,steps=7",
            Mine,
            {"power": 2.0, "start": "random", "flip": True, "name": "a:b", "steps": 7},
        ),
    ],
)
def test_a_method_is_a_name_and_fields_of_the_types_that_they_have(text, projector, options):
    method = parse_method(text)
    assert method.projector is projector
    assert method.options == options
    assert {k: type(v) for k, v in method.options.items()} == {
        k: type(v) for k, v in options.items()
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "umpa",
            "there is no such method; close to it: umap; one of pca, tsne, umap, pacmap, localmap,",
        ),
        ("umap:neighbours=3", r"no field 'neighbours'; one of n_components, n_neighbors, min_dist"),
        ("tsne:initialization=3", "no field 'initialization'"),
        ("umap:n_neighbors=3.5", r"n_neighbors is to be a whole number, none, not '3.5'"),
        ("tsne:perplexity=much", "perplexity is to be a number, none, not 'much'"),
        ("tsne:metric=cos", "metric is to be cosine, euclidean, not 'cos'"),
        ("tsne:perplexity=3,perplexity=4", "perplexity is given twice"),
        ("tsne:perplexity=3,4", "'4' is no field=value"),
        ("tsne:perplexity", "'perplexity' is no field=value"),
        ("tsne:5", "'5' is no field=value"),
        (f"{__name__}:Mine:flip=maybe", "flip is to be true or false, not 'maybe'"),
        (f"{__name__}:field_names", "has no method 'project'"),
        (f"{__name__}:MINE", "what it names is no class"),
        ("embviz.nowhere:X", "cannot be loaded"),
        ("", "is not understood"),
    ],
)
def test_what_is_no_method_is_refused_with_what_there_is(text, told):
    with pytest.raises(ParameterError, match=told):
        parse_method(text)


MINE = Mine()


def test_fields_that_cannot_be_written_in_a_line_are_no_options():
    assert "weights" in field_names(Mine)
    assert "weights" not in option_types(Mine)
    assert "neighbors" not in option_types(find_projector("umap"))
