"""Digital signatures: one verdict for each, from pyHanko and our own checks, in a child process; evidence kept."""
