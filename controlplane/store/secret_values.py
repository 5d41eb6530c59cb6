"""Secret entries of a configuration: sealed where they come in, opened for whoever does the action.

Which entries are secret, the action's registered type says. What is stored, shown and exported is sealed;
CodePipeline's API answers `****`, and takes that for "as it was before".
"""

from collections.abc import Mapping
from typing import Any

from controlplane.declarations.model import ActionDeclaration, PipelineDeclaration
from controlplane.declarations.registered import Id, id_of
from controlplane.store.sealing import SealError, seal, unseal

MASK = "****"
PREFIX = "sealed:"
Definitions = Mapping[Id, Mapping[str, Any]]


class SecretError(ValueError):
    """A secret cannot be kept; the sentence says which, and the mend."""


def hidden(
    declared: PipelineDeclaration,
    before: PipelineDeclaration | None,
    types: Definitions,
    secret: str,
) -> PipelineDeclaration:
    """Answer the structure with its secrets sealed; the same secret again stays the same text.

    before: the version that counts now. secret: TOWPATH_SECRET. SecretError where one cannot be kept.
    """
    if not types:
        return declared
    kept = {
        (stage.name, action.name): action
        for stage in (before.stages if before else ())
        for action in stage.actions
    }

    def action_of(stage: str, action: ActionDeclaration) -> ActionDeclaration:
        type_ = types.get(id_of(action.action_type_id), {})
        names = [one["name"] for one in type_.get("properties", ()) if one["secret"]]
        old = kept.get((stage, action.name))
        was = old.configuration if old is not None else {}
        sealed = {
            name: _sealed(secret, (declared.name, name), action.configuration[name], was.get(name))
            for name in names
            if name in action.configuration
        }
        if not sealed:
            return action
        return action.model_copy(update={"configuration": {**action.configuration, **sealed}})

    stages = tuple(
        stage.model_copy(update={"actions": tuple(action_of(stage.name, a) for a in stage.actions)})
        for stage in declared.stages
    )
    return declared.model_copy(update={"stages": stages})


def opened(secret: str, pipeline: str, configuration: Mapping[str, str]) -> dict[str, str]:
    """Answer a configuration as it was written; SealError where it was sealed by another secret."""
    return {
        key: _open(secret, (pipeline, key), value) if value.startswith(PREFIX) else value
        for key, value in configuration.items()
    }


def masked(configuration: Mapping[str, str]) -> dict[str, str]:
    """Answer a configuration that may be shown."""
    return {key: MASK if v.startswith(PREFIX) else v for key, v in configuration.items()}


def _sealed(secret: str, of: tuple[str, str], value: str, before: str | None) -> str:
    if "#{" in value:  # what an earlier action puts out is no secret of the structure's
        return value
    if value == MASK:
        if before is None:
            raise SecretError(f"{of[1]} is {MASK}, and there is none before it: write the secret")
        return before
    try:
        if value.startswith(PREFIX):
            _open(secret, of, value)
            return value
        if before is not None and before.startswith(PREFIX) and _open(secret, of, before) == value:
            return before
    except SealError as error:
        raise SecretError(f"{of[1]} cannot be kept ({error}): write the secret anew") from error
    return PREFIX + seal(secret, _purpose(of), value)


def _open(secret: str, of: tuple[str, str], value: str) -> str:
    try:
        return unseal(secret, _purpose(of), value.removeprefix(PREFIX))
    except ValueError as error:  # no base64
        raise SealError("it is no sealed text") from error


def _purpose(of: tuple[str, str]) -> str:
    """A sealed text that is copied into another pipeline, or under another key, cannot be opened there."""
    return f"configuration {of[0]}/{of[1]}"
