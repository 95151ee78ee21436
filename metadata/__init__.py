"""Data Management (OAIS): value types, METS, PREMIS, BagIt tag files, TT 05 records, findings, the catalogue."""
