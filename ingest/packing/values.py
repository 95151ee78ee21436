"""Values as the circular writes them: dates as DD/MM/YYYY, the code for its label, 1 and 0 for yes and no.

What cannot be understood stays as it was typed; the profile's judge then says what is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ingest.packing.mapping import SourceMapping
from ingest.packing.model import BESIDE_FORM
from ingest.packing.text import fold, one_line
from metadata.dates import RecordDate
from metadata.tt05.profile import DocumentKind, FieldRule, FieldType, Profile

_LABELLED = re.compile(r"(?P<code>\d{1,2})\s*[-–:.)]?\s*(?P<label>\D.*)", re.DOTALL)
_BETWEEN = re.compile(r"[;,/+\n]|\bvà\b|\band\b")
_YES_NO = {"co": "1", "yes": "1", "true": "1", "x": "1", "khong": "0", "no": "0", "false": "0"}
_LONG = frozenset({"description", "autograph"})


class Values:
    """Normalises the values of one source."""

    def __init__(self, mapping: SourceMapping, profile: Profile) -> None:
        self._mapping = mapping
        self._profile = profile
        self._words: dict[str, Mapping[str, str]] = {}
        self._seen: dict[str, str] = {}

    def of(self, kind: DocumentKind | None, found: Mapping[str, str]) -> dict[str, str]:
        """Every value that is not empty, normalised; texts that come again and again are kept once."""
        rules = self._profile.form(kind, "sip").fields
        result = {}
        for field, text in found.items():
            rule = None if field in BESIDE_FORM and field not in rules else rules[field]
            value = text.strip() if rule is None else self.normal(rule, text)
            if value:
                result[field] = self._seen.setdefault(value, value) if len(value) < 40 else value
        if len(self._seen) > 10_000:
            self._seen.clear()
        return result

    def normal(self, rule: FieldRule, text: str) -> str:
        """One value of a field."""
        text = text.strip() if rule.name in _LONG else one_line(text.strip())
        if not text:
            return ""
        if rule.type is FieldType.DATE:
            return self._date(text)
        if rule.type is FieldType.BOOLEAN:
            return _YES_NO.get(fold(text), text)
        if rule.type is FieldType.CODE:
            return self._code(rule.name, text) or text
        if rule.type is FieldType.CODES:
            return self._codes(rule.name, text)
        return text

    def _date(self, text: str) -> str:
        for pattern in self._mapping.dates:
            if match := pattern.fullmatch(text):
                parts = match.groupdict()
                day, month = parts.get("d"), parts.get("m")
                text = "/".join([part for part in (day, month) if part] + [parts["y"]])
                break
        return RecordDate.read(text).tt05

    def _codes(self, field: str, text: str) -> str:
        if whole := self._code(field, text):
            return whole
        codes = [self._code(field, part.strip()) for part in _BETWEEN.split(text) if part.strip()]
        return ",".join(dict.fromkeys(codes)) if codes and all(codes) else text

    def _code(self, field: str, text: str) -> str:
        """The code for a code (``1`` is ``01``), a label of it in either language, or both (``01 - Vĩnh viễn``)."""
        codes = self._profile.lists.get(field, {})
        if text in codes:
            return text
        if text.isdigit() and text.zfill(2) in codes:
            return text.zfill(2)
        words = self._words.get(field) or self._read_words(field)
        if found := words.get(fold(text)):
            return found
        match = _LABELLED.fullmatch(text)
        code = match["code"].zfill(2) if match else ""
        return code if match and code in codes and words.get(fold(match["label"])) == code else ""

    def _read_words(self, field: str) -> Mapping[str, str]:
        words = {}
        for code, label in self._profile.lists.get(field, {}).items():
            words[fold(label.en)] = code
            words[fold(label.vi)] = code
        words.update(self._mapping.codes.get(field, {}))
        self._words[field] = words
        return words
