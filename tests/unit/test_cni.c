// SPDX-License-Identifier: GPL-2.0-or-later
/* What is concluded of a node's network from what is seen of it. */
#include <linux/netfilter.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/cni.h"
#include "util/err.h"

#include <cmocka.h>

static struct cni c;

static void conf(const char *file, const char *text)
{
	char path[512];

	snprintf(path, sizeof(path), "/etc/cni/net.d/%s", file);
	cni_saw(&c, SEEN_CONF, path, text, text ? strlen(text) : 0);
}

/* Names with a blank between them. */
static void saw(enum cni_seen seen, const char *names)
{
	char name[128];
	int n;

	for (; sscanf(names, "%127s%n", name, &n) == 1; names += n)
		cni_saw(&c, seen, name, NULL, 0);
}

/* Chains "TABLE:CHAIN", a rule in each; "TABLE:CHAIN-" has none. */
static void rules(enum nf_via via, const char *names)
{
	static char text[16][2][64];
	struct nf_chain chains[16] = { 0 };
	struct nf_rules r = { .chains = chains };
	int n;

	for (; sscanf(names, " %63[^:]:%63s%n", text[r.n_chains][0], text[r.n_chains][1], &n) == 2; names += n) {
		struct nf_chain *ch = &chains[r.n_chains];
		size_t len = strlen(text[r.n_chains][1]);

		*ch = (struct nf_chain){ .table = text[r.n_chains][0], .name = text[r.n_chains][1], .n = 1,
					 .family = NFPROTO_IPV4, .reached = true, .via = (uint8_t)via };
		if (text[r.n_chains][1][len - 1] == '-') {
			text[r.n_chains][1][len - 1] = 0;
			ch->n = 0;
		}
		r.n_chains++;
	}
	cni_saw_rules(&c, &r);
}

/* "PLUGIN ENFORCER(by what) PATH overlays services nft/legacy type=.. network=.." */
static const char *told(void)
{
	static char line[512];

	cni_conclude(&c);
	snprintf(line, sizeof(line), "%s %s%s%s %s%s%s%s%s%s%s%s%s", owner_name(c.plugin), owner_name(c.enforcer),
		 c.enforcer ? "/" : "", c.enforcer ? cni_seen_name(c.enforcer_seen) : "",
		 *cni_path_name(c.path) ? cni_path_name(c.path) : "-", c.overlay_vxlan ? " vxlan" : "",
		 c.overlay_ipip ? " ipip" : "", c.overlay_wireguard ? " wireguard" : "",
		 c.overlay_geneve ? " geneve" : "", *c.services ? " services=" : "", c.services, c.nft ? " nft" : "",
		 c.legacy ? " legacy" : "");
	return line;
}

static const char calico[] = "{\"name\": \"k8s-pod-network\", \"cniVersion\": \"0.3.1\", \"plugins\": [{\"type\": \"calico\","
			     " \"ipam\": {\"type\": \"calico-ipam\"}}, {\"type\": \"portmap\"}]}";
static const char canal[] = "{\"name\": \"k8s-pod-network\", \"plugins\": [{\"type\": \"calico\","
			    " \"ipam\": {\"type\": \"host-local\"}}]}";
static const char flannel[] = "{\"name\": \"cbr0\", \"plugins\": [{\"type\": \"flannel\", \"delegate\": {\"isDefaultGateway\": true}},"
			      " {\"type\": \"portmap\"}]}";
static const char bridge[] = "{\"name\": \"podnet\", \"type\": \"bridge\", \"bridge\": \"cni0\"}";

static void nothing(void **state)
{
	cni_begin(&c);
	assert_string_equal(told(), "none none -");
	rules(NF_TABLES, "filter:INPUT");
	assert_string_equal(told(), "none none -");
	assert_int_equal(c.n_evidence, 0);
}

static void calico_by_iptables(void **state)
{
	cni_begin(&c);
	conf("10-calico.conflist", calico);
	saw(SEEN_INTERFACE, "lo eth0 cali1cea4782700 calif00dfeed123 vxlan.calico tunl0");
	rules(NF_TABLES, "filter:cali-FORWARD filter:cali-tw-cali1cea4782700 nat:KUBE-SVC-NPX46M4PTMTKRN6Y");
	assert_string_equal(told(), "calico calico/rules routed vxlan services=iptables nft");
	assert_string_equal(c.type, "calico");
	assert_string_equal(c.network, "k8s-pod-network");
	assert_string_equal(c.evidence[0].text, "/etc/cni/net.d/10-calico.conflist: calico");
	assert_string_equal(c.evidence[1].text, "interface cali1cea4782700");
	assert_int_equal(c.evidence[1].more, 1);
}

