#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""mkcluster.py PODS POLICIES [yaml]: a cluster's objects as `kubectl get pods,ns,netpol -A -o json` prints them."""
import json
import sys

PODS, POLICIES = int(sys.argv[1]), int(sys.argv[2])
SPACES = 50


def pod(i):
    app, ns = f"app-{i % 400}", f"team-{i % SPACES}"
    env = [{"name": f"SETTING_{j}", "value": f"value of setting {j} in pod {i}"} for j in range(20)]
    volumes = [{"name": f"v{j}", "projected": {"defaultMode": 420, "sources": [{"serviceAccountToken": {
        "expirationSeconds": 3607, "path": "token"}}, {"configMap": {"items": [{"key": "ca.crt", "path": "ca.crt"}],
                                                                     "name": "kube-root-ca.crt"}}]}} for j in range(3)]
    fields = {f"f:field{j}": {".": {}, "f:name": {}, "f:value": {}} for j in range(40)}
    return {
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {
            "annotations": {"checksum/config": "0123456789abcdef" * 4, "note": "text " * 20},
            "creationTimestamp": "2026-01-01T00:00:00Z", "generateName": f"{app}-5d4f8c7b9-",
            "labels": {"app": app, "tier": ["web", "api", "db"][i % 3], "pod-template-hash": "5d4f8c7b9",
                       "team": ns, "version": f"v{i % 7}"},
            "managedFields": [{"apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": fields, "manager": "kubelet",
                               "operation": "Update"}] * 2,
            "name": f"{app}-5d4f8c7b9-{i:05d}", "namespace": ns, "uid": f"00000000-0000-4000-8000-{i:012d}",
            "ownerReferences": [{"apiVersion": "apps/v1", "controller": True, "kind": "ReplicaSet",
                                 "name": f"{app}-5d4f8c7b9", "uid": "1"}]},
        "spec": {
            "containers": [{"name": f"c{j}", "image": f"registry.example/{app}:v{i % 7}", "env": env,
                            "ports": [{"containerPort": 8080 + j, "name": f"http-{j}", "protocol": "TCP"}],
                            "resources": {"limits": {"cpu": "1", "memory": "1Gi"}},
                            "volumeMounts": [{"mountPath": f"/v{k}", "name": f"v{k}"} for k in range(3)]}
                           for j in range(2)],
            "nodeName": f"node-{i % 100}", "volumes": volumes,
            "tolerations": [{"effect": "NoExecute", "key": f"node.kubernetes.io/k{j}", "operator": "Exists"}
                            for j in range(4)]},
        "status": {
            "conditions": [{"lastTransitionTime": "2026-01-01T00:00:00Z", "status": "True", "type": f"C{j}"}
                           for j in range(5)],
            "containerStatuses": [{"containerID": f"containerd://{i:064x}", "image": app, "name": f"c{j}",
                                   "ready": True, "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}}}
                                  for j in range(2)],
            "hostIP": f"192.168.0.{i % 100}", "phase": "Running", "podIP": f"10.{i >> 16}.{i >> 8 & 255}.{i & 255}",
            "podIPs": [{"ip": f"10.{i >> 16}.{i >> 8 & 255}.{i & 255}"}]}}


def policy(i):
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy",
            "metadata": {"name": f"policy-{i}", "namespace": f"team-{i % SPACES}"},
            "spec": {"podSelector": {"matchLabels": {"tier": ["web", "api", "db"][i % 3]}} if i % 10 else {},
                     "policyTypes": ["Ingress", "Egress"],
                     "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": f"app-{(i + j) % 400}"}},
                                            "namespaceSelector": {"matchLabels": {"team": f"team-{j}"}}}
                                           for j in range(3)],
                                  "ports": [{"port": 8080, "protocol": "TCP"}, {"port": "http-1"}]}],
                     "egress": [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": [f"10.{i % 256}.0.0/16"]}}]},
                                {"to": [{"namespaceSelector": {"matchExpressions": [
                                    {"key": "team", "operator": "In", "values": [f"team-{i % 7}", "team-8"]}]}}],
                                 "ports": [{"port": 53, "protocol": "UDP"}]}]}}


items = [pod(i) for i in range(PODS)]
items += [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"team-{i}", "labels": {"team": f"team-{i}"}}}
          for i in range(SPACES)]
items += [policy(i) for i in range(POLICIES)]
json.dump({"apiVersion": "v1", "items": items, "kind": "List"}, sys.stdout, indent=4)
