// SPDX-License-Identifier: GPL-2.0-or-later
/* src/node: each form of file and name, cut and hostile ones, and how what they tell is joined. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "k8s/k8s.h"
#include "node/pods.h"
#include "util/err.h"

#include <cmocka.h>

#define HEX64 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define OTHER64 "ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define UID_A "7b0c2d0e-3a55-4f1c-9c0e-5d0a8f5b1a01"
#define UID_B "7b0c2d0e-3a55-4f1c-9c0e-5d0a8f5b1a02"

static struct facts facts;
static struct node_pods pods;

static int begin(void **state)
{
	err_quiet(1);
	memset(&facts, 0, sizeof(facts));
	return node_pods_open(&pods);
}

static int end(void **state)
{
	node_pods_free(&pods);
	facts_free(&facts);
	return 0;
}

static struct fact fact(enum fact_kind kind, const char *path, const char *bytes)
{
	return (struct fact){ .kind = kind, .path = path, .path_len = strlen(path), .bytes = bytes, .n = strlen(bytes) };
}

static void add_at(enum fact_kind kind, int64_t time_ns, const char *path, const char *bytes)
{
	struct fact f = fact(kind, path, bytes);

	f.time_ns = time_ns;
	facts.there[kind] = true;
	facts_add(&facts, &f);
}

static void add(enum fact_kind kind, const char *path, const char *bytes)
{
	add_at(kind, 1000, path, bytes);
}

static void read_all(void)
{
	assert_int_equal(node_pods_read(&pods, &facts), 0);
}

static const struct node_pod *pod_at(const char *ip)
{
	struct addr a;

	assert_true(addr_parse(&a, ip, strlen(ip), NULL));
	return node_pod_by_addr(&pods, &a);
}

static void assert_pod(const struct node_pod *p, const char *ns, const char *name)
{
	assert_non_null(p);
	assert_string_equal(node_text(&pods, p->ns), ns);
	assert_string_equal(node_text(&pods, p->name), name);
}

/* A result as libcni keeps it; args: more of cniArgs, "" or with a comma at its end. */
static const char *result(const char *sandbox, const char *args, const char *name, const char *uid, const char *ip)
{
	static char text[2048];

	snprintf(text, sizeof(text),
		 "{\"kind\":\"cniCacheV1\",\"containerId\":\"%s\",\"ifName\":\"eth0\",\"networkName\":\"pods\",\"cniArgs\":["
		 "%s[\"K8S_POD_NAME\",\"%s\"],[\"K8S_POD_UID\",\"%s\"],[\"K8S_POD_NAMESPACE\",\"shop\"]],\"result\":{"
		 "\"interfaces\":[{\"name\":\"cni0\"},{\"name\":\"veth1\"},{\"name\":\"eth0\",\"sandbox\":\"/run/netns/x\"}],"
		 "\"ips\":[{\"address\":\"%s/24\"},{\"address\":\"fd00:1::7/64\"}]}}",
		 sandbox, args, name, uid, ip);
	return text;
}

/* ── single facts ─────────────────────────────────────────────────────────── */
static void test_result(void **state)
{
	struct fact f = fact(FACT_CNI_RESULT, "r", result(HEX64, "[\"IgnoreUnknown\",\"1\"],[\"a\"],7,", "web", UID_A, "10.0.0.7"));
	struct told_pod t = { 0 };

	assert_int_equal(tell_cni_result(&t, &f), 1);
	assert_string_equal(t.name, "web");
	assert_string_equal(t.ns, "shop");
	assert_string_equal(t.uid, UID_A);
	assert_string_equal(t.sandbox, HEX64);
	assert_string_equal(t.iface, "veth1");
	assert_string_equal(t.netns, "/run/netns/x");
	assert_string_equal(t.network, "pods");
	assert_int_equal(t.n_addrs, 2);
	assert_true(t.main);
	/* Every beginning of it is none. */
	for (size_t n = 0; n < strlen(f.bytes); n++) {
		struct fact cut = f;

		memset(&t, 0, sizeof(t));
		cut.n = n;
		assert_int_equal(tell_cni_result(&t, &cut), -22);
	}
}

