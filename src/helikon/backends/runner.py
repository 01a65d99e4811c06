"""The process that starts a job's main process, waits for it and writes down how it ended.

Run as ``python -m helikon.backends.runner NEXT LOCK PIPE`` by the starter: the
folder of the attempt in the making, and two inherited file descriptors. It
leaves the starter's session, accepts the attempt with one rename, lets go of
the lock, says so through the pipe, and only then starts the job. It is the
reaper of orphans in its job, so that nothing gets away while it lives.
"""

import contextlib
import ctypes
import fcntl
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from helikon.backends.processes import end, identify, send
from helikon.backends.records import Attempt, Exit, attempt_folder, read_plan, write

_PR_SET_CHILD_SUBREAPER = 36


def run(prepared: Path, lock: int, pipe: int) -> None:
    """Accept an attempt, run it to its end, and write the end down."""
    _leave_the_starter()
    log = prepared.parent / "log"
    attempt = _accept(prepared, log)
    fcntl.flock(lock, fcntl.LOCK_UN)
    os.close(lock)
    with contextlib.suppress(BrokenPipeError):  # the starter may have been killed
        os.write(pipe, b"accepted")
    os.close(pipe)
    offset = log.stat().st_size
    main = _start(attempt)
    _pass_on_signals(main)
    code = _wait(attempt, main)
    write(attempt.folder / "exit.json", _exit(attempt, code, log, offset))
    plan = attempt.plan()
    end(plan.job_id, spare=[os.getpid()], grace_s=plan.grace_s)


def _leave_the_starter() -> None:
    """Fork away, so that the starter has no child to bury and its terminal no hold on us."""
    if os.fork():
        os._exit(0)
    os.setsid()
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _accept(prepared: Path, log: Path) -> Attempt:
    number = read_plan(prepared).number
    now = time.time()
    write(prepared / "runner.json", {"process": identify(os.getpid()), "started": now})
    attempt = Attempt(folder=attempt_folder(prepared.parent, number), number=number)
    if number > 1:
        _separate(log, f"--- attempt {number}, {time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(now))} ---")
    os.rename(prepared, attempt.folder)
    return attempt


def _separate(log: Path, line: str) -> None:
    with log.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        if size:
            file.seek(size - 1)
            complete = file.read(1) == b"\n"
            file.write(f"{'' if complete else chr(10)}{line}\n".encode())


def _start(attempt: Attempt) -> int:
    """Fork the main process; it writes down who it is before it becomes the job's program."""
    plan = attempt.plan()
    pid = os.fork()
    if pid:
        return pid
    try:
        os.setsid()
        _reset_signals()
        write(attempt.folder / "main.json", identify(os.getpid()))
        environment = os.environ | dict(plan.environment)
        os.execvpe(plan.argv[0], list(plan.argv), environment)
    except OSError as error:
        os.write(2, f"helikon: cannot run {plan.argv[0]}: {error.strerror}\n".encode())
    finally:
        os._exit(127)


def _reset_signals() -> None:
    """Undo what Python and the starter ignore, for a program would inherit it."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def _pass_on_signals(main: int) -> None:
    """Give SIGTERM on to the job; stay through Ctrl-C and a closed terminal."""
    process = identify(main)

    def give_on(number: int, _frame: FrameType | None) -> None:
        if process is not None:
            send(process, number)

    signal.signal(signal.SIGTERM, give_on)
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def _wait(attempt: Attempt, main: int) -> int:
    """Return the main process's exit code; bury orphans, and note when a server first answers."""
    port = attempt.plan().port
    while True:
        pid, status = os.waitpid(-1, os.WNOHANG if port else 0)
        if pid == main:
            return os.waitstatus_to_exitcode(status)
        if pid == 0 and port:
            if _answers(port):
                attempt.set("ready")
                port = None
            else:
                time.sleep(0.1)


def _answers(port: int) -> bool:
    from helikon.backends.ports import answers

    return answers(port)


def _exit(attempt: Attempt, code: int, log: Path, offset: int) -> Exit:
    from helikon.backends.causes import cause_of, tail

    cause = None
    if code:
        cause = cause_of(code, tail(log, offset))
    return Exit(code=code, ended=time.time(), cause=cause)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        run(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
