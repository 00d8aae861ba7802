"""Power cuts at many places of a trace (write_trace.py)."""

import os
import random
import shutil

from . import write_trace

SEED = int(os.environ.get("PENSTOCK_FAULTS_SEED", "18"))


class Cuts:
    """The data-dirs that they leave, one after the other.  first: of the records, the first that
    a cut may come before.  lies: of a disk that does not do what it says (write_trace.Disk)."""

    def __init__(self, records, folder, count, first=0, lies=False):
        self.rng = random.Random(SEED)
        self.records = records
        self.disk = write_trace.Disk(records, lies)
        self.folder = folder
        self.cuts = write_trace.choose_cuts(records, self.rng, count, first)

    def __iter__(self):
        """(number of a record, until when the cut may have come, folder), in order of time."""
        for cut in self.cuts:
            self.disk.go_to(cut)
            shutil.rmtree(self.folder, ignore_errors=True)
            self.disk.image(self.folder, self.rng)
            yield cut, write_trace.time_of(self.records, cut), self.folder
