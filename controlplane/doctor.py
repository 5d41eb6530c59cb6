"""The doctor: walks every hop that a pipeline will need, before a release needs it, and names what is missing.

What each provider needs stands beside its driver (`controlplane.actions.hops`); here it is put together
for one pipeline, in the order of its stages, with what only our own ledger knows.
"""

import os
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import chain
from typing import Any

from sqlalchemy import Connection

from accounts.base import Clients, Registry
from accounts.models import Purpose
from accounts.preflight import Finding, Hop, walk
from controlplane import ledger as pure_ledger
from controlplane.actions.base import ActionDriver, Task
from controlplane.actions.git.base import named
from controlplane.actions.hops import HOPS, account_hops, store_hops
from controlplane.actions.reading import READ, elsewhere, read_once
from controlplane.actions.stores import owned
from controlplane.declarations.model import (
    ActionDeclaration,
    PipelineDeclaration,
    RuleDeclaration,
    StageDeclaration,
)
from controlplane.declarations.stores import StoreError, names_stores, store_in
from controlplane.declarations.triggers import KEY as GIT_SOURCE
from controlplane.engine.structures import BrokenStructureError, Structures
from controlplane.engine.tasks import Key
from controlplane.engine.view import deploys
from controlplane.gates.windows import is_written_out
from controlplane.settings import Settings
from controlplane.store import ledger, migrated, pipelines
from controlplane.store.database import Database
from monitors.base import Store

Drivers = Mapping[Key, ActionDriver]
PROMOTE = "S3Promote"
"""The provider that writes into the account's own artifact bucket, whatever the pipeline names."""
BUILDERS = frozenset({"CodeBuild", "Commands"})
"""Providers that do so where they have an output, and no other bucket."""


def examine(
    database: Database,
    structures: Structures,
    clients: Clients,
    pipeline: str,
    settings: Settings,
    reading: tuple[Drivers, datetime] | None = None,
) -> list[dict[str, Any]]:
    """One finding a hop: {ok, account, operation, message, mend}. KeyError for an unknown pipeline.

    reading: the drivers that read each rule once, and the time; None where none is to be read.
    """
    with database.read() as connection:
        version = pipelines.version(connection, pipeline)
        if version is None:
            raise KeyError(pipeline)
        try:
            declared = structures.pipeline(connection, pipeline, version)
        except BrokenStructureError as error:
            return [_missing(str(error), f"towpath apply {pipeline}.yaml")]
        known = [_last_known_good(connection, stage, a) for stage, a in _deployments(declared)]
        came = migrated.of(connection, pipeline)
    hops = chain(hops_of(declared, clients.registry), _followed(pipeline, came))
    walked = elsewhere(clients, walk(clients, _once(hops)))
    return [
        *(_document(finding) for finding in walked),
        *_settings_missing(declared, settings),
        *_stores_missing(declared),
        *(_reads(declared, *reading) if reading is not None else ()),
        *known,
    ]


VARIABLES = {
    "Site": "TOWPATH_SITES",
    "Prometheus": "TOWPATH_PROMETHEUS",
    "Alertmanager": "TOWPATH_ALERTMANAGER",
    "Calendar": "TOWPATH_CALENDARS",
}


def _settings_missing(
    declared: PipelineDeclaration, settings: Settings
) -> Iterator[dict[str, Any]]:
    """Names that only the settings can give a meaning: sites, Prometheus servers, Slack's token."""
    tables = {
        "Site": settings.sites,
        "Prometheus": settings.prometheus,
        "Alertmanager": settings.alertmanager,
        "Calendar": settings.calendars,
    }
    for stage in declared.stages:
        for doing in _everything(stage):
            for key, table in tables.items():
                name = doing.configuration.get(key, "")
                if key == "Calendar" and is_written_out(name):
                    continue
                if name and name not in table:
                    variable = VARIABLES[key]
                    yield _missing(
                        f"{stage.name}/{doing.name} asks for {key} {name!r}, which has no address",
                        f'Set {variable} to JSON such as {{"{name}": "https://..."}}.',
                    )
    yield from _git_missing(declared, settings)
    if any(told.provider == "Slack" for told in declared.notifications):
        yield from _slack_missing(settings)


