"""The command line: every command with its arguments and options, from the commands themselves."""

from collections.abc import Iterable, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any

from typer.main import get_command

from controlplane.cli import app
from controlplane.client.api import Exit
from controlplane.manual.words import code, page, table

CODES: Mapping[Exit, str] = MappingProxyType(
    {
        Exit.WELL: "well: it was done, or what was followed succeeded",
        Exit.REFUSED: "refused: nothing was changed; or a check found something",
        Exit.USAGE: "it was typed wrongly, or needs `--yes` where nobody can answer",
        Exit.FAILED: "what was followed failed, or was rolled back; a rollback was not verified",
        Exit.WAITING: "it waits for a person; how to give one's word is on stderr",
        Exit.UNREACHABLE: "nobody answers, or the token is unknown: nothing is known",
        Exit.CANCELLED: "what was followed was stopped, or superseded by a newer one",
        Exit.TIMED_OUT: "`--timeout` is over, and what was followed goes on",
        Exit.INTERRUPTED: "Ctrl-C: what was followed goes on",
    }
)
VARIABLES = (
    ("TOWPATH_URL", "where Towpath answers (`http://127.0.0.1:8640`)"),
    ("TOWPATH_TOKEN", "who asks: what `towpath token create` printed"),
    (
        "TOWPATH_DATABASE_URL",
        "for `serve`, `worker` and `token create`, which work on the database",
    ),
    ("NO_COLOR", "set to anything: no colours"),
)
ABOUT = """\
Answers go to stdout, messages to stderr. `-o json` and `-o yaml` write the API's own documents; with `--watch`
or `--wait` one for each event, and the execution last. Off a terminal a live tree becomes a line an event.
`towpath --install-completion` teaches your shell the commands, and the names of your pipelines and stages."""


def commands_page() -> str:
    """Answer the page of all commands."""
    codes = [(code(int(one)), said) for one, said in CODES.items()]
    variables = [(code(name), said) for name, said in VARIABLES]
    return page(
        "Commands",
        ABOUT,
        "## Exit codes",
        table(("code", "what it says"), codes),
        "## Variables",
        table(("variable", "what it says"), variables),
        *_group("towpath", get_command(app)),
    )


def _group(path: str, group: Any) -> Iterable[str]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _group(f"{path} {name}", command)
        else:
            yield from _command(f"{path} {name}", command)


def _command(path: str, command: Any) -> Iterable[str]:
    known = [one for one in command.params if not one.hidden and one.name != "help"]
    arguments = [one for one in known if one.param_type_name == "argument"]
    options = [one for one in known if one.param_type_name == "option"]
    words = [path, *(_argument(one) for one in arguments), *(["[OPTIONS]"] if options else [])]
    yield f"## {path}"
    yield f"```\n{' '.join(words)}\n```"
    yield str(command.help or "").strip()
    yield table(
        ("argument", "what it says"), [(code(_argument(one)), _said(one)) for one in arguments]
    )
    yield table(
        ("option", "what it says", "value"),
        [(_names(one), _said(one), _value(one)) for one in options],
    )


def _argument(one: Any) -> str:
    name = one.name.upper() + ("..." if one.nargs != 1 or one.multiple else "")
    return name if one.required else f"[{name}]"


def _said(one: Any) -> str:
    return (one.help or "") + (" (**required**)" if one.required else "")


def _names(one: Any) -> str:
    return ", ".join(code(name) for name in (*one.opts, *one.secondary_opts))


def _value(one: Any) -> str:
    if one.is_flag:
        return ""
    annotation = one.type_descriptor.annotation
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return ", ".join(code(choice.value) for choice in annotation)
    default = one.default.value if isinstance(one.default, Enum) else one.default
    repeated = "may be repeated" if one.multiple else ""
    return repeated or (f"default {code(default)}" if default not in {None, ""} else "")
