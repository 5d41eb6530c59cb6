"""PascalCase and camelCase: the same structure in CloudFormation's and in CodePipeline's API's spelling.

Only the case of keys differs, but for artifact stores: a list of {Region, ArtifactStore} here, a map by
region there. Inside a configuration keys are the provider's own and stay as they are.
"""

from collections.abc import Callable
from typing import Any

from accounts.yaml_text import Path

OPAQUE = frozenset({"configuration"})
ASIDE = ("DisableInboundStageTransitions", "RestartExecutionOnUpdate", "Tags")
"""Properties of the resource that are no part of the structure."""

Moved = Callable[[Path, Path], None]
"""Told of each piece that stands elsewhere now: its new path, then its old one."""


def to_camel(node: Any, moved: Moved, new: Path = (), old: Path = ()) -> Any:
    """Spell a pipeline's properties as the API does."""
    moved(new, old)
    if isinstance(node, list):
        return [to_camel(item, moved, (*new, i), (*old, i)) for i, item in enumerate(node)]
    if not isinstance(node, dict):
        return node
    made: dict[str, Any] = {}
    for key, item in node.items():
        word = key[:1].lower() + key[1:]
        here, there = (*new, word), (*old, key)
        if word in OPAQUE:
            moved(here, there)
            made[word] = item
        elif key == "ArtifactStores" and isinstance(item, list):
            made[word] = _stores(item, moved, here, there)
        else:
            made[word] = to_camel(item, moved, here, there)
    return made


def _stores(stores: list[Any], moved: Moved, new: Path, old: Path) -> Any:
    moved(new, old)
    made: dict[str, Any] = {}
    for i, store in enumerate(stores):
        if not isinstance(store, dict) or not isinstance(store.get("Region"), str):
            return to_camel(stores, moved, new, old)  # the model says what is wrong with it
        region = store["Region"]
        where = (*old, i, "ArtifactStore")
        made[region] = to_camel(store.get("ArtifactStore", {}), moved, (*new, region), where)
    return made


def to_pascal(node: Any) -> Any:
    """Spell a structure of the API as CloudFormation's properties."""
    if isinstance(node, list):
        return [to_pascal(item) for item in node]
    if not isinstance(node, dict):
        return node
    made: dict[str, Any] = {}
    for key, item in node.items():
        word = key[:1].upper() + key[1:]
        if key in OPAQUE:
            made[word] = item
        elif key == "artifactStores":
            made[word] = [
                {"Region": region, "ArtifactStore": to_pascal(store)}
                for region, store in item.items()
            ]
        else:
            made[word] = to_pascal(item)
    return made
