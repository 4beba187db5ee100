"""Wrote the files beside this one, and what is in them (onnx 1.23).

    python make_files.py

onnx is too large to be installed for the tests.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = Path(__file__).parent
N, D = 120, 24
random = np.random.default_rng(1)
table = random.normal(size=(N, D)).astype(np.float32)
half = random.normal(size=(N, 6)).astype(np.float16)
typed = np.array([[1, 2], [3, 4], [5, 6]], np.float32)
graph = helper.make_graph(
    [helper.make_node("Gather", ["emb.weight", "ids"], ["y"])],
    "g",
    [helper.make_tensor_value_info("ids", TensorProto.INT64, [None])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, D])],
    [
        numpy_helper.from_array(table, "emb.weight"),
        numpy_helper.from_array(half, "half"),
        helper.make_tensor("typed", TensorProto.FLOAT, [3, 2], typed.ravel().tolist()),
    ],
)
onnx.save(helper.make_model(graph), str(HERE / "model.onnx"))
onnx.save(
    helper.make_model(graph),
    str(HERE / "external.onnx"),
    save_as_external_data=True,
    location="external.onnx.data",
    size_threshold=100,
)
wanted = {
    name: {
        "shape": list(array.shape),
        "sha256_float32": hashlib.sha256(array.astype("<f4").tobytes()).hexdigest(),
    }
    for name, array in (("emb.weight", table), ("half", half), ("typed", typed))
}
(HERE / "expected.json").write_text(json.dumps(wanted, indent=1) + "\n", encoding="utf-8")