static void test_result_forms(void **state)
{
	static const struct {
		int told;
		const char *path, *text;
	} forms[] = {
		/* A libcni before 0.8: the name of the file is all that tells whose it is. */
		{ 1, "d/pod-net-" HEX64 "-eth0", "{\"cniVersion\":\"0.2.0\",\"ip4\":{\"ip\":\"10.0.0.3/24\"}}" },
		{ 1, "pods-" HEX64 "-eth0", "{\"ips\":[{\"address\":\"10.0.0.3\"}]}" },
		{ 0, "cni-loopback-" HEX64 "-lo", "{\"ips\":[{\"address\":\"127.0.0.1/8\"}]}" },
		{ -22, "pods-abc-eth0", "{\"ips\":[{\"address\":\"10.0.0.3\"}]}" },
		{ -22, "pods-" HEX64 "-eth0", "{\"ips\":[{\"address\":\"10.0.0.3.4\"}]}" },
		{ -22, "pods-" HEX64 "-eth0", "{\"ips\":[]}" },
		{ -22, "pods-" HEX64 "-eth0", "[]" },
		{ -22, "pods-" HEX64 "-eth0", "" },
		{ -22, "pods-" HEX64 "-eth0", "{\"interfaces\":[{\"name\":\"an-interface-that-cannot-be\"}]}" },
		{ 1, "pods-" HEX64 "-eth0", "{\"interfaces\":[{\"name\":\"cali1\"}], \"cniArgs\": 7, \"ips\": {}}" },
	};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct fact f = fact(FACT_CNI_RESULT, forms[i].path, forms[i].text);
		struct told_pod t = { 0 };

		assert_int_equal(tell_cni_result(&t, &f), forms[i].told);
		if (forms[i].told == 1)
			assert_string_equal(t.sandbox, HEX64);
	}
}

static void test_names(void **state)
{
	static const struct {
		int (*tell)(struct told_pod *t, const struct fact *f);
		int told;
		const char *path, *uid, *name;
	} names[] = {
		{ tell_log, 1, "var/log/pods/shop_web-0_" UID_A, UID_A, "web-0" },
		{ tell_log, 1, "shop_web-0_0123456789abcdef0123456789abcdef", "0123456789abcdef0123456789abcdef", "web-0" },
		{ tell_log, -22, "shop_web-0", "", NULL },
		{ tell_log, -22, "shop__" UID_A, "", NULL },
		{ tell_log, -22, "_web_" UID_A, "", NULL },
		{ tell_log, -22, "shop_web_nothing", "", NULL },
		{ tell_log, -22, "", "", NULL },
		{ tell_cgroup, 1, "k/kubepods/besteffort/pod" UID_A, UID_A, NULL },
		{ tell_cgroup, 1, "kubepods-burstable-pod7b0c2d0e_3a55_4f1c_9c0e_5d0a8f5b1a01.slice", UID_A, NULL },
		{ tell_cgroup, 1, "kubelet-kubepods-pod0123456789abcdef0123456789abcdef.slice",
		  "0123456789abcdef0123456789abcdef", NULL },
		{ tell_cgroup, 0, "kubepods.slice", "", NULL },
		{ tell_cgroup, 0, "podpodpod", "", NULL },
		{ tell_cgroup, 0, "pod7b0c2d0e-3a55-4f1c-9c0e-5d0a8f5b1a0", "", NULL },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct fact f = fact(FACT_LOG, names[i].path, "");
		struct told_pod t = { 0 };

		assert_int_equal(names[i].tell(&t, &f), names[i].told);
		if (names[i].told == 1)
			assert_string_equal(t.uid, names[i].uid);
		if (names[i].name)
			assert_string_equal(t.name, names[i].name);
	}
}

