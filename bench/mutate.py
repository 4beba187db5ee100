"""Which faults in a folder's code would no test see?

    python bench/mutate.py embviz/templates/js/numbers --test "node --test tests/js/numbers"
    python bench/mutate.py embviz/space.py --count 20 --test "python -m pytest -q -x tests/test_space.py"

Makes faults one at a time in a copy of the tree, runs the tests there and prints those that they do
not see, with file and line. A seed repeats the choice of faults; a number limits it.

Kept libraries were looked at. mutmut 3 mutates within one forking pytest process, cosmic-ray runs
any command but knows Python only, Stryker wants Babel and its own runner in each file that it
mutates, which pages in a browser would have to carry; none takes a sample of a given size from
both languages, with tests that start commands, Node.js and a browser. The faults here are the
usual ones of theirs: comparisons, operators, constants, booleans, statements left out.
"""

from __future__ import annotations

import ast
import io
import os
import random
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

ROOT = Path(__file__).parent.parent
SWAPS = {
    "<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "==", "===": "!==", "!==": "===",
    "+": "-", "-": "+", "*": "/", "/": "*", "//": "*", "%": "*", "**": "*", "+=": "-=", "-=": "+=",
    "*=": "/=", "/=": "*=", "++": "--", "--": "++", "&&": "||", "||": "&&", "&": "|", "and": "or",
    "or": "and", "not": "", "!": "", "is": "is not", "in": "not in", "True": "False",
    "False": "True", "true": "false", "false": "true", "min": "max", "max": "min", "break": "continue",
    "continue": "break",
}  # fmt: skip
NUMBER = re.compile(r"\d[\d_]*(\.\d+)?([eE][+-]?\d+)?$")
# JavaScript: what is passed over, then numbers, names and operators.
SCRIPT = re.compile(
    r"""(?P<skip>//[^\n]*|/\*.*?\*/|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`)
    |(?P<regex>(?<=[(,=:\[!&|?{};\n])\s*/(?![/*])(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/[a-z]*)
    |(?P<token>\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?|[A-Za-z_$][\w$]*
    |=>|[=!]==|[<>=!+\-*/]=|\+\+|--|&&|\|\||\*\*|\?\?|[<>+\-*/%!&])""",
    re.S | re.X,
)
STATEMENT = re.compile(
    r"^ +(?!import|export|const|let|return|case|break|default)[\w$.\[].*;$", re.M
)


@dataclass(frozen=True)
class Fault:
    """A stretch of a file's text and what stands there instead."""

    path: Path
    start: int
    end: int
    instead: str

    def applied(self, text: str) -> str:
        return text[: self.start] + self.instead + text[self.end :]

    def describe(self, text: str, root: Path) -> str:
        line = text.count("\n", 0, self.start) + 1
        before = " ".join(text[self.start : self.end].split())
        return f"{self.path.relative_to(root)}:{line}: {before or 'nothing'} -> {self.instead or 'nothing'}"


def find_faults(path: Path) -> list[Fault]:
    """Return the faults that can be made in a Python or JavaScript file."""
    text = path.read_text(encoding="utf-8")
    found = _faults_of_python(text) if path.suffix == ".py" else _faults_of_script(text)
    return [Fault(path, start, end, instead) for start, end, instead in found]


def _instead(token: str) -> str | None:
    """Return what a token becomes; None where it stays."""
    if NUMBER.match(token):
        value = float(token.replace("_", ""))
        if value != int(value) or "e" in token.lower():
            return f"{value * 2:g}"
        return str(int(value) + 1)
    return SWAPS.get(token)


def _faults_of_python(text: str) -> Iterator[tuple[int, int, str]]:
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in (tokenize.OP, tokenize.NAME, tokenize.NUMBER):
            instead = _instead(token.string)
            if instead is not None:
                (row, column), (last, end) = token.start, token.end
                yield starts[row - 1] + column, starts[last - 1] + end, instead
    kept = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef, ast.If, ast.For, ast.While,
            ast.With, ast.Try, ast.Pass, ast.AnnAssign)  # fmt: skip
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.stmt) or isinstance(node, kept):
            continue
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        # Columns of the syntax tree are bytes.
        begin = starts[node.lineno - 1] + _characters(text, starts, node.lineno, node.col_offset)
        last, column = node.end_lineno or node.lineno, node.end_col_offset or 0
        yield begin, starts[last - 1] + _characters(text, starts, last, column), "pass"


