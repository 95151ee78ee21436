"""Giving packages out: a DIP for a reader's request (TT 05 Phụ lục V), an AIP for another archive."""
