"""What is the same in every page: its modules and Plotly's script."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re

from embviz.report.shell import PLOTLY, TEMPLATES, modules, shell_size

# Of package/plotly-gl3d.min.js in npm's plotly.js-gl3d-dist-min 4.1.1.
PUBLISHED = "aab04dcd9c103a92b18723f8c837712fe820f325d0bcd2421e415e8124a75b9f"


def test_the_modules_in_a_page_are_the_files_that_the_tests_import() -> None:
    sources = json.loads(gzip.decompress(base64.b64decode(modules())))
    scripts = TEMPLATES / "js"
    assert "#js/main.js" in sources
    assert "#js/plot/plotly.js" in sources
    for name, source in sources.items():
        file = name.removeprefix("#js/")
        text, _, url = source.rpartition("\n//# sourceURL=")
        assert text == scripts.joinpath(*file.split("/")).read_text(encoding="utf-8")
        assert url == f"embviz/{file}\n"


def test_plotlys_script_is_the_published_one_of_the_version_that_the_page_knows() -> None:
    script = PLOTLY.read_bytes()
    assert hashlib.sha256(script).hexdigest() == PUBLISHED
    known = (TEMPLATES / "js" / "plot" / "plotly.js").read_text(encoding="utf-8")
    (version,) = re.findall(r"PLOTLY_VERSION = '([\d.]+)'", known)
    assert f"plotly.js (gl3d - minified) v{version}" in script[:200].decode()
    assert "MIT" in (TEMPLATES / "plotly" / "LICENSE.txt").read_text(encoding="utf-8")


def test_a_page_without_data_takes_little_more_than_a_megabyte() -> None:
    assert shell_size() < 1.3e6
