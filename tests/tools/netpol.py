#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""netpol.py NETPROBE CASE.json...: judge the probes of truth tables (see tests/netpol.sh for their form).
Prints each probe that is judged otherwise, and a count; fails when there is one."""
import json
import subprocess
import sys
import tempfile


def objects(case):
    out = []
    for name, labels in case["namespaces"].items():
        out.append({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
    for p in case["pods"]:
        ports = [{"name": q.get("name"), "containerPort": q["port"], "protocol": q["protocol"]} for q in p["ports"]]
        out.append({"apiVersion": "v1", "kind": "Pod",
                    "metadata": {"namespace": p["namespace"], "name": p["name"], "labels": p["labels"]},
                    "spec": {"containers": [{"name": "c", "ports": ports}]},
                    "status": {"podIP": p["ip"], "podIPs": [{"ip": p["ip"]}]}})
    out += case["networkpolicies"]
    out += case.get("adminnetworkpolicies") or []
    if case.get("baselineadminnetworkpolicy"):
        out.append(case["baselineadminnetworkpolicy"])
    return {"apiVersion": "v1", "kind": "List", "items": out}


def differences(probe, got):
    if (got["from"], got["to"], got["port"], got["protocol"]) != \
            (probe["from"], probe["to"], probe["port"], probe["protocol"]):
        return "another question is answered"
    wrong = []
    if got["verdict"] != probe["expected"]:
        wrong.append(f"{got['verdict']} in place of {probe['expected']}")
    if "decided_by" in probe and got["policies"] != probe["decided_by"]:
        wrong.append(f"by {got['policies']} in place of {probe['decided_by']}")
    for side in ("egress", "ingress"):
        for key, value in probe[side].items():
            if got[side][key] != value:
                wrong.append(f"{side}.{key} is {got[side][key]} in place of {value}")
    return "; ".join(wrong)


def main():
    netprobe, total, bad = sys.argv[1], 0, 0
    for path in sys.argv[2:]:
        with open(path, encoding="utf-8") as f:
            case = json.load(f)
        lines = "".join(f"{p['from']} {p['to']} {p['port']}/{p['protocol']}\n" for p in case["probes"])
        with tempfile.NamedTemporaryFile("w", suffix=".json") as f:
            json.dump(objects(case), f)
            f.flush()
            run = subprocess.run([netprobe, "-q", "-j", "policy", "test", "--policies", f.name, "-"], input=lines,
                                 capture_output=True, text=True, check=False)
        got = [json.loads(line) for line in run.stdout.splitlines()]
        if run.returncode or len(got) != len(case["probes"]):
            print(f"{case['id']}: exit status {run.returncode}, {len(got)} answers: {run.stderr}")
            bad += 1
            continue
        for probe, answer in zip(case["probes"], got):
            total += 1
            wrong = differences(probe, answer)
            if wrong:
                bad += 1
                print(f"{case['id']}: {probe['from']} {probe['to']} {probe['port']}/{probe['protocol']}: {wrong}")
    print(f"# {total} probes, {bad} wrong")
    return 1 if bad or not total else 0


sys.exit(main())
