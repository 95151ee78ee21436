"""``python -m preservation.workshop``: what holds in the children of the workshop on this system, as JSON."""

from __future__ import annotations

import json
import sys

from preservation.workshop.pool import ChildWorkshop
from preservation.workshop.port import WorkLost


def main() -> int:
    workshop = ChildWorkshop(children=1)
    try:
        found = workshop.confinement()
    except WorkLost:
        sys.stderr.write("no child starts\n")
        return 1
    finally:
        workshop.close()
    sys.stdout.write(json.dumps(found.fields(), indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
