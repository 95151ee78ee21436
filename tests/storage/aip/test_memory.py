"""Memory stays flat: 100,000 members are written, verified in both ways, read back and listed in under 100 MB."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SCRIPT = """
import sys
from array import array
from pathlib import Path
from metadata.identifiers import ArchiveCode, StoreId
from metadata.outcomes import Fixity
from storage.aip.parts import PartFanout
from storage.aip.reader import AipReader
from storage.aip.verify import ExpectedMember, verify_object
from storage.aip.writer import AipWriter
from storage.hashing import digest_bytes
from storage.replicas import ReplicaSet
from storage.stores.directory import DirectoryStore
from tests.builders.aips import KEY, VERSION

COUNT = 100_000
work = Path(sys.argv[1])
stores = []
for name in "ab":
    store = DirectoryStore(StoreId(name), work / name)
    store.create(ArchiveCode("H49"))
    stores.append(store)

def content(number):
    return b"%06d" % number * 20

offsets = array("Q")
with PartFanout(stores, KEY) as out, AipWriter(out, VERSION.root, work) as writer:
    for number in range(COUNT):
        data = content(number)
        offsets.append(writer.add(f"data/tep/{number:06d}.txt", data, digest_bytes(data)).offset)
    sealed = writer.seal([])
    out.complete()

def expected():
    yield sealed.members[0]
    for number, offset in enumerate(offsets):
        data = content(number)
        digests = digest_bytes(data)
        yield ExpectedMember(f"data/tep/{number:06d}.txt", offset, len(data), digests.crc32, digests.sha256)
    yield from sealed.members[1:]

assert verify_object(stores[0], KEY, expected()).outcome is Fixity.MATCH
assert verify_object(stores[1], KEY, None).outcome is Fixity.MATCH
assert all(v.outcome is Fixity.MATCH for v in ReplicaSet(stores, 2).read_back(KEY, expected).values())
assert sum(1 for _ in AipReader(stores[0], KEY).manifest()) == COUNT
status = Path("/proc/self/status").read_text()  # not ru_maxrss, which remembers the parent's
print(next(int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("VmHWM")))
"""


def test_a_hundred_thousand_members_need_no_more_memory(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path)], check=False, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 110
