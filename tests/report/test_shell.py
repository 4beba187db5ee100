"""What is the same in every page."""

from __future__ import annotations

import hashlib
import re

from embviz.report.shell import PLOTLY, TEMPLATES

# Of package/plotly-gl3d.min.js in npm's plotly.js-gl3d-dist-min 4.1.1.
PUBLISHED = "aab04dcd9c103a92b18723f8c837712fe820f325d0bcd2421e415e8124a75b9f"


def test_plotlys_script_is_the_published_one_of_the_version_that_the_page_knows() -> None:
    script = PLOTLY.read_bytes()
    assert hashlib.sha256(script).hexdigest() == PUBLISHED
    known = (TEMPLATES / "js" / "plot" / "plotly.js").read_text(encoding="utf-8")
    (version,) = re.findall(r"PLOTLY_VERSION = '([\d.]+)'", known)
    assert f"plotly.js (gl3d - minified) v{version}" in script[:200].decode()
    assert "MIT" in (TEMPLATES / "plotly" / "LICENSE.txt").read_text(encoding="utf-8")
