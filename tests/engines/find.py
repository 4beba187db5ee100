"""Where the other engines are, and how they get there."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

PACKAGES = ("firefox-esr", "webkit2gtk-driver", "xvfb")
TRIPLES = ("x86_64-linux-gnu", "aarch64-linux-gnu")
FOLDERS = ("webkit2gtk-4.1", "webkit2gtk-4.0", "webkitgtk-6.0")


def find_firefox() -> str | None:
    """Return the path of a Firefox where there is an Xvfb: EMBVIZ_FIREFOX, or one on the PATH."""
    named = os.environ.get("EMBVIZ_FIREFOX")
    found = named or shutil.which("firefox-esr") or shutil.which("firefox")
    return found if shutil.which("Xvfb") else None


def find_webkit() -> str | None:
    """Return the path of a MiniBrowser where there is an Xvfb: EMBVIZ_WEBKIT, or Debian's."""
    named = os.environ.get("EMBVIZ_WEBKIT")
    places = [Path("/usr/lib", t, f, "MiniBrowser") for t in TRIPLES for f in FOLDERS]
    places += [Path("/usr/libexec", f, "MiniBrowser") for f in FOLDERS]
    found = named or next((str(p) for p in places if p.exists()), None)
    return found if shutil.which("Xvfb") else None


FIND = {"firefox": find_firefox, "webkit": find_webkit}


def install_engines() -> None:
    """Install what is missing by the system's packages, where we may."""
    if all(find() for find in FIND.values()) or not shutil.which("apt-get"):
        return
    get = ["apt-get"] if os.geteuid() == 0 else ["sudo", "-n", "apt-get"]
    if subprocess.run([*get, "update", "-qq"], check=False).returncode == 0:
        quiet = ["install", "-y", "-qq", "--no-install-recommends"]
        subprocess.run([*get, *quiet, *PACKAGES], check=False)
