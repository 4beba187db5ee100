from __future__ import annotations

import re
import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from embviz.errors import EmbvizError
from embviz.loaders import load_table
from embviz.loaders.formats import find_format
from embviz.loaders.projector.config import read_config
from embviz.loaders.text.blocks import make_plain, read_block
from embviz.loaders.text.layout import find_layout
from embviz.loaders.text.lines import read_lines
from embviz.loaders.text.sample import Sample

RNG = np.random.default_rng(8)
ROWS = [" ".join(f"{x:.4g}" for x in row) for row in RNG.normal(size=(24, 4))]
FILES = {
    "x.txt": "".join(f"w{i} {row}\n" for i, row in enumerate(ROWS)),
    "x.vec": "24 4\n" + "".join(f"w.{i} {row}\n" for i, row in enumerate(ROWS)),
    "x.tsv": "a\tb\tc\td\n" + "".join(row.replace(" ", "\t") + "\n" for row in ROWS),
    "x.csv": "".join(f'"a, {i}",' + row.replace(" ", ",") + "\r\n" for i, row in enumerate(ROWS)),
    "y.tsv": "".join(f'"a {i}"\t' + row.replace(" ", "\t") + "\n" for i, row in enumerate(ROWS)),
    "z.txt": '"A" "B" "C" "D"\n' + "".join(f'"a {i}" {row}\n' for i, row in enumerate(ROWS)),
    "c.csv": "".join(f'a{i},"[{row}]",{i}.5\n' for i, row in enumerate(ROWS)),
    "d.csv": "w;a;b;c;d\n"
    + "".join(f"a{i};{row.replace('.', ',').replace(' ', ';')}\n" for i, row in enumerate(ROWS)),
}
CONFIG = b"""# c
embeddings { tensor_name: "a\\tb" tensor_path: 't.tsv' tensor_shape: [3, 2]
  sprite { image_path: "s" "." "png" single_image_dim: 8; single_image_dim: 8 } }
embeddings: < metadata_path: "m" > model_checkpoint_path: "x"
"""
edits = st.lists(
    st.tuples(
        st.floats(0, 1),
        st.integers(0, 6),
        st.one_of(
            st.binary(max_size=6),
            st.sampled_from(
                [
                    b"\t",
                    b"\n",
                    b" ",
                    b"\r",
                    b",",
                    b'"',
                    b"e",
                    b".",
                    b"-",
                    b"\0",
                    b"nan",
                    b"  ",
                    b"#",
                ]
            ),
        ),
    ),
    max_size=6,
)


def mutate(raw: bytes, changes: list[tuple[float, int, bytes]]) -> bytes:
    for where, cut, new in changes:
        at = int(where * len(raw))
        raw = raw[:at] + new + raw[at + cut :]
    return raw


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(sorted(FILES)), edits)
def test_a_mutated_text_is_read_or_refused_with_its_name(
    name: str, changes: list[tuple[float, int, bytes]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(mutate(FILES[name].encode(), changes))
        said = ""
        try:
            table = load_table(path)
        except EmbvizError as e:
            said = str(e)
        if not said and find_format(path).name == "word2vec_binary":
            return  # A NUL behind two counts.
        if said:
            assert name in said
            assert "\n" not in said
        else:
            missing = re.search(
                rb"(?m)nan|inf|(?:^|[\t,])\s*(?:[\t,\r\n]|$)", path.read_bytes().lower()
            )
            assert np.isfinite(np.asarray(table.vectors[0 : table.n_points])).all() or missing
            assert table.n_points <= 100


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(FILES)), edits)
def test_blocks_and_single_lines_are_read_alike(
    name: str, changes: list[tuple[float, int, bytes]]
) -> None:
    raw = mutate(FILES[name].encode().replace(b"\r", b""), changes).replace(b"\r", b"") + b"\n"
    lines = [line for line in raw.split(b"\n") if line.strip()]
    try:
        layout = find_layout(Sample(tuple(lines)), None, "x")
    except EmbvizError:
        return
    body = b"".join(line + b"\n" for line in lines[layout.n_header :])
    plain = make_plain(body, layout) if body and layout.cell is None else b""
    for block in (read_block(text, layout) for text in (body, plain) if text):
        if block is None:
            continue
        values, columns, faults = read_lines(body, layout, 1, "x")
        assert faults.counts == {}
        np.testing.assert_array_equal(block[0], values)
        assert block[1] == columns


@settings(max_examples=300, deadline=None)
@given(edits)
def test_a_mutated_config_is_read_or_refused(changes: list[tuple[float, int, bytes]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "projector_config.pbtxt")
        path.write_bytes(mutate(CONFIG, changes))
        said = path.name
        try:
            read_config(path)
        except EmbvizError as e:
            said = str(e)
        assert path.name in said
