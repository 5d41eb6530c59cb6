"""RegisterWebhookWithThirdParty and its opposite: the webhook's URL and secret, put in at GitHub and taken out.

CodePipeline signs in there by the source action's OAuth token, which its structures show masked; Towpath
by a token of its own (TOWPATH_GITHUB_TOKEN).
https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_RegisterWebhookWithThirdParty.html
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from controlplane.actions.github_hooks import HookError, Hooks
from controlplane.codepipeline.asking import Answer, Ask, declared
from controlplane.codepipeline.faults import WireError, invalid
from controlplane.store import webhooks
from controlplane.store.sealing import SealError, unseal

FULL_NAME = ("$.repository.full_name", "$['repository']['full_name']")
NO_REPOSITORY = (
    "The webhook names no repository: its target action needs Owner and Repo (or FullRepositoryId) in its "
    "configuration, or the webhook a filter on $.repository.full_name"
)


def register(ask: Ask) -> Answer:
    """Make the webhook at GitHub; one with this URL that is there gets this secret."""
    row, repository = _target(ask)
    try:
        secret = unseal(ask.desk.secret, f"webhook {row.name}", row.sealed) if row.sealed else ""
    except SealError as error:
        raise invalid(f"The webhook's secret cannot be read: {error}") from error
    url = _url(ask, row)
    _asking(ask, lambda hooks: hooks.put(repository, url, secret))
    return {}


def deregister(ask: Ask) -> Answer:
    """Take it away at GitHub; one that is not there is no fault."""
    row, repository = _target(ask)
    url = _url(ask, row)
    _asking(ask, lambda hooks: hooks.remove(repository, url))
    return {}


def _target(ask: Ask) -> tuple[Any, str]:
    name = ask.given.get("webhookName", "")
    with ask.read() as connection:
        row = webhooks.by_name(connection, name)
        if row is None:
            raise WireError("WebhookNotFoundException", f"There is no webhook '{name}'")
        definition = json.loads(row.definition)
        try:
            structure, _ = declared(ask, connection, row.pipeline)
        except WireError as error:
            raise invalid(f"The webhook's pipeline '{row.pipeline}' is not there") from error
    sources = structure.stages[0].actions
    source = next((one for one in sources if one.name == definition["targetAction"]), None)
    return row, _repository(definition, source.configuration if source else {})


def _repository(definition: Mapping[str, Any], configuration: Mapping[str, str]) -> str:
    """Read whose events the webhook is about."""
    if configuration.get("Owner") and configuration.get("Repo"):
        return f"{configuration['Owner']}/{configuration['Repo']}"
    if configuration.get("FullRepositoryId"):
        return configuration["FullRepositoryId"]
    for one in definition["filters"]:
        if one["jsonPath"] in FULL_NAME and one.get("matchEquals"):
            return str(one["matchEquals"])
    raise invalid(NO_REPOSITORY)


def _url(ask: Ask, row: Any) -> str:
    return f"{ask.desk.public_url.rstrip('/')}/webhooks/{row.path}"


def _asking(ask: Ask, act: Callable[[Hooks], None]) -> None:
    if ask.desk.hooks is None:
        raise invalid("This process cannot ask GitHub: it has no client for it")
    try:
        act(ask.desk.hooks)
    except HookError as error:
        raise invalid(f"{error}.") from error