static void calico_otherwise(void **state)
{
	cni_begin(&c);
	saw(SEEN_INTERFACE, "cali1cea4782700 tunl0");
	rules(NF_LEGACY, "filter:cali-FORWARD");
	assert_string_equal(told(), "calico calico/rules routed ipip legacy");

	cni_begin(&c);
	conf("10-calico.conflist", calico);
	rules(NF_TABLES, "calico:filter-cali-FORWARD kube-proxy:services");
	assert_string_equal(told(), "calico calico/rules routed services=nftables nft");

	cni_begin(&c);
	conf("10-calico.conflist", calico);
	saw(SEEN_INTERFACE, "cali1cea4782700 bpfin.cali wireguard.cali");
	saw(SEEN_PIN, "/sys/fs/bpf/tc/globals/cali_v4_nat_fe3 /sys/fs/bpf/tc/globals/cali_iface4");
	assert_string_equal(told(), "calico calico/pin ebpf wireguard services=calico");
}

/* What is configured enforces nothing where rules could be looked at and none are there. */
static void a_configuration_alone(void **state)
{
	cni_begin(&c);
	conf("10-calico.conflist", calico);
	assert_string_equal(told(), "calico calico/configuration routed");
	rules(NF_TABLES, "filter:cali-FORWARD-");
	assert_string_equal(told(), "calico none routed");

	cni_begin(&c);
	conf("10-flannel.conflist", flannel);
	assert_string_equal(told(), "flannel none bridge");

	cni_begin(&c);
	conf("10-kuberouter.conflist", "{\"name\": \"kubernetes\", \"plugins\": [{\"type\": \"bridge\", \"bridge\": \"kube-bridge\"}]}");
	assert_string_equal(told(), "kube-router kube-router/configuration bridge");
}

static void who_enforces_is_not_who_connects(void **state)
{
	cni_begin(&c);
	conf("10-flannel.conflist", flannel);
	saw(SEEN_INTERFACE, "flannel.1 cni0");
	rules(NF_TABLES, "filter:KUBE-ROUTER-FORWARD filter:KUBE-POD-FW-4JCTHVOWO2PA7PEW filter:FLANNEL-FWD");
	assert_string_equal(told(), "flannel kube-router/rules bridge vxlan nft");

	cni_begin(&c);
	conf("10-canal.conflist", canal);
	saw(SEEN_INTERFACE, "flannel.1 cali1cea4782700");
	rules(NF_LEGACY, "filter:cali-FORWARD filter:FLANNEL-FWD nat:KUBE-SVC-NPX46M4PTMTKRN6Y");
	assert_string_equal(told(), "flannel calico/rules routed vxlan services=iptables legacy");

	cni_begin(&c);
	conf("10-bridge.conf", bridge);
	saw(SEEN_INTERFACE, "cni0 veth12345678");
	rules(NF_TABLES, "nat:CNI-40a5154b08ac069392c1a6d6 filter:KUBE-FIREWALL");
	assert_string_equal(told(), "cni-plugin none bridge");
	assert_string_equal(c.type, "bridge");

	cni_begin(&c);
	saw(SEEN_INTERFACE, "flannel.1 cni0");
	rules(NF_TABLES, "filter:FLANNEL-FWD");
	assert_string_equal(told(), "flannel none bridge vxlan");
	assert_int_equal(c.enforcers, 0);
}

static void several_enforce(void **state)
{
	cni_begin(&c);
	conf("10-calico.conflist", calico);
	rules(NF_TABLES, "filter:KUBE-ROUTER-FORWARD filter:cali-FORWARD");
	assert_string_equal(told(), "calico calico/rules routed nft");
	assert_int_equal(c.enforcers, 1u << OWNER_CALICO | 1u << OWNER_KUBE_ROUTER);
}

