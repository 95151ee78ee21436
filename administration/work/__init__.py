"""Durable work: the only importer of dbos and apscheduler.

``plan`` says what a workflow is, ``engine`` runs workflows on SQLite or PostgreSQL so that a killed worker's work goes
on at the step where it was, ``presence`` tells who is alive, ``clock`` starts workflows at their hours.
"""
