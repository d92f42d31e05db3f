#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# screen.py STEP... -- COMMAND...: run it on a terminal of its own, of 100 cells and 24 lines, as a shell's job, and
# take the steps one after the other.  The terminal knows what a screen of netprobe may send and nothing else.
#   see TEXT        until the screen shows it
#   above A B       until A stands in a line above B's
#   gone TEXT       until the screen does not show it
#   never TEXT      the screen does not show it
#   again           until it has been drawn once more
#   key KEYS        press them
#   run SHELL       run it
#   size WxH        resize; from here on no line is wider
#   deaf            nothing is read any more, and it is resized until it waits for that; of the terminal only the
#                   modes are as before then
#   signal NAME     to the command
#   stopped         until it has stopped; the terminal is as before
#   halted          until it has stopped, however the terminal is
#   cont            let it go on in front
#   bg              let it go on in the background
#   fg              it comes to the front as it runs, without a signal
#   unseen          until it has woken a few times in the background; the terminal is as before
#   end STATUS      it ended with it (negative: by a signal); the terminal is as before
#   killed          SIGKILL ended it; the terminal becomes as before
#   left TEXT       it stands on the screen that was there before
# 1 when a step does not come true.  With STDERR set standard error is not the terminal, with NOKEYS standard input.
import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
import unicodedata

LIMIT = 15 * int(os.environ.get("NETPROBE_TEST_SCALE", "1"))
KNOWN = re.compile(r"\x1b\[(\?1049[hl]|\?25[hl]|\d*;?\d*H|[KJ]|0?m|7m)")


class Screen:
    """What the other end shows."""

    def __init__(self):
        self.width, self.height = 100, 24
        self.drawn = 0
        self.other = self.hidden = False
        self.pages = [{}, {}]
        self.at = self.saved = (1, 1)
        self.rest = ""
        self.bytes = b""

    def lines(self, other=None):
        page = self.pages[self.other if other is None else other]
        return ["".join(page[y][x] for x in sorted(page[y])) for y in sorted(page)]

    def text(self, other=None):
        return "\n".join(self.lines(other))

    def put(self, c):
        y, x = self.at
        cells = 2 if unicodedata.east_asian_width(c) in "WF" else 1
        if x + cells - 1 > self.width and not self.other:  # a message: any length
            y, x = y + 1, 1
        elif x + cells - 1 > self.width:
            raise SystemExit(f"a line is wider than {self.width}: {self.lines()}")
        row = self.pages[self.other].setdefault(y, {})
        for pad in range(1, x):
            row.setdefault(pad, " ")
        row[x] = c
        if cells == 2:
            row[x + 1] = ""
        self.at = (y, x + cells)

    def control(self, what):
        y, x = self.at
        page = self.pages[self.other]
        if what.startswith("?1049"):
            self.other = what.endswith("h")
            if self.other:
                self.pages[1], self.saved = {}, self.at
            else:
                self.at = self.saved
        elif what.startswith("?25"):
            self.hidden = what.endswith("l")
        elif what.endswith("H"):
            place = [int(n or 1) for n in what[:-1].split(";")]
            self.at = (place[0], place[1] if len(place) > 1 else 1)
            if self.at[0] > self.height:
                raise SystemExit(f"line {self.at[0]} of {self.height}")
            self.drawn += place[0] == self.height
        elif what == "K":
            page[y] = {i: c for i, c in page.get(y, {}).items() if i < x}
        elif what == "J":
            page[y] = {i: c for i, c in page.get(y, {}).items() if i < x}
            for line in [line for line in page if line > y]:
                del page[line]

    def take(self, data):
        self.bytes += data
        text = self.rest + data.decode("utf-8", "surrogateescape")
        self.rest = ""
        i = 0
        while i < len(text):
            known = KNOWN.match(text, i)
            if known:
                self.control(known.group(1))
                i = known.end()
                continue
            c = text[i]
            if (c == "\x1b" and len(text) - i < 12) or (0xdc80 <= ord(c) and len(text) - i < 4):
                self.rest = text[i:]
                return
            if c == "\n":
                self.at = (self.at[0] + 1, self.at[1])
            elif c == "\r":
                self.at = (self.at[0], 1)
            elif unicodedata.category(c) in ("Cc", "Cf", "Cs"):
                raise SystemExit(f"harmful: {text[i:i + 20]!r}")
            else:
                self.put(c)
            i += 1


def keeper(slave, command, tell, told):
    """The shell: its job is in front until it stops."""
    os.setsid()
    before = termios.tcgetattr(slave)
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    pid = os.fork()
    if not pid:
        os.setpgid(0, 0)
        os.tcsetpgrp(slave, os.getpid())
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        for fd in range(3 if not os.environ.get("STDERR") else 2):
            os.dup2(slave, fd)
        if os.environ.get("NOKEYS"):
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.closerange(3, 256)
        os.execvp(command[0], command)
    os.write(tell, b"%d\n" % pid)
    while True:
        status = os.waitpid(pid, os.WUNTRACED)[1]
        os.tcsetpgrp(slave, os.getpid())
        if not os.WIFSTOPPED(status):
            os.write(tell, b"end %d\n" % os.waitstatus_to_exitcode(status))
            os._exit(0)
        os.write(tell, b"stopped\n")
        if os.read(told, 1) == b"c":
            os.tcsetpgrp(slave, pid)
            os.kill(pid, signal.SIGCONT)
            continue
        termios.tcsetattr(slave, termios.TCSANOW, before)
        os.kill(pid, signal.SIGCONT)
        os.read(told, 1)
        os.tcsetpgrp(slave, pid)


