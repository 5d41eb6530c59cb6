"""Every page that is made, by its path under docs/. One literal table."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from controlplane.manual.commands import commands_page
from controlplane.manual.events import events_page
from controlplane.manual.keys import keys_page
from controlplane.manual.metrics import metrics_page
from controlplane.manual.settings import settings_page

PAGES: Mapping[str, Callable[[], str]] = MappingProxyType(
    {
        "reference/commands.md": commands_page,
        "reference/events.md": events_page,
        "reference/keys.md": keys_page,
        "reference/metrics.md": metrics_page,
        "reference/settings.md": settings_page,
    }
)
