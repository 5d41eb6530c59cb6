"""Each action, rule and channel by itself: provider, configuration, account, region, artifacts."""

import re
from collections.abc import Collection, Iterator, Mapping

from accounts.yaml_text import Path
from controlplane.declarations.check_tests import check_test
from controlplane.declarations.findings import Finding, meant
from controlplane.declarations.keys import Key, fault
from controlplane.declarations.model import ActionTypeId, PipelineDeclaration, RuleTypeId
from controlplane.declarations.notifiers import NOTIFIERS
from controlplane.declarations.provider import Need, Provider
from controlplane.declarations.providers import ACTION_NAMES, RULE_NAMES, TOGETHER
from controlplane.declarations.registered import NONE, Types, id_of, may_be_registered
from controlplane.declarations.retries import RETRY_KEYS
from controlplane.declarations.walk import Placed, PlacedAction, everything
from controlplane.declarations.wave_keys import WAVE_KEYS

REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-[0-9]{1,2}")
ACCOUNT = Key("A registered account.")
EVENT = re.compile(r"[a-z][a-z_-]*(\.[a-z_-]*)?")


def check_items(
    declaration: PipelineDeclaration,
    accounts: Collection[str] | None,
    types: Types | None = None,
) -> Iterator[Finding]:
    """Yield what is wrong with each item. accounts, types: those registered; None where not known."""
    for placed in everything(declaration):
        provider = placed.provider or _registered(placed, types)
        if provider is None:
            yield from _unknown(placed, offline=types is None)
            continue
        if placed.provider is None:
            yield from _homeless(placed)
        yield from _configuration(placed, provider)
        yield from _place(placed, provider, accounts)
        yield from _counts(placed, provider)
    for i, told in enumerate(declaration.notifications):
        path = ("notifications", i, "configuration")
        yield from _keys(path, told.configuration, NOTIFIERS[told.provider], {}, told.provider)
        yield from _account(path, told.configuration.get("Account"), accounts)
        for j, event in enumerate(told.events):
            if not EVENT.fullmatch(event):
                message = f"{event!r} is no kind of event, such as stage.failed or stage."
                yield Finding(("notifications", i, "events", j), message)


def _registered(placed: Placed, types: Types | None) -> Provider | None:
    if isinstance(placed, PlacedAction):
        return (types or NONE).get(id_of(placed.item.action_type_id))
    return None


def _homeless(placed: Placed) -> Iterator[Finding]:
    """A worker puts what it makes into the artifact bucket of an account."""
    item = placed.item
    made = isinstance(placed, PlacedAction) and placed.item.output_artifacts
    if made and "Account" not in item.configuration:
        message = "is missing: the output artifacts go into the artifact bucket of an account"
        yield Finding((*placed.path, "configuration", "Account"), message)


def _unknown(placed: Placed, *, offline: bool) -> Iterator[Finding]:
    """Tell a name we do not know from a known name in another category, owner or version."""
    if isinstance(placed, PlacedAction) and may_be_registered(placed.item.action_type_id):
        if not offline:
            yield _unregistered(placed)
        return
    yield _not_run(placed)


def _unregistered(placed: PlacedAction) -> Finding:
    said = "/".join(id_of(placed.item.action_type_id))
    path = (*placed.path, "actionTypeId", "provider")
    mend = "create it first (aws codepipeline create-custom-action-type)"
    return Finding(path, f"no action type {said} is registered: {mend}")


def _not_run(placed: Placed) -> Finding:
    if isinstance(placed, PlacedAction):
        key, names = "actionTypeId", ACTION_NAMES
        declared: ActionTypeId | RuleTypeId = placed.item.action_type_id
    else:
        key, names, declared = "ruleTypeId", RULE_NAMES, placed.item.rule_type_id
    name = declared.provider
    path = (*placed.path, key, "provider")
    if name not in names:
        return Finding(path, f"no provider {name!a} is run{meant(name, names)}")
    said = f"{declared.category}/{declared.owner}/{name}/{declared.version}"
    return Finding(path, f"{said} is not run: write {'/'.join(names[name].id)}")


def _configuration(placed: Placed, provider: Provider) -> Iterator[Finding]:
    path = (*placed.path, "configuration")
    given = placed.item.configuration
    tries = RETRY_KEYS if isinstance(placed, PlacedAction) else {}
    also = {**WAVE_KEYS, **tries, **({} if provider.place is Need.NONE else {"Account": ACCOUNT})}
    yield from _keys(path, given, provider.keys, also, provider.provider)
    for group in (*provider.one_of, *provider.most_one):
        used = [key for key in group if key in given]
        if len(used) > 1:
            yield Finding((*path, used[1]), f"there is {used[0]} too: keep one of them", True)
        elif not used and group in provider.one_of:
            yield Finding(path, f"{provider.provider} needs one of {' and '.join(group)}")
    for key, others in TOGETHER.items():
        for other in others:
            if key in given and key in provider.keys and other not in given:
                yield Finding((*path, other), f"is missing: {key} needs it")
    if "Test" in provider.keys:
        yield from check_test(path, given)


def _keys(
    path: Path, given: Mapping[str, str], keys: Mapping[str, Key], also: Mapping[str, Key], who: str
) -> Iterator[Finding]:
    for key, value in given.items():
        if key in keys or key in also:
            wrong = fault(keys.get(key) or also[key], value)
            if wrong is not None and key != "Account":  # its account is looked at by itself
                yield Finding((*path, key), wrong)
        else:
            known = (*keys, *also)
            yield Finding((*path, key), f"{who} has no key {key!r}{meant(key, known)}", True)
    for key, one in keys.items():
        if one.required and key not in given:
            yield Finding((*path, key), f"is missing: {who} needs it ({one.about})")


def _place(
    placed: Placed, provider: Provider, accounts: Collection[str] | None
) -> Iterator[Finding]:
    account, region = placed.item.configuration.get("Account"), placed.item.region
    path = (*placed.path, "configuration")
    yield from _account(path, account, accounts)
    if region is not None and not REGION.fullmatch(region):
        yield Finding((*placed.path, "region"), f"{region!r} is no region, such as eu-west-1")
    if provider.place is Need.REQUIRED:
        mend = "is missing: write it here, or once on the stage"
        if account is None:
            yield Finding((*path, "Account"), mend)
        if region is None:
            yield Finding((*placed.path, "region"), mend)
    elif (account is None) != (region is None) and provider.place is Need.OPTIONAL:
        yield Finding(placed.path, "account and region belong together: write both or neither")
    elif provider.place is Need.NONE and region is not None:
        yield Finding((*placed.path, "region"), f"{provider.provider} acts in no region", True)


def _account(
    path: Path, account: str | None, accounts: Collection[str] | None
) -> Iterator[Finding]:
    if account == "":
        yield Finding((*path, "Account"), "is empty: name a registered account")
    elif account is not None and accounts is not None and account not in accounts:
        known = sorted(accounts)
        mend = meant(account, known) if known else "; none is registered yet"
        yield Finding((*path, "Account"), f"no account {account!r} is registered{mend}")


def _counts(placed: Placed, provider: Provider) -> Iterator[Finding]:
    given = [("inputArtifacts", len(placed.item.input_artifacts), provider.inputs)]
    if isinstance(placed, PlacedAction):
        given.append(("outputArtifacts", len(placed.item.output_artifacts), provider.outputs))
    for word, number, (least, most) in given:
        if not least <= number <= most:
            range_ = str(least) if least == most else f"{least} to {most}"
            message = f"{provider.provider} has {range_} of these, not {number}"
            yield Finding((*placed.path, word), message)
