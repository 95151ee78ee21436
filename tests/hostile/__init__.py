"""Hostile input, each case named by its number in the list that the archive keeps to."""
