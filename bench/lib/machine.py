"""What the machine is, and what a process takes of it."""

import os
import platform
import threading
import time


def describe():
    """CPU model, cores, kernel and memory, for the results."""
    model = "unknown"
    with open("/proc/cpuinfo", encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    return {
        "cpu": model,
        "cores": len(os.sched_getaffinity(0)),
        "kernel": platform.release(),
        "ram_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1),
    }


def cpu_seconds(pid):
    """User and system time of all threads of a process, also of those that have ended.

    The number of another process's clock is made as glibc's clock_getcpuclockid(3)
    makes it: its resolution is a nanosecond, that of /proc/PID/stat 10 ms.
    """
    return time.clock_gettime((~pid << 3) | 2)


class Memory(threading.Thread):
    """RssAnon of a process, the highest and the last: the kernel keeps no peak of it."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.status = f"/proc/{pid}/status"
        self.peak_kib = 0
        self.last_kib = 0
        self.over = threading.Event()

    def run(self):
        while not self.over.wait(0.02):
            try:
                with open(self.status, encoding="ascii") as lines:
                    kib = next((int(s.split()[1]) for s in lines if s.startswith("RssAnon:")), 0)
            except (OSError, ValueError):
                return
            self.last_kib = kib
            self.peak_kib = max(self.peak_kib, kib)

    def stop(self):
        self.over.set()
        self.join()
