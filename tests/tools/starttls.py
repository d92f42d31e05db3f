#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""starttls.py CERT KEY: servers of SMTP, IMAP, POP3, LDAP and PostgreSQL that can do nothing but go on as TLS."""
import re
import socketserver
import ssl
import sys
import threading

context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])

# Port: greeting; what is asked, its answer; the last one is the one after which TLS begins.
TALKS = {
    25: (b'220 here ESMTP\r\n', [(rb'EHLO .*\r\n', b'250-here\r\n250 STARTTLS\r\n'), (rb'STARTTLS\r\n', b'220 go on\r\n')]),
    143: (b'* OK IMAP4rev1\r\n', [(rb'\. CAPABILITY\r\n', b'* CAPABILITY IMAP4rev1 STARTTLS\r\n. OK\r\n'),
                                  (rb'\. STARTTLS\r\n', b'. OK\r\n')]),
    110: (b'+OK POP3\r\n', [(rb'STLS\r\n', b'+OK\r\n')]),
    389: (b'', [(rb'(?s)0.*1\.3\.6\.1\.4\.1\.1466\.20037', bytes.fromhex('300c02010178070a010004000400'))]),
    5432: (b'', [(rb'\0\0\0\x08\x04\xd2\x16\x2f', b'S')]),
}


class Talk(socketserver.BaseRequestHandler):
    def handle(self):
        greeting, answers = TALKS[self.server.server_address[1]]
        self.request.sendall(greeting)
        for asked, answer in answers:
            heard = b''
            while not re.match(asked, heard):
                more = self.request.recv(4096)
                if not more:
                    return
                heard += more
            self.request.sendall(answer)
        try:
            with context.wrap_socket(self.request, server_side=True) as s:
                s.recv(1)
        except OSError:
            pass


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True


servers = [Server(('0.0.0.0', port), Talk) for port in TALKS]
for server in servers[1:]:
    threading.Thread(target=server.serve_forever, daemon=True).start()
servers[0].serve_forever()
