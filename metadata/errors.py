"""Every error that the house raises on purpose.

    TangThuError
    ├── UsageError            2  the command or request makes no sense
    │   └── Locked               a store keeps an object until a date, whoever asks
    ├── RefusedInput          3  the package is refused; carries the findings
    ├── TemporaryError        4  try again later; nothing was lost
    │   ├── StoreUnavailable     a store does not answer
    │   │   ├── OnShelf          a medium is not connected, or closed: no fault, and no use to wait
    │   │   └── Cold             an object lies in a cold store: ask for it, and read it in some hours
    │   ├── CatalogueUnavailable the catalogue's database does not answer
    │   ├── NoSpace              a disk or quota is full
    │   └── Busy                 another worker holds what we need
    ├── NotFound              5  nothing of that name
    ├── AlreadyExists         6  a conditional create met an object
    ├── Unreadable            7  a document or object cannot be read as what it should be
    └── Damaged               1  bytes do not match their digests

Nobody decides on message text: the class says whether to retry and what to exit with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

if TYPE_CHECKING:
    from collections.abc import Sequence

    from metadata.findings import Finding
    from metadata.text import Sentence


class TangThuError(Exception):
    """The root. ``sentence`` is for the person who must act."""

    exit_code: ClassVar[int] = 70
    retry: ClassVar[bool] = False

    def __init__(self, sentence: Sentence) -> None:
        super().__init__(str(sentence))
        self.sentence = sentence

    def __reduce__(self) -> tuple[type[Self], tuple[object, ...]]:
        return type(self), (self.sentence,)


class UsageError(TangThuError):
    exit_code = 2


class Locked(UsageError):
    pass


class RefusedInput(TangThuError):
    """A package that will not be taken, with every reason."""

    exit_code = 3

    def __init__(self, sentence: Sentence, findings: Sequence[Finding] = ()) -> None:
        super().__init__(sentence)
        self.findings = tuple(findings)

    def __reduce__(self) -> tuple[type[Self], tuple[object, ...]]:
        return type(self), (self.sentence, self.findings)


class TemporaryError(TangThuError):
    exit_code = 4
    retry = True


class StoreUnavailable(TemporaryError):
    pass


class OnShelf(StoreUnavailable):
    pass


class Cold(StoreUnavailable):
    pass


class CatalogueUnavailable(TemporaryError):
    pass


class NoSpace(TemporaryError):
    pass


class Busy(TemporaryError):
    pass


class NotFound(TangThuError):
    exit_code = 5


class AlreadyExists(TangThuError):
    exit_code = 6


class Unreadable(TangThuError):
    exit_code = 7


class Damaged(TangThuError):
    exit_code = 1