def _characters(text: str, starts: list[int], line: int, column: int) -> int:
    """Return how many characters so many bytes of a line are."""
    content = text[starts[line - 1] : starts[line]]
    return len(content.encode("utf-8")[:column].decode("utf-8"))


def _faults_of_script(text: str) -> Iterator[tuple[int, int, str]]:
    skipped = []
    for token in SCRIPT.finditer(text):
        if token["token"] is None:
            skipped.append(token.span())
            continue
        instead = _instead(token["token"])
        if instead is not None:
            yield (*token.span(), instead)
    for line in STATEMENT.finditer(text):
        if not any(
            start < line.end() and line.start() < end and "\n" in text[start:end]
            for start, end in skipped
        ):
            yield line.start(), line.end(), ""


def is_code(path: Path, text: str) -> bool:
    """Return whether a changed file can still be read."""
    if path.suffix == ".py":
        try:
            compile(text, str(path), "exec")
        except (SyntaxError, ValueError):
            return False
        return True
    given = ["node", "--input-type=module", "--check", "-"]
    return subprocess.run(given, input=text, capture_output=True, text=True).returncode == 0


def copy_tree(root: Path, folder: Path) -> None:
    """Copy what git keeps or would keep of a tree."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root, capture_output=True, check=True,
    )  # fmt: skip
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (root / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, folder / name)


def passes(command: str, tree: Path, seconds: float) -> bool:
    """Return whether the tests pass in a tree; tests that hang do not."""
    env = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    given = [sys.executable if word == "python" else word for word in shlex.split(command)]
    process = subprocess.Popen(
        given, cwd=tree, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    try:
        return process.wait(seconds) == 0
    except subprocess.TimeoutExpired:
        return False
    finally:
        if process.poll() is None:
            os.killpg(process.pid, 9)
            process.wait()


def survivors(
    paths: list[Path], tree: Path, command: str, *, count: int, seed: int, seconds: float
) -> Iterator[tuple[str, bool]]:
    """Make faults in a tree one by one; yield what each is and whether the tests pass with it."""
    faults = [fault for path in paths for fault in find_faults(path)]
    random.Random(seed).shuffle(faults)
    made = 0
    for fault in faults:
        if made == count:
            return
        text = fault.path.read_text(encoding="utf-8")
        changed = fault.applied(text)
        if not is_code(fault.path, changed):
            continue
        made += 1
        fault.path.write_text(changed, encoding="utf-8", newline="\n")
        try:
            yield fault.describe(text, tree), passes(command, tree, seconds)
        finally:
            fault.path.write_text(text, encoding="utf-8", newline="\n")


@click.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--test", "command", required=True, help="Command that runs the tests")
@click.option("--count", default=25, show_default=True, help="Faults to make")
@click.option("--seed", default=0, show_default=True, help="For the choice of faults")
@click.option("--seconds", default=300.0, show_default=True, help="A test run that is longer fails")
def main(folders: tuple[Path, ...], command: str, count: int, seed: int, seconds: float) -> None:
    """Print the faults in some files or folders that a test command does not see."""
    with tempfile.TemporaryDirectory() as name:
        tree = Path(name).resolve()
        copy_tree(ROOT, tree)
        inside = [tree / folder.resolve().relative_to(ROOT.resolve()) for folder in folders]
        paths = sorted(
            path
            for folder in inside
            for path in ([folder] if folder.is_file() else folder.rglob("*"))
            if path.suffix in (".py", ".js")
        )
        if not passes(command, tree, seconds):
            raise click.ClickException(f"{command}: fails without any fault")
        alive = total = 0
        for what, lives in survivors(paths, tree, command, count=count, seed=seed, seconds=seconds):
            total += 1
            alive += lives
            print(f"{'SURVIVES' if lives else 'seen    '}  {what}", flush=True)
        print(f"{alive} of {total} faults survive")


if __name__ == "__main__":
    main()
