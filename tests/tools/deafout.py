#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# deafout.py KIND COMMAND...: run it with a standard output that nobody reads; KIND is pipe, unix, tcp, pty, or
# tty, where standard error is the same terminal.  SIGUSR1: read on, to our own output.  SIGUSR2: the other
# end closes.  Writes the command's pid to the descriptor 9; ends as the command does.
import os
import pty
import signal
import socket
import sys
import threading


def ends(kind):
    """Ours and theirs, as descriptors."""
    if kind == "pipe":
        return os.pipe()
    if kind == "unix":
        return [s.detach() for s in socket.socketpair()]
    if kind == "tcp":
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            theirs = socket.create_connection(server.getsockname())
            theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
            return server.accept()[0].detach(), theirs.detach()
    return pty.openpty()


def read_on(fd):
    try:
        while os.write(1, os.read(fd, 65536)):
            pass
    except OSError:
        pass


kind = sys.argv[1]
ours, theirs = ends(kind)
pid = os.fork()
if not pid:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    os.dup2(theirs, 1)
    if kind == "tty":
        os.dup2(theirs, 2)
    os.closerange(3, 1024)
    os.execvp(sys.argv[2], sys.argv[2:])
os.close(theirs)
signal.signal(signal.SIGUSR1, lambda *_: threading.Thread(target=read_on, args=(ours,), daemon=True).start())
signal.signal(signal.SIGUSR2, lambda *_: os.close(ours))
os.write(9, b"%d\n" % pid)
os.close(9)
status = os.waitpid(pid, 0)[1]
os._exit(os.waitstatus_to_exitcode(status) & 0xff)
