"""Search over dossiers and documents: one port, two implementations, the only place that knows tantivy."""
