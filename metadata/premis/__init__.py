"""PREMIS 3.0: objects, events and agents, written and read back."""

from metadata.premis.model import Category, PremisObject, PremisSignature
from metadata.premis.reader import PremisRefused, iter_premis
from metadata.premis.writer import write_premis

__all__ = ["Category", "PremisObject", "PremisRefused", "PremisSignature", "iter_premis", "write_premis"]
