"""Run the tests with everything they need: ``python -m tests.run [--light | --prove] [pytest arguments]``.

Installs what Debian has (as root), starts the S3 server once for all test workers, stops it at the end. A missing part
fails the run. ``--light`` runs what needs no service and says what it left out; ``--prove`` runs the long proofs.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

DEBIAN = {"unzip": "unzip", "chromium": "chromium", "clamd": "clamav-daemon", "memcached": "memcached"}
CORE = ("metadata", "storage", "preservation", "ingest")
CORE_COVERAGE = 90
LIGHT_LEAVES_OUT = "iconv, real S3 servers (Ceph, Swift), PostgreSQL, Chromium, clamd"


def install_debian_packages() -> None:
    missing = [package for command, package in DEBIAN.items() if not shutil.which(command)]
    if not missing:
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        sys.exit(f"make test needs Debian and root to install {', '.join(missing)}; elsewhere use: make test-light")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-qq"], check=True, env=environment)
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing]
    subprocess.run(command, check=True, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


@contextmanager
def s3_server() -> Iterator[dict[str, str]]:
    """The real S3 servers, as an environment for the tests."""
    with started("ceph", "TANGTHU_TEST_S3") as ceph, started("swift", "TANGTHU_TEST_SWIFT") as swift:
        yield ceph | swift


@contextmanager
def started(name: str, variable: str) -> Iterator[dict[str, str]]:
    """The service ``tests.services.<name>`` for the length of the context."""
    with tempfile.TemporaryDirectory(prefix=f"tangthu-{name}-") as state:
        command = [sys.executable, "-m", f"tests.services.{name}"]
        up = subprocess.run([*command, "up", "--state", state], check=True, stdout=subprocess.PIPE, text=True)
        try:
            yield {variable: json.dumps(json.loads(up.stdout))}
        finally:
            subprocess.run([*command, "down", "--state", state], check=True)


def pytest(arguments: list[str], environment: dict[str, str]) -> int:
    return subprocess.run(
        [sys.executable, "-m", "pytest", *arguments], check=False, env=os.environ | environment
    ).returncode


def core_coverage() -> int:
    """Each core package by itself must be covered."""
    worst = 0
    for package in CORE:
        command = [sys.executable, "-m", "coverage", "report", f"--include={package}/*", "--format=total"]
        total = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
        print(f"coverage of {package}: {total} % (branches counted)")
        if int(total) < CORE_COVERAGE:
            print(f"  below {CORE_COVERAGE} %", file=sys.stderr)
            worst = 1
    return worst


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--light", action="store_true")
    parser.add_argument("--prove", action="store_true")
    options, rest = parser.parse_known_args()
    workers = ["-n", str(os.cpu_count() or 1)]
    if options.light:
        code = pytest([*workers, "-m", "not services", *rest], {})
        print(f"left out: {LIGHT_LEAVES_OUT}")
        return code
    install_debian_packages()
    with s3_server() as environment:
        if options.prove:
            return pytest(
                ["tests/flows", "tests/conformance", "-k", "prove or kill or flip", *rest], environment | PROOF
            )
        code = pytest([*workers, "--cov", "--cov-report=term:skip-covered", *rest], environment)
    return code or (0 if rest else core_coverage())


PROOF = {
    "TANGTHU_KILLS": "10000",
    "TANGTHU_KEEPING_KILLS": "2000",
    "TANGTHU_FLIPS": "10000",
    "TANGTHU_ROUND_TRIPS": "500",
    "TANGTHU_MUTANTS": "3000",
    "TANGTHU_FAULTS": "100000",
    "TANGTHU_LINE_FAULTS": "5000",
    "TANGTHU_THREE_NODES": "1",
    "TANGTHU_DAMAGES": "10000",
    "TANGTHU_CLEAN": "1000000",
}

if __name__ == "__main__":
    sys.exit(main())
