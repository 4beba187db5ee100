"""TensorBoard's bookmark files: a JSON array of saved views (`State` objects).

The fields are those of tensorboard/plugins/projector/vz_projector/data.ts, from 2017 to now.
"""

from embviz.bookmarks.files import encode_bookmarks, read_bookmarks, write_bookmarks
from embviz.bookmarks.views import (
    MOST_POINTS,
    chooses_components,
    complete_view,
    make_bookmark,
    moves_on,
    show_components,
)

__all__ = [
    "MOST_POINTS",
    "chooses_components",
    "complete_view",
    "encode_bookmarks",
    "make_bookmark",
    "moves_on",
    "read_bookmarks",
    "show_components",
    "write_bookmarks",
]
