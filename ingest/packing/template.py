"""Workbooks to be filled in by a clerk, made from the profile."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import BinaryIO


class TemplateKind(StrEnum):
    """Which sheets a template has beside that of the dossiers."""

    ALL = "all"  # text documents, pictures, sound and film
    TEXT = "text"
    PICTURES = "pictures"
    MEDIA = "media"
    DOSSIERS = "dossiers"  # none: for a folder of edXML messages


def write_template(target: Path | BinaryIO, kind: TemplateKind = TemplateKind.ALL) -> None:
    """Write an empty workbook (.xlsx) with headings, code lists, instructions and one example row on each sheet."""
    raise NotImplementedError
