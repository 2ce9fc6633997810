"""Worker processes end with the process that they work for, also where that is killed."""

import multiprocessing
import os
import threading


def end_with_parent() -> None:
    """In a worker of `multiprocessing`: ends it at once when the process that began it is gone.

    No signal or message can be counted on, for a process that is killed sends none. A thread waits for
    the end of a pipe that only the parent holds open.
    """
    parent = multiprocessing.parent_process()
    assert parent is not None

    def wait_and_end() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait_and_end, daemon=True).start()
