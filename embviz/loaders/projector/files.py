"""The files of a projector's folder: its config, and what that names, which stays in the folder."""

from __future__ import annotations

from pathlib import Path, PureWindowsPath

from embviz.errors import LoadError, printable
from embviz.inputs import open_file
from embviz.loaders.arrays.npy_header import MAGIC
from embviz.loaders.confined import is_within
from embviz.loaders.projector.config import FILE_NAME, ProjectorConfig
from embviz.loaders.projector.config_json import JSON_NAME

PLUGIN_FOLDER = Path("plugins", "org_tensorflow_tensorboard_projector")


def find_config(path: Path) -> Path | None:
    """Return the config file of a folder or of its one run, or of the file itself.

    Raises:
        LoadError: If several runs in the folder have one.
    """
    if path.is_dir():
        for name in (Path(FILE_NAME), PLUGIN_FOLDER / FILE_NAME, Path(JSON_NAME)):
            if (path / name).is_file():
                return path / name
        return _find_run(path)
    return path if path.is_file() else None


def _find_run(path: Path) -> Path | None:
    """Return the config of the one run that has one, as TensorBoard looks for runs in a logdir."""
    if any(path.glob("*.index")) or (path / "checkpoint").is_file():
        return None
    found = [*path.glob(f"*/{FILE_NAME}"), *path.glob(f"*/{PLUGIN_FOLDER}/{FILE_NAME}")]
    runs = sorted({config.relative_to(path).parts[0] for config in found})
    if len(runs) > 1:
        names = ", ".join(printable(str(path / run), 80) for run in runs[:8])
        raise LoadError(path, f"holds {len(runs)} runs", f"name one: {names}")
    return min(found) if found else None


def find_inside(config: ProjectorConfig, field: str, value: str) -> Path:
    """Return a path that a config names, which must stay in the config's folder.

    Raises:
        LoadError: If it is a URL, leads out of the folder, also by a link, or is no file.
    """
    what = f"{config.path}: {field} '{printable(value, 200)}'"
    if "://" in value:
        raise LoadError(what, "a URL, and nothing is fetched", "put the file into the folder")
    if "\0" in value or not value:
        raise LoadError(what, "not a path")
    beside = _find_beside(config, field, value)
    try:
        path = _confine(config, value, what)
    except LoadError as error:
        raise LoadError(what, error.why, beside or error.way_out) from None
    try:
        if path.is_file():
            return path
    except OSError as e:
        raise LoadError(what, f"cannot be read ({e.strerror})") from None
    way_out = {
        "metadata_path": "name another: --metadata FILE",
        "image_path": "name another: --sprite FILE; or remove it from the config",
    }.get(field, "paths are relative to the config's folder")
    raise LoadError(what, "no such file", beside or way_out)


def _find_beside(config: ProjectorConfig, field: str, value: str) -> str:
    """Say how a file in the config's folder that has the name of one elsewhere is given, or "".

    A config that was written on another machine, or for another folder, names what lies beside it.
    """
    name = PureWindowsPath(value).name
    file = config.path.parent / name
    try:
        if not name or not file.is_file():
            return ""
    except OSError:
        return ""
    option = {
        "metadata_path": f"--metadata {file}",
        "bookmarks_path": f"--bookmark {file}",
        "image_path": f"--sprite {file}",
    }
    if field not in option:
        try:
            _confine(config, name, name)
        except LoadError:
            return ""  # A link that leads out.
    way_out = option.get(field, f"correct it to '{name}'")
    return f"{name} lies beside the config: {way_out}"


def _confine(config: ProjectorConfig, value: str, what: str) -> Path:
    folder = config.path.parent
    out = LoadError(
        what,
        "leads out of the config's folder",
        f"put what it names into {folder} and give its path from there",
    )
    if value.startswith("~"):
        raise out
    path = folder / value.replace("\\", "/") if not (folder / value).exists() else folder / value
    try:
        confined = is_within(folder, path)
    except (OSError, RuntimeError, ValueError):
        raise LoadError(what, "cannot be resolved (a loop of links?)") from None
    if not confined:
        raise out
    return path


def find_checkpoint(config: ProjectorConfig, source: Path, needed: bool) -> Path | None:
    """Return the checkpoint a config names, or the folder that holds one: its own or the run."""
    if config.model_checkpoint_path:
        value = config.model_checkpoint_path
        what = f"{config.path}: model_checkpoint_path '{printable(value, 200)}'"
        return _confine(config, value, what)
    folder = config.path.parent
    for candidate in (folder, source if source.is_dir() else folder):
        if (candidate / "checkpoint").is_file() or any(candidate.glob("*.index")):
            return candidate
    if needed:
        raise LoadError(
            config.path,
            f"names no tensor_path, and {folder} holds no checkpoint",
            "give tensor_path, or model_checkpoint_path inside the folder",
        )
    return None


def is_npy(path: Path) -> bool:
    """Tell whether a tensor is a .npy file, as one version of PyTorch writes it."""
    with open_file(path) as file:
        return file.read(len(MAGIC)) == MAGIC


def is_utf8(path: Path) -> bool:
    """Tell whether a file begins as text does; gzip counts as text."""
    with open_file(path) as file:
        start = file.read(4096)
    if start[:2] == b"\x1f\x8b":
        return True
    try:
        start.decode("utf-8")
    except UnicodeDecodeError as e:
        return len(start) == 4096 and e.start > 4092
    return b"\0" not in start
