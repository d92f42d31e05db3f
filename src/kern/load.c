// SPDX-License-Identifier: GPL-2.0-or-later
#include "kern/load.h"

#include <errno.h>
#include <linux/types.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "abi.h"
#include "filter/filter.h"
#include "kern/link.h"
#include "packet.skel.h"
#include "trace.skel.h"
#include "util/bytes.h"
#include "util/caps.h"
#include "util/cleanup.h"
#include "util/err.h"

/* Too small a log hides the kernel's own error; what is not written costs no memory. */
enum { LOG_BYTES = 8 << 20, SNAP_MIN = 64, SNAP_OTHER_MIN = 128, REASONS = 1024 };

void load_reason(char *to, unsigned int size, int err, unsigned int needs, const char *what)
{
	char caps[128] = "";

	err = abs(err);
	if (err == EPERM || err == EACCES)
		caps_missing(needs, caps, sizeof(caps));
	snprintf(to, size, "%s: %s%s", what, *caps ? caps : strerror(err), *caps ? " missing" : "");
}

/* The last line that tells something: the verifier ends with statistics. */
static void last_words(const char *log, char *to, unsigned int size)
{
	const char *line = NULL, *p = log;
	size_t n = 0;

	while (*p) {
		size_t len = strcspn(p, "\n");

		if (len && strncmp(p, "processed ", 10)) {
			line = p;
			n = len;
		}
		p += len + (p[len] == '\n');
	}
	if (line)
		snprintf(to, size, " (%.*s)", (int)(n > 120 ? 120 : n), line);
}

static int refused(struct loaded *l, int err, unsigned int needs, const char *what, bool debug, char *reason)
{
	size_t n;

	load_reason(reason, 256, err, needs, what);
	if (l->log && *l->log) {
		n = strlen(reason);
		last_words(l->log, reason + n, (unsigned int)(256 - n));
		n = strlen(l->log);
		if (debug)
			note_log(l->log + (n > 900 ? n - 900 : 0));
		*l->log = '\0';
	}
	return err;
}

static int nothing_to_say(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	return 0;
}

/* A power of two pages (the kernel wants that), at least two records of the largest class. */
static uint64_t ring_size(uint64_t wanted)
{
	uint64_t n = (uint64_t)sysconf(_SC_PAGESIZE);

	if (!wanted)
		wanted = 4 << 20;
	if (wanted < 2 * NP_CLASS_6)
		wanted = 2 * NP_CLASS_6;
	if (wanted > 1u << 30)
		wanted = 1u << 30;
	while (n < wanted)
		n *= 2;
	return n;
}

static int make_map(struct loaded *l, int *fd, enum bpf_map_type type, const char *name, uint32_t value,
		    uint32_t n)
{
	LIBBPF_OPTS(bpf_map_create_opts, o, .map_flags = type == BPF_MAP_TYPE_ARRAY ? BPF_F_MMAPABLE : 0);

	if (l->err)
		return l->err;
	*fd = bpf_map_create(type, name, value ? 4 : 0, value, n, &o);
	if (*fd < 0) {
		l->err = *fd;
		load_reason(l->reason, sizeof(l->reason), *fd, NEED_BPF | NEED_NET_ADMIN, "cannot make a BPF map");
		*fd = -1;
	}
	return l->err;
}

void load_none(struct loaded *l)
{
	memset(l, 0, sizeof(*l));
	l->ring = l->ledger = l->control = l->scratch = l->drop_ledger = -1;
	for (int v = 0; v < 2 * VARIANTS; v++)
		l->packets[v].filter = -1;
}

int load_maps(struct loaded *l, const struct capture_options *opt)
{
	int cpus = libbpf_num_possible_cpus();

	load_none(l);
	libbpf_set_print(nothing_to_say);
	l->log = calloc(1, LOG_BYTES);
	if (!l->log || cpus < 1) {
		l->err = -ENOMEM;
		snprintf(l->reason, sizeof(l->reason), "%s", strerror(ENOMEM));
		return l->err;
	}
	l->cpus = (unsigned int)cpus;
	l->ring_bytes = ring_size(opt->ring_bytes);
	make_map(l, &l->ring, BPF_MAP_TYPE_RINGBUF, "events", 0, (uint32_t)l->ring_bytes);
	make_map(l, &l->control, BPF_MAP_TYPE_ARRAY, "np_control", sizeof(struct np_control), 1);
	if (opt->packets) {
		make_map(l, &l->ledger, BPF_MAP_TYPE_ARRAY, "np_ledger", sizeof(struct np_ledger), l->cpus);
		make_map(l, &l->scratch, BPF_MAP_TYPE_PERCPU_ARRAY, "np_scratch", sizeof(struct np_scratch),
			 1);
	}
	if (opt->drops)
		make_map(l, &l->drop_ledger, BPF_MAP_TYPE_ARRAY, "np_ledger", sizeof(struct np_ledger),
			 l->cpus);
	return l->err;
}

