"""The command `embviz`: its commands, what it says on stderr, and its exit status.

Exit status 0 means done, 1 an input or output that cannot be used, 2 a request that cannot be
obeyed.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from importlib import import_module

import click

from embviz.commands.shared.terminal import listen
from embviz.errors import EmbvizError

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


COMMANDS = {
    "project": "project",
    "neighbors": "neighbors.neighbors",
    "index": "index",
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


@click.group(cls=Commands, context_settings=CONTEXT)
@click.version_option(package_name="embviz", message="%(prog)s %(version)s")
def cli() -> None:
    """Project embeddings and explore them in one self-contained HTML file

    \b
    Example:
      embviz project model.ckpt --method tsne -o out.html
    """


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    # Two OpenMP runtimes that spin while waiting take each other's cores.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    listen(logging.getLogger("embviz"))
    try:
        return int(cli.main(arguments, prog_name="embviz", standalone_mode=False) or 0)
    except EmbvizError as error:
        _say(str(error))
        return error.exit_code
    except click.ClickException as error:
        usage = getattr(error, "ctx", None)
        way_out = f"; see {usage.command_path} --help" if usage else ""
        if usage and isinstance(error, click.NoSuchOption) and _may_be_argument(error, usage):
            way_out = f"; put -- before an argument that begins with -{way_out}"
        _say(f"{error.format_message().rstrip('.')}{way_out}".replace("\n", " "))
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        _say("stopped")
        return 130
    except BrokenPipeError:
        # The reader of our output is gone; there is nobody left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _may_be_argument(error: click.NoSuchOption, ctx: click.Context) -> bool:
    """Tell whether what is no option of a command may be meant as its argument."""
    takes = any(isinstance(param, click.Argument) for param in ctx.command.params)
    return takes and not error.option_name.startswith("--")


def _say(text: str) -> None:
    click.echo(f"embviz: {text}", err=True)


if __name__ == "__main__":
    sys.exit(main())
