"""The console: server-rendered pages that work without JavaScript and stay live with it."""

from controlplane.console.app import create_console
from controlplane.console.desk import Desk

__all__ = ["Desk", "create_console"]
