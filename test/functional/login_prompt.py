"""Talks to a program at a pseudo terminal as a person would.

Usage: login_prompt.py [EXPECT ANSWER]... -- COMMAND...
Waits for each EXPECT to appear in what the program prints, says on a line of its own whether the terminal
echoes then, and types ANSWER ("^C" and "^D" are keys). Prints after that everything the program printed,
`echo after: on|off`, and `exit: STATUS`.
"""
import os
import pty
import select
import subprocess
import sys
import termios
import time

KEYS = {"^C": b"\x03", "^D": b"\x04"}


def echo(terminal):
    return "on" if termios.tcgetattr(terminal)[3] & termios.ECHO else "off"


def read_until(terminal, text, seen, deadline):
    """What was seen so far and more, up to `text` or, for None, the end of the program."""
    while text is None or text not in seen:
        if not select.select([terminal], [], [], max(0, deadline - time.monotonic()))[0]:
            sys.exit(f"waited in vain for {text!r}; seen: {seen!r}")
        try:
            data = os.read(terminal, 4096)
        except OSError:  # Linux reports the end of the other side as EIO
            data = b""
        if not data:
            break
        seen += data
    return seen


def main():
    split = sys.argv.index("--")
    dialog, command = sys.argv[1:split], sys.argv[split + 1:]
    ours, theirs = pty.openpty()
    program = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
                               preexec_fn=lambda: take_terminal(theirs))
    deadline = time.monotonic() + 20
    seen = b""
    for expected, answer in zip(dialog[::2], dialog[1::2]):
        seen = read_until(ours, expected.encode(), seen, deadline)
        print(f"echo at {expected.strip()} {echo(ours)}")
        os.write(ours, KEYS.get(answer, answer.encode() + b"\n"))
    status = program.wait(20)
    print("echo after:", echo(theirs))
    os.close(theirs)
    print(read_until(ours, None, seen, deadline).decode().replace("\r\n", "\n"))
    print("exit:", status)


def take_terminal(terminal):
    import fcntl
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)


main()
