"""Plays a person at a terminal: runs a program on a new pseudo-terminal, and types, resizes and signals when it has printed something.

Reads one JSON document from stdin: argv, env, cwd, rows, columns, steps. A step may have: expect (a regular expression that must match what
was printed since the last step), again (text that is typed every two seconds until it is), send (text to type), resize ([rows, columns]), signal (name, to the program), wait (seconds).
Prints one JSON document: output, code, whether the terminal is as it was, which step timed out.
"""

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

spec = json.load(sys.stdin)
deadline = time.monotonic() + spec.get("timeout", 15)
master, slave = pty.openpty()


def resize(rows, columns):
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


resize(spec.get("rows", 24), spec.get("columns", 80))
before = termios.tcgetattr(slave)
pid = os.fork()
if pid == 0:
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for descriptor in (0, 1, 2):
        os.dup2(slave, descriptor)
    os.closerange(3, 256)
    os.chdir(spec.get("cwd", "/"))
    os.environ.update(spec.get("env", {}))
    os.execvp(spec["argv"][0], spec["argv"])

output = b""
seen = 0
failed = None
status = None


def pump(seconds):
    global output, status
    if select.select([master], [], [], seconds)[0]:
        try:
            output += os.read(master, 65536)
        except OSError:
            pass
    if status is None:
        done, code = os.waitpid(pid, os.WNOHANG)
        if done:
            status = code


for index, step in enumerate(spec["steps"]):
    if "expect" in step:
        typed = time.monotonic()
        while True:
            match = re.search(step["expect"].encode(), output[seen:], re.DOTALL)
            if match:
                seen += match.end()
                break
            if time.monotonic() > deadline or status is not None:
                failed = index
                break
            if "again" in step and time.monotonic() > typed + 2:
                os.write(master, step["again"].encode())
                typed = time.monotonic()
            pump(0.05)
    if failed is not None:
        break
    if "wait" in step:
        until = time.monotonic() + step["wait"]
        while time.monotonic() < until:
            pump(0.05)
    if "resize" in step:
        resize(*step["resize"])
    if "send" in step:
        os.write(master, step["send"].encode())
    if "signal" in step:
        os.kill(pid, getattr(signal, step["signal"]))

while status is None and time.monotonic() < deadline:
    pump(0.05)
timed_out = status is None
if timed_out:
    os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
while select.select([master], [], [], 0)[0]:
    output += os.read(master, 65536)
after = termios.tcgetattr(slave)
code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
json.dump(
    {
        "output": output.decode("utf8", "replace"),
        "code": code,
        "restored": before == after,
        "failedStep": failed,
        "timedOut": timed_out,
    },
    sys.stdout,
)
