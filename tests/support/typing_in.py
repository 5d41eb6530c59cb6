"""A reader who types a page's commands, in this process: no shell, no server's process, no network.

The words are split as a shell splits them; of what else a shell does there is what the pages use: a setting
in front, `*` in names of files, `> FILE`, and comments.
"""

import os
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import chdir, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from typer.testing import CliRunner

from controlplane.cli import app
from controlplane.cli.failures import EXPECTED, code_of, sentence
from controlplane.client.api import Api
from tests.support.doors import InProcess


@dataclass(frozen=True)
class Said:
    """What a reader sees: everything that was said, and the exit status."""

    status: int
    text: str


class _Terminal(CliRunner):
    """Where somebody sits who can be asked."""

    @contextmanager
    def isolation(self, *given: Any, **more: Any) -> Iterator[Any]:
        """As it is in a shell, but for standard input, which is a terminal's."""
        with super().isolation(*given, **more) as streams:
            sys.stdin.isatty = lambda: True  # type: ignore[method-assign]
            yield streams


@dataclass
class Reader:
    """Types in a folder, and says yes where he is asked.

    settings: what his shell has exported, and nothing else of Towpath's or AWS's.
    """

    folder: Path
    settings: Mapping[str, str]
    monkeypatch: pytest.MonkeyPatch = field(repr=False)

    def asks(self, server: FastAPI, pause: Callable[[float], object]) -> None:
        """Every command asks that server. pause: what passes where a command waits for so many seconds."""
        defaults = Api.__init__.__kwdefaults__
        assert defaults is not None
        self.monkeypatch.setitem(defaults, "transport", InProcess(server))
        self.monkeypatch.setitem(defaults, "pause", pause)

    def types(self, line: str) -> Said:
        """What comes of a line; what goes into a file is said there."""
        words = shlex.split(line, comments=True)
        begins = words.index("towpath")
        ends = words.index(">") if ">" in words else len(words)
        own = dict(word.split("=", 1) for word in words[:begins])
        typed = [name for word in words[begins + 1 : ends] for name in self._names(word)]
        with chdir(self.folder):
            env = {**self._blank(), **self.settings, **own}
            done = _Terminal().invoke(app, typed, input="y\n", env=env)
        error = done.exception
        if isinstance(error, EXPECTED):
            return Said(code_of(error), done.output + sentence(error))
        if error is not None and not isinstance(error, SystemExit):
            raise error
        if ends == len(words):
            return Said(done.exit_code, done.output)
        (self.folder / words[ends + 1]).write_text(done.stdout, encoding="utf-8")
        return Said(done.exit_code, done.stderr)

    def _names(self, word: str) -> list[str]:
        found = sorted(self.folder.glob(word)) if "*" in word else []
        return [str(file.relative_to(self.folder)) for file in found] or [word]

    def _blank(self) -> dict[str, None]:
        """Nothing of ours or AWS's is set but what the settings say."""
        return {name: None for name in os.environ if name.startswith(("AWS_", "TOWPATH_"))}
