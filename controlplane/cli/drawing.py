"""An execution as it is drawn on a terminal: a tree of its stages, with their waves, actions and rules."""

from collections.abc import Mapping
from typing import Any

from rich.text import Text
from rich.tree import Tree

from controlplane.client.words import COLOURS, short


def tree(document: Mapping[str, Any]) -> Tree:
    """An execution as a tree of stages, actions and rules."""
    head = f"{document['pipeline']}  {document['id']}  {short(document['digest'])}  "
    root = Tree(Text.assemble(head, _state(document["status"]), " ", document["reason"]))
    if document["type"] == "ROLLBACK":
        of = f" of {document['rollsBack']}"
        root.add(Text.assemble("rollback  ", _state(document["rollbackState"]), of))
    if document["next"]:
        root.add(Text.assemble("next  ", document["next"]))
    for stage in document["stages"]:
        said = "  ".join(words for words in (bake_in_words(stage), watch_in_words(stage)) if words)
        said = stage["held"] if stage["status"] == "Inbound" else said
        branch = root.add(
            Text.assemble(f"{stage['stage']:12} ", _state(stage["status"]), "  ", said)
        )
        _gate(branch, stage.get("gate"))
        for wave in stage.get("waves", ()):  # an older server does not tell
            branch.add(_wave(wave))
        for action in stage["actions"]:
            branch.add(
                Text.assemble(
                    f"{action['name']:24} ",
                    _state(action["status"]),
                    f"  {action['summary'][:120]}",
                )
            )
        for rule in stage["rules"]:
            branch.add(
                Text.assemble(
                    f"{rule['name']:24} ",
                    (rule["verdict"] or "watching"),
                    f"  {rule['reason'][:120]}",
                    style="dim",
                )
            )
        for proof in stage.get("proofs", ()):  # an older server does not tell
            word = proof["verdict"] or proof["status"]
            branch.add(Text(f"{proof['name']:24} {word}  {proof['reason'][:120]}", style="dim"))
    return root


def _wave(wave: Mapping[str, Any]) -> Text:
    """The wave's line; then its targets, where something is already to be told of them."""
    from controlplane.clock import system_clock
    from controlplane.declarations.wave_words import wave_line

    stands = ", ".join(f"{one['name']} {one['status']}" for one in wave["targets"])
    return Text.assemble(wave_line(wave, system_clock()), (f"  ({stands})", "dim"))


def bake_in_words(stage: Mapping[str, Any]) -> str:
    """Until when it bakes, and why for longer; "" where it does not bake."""
    bake = stage["bake"]
    if stage["status"] != "Baking" or not bake:
        return ""
    if bake["askedAt"]:
        return f"asks: towpath judge {stage['executionId']} {stage['stage']} pass|rollback -m WHY"
    longer = bake["extended"] or bake.get("longerUntil")  # an older server does not tell
    told = [f"bakes until {bake['until'][11:16]} UTC" + ", extended" * bool(longer)]
    told += [f"held: {stage['held']}"] if stage["held"] else []
    told += [r["reason"] for r in stage["rules"] if bake["extended"] and r["verdict"] != "PASS"]
    return "; ".join(told)


def watch_in_words(stage: Mapping[str, Any]) -> str:
    """Until when it is watched, and what a breach leads to; "" where it is not."""
    watch = stage["watch"]
    if not watch or watch["state"] == "over":
        return ""
    how = "a breach rolls back" if watch["state"] == "automatic" else "a breach is told"
    held = f"; not well: {stage['held']}" if stage["held"] else ""
    return f"watched until {watch['until'][11:16]} UTC, {how}{held}"


def _gate(branch: Tree, gate: Mapping[str, Any] | None) -> None:
    """What stands in front of a stage."""
    for rule in gate["rules"] if gate else ():
        opens = f" (opens {rule['opensAt']}, {rule['timeZone']})" if rule["opensAt"] else ""
        word = rule["verdict"] or rule["status"]
        text = f"{rule['name']:24} {word}  {rule['reason'][:120]}{opens}"
        branch.add(Text(text, style="dim"))
    asked = gate["override"] if gate else None
    if asked is not None:
        by = f", confirmed by {asked['confirmedBy']}" if asked["confirmedBy"] else ""
        branch.add(Text(f"override asked for by {asked['askedBy']}{by}: {asked['reason']}"))


def _state(status_: str) -> tuple[str, str]:
    return (status_, COLOURS.get(status_, ""))
