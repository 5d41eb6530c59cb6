"""What an approver saw changes under him."""

from controlplane.store.tables import LedgerEntry, table
from tests.support.house import House


def changes_in_prod(house: House, digest: str = "sha256:other") -> None:
    """What somebody put there by another way: a new entry of the ledger."""
    ledger = table(LedgerEntry)
    with house.database.begin() as connection:
        number = connection.execute(ledger.select()).all()
        connection.execute(
            ledger.insert(),
            {
                "pipeline": "shop", "stage": "Prod", "target": "prod", "digest": digest,
                "artifact": "{}", "execution_id": "0", "action_id": 1000 + len(number),
                "action": "Deploy", "token": str(len(number)), "status": "GOOD", "at": 0.0,
            },
        )  # fmt: skip
