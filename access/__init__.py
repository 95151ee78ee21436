"""Access (OAIS): search, the API, the public pages."""