def _slack_missing(settings: Settings) -> Iterator[dict[str, Any]]:
    if not settings.slack_token.get_secret_value():
        yield _missing("Slack is to be told, and there is no token", "Set TOWPATH_SLACK_TOKEN.")
    heard = settings.slack_signing_secret, settings.slack_app_token
    if any(one.get_secret_value() for one in heard) and not settings.slack_people:
        yield _missing(
            "Slack may send presses of buttons, and nobody there is known",
            "Set TOWPATH_SLACK_PEOPLE: Slack's user ids to a name and a role here.",
        )


def _git_missing(declared: PipelineDeclaration, settings: Settings) -> Iterator[dict[str, Any]]:
    """A Git source needs a host, its token, and for webhooks its secret."""
    for action in declared.stages[0].actions:
        if action.driver != GIT_SOURCE:
            continue
        connection = action.configuration.get("ConnectionArn", "")
        name = named(connection, settings.git)
        if name is None:
            entry = f'{{"NAME": {{"kind": "github", "connections": ["{connection}"]}}}}'
            message = f"No Git host is known for the connection {connection!r}"
            yield _missing(message, f"Put it into TOWPATH_GIT: {entry}.")
            continue
        host = settings.git[name]
        for word, variable in (("secretEnv", host.secret_env), ("tokenEnv", host.token_env)):
            if not os.environ.get(variable, ""):
                mend = f"Set {variable}." if variable else f"Say {word} of {name} in TOWPATH_GIT."
                yield _missing(f"The Git host {name} has no {word.removesuffix('Env')}", mend)


def _reads(
    declared: PipelineDeclaration, drivers: Drivers, now: datetime
) -> Iterator[dict[str, Any]]:
    """Every rule of a gate or a bake that can be read now, as the gate reads it."""
    for stage in declared.stages:
        for rule in (*stage.gates(), *stage.rules(), *stage.proofs(), *stage.failure_rules()):
            at_gate = rule not in stage.rules()
            kind, given = rule.rule_type_id, rule.configuration
            driver = drivers.get(("Gate", kind.owner, kind.provider))
            waits = kind.provider == "OpenIncident" and not {"Alertmanager", "Url"} & set(given)
            unknown = any("#{" in value for value in given.values())
            if driver is None or kind.provider not in READ or waits or unknown:
                continue
            where = (given.get("Account", ""), rule.region or "")
            task = Task("doctor", declared.name, "", stage.name, rule.name, given, *where, now=now)
            found = read_once(driver, task)
            # Before the first release nobody may have sent what a bake will watch: told, not blamed.
            ok = found.ok or (found.silent and not at_gate)
            yield {
                "ok": ok,
                "account": where[0],
                "operation": f"rule:{kind.provider}",
                "message": found.message,
                "mend": "" if ok else found.mend,
            }


def _missing(message: str, mend: str) -> dict[str, Any]:
    return {"ok": False, "account": "", "operation": "settings", "message": message, "mend": mend}


def _everything(stage: StageDeclaration) -> tuple[ActionDeclaration | RuleDeclaration, ...]:
    return (
        *stage.actions, *stage.gates(), *stage.rules(), *stage.proofs(), *stage.failure_rules(),
    )  # fmt: skip


def hops_of(declared: PipelineDeclaration, registry: Registry) -> Iterator[Hop]:
    """Every call that the pipeline will need: first that each role can be assumed."""
    for stage in declared.stages:
        for doing in _everything(stage):
            account = doing.configuration.get("Account", "")
            region = doing.region or ""
            if not account:
                continue
            for purpose in _purposes(stage):
                yield Hop(account, region, purpose, why=f"assume the {purpose} role of {account}")
            make = HOPS.get(_provider(doing))
            if make is not None:
                yield from make(doing.configuration, account, region)
            store = _store(declared, doing)
            if store is not None:
                known = owned(store, registry), registry.get(account)
                yield from store_hops(*known, region, declared.name)
            if _writes(declared, doing):
                yield from account_hops(registry.get(account), region)


