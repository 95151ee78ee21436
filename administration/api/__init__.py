"""Parts of the API that only the composition root can offer: what needs ingest."""