static void others(void **state)
{
	cni_begin(&c);
	conf("05-cilium.conflist", "{\"name\": \"cilium\", \"plugins\": [{\"type\": \"cilium-cni\"}]}");
	saw(SEEN_INTERFACE, "cilium_host cilium_net cilium_vxlan lxc0123456789ab");
	saw(SEEN_PIN, "/sys/fs/bpf/tc/globals/cilium_ipcache_v2 /sys/fs/bpf/tc/globals/cilium_lb4_services_v2");
	saw(SEEN_SOCKET, "/var/run/cilium/cilium.sock");
	rules(NF_TABLES, "filter:CILIUM_FORWARD");
	assert_string_equal(told(), "cilium cilium/pin ebpf vxlan services=cilium nft");

	cni_begin(&c);
	saw(SEEN_SOCKET, "/run/cilium/cilium.sock");
	assert_string_equal(told(), "cilium cilium/socket ebpf");

	cni_begin(&c);
	conf("10-antrea.conflist", "{\"name\": \"antrea\", \"plugins\": [{\"type\": \"antrea\"}]}");
	saw(SEEN_INTERFACE, "antrea-gw0 genev_sys_6081 ovs-system");
	rules(NF_TABLES, "filter:ANTREA-FORWARD");
	assert_string_equal(told(), "antrea antrea/rules ovs geneve nft");

	cni_begin(&c);
	saw(SEEN_INTERFACE, "ovn-k8s-mp0 genev_sys_6081");
	rules(NF_TABLES, "nat:OVN-KUBE-NODEPORT");
	assert_string_equal(told(), "ovn-kubernetes ovn-kubernetes/rules ovs geneve nft");

	cni_begin(&c);
	saw(SEEN_INTERFACE, "weave vethwepl12ab vxlan-6784");
	rules(NF_LEGACY, "filter:WEAVE-NPC filter:WEAVE-NPC-EGRESS");
	assert_string_equal(told(), "weave weave/rules bridge vxlan legacy");

	cni_begin(&c);
	conf("10-kindnet.conflist", "{\"name\": \"kindnet\", \"plugins\": [{\"type\": \"ptp\"}, {\"type\": \"portmap\"}]}");
	rules(NF_TABLES, "kube-network-policies:postrouting");
	assert_string_equal(told(), "kindnet kindnet/rules routed nft");

	cni_begin(&c);
	conf("10-aws.conflist", "{\"name\": \"aws-cni\", \"plugins\": [{\"type\": \"aws-cni\"}, {\"type\": \"portmap\"}]}");
	saw(SEEN_INTERFACE, "eni0123456789a");
	rules(NF_LEGACY, "nat:AWS-SNAT-CHAIN-0");
	assert_string_equal(told(), "aws none routed");
	saw(SEEN_PIN, "/sys/fs/bpf/globals/aws/programs/web-shop_handle_ingress");
	assert_string_equal(told(), "aws aws/pin routed legacy");

	cni_begin(&c);
	saw(SEEN_INTERFACE, "kube-bridge kube-dummy-if");
	rules(NF_TABLES, "filter:KUBE-ROUTER-SERVICES");
	assert_string_equal(told(), "kube-router none bridge services=ipvs");
}

static void which_file_counts(void **state)
{
	cni_begin(&c);
	conf("20-flannel.conflist", flannel);
	conf("10-podnet.conf", bridge);
	conf("00-broken.conf", "{\"name\": ");
	conf("01-unread.conflist", NULL);
	conf("02-no-type.json", "[{\"a\": 1}]");
	conf("00-calico.conflist.bak", calico);
	conf("calico-kubeconfig", "apiVersion: v1");
	assert_string_equal(told(), "cni-plugin none bridge");
	assert_string_equal(c.network, "podnet");
	assert_int_equal(c.n_conf_bad, 3);

	/* What calls others counts for what it calls, or not at all. */
	cni_begin(&c);
	conf("00-multus.conf", "{\"name\": \"multus\", \"type\": \"multus-shim\"}");
	conf("10-flannel.conflist", flannel);
	assert_string_equal(told(), "flannel none bridge");
	cni_begin(&c);
	conf("10-flannel.conflist", flannel);
	conf("00-multus.conf", "{\"type\": \"multus\", \"delegates\": [{\"plugins\": [{\"type\": \"calico\"}]}]}");
	assert_string_equal(told(), "calico calico/configuration routed");
	cni_begin(&c);
	conf("00-multus.conf", "{\"type\": \"multus\", \"delegates\": [7]}");
	assert_string_equal(told(), "none none -");
	assert_int_equal(c.n_conf_bad, 1);

	/* Of a type that is not known. */
	cni_begin(&c);
	conf("10-x.conf", "{\"name\": \"x\", \"type\": \"a-type-with-a-name-of-more-than-thirty-one-bytes\"}");
	assert_string_equal(told(), "cni-plugin none -");
	assert_string_equal(c.type, "a-type-with-a-name-of-more-than");
}

