"""What kind of package a submission is, and what the archive makes of it: BagIt bags and TT 05 SIP_hoso."""

from ingest.packages.examined import Examined
from ingest.packages.recognition import examine

__all__ = ["Examined", "examine"]
