"""The view that a report opens with as a picture, drawn without a browser.

The page's own scripts place and blend points; what is here does the same with NumPy, and tests hold
both together.
"""

from __future__ import annotations

from embviz.preview.frame import encode_preview, write_preview

__all__ = ["encode_preview", "write_preview"]
