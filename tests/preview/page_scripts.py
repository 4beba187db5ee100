"""Asks the page's own modules, in Node.js, what a picture should have."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.test_javascript import find_node

ROOT = Path(__file__).parent.parent.parent
READ = """
import { readFileSync } from 'node:fs';
const given = JSON.parse(readFileSync(0, 'utf8'));
"""


def ask_page(script: str, given: Any = None) -> Any:
    """Return the JSON that a module prints: it has `given`, and sets `answer`."""
    done = subprocess.run(
        [
            find_node(),
            "--input-type=module",
            "-e",
            f"{READ}{script}\nprocess.stdout.write(JSON.stringify(answer));",
        ],
        cwd=ROOT,
        input=json.dumps(given),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)
