"""Formats looked into: is a file what its format says it must be, and what do people want to know of it."""
