"""Buttons and windows in Slack: those that count, and those that change nothing and say why."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select, update

from controlplane.engine.refusals import Person
from controlplane.engine.structures import Structures
from controlplane.notify import buttons
from controlplane.sandbox.scripted import Scripted, judging
from controlplane.slack.inbox import Inbox
from controlplane.store import slack_inbox
from controlplane.store.tables import PipelineVersion, SlackInbox, Vote, table
from monitors.base import Outcome, Progress, Verdict
from tests.support.changed import changes_in_prod
from tests.support.chat import Chat
from tests.support.doors import SECRET, asks_a_person
from tests.support.house import action, deploying


@pytest.fixture
def chat(tmp_path: Path) -> Iterator[Chat]:
    made = Chat(tmp_path)
    yield made
    made.fake.stop()


@pytest.mark.parametrize(("button", "status"), [("approve", "Succeeded"), ("reject", "Failed")])
def test_a_window_takes_the_decision_and_its_comment(chat: Chat, button: str, status: str) -> None:
    execution = chat.asks()
    chat.press(button)
    [view] = chat.fake.views().values()
    assert f"Execution {execution}: InProgress" in json.dumps(view)
    assert chat.submit("looks <!here> well") == ""
    chat.house.settle()
    assert chat.house.stages(execution)["Gate"] == status
    assert "by bo (slack): looks <!here> well" in chat.house.texts("approval.answered")[0]
    chat.tell()
    assert button not in chat.shown()
    assert "<!here>" not in json.dumps(chat.fake.messages())


def test_a_rejection_needs_a_comment_and_says_so_in_the_window(chat: Chat) -> None:
    chat.asks()
    chat.press("reject")
    before = chat.doors.events()
    assert "Say why" in chat.submit(" ")
    assert chat.doors.events() == before


def test_a_decision_that_comes_second_is_refused_in_its_window(chat: Chat) -> None:
    chat.asks()
    chat.press("approve")
    assert chat.submit("") == ""
    assert "no longer open" in chat.submit("", "U3") or "decided" in chat.submit("", "U3")


def test_a_button_decides_on_what_there_was_to_see_when_it_was_drawn(chat: Chat) -> None:
    execution = chat.asks()
    changes_in_prod(chat.house)
    chat.press("approve")
    assert "what you saw has changed since" in chat.submit("well")
    assert len(chat.house.texts("approval.refused")) == 1
    chat.press("approve")  # the first press has drawn the message anew
    assert chat.submit("well") == ""
    chat.house.settle()
    assert chat.house.stages(execution)["Gate"] == "Succeeded"


def test_who_may_not_is_refused_by_the_button_and_by_the_window(chat: Chat) -> None:
    chat.asks()
    before = chat.doors.events()
    chat.press("approve", "U2")
    assert "role viewer may not do this" in chat.told() and not chat.fake.views()
    chat.press("approve", "U9")
    assert "does not know who you are" in chat.told() and '"U9"' in chat.told()
    chat.press("approve")
    assert "role viewer may not do this" in chat.submit("", "U2")
    assert chat.doors.events() == before


def test_what_slack_did_not_sign_is_not_stored(chat: Chat) -> None:
    chat.asks()
    assert chat.post(chat.pressed("approve"), "a guess").status_code == 401
    assert chat.inbox.turn() == 0


def test_a_button_and_a_window_that_we_did_not_sign_move_nothing(chat: Chat) -> None:
    execution = chat.asks()
    before = chat.doors.events()
    forged = chat.pressed("approve")
    forged["actions"][0]["value"] = buttons.sign("rollback", execution, "Gate", "", "", "a guess")
    chat.post(forged)
    chat.work()
    assert "not signed" in chat.told()
    chat.press("approve")
    view = chat.fake.submission(list(chat.fake.views())[-1], "")
    view["view"]["private_metadata"] = forged["actions"][0]["value"]
    assert "not signed" in chat.post(view).json()["errors"]["comment"]
    assert chat.doors.events() == before


def test_a_press_that_comes_twice_is_done_once(chat: Chat) -> None:
    chat.asks()
    press = chat.pressed("approve")
    assert [chat.post(press).status_code for _ in range(2)] == [200, 200]
    chat.work()
    assert chat.post(press).status_code == 200  # replayed when it is done
    chat.work()
    assert len(chat.fake.views()) == 1 and chat.told() == ""


def test_what_is_no_press_is_refused(chat: Chat) -> None:
    chat.asks()
    press = chat.pressed("approve")
    press["actions"][0]["value"] = "v" * 2_001
    answer = chat.post(press)
    assert (answer.status_code, "actions.0.value" in answer.text) == (400, True)


def test_a_stale_press_is_told_so_and_its_message_loses_the_button(chat: Chat) -> None:
    execution = chat.asks()
    anne = Person("anne", "api")
    stale = chat.pressed("approve")
    chat.house.commands.decide_approval(execution, "Gate", "", anne, approve=True, summary="")
    chat.house.settle()
    chat.post(stale)
    chat.work()
    [view] = chat.fake.views().values()
    assert "no longer open" in json.dumps(view) and "submit" not in view
    assert "approve" not in chat.shown()


@pytest.mark.parametrize(
    ("seconds", "told"), [(4, "More than three seconds passed"), (301, "came to this after 5 min")]
)
def test_a_press_that_is_come_to_late_moves_nothing(chat: Chat, seconds: int, told: str) -> None:
    chat.asks()
    chat.post(chat.pressed("approve"))
    chat.house.clock.advance(seconds)
    chat.work()
    assert told in chat.told() and not chat.fake.views()


def test_a_release_is_rolled_back_once(chat: Chat) -> None:
    execution = chat.release(deploying("Prod", bake="60s"))
    press = chat.pressed("rollback")
    [button] = [one for one in press["message"]["blocks"] if one["type"] == "actions"]
    assert "last known good" in json.dumps(button)
    chat.post(press)
    chat.work()
    chat.house.wait(5)
    assert chat.house.execution(execution).status == "Failed"
    press["actions"][0]["action_ts"] = "9.9"  # pressed again
    chat.post(press)
    chat.work()
    assert "no longer in Prod" in chat.told()


def test_the_way_on_is_held_and_resumed(chat: Chat) -> None:
    chat.release(deploying("Test", bake="60s"), deploying("Prod"))
    chat.press("hold")
    assert chat.house.texts("transition.disabled") == ["bo: held in Slack"]
    assert "resume" in chat.shown() and "hold" not in chat.shown()
    old = chat.pressed("resume")
    chat.press("resume")
    assert "hold" in chat.shown()
    chat.house.clock.advance(1)
    chat.house.commands.disable_transition("shop", "Prod", Person("anne", "api"), reason="no")
    old["actions"][0]["action_ts"] = "9.9"
    chat.post(old)
    chat.work()
    assert "closed anew by anne: no" in chat.told()


def test_a_bake_that_asks_is_let_pass(chat: Chat) -> None:
    chat.house.drivers["CloudWatchAlarm"].default = judging(Verdict.INCONCLUSIVE)
    execution = chat.release(deploying("Prod", ExtendUpTo="5s"))
    chat.house.wait(20)
    chat.tell()
    old = chat.pressed("pass")
    chat.press("pass")
    assert chat.house.stages(execution)["Prod"] == "Succeeded"
    old["actions"][0]["action_ts"] = "9.9"
    chat.post(old)
    chat.work()
    assert "it has ended" in chat.told()


def test_a_message_says_who_of_a_quorum_has_approved(chat: Chat) -> None:
    asks_a_person(chat.house)
    ask = action("Ask", "Manual", configuration={"Quorum": "2", "AuthorMayApprove": "true"})
    chat.release({"name": "Gate", "actions": [ask]}, deploying("Prod"))
    first = chat.message()["ts"]
    assert "Ask in Gate, approved by 0 of 2: nobody yet" in json.dumps(chat.message())
    for number, (user, told) in enumerate((("U1", "1 of 2: bo"), ("U3", ""))):
        chat.press("approve", user)
        shown = json.dumps(list(chat.fake.views().values())[-1])
        assert ("approved by 1 of 2: bo" in shown) == (number == 1)
        assert chat.submit("", user) == ""
        chat.house.settle()
        chat.tell()
        text = json.dumps(chat.message())
        assert (f"approved by {told}" in text) if told else ("approved by" not in text)
    assert chat.message()["ts"] == first


def test_who_lapses_is_named_no_longer_and_names_are_no_markup(chat: Chat) -> None:
    asks_a_person(chat.house)
    ask = action("Ask", "Manual", configuration={"Quorum": "3"})
    execution = chat.release({"name": "Gate", "actions": [ask]}, deploying("Prod"))
    for name in ("<!here>", "cy"):
        person = Person(name, "api")
        chat.house.commands.decide_approval(
            execution, "Gate", "Ask", person, approve=True, summary=""
        )
    chat.tell()
    assert "2 of 3: &lt;!here&gt;, cy" in json.dumps(chat.message())
    with chat.house.database.begin() as connection:
        stored = update(table(Vote)).where(table(Vote).c.person == "cy")
        connection.execute(stored.values(void_at=1.0))
        note = chat.desk.notes.of(connection, execution)
    assert note.votes == ("Ask in Gate, approved by 1 of 3: <!here>",)


def test_a_window_shows_the_worst_new_findings_as_text(chat: Chat) -> None:
    found = [
        {
            "severity": "CRITICAL", "id": f"<!here>{n}", "title": "", "package": "*zlib*", "version": "",
            "fixed": "2", "accepted": "", "resources": 1, "stops": False,
        }
        for n in range(7)
    ]  # fmt: skip
    told = json.dumps({"findings": found, "more": 3, "all": True})
    chat.house.others["Test", "Custom", "InspectorFindings"] = scan = Scripted()
    scan.default = lambda *_: Progress(Outcome.SUCCEEDED, "h", "x", output={"NewFindings": told})
    chat.house.engine = chat.house.new_engine()
    kind = {"category": "Test", "owner": "Custom", "provider": "InspectorFindings"}
    test = {"name": "Test", "actions": [{"name": "Scan", "actionTypeId": kind}]}
    asks_a_person(chat.house)
    chat.release(test, {"name": "Gate", "actions": [action("Ask", "Manual")]}, deploying("Prod"))
    chat.press("approve")
    [view] = chat.fake.views().values()
    text = view["blocks"][0]["text"]
    assert text["type"] == "plain_text"
    assert "CRITICAL <!here>4, *zlib*, fixed in 2\nand 5 more" in text["text"]
    assert "<!here>5" not in text["text"]


def test_a_bake_is_extended_once_by_two_who_press_at_once(chat: Chat) -> None:
    execution = chat.release(deploying("Prod", bake="60s"))
    first, second = chat.pressed("extend"), chat.pressed("extend", "U3")
    second["user"]["id"] = "U1"
    second["actions"][0]["action_ts"] = "9.9"
    assert "goes on for 30 minutes longer" not in chat.told()
    chat.post(first)
    chat.post(second)
    chat.work()
    assert [text.partition(",")[0] for text in chat.house.texts("bake.extended")] == [
        "Prod bakes 30 min longer"
    ]
    assert "was extended already" in chat.told()
    chat.tell()
    chat.press("extend")  # the message shows the new one
    assert len(chat.house.texts("bake.extended")) == 2
    chat.house.wait(3_700, step=20)
    chat.tell()
    assert chat.house.stages(execution)["Prod"] == "Succeeded"
    assert "extend" not in chat.shown()


def test_a_watch_is_extended_by_its_button(chat: Chat) -> None:
    chat.release(deploying("Prod", Watch="1h"))
    chat.house.wait(20)
    chat.tell()
    chat.press("extend")
    assert "Prod is watched 30 min longer" in chat.house.texts("bake.extended")[0]


def test_an_answer_that_slack_does_not_take_is_sent_later_and_nothing_else_again(
    chat: Chat,
) -> None:
    chat.asks()
    chat.fake.rate_limit("/actions/T1/", retry_after=40)
    chat.post(chat.pressed("approve", "U2"))
    assert (chat.inbox.turn(), chat.told()) == (1, "")
    chat.house.clock.advance(39)
    assert chat.inbox.turn() == 0
    chat.house.clock.advance(2)
    chat.work()
    assert "role viewer may not do this" in chat.told()


def test_a_command_whose_answer_slack_does_not_take_is_done_once(chat: Chat) -> None:
    """What was done is no refusal here: done again it would be there twice."""
    chat.release(deploying("Test", bake="60s"), deploying("Prod"))
    chat.fake.rate_limit("/commands/T1/", retry_after=40)
    chat.fake.rate_limit("/actions/T1/", retry_after=40)
    chat.post(chat.fake.command("freeze shop Prod the fair", "U1"))
    assert (chat.inbox.turn(), chat.told()) == (1, "")
    assert len(chat.house.texts("freeze.set")) == 1
    chat.house.clock.advance(41)
    chat.work()
    assert chat.told() and len(chat.house.texts("freeze.set")) == 1


def test_what_a_dead_replica_claimed_is_done_by_another_after_its_lease(chat: Chat) -> None:
    chat.release(deploying("Test", bake="60s"), deploying("Prod"))
    chat.post(chat.pressed("hold"))
    with chat.house.database.begin() as connection:
        now = chat.house._now()
        [row] = slack_inbox.claim(connection, "dead", now, now + 30, 10)
    other = Inbox(chat.desk)
    assert other.turn() == 0
    chat.house.clock.advance(31)
    assert other.turn() == 1
    assert chat.house.texts("transition.disabled") == ["bo: held in Slack"]
    with chat.house.database.begin() as connection:
        assert not slack_inbox.write(connection, row, error="of the dead one")


class Killed(BaseException):
    """The process is gone."""


@pytest.fixture
def killed(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Work until what was asked for is done, and die before that is written to its row."""

    def die(*_: object, **__: object) -> None:
        raise Killed

    def work() -> None:
        doomed = Inbox(chat.desk)
        with monkeypatch.context() as patched:
            patched.setattr(doomed, "_write", die)
            patched.setattr(doomed, "_finish", die)
            patched.setattr(doomed, "_told", die)
            with pytest.raises(Killed):
                doomed.turn()
        chat.house.clock.advance(31)

    return work


