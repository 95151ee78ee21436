"""The command that serves the reading room: serve."""

from __future__ import annotations

import click

from administration.cli.app import Context, command
from administration.cli.output import Output


@command("serve")
@click.option("--host", help="Địa chỉ lắng nghe (listen.host). / The address.")
@click.option("--port", type=click.IntRange(0, 65535), help="Cổng (listen.port); 0 là cổng trống bất kỳ. / The port.")
@click.option("--no-worker", is_flag=True, help="Chỉ phục vụ trang web. / The web page only, no work.")
def serve(context: Context, output: Output, host: str | None, port: int | None, no_worker: bool) -> int:
    """Mở trang web và API. / Serve the web page and the API.

    In ra địa chỉ và mã truy cập. Đồng thời chạy đồng hồ và một tiến trình xử lý: tiếp nhận, kiểm tra định kỳ, sửa
    chữa, cập nhật chỉ mục. Dừng bằng Ctrl-C.

    Prints the address and the token. Also runs the clock and a worker. Stop it with Ctrl-C.
    """
    from administration.application import serve as run
    from administration.archive import Archive

    def ready(address: str, token: str) -> None:
        output.document({"address": address, "token": token})
        output.say(f"Trang web và API: {address}", "The web page and the API.", "✓")
        output.line(f"  Mã truy cập / token: {token}")

    with Archive.open(context.home) as archive:
        own_host, own_port = archive.settings.listen
        run(archive, host or own_host, own_port if port is None else port, ready, work=not no_worker)
    return 0
