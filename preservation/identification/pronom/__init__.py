"""PRONOM's own semantics: the official signature files read as they are, matched in linear time, containers opened."""
