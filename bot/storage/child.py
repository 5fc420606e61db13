"""Child processes that do not outlive their parent, even when the parent is killed."""

import os
import sys
from collections.abc import Sequence
from signal import Signals

# Asks the kernel to signal this process when its parent dies (PR_SET_PDEATHSIG = 1), which survives the exec of
# the command. A tiny interpreter does it, because a preexec_fn is unsafe in a program with threads.
_LAUNCHER = """
import ctypes, os, sys
signal, parent = int(sys.argv[1]), int(sys.argv[2])
ctypes.CDLL(None).prctl(1, signal)
if os.getppid() != parent:
    raise SystemExit(1)
os.execv(sys.argv[3], sys.argv[3:])
"""


def bound_to_parent(command: Sequence[str], *, signal: Signals) -> list[str]:
    """Return the command line that runs ``command`` (absolute path first) so that ``signal`` ends it with its parent.

    The parent is the thread that starts it: start it from the main thread. Elsewhere than on Linux the kernel has
    no such service and the command is returned as it is.
    """
    if sys.platform != "linux":
        return list(command)
    return [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(int(signal)), str(os.getpid()), *command]
