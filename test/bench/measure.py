"""Runs one command and tells its wall time, CPU time and peak memory."""
import ctypes
import os
import subprocess
import threading
import time
from typing import NamedTuple

TIME_LIMIT = 600
PR_SET_CHILD_SUBREAPER = 36

# The peak that the kernel reports for a process begins with the memory of the process it was forked from, so a command
# forked from here would never seem smaller than Python. A shell forks it, and dies: the command then becomes our child.
LAUNCHER = 'read go; "$@" >"$BENCH_OUT" 2>"$BENCH_ERR" </dev/null & echo $! >&"$BENCH_PID_FD"'


class Usage(NamedTuple):
    wall: float  # seconds
    cpu: float  # seconds, user and system, with those of its children
    peak: float  # MiB, the largest process


class CommandFailed(Exception):
    pass


def adopt_orphans():
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def kill(pid):
    try:
        os.kill(pid, 9)
    except ProcessLookupError:
        pass


def launch(argv, env, out, err):
    """Starts the command and returns its pid and the moment it was told to start."""
    pid_end, shell_end = os.pipe()
    env = {**env, "BENCH_OUT": out, "BENCH_ERR": err, "BENCH_PID_FD": str(shell_end)}
    shell = subprocess.Popen(["sh", "-c", LAUNCHER, "sh", *argv], env=env, stdin=subprocess.PIPE, pass_fds=[shell_end])
    os.close(shell_end)
    time.sleep(0.02)  # the shell itself starts up outside the measured time
    start = time.monotonic()
    shell.stdin.write(b"go\n")
    shell.stdin.close()
    with os.fdopen(pid_end) as pipe:
        pid = int(pipe.readline())
    shell.wait()
    return pid, start


def run(argv, env, out, err):
    """The usage of one run; CommandFailed with the end of its standard error unless it exits with 0."""
    pid, start = launch(argv, env, out, err)
    timer = threading.Timer(TIME_LIMIT, kill, [pid])
    timer.start()
    try:
        _, status, used = os.wait4(pid, 0)
    except BaseException:
        kill(pid)
        raise
    finally:
        timer.cancel()
    wall = time.monotonic() - start
    if status != 0:
        with open(err, errors="replace") as text:
            raise CommandFailed(f"{' '.join(argv)}\n  exit {os.waitstatus_to_exitcode(status)}: {text.read()[-500:]}")
    return Usage(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
