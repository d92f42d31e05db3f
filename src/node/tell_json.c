// SPDX-License-Identifier: GPL-2.0-or-later
/* What files of JSON tell of a pod: results of network plugins, configurations of containers. */
#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "k8s/k8s.h"
#include "node/parts.h"

/* False: it is there and does not fit. */
static bool put(char *to, size_t size, const json_t *v)
{
	const char *s = json_string_value(v);

	return !s || copy_text(to, size, s, json_string_length(v));
}

/* Of a pod that the API server does not know, one that crictl made, it is any text. */
static bool put_uid(char *to, const json_t *v)
{
	const char *s = json_string_value(v);

	size_t n = json_string_length(v);

	return !s || copy_uid(to, s, n, true) || copy_text(to, POD_UID_MAX, s, n);
}

static void put_cidr(struct told_pod *t, const json_t *v)
{
	const char *s = json_string_value(v);
	struct addr a;

	if (s && addr_parse(&a, s, strcspn(s, "/"), NULL))
		told_addr(t, &a);
}

/* ── results of plugins ───────────────────────────────────────────────────── */

/* [["K8S_POD_NAME", "web-1"], ...] in any order. */
static bool cni_args(struct told_pod *t, const json_t *args)
{
	for (size_t i = 0; i < json_array_size(args); i++) {
		const json_t *pair = json_array_get(args, i), *v = json_array_get(pair, 1);
		const char *key = json_string_value(json_array_get(pair, 0));
		bool fits = true;

		if (!key)
			continue;
		if (!strcmp(key, "K8S_POD_NAMESPACE"))
			fits = put(t->ns, sizeof(t->ns), v);
		else if (!strcmp(key, "K8S_POD_NAME"))
			fits = put(t->name, sizeof(t->name), v);
		else if (!strcmp(key, "K8S_POD_UID"))
			fits = put_uid(t->uid, v);
		if (!fits)
			return false;
	}
	return true;
}

/*
 * The pod's end has the path of a sandbox, the host's has none; what stands in front of the host's end of the pair is
 * the bridge it is put to (plugins/main/bridge), so the last of them is meant.  A name that cannot be is left out.
 */
static void cni_interfaces(struct told_pod *t, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *v = json_array_get(list, i), *sandbox = json_object_get(v, "sandbox");

		if (json_string_length(sandbox))
			put(t->netns, sizeof(t->netns), sandbox);
		else if (!put(t->iface, sizeof(t->iface), json_object_get(v, "name")))
			t->iface[0] = '\0';
	}
}

static void cni_addresses(struct told_pod *t, const json_t *result)
{
	const json_t *ips = json_object_get(result, "ips");

	for (size_t i = 0; i < json_array_size(ips); i++)
		put_cidr(t, json_object_get(json_array_get(ips, i), "address"));
	/* Results of version 0.2.0 and before. */
	put_cidr(t, json_object_get(json_object_get(result, "ip4"), "ip"));
	put_cidr(t, json_object_get(json_object_get(result, "ip6"), "ip"));
}

/* The file is called NETWORK-CONTAINER-INTERFACE: results of a libcni before 0.8 have nothing else to go by. */
static void cni_name(struct told_pod *t, const struct fact *f, char *ifname, size_t size)
{
	const char *p = f->path, *end = p + f->path_len, *slash = memrchr(p, '/', f->path_len);

	p = slash ? slash + 1 : p;
	for (const char *q = p; (q = memchr(q, '-', (size_t)(end - q))); q++) {
		const char *hex = q + 1;

		while (hex < end && isxdigit((unsigned char)*hex))
			hex++;
		if (hex - q - 1 != 64 || hex == end || *hex != '-')
			continue;
		copy_text(t->sandbox, sizeof(t->sandbox), q + 1, 64);
		copy_text(t->network, sizeof(t->network), p, (size_t)(q - p));
		copy_text(ifname, size, hex + 1, (size_t)(end - hex) - 1);
		return;
	}
}

static int cni_read(struct told_pod *t, const struct fact *f, const json_t *o)
{
	const json_t *result = json_object_get(o, "result");
	char ifname[16] = "eth0";

	cni_name(t, f, ifname, sizeof(ifname));
	if (!json_is_object(o))
		return -EINVAL;
	if (!result)
		result = o;
	if (!put(t->sandbox, sizeof(t->sandbox), json_object_get(o, "containerId")) ||
	    !put(t->network, sizeof(t->network), json_object_get(o, "networkName")) ||
	    !put(ifname, sizeof(ifname), json_object_get(o, "ifName")) || !cni_args(t, json_object_get(o, "cniArgs")))
		return -EINVAL;
	if (!strcmp(ifname, "lo"))
		return 0;
	t->main = !strcmp(ifname, "eth0");
	cni_interfaces(t, json_object_get(result, "interfaces"));
	cni_addresses(t, result);
	return (t->name[0] || t->sandbox[0]) && (t->n_addrs || t->iface[0]) ? 1 : -EINVAL;
}