static void test_hosts(void **state)
{
	static const char text[] = "# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\nfe00::1\tip6-mcastprefix\n"
				   "10.0.0.9\tweb-0\nfd00:1::9\tweb-0\nnot an address\n\n"
				   "# Entries added by HostAliases.\n192.0.2.1\tother";
	struct fact f = fact(FACT_HOSTS, "pods/" UID_A "/etc-hosts", text);
	struct told_pod t = { 0 };

	assert_int_equal(tell_hosts(&t, &f), 1);
	assert_string_equal(t.uid, UID_A);
	assert_int_equal(t.n_addrs, 2);
	assert_int_equal(t.addrs[0].b[3], 9);
	for (size_t n = 0; n <= sizeof(text) - 1; n++) {
		f.n = n;
		memset(&t, 0, sizeof(t));
		assert_true(tell_hosts(&t, &f) >= 0 && t.n_addrs <= 2);
	}
	f = fact(FACT_HOSTS, "pods/" UID_A "/etc-hosts", "# Kubernetes-managed hosts file (host network).\n192.0.2.3 n1\n");
	memset(&t, 0, sizeof(t));
	assert_int_equal(tell_hosts(&t, &f), 1);
	assert_true(t.host_network);
	assert_int_equal(t.n_addrs, 0);
	f = fact(FACT_HOSTS, "etc-hosts", "");
	assert_int_equal(tell_hosts(&t, &f), -22);
}

static void test_runtime(void **state)
{
	static const char containerd[] = "{\"annotations\":{\"io.kubernetes.cri.container-type\":\"sandbox\","
					 "\"io.kubernetes.cri.sandbox-id\":\"" HEX64 "\",\"io.kubernetes.cri.sandbox-name\":\"web\","
					 "\"io.kubernetes.cri.sandbox-namespace\":\"shop\",\"io.kubernetes.cri.sandbox-uid\":\"any\"},"
					 "\"linux\":{\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"network\",\"path\":\"/n\"}]}}";
	static const char crio[] = "{\"annotations\":{\"io.kubernetes.cri-o.ContainerType\":\"sandbox\","
				   "\"io.kubernetes.cri-o.KubeName\":\"etcd\",\"io.kubernetes.cri-o.Namespace\":\"system\","
				   "\"io.kubernetes.cri-o.IP.0\":\"10.0.0.5\",\"io.kubernetes.cri-o.IP.1\":\"fd00:1::5\","
				   "\"io.kubernetes.cri-o.Labels\":\"{\\\"io.kubernetes.pod.uid\\\":\\\"" UID_B "\\\"}\"},"
				   "\"linux\":{\"namespaces\":[{\"type\":\"pid\"}]}}";
	struct fact f = fact(FACT_RUNTIME, "c", containerd);
	struct told_pod t = { 0 };

	assert_int_equal(tell_runtime(&t, &f), 1);
	assert_string_equal(t.uid, "any");
	assert_string_equal(t.netns, "/n");
	assert_false(t.host_network);
	memset(&t, 0, sizeof(t));
	f = fact(FACT_RUNTIME, "c", crio);
	assert_int_equal(tell_runtime(&t, &f), 1);
	assert_string_equal(t.uid, UID_B);
	assert_string_equal(t.name, "etcd");
	assert_int_equal(t.n_addrs, 2);
	assert_true(t.host_network);
	f = fact(FACT_RUNTIME, "c", "{\"annotations\":{\"io.kubernetes.cri.container-type\":\"container\"}}");
	assert_int_equal(tell_runtime(&t, &f), 0);
	f = fact(FACT_RUNTIME, "c", "{}");
	assert_int_equal(tell_runtime(&t, &f), 0);
	f = fact(FACT_RUNTIME, "c", "{\"annotations\":{\"io.kubernetes.cri.container-type\":\"sandbox\"}}");
	memset(&t, 0, sizeof(t));
	assert_int_equal(tell_runtime(&t, &f), -22);
}