static bool is_socket(enum variant v)
{
	return v == VARIANT_SOCKET || v == VARIANT_SOCKET_L3;
}

static void set_parameters(struct packet *skel, const struct loaded *l, enum variant v,
			   const struct capture_options *opt)
{
	uint32_t snap = opt->snaplen && opt->snaplen < NP_SNAP_MAX ? opt->snaplen : NP_SNAP_MAX;
	uint32_t other = opt->snaplen_other;

	if (snap < SNAP_MIN)
		snap = SNAP_MIN;
	if (other && other < SNAP_OTHER_MIN)
		other = SNAP_OTHER_MIN;
	skel->rodata->ring_bytes = l->ring_bytes;
	skel->rodata->snaplen = snap;
	skel->rodata->snaplen_other = other < snap ? other : 0;
	skel->rodata->sample = opt->sample ? opt->sample : 1;
	skel->rodata->apps_only = opt->apps_only;
	skel->rodata->l3 = v == VARIANT_TC_L3 || v == VARIANT_SOCKET_L3;
	skel->rodata->directions = (uint8_t)(opt->ingress | opt->egress << 1);
	if (opt->filter) {
		skel->rodata->strict = opt->filter->strict;
		skel->rodata->inner = opt->filter->inner;
	}
}

/* The ports whose bytes decoders want.  An array begins zeroed. */
static int set_ports(struct packet *skel, const uint8_t *bits)
{
	int fd = bpf_map__fd(skel->maps.np_ports);

	for (uint32_t word = 0; bits && word < 65536 / 32; word++) {
		const uint8_t *p = bits + 4 * word;
		uint32_t value = le32(p);

		if (value && bpf_map_update_elem(fd, &word, &value, BPF_ANY))
			return -errno;
	}
	return 0;
}

/* The translated filter and the program behind it, into the slots. */
static int chain_filter(struct loaded *l, struct packet_object *o, enum variant v,
			const struct capture_options *opt, struct packet *skel)
{
	uint32_t filter_slot = NP_SLOT_FILTER, emit_slot = NP_SLOT_EMIT;
	int slots = bpf_map__fd(skel->maps.np_slots), emit, n;
	struct filter_maps maps = {
		.scratch_fd = l->scratch, .ledger_fd = l->ledger, .prog_array_fd = slots,
		.slot = NP_SLOT_EMIT, .ret = is_socket(v) ? 0 : -1,
	};
	LIBBPF_OPTS(bpf_prog_load_opts, lo, .log_buf = l->log, .log_size = LOG_BYTES);
	owned_mem struct bpf_insn *insns = calloc(FILTER_EBPF_MAX, sizeof(*insns));
	enum bpf_prog_type type = is_socket(v) ? BPF_PROG_TYPE_SOCKET_FILTER : BPF_PROG_TYPE_SCHED_CLS;

	if (!insns)
		return -ENOMEM;
	n = filter_translate((struct filter *)opt->filter, &maps, insns, FILTER_EBPF_MAX);
	if (n < 0)
		return n;
	o->filter = bpf_prog_load(type, "np_filter", "GPL", insns, (size_t)n, &lo);
	if (o->filter < 0)
		return o->filter;
	emit = bpf_program__fd(is_socket(v) ? skel->progs.np_socket_emit : skel->progs.np_emit);
	if (bpf_map_update_elem(slots, &emit_slot, &emit, BPF_ANY) ||
	    bpf_map_update_elem(slots, &filter_slot, &o->filter, BPF_ANY))
		return -errno;
	return 0;
}

static struct packet_object *object(struct loaded *l, enum variant v, bool egress)
{
	return &l->packets[v + (egress && !is_socket(v) ? VARIANTS : 0)];
}

