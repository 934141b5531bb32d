"""`python -m tests.servers up|down|status [names]`, which `./run services` calls."""

from __future__ import annotations

import signal
import sys

from . import services, supervisor
from .place import NAMES, Place, data_dir

USAGE = f"用法：./run services up|down|status [{' '.join(NAMES)}]\n"


def main(arguments: list[str]) -> int:
    """0 done, 1 a server does not answer, 2 wrong arguments or one that cannot be had."""
    action, *names = arguments or [""]
    if action == "supervise":
        return supervisor.main(*names)
    if action not in ("up", "down", "status") or not set(names) <= set(NAMES):
        sys.stderr.write(USAGE)
        return 2
    # As Ctrl-C: what was begun is taken back on the way out.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        return services.run(action, names, Place(data_dir()))
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
