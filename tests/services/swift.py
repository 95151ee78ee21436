"""A second real S3 service for tests: OpenStack Swift with one disk, on this machine.

    python -m tests.services.swift install                put Swift into the cache (once, about 20 s, 80 MB)
    python -m tests.services.swift up --state DIR         start; prints the endpoint and credentials as JSON
    python -m tests.services.swift down --state DIR       stop, and remove DIR

It keeps no checksums, has no Object Lock, and its conditional creation is not atomic: what a store must do without.
Swift comes from PyPI into a virtual environment of its own, ``$XDG_CACHE_HOME/tangthu/swift`` (or ``~/.cache/…``);
memcached, which it shares uploads' state by, is Debian's. Several may run side by side.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import getpass
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
import venv
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from tests.services.ceph import S3Service, cache_folder
from tests.services.processes import end_group, free_ports, process_start

VERSION = "2.38.3"
VARIABLE = "TANGTHU_TEST_SWIFT"
DEBIAN_TOOL = "memcached"
SERVERS = {"account": "account", "container": "container", "object": "obj"}
"""Each by its name, and the package that has it."""
PIPELINE = (
    "catch_errors gatekeeper healthcheck cache listing_formats bulk s3api tempauth copy slo versioned_writes symlink"
    " proxy-server"
)
PROXY = """\
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
swift_dir = {etc}
user = {who}
workers = 1
log_level = WARNING
{tls}
[pipeline:main]
pipeline = {pipeline}
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:slo]
use = egg:swift#slo
max_manifest_segments = 10000
{filters}
[filter:tempauth]
use = egg:swift#tempauth
user_{account}_{user} = {secret} .admin
[filter:s3api]
use = egg:swift#s3api
s3_acl = false
max_upload_part_num = 10000
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:{memcached}
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_object_versioning = true
"""
SERVER = """\
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = {port}
swift_dir = {etc}
devices = {state}/disks
mount_check = false
user = {who}
workers = 1
log_level = WARNING
[pipeline:main]
pipeline = {name}-server
[app:{name}-server]
use = egg:swift#{name}
"""
PLAIN_FILTERS = ("catch_errors", "gatekeeper", "healthcheck", "listing_formats", "bulk", "copy", "symlink")
FILTERS = "\n".join(f"[filter:{name}]\nuse = egg:swift#{name}" for name in PLAIN_FILTERS)
RUN = (
    "import sys, swift.common.utils as utils; utils.SWIFT_CONF_FILE = sys.argv.pop(1); "
    "from swift.{package}.server import main; sys.exit(main())"
)
"""A server that reads its ``swift.conf`` from where it is told and not from ``/etc``."""


def install() -> Path:
    """The environment that Swift is installed in; installs it when it is not there. Several callers wait for one."""
    place = cache_folder().parent / "swift"
    place.mkdir(parents=True, exist_ok=True)
    done = place / f"installed-{VERSION}"
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if shutil.which(DEBIAN_TOOL) is None:
            _run("apt-get", "install", "-y", "-qq", "--no-install-recommends", DEBIAN_TOOL)
        if not done.exists():
            venv.create(place / "venv", clear=True, with_pip=True)
            _run(str(place / "venv/bin/pip"), "install", "--quiet", f"swift=={VERSION}", "setuptools<81")
            done.touch()
    return place / "venv"


def _run(*command: str) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")


class Swift:
    """One service, with its state in ``state``."""

    def __init__(self, state: Path) -> None:
        self.state = state.absolute()
        self.etc = self.state / "etc"

    def up(self) -> S3Service:
        """Start it and wait until it serves. Whatever fails, nothing is left running."""
        self.venv = install()
        for name in ("etc", "pid", "log", "disks/d1"):
            (self.state / name).mkdir(parents=True, exist_ok=True)
        try:
            return self._start()
        except BaseException:
            self.down(remove=False)
            raise

    def _start(self) -> S3Service:
        memcached, http, https, *ports = free_ports(3 + len(SERVERS))
        (self.etc / "swift.conf").write_text(
            f"[swift-hash]\nswift_hash_path_suffix = {secrets.token_hex(8)}\n"
            "[storage-policy:0]\nname = one\ndefault = true\n"
        )
        self._spawn("memcached", [DEBIAN_TOOL, "-u", getpass.getuser(), "-l", "127.0.0.1", "-p", str(memcached)])
        for name, port in zip(SERVERS, ports, strict=True):
            self._ring(name, port)
            self._serve(
                name,
                SERVERS[name],
                SERVER.format(name=name, port=port, etc=self.etc, state=self.state, who=getpass.getuser()),
            )
        self._certificate()
        secret = secrets.token_hex(20)
        tls = f"cert_file = {self.etc}/tls.crt\nkey_file = {self.etc}/tls.key"
        for name, port, extra in (("http", http, ""), ("https", https, tls)):
            text = PROXY.format(
                port=port, etc=self.etc, tls=extra, pipeline=PIPELINE, account="lab", user="main",
                secret=secret, memcached=memcached, filters=FILTERS, who=getpass.getuser(),
            )  # fmt: skip
            self._serve(name, "proxy", text)
        service = S3Service(
            f"http://127.0.0.1:{http}",
            f"https://127.0.0.1:{https}",
            f"{self.etc}/tls.crt",
            "us-east-1",
            "lab:main",
            secret,
        )
        self._wait_for(f"{service.http}/healthcheck", "http")
        return service

    def _certificate(self) -> None:
        _run(
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
            "-keyout", f"{self.etc}/tls.key", "-out", f"{self.etc}/tls.crt",
        )  # fmt: skip

    def _ring(self, name: str, port: int) -> None:
        build = [str(self.venv / "bin/swift-ring-builder"), str(self.etc / f"{name}.builder")]
        _run(*build, "create", "4", "1", "0")
        _run(*build, "add", f"r1z1-127.0.0.1:{port}/d1", "1")
        _run(*build, "rebalance")

    def _serve(self, name: str, package: str, text: str) -> None:
        file = self.etc / f"{name}.conf"
        file.write_text(text)
        python = str(self.venv / "bin/python")
        self._spawn(name, [python, "-c", RUN.format(package=package), str(self.etc / "swift.conf"), str(file)])

    def _spawn(self, name: str, command: Sequence[str]) -> None:
        with (self.state / "log" / f"{name}.out").open("ab") as log:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd=self.state
            )
        (self.state / "pid" / name).write_text(f"{process.pid} {process_start(process.pid)}")
        process.returncode = 0  # it outlives this object and is ended by its id

    def _wait_for(self, address: str, name: str) -> None:
        end = time.monotonic() + 120
        while True:
            try:
                urllib.request.urlopen(address, timeout=10).close()
            except OSError:
                if not self._alive(name) or time.monotonic() > end:
                    log = (self.state / "log" / f"{name}.out").read_text(errors="replace")
                    raise RuntimeError(f"Swift did not start:\n{log[-4000:]}") from None
                time.sleep(0.1)
            else:
                return

    def _alive(self, name: str) -> bool:
        pid, started = (self.state / "pid" / name).read_text().split()
        return process_start(int(pid)) == started

    def down(self, remove: bool = True) -> None:
        """Stop it, children of its servers too."""
        for file in (self.state / "pid").glob("*"):
            end_group(file)
        if remove:
            shutil.rmtree(self.state, ignore_errors=True)


@contextlib.contextmanager
def swift_service() -> Iterator[S3Service]:
    """The service named by the variable TANGTHU_TEST_SWIFT, or one for the length of the context."""
    if given := os.environ.get(VARIABLE):
        yield S3Service(**json.loads(given))
        return
    swift = Swift(Path(tempfile.mkdtemp(prefix="tangthu-swift-")))
    try:
        yield swift.up()
    finally:
        swift.down()


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.services.swift")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("install")
    for name in ("up", "down"):
        commands.add_parser(name).add_argument("--state", type=Path, required=True)
    options = parser.parse_args(arguments)
    if options.command == "install":
        print(install())
    elif options.command == "up":
        print(json.dumps(asdict(Swift(options.state).up())))
    else:
        Swift(options.state).down()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
