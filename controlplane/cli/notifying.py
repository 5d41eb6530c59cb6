"""notify: the SNS topic that people are told on, and a message to see that they are."""

from typing import Annotated

import typer

from controlplane.cli.output import Form, FormOption, fail, show, table_of
from controlplane.client.api import Exit

notify = typer.Typer(
    no_args_is_help=True,
    help="SNS topics and whom they tell. Works on TOWPATH_DATABASE_URL itself, by the accounts' roles.",
)
AccountOption = Annotated[str, typer.Option(help="the registered account that the topic is in")]
TopicOption = Annotated[str, typer.Option(help="its name, such as towpath-shop or towpath-prod")]
RegionOption = Annotated[str, typer.Option(help="left out: the account's first")]


def register(app: typer.Typer) -> None:
    """Put the commands in."""
    app.add_typer(notify, name="notify")


@notify.command()
def setup(  # noqa: PLR0913 - one parameter an option
    account: AccountOption,
    topic: TopicOption,
    region: RegionOption = "",
    email: Annotated[list[str] | None, typer.Option(help="tell this address; repeat it")] = None,
    sms: Annotated[list[str] | None, typer.Option(help="tell this number; repeat it")] = None,
    webhook: Annotated[list[str] | None, typer.Option(help="post to this https URL")] = None,
    filter_: Annotated[
        str, typer.Option("--filter", help='only these: \'{"severity": ["page"]}\'')
    ] = "",
    kms_key: Annotated[str, typer.Option(help="encrypt with this key of KMS")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would be made")] = False,
    output: FormOption = Form.TABLE,
) -> None:
    """Make a topic and its subscriptions, where they are not there. Say it again as often as you like."""
    from controlplane.cli.notices import set_up_there
    from controlplane.notify.base import NotifyError
    from controlplane.notify.sns_setup import wish

    given = (("email", email), ("sms", sms), ("https", webhook))
    addresses = [(kind, one) for kind, ones in given for one in ones or ()]
    try:
        asked = wish(topic, addresses, kms_key, filter_)
    except ValueError as error:
        fail(str(error), Exit.USAGE)
    try:
        found = set_up_there(asked, account, region, dry_run=dry_run)
    except NotifyError as error:
        fail(str(error), Exit.REFUSED)
    rows = ([one["what"], one["state"], one["toDo"]] for one in found)
    show(output, found, table_of(["what", "state", "still to be done"], rows))


@notify.command("test")
def send(account: AccountOption, topic: TopicOption, region: RegionOption = "") -> None:
    """Send one message to a topic, as a pipeline's would come."""
    from controlplane.cli.notices import send_test
    from controlplane.notify.base import NotifyError

    try:
        sent = send_test(account, topic, region)
    except NotifyError as error:
        fail(str(error), Exit.REFUSED)
    typer.echo(f"sent {sent} to {topic}: whoever confirmed is told within a minute")