class Run:
    def __init__(self, command):
        self.screen = Screen()
        self.deaf = False
        self.master, self.slave = os.openpty()
        self.resize(100, 24)
        self.before = termios.tcgetattr(self.slave)
        self.news, tell = os.pipe()
        told, self.order = os.pipe()
        if not os.fork():
            keeper(self.slave, command, tell, told)
        os.close(tell)
        self.said = ""
        self.until(lambda: "\n" in self.said, "start")
        self.pid = int(self.said.split("\n")[0])

    def resize(self, width, height):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def listen(self, seconds):
        ready = select.select([self.news] if self.deaf else [self.master, self.news], [], [], seconds)[0]
        if self.news in ready:
            self.said += os.read(self.news, 4096).decode()
        if self.master in ready:
            data = os.read(self.master, 65536)
            self.screen.take(data)
        return self.master in ready

    def until(self, holds, what):
        end = time.monotonic() + LIMIT
        while not holds():
            if time.monotonic() > end:
                raise SystemExit(f"not true in {LIMIT} s: {what}\n{self.screen.text()}\n{self.said}")
            self.listen(0.05)

    def as_before(self):
        while self.listen(0):
            pass
        now = termios.tcgetattr(self.slave)
        if now != self.before:
            raise SystemExit(f"the terminal's modes are {now}, not {self.before}")
        if self.deaf:
            return
        if self.screen.other or self.screen.hidden:
            raise SystemExit("the screen is not given back")

    def line_of(self, text):
        return next((i for i, line in enumerate(self.screen.lines()) if text in line), None)

    def is_above(self, a, b):
        a, b = self.line_of(a), self.line_of(b)
        return a is not None and b is not None and a < b

    def step(self, name, steps):
        screen = self.screen
        if name == "see":
            text = steps.pop(0)
            self.until(lambda: text in screen.text(), f"see {text}")
        elif name == "gone":
            text = steps.pop(0)
            self.until(lambda: text not in screen.text(), f"gone {text}")
        elif name == "never":
            text = steps.pop(0)
            if text in screen.text():
                raise SystemExit(f"shown: {text}\n{screen.text()}")
        elif name == "above":
            a, b = steps.pop(0), steps.pop(0)
            self.until(lambda: self.is_above(a, b), f"{a} above {b}")
        elif name == "again":
            n = screen.drawn
            self.until(lambda: screen.drawn > n, "again")
            if not screen.other:
                raise SystemExit("not drawn in place")
        elif name == "key":
            os.write(self.master, steps.pop(0).encode())
        elif name == "run":
            subprocess.run(steps.pop(0), shell=True, check=True, stdout=subprocess.DEVNULL)
        elif name == "size":
            width, height = (int(n) for n in steps.pop(0).split("x"))
            self.until(lambda: self.quiet(), "a pause")
            screen.pages[1] = {}
            screen.width, screen.height = width, height
            self.resize(width, height)
        elif name == "deaf":
            self.stop_reading()
        elif name == "signal":
            os.kill(self.pid, getattr(signal, "SIG" + steps.pop(0)))
        elif name == "stopped":
            self.until(lambda: "stopped" in self.said, "stopped")
            self.said = ""
            self.as_before()
        elif name == "halted":
            self.until(lambda: "stopped" in self.said, "halted")
            self.said = ""
        elif name in ("cont", "bg", "fg"):
            os.write(self.order, name[:1].encode())
        elif name == "unseen":
            n = self.woken()
            self.until(lambda: self.woken() >= n + 4, "woken")
            self.as_before()
        elif name == "end":
            want = f"end {steps.pop(0)}\n"
            self.until(lambda: "end " in self.said, want)
            if want not in self.said:
                raise SystemExit(f"'{self.said}', not '{want}'")
            self.as_before()
        elif name == "killed":
            self.until(lambda: "end -9\n" in self.said, "end -9")
            self.until(lambda: termios.tcgetattr(self.slave) == self.before and not screen.other and not screen.hidden,
                       "the terminal as before")
        elif name == "left":
            text = steps.pop(0)
            if text not in screen.text(False):
                raise SystemExit(f"not left: {text}\n{screen.text(False)}")
        else:
            raise SystemExit(f"no step {name}")

    def woken(self):
        with open(f"/proc/{self.pid}/status", encoding="ascii") as f:
            return int(re.search(r"^voluntary_ctxt_switches:\t(\d+)", f.read(), re.M).group(1))

    def waits_for_us(self):
        with open(f"/proc/{self.pid}/wchan", encoding="ascii") as f:
            where = f.read()
        return "poll" in where and "ep_poll" not in where and "epoll" not in where

    def stop_reading(self):
        self.deaf = True
        end = time.monotonic() + LIMIT
        width = 90
        while not self.waits_for_us():
            if time.monotonic() > end:
                raise SystemExit("the terminal takes everything")
            width = 189 - width
            self.resize(width, 24)
            time.sleep(0.002)

    def quiet(self):
        return not self.listen(0.02)


at = sys.argv.index("--")
todo = sys.argv[1:at]
run = Run(sys.argv[at + 1:])
try:
    while todo:
        run.step(todo.pop(0), todo)
finally:
    try:
        os.kill(run.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