@pytest.mark.parametrize("text", ["freeze shop Prod the fair", "promote shop"])
def test_a_command_is_done_once_though_whoever_did_it_died_at_once(
    chat: Chat, killed: Callable[[], None], text: str
) -> None:
    chat.release(deploying("Test", bake="300s"), deploying("Prod"))
    chat.post(chat.fake.command(text, "U1"))
    killed()
    done = [chat.house.texts("freeze.set"), chat.house.rows()]
    chat.work()
    assert [chat.house.texts("freeze.set"), chat.house.rows()] == done
    assert len(done[0]) + len(done[1]) == 2  # the release, and what was asked for
    assert "It was done" in chat.told()


@pytest.mark.parametrize("button", ["hold", "extend", "rollback"])
def test_a_move_is_not_refused_because_it_is_done_already(
    chat: Chat, killed: Callable[[], None], button: str
) -> None:
    chat.release(deploying("Test", bake="300s"), deploying("Prod"))
    chat.post(chat.pressed(button))
    killed()
    kinds = chat.house.kinds()
    chat.work()
    assert (chat.told(), chat.house.kinds()) == ("", kinds)


def test_what_another_replica_has_taken_over_is_left_to_it(chat: Chat) -> None:
    """Its lease ran out while it did it: nothing of it stands, and nobody is told twice."""
    chat.release(deploying("Test", bake="300s"), deploying("Prod"))
    chat.post(chat.pressed("hold"))
    now = chat.house._now()
    with chat.house.database.begin() as connection:
        [old] = slack_inbox.claim(connection, "slow", now, now + 30, 10)
        slack_inbox.claim(connection, "other", now + 31, now + 61, 10)
    before = chat.house.kinds()
    chat.inbox._take(old, now, chat.inbox.tick() + 30)
    assert (chat.told(), chat.house.kinds()) == ("", before)


