"""E-ARK information packages: CSIP, SIP, AIP and DIP of versions 2.0.4, 2.1.0 and 2.2.0, judged rule by rule.

What a requirement says lies in ``metadata/finding_codes/eark_*.toml`` (level, versions, sentences), what an attribute
must be in ``attributes.toml``, the vocabularies in ``vocabularies.toml``. ``docs/eark.md`` says how they are judged.
"""

from metadata.eark.judge import judge_eark
from metadata.eark.recognition import eark_kind, eark_profile

__all__ = ["eark_kind", "eark_profile", "judge_eark"]
