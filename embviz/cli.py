"""The command `embviz`: its commands, what it says on stderr, and its exit status.

Exit status 0 means done, 1 an input or output that cannot be used, 2 a request that cannot be
obeyed, 3 a condition of --fail-if that holds, 130 and the like a signal that stopped it.
"""

from __future__ import annotations

import errno
import io
import logging
import os
import sys
import threading
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

from embviz.commands.shared.lost import heed_lost_pages
from embviz.commands.shared.stopping import Stopping
from embviz.commands.shared.terminal import begin_progress, end_progress, listen, say
from embviz.errors import EmbvizError, LoadError, OutputError, printable, shell_line
from embviz.inputs import changed_input, check_inputs
from embviz.outputs.standard import (
    ClosedOutput,
    cannot_be_written,
    discard_standard_output,
    standard_output,
)

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


COMMANDS = {
    "project": "project",
    "neighbors": "neighbors.neighbors",
    "index": "index",
    "compare": "compare.compare",
    "info": "info",
    "demo": "demo",
    "sprite": "sprite",
    "export": "export",
}
"""The commands by name, with the module in `embviz.commands` that has a function of that name."""


class Commands(click.Group):
    """Imports a command when it is asked for, since an import takes longer than some answers."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"embviz.commands.{COMMANDS[cmd_name]}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            raise click.UsageError(_why_no_command(args[0]), ctx)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # Which click would take for a failure.
            return _leave_without_reader()


def _why_no_command(word: str) -> str:
    """Return what is wrong with a word where a command is expected, and what may be meant."""
    import difflib

    close = difflib.get_close_matches(word, COMMANDS, 1)
    if close and not os.path.lexists(word):
        return f"No such command '{word}'. Did you mean '{close[0]}'?"
    if os.path.isdir(word):
        kind = "a folder"
    elif os.path.lexists(word) or os.sep in word or "." in word:
        kind = "a file"
    else:
        return f"No such command '{word}'. There are: {', '.join(sorted(COMMANDS))}"
    meant = shell_line(["embviz", "project", word, "-o", "out.html"])
    return f"{word}: {kind} where a command is expected, such as: {meant}"


@click.group(cls=Commands, context_settings=CONTEXT, invoke_without_command=True)
@click.version_option(package_name="embviz", message="%(prog)s %(version)s")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Project embeddings and explore them in one self-contained HTML file

    \b
    Example:
      embviz project model.ckpt --method tsne -o out.html
    """
    if ctx.invoked_subcommand is None:
        with standard_output():
            click.echo(ctx.get_help())
    else:
        begin_progress(f"{ctx.invoked_subcommand}: reading")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit status.

    Args:
        arguments: What stands behind `embviz`; None is what the process was started with, whose
            signals are then heeded too.
    """
    # Two OpenMP runtimes that spin while waiting take each other's cores.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    _prepare_streams()
    listen(logging.getLogger("embviz"))
    if arguments is not None or threading.current_thread() is not threading.main_thread():
        status, line = _run(arguments)
        if line:
            say(line)
        return status
    stopping = Stopping()
    heed_lost_pages()
    try:
        stopping.begin()
        status, line = _run(None)
        if not stopping.asked:
            if line:
                say(line)
            stopping.rest(status)
            return status
    except BaseException:
        if not stopping.asked:
            raise
    stopping.end()


def _run(arguments: Sequence[str] | None) -> tuple[int, str]:
    """Run a command line and return its exit status and a line that says why it failed."""
    try:
        status = cli.main(arguments, prog_name="embviz", standalone_mode=False)
        _flush_output()
        check_inputs()
        return int(status or 0), ""
    except EmbvizError as error:
        return error.exit_code, f"embviz: {error}"
    except click.ClickException as error:
        return error.exit_code, f"embviz: {_as_line(error)}"
    except KeyboardInterrupt:
        return 130, "embviz: stopped"
    except click.Abort as error:
        if isinstance(error.__cause__, EOFError):
            raise error.__cause__ from None
        return 130, "embviz: stopped"
    except BrokenPipeError:
        return _leave_without_reader(), ""
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG and error.filename is not None:
            name = printable(os.fsdecode(error.filename), 60)
            return LoadError.exit_code, f"embviz: {name}: {os.strerror(error.errno)}"
        if not _is_from_click(error):
            return _blame_input(error)
        discard_standard_output()
        return OutputError.exit_code, f"embviz: {cannot_be_written(error)}"
    except Exception as error:
        return _blame_input(error)
    finally:
        end_progress()


def _blame_input(error: Exception) -> tuple[int, str]:
    """Return the status and line where a file that changed explains an error; else raise it."""
    changed = changed_input()
    if changed is None:
        raise error
    return changed.exit_code, f"embviz: {changed}"


def _is_from_click(error: OSError) -> bool:
    """Tell whether click met an error in writing its help, the one thing that it writes."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    return place is not None and place.tb_frame.f_globals.get("__name__") == "click.utils"


def _flush_output() -> None:
    if not isinstance(sys.stdout, ClosedOutput):
        with standard_output():
            pass


def _leave_without_reader() -> int:
    """Return the status where the reader of our output is gone: nobody is left to tell."""
    discard_standard_output()
    return 0


def _as_line(error: click.ClickException) -> str:
    """Return what click says of a command line that it cannot read, with a way out."""
    usage = getattr(error, "ctx", None)
    way_out = f"; see {usage.command_path} --help" if usage else ""
    if usage and isinstance(error, click.NoSuchOption) and _may_be_argument(error, usage):
        way_out = f"; put -- before an argument that begins with -{way_out}"
    return f"{error.format_message().rstrip('.')}{way_out}".replace("\n", " ")


def _may_be_argument(error: click.NoSuchOption, ctx: click.Context) -> bool:
    """Tell whether what is no option of a command may be meant as its argument."""
    takes = any(isinstance(param, click.Argument) for param in ctx.command.params)
    return takes and not error.option_name.startswith("--")


def _prepare_streams() -> None:
    """Make standard streams safe to use where they are closed or know few characters."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            # A file that is opened later would get the number, and what is meant for the stream.
            os.open(os.devnull, os.O_RDWR)
    if sys.stdout is None:
        sys.stdout = ClosedOutput()
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    sys.exit(main())
