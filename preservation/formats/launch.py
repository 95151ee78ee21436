"""Starts an operator's own program with limits: ``python -m preservation.formats.launch <CPU seconds> <program> …``.

What a program in another language needs (files, threads, memory to reserve) cannot be known, so it is held by limits
and has no network where the kernel allows, but is not held to reading as the workshop's children are.
"""

from __future__ import annotations

import os
import resource
import sys

from preservation.workshop.confinement import leave_network

WRITTEN = 1 << 28
"""Bytes of the largest file that it may write, its report too."""

MEMORY = 1 << 32
"""Bytes of memory that it may write to."""


def main() -> None:
    seconds, program = int(sys.argv[1]), sys.argv[2:]
    leave_network()
    for limit, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_FSIZE, WRITTEN),
        (resource.RLIMIT_DATA, MEMORY),
    ):
        hard = resource.getrlimit(limit)[1]
        resource.setrlimit(limit, (most, hard) if hard == resource.RLIM_INFINITY else (min(most, hard), hard))
    os.execv(program[0], program)  # noqa: S606 - the program that the settings name


if __name__ == "__main__":
    main()
