"""Commands about alerts: tangthu alerts test, list."""

from __future__ import annotations

import click

from administration.cli.app import EXIT_CODES, Context, command, group
from administration.cli.output import Output
from metadata.dates import local_text, utc_text
from metadata.errors import UsageError
from metadata.text import Sentence


@group.group("alerts", epilog=EXIT_CODES)
def alerts() -> None:
    """Cảnh báo qua thư và webhook. / Alerts by mail and webhook."""


@command("test", parent=alerts)
def test_command(context: Context, output: Output) -> int:
    """Gửi thử một cảnh báo ngay. / Send a test alert now.

    Gửi qua mọi kênh đã khai trong [alerts] và nói kênh nào đến được. Mã thoát 1 khi có kênh không gửi được.

    By every channel that [alerts] sets up; says which of them work. Exit code 1 when one does not.
    """
    from administration.archive import Archive

    with Archive.open(context.home) as archive:
        done = archive.alerts.test()
    if not done.sent and not done.failed:
        raise UsageError(
            Sentence(
                "Chưa khai kênh cảnh báo nào: đặt mail_to hoặc webhook trong mục [alerts] của tangthu.toml.",
                "No channel is set up: give mail_to or webhook in section [alerts] of tangthu.toml.",
            )
        )
    output.document({"sent": [one.value for one in done.sent], "failed": {c.value: w for c, w in done.failed.items()}})
    for channel in done.sent:
        output.say(f"{channel.value}: đã gửi.", "sent.", "✓")
    for channel, why in done.failed.items():
        output.say(f"{channel.value}: không gửi được ({why}).", "could not be sent.", "✗")
    return 1 if done.failed else 0


@command("list", parent=alerts)
@click.option("--waiting", is_flag=True, help="Chỉ những gì chưa đến ai. / Only what has reached nobody yet.")
@click.option("--limit", default=50, type=click.IntRange(1, 1000), help="Nhiều nhất bao nhiêu dòng. / At most so many.")
def list_command(context: Context, output: Output, waiting: bool, limit: int) -> int:
    """Các cảnh báo, mới nhất trước. / Alerts, the newest first.

    Mỗi cảnh báo có một dòng cho mỗi kênh: đã gửi lúc nào, hoặc đã thử mấy lần, vì sao chưa được, khi nào thử lại.

    One line for each alert and channel: when it was sent, or how often it was tried, why it failed, when it is next.
    """
    from administration.archive import Archive

    with Archive.open(context.home) as archive:
        found = archive.catalogue.alerts.listed(waiting=waiting, limit=limit)
        left = archive.catalogue.alerts.waiting()
        used = archive.alerts.channels
    output.document(
        {
            "channels": [channel.value for channel in used],
            "waiting": {channel.value: count for channel, count in left.items()},
            "alerts": [
                {
                    "id": one.id, "channel": one.channel.value, "at": utc_text(one.at), "incident": one.incident,
                    "vi": one.told.vi, "en": one.told.en, "tries": one.tries, "trouble": one.trouble,
                    "sent": utc_text(one.sent) if one.sent else None, "next_try": utc_text(one.next_try),
                }
                for one in found
            ],
        }
    )  # fmt: skip
    for one in found:
        state = f"✓ {local_text(one.sent)}" if one.sent else f"… {one.tries}× {one.trouble}".rstrip()
        if one.channel not in used:
            state = "– chưa khai kênh này / channel not set up"
        output.line(f"{local_text(one.at)}  {one.channel.value:8}  {state}")
        output.say(f"    {one.told.vi}", f"    {one.told.en}")
    if not found:
        output.say("Không có cảnh báo nào.", "There are no alerts.")
        if not used:
            output.say(
                "Chưa khai kênh nào nên không ai được báo: đặt mail_to hoặc webhook trong mục [alerts] của "
                "tangthu.toml, rồi tangthu alerts test.",
                "No channel is set up, so nobody is told: give mail_to or webhook in section [alerts] of tangthu.toml, "
                "then tangthu alerts test.",
                "!",
            )
    return 0
