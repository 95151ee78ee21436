"""Reproducible measurements, each beside the thing it is compared with, in the same run."""
