#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""apiserver.py PORT DIRECTORY: as much of a Kubernetes API server as kubectl get needs, on 127.0.0.1.
DIRECTORY/pods, namespaces, networkpolicies and services: what there was at first, arrays of objects, read at each list.
DIRECTORY/KIND.news: what happened since, a JSON event a line, of which a list has the outcome and watches what comes
behind their list; "cut", or an error, ends them.
"""
import http.server
import json
import os
import sys
import time
import urllib.parse

port, directory = int(sys.argv[1]), sys.argv[2]
GROUPS = {
    "/api/v1": {"pods": "Pod", "namespaces": "Namespace", "services": "Service"},
    "/apis/networking.k8s.io/v1": {"networkpolicies": "NetworkPolicy"},
}
SHORT = {"pods": "po", "namespaces": "ns", "services": "svc", "networkpolicies": "netpol"}


def resources(prefix):
    of = [
        {"name": n, "singularName": k.lower(), "namespaced": n != "namespaces", "kind": k, "verbs": ["get", "list", "watch"],
         "shortNames": [SHORT[n]]}
        for n, k in GROUPS[prefix].items()
    ]
    group = prefix.removeprefix("/apis/").removeprefix("/api/")
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group, "resources": of}


NETWORKING = {"groupVersion": "networking.k8s.io/v1", "version": "v1"}
FIXED = {
    "/api": {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []},
    "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": [
        {"name": "networking.k8s.io", "versions": [NETWORKING], "preferredVersion": NETWORKING}]},
}
FIXED.update({prefix: resources(prefix) for prefix in GROUPS})


def happened(kind):
    try:
        with open(os.path.join(directory, kind + ".news")) as f:
            return f.read().splitlines()
    except FileNotFoundError:
        return []


def listed(kind):
    """Objects, and how many events are in them."""
    events = happened(kind)
    with open(os.path.join(directory, kind)) as f:
        objects = {o["metadata"]["name"]: o for o in json.load(f)}
    for event in (json.loads(e) for e in events if e != "cut"):
        name = event["object"].get("metadata", {}).get("name")
        if event["type"] == "DELETED":
            objects.pop(name, None)
        elif event["type"] != "ERROR":
            objects[name] = event["object"]
    return list(objects.values()), len(events)


class Server(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, what):
        body = json.dumps(what).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def chunk(self, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def watch(self, kind, at):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while True:
            for event in happened(kind)[at:]:
                at += 1
                if event == "cut":
                    self.chunk(b"")
                    return
                self.chunk(event.encode() + b"\n")
                if json.loads(event)["type"] == "ERROR":
                    self.chunk(b"")
                    return
            time.sleep(0.05)

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        words = urllib.parse.parse_qs(url.query)
        prefix, _, kind = url.path.rpartition("/")
        if url.path in FIXED:
            self.answer(200, FIXED[url.path])
        elif kind not in GROUPS.get(prefix, ()):
            self.answer(404, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404,
                              "message": url.path + " is not here"})
        elif "true" in words.get("watch", ()):
            self.watch(kind, int(words["resourceVersion"][0]))
        else:
            items, events = listed(kind)
            group = prefix.removeprefix("/apis/").removeprefix("/api/")
            self.answer(200, {"kind": GROUPS[prefix][kind] + "List", "apiVersion": group, "items": items,
                              "metadata": {"resourceVersion": str(events)}})


http.server.ThreadingHTTPServer(("127.0.0.1", port), Server).serve_forever()
