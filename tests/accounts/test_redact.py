"""What looks like a credential is found as if every text were searched for everything."""

from hypothesis import given
from hypothesis import strategies as st

from accounts.redact import SECRETS, hidden

PIECES = st.sampled_from(
    [
        "Encoded authorization failure message: abc",
        "AKIA0123456789ABCDEF",
        "https://b.s3/k?a=1&x-amz-signature=f",
        "https://anne:pw@example.com/x",
        "Session Token: t",
        "secret_access_key=s",
        "\u017fecret = s",
        "to\u212aen=t",
        "author\u0130zation: x",
        "extern\u0131al: no",
        "EXTERNAL-ID:7",
        "signature=arn:aws:x",
        "s\u0131gnature=x",
        "A" * 40,
        "b" * 120,
        "d" * 39,
        "0123456789" * 4,
        " ",
        "\n",
        ".",
    ]
)
TEXTS = st.lists(PIECES | st.text(max_size=5), max_size=6).map("".join)


@given(TEXTS)
def test_no_text_is_left_out_that_a_pattern_would_have_found(text: str) -> None:
    searched = text
    for one in SECRETS:
        searched = one.pattern.sub(one.instead, searched)
    assert hidden(text) == searched