static struct packet *open_packets(struct loaded *l, enum variant v, bool egress,
				   const struct capture_options *opt, bool filtered)
{
	LIBBPF_OPTS(bpf_object_open_opts, oo, .kernel_log_buf = l->log, .kernel_log_size = LOG_BYTES);
	struct packet *skel = packet__open_opts(&oo);
	bool tc = !is_socket(v);

	if (!skel)
		return NULL;
	set_parameters(skel, l, v, opt);
	skel->rodata->ask = opt->filter && opt->filter->n && !filtered;
	bpf_program__set_autoload(skel->progs.np_ingress, tc && !egress && !filtered);
	bpf_program__set_autoload(skel->progs.np_ingress_chain, tc && !egress && filtered);
	bpf_program__set_autoload(skel->progs.np_egress, tc && egress && !filtered);
	bpf_program__set_autoload(skel->progs.np_egress_chain, tc && egress && filtered);
	bpf_program__set_autoload(skel->progs.np_emit, tc && filtered);
	bpf_program__set_autoload(skel->progs.np_socket, !tc && !filtered);
	bpf_program__set_autoload(skel->progs.np_socket_chain, !tc && filtered);
	bpf_program__set_autoload(skel->progs.np_socket_emit, !tc && filtered);
	if (bpf_map__reuse_fd(skel->maps.events, l->ring) ||
	    bpf_map__reuse_fd(skel->maps.np_ledger, l->ledger) ||
	    bpf_map__reuse_fd(skel->maps.np_control, l->control) ||
	    bpf_map__reuse_fd(skel->maps.np_scratch, l->scratch)) {
		int err = errno;

		packet__destroy(skel);
		errno = err;
		return NULL;
	}
	return skel;
}

static int load_with(struct loaded *l, enum variant v, bool egress, const struct capture_options *opt,
		     bool filtered)
{
	struct packet *skel = open_packets(l, v, egress, opt, filtered);
	struct packet_object *o = object(l, v, egress);
	int err;

	if (!skel)
		return -errno;
	err = packet__load(skel);
	if (!err)
		err = set_ports(skel, opt->app_ports);
	if (!err && filtered)
		err = chain_filter(l, o, v, opt, skel);
	if (!err) {
		o->skel = skel;
		return 0;
	}
	if (o->filter >= 0)
		close(o->filter);
	o->filter = -1;
	packet__destroy(skel);
	return err;
}

int load_packets(struct loaded *l, enum variant v, const struct capture_options *opt)
{
	int err = opt->ingress || is_socket(v) ? load_direction(l, v, false, opt) : 0;

	return err || !opt->egress ? err : load_direction(l, v, true, opt);
}

int load_direction(struct loaded *l, enum variant v, bool egress, const struct capture_options *opt)
{
	struct packet_object *o = object(l, v, egress);
	bool filtered = opt->filter && opt->filter->n && opt->filter->kernel;
	unsigned int needs = is_socket(v) ? NEED_BPF : NEED_BPF | NEED_NET_ADMIN;

	if (o->tried)
		return o->err;
	o->tried = true;
	if (l->err) {
		snprintf(o->reason, sizeof(o->reason), "%s", l->reason);
		return o->err = l->err;
	}
	o->err = load_with(l, v, egress, opt, filtered);
	/* A filter that the kernel does not take is evaluated by the reader, on every frame. */
	if (o->err && filtered && o->err != -EPERM) {
		int why = o->err;

		o->err = load_with(l, v, egress, opt, false);
		if (!o->err && opt->debug)
			note("filter: not in the kernel: %s",
			     opt->filter->why_not ? opt->filter->why_not : strerror(-why));
	}
	if (o->err) {
		refused(l, o->err, needs, "the kernel refused the program", opt->debug, o->reason);
		if (o != &l->packets[v]) {
			l->packets[v].err = o->err;
			memcpy(l->packets[v].reason, o->reason, sizeof(o->reason));
		}
	}
	return o->err;
}

int load_program(const struct loaded *l, enum variant v, bool egress)
{
	const struct packet_object *o = object((struct loaded *)l, v, egress);
	const struct packet *skel = o->skel;
	const struct bpf_program *p;

	if (!skel)
		return -1;
	if (is_socket(v))
		p = o->filter < 0 ? skel->progs.np_socket : skel->progs.np_socket_chain;
	else if (egress)
		p = o->filter < 0 ? skel->progs.np_egress : skel->progs.np_egress_chain;
	else
		p = o->filter < 0 ? skel->progs.np_ingress : skel->progs.np_ingress_chain;
	return bpf_program__fd(p);
}

int load_slots(const struct loaded *l, enum variant v)
{
	return l->packets[v].filter >= 0 ? bpf_map__fd(l->packets[v].skel->maps.np_slots) : -1;
}

int load_emitter(const struct loaded *l, enum variant v)
{
	const struct packet *skel = l->packets[v].skel;

	if (l->packets[v].filter < 0)
		return -1;
	return bpf_program__fd(is_socket(v) ? skel->progs.np_socket_emit : skel->progs.np_emit);
}