static void test_kubelet(void **state)
{
	char why[64];
	struct fact f = fact(FACT_KUBELET, "", "HTTP/1.0 200 OK\r\nA: b\r\n\r\n{}");
	size_t n = 0;

	assert_memory_equal(node_kubelet_body(&f, &n, why, sizeof(why)), "{}", 2);
	assert_int_equal(n, 2);
	f = fact(FACT_KUBELET, "", "HTTP/1.1 403 Forbidden\r\n\r\nno");
	assert_null(node_kubelet_body(&f, &n, why, sizeof(why)));
	assert_string_equal(why, "HTTP/1.1 403 Forbidden");
	f = fact(FACT_KUBELET, "", "HTTP/1.1 200 OK\r\n");
	assert_null(node_kubelet_body(&f, &n, why, sizeof(why)));
}

/* ── joined ───────────────────────────────────────────────────────────────── */
static void test_join(void **state)
{
	add(FACT_LOG, "shop_web_" UID_A, "");
	add(FACT_CGROUP, "kubepods/pod" UID_A, "");
	add(FACT_CNI_RESULT, "r", result(HEX64, "", "web", UID_A, "10.0.0.7"));
	read_all();
	assert_int_equal(pods.n, 1);
	assert_pod(pod_at("10.0.0.7"), "shop", "web");
	assert_ptr_equal(pod_at("10.0.0.7"), pod_at("fd00:1::7"));
	assert_int_equal(pods.v[0].sources, 1u << FACT_LOG | 1u << FACT_CGROUP | 1u << FACT_CNI_RESULT);
	assert_null(pod_at("10.0.0.8"));
}

/* A name alone is in the result, the pod's in the runtime's file, by the sandbox. */
static void test_join_sandbox(void **state)
{
	add(FACT_CNI_RESULT, "pods-" HEX64 "-eth0", "{\"ip4\":{\"ip\":\"10.0.0.3/24\"}}");
	add(FACT_RUNTIME, "c", "{\"annotations\":{\"io.kubernetes.cri.container-type\":\"sandbox\","
			       "\"io.kubernetes.cri.sandbox-id\":\"" HEX64 "\",\"io.kubernetes.cri.sandbox-name\":\"web\","
			       "\"io.kubernetes.cri.sandbox-namespace\":\"shop\"}}");
	read_all();
	assert_int_equal(pods.n, 1);
	assert_pod(pod_at("10.0.0.3"), "shop", "web");
}

/* The container's configuration may be read before that of its sandbox; only the pod whose sandbox it is has one. */
static void test_sidecar(void **state)
{
	add(FACT_RUNTIME, "p", "{\"annotations\":{\"io.kubernetes.cri.container-type\":\"container\","
			       "\"io.kubernetes.cri.container-name\":\"istio-proxy\","
			       "\"io.kubernetes.cri.sandbox-id\":\"" HEX64 "\"}}");
	add(FACT_RUNTIME, "q", "{\"annotations\":{\"io.kubernetes.cri.container-type\":\"container\","
			       "\"io.kubernetes.cri.container-name\":\"web\","
			       "\"io.kubernetes.cri.sandbox-id\":\"" OTHER64 "\"}}");
	add(FACT_CNI_RESULT, "r", result(HEX64, "", "web", UID_A, "10.0.0.7"));
	add(FACT_CNI_RESULT, "s", result(OTHER64, "", "db", UID_B, "10.0.0.8"));
	read_all();
	assert_int_equal(pods.n, 2);
	assert_string_equal(pod_at("10.0.0.7")->sidecar, "istio");
	assert_null(pod_at("10.0.0.8")->sidecar);
	assert_int_equal(pods.broken[FACT_RUNTIME], 0);
}

