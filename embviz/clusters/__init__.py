"""Groups of points: clusters of a map and classes of metadata, their names and how true they are.

`docs/clusters.md` says how clusters are found, named and measured.
"""

from embviz.clusters.values import Partition

__all__ = ["Partition"]
