"""Inspector scans on: what it covers is scanned anew every few seconds, as after a change for real."""

from datetime import datetime, timedelta

from moto.inspector2.models import inspector2_backends

from controlplane.sandbox.aws import clock

EVERY = timedelta(seconds=2)


class Scanner:
    """Call it at every tick."""

    def __init__(self) -> None:
        self._scanned: datetime | None = None

    def __call__(self) -> None:
        """Scan what is due."""
        now = clock.now()
        if self._scanned is not None and now - self._scanned < EVERY:
            return
        self._scanned = now
        for _, _, backend in list(inspector2_backends.iter_backends()):
            covered = backend.covered
            for key, row in list(covered.items()):
                if row.get("scanStatus", {}).get("statusCode") == "ACTIVE":
                    covered[key] = {**row, "lastScannedAt": now}
