"""A real S3 service for tests: Ceph 20 with one disk or three, on this machine, without containers or services.

    python -m tests.services.ceph install                 put Ceph into the cache (once, about 80 s, 610 MB)
    python -m tests.services.ceph up --state DIR          start; prints the endpoint and credentials as JSON
    python -m tests.services.ceph down --state DIR        stop, and remove DIR

Ceph comes from Debian's packages into a folder of its own; each daemon runs in that folder's root and in its own mount
namespace, so that nothing stays mounted. It needs root and Debian; several clusters may run side by side.
The installed folder is ``$XDG_CACHE_HOME/tangthu/ceph`` (or ``~/.cache/…``). A packed copy, ``root.tar.zst``, is kept
beside it when ``install --pack`` is asked for, and unpacked instead of installing when it is there.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

SUITE = "forky"
PACKAGES = "ca-certificates,ceph-mon,ceph-osd,radosgw,ceph-common"
TOOLS = {"mmdebstrap": "mmdebstrap", "zstd": "zstd", "openssl": "openssl", "unshare": "util-linux"}
POOLS = [".rgw.root", *(f"default.rgw.{p}" for p in ("log", "control", "meta", "buckets.index", "buckets.data"))]
POOLS.append("default.rgw.buckets.non-ec")
VARIABLE = "TANGTHU_TEST_S3"
INSIDE = "/srv/ceph"
"""Where the daemons see the state folder."""


@dataclass(frozen=True)
class S3Service:
    """A running S3 service, at two addresses, and who may do everything there."""

    http: str
    https: str
    ca: str
    region: str
    access_key: str
    secret_key: str


def cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tangthu" / "ceph"


def install(pack: bool = False) -> Path:
    """The folder that Ceph is installed in; installs it when it is not there. Several callers wait for one."""
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    root, packed = cache / "root", cache / "root.tar.zst"
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _need_tools()
        if not root.exists():
            unfinished = cache / "unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            if packed.exists():
                _run("tar", "-C", str(unfinished), "-x", "-I", "zstd", "-f", str(packed))
            else:
                _bootstrap(unfinished)
            (unfinished / INSIDE.lstrip("/")).mkdir(parents=True, exist_ok=True)
            unfinished.rename(root)
        if pack and not packed.exists():
            _run("tar", "-C", str(root), "-c", "-I", "zstd -T2 -3", "-f", f"{packed}.new", ".")
            Path(f"{packed}.new").rename(packed)
    return root


def _need_tools() -> None:
    missing = sorted({package for command, package in TOOLS.items() if shutil.which(command) is None})
    if missing:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        _run("apt-get", "update", "-qq")
        _run("apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing, env=environment)


def _bootstrap(root: Path) -> None:
    # The Release file of Debian testing expires after a week; its signature is checked all the same.
    options = ['--aptopt=Acquire::Check-Valid-Until "false"', '--aptopt=APT::Install-Recommends "false"']
    options += [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("doc", "man", "locale")]
    _run("mmdebstrap", "--quiet", "--mode=root", "--variant=apt", *options, f"--include={PACKAGES}", SUITE, str(root))


def _run(*command: str, env: dict[str, str] | None = None) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=env)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")


CONFIGURATION = """\
[global]
fsid = {fsid}
mon_initial_members = a
mon_host = [v2:127.0.0.1:{mon2},v1:127.0.0.1:{mon1}]
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
ms_bind_ipv6 = false
auth_cluster_required = cephx
auth_service_required = cephx
auth_client_required = cephx
auth_allow_insecure_global_id_reclaim = false
keyring = {s}/keys/keyring
run_dir = {s}/run
admin_socket = {s}/run/$cluster-$name.$pid.asok
log_file = {s}/log/$name.log
mon_cluster_log_file = {s}/log/cluster.log
crash_dir = {s}/crash
osd_pool_default_size = {size}
osd_pool_default_min_size = {least}
mon_osd_min_down_reporters = 1
mon_osd_reporter_subtree_level = osd
osd_pool_default_pg_num = 8
osd_pool_default_pgp_num = 8
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
mon_max_pg_per_osd = 500
[mon.a]
mon_data = {s}/mon
paxos_propose_interval = 0.02
paxos_min_wait = 0.01
mon_data_avail_warn = 2
mon_data_avail_crit = 1
[osd]
osd_data = {s}/osd$id
osd_objectstore = {objectstore}
bluestore_block_size = 21474836480
bluestore_block_wal_size = 0
bluestore_block_db_size = 0
bluestore_block_wal_create = false
bluestore_block_db_create = false
memstore_device_bytes = 4294967296
osd_memory_target = 939524096
osd_class_default_list = *
osd_class_load_list = *
osd_crush_update_on_start = true
[client.rgw.a]
keyring = {s}/keys/rgw
rgw_data = {s}/rgw
rgw_frontends = beast endpoint=127.0.0.1:{http} ssl_endpoint=127.0.0.1:{https} ssl_certificate={s}/keys/tls.crt \
ssl_private_key={s}/keys/tls.key
rgw_gc_obj_min_wait = 30
rgw_gc_processor_period = 30
rgw_gc_processor_max_time = 30
rgw_enable_usage_log = false
rgw_thread_pool_size = 64
rgw_crypt_require_ssl = false
"""


class Cluster:
    """One cluster, with its state in ``state``."""

    def __init__(self, state: Path, objectstore: str = "memstore", nodes: int = 1) -> None:
        """With three ``nodes`` every object lies in all of them, and two are enough to write. What a memstore holds is
        gone when its node is killed."""
        self.state = state.absolute()
        self.objectstore = objectstore
        self.nodes = nodes
        self.root = cache_folder() / "root"

    def up(self) -> S3Service:
        """Start it and wait until it serves. Whatever fails, nothing is left running."""
        if os.geteuid() != 0:
            raise RuntimeError("the S3 service for tests needs root")
        self.root = install()
        for name in ("log", "pid", "run", "mon", "rgw", "keys", *(f"osd{node}" for node in range(self.nodes))):
            (self.state / name).mkdir(parents=True, exist_ok=True)
        try:
            return self._start()
        except BaseException:
            self.down(remove=False)
            raise

    def _start(self) -> S3Service:
        mon1, mon2, http, https = _free_ports(4)
        fsid = str(uuid.uuid4())
        text = CONFIGURATION.format(
            s=INSIDE, fsid=fsid, mon1=mon1, mon2=mon2, http=http, https=https, objectstore=self.objectstore,
            size=self.nodes, least=(self.nodes + 1) // 2,
        )  # fmt: skip
        (self.state / "ceph.conf").write_text(text)
        self._certificate()
        self._monitor(fsid, f"[v2:127.0.0.1:{mon2},v1:127.0.0.1:{mon1}]")
        self._disks()
        self._spawn("rgw", "radosgw", "-f", "-n", "client.rgw.a")
        service = S3Service(
            http=f"http://127.0.0.1:{http}",
            https=f"https://127.0.0.1:{https}",
            ca=str(self.state / "keys" / "tls.crt"),
            region="us-east-1",
            access_key="TANGTHUTEST" + secrets.token_hex(4).upper(),
            secret_key=secrets.token_hex(20),
        )
        user = ("user", "create", "--uid=tangthu", "--display-name=Tang Thu", "--max-buckets=0")
        self._output(
            "radosgw-admin", "-c", f"{INSIDE}/ceph.conf", *user,
            f"--access-key={service.access_key}", f"--secret-key={service.secret_key}",
        )  # fmt: skip
        self._wait_for(service.http)
        (self.state / "service.json").write_text(json.dumps(asdict(service)))
        return service

    def _certificate(self) -> None:
        keys = self.state / "keys"
        _run(
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
            "-keyout", str(keys / "tls.key"), "-out", str(keys / "tls.crt"),
        )  # fmt: skip

    def _monitor(self, fsid: str, address: str) -> None:
        keys = f"{INSIDE}/keys"
        everything = ["--cap", "mon", "allow *", "--cap", "osd", "allow *", "--cap", "mgr", "allow *"]
        rgw = ["--cap", "mon", "allow rw", "--cap", "osd", "allow rwx", "--cap", "mgr", "allow rw"]
        make = ("ceph-authtool", "--create-keyring")
        self._output(*make, f"{keys}/mon", "--gen-key", "-n", "mon.", "--cap", "mon", "allow *")
        self._output(*make, f"{keys}/keyring", "--gen-key", "-n", "client.admin", *everything)
        self._output(*make, f"{keys}/rgw", "--gen-key", "-n", "client.rgw.a", *rgw)
        for name in ("keyring", "rgw"):
            self._output("ceph-authtool", f"{keys}/mon", "--import-keyring", f"{keys}/{name}")
        self._output("monmaptool", "--create", "--clobber", "--fsid", fsid, "--addv", "a", address, f"{INSIDE}/monmap")
        mon = ("ceph-mon", "-i", "a", "--keyring", f"{keys}/mon")
        self._output(*mon, "-c", f"{INSIDE}/ceph.conf", "--mkfs", "--monmap", f"{INSIDE}/monmap")
        self._spawn("mon", *mon, "-f")

    def _disks(self) -> None:
        for node in range(self.nodes):
            key, identifier = self._output("ceph-authtool", "--gen-print-key").strip(), str(uuid.uuid4())
            new = {"prefix": "osd new", "uuid": identifier, "id": node}
            self._monitor_commands((new, json.dumps({"cephx_secret": key})))
            keyring = f"{INSIDE}/osd{node}/keyring"
            self._output("ceph-authtool", "--create-keyring", keyring, "-n", f"osd.{node}", "--add-key", key)
            make = ("ceph-osd", "-c", f"{INSIDE}/ceph.conf", "-i", str(node), "--keyring", keyring)
            self._output(*make, "--mkfs", "--osd-uuid", identifier)
            self.revive(node)
        create = {"prefix": "osd pool create", "pg_num": 8, "pgp_num": 8, "yes_i_really_mean_it": True}
        enable = {"prefix": "osd pool application enable", "app": "rgw"}
        self._monitor_commands(
            *(({**create, "pool": pool}, "") for pool in POOLS), *(({**enable, "pool": pool}, "") for pool in POOLS)
        )

    def kill(self, node: int) -> None:
        """End a node at once, as a power cut would."""
        self._end(f"osd{node}")

    def revive(self, node: int) -> None:
        """Start a node again, with what it has on its disk."""
        keyring = f"{INSIDE}/osd{node}/keyring"
        self._spawn(f"osd{node}", "ceph-osd", "-i", str(node), "--keyring", keyring, "-f")

    def restart_gateway(self, away: float = 0.0) -> None:
        """End the gateway at once and start it again, at the same address, after so many seconds."""
        self._end("rgw")
        time.sleep(away)
        self._spawn("rgw", "radosgw", "-f", "-n", "client.rgw.a")
        self._wait_for(json.loads((self.state / "service.json").read_text())["http"])

    def _inside(self, command: Sequence[str]) -> list[str]:
        """``command`` in Ceph's own root, with the state folder in it, in a mount namespace that ends with it."""
        script = (
            f'mount --bind "$1" "$2{INSIDE}" && mount -t proc proc "$2/proc" && mount --rbind /dev "$2/dev"'
            ' && root="$2" && shift 2 && exec chroot "$root" "$@"'
        )
        enter = ["unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh"]
        return [*enter, str(self.state), str(self.root), *command]

    def _environment(self) -> dict[str, str]:
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/"}

    def _output(self, *command: str, text: str | None = None) -> str:
        done = subprocess.run(
            self._inside(command),
            input=text or "",
            capture_output=True,
            text=True,
            env=self._environment(),
            timeout=120,
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.returncode}\n{done.stderr[-4000:]}")
        return done.stdout

    def _monitor_commands(self, *commands: tuple[dict[str, object], str]) -> None:
        """Several commands, each with its input, by one process: the ``ceph`` command takes half a second to begin."""
        program = (
            "import json, rados, sys\n"
            f"cluster = rados.Rados(conffile='{INSIDE}/ceph.conf')\n"
            "cluster.connect(timeout=60)\n"
            "for command, data in json.load(sys.stdin):\n"
            "    code, _, text = cluster.mon_command(json.dumps(command), data.encode(), timeout=60)\n"
            "    if code:\n"
            "        sys.exit(f'{command}: {code} {text}')\n"
        )
        self._output("python3", "-c", program, text=json.dumps(commands))

    def _spawn(self, name: str, *command: str) -> None:
        with (self.state / "log" / f"{name}.out").open("ab") as log:
            process = subprocess.Popen(
                self._inside([*command, "-c", f"{INSIDE}/ceph.conf"]),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=self._environment(),
            )
        (self.state / "pid" / name).write_text(f"{process.pid} {_start_time(process.pid)}")
        process.returncode = 0  # a daemon outlives this object; it is ended by its id

    def _wait_for(self, address: str) -> None:
        end = time.monotonic() + 120
        while True:
            try:
                urllib.request.urlopen(address, timeout=10).close()
            except OSError:
                if not self._alive("rgw") or time.monotonic() > end:
                    raise
                time.sleep(0.1)
            else:
                return

    def _alive(self, name: str) -> int:
        """The id of a daemon that this cluster started and that still runs, else 0."""
        try:
            pid, started = (self.state / "pid" / name).read_text().split()
        except (OSError, ValueError):
            return 0
        return int(pid) if _start_time(int(pid)) == started else 0

    def _end(self, name: str) -> None:
        if pid := self._alive(name):
            os.kill(pid, signal.SIGKILL)
            end = time.monotonic() + 20
            while self._alive(name) and time.monotonic() < end:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)
                time.sleep(0.02)

    def down(self, remove: bool = True) -> None:
        """Stop it. No daemon keeps anything that is needed again, so none is given time."""
        for path in sorted((self.state / "pid").glob("*"), reverse=True):  # the gateway first
            self._end(path.name)
        if remove:
            shutil.rmtree(self.state, ignore_errors=True)


def _start_time(pid: int) -> str:
    """When a process began, so that its id is not taken for another's; empty when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] == "Z" else fields[19]


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@contextlib.contextmanager
def s3_service() -> Iterator[S3Service]:
    """The service named by the variable TANGTHU_TEST_S3, or one for the length of the context."""
    if given := os.environ.get(VARIABLE):
        yield S3Service(**json.loads(given))
        return
    state = Path(tempfile.mkdtemp(prefix="tangthu-ceph-"))
    cluster = Cluster(state)
    try:
        yield cluster.up()
    finally:
        cluster.down()


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.services.ceph")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("install").add_argument("--pack", action="store_true")
    up = commands.add_parser("up")
    up.add_argument("--store", choices=("memstore", "bluestore"), default="memstore")
    up.add_argument("--nodes", type=int, choices=(1, 3), default=1)
    for command in (up, commands.add_parser("down")):
        command.add_argument("--state", type=Path, required=True)
    options = parser.parse_args(arguments)
    if options.command == "install":
        print(install(options.pack))
    elif options.command == "up":
        print(json.dumps(asdict(Cluster(options.state, options.store, options.nodes).up())))
    else:
        Cluster(options.state).down()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
