"""The accounts that Towpath acts in: stored, and put into the registry that the drivers ask."""

from accounts.base import AccountError
from accounts.models import Account
from controlplane.api import words
from controlplane.api.documents import Document
from controlplane.api.guard import GivenHolder, GivenPerson, guarded_router
from controlplane.api.inputs import AccountName
from controlplane.api.parts import GivenDocuments, GivenParts, Parts
from controlplane.api.problems import unknown
from controlplane.declarations.model import PipelineDeclaration
from controlplane.engine.refusals import CommandError, Problem
from controlplane.engine.structures import BrokenStructureError
from controlplane.store import accounts, audit, pipelines
from controlplane.store.grants import may
from controlplane.store.roles import Permission

router = guarded_router("accounts")


@router.get("/accounts")
def list_accounts(parts: GivenParts, holder: GivenHolder) -> list[Document]:
    """Every registered account."""
    whole = may(holder.grants, Permission.ACCOUNTS)
    return [words.account(known, whole=whole) for known in parts.registry.all()]


@router.get("/accounts/{name}")
def get_account(name: AccountName, parts: GivenParts, holder: GivenHolder) -> Document:
    """One account."""
    return words.account(_known(parts, name), whole=may(holder.grants, Permission.ACCOUNTS))


@router.put("/accounts/{name}")
def put_account(name: AccountName, parts: GivenParts, by: GivenPerson, body: Account) -> Document:
    """Register an account, or change it."""
    if body.name != name:
        raise CommandError(Problem.INVALID, f"the account is named {body.name!r}, not {name!r}")
    try:
        with parts.database.begin() as connection:
            accounts.put(connection, body, parts.now())
            audit.note(connection, parts.now(), by, "account.put", f"{name} ({body.id})")
            parts.registry.check(body)
        # Once it is stored for sure: nobody acts in what is known here only.
        parts.registry.put(body)
    except AccountError as error:
        raise CommandError(Problem.INVALID, str(error)) from None
    return words.account(body, whole=True)


@router.delete("/accounts/{name}", status_code=204)
def delete_account(
    name: AccountName, parts: GivenParts, by: GivenPerson, documents: GivenDocuments
) -> None:
    """Forget an account that no pipeline acts in."""
    _known(parts, name)
    with parts.database.begin() as connection:
        for row in pipelines.all_(connection):
            try:
                declared, _ = documents.declared(connection, row.name)
            except BrokenStructureError:
                continue  # it cannot act anywhere, and /readyz names it
            if name in _accounts_of(declared):
                said = f"pipeline {row.name} acts in {name}: apply it without that account first"
                raise CommandError(Problem.CONFLICT, said)
        if not accounts.remove(connection, name):
            said = f"{name} comes from the accounts file: take it out there, and restart"
            raise CommandError(Problem.CONFLICT, said)
        audit.note(connection, parts.now(), by, "account.removed", name)
    parts.registry.remove(name)


def _accounts_of(declared: PipelineDeclaration) -> set[str]:
    given = [a.configuration for stage in declared.stages for a in stage.actions]
    for stage in declared.stages:
        rules = (*stage.gates(), *stage.rules(), *stage.proofs(), *stage.failure_rules())
        given += [rule.configuration for rule in rules]
    return {configuration.get("Account", "") for configuration in given}


def _known(parts: Parts, name: str) -> Account:
    try:
        return parts.registry.get(name)
    except AccountError:
        raise unknown(f"account {name!r}") from None