/* One name, two uids: the log of the earlier pod is still there. */
static void test_same_name(void **state)
{
	add(FACT_LOG, "shop_web_" UID_B, "");
	add(FACT_CNI_RESULT, "r", result(HEX64, "", "web", UID_A, "10.0.0.7"));
	read_all();
	assert_int_equal(pods.n, 2);
	assert_true(node_pod_lives(&pods, pod_at("10.0.0.7")));
	assert_ptr_equal(node_pod_by_name(&pods, "shop", 4, "web"), pod_at("10.0.0.7"));
	assert_false(node_pod_lives(&pods, &pods.v[1]));
}

/* Two have had an address: whoever got it last has it, in whatever order they are read. */
static void test_same_address(void **state)
{
	for (int turn = 0; turn < 2; turn++) {
		add_at(FACT_CNI_RESULT, turn ? 2000 : 1000, "r", result(HEX64, "", "old", UID_A, "10.0.0.7"));
		add_at(FACT_CNI_RESULT, turn ? 1000 : 2000, "s", result(OTHER64, "", "new", UID_B, "10.0.0.7"));
		read_all();
		assert_pod(pod_at("10.0.0.7"), "shop", turn ? "old" : "new");
		end(NULL);
		begin(NULL);
	}
}

/* Results are left over when the machine was started anew. */
static void test_restart(void **state)
{
	add_at(FACT_CNI_RESULT, 1000, "r", result(HEX64, "", "old", UID_A, "10.0.0.7"));
	add_at(FACT_CNI_RESULT, 3000, "s", result(OTHER64, "", "new", UID_B, "10.0.0.8"));
	facts.boot_ns = 2000;
	read_all();
	assert_null(pod_at("10.0.0.7"));
	assert_pod(pod_at("10.0.0.8"), "shop", "new");
}

/* ── whose an address is ──────────────────────────────────────────────────── */
static const char hosts_head[] = "# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n";

static const char *runtime(const char *sandbox, const char *name, const char *uid)
{
	static char text[1024];

	snprintf(text, sizeof(text), "{\"annotations\":{\"io.kubernetes.cri.container-type\":\"sandbox\","
				     "\"io.kubernetes.cri.sandbox-id\":\"%s\",\"io.kubernetes.cri.sandbox-name\":\"%s\","
				     "\"io.kubernetes.cri.sandbox-namespace\":\"shop\",\"io.kubernetes.cri.sandbox-uid\":\"%s\"}}",
		 sandbox, name, uid);
	return text;
}

/* A container writes another's address, or that it has none, into its own /etc/hosts. */
static void test_hostile_hosts(void **state)
{
	char text[256];

	add_at(FACT_CNI_RESULT, 1000, "r", result(HEX64, "", "victim", UID_A, "10.0.0.7"));
	add_at(FACT_CNI_RESULT, 2000, "pods-" OTHER64 "-eth0",
	       "{\"cniArgs\":[[\"K8S_POD_NAME\",\"evil\"],[\"K8S_POD_UID\",\"" UID_B "\"],[\"K8S_POD_NAMESPACE\",\"shop\"]],"
	       "\"ips\":[{\"address\":\"10.0.0.8/24\"}]}");
	snprintf(text, sizeof(text), "%s10.0.0.7\tevil\n", hosts_head);
	add_at(FACT_HOSTS, 3000, UID_B "/etc-hosts", text);
	add(FACT_HOSTS, UID_A "/etc-hosts", "# Kubernetes-managed hosts file (host network).\n");
	read_all();
	assert_pod(pod_at("10.0.0.7"), "shop", "victim");
	assert_pod(pod_at("10.0.0.8"), "shop", "evil");
	assert_int_equal(pod_at("10.0.0.8")->n_addrs, 1);
	assert_false(pod_at("10.0.0.7")->host_network);
}

