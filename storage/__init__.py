"""Archival Storage (OAIS): stores, the AIP writer and reader, replicas."""
