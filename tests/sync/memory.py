"""How much memory this process has taken at most, since it became itself."""

from pathlib import Path


def peak_mib() -> int:
    """Return the peak in MiB.

    `ru_maxrss` would not do: a child begins with that of the process it was forked
    from, and a test runner is large.
    """
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) // 1024
    raise LookupError("no VmHWM in /proc/self/status")
