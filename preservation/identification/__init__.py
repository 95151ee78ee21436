"""Identification of formats: a port, and what answers behind it."""
