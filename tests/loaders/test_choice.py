"""Which tensor of a source is meant, by names and shapes alone: one rule for all formats."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embviz import LoadError
from embviz.loaders.choice import (
    choose_default,
    choose_tensor,
    find_closest,
    find_parts,
    match_name,
)
from embviz.loaders.opened import Source, Tensor


def named(name: str, *aliases: str, **fields: Any) -> Tensor:
    sides = fields.pop("sides", (9, 3))
    return Tensor(name, sides, "float32", lambda: np.ones(sides), aliases=aliases, **fields)


def test_the_first_rule_that_matches_decides():
    tensors = [named("emb"), named("a/emb"), named("b", "emb"), named("emb/embeddings")]
    assert [t.name for t in match_name(tensors, "emb")] == ["emb"]
    assert [t.name for t in match_name(tensors[1:], "emb")] == ["b"]
    assert [t.name for t in match_name([tensors[1], tensors[3]], "emb")] == ["a/emb"]
    assert [t.name for t in match_name(tensors[3:], "emb")] == ["emb/embeddings"]
    assert match_name(tensors, "mb") == []


def test_parts_are_found_by_the_end_of_their_common_name():
    tensors = [named("x/emb/part_0"), named("x/emb/part_1"), named("x/other/part_0")]
    for asked in ("x/emb", "emb", "emb:0"):
        assert [t.name for t in find_parts(tensors, asked)] == ["x/emb/part_0", "x/emb/part_1"]
    assert find_parts(tensors, "mb") == []


def test_the_closest_names_come_first_and_slots_after_their_table():
    tensors = [named("z/emb/Adam", role="slot"), named("z/emb"), named("q/kernel")]
    assert find_closest(tensors, "embb")[0] == "z/emb"


def test_names_of_any_length_are_compared_in_no_time():
    tensors = [named("ab" * 20_000 + str(i)) for i in range(200)]
    start = time.perf_counter()
    find_closest(tensors, "ba" * 20_000)
    assert time.perf_counter() - start < 2


def test_names_end_on_dots_as_on_slashes():
    tensors = [named("model.embed_tokens.weight"), named("model.lm_head.weight"), named("x.head")]
    assert [t.name for t in match_name(tensors, "embed_tokens")] == ["model.embed_tokens.weight"]
    assert [t.name for t in match_name(tensors, "lm_head.weight")] == ["model.lm_head.weight"]
    assert match_name(tensors, "tokens") == match_name(tensors, "_head") == []


def default(*tensors: Tensor, is_model: bool = True) -> list[str]:
    return [t.name for t in choose_default(Source(Path("x"), tensors, is_model=is_model))]


def test_of_a_model_tables_of_positions_come_after_those_of_words():
    words = named("embed_tokens.weight", sides=(9, 3))
    for other in (
        "embed_positions.weight",
        "wpe.weight",
        "embeddings.position_embeddings.weight",
        "embeddings.token_type_embeddings.weight",
        "vision.pos_embed",
        "embed_tokens.lora_embedding_B",
        "embed_tokens_per_layer.weight",
        "mlp.shared_expert.up_proj.weight",
    ):
        assert default(words, named(other, sides=(90, 3))) == [words.name]
    assert default(named("shared.weight"), named("decoder.w")) == ["shared.weight"]
    both = default(words, named("position_emb", sides=(90, 3)), is_model=False)
    assert both == ["embed_tokens.weight", "position_emb"]


def test_one_row_or_one_column_is_not_taken_where_there_is_another():
    for thin in ((1, 1), (1, 99), (99, 1)):
        one = named("embedding", sides=thin)
        assert default(one, named("fc")) == default(named("fc"), one) == ["fc"]
        assert default(replace(one, preferred=True), named("fc"), is_model=False) == ["fc"]
        assert default(one) == ["embedding"]
        # Arrays that someone saved together are what they are, a model's weights are not.
        beside = named("kernel", sides=(3, 3, 9), role="other")
        assert default(one, beside, is_model=False) == ["embedding"]
        source = Source(Path("x"), (one, beside), is_model=True)
        with pytest.raises(LoadError, match=r"no tensor .* several rows and columns; .*embedding"):
            choose_tensor(source, None)
        assert choose_tensor(source, "embedding") is one


def test_a_table_that_cannot_be_read_is_not_passed_over():
    def source(name: str, *sides: int, is_model: bool = True) -> Source:
        refusal = LoadError("x", "it is packed", "unpack it")
        odd = named(name, sides=sides, role="other", refusal=refusal)
        return Source(Path("x"), (odd, other), is_model=is_model)

    other = named("fc", sides=(9, 3))
    for barred in (source("odd", 20, 3), source("emb", 5, 3), source("emb", 5, 3, is_model=False)):
        assert choose_default(barred) == [barred.tensors[0]]
        with pytest.raises(LoadError, match="unpack it; or take another table: --tensor NAME"):
            choose_tensor(barred, None)
        assert choose_tensor(barred, "fc") is other
    for passed_over in (source("odd", 5, 3), source("emb", 3), source("odd", 20, 30)):
        assert choose_tensor(passed_over, None) is other
    words = replace(source("emb", 20, 3).tensors[0], dtype="string")
    assert choose_tensor(Source(Path("x"), (words, other), is_model=True), None) is other
    # Of arrays that are no model, size says nothing.
    assert choose_tensor(source("odd", 20, 3, is_model=False), None) is other
