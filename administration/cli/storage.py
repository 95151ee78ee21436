"""Commands about stores: add, list, show, probe, seal. Those that move what stores hold are in ``moving``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from administration.cli.app import EXIT_CODES, Context, command, group
from administration.cli.output import Output

if TYPE_CHECKING:
    from administration.store_settings import StoreSettings
    from metadata.stores import StoreRecord


@group.group("storage", epilog=EXIT_CODES)
def storage() -> None:
    """Các nơi lưu. / The stores.

    Thêm nơi lưu, xem nó làm được gì, thử lại khi máy chủ thay đổi.

    Add a store, see what it can do, try it out again when its server has changed.
    """


@command("list", parent=storage)
def list_(context: Context, output: Output) -> int:
    """Liệt kê các nơi lưu. / List the stores."""
    from administration.archive import Archive

    with Archive.open(context.home) as archive:
        records = archive.catalogue.stores.records()
        settings = archive.settings.stores
    output.document({"stores": [store_to_json(one, records.get(one.id)) for one in settings]})
    for one in settings:
        record = records.get(one.id)
        state = record.state.value if record else "active"
        site = one.site or "—"
        output.line(f"  {one.id.value:<20} {one.kind:<10} {state:<9} {site:<16} {where(one)}")
    return 0


def where(settings: StoreSettings) -> str:
    """Where a store is, for a person."""
    if settings.kind == "directory":
        return str(settings.path)
    return f"{settings.endpoint}/{settings.bucket}/{settings.prefix}"


def store_to_json(settings: StoreSettings, record: StoreRecord | None) -> dict[str, object]:
    """A store as it is set up, and what is known of it."""
    return {
        "id": settings.id.value,
        "kind": settings.kind,
        "where": where(settings),
        "site": settings.site,
        "label": settings.label,
        "state": record.state.value if record else "active",
        "since": record.since.isoformat() if record else None,
        "probe": record.probe.document() if record and record.probe else None,
    }
