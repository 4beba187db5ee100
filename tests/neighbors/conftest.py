"""Threads of several OpenMP runtimes that do not fight for the cores."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
