"""Forms with files, as pages send them: judged before their bytes are kept, and answered even when refused."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from access.auth import SESSION_COOKIE
from access.services import AccessServices
from access.web.guard import FormRefusedError, same_origin
from administration.api.upload import UploadForm, feed_all
from administration.desk import Desk, TooLarge, Upload
from metadata.errors import TemporaryError, UsageError
from metadata.text import Sentence

DRAINED = 64 * 1024 * 1024
"""Bytes beyond its bound that an upload is read and thrown away: a browser shows no answer before it has sent all."""
_NO_FILE = Sentence("Chưa chọn tệp nào, hoặc tệp rỗng.", "No file was chosen, or the file is empty.")
_CUT_OFF = Sentence("Tệp chưa được gửi lên trọn vẹn. Hãy gửi lại.", "The file did not come up whole. Send it again.")


class FormProblem(Exception):
    """What a form lacks, to be said on its page: ``status`` of the answer, the sentence, and the fields as sent."""

    def __init__(self, status: int, sentence: Sentence, fields: Mapping[str, str]) -> None:
        super().__init__(sentence.en)
        self.status = status
        self.sentence = sentence
        self.fields = fields


@dataclass(slots=True)
class HandedIn:
    """A form that came in whole: its fields, and its files at the desk."""

    fields: Mapping[str, str]
    upload: Upload


@dataclass(slots=True)
class _Intake:
    """Decides, file by file, whether and where what comes in is kept."""

    request: Request
    services: AccessServices
    desk: Desk
    groups: Mapping[str, str]
    stack: contextlib.ExitStack
    upload: Upload | None = field(default=None)

    def begin(self, fields: Mapping[str, str], name: str, sent: str) -> Upload | None:
        """A file begins. Raises FormRefusedError when the form is not ours, ValueError for a field that takes none."""
        self.judge(fields)
        if name not in self.groups:
            raise ValueError("no such field")
        if not sent:
            return None  # nothing was chosen
        if self.upload is None:
            self.upload = self.stack.enter_context(self.desk.receiving())
        self.upload.begin(sent, self.groups[name])
        return self.upload

    def judge(self, fields: Mapping[str, str]) -> None:
        cookie = self.request.cookies.get(SESSION_COOKIE, "")
        if not self.services.auth.accepts_form(cookie, fields.get("form", "")):
            raise FormRefusedError


@contextlib.asynccontextmanager
async def handed_in(
    request: Request, services: AccessServices, desk: Desk, groups: Mapping[str, str]
) -> AsyncIterator[HandedIn]:
    """The form of a request, its files at the desk; gone at the end unless the desk was told to work on them.

    ``groups`` are the fields that hold files, and the groups at the desk; the first must have a file that is not empty.
    Raises FormRefusedError; FormProblem for what the page says itself.
    """
    if not same_origin(request):
        raise FormRefusedError
    fields: Mapping[str, str] = {}
    with contextlib.ExitStack() as stack:
        intake = _Intake(request, services, desk, groups, stack)
        body = request.stream()
        try:
            form = UploadForm(request.headers.get("content-type", ""), intake.begin)
            fields = form.fields
            await feed_all(body, form)
            if not form.whole:
                raise FormProblem(422, _CUT_OFF, fields)
            intake.judge(fields)
            upload = _with_files(intake.upload, next(iter(groups.values())), fields)
        except (TemporaryError, UsageError, ValueError, FormRefusedError) as error:
            await _drain(body)
            raise _answer(error, fields) from error
        yield HandedIn(fields, upload)


def _with_files(upload: Upload | None, group: str, fields: Mapping[str, str]) -> Upload:
    """``upload``, if it has what must be there."""
    if upload is not None:
        upload.end()
        if any(path.is_relative_to(upload.folder / group) and path.stat().st_size for path in upload.paths):
            return upload
    raise FormProblem(422, _NO_FILE, fields)


def _answer(error: Exception, fields: Mapping[str, str]) -> Exception:
    """What a refusal is to the one who sent the form."""
    if isinstance(error, TooLarge):
        return FormProblem(413, error.sentence, fields)
    if isinstance(error, TemporaryError | UsageError):
        return FormProblem(503, error.sentence, fields)
    return error if isinstance(error, FormRefusedError) else HTTPException(422)


async def _drain(body: AsyncIterator[bytes]) -> None:
    """Read what is still coming and throw it away, as far as the bounds of a request allow."""
    with contextlib.suppress(HTTPException, ClientDisconnect):
        async for _ in body:
            pass