static void hostile_configurations(void **state)
{
	static const char *const texts[] = {
		"", "{}", "[]", "null", "{\"plugins\": []}", "{\"plugins\": {}}", "{\"plugins\": [[]]}", "{\"type\": 7}",
		"{\"type\": \"\"}", "{\"type\": \"a\\u0000b\"}", "{\"plugins\": [{\"type\": null}]}", "{\"type\": \"\xff\"}",
		"{\"type\": \"multus\", \"delegates\": [{\"plugins\": []}]}",
	};
	char *deep = malloc(CNI_CONF_MAX + 1);

	cni_begin(&c);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		conf("10-x.conf", texts[i]);
	assert_int_equal(c.n_conf_bad, sizeof(texts) / sizeof(texts[0]));
	assert_non_null(deep);
	memset(deep, '[', CNI_CONF_MAX + 1);
	cni_saw(&c, SEEN_CONF, "/etc/cni/net.d/11-deep.conf", deep, CNI_CONF_MAX);
	memset(deep, ' ', CNI_CONF_MAX + 1);
	memcpy(deep, bridge, sizeof(bridge) - 1);
	cni_saw(&c, SEEN_CONF, "/etc/cni/net.d/12-large.conf", deep, CNI_CONF_MAX + 1);
	assert_int_equal(c.n_conf_bad, sizeof(texts) / sizeof(texts[0]) + 2);
	assert_string_equal(told(), "none none -");
	cni_saw(&c, SEEN_CONF, "/etc/cni/net.d/12-large.conf", deep, CNI_CONF_MAX);
	assert_string_equal(told(), "cni-plugin none bridge");
	free(deep);
}

static void evidence_is_bounded(void **state)
{
	char name[300];

	cni_begin(&c);
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "%02d-x.conf", i);
		conf(name, bridge);
		snprintf(name, sizeof(name), "cali%011x", i);
		saw(SEEN_INTERFACE, name);
	}
	assert_int_equal(c.n_evidence, CNI_EVIDENCE_MAX);
	assert_int_equal(c.n_left_out, 100 - CNI_EVIDENCE_MAX + 1);
	assert_int_equal(c.evidence[1].more, 99);

	cni_begin(&c);
	memset(name, 'x', sizeof(name));
	memcpy(name, "/sys/fs/bpf/", 12);
	memcpy(name + 200, "/cali_x", 8);
	cni_saw(&c, SEEN_PIN, name, NULL, 0);
	assert_int_equal(strlen(c.evidence[0].text), sizeof(c.evidence[0].text) - 1);
	assert_string_equal(cni_path_name(77), "");
	assert_string_equal(cni_seen_name(SEEN_KINDS), "");
}

static void names_that_only_look_alike(void **state)
{
	cni_begin(&c);
	saw(SEEN_INTERFACE, "calico lxcbr0 lxc1234 enigma eni12 flannel cilium weave0 ovs docker0 cali-1cea4782700");
	saw(SEEN_PIN, "/sys/fs/bpf/netprobe /sys/fs/bpf/mycali_x /sys/fs/bpf/globals/aw/x");
	saw(SEEN_SOCKET, "/tmp/cilium/cilium.sock /run/ciliu /var/runcalico");
	cni_saw(&c, SEEN_KINDS, "cilium_host", NULL, 0);
	cni_saw(&c, SEEN_RULES, "cilium_host", NULL, 0);
	assert_string_equal(told(), "none none -");
	assert_int_equal(c.n_evidence, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing),
		cmocka_unit_test(calico_by_iptables),
		cmocka_unit_test(calico_otherwise),
		cmocka_unit_test(a_configuration_alone),
		cmocka_unit_test(who_enforces_is_not_who_connects),
		cmocka_unit_test(several_enforce),
		cmocka_unit_test(others),
		cmocka_unit_test(which_file_counts),
		cmocka_unit_test(hostile_configurations),
		cmocka_unit_test(evidence_is_bounded),
		cmocka_unit_test(names_that_only_look_alike),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
