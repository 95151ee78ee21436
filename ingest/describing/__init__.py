"""Parts of :mod:`ingest.describe`: events, what checks found, signatures, and documents too large for memory."""