/* Without another word it is taken, unless another has it. */
static void test_only_hosts(void **state)
{
	char text[256];

	snprintf(text, sizeof(text), "%s10.0.0.7\tx\n10.0.0.9\tx\n", hosts_head);
	add(FACT_LOG, "shop_x_" UID_B, "");
	add(FACT_CGROUP, "pod" UID_A, "");
	add(FACT_CGROUP, "pod" UID_B, "");
	add_at(FACT_HOSTS, 3000, UID_B "/etc-hosts", text);
	add_at(FACT_CNI_RESULT, 1000, "r", result(HEX64, "", "web", UID_A, "10.0.0.7"));
	read_all();
	assert_pod(pod_at("10.0.0.9"), "shop", "x");
	assert_pod(pod_at("10.0.0.7"), "shop", "web");
}

/* Its sandbox died, and another pod has that one's address since. */
static void test_new_sandbox(void **state)
{
	static const char third[] = "33112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

	for (int with_runtime = 0; with_runtime < 2; with_runtime++) {
		add_at(FACT_CNI_RESULT, 1000000000000, "r", result(HEX64, "", "a", UID_A, "10.0.0.7"));
		add_at(FACT_CNI_RESULT, 3000000000000, "s", result(third, "", "a", UID_A, "10.0.0.9"));
		add_at(FACT_CNI_RESULT, 2000000000000, "t", result(OTHER64, "", "b", UID_B, "10.0.0.7"));
		if (with_runtime)
			add(FACT_RUNTIME, "c", runtime(third, "a", UID_A)), add(FACT_RUNTIME, "d", runtime(OTHER64, "b", UID_B));
		read_all();
		assert_pod(pod_at("10.0.0.7"), "shop", "b");
		assert_pod(pod_at("10.0.0.9"), "shop", "a");
		assert_string_equal(node_text(&pods, pod_at("10.0.0.9")->sandbox), third);
		end(NULL);
		begin(NULL);
	}
}

/* No uid: another sandbox of that name is another pod. */
static void test_no_uid(void **state)
{
	add(FACT_CNI_RESULT, "r", result(HEX64, "", "web", "", "10.0.0.7"));
	add(FACT_RUNTIME, "c", runtime(OTHER64, "web", UID_B));
	read_all();
	assert_null(pod_at("10.0.0.7"));
	assert_int_equal(pods.stale, 1);
	assert_int_equal(pods.n, 1);
}

/* The runtime, or its directory of processes, does not know of it any more; one that is being made is not yet there. */
static void test_leaked(void **state)
{
	facts.now_ns = 100000000000;
	add_at(FACT_CNI_RESULT, 1000, "r", result(HEX64, "", "old", UID_A, "10.0.0.7"));
	add_at(FACT_CNI_RESULT, facts.now_ns - 1000, "s", result(OTHER64, "", "new", UID_B, "10.0.0.8"));
	add(FACT_CGROUP, "pod0123456789abcdef0123456789abcdef", "");
	read_all();
	assert_null(pod_at("10.0.0.7"));
	assert_pod(pod_at("10.0.0.8"), "shop", "new");
}

/* CRI-O keeps the configuration of a sandbox that was stopped. */
static void test_crio_stopped(void **state)
{
	static const char form[] = "{\"annotations\":{\"io.kubernetes.cri-o.ContainerType\":\"sandbox\","
				   "\"io.kubernetes.cri-o.KubeName\":\"%s\",\"io.kubernetes.cri-o.Namespace\":\"shop\","
				   "\"io.kubernetes.cri-o.IP.0\":\"10.0.0.7\",\"io.kubernetes.pod.uid\":\"%s\"},\"linux\":"
				   "{\"namespaces\":[{\"type\":\"network\"}]}}";
	char text[512];

	snprintf(text, sizeof(text), form, "done", UID_A);
	add(FACT_RUNTIME, "c", text);
	snprintf(text, sizeof(text), form, "new", UID_B);
	add(FACT_RUNTIME, "d", text);
	add(FACT_CGROUP, "pod" UID_B, "");
	read_all();
	assert_pod(pod_at("10.0.0.7"), "shop", "new");
	for (uint32_t i = 0; i < pods.n; i++)
		assert_true(&pods.v[i] == pod_at("10.0.0.7") || !node_pod_lives(&pods, &pods.v[i]));
}

