"""TT 05: Circular 05/2025/TT-BNV, Vietnam's profile of E-ARK CSIP for electronic dossiers."""
