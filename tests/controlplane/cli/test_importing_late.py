"""A command that only asks a server does not wait for what only the server needs."""

import subprocess
import sys

HEAVY = ("boto3", "fastapi", "numpy", "scipy", "sqlalchemy", "controlplane.declarations.load")


def test_the_command_line_imports_late() -> None:
    code = "import sys, controlplane.cli; print(*sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(HEAVY) & set(told.stdout.split())
