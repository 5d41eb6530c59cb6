"""The book's pages as a reader takes them: their shell blocks, and the terminals to type them into."""

import os
import re
import select
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

BOOK = Path("docs")
BLOCK = re.compile(
    r'^```sh(?: title="(?P<title>[^"]*)")?\n(?P<text>.*?)^```$', re.MULTILINE | re.DOTALL
)
COMMAND = re.compile(r"^((?:[A-Z_]+=\S+ )*towpath [^\n]*)", re.MULTILINE)
"""A line that types one of our commands, with what is set for it alone in front."""
MENTIONED = re.compile(r"(?<!`)`(towpath\s[^`]+)`")
SETTING = re.compile(r"TOWPATH_[A-Z_]+=")
BIN = Path(sys.executable).parent


def blocks(page: str, title: str = "") -> list[str]:
    """The shell blocks of a page that stand under this title."""
    text = (BOOK / page).read_text(encoding="utf-8")
    return [found["text"] for found in BLOCK.finditer(text) if (found["title"] or "") == title]


def commands(page: str) -> list[str]:
    """The lines of a page that type `towpath ...`, in their order; a line that goes on is one."""
    text = (BOOK / page).read_text(encoding="utf-8")
    joined = (block["text"].replace("\\\n", " ") for block in BLOCK.finditer(text))
    return [line for block in joined for line in COMMAND.findall(block)]


def mentioned(page: str) -> list[str]:
    """What the page's sentences say to type."""
    text = (BOOK / page).read_text(encoding="utf-8")
    return [" ".join(found.split()) for found in MENTIONED.findall(text)]


def settings(page: str) -> dict[str, str]:
    """What the page's blocks that do nothing else set: TOWPATH_... -> the value."""
    words = [shlex.split(block, comments=True) for block in blocks(page)]
    pairs = [[word for word in each if word != "export"] for each in words]
    sets = [each for each in pairs if all(SETTING.match(word) for word in each)]
    return dict(word.split("=", 1) for each in sets for word in each)


def environment(**more: str) -> dict[str, str]:
    """A reader's: the commands are on the PATH, nothing of Towpath's or AWS's is set."""
    own = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "TOWPATH_"))}
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    return {**own, "PATH": path, "NO_COLOR": "1", "COLUMNS": "200", **more}


def typed(text: str, folder: Path, env: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """Type it into one shell that ends at the first failure; what was said is both streams'."""
    return subprocess.run(
        ["/bin/bash", "-euo", "pipefail", "-c", text],
        cwd=folder,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=280,
        check=False,
    )


@contextmanager
def terminal(text: str, folder: Path, env: Mapping[str, str], name: str) -> Iterator[Path]:
    """A terminal in which that goes on running; its output goes to the file that is given."""
    said = folder / f"{name}.out"
    with said.open("ab") as out:
        running = subprocess.Popen(
            ["/bin/bash", "-c", text],
            cwd=folder,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        yield said
    finally:
        os.killpg(running.pid, signal.SIGTERM)
        try:
            running.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()


def until(holds: Callable[[], bool], said: Path, seconds: float = 60.0) -> None:
    """Wait for it; AssertionError with what a terminal said where it does not come."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, said.read_text(encoding="utf-8", errors="replace")
        select.select([], [], [], 0.1)
