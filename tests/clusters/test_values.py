"""A partition is a value: its codes, names and figures belong together."""

from __future__ import annotations

import json

import numpy as np
import pytest

from embviz import PCA, EmbeddingTable, ParameterError, Part
from embviz.clusters.values import Partition, partition_entries
from embviz.report.payload import ReportOptions, build_payload

CODES = np.array([0, 1, -1, 0, 0])
PARTED = Partition(
    "cluster", "clusters", CODES, ("a", "b"), of="tsne", dims=2, inside=(0.5, None), measured=3,
    toward=(((1, 0.25),), ()), typical=((3, 0), (1,)),
)  # fmt: skip


def test_a_partition_knows_its_groups_members_and_texts() -> None:
    assert PARTED.sizes.tolist() == [3, 1]
    assert PARTED.members(0).tolist() == [0, 3, 4]
    assert PARTED.values() == ("a", "b", "", "a", "a")
    assert not PARTED.codes.flags.writeable


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"codes": [0, 2]}, "beyond its 2 names"),
        ({"codes": [-2, 0]}, "beyond its 2 names"),
        ({"names": ("a", "a")}, "of one name"),
        ({"names": ("a", "")}, "of none"),
        ({"inside": (1.0,)}, "inside of 1 of 2"),
        ({"kind": "x"}, "kind"),
    ],
)
def test_what_does_not_fit_together_is_refused(changed: dict[str, object], why: str) -> None:
    with pytest.raises(ParameterError, match=why):
        Partition(
            **{"column": "c", "kind": "classes", "codes": CODES, "names": ("a", "b")} | changed
        )


def test_the_manifest_has_an_entry_a_partition_of_plain_values() -> None:
    (entry,) = partition_entries([PARTED])
    assert json.loads(json.dumps(entry)) == {
        "column": "cluster", "kind": "clusters", "drawn": False, "of": "tsne", "dims": 2,
        "names": ["a", "b"], "sizes": [3, 1], "inside": [0.5, None], "toward": [[[1, 0.25]], []],
        "typical": [[3, 0], [1]], "neighbors": 10, "measured": 3,
    }  # fmt: skip


def test_partitions_of_a_part_travel_in_the_manifest() -> None:
    table = EmbeddingTable(np.eye(5, dtype=np.float32), {"cluster": PARTED.values()})
    part = Part(table, table, partitions=(PARTED,))
    manifest = build_payload(part, [PCA().project(table)], ReportOptions()).manifest
    assert manifest["partitions"] == partition_entries([PARTED])
