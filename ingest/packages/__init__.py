"""What kind of package a submission is, what its rules say of it, and what the archive makes of it."""

from ingest.packages.examined import Examined
from ingest.packages.inspection import examine

__all__ = ["Examined", "examine"]
