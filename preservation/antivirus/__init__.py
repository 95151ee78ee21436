"""Virus scanners behind one port."""
