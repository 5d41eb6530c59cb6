"""Every spelling says the same: what is written is read again as what it was."""

from hypothesis import HealthCheck, given, settings
from strategies import declarations
