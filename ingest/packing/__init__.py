"""From an agency's system to SIPs: what ``tangthu pack`` and its page do. Needs no archive."""

from ingest.packing.missing import write_missing
from ingest.packing.packing import pack
from ingest.packing.result import Packed, PackResult
from ingest.packing.template import TemplateKind, write_template

__all__ = ["PackResult", "Packed", "TemplateKind", "pack", "write_missing", "write_template"]