/* Further networks may have the same addresses: then nobody is told for all. */
static void test_shared(void **state)
{
	for (int i = 0; i < 2; i++) {
		char text[512], path[128];

		snprintf(path, sizeof(path), "more-%s-net1", i ? HEX64 : OTHER64);
		snprintf(text, sizeof(text), "{\"ifName\":\"net1\",\"cniArgs\":[[\"K8S_POD_NAME\",\"p%d\"],"
					     "[\"K8S_POD_NAMESPACE\",\"shop\"]],\"ips\":[{\"address\":\"10.9.0.1/24\"}]}", i);
		add(FACT_CNI_RESULT, path, text);
	}
	read_all();
	assert_int_equal(pods.n, 2);
	assert_int_equal(pods.v[0].n_addrs + pods.v[1].n_addrs, 2);
	assert_null(pod_at("10.9.0.1"));
}

static void test_host_network(void **state)
{
	add(FACT_HOSTS, UID_A "/etc-hosts", "# Kubernetes-managed hosts file (host network).\n10.0.0.7 n1\n");
	add(FACT_LOG, "shop_agent_" UID_A, "");
	read_all();
	assert_int_equal(pods.n, 1);
	assert_true(pods.v[0].host_network);
	assert_true(node_pod_lives(&pods, &pods.v[0]));		/* nothing tells who lives */
	assert_null(pod_at("10.0.0.7"));
}

static void test_bounds(void **state)
{
	char path[128], many[4096] = "{\"containerId\":\"" HEX64 "\",\"ips\":[";

	for (int i = 0; i < 40; i++)
		snprintf(many + strlen(many), sizeof(many) - strlen(many), "%s{\"address\":\"10.0.1.%d/24\"}", i ? "," : "", i);
	snprintf(many + strlen(many), sizeof(many) - strlen(many), "]}");
	add(FACT_CNI_RESULT, "pods-" HEX64 "-eth0", many);
	for (unsigned int i = 0; i < NODE_PODS_MAX + 5; i++) {
		snprintf(path, sizeof(path), "shop_p%u_7b0c2d0e-3a55-4f1c-9c0e-5d0a%08x", i, i);
		add(FACT_LOG, path, "");
	}
	add(FACT_LOG, "nonsense", "");
	read_all();
	assert_int_equal(pods.n, NODE_PODS_MAX);
	assert_int_equal(pods.left_out, 6);
	assert_int_equal(pods.broken[FACT_LOG], 1);
	assert_int_equal(pods.v[0].n_addrs, POD_ADDRS_MAX);
	assert_true(pods.v[0].more_addrs);
}

static void test_facts(void **state)
{
	static char large[FACT_MAX_BYTES];
	size_t at = 0;
	unsigned int n = 0;
	struct fact f;

	for (int i = 0; i < 200; i++)
		facts_add(&facts, &(struct fact){ .kind = FACT_LOG, .path = "p", .path_len = 1, .bytes = large, .n = sizeof(large) });
	assert_true(facts.left_out[FACT_LOG] > 60);
	assert_int_equal(facts.err[FACT_LOG], -EFBIG);
	while (facts_next(&facts, &at, &f)) {
		assert_int_equal(f.n, sizeof(large));
		n++;
	}
	assert_int_equal(n + facts.left_out[FACT_LOG], 200);
	assert_int_equal(n, facts.n[FACT_LOG]);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		T(test_result), T(test_result_forms), T(test_names), T(test_hosts), T(test_runtime), T(test_kubelet),
		T(test_join), T(test_join_sandbox), T(test_same_name), T(test_same_address), T(test_restart),
		T(test_join), T(test_sidecar), T(test_same_name), T(test_same_address), T(test_restart),
		T(test_hostile_hosts), T(test_only_hosts), T(test_new_sandbox), T(test_no_uid), T(test_leaked),
		T(test_crio_stopped), T(test_shared), T(test_host_network), T(test_bounds), T(test_facts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
