"""``python -m demo [--no-serve] [FOLDER]``: the story in about a minute. ``SERVE=0`` stops before serving, too."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from pathlib import Path

from demo.stage import StoryBrokenError
from demo.story import tell

_MARK = "tangthu-demo"


def main() -> int:
    """Prepare the folder, tell the story; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("demo-archive"))
    parser.add_argument("--no-serve", action="store_true", help="dừng trước khi mở trang web / stop before serving")
    arguments = parser.parse_args()
    folder: Path = arguments.folder.absolute()
    if folder.exists():
        if not (folder / _MARK).is_file() and any(folder.iterdir()):
            sys.stderr.write(
                f"✗ {folder} có thứ khác; hãy chọn thư mục khác. / It holds something else; name another.\n"
            )
            return 2
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    (folder / _MARK).touch()
    try:
        tell(folder, serve=not arguments.no_serve and os.environ.get("SERVE", "1") != "0")
    except StoryBrokenError as error:
        sys.stderr.write(f"✗ {error.sentence.vi}\n  {error.sentence.en}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
