"""The story of the archive, told in a minute: ``python -m demo``."""
