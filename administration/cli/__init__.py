"""``tangthu``: the archive on the command line. One border turns every error into a sentence and an exit code."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence

import click

from administration.cli import (
    alerts,
    audits,
    backups,
    checking,
    checks,
    formats,
    forms,
    giving,
    holding,
    incidents,
    ingesting,
    mending,
    moving,
    packing,
    quarantine,
    reading,
    serving,
    signatures,
    storage,
    strangers,
)
from administration.cli.app import group
from administration.cli.output import Output
from administration.cli.usage import told
from metadata.errors import TangThuError
from metadata.text import Sentence

__all__ = [
    "alerts",
    "audits",
    "backups",
    "checking",
    "checks",
    "formats",
    "forms",
    "giving",
    "holding",
    "incidents",
    "ingesting",
    "main",
    "mending",
    "moving",
    "packing",
    "quarantine",
    "reading",
    "run",
    "serving",
    "signatures",
    "storage",
    "strangers",
]

_INTERRUPTED = 130


def main() -> None:
    """The program's entry: runs and exits."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    code = run(sys.argv[1:])
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of our output has gone; Python would complain once more while it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run one command; its exit code. The border: nothing but KeyboardInterrupt's kin passes."""
    output = Output(as_json="--json" in arguments)
    try:
        return int(group.main(list(arguments), prog_name="tangthu", standalone_mode=False) or 0)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return 2
    except click.ClickException as error:
        output.trouble(told(error))
        return 2
    except (click.Abort, KeyboardInterrupt):
        return _INTERRUPTED
    except TangThuError as error:
        output.trouble(error)
        return error.exit_code
    except BrokenPipeError:
        return 0
    except Exception as error:  # the border
        logging.getLogger(__name__).exception("internal error")
        output.trouble(
            TangThuError(
                Sentence(
                    f"Lỗi bên trong hệ thống ({type(error).__name__}). Dữ liệu đã lưu không bị ảnh hưởng.",
                    f"An internal error ({type(error).__name__}). What is stored is not affected.",
                )
            )
        )
        return TangThuError.exit_code
