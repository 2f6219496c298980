"""The command: `anomaly-train`, or `python -m anomaly_train`."""

import os
import signal
import sys

from . import _native


def main() -> None:
    """Runs the command with the arguments of this process, and ends the process as the binary would."""
    # Signals are the command's affair, but those that were ignored at the start stay ignored.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    if hasattr(signal, "SIGXFSZ"):
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    os._exit(_native.main(["anomaly-train", *sys.argv[1:]]))


if __name__ == "__main__":
    main()
