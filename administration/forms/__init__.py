"""The forms of TT 05 Phụ lục VII and the statistics of the year: as data and as PDF/A, of what the archive knows."""

from administration.forms.service import Form, FormService
from administration.forms.sheet import Head, Person

__all__ = ["Form", "FormService", "Head", "Person"]
