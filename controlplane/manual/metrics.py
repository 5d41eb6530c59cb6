"""The metrics: read from an installation that is new, so that a metric is on the page because it is served."""

import tempfile

from controlplane.manual.words import code, page, table
from controlplane.settings import Settings
from controlplane.telemetry import Distribution, Reading
from controlplane.wiring import build, readings_of

ABOUT = """\
Served at `/metrics`, without a token. What counts things is folded from the events in the database: it
survives restarts, is the same on every replica (so use `max`, not `sum`, over replicas), and archiving takes
nothing off it. No label ever holds an execution's id."""


def metrics_page() -> str:
    """Answer the page of all metrics."""
    with (
        tempfile.TemporaryDirectory() as folder,
        build(Settings(database_url=f"sqlite:///{folder}/manual.db")) as house,
    ):
        found = sorted(readings_of(house), key=lambda one: one.name)
    rows = [(*_name(one), ", ".join(map(code, one.labels)), one.help) for one in found]
    return page("Metrics", ABOUT, table(("metric", "type", "labels", "what it says"), rows))


def _name(one: Reading | Distribution) -> tuple[str, str]:
    if isinstance(one, Distribution):
        return code(one.name), "histogram"
    return (code(f"{one.name}_total"), "counter") if one.counter else (code(one.name), "gauge")
