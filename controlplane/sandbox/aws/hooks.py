"""How a class of ours takes the place of moto's. Call it before the service's first request."""

from collections.abc import Iterable
from types import ModuleType
from typing import Any


def swap(
    backends: Any, backend: type, urls: ModuleType, response: Any, paths: Iterable[str] = ()
) -> None:
    """Make moto build `backend` for each account and region, and route the service to `response`.

    backends: moto's BackendDict. urls: moto's urls module of the service, whose paths are kept.
    paths: more regular expressions of paths, such as "{0}/canary/(?P<name>[^/]+)/start$".
    """
    # moto looks for the table beside the backend's own module; ours lives elsewhere.
    backend._url_module = urls  # type: ignore[attr-defined]  # noqa: SLF001
    backends.backend = backend
    route(urls, response, paths)


def every(backends: Any) -> list[Any]:
    """Answer the backends of all accounts and regions, while other threads may add some."""
    return [backend for account in list(backends.values()) for backend in list(account.values())]


def route(urls: ModuleType, response: Any, paths: Iterable[str] = ()) -> None:
    """Route the service's paths, and more, to `response` (a subclass of moto's BaseResponse)."""
    table = dict.fromkeys(urls.url_paths, response.dispatch)
    urls.url_paths = table | dict.fromkeys(paths, response.dispatch)  # type: ignore[attr-defined]
