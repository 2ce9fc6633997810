"""Worker processes: whether there can be some, and that they end with the process that they work for."""

import multiprocessing
import os
import threading


def cannot_share() -> str:
    """Why processes have nothing to work together by here, such as a /dev/shm that is full; empty where they have.

    Locks and shared numbers lie in a file system of their own, which a container may lack.
    """
    try:
        multiprocessing.Lock()
        multiprocessing.RawValue("b", 0)
    except (OSError, ImportError) as error:
        return getattr(error, "strerror", None) or str(error)
    return ""


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
