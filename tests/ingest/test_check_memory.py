"""Memory stays flat: a ZIP of 100,000 files, half of them in no manifest, is checked and reported in under 150 MB."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import hashlib
import json
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path

from ingest.check import check_package
from ingest.reports import ReportFormat, render

COUNT = 100_000
folder = Path(sys.argv[1])
if sys.argv[2] == "make":
    with zipfile.ZipFile(folder / "bag.zip", "w") as made, (folder / "manifest").open("w") as manifest:
        for number in range(COUNT):
            name, data = f"data/{number // 1000:03d}/tep-{number:06d}.txt", b"%06d" % number
            made.writestr(f"bag/{name}", data)
            if number % 2:
                manifest.write(f"{hashlib.sha256(data).hexdigest()}  {name}\\n")
        manifest.flush()
        made.write(folder / "manifest", "bag/manifest-sha256.txt")
        made.writestr("bag/bagit.txt", "BagIt-Version: 1.0\\nTag-File-Character-Encoding: UTF-8\\n")
    sys.exit()
report = check_package(folder / "bag.zip", folder)
for format in ReportFormat:
    render(report, format, datetime(2026, 7, 1, tzinfo=UTC))
status = Path("/proc/self/status").read_text()  # not ru_maxrss, which remembers the parent's
peak = next(int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith("VmHWM"))
print(json.dumps([peak, report.files, report.counts, len(report.findings), len(report.tree)]))
"""


def test_a_hundred_thousand_files_need_no_more_memory(tmp_path: Path) -> None:

    for what in ("make", "check"):
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT, str(tmp_path), what],
            check=False, capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    peak, files, counts, listed, tree = json.loads(done.stdout)
    assert files == 100_002
    assert counts["BAG-EXTRA"] == 50_000
    assert listed <= 1000 + 2 * len(counts)
    assert tree == 5000
    assert peak < 150
