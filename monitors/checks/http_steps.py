"""The steps of an HTTP journey: how they are declared, and what is expected of an answer. Pure."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from monitors.values import Configuration, json_list
from monitors.web import Answer, checked

MOST = 20
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
KEYS = {"name", "method", "url", "headers", "body", "expect", "followRedirects"}
EXPECT = {"status", "json", "contains", "maxLatencyMs"}
GOT = 100
"""Characters of an unexpected value that are told."""
MISSING = object()
INDEX = re.compile(r"[0-9]{1,6}")


@dataclass(frozen=True, slots=True)
class Step:
    """One request and what is expected. statuses: empty means any of 200 to 299."""

    name: str
    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    follow: bool = False
    statuses: tuple[int, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    contains: tuple[str, ...] = ()
    most_ms: float | None = None


def steps(configuration: Configuration, base: str) -> list[Step]:
    """Read Steps; ValueError that names the step where one is wrong."""
    declared = json_list(configuration, "Steps", most=MOST)
    if not declared:
        raise ValueError("Steps has no step: a journey without one shows nothing")
    found = []
    for number, entry in enumerate(declared, start=1):
        try:
            found.append(_step(entry, base, number))
        except ValueError as error:
            raise ValueError(f"Steps: step {number}: {error}") from None
    return found


def _step(entry: Mapping[str, Any], base: str, number: int) -> Step:
    expect = _typed(entry, "expect", dict, {})
    _known(entry, KEYS)
    _known(expect, EXPECT)
    method = _typed(entry, "method", str, "GET").upper()
    if method not in METHODS:
        raise ValueError(f"method {method!r} is none of {', '.join(METHODS)}")
    headers, body = _body(entry)
    most = expect.get("maxLatencyMs")
    if most is not None and (isinstance(most, bool) or not isinstance(most, int | float)):
        raise ValueError(f"maxLatencyMs {most!r} is no number of milliseconds")
    return Step(
        name=_typed(entry, "name", str, f"step {number}"),
        method=method,
        url=_url(_typed(entry, "url", str, ""), base),
        headers=headers,
        body=body,
        follow=_typed(entry, "followRedirects", bool, default=False),
        statuses=_statuses(expect.get("status", [])),
        values=_typed(expect, "json", dict, {}),
        contains=_texts(expect.get("contains", [])),
        most_ms=most,
    )


def _typed(entry: Mapping[str, Any], key: str, kind: type, default: Any) -> Any:
    found = entry.get(key, default)
    if not isinstance(found, kind):
        raise ValueError(f"{key} is {found!r:.80}: that is no {kind.__name__}")  # noqa: TRY004
    return found


def _known(entry: Mapping[str, Any], keys: set[str]) -> None:
    unknown = sorted(set(entry) - keys)
    if unknown:
        raise ValueError(f"{unknown[0]!r} is not known: use {', '.join(sorted(keys))}")


def _url(url: str, base: str) -> str:
    if url.startswith(("http://", "https://")):
        return checked(url)
    if not base:
        raise ValueError(f"url {url!r} is not whole, and there is neither BaseUrl nor Site")
    return checked(f"{base.rstrip('/')}/{url.lstrip('/')}")


def _body(entry: Mapping[str, Any]) -> tuple[dict[str, str], bytes]:
    headers = {str(name): str(value) for name, value in _typed(entry, "headers", dict, {}).items()}
    body = entry.get("body", "")
    if isinstance(body, str):
        return headers, body.encode()
    if not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = "application/json"
    return headers, json.dumps(body).encode()


def _statuses(status: Any) -> tuple[int, ...]:
    found = status if isinstance(status, list) else [status]
    if not all(isinstance(one, int) and 100 <= one <= 599 for one in found):  # noqa: PLR2004
        raise ValueError(f"status {status!r:.80} is no HTTP status, nor a list of them")
    return tuple(found)


def _texts(contains: Any) -> tuple[str, ...]:
    found = contains if isinstance(contains, list) else [contains]
    if not all(isinstance(one, str) and one for one in found):
        raise ValueError("contains is no text, nor a list of texts")
    return tuple(found)


def faults(step: Step, answer: Answer) -> list[str]:
    """Say in what an answer is not as expected: "expected ..., got ..."; empty where it is."""
    found = []
    wanted = ", ".join(map(str, step.statuses)) or "200 to 299"
    if not (answer.status in step.statuses if step.statuses else answer.status // 100 == 2):  # noqa: PLR2004
        found.append(f"expected status {wanted}, got {answer.status}")
    took = answer.took.total_seconds() * 1000
    if step.most_ms is not None and took > step.most_ms:
        found.append(f"expected an answer within {step.most_ms:g} ms, got it after {took:.0f} ms")
    text = answer.text()
    found += [f"expected {part!r:.80} in the body" for part in step.contains if part not in text]
    return found + _json_faults(step, answer)


def _json_faults(step: Step, answer: Answer) -> list[str]:
    if not step.values:
        return []
    try:
        said = json.loads(answer.body)
    except (ValueError, RecursionError):
        return ["expected JSON, got something else"]
    found = []
    for path, wanted in step.values.items():
        got = at(said, path)
        if got is MISSING:
            found.append(f"expected {path} = {json.dumps(wanted)}, got nothing there")
        elif got != wanted or isinstance(got, bool) != isinstance(wanted, bool):
            shown = json.dumps(got)[:GOT]
            found.append(f"expected {path} = {json.dumps(wanted)}, got {shown}")
    return found


def at(said: Any, path: str) -> Any:
    """Follow a dotted path ("items.0.id"); MISSING where it leads nowhere."""
    for part in path.split("."):
        if isinstance(said, dict) and part in said:
            said = said[part]
        elif isinstance(said, list) and INDEX.fullmatch(part) and int(part) < len(said):
            said = said[int(part)]
        else:
            return MISSING
    return said