def test_a_window_that_is_sent_off_again_is_taken_as_said(chat: Chat) -> None:
    """Its answer was lost on the way: whoever did it is not told that it is no longer open."""
    chat.asks()
    chat.press("approve")
    assert [chat.submit("well"), chat.submit("well")] == ["", ""]
    assert len(chat.house.texts("approval.answered")) == 1
    assert chat.submit("another word") != "" and chat.submit("well", "U3") != ""


def test_a_word_that_has_lapsed_is_not_taken_as_said(chat: Chat) -> None:
    asks_a_person(chat.house)
    ask = action("Ask", "Manual", configuration={"Quorum": "2"})
    chat.release({"name": "Gate", "actions": [ask]}, deploying("Prod"))
    chat.press("approve")
    assert [chat.submit("well"), chat.submit("well")] == ["", ""]
    changes_in_prod(chat.house)
    assert "what you saw has changed since" in chat.submit("well")


def test_what_is_slow_lets_no_other_claim_run_out(chat: Chat) -> None:
    chat.release(deploying("Test", bake="60s"), deploying("Prod"))
    for button in ("hold", "rollback"):
        chat.post(chat.pressed(button))
    times, still_claimed = iter((0.0, 1.0, 16.0, 17.0, 18.0)), []

    def tick() -> float:
        with chat.house.database.read() as connection:
            due = table(SlackInbox).c.due_at
            still_claimed.append(len(connection.execute(select(due).where(due > 0)).all()))
        return next(times)

    chat.inbox.tick = tick
    assert chat.inbox.turn() == 2
    assert still_claimed == [2, 2, 2, 1, 1]