/* {"kind": "cniCacheV1", "result": ...} or the result alone (containernetworking/cni, libcni/api.go). */
int tell_cni_result(struct told_pod *t, const struct fact *f)
{
	json_t *o = json_loadb(f->bytes, f->n, 0, NULL);
	int told = o ? cni_read(t, f, o) : -EINVAL;

	json_decref(o);
	return told;
}

/* ── configurations of containers ─────────────────────────────────────────── */

/* What a runtime calls it, containerd's and CRI-O's words. */
static const json_t *annotation(const json_t *o, const char *containerd, const char *crio)
{
	const json_t *v = json_object_get(o, containerd);

	return v ? v : json_object_get(o, crio);
}

/* A network namespace of its own, by its path; a sandbox without an entry has the host's. */
static bool runtime_netns(struct told_pod *t, const json_t *o)
{
	const json_t *list = json_object_get(json_object_get(o, "linux"), "namespaces");

	t->host_network = json_is_array(list);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *v = json_array_get(list, i);
		const char *type = json_string_value(json_object_get(v, "type"));

		if (!type || strcmp(type, "network"))
			continue;
		t->host_network = false;
		return put(t->netns, sizeof(t->netns), json_object_get(v, "path"));
	}
	return true;
}

/* CRI-O: "io.kubernetes.cri-o.IP.0", ".1" */
static void crio_addresses(struct told_pod *t, const json_t *a)
{
	char key[] = "io.kubernetes.cri-o.IP.0";
	const json_t *v;

	while ((v = json_object_get(a, key)) && key[sizeof(key) - 2] <= '9') {
		put_cidr(t, v);
		key[sizeof(key) - 2]++;
	}
}

/* CRI-O's labels are an object in a text. */
static bool crio_uid(struct told_pod *t, const json_t *a)
{
	const json_t *text = json_object_get(a, "io.kubernetes.cri-o.Labels");
	size_t n = json_string_length(text);
	json_t *labels = n ? json_loadb(json_string_value(text), n, 0, NULL) : NULL;
	bool fits = put_uid(t->uid, json_object_get(labels, "io.kubernetes.pod.uid"));

	json_decref(labels);
	return fits;
}

/* A further container: which one tells of a mesh. */
static int container_read(struct told_pod *t, const json_t *a)
{
	const char *name = json_string_value(annotation(a, "io.kubernetes.cri.container-name",
							"io.kubernetes.container.name"));

	t->sidecar = name ? k8s_sidecar(name) : NULL;
	if (!t->sidecar)
		return 0;
	if (!put(t->sandbox, sizeof(t->sandbox),
		 annotation(a, "io.kubernetes.cri.sandbox-id", "io.kubernetes.cri-o.SandboxID")))
		return -EINVAL;
	return t->sandbox[0] ? 2 : -EINVAL;
}

static int runtime_read(struct told_pod *t, const json_t *o)
{
	const json_t *a = json_object_get(o, "annotations");
	const char *type = json_string_value(annotation(a, "io.kubernetes.cri.container-type",
							"io.kubernetes.cri-o.ContainerType"));

	if (!json_is_object(o))
		return -EINVAL;
	if (type && !strcmp(type, "container"))
		return container_read(t, a);
	if (!type || strcmp(type, "sandbox"))
		return 0;
	if (!put(t->sandbox, sizeof(t->sandbox),
		 annotation(a, "io.kubernetes.cri.sandbox-id", "io.kubernetes.cri-o.SandboxID")) ||
	    !put(t->name, sizeof(t->name),
		 annotation(a, "io.kubernetes.cri.sandbox-name", "io.kubernetes.cri-o.KubeName")) ||
	    !put(t->ns, sizeof(t->ns),
		 annotation(a, "io.kubernetes.cri.sandbox-namespace", "io.kubernetes.cri-o.Namespace")) ||
	    !put_uid(t->uid, annotation(a, "io.kubernetes.cri.sandbox-uid", "io.kubernetes.pod.uid")) ||
	    !runtime_netns(t, o) || !crio_uid(t, a))
		return -EINVAL;
	t->by_crio = !json_object_get(a, "io.kubernetes.cri.container-type");
	crio_addresses(t, a);
	return t->name[0] && t->ns[0] ? 1 : -EINVAL;
}

int tell_runtime(struct told_pod *t, const struct fact *f)
{
	json_t *o = json_loadb(f->bytes, f->n, 0, NULL);
	int told = o ? runtime_read(t, o) : -EINVAL;

	json_decref(o);
	return told;
}
