"""Ingest (OAIS): sources, guards, package kinds, the one pass, receipts."""