def test_a_window_of_what_cannot_be_read_says_so(chat: Chat) -> None:
    chat.asks()
    with chat.house.database.begin() as connection:
        connection.execute(update(table(PipelineVersion)).values(declaration="{}"))
    restarted = replace(chat.door, structures=Structures())
    chat.inbox = Inbox(replace(chat.desk, door=restarted))
    chat.press("approve")
    assert "cannot be read" in json.dumps(list(chat.fake.views().values())[-1])
    assert chat.told() == ""


def test_what_is_done_is_forgotten_after_a_day(chat: Chat) -> None:
    chat.release(deploying("Test", bake="60s"), deploying("Prod"))
    press = chat.pressed("hold")
    chat.post(press)
    chat.work()
    chat.house.clock.advance(25 * 3600)
    chat.work()
    with chat.house.database.begin() as connection:
        assert slack_inbox.forget(connection, chat.house._now() - 24 * 3600) == 0


def test_a_faulty_window_is_told_to_who_pressed(chat: Chat) -> None:
    chat.asks()
    chat.fake.break_down("views.open")
    chat.press("approve")
    assert "could not be opened" in chat.told()


def test_button_values_of_no_known_move_are_refused(chat: Chat) -> None:
    execution = chat.asks()
    press = chat.pressed("approve")
    press["actions"][0]["value"] = buttons.sign("launch", execution, "Gate", "", "", SECRET)
    chat.post(press)
    chat.work()
    assert "no move 'launch'" in chat.told()
