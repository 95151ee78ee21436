"""The workshop: child processes in which every parser of files from outside runs (DESIGN §2 rule 10)."""
