"""Slack: one message an execution, edited in place."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.notify import slack_blocks
from controlplane.notify.base import Button, Note, NotifyError
from controlplane.notify.slack import People, SlackNotifier
from controlplane.notify.slack_web import Web
from controlplane.sandbox.slack import FakeSlack, serve_slack
from controlplane.sandbox.slack_rules import complaint
from tests.controlplane.notify.notes import huge, note
from tests.support.loopback import Answer, loopback

RELEASES = {"Channel": "#releases"}
LONG_BUTTONS = tuple(Button(str(number), "x", "v" * 2_000) for number in range(4))
OUTSIDE = st.text(
    st.characters(exclude_categories=()) | st.sampled_from("<>&`\n💥"), max_size=4_000
)


@pytest.fixture
def slack() -> Iterator[FakeSlack]:
    fake = serve_slack()
    yield fake
    fake.stop()


@pytest.fixture
def notifier(slack: FakeSlack) -> SlackNotifier:
    return SlackNotifier("xoxb-sandbox", slack.url)


def shown(slack: FakeSlack, number: int = 0) -> str:
    return json.dumps(slack.messages()[number]["blocks"], ensure_ascii=False)


def test_the_first_send_posts_the_execution(slack: FakeSlack, notifier: SlackNotifier) -> None:
    thread = notifier.send(note(), RELEASES, "")
    [message] = slack.messages()
    assert thread == f"C1:{message['ts']}"
    for part in ("0123456789ab", "Failed", "*dev* Succeeded", "5 of 5 breaching", "line 2"):
        assert part in shown(slack)
    assert message["metadata"]["event_payload"] == {"execution": "ex-42"}


def test_a_later_send_edits_it_and_tells_the_event_in_its_thread(
    slack: FakeSlack, notifier: SlackNotifier
) -> None:
    thread = notifier.send(note(status="InProgress"), RELEASES, "")
    assert notifier.send(note(id="evt_2", status="Failed"), RELEASES, thread) == thread
    message, reply = slack.messages()
    assert (message["edits"], reply["thread_ts"]) == (1, message["ts"])
    assert "*Status*\\nFailed" in shown(slack)
    assert "line 1\\nline 2" in shown(slack, 1)


def test_the_buttons_of_a_finished_move_go_away(slack: FakeSlack, notifier: SlackNotifier) -> None:
    thread = notifier.send(note(), RELEASES, "")
    slack.press(thread.partition(":")[2], "approve")
    notifier.send(note(buttons=()), RELEASES, thread)
    with pytest.raises(LookupError):
        slack.press(thread.partition(":")[2], "approve")


def test_a_page_calls_somebody_and_is_seen_in_the_channel(
    slack: FakeSlack, notifier: SlackNotifier
) -> None:
    thread = notifier.send(note(), RELEASES, "")
    notifier.send(note(severity="page"), RELEASES | {"Mention": "S0ONCALL"}, thread)
    reply = slack.messages()[1]
    assert reply["reply_broadcast"] is True
    assert reply["text"].startswith("🚨")
    assert "<!subteam^S0ONCALL>" in shown(slack, 1)
    assert "S0ONCALL" not in shown(slack, 0)


@pytest.mark.parametrize(
    ("mention", "expected"),
    [("here", "<!here>"), ("U1", "<@U1>"), ("none", None), ("", NotifyError)],
)
def test_who_is_called_is_configured(
    slack: FakeSlack, notifier: SlackNotifier, mention: str, expected: object
) -> None:
    configuration = RELEASES | {"Mention": mention}
    if expected is NotifyError:
        with pytest.raises(NotifyError, match="is not here, channel, none"):
            notifier.send(note(severity="page"), configuration, "")
        return
    notifier.send(note(severity="page"), configuration, "")
    assert (str(expected) if expected else "<!date") in shown(slack)
    assert ("<@" in shown(slack) or "<!here" in shown(slack)) is bool(expected)


@pytest.mark.parametrize(
    ("kind", "starter", "called"),
    [
        ("approval.needed", "bo", ["<@U1>", "<@U3>"]),
        ("execution.failed", "bo", ["<@U1>"]),
        ("person.paged", "bo", ["<@U1>"]),
        ("execution.failed", "schedule", []),
        ("stage.succeeded", "bo", []),
    ],
)
def test_only_whom_it_concerns_is_called(
    slack: FakeSlack, kind: str, starter: str, called: list[str]
) -> None:
    notifier = SlackNotifier("xoxb-sandbox", slack.url, People(("U1", "U3"), {"bo": "U1"}))
    told = note(kind=kind, started_by=starter, severity="page")
    notifier.send(told, RELEASES, "")
    assert re.findall(r"<[@!](?!date)[^>]*>", shown(slack)) == called


def test_nothing_from_outside_is_markup(slack: FakeSlack, notifier: SlackNotifier) -> None:
    evil = "<!channel> & <https://evil.example|click> ```"
    hostile = note(title=evil, text=f"{evil}\n\n{evil}", stage=evil, status=evil, kind=evil)
    thread = notifier.send(hostile, RELEASES, "")
    notifier.send(hostile, RELEASES, thread)
    told = shown(slack, 0) + shown(slack, 1) + json.dumps([m["text"] for m in slack.messages()])
    assert "<!channel>" not in told
    assert "<https://evil" not in told
    assert "&lt;!channel&gt; &amp; &lt;https" in told
    assert told.count('"type": "mrkdwn"') == told.count('"verbatim": true')


def test_a_log_can_not_end_its_own_fixed_width(slack: FakeSlack, notifier: SlackNotifier) -> None:
    notifier.send(note(text="It failed.\n\nlog ``` *bold*"), RELEASES, "")
    assert "```\\nlog ''' *bold*\\n```" in shown(slack)


def test_a_rate_limit_says_when_to_come_back(slack: FakeSlack, notifier: SlackNotifier) -> None:
    slack.rate_limit("chat.postMessage", retry_after=9)
    with pytest.raises(NotifyError) as caught:
        notifier.send(note(), RELEASES, "")
    assert (caught.value.permanent, caught.value.retry_after) == (False, 9.0)
    assert len(slack.calls()) == 1  # the client did not try again by itself


def test_the_client_itself_never_tries_again(notifier: SlackNotifier) -> None:
    assert notifier._call.__self__._client.retry_handlers == []  # type: ignore[attr-defined]


def test_a_slack_that_can_not_be_reached_is_no_reason_to_give_up(
    slack: FakeSlack, notifier: SlackNotifier
) -> None:
    slack.stop()
    with pytest.raises(NotifyError, match=r"can not be reached \(URLError\)") as caught:
        notifier.send(note(), RELEASES, "")
    assert not caught.value.permanent


@pytest.mark.parametrize("body", [b"<html>Log in to the hotel's network</html>", b"\xff\xfe"])
def test_what_answers_in_slacks_place_is_not_believed(body: bytes) -> None:
    with (
        loopback(lambda _: Answer(200, body)) as hotel,
        pytest.raises(NotifyError, match=r"was not Slack|can not be reached") as caught,
    ):
        SlackNotifier("xoxb-sandbox", f"{hotel.url}/api/").send(note(), RELEASES, "")
    assert not caught.value.permanent


def test_a_message_that_is_gone_is_posted_anew(slack: FakeSlack, notifier: SlackNotifier) -> None:
    thread = notifier.send(note(), RELEASES, "")
    slack.delete(thread.partition(":")[2])
    again = notifier.send(note(id="evt_2"), RELEASES, thread)
    assert again != thread
    assert [m["ts"] for m in slack.messages()] == [again.partition(":")[2]]


def test_a_reply_that_failed_is_sent_once_when_tried_again(
    slack: FakeSlack, notifier: SlackNotifier
) -> None:
    thread = notifier.send(note(), RELEASES, "")
    slack.break_down("chat.postMessage")
    with pytest.raises(NotifyError, match="fault of its own"):
        notifier.send(note(id="evt_2"), RELEASES, thread)
    notifier.send(note(id="evt_2"), RELEASES, thread)
    assert [bool(m["thread_ts"]) for m in slack.messages()] == [False, True]


@pytest.mark.parametrize("token", ["", "xoxb-one\nxoxb-two"])
def test_a_token_that_can_not_be_one_is_not_sent(slack: FakeSlack, token: str) -> None:
    with pytest.raises(NotifyError, match="token is missing, or has a blank") as caught:
        SlackNotifier(token, slack.url).send(note(), RELEASES, "")
    assert caught.value.permanent
    assert slack.calls() == []


def test_without_a_channel_the_mend_is_said(notifier: SlackNotifier) -> None:
    with pytest.raises(NotifyError, match="name one, as #releases") as caught:
        notifier.send(note(), {}, "")
    assert caught.value.permanent


def test_buttons_past_slacks_limits_are_refused_for_good(notifier: SlackNotifier) -> None:
    with pytest.raises(NotifyError, match="Shorten its buttons") as caught:
        notifier.send(note(buttons=(Button("approve", "x", "v" * 2_001),)), RELEASES, "")
    assert caught.value.permanent


def test_two_buttons_of_one_action_have_ids_of_their_own(
    slack: FakeSlack, notifier: SlackNotifier
) -> None:
    twice = (Button("approve", "One", "1"), Button("approve", "Two", "2"))
    thread = notifier.send(note(buttons=twice), RELEASES, "")
    _, body = slack.press(thread.partition(":")[2], "approve.2")
    assert b"Two" in body


@pytest.mark.parametrize(
    "blocks",
    [
        slack_blocks.first(replace(huge(), buttons=LONG_BUTTONS), "<!here>"),
        slack_blocks.first(huge(), "<!here>"),
        slack_blocks.edited(huge()),
        slack_blocks.details(huge(), "<!here>"),
    ],
)
def test_a_huge_note_fits(blocks: list[dict[str, object]]) -> None:
    assert complaint("chat.postMessage", {"blocks": blocks}) is None


def test_many_stages_are_shown_without_details_then_counted() -> None:
    lines = slack_blocks._lines(huge().lines, 2_800)
    assert lines.endswith("… and 50 more")


@given(text=OUTSIDE, most=st.integers(5, 300), tail=st.booleans())
def test_escaped_text_fits_and_has_no_half_escape(text: str, most: int, *, tail: bool) -> None:
    shown = slack_blocks.escaped(text, most, tail=tail)
    assert len(shown) <= most
    rest = shown.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "")
    assert not set(rest) & set("<>&")


@given(OUTSIDE, OUTSIDE, OUTSIDE)
def test_any_note_fits(title: str, text: str, name: str) -> None:
    any_note: Note = note(title=title, text=text, stage=name, pipeline=name, digest=name)
    for blocks in (slack_blocks.first(any_note, ""), slack_blocks.details(any_note, "")):
        assert complaint("chat.postMessage", {"blocks": blocks}) is None


@pytest.mark.parametrize(
    "address",
    [
        "http://hooks.slack.com/actions/T1/1",
        "https://hooks.slack.com.example/actions/T1/1",
        "https://hooks.slack.com@127.0.0.1/actions/T1/1",
        "https://hooks.slack.com:444/actions/T1/1",
        "file:///etc/hostname",
        "https://[",
        "",
    ],
)
def test_an_answer_goes_to_no_address_that_is_none_of_slacks(
    slack: FakeSlack, address: str
) -> None:
    Web("xoxb-sandbox", slack.url).whisper("U1", "C1", address, "no")
    assert [name for name, _ in slack.calls()] == ["chat.postEphemeral"]