static int reason_number(const struct btf *btf, const struct btf_type *t, const char *name)
{
	static const char prefix[] = "SKB_DROP_REASON_";
	const struct btf_enum *e = btf_enum(t);

	for (int i = 0; i < btf_vlen(t); i++) {
		const char *s = btf__name_by_offset(btf, e[i].name_off);

		if (s && !strncmp(s, prefix, sizeof(prefix) - 1) && !strcasecmp(s + sizeof(prefix) - 1, name))
			return e[i].val;
	}
	return -ENOENT;
}

/* A kernel numbers the reasons as it likes (and before 5.17 has none): by name. */
static int want_reasons(struct trace *skel, const struct btf *btf, const struct capture_options *opt)
{
	int id = btf__find_by_name_kind(btf, "skb_drop_reason", BTF_KIND_ENUM);
	const struct btf_type *t = id > 0 ? btf__type_by_id(btf, (uint32_t)id) : NULL;

	if (!t)
		return fail(EOPNOTSUPP, "--drops: this kernel gives no drop reasons to choose from");
	for (unsigned int i = 0; i < opt->n_drop_reasons; i++) {
		int n = reason_number(btf, t, opt->drop_reasons[i]);

		if (n < 0 || n >= REASONS)
			return fail(0, "--drops: '%s' is not a drop reason of this kernel",
				    opt->drop_reasons[i]);
		skel->rodata->wanted[n / 64] |= 1ull << (n % 64);
	}
	skel->rodata->by_reason = 1;
	return 0;
}

static int choose_reasons(struct trace *skel, const struct capture_options *opt)
{
	struct btf *btf;
	int err;

	if (!opt->n_drop_reasons || !opt->drop_reasons)
		return 0;
	btf = opt->btf_path ? btf__parse(opt->btf_path, NULL) : btf__load_vmlinux_btf();
	if (!btf)
		return fail(errno, "--drops: cannot read the kernel's type information (BTF)");
	err = want_reasons(skel, btf, opt);
	btf__free(btf);
	return err;
}

static int put_drop_maps(struct trace *skel, const struct loaded *l, const struct capture_options *opt)
{
	skel->rodata->ring_bytes = l->ring_bytes;
	skel->rodata->netns = opt->any_netns ? 0 : (uint32_t)netns_inode();
	skel->rodata->ask = opt->filter && opt->filter->n;
	if (bpf_map__reuse_fd(skel->maps.events, l->ring) ||
	    bpf_map__reuse_fd(skel->maps.np_ledger, l->drop_ledger) ||
	    bpf_map__reuse_fd(skel->maps.np_control, l->control))
		return fail(errno, "--drops");
	return 0;
}

int load_drops(struct loaded *l, const struct capture_options *opt)
{
	LIBBPF_OPTS(bpf_object_open_opts, oo, .kernel_log_buf = l->log, .kernel_log_size = LOG_BYTES,
		    .btf_custom_path = opt->btf_path);
	char reason[256];
	int err;

	if (l->err)
		return fail(0, "--drops: %s", l->reason), l->err;
	if (!opt->btf_path && access("/sys/kernel/btf/vmlinux", R_OK))
		return fail(0, "--drops: this kernel has no type information (/sys/kernel/btf/vmlinux)"), -EOPNOTSUPP;
	l->trace = trace__open_opts(&oo);
	if (!l->trace)
		return fail(errno, "--drops: %s", opt->btf_path ? opt->btf_path : "the BPF object");
	err = choose_reasons(l->trace, opt);
	if (!err)
		err = put_drop_maps(l->trace, l, opt);
	if (err)
		return err;
	err = trace__load(l->trace);
	if (err) {
		refused(l, err, NEED_BPF | NEED_PERFMON, "the kernel refused the program", opt->debug, reason);
		fail(0, "--drops: %s", reason);
	}
	return err;
}

int load_drop_program(const struct loaded *l)
{
	return l->trace ? bpf_program__fd(l->trace->progs.np_drop) : -1;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void load_free(struct loaded *l)
{
	for (int v = 0; v < 2 * VARIANTS; v++) {
		close_fd(&l->packets[v].filter);
		packet__destroy(l->packets[v].skel);
		l->packets[v].skel = NULL;
	}
	trace__destroy(l->trace);
	l->trace = NULL;
	close_fd(&l->ring);
	close_fd(&l->ledger);
	close_fd(&l->control);
	close_fd(&l->scratch);
	close_fd(&l->drop_ledger);
	free(l->log);
	l->log = NULL;
}
