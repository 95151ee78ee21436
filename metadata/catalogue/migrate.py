"""Migrations through Alembic's API: no ini file, no change to anyone's logging, one transaction."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import text

from metadata.catalogue.database import Database

_LOCK = 0x74616E67746875  # "tangthu"


def upgrade(database: Database, revision: str = "head") -> None:
    """Run the migrations not yet run. A second process waits for the first and then finds nothing to do."""
    with database.write() as connection:
        if database.is_postgresql:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        config = configuration()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def configuration() -> Config:
    """Alembic's configuration, made in memory."""
    config = Config()
    folder = Path(__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
