"""Memory stays flat with everybody looking: what was found of 12,000 files lies on the disk, not in memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import json
import random
import sys
from pathlib import Path

from ingest.checks_said import say_checks
from ingest.ledger import Ledger
from ingest.one_pass import Nowhere, OnePass
from ingest.scan import scan
from ingest.sources import open_source
from metadata.characteristics import Facts
from metadata.findings import Findings
from metadata.holdings import Role
from metadata.outcomes import Validity
from preservation.antivirus.memory import MemoryScanner
from preservation.formats.port import Inspection, Remark
from preservation.signatures.port import SignatureReport, SignatureVerdict
from tests.builders.identifier import MemoryIdentifier
from tests.builders.watching import MemoryChecker, MemoryInspector, watching

COUNT, LARGE = 12_000, 40 << 20
folder = Path(sys.argv[1])
random.seed(7)
noise = "".join(chr(random.randrange(0x1EA0, 0x1EF9)) for _ in range(20_000))
for number in range(COUNT):
    place = folder / "sent" / f"{number // 1000}"
    place.mkdir(parents=True, exist_ok=True)
    (place / f"{number}.xml").write_bytes(b"<a/>%d http://www.w3.org/2000/09/xmldsig" % number)
(folder / "sent" / "large.pdf").write_bytes(b"%PDF-1.4" + bytes(LARGE))


def words(number):
    return noise[number % 15_000 :][:4000]


def look(specimen, data):
    number = len(specimen.name) * specimen.size
    return Inspection(Validity.VALID, (Remark("FORMAT-BROKEN", {"reason": "x"}),), Facts(pages=1), words(number))


def check(data, content):
    verdict = SignatureVerdict("Sig1", "signature", (), {})
    return SignatureReport((verdict,), (), {"objects": words(len(data))}, words(7 * len(data)).encode())


class Forgetful(dict):
    def __setitem__(self, key, value):
        pass


class ForgetfulIdentifier(MemoryIdentifier):
    def identify(self, sample):
        self.asked.clear()
        return super().identify(sample)


inspector, checker = MemoryInspector(look, Forgetful()), MemoryChecker(check, Forgetful())
watch = watching(ForgetfulIdentifier(), inspector, checker, scanner=MemoryScanner(), threads=2)
findings = Findings()
source = open_source(folder / "sent", folder / "quarantine", findings)
with Ledger(folder / "ledger") as ledger:
    source.enter(scan(source, ledger, findings))
    ledger.plan_all("", "data/", Role.CONTENT)
    (folder / "spool").mkdir()
    OnePass(source, ledger, findings, Nowhere(), watch, folder / "spool", lambda _: None).run()
    say_checks(ledger, findings)
    characteristics = sum(one.characteristics is not None for one in ledger.content())
    counts = ledger.check_counts()
status = Path("/proc/self/status").read_text()  # not ru_maxrss, which remembers the parent's
peak = next(int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("VmHWM"))
print(json.dumps([peak, characteristics, dict(findings.counts), sum(counts.signature.values())]))
"""


def test_what_is_found_lies_on_the_disk(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path)], check=False, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    peak, characteristics, counts, signed = json.loads(done.stdout)
    assert (characteristics, counts["FORMAT-BROKEN"], signed) == (12_001, 12_001, 12_000)
    assert peak < 200
