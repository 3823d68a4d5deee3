"""`mldr annotate consent`: the consent record on the command line. No logic."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated, Literal

import typer

from mldr.console import application, show_table, show_text

consent_app = application("The consent record: who agreed to what; giving it, withdrawing it.")

Today = Annotated[str, typer.Option(help="The day on which consents must be alive, YYYY-MM-DD.", show_default="today")]


def day_of(text: str) -> dt.date:
    """Return the day that an option names, today where it names none.

    Raises:
        typer.BadParameter: for anything that is no date.
    """
    try:
        return dt.date.fromisoformat(text) if text else dt.date.today()
    except ValueError as error:
        raise typer.BadParameter("YYYY-MM-DD is expected", param_hint="--today") from error


@consent_app.command("give")
def give(
    place: Annotated[Path, typer.Argument(metavar="STORE|COLLECTION", help="Whose record the consent enters.")],
    person: Annotated[str, typer.Option(help="The person's id in the export (a store), or the subject key.")],
    notice: Annotated[str, typer.Option(help="Version of the notice that the person was given.")],
    method: Annotated[
        Literal["signed", "written", "in_chat", "recorded", "donor_page"], typer.Option(help="How it was given.")
    ],
    date: Annotated[str, typer.Option(help="Of the consent, YYYY-MM-DD.")],
    scope: Annotated[list[str], typer.Option(help="What the person agreed to; may stand several times.")],
    adult: Annotated[bool, typer.Option("--adult/--minor", help="Whether the person is 18 or older.")],
    expires: Annotated[str, typer.Option(help="The last day on which it holds, YYYY-MM-DD; none without.")] = "",
    platform: Annotated[str, typer.Option(help="Of the export, in a store.")] = "wechat",
) -> None:
    """Enter what a person agreed to. Ask them first: docs/consent holds templates."""
    from mldr.annotation.consent_entry import enter

    told = {"notice_version": notice, "method": method, "date": date, "scopes": scope, "adult": adult}
    show_text(enter(place, platform, person, {**told, "expires": expires or None}))


@consent_app.command("withdraw")
def withdraw(
    place: Annotated[Path, typer.Argument(metavar="STORE|COLLECTION", help="What is purged.")],
    person: Annotated[str, typer.Option(help="The person's id in the export (a store), or the subject key.")],
    platform: Annotated[str, typer.Option(help="Of the export, in a store.")] = "wechat",
    today: Today = "",
) -> None:
    """Take a person's messages, pictures and labels out; says what downloaders may still hold."""
    from mldr.annotation.consent_entry import withdraw_from

    show_text("\n".join(withdraw_from(place, platform, person, day_of(today))))


@consent_app.command("list")
def list_(
    place: Annotated[Path, typer.Argument(metavar="STORE|COLLECTION", help="Whose record is shown.")],
    today: Today = "",
) -> None:
    """Show who agreed to what and whether it holds; people are subject keys."""
    from rich.table import Table

    from mldr.annotation.consent_entry import listed

    table = Table("subject", "who", "holds for", "or why not", "notice", "date", "method")
    for row in listed(place, day_of(today)):
        table.add_row(*row)
    show_table(table)