def _store(
    declared: PipelineDeclaration, doing: ActionDeclaration | RuleDeclaration
) -> Store | None:
    """The pipeline's own store that it reads or writes; None where none is named, or none serves."""
    made = doing.output_artifacts if isinstance(doing, ActionDeclaration) else ()
    if not (doing.input_artifacts or made):
        return None
    try:
        return store_in(declared, doing.region or "")
    except StoreError:  # `_stores_missing` says it
        return None


def _stores_missing(declared: PipelineDeclaration) -> Iterator[dict[str, Any]]:
    """What is wrong with the names of the stores themselves."""
    regions = {one.region for stage in declared.stages for one in _everything(stage) if one.region}
    for region in sorted(regions) if names_stores(declared) else ():
        try:
            store_in(declared, region)
        except StoreError as error:
            said, _, mend = str(error).partition(": ")
            yield _missing(said, f"{mend[:1].upper()}{mend[1:]}.")


def _writes(declared: PipelineDeclaration, doing: ActionDeclaration | RuleDeclaration) -> bool:
    """Say whether something goes into the account's own artifact bucket."""
    if _provider(doing) == PROMOTE:
        return True
    if names_stores(declared) or not isinstance(doing, ActionDeclaration):
        return False
    if _provider(doing) in BUILDERS:
        return "ArtifactBucket" not in doing.configuration and bool(doing.output_artifacts)
    return doing.driver == GIT_SOURCE


def _followed(pipeline: str, came: Any) -> Iterator[Hop]:
    """The old pipeline, where it is followed."""
    if came is not None and came.shadow:
        asked = {"pipelineName": pipeline, "maxResults": 1}
        what = ("codepipeline", "list_pipeline_executions", asked, "ReadPipelines")
        why = f"follow the old pipeline {pipeline}"
        yield Hop(came.account, came.region, Purpose.WATCH, *what, why)


def _purposes(stage: StageDeclaration) -> tuple[Purpose, ...]:
    return tuple(Purpose) if any(deploys(a) for a in stage.actions) else (Purpose.WATCH,)


def _provider(doing: ActionDeclaration | RuleDeclaration) -> str:
    if isinstance(doing, RuleDeclaration):
        return doing.rule_type_id.provider
    return doing.action_type_id.provider


def _once(hops: Iterator[Hop]) -> Iterator[Hop]:
    """The same call is walked once, however many actions need it."""
    seen: set[str] = set()
    for hop in hops:
        key = repr(
            (
                hop.account,
                hop.region,
                hop.purpose,
                hop.service,
                hop.operation,
                sorted(hop.parameters.items(), key=repr),
                hop.why,
            )
        )
        if key not in seen:
            seen.add(key)
            yield hop


def _document(finding: Finding) -> dict[str, Any]:
    hop = finding.hop
    return {
        "ok": finding.ok,
        "account": hop.account,
        "operation": f"{hop.service}:{hop.operation or 'assume_role'}",
        "message": finding.message,
        "mend": finding.mend,
    }


def _deployments(
    declared: PipelineDeclaration,
) -> Iterator[tuple[StageDeclaration, ActionDeclaration]]:
    for stage in declared.stages:
        for action in stage.actions:
            if deploys(action):
                yield stage, action


def _last_known_good(
    connection: Connection, stage: StageDeclaration, action: ActionDeclaration
) -> dict[str, Any]:
    """Said, not blamed: a first release has none, and makes one when it goes through."""
    provider, region = action.action_type_id.provider, action.region or ""
    target = pure_ledger.target_of(provider, region, action.configuration)
    bad = ledger.quarantined(connection)
    good = pure_ledger.last_known_good(ledger.entries(connection, target), bad)
    known = good.digest if good else "none yet: until a release goes through, a bad one only pages"
    return {
        "ok": True,
        "account": action.configuration.get("Account", ""),
        "operation": "ledger:last_known_good",
        "message": f"{stage.name}: the last known good of {target} is {known}",
        "mend": "",
    }
