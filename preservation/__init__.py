"""Preservation Planning (OAIS): identification of formats, fixity audits, repair, rebuild."""
