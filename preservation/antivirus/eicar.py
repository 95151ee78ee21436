"""The EICAR test file (eicar.org), which every scanner must call infected and which harms nobody.

Kept in two parts, so that a scanner on the computer of a developer does not take this file away.
"""

from __future__ import annotations

EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
