"""Builds and commands: what CodeBuild would only refuse once an execution is at it.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-Commands.html
"""

from collections.abc import Iterator, Mapping

from accounts.yaml_text import Path
from controlplane.actions.build_words import Variable, checked, environment, identifier
from controlplane.declarations.build_keys import PROJECT
from controlplane.declarations.findings import Finding, meant
from controlplane.declarations.keys import VARIABLE, fault
from controlplane.declarations.model import ActionDeclaration, PipelineDeclaration
from controlplane.declarations.walk import Placed, PlacedAction, everything

MOST_COMMANDS = 50
LONGEST = 1000
MOST_EXPORTS = 15
MOST_VARIABLES = 10
WORDS: Mapping[str, str] = {
    "commands": "commands",
    "output_variables": "outputVariables",
    "environment_variables": "environmentVariables",
}
"""What is declared beside the configuration, by our name and CodePipeline's."""


def check_builds(declaration: PipelineDeclaration) -> Iterator[Finding]:
    """Yield what is wrong with what builds and shells are told."""
    for placed in everything(declaration):
        provider = placed.provider
        if provider is None or not provider.runs_commands:
            yield from _no_shell(placed)
        else:
            yield from _shell(placed)
        if provider is not None and "PrimarySource" in provider.keys:
            yield from _sources(placed, asked="EnvironmentVariables" in provider.keys)
            yield from _build(placed)


def _no_shell(placed: Placed) -> Iterator[Finding]:
    for word, spelled in WORDS.items():
        if getattr(placed.item, word, ()):
            yield Finding((*placed.path, spelled), f"{spelled} are of Commands only", True)


def _shell(placed: Placed) -> Iterator[Finding]:
    commands = placed.item.commands
    path = (*placed.path, "commands")
    if not 1 <= len(commands) <= MOST_COMMANDS:
        message = f"there are 1 to {MOST_COMMANDS} commands, not {len(commands)}"
        yield Finding(path, message)
    for i, line in enumerate(commands):
        yield from _line((*path, i), line)
    if isinstance(placed.item, ActionDeclaration):
        yield from _environment(placed.item, placed.path)


def _line(path: Path, line: str) -> Iterator[Finding]:
    if not line.strip() or len(line) > LONGEST:
        yield Finding(path, f"a command is a line of 1 to {LONGEST} characters")
    elif "\n" in line or "\r" in line:
        yield Finding(path, "is more than one line: write one command for each")
    found = VARIABLE.search(line)
    if found:
        message = (
            f"{found[0]} would be run as code, whatever somebody put into it: give it as one of "
            "environmentVariables, and write $NAME here"
        )
        yield Finding(path, message)


def _environment(action: ActionDeclaration, path: Path) -> Iterator[Finding]:
    names = action.output_variables
    if len(names) > MOST_EXPORTS or len(set(names)) < len(names):
        message = f"at most {MOST_EXPORTS} variables are put out, each once"
        yield Finding((*path, "outputVariables"), message)
    given = action.environment_variables
    if len(given) > MOST_VARIABLES:
        message = f"there are at most {MOST_VARIABLES} variables, not {len(given)}"
        yield Finding((*path, "environmentVariables"), message)
    try:
        checked([Variable(one.name, one.value) for one in given])
    except ValueError as error:
        yield Finding((*path, "environmentVariables"), str(error))


def _sources(placed: Placed, *, asked: bool) -> Iterator[Finding]:
    """asked: one of several inputs must be named the primary one."""
    names = [artifact.name for artifact in placed.item.input_artifacts]
    path = (*placed.path, "configuration", "PrimarySource")
    primary = placed.item.configuration.get("PrimarySource")
    if primary is None:
        if asked and len(names) > 1:
            yield Finding(path, f"is missing: say which input it is, {' or '.join(names)}")
    elif primary not in names:
        yield Finding(path, f"{primary!r} is no input of it{meant(primary, names)}")
    others = [identifier(name) for name in names if name != (primary or names[0])]
    if len(set(others)) < len(others):
        message = "CodeBuild cannot tell these apart: it knows letters, digits and underscores only"
        yield Finding((*placed.path, "inputArtifacts"), message)


def _build(placed: Placed) -> Iterator[Finding]:
    given, path = placed.item.configuration, (*placed.path, "configuration")
    text = given.get("EnvironmentVariables", "")
    if text and not VARIABLE.search(text) and fault(PROJECT["EnvironmentVariables"], text) is None:
        try:
            environment(text)
        except ValueError as error:
            yield Finding((*path, "EnvironmentVariables"), str(error))
    batch, combined = (given.get(key) == "true" for key in ("BatchEnabled", "CombineArtifacts"))
    if combined and not batch:
        yield Finding((*path, "CombineArtifacts"), "is for a batch: BatchEnabled is not true")
    if not isinstance(placed, PlacedAction):
        return
    outputs = placed.item.output_artifacts
    if batch and outputs and not (combined and len(outputs) == 1):
        message = "a batch puts one artifact out, made of all its builds: CombineArtifacts: true"
        yield Finding((*placed.path, "outputArtifacts"), message)
    if len({identifier(one.name) for one in outputs}) < len(outputs):
        message = "CodeBuild cannot tell these apart: it knows letters, digits and underscores only"
        yield Finding((*placed.path, "outputArtifacts"), message)
