// SPDX-License-Identifier: GPL-2.0-or-later
/* The set that runs at an interface, and how another takes its place. */
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>

#include <bpf/bpf.h>

#include "cmd/block.h"
#include "kern/hook.h"
#include "kern/link.h"
#include "numbers/linktype.h"
#include "rules/compile.h"
#include "util/caps.h"
#include "util/cleanup.h"
#include "util/err.h"
#include "util/hostclock.h"
#include "util/time.h"

enum { HANDLE = 7, LOOKS_MAX = 100 };

uint64_t block_now(void)
{
	struct host_clock c;

	host_clock_open(&c, CLOCK_BOOTTIME);
	return host_clock_now(&c);
}

struct only {
	uint64_t netns;
	char name[16];
	unsigned int n;
};

static int note_state(void *ctx, const struct pin_view *v)
{
	struct only *o = ctx;
	struct pin_place at;

	if (block_tell_foreign(v, o->netns) || strcmp(v->service, BLOCK_SERVICE) || v->state != PIN_OURS ||
	    pin_life(v, &at) != PIN_HERE)
		return 0;
	snprintf(o->name, sizeof(o->name), "%s", at.ifname);
	o->n++;
	return 0;
}

/* dev IFACE, -i IFACE, or the only one with a set. */
static int which(struct block_run *b)
{
	struct pin_place here;
	struct only only = { 0 };

	if (b->o->iface.n > 1)
		return fail(0, "one interface at a time");
	if (b->o->iface.n)
		return pin_place(&b->place, b->o->iface.v[0]);
	if (!pin_netns(&here)) {
		only.netns = here.netns;
		pin_each(note_state, &only);
	}
	if (only.n == 1)
		return pin_place(&b->place, only.name);
	return fail(0, only.n ? "several interfaces have a firewall: which one? (dev IFACE)" :
				"which interface? (dev IFACE; none has a firewall here)");
}

/* Those of entries that are gone are left behind.  The last byte of the texts is NUL: block_open(). */
static uint32_t take_text(struct block_run *b, uint32_t at)
{
	const struct np_set_meta *m = b->set.at[BLOCK_META];
	const char *text = (const char *)b->set.at[BLOCK_TEXT] + at;

	return at && at < m->text_bytes ? rules_text(&b->rules, text, strlen(text)) : 0;
}

int block_take_rules(struct block_run *b)
{
	const struct np_set_meta *m = b->set.at[BLOCK_META];
	const struct np_rule *v = b->set.at[BLOCK_RULES];
	struct rules *r = &b->rules;
	bool same;
	int err = rules_reserve(r, m->n_rules);

	for (uint32_t i = 0; i < m->n_rules && !err; i++) {
		struct np_rule rule = v[i];

		r->next_id = rule.id;
		rule.reason = take_text(b, rule.reason);
		rule.name = take_text(b, rule.name);
		rule.file = take_text(b, rule.file);
		r->last_file = rule.file;
		err = rules_add(r, &rule, &same);
	}
	if (!err && r->text.full)
		err = fail(ENOMEM, "texts of entries");
	r->next_id = m->next_id;
	r->mode = (uint8_t)m->mode;
	r->frag = (uint8_t)m->frag;
	r->n_failsafe = (uint8_t)m->n_failsafe;
	memcpy(r->failsafe, m->failsafe, sizeof(r->failsafe));
	return err;
}

/* Where the set is: b->hook, b->running. */
static int find_hook(struct block_run *b)
{
	static const enum pin_hook ingress[] = { PIN_XDP, PIN_INGRESS }, egress[] = { PIN_EGRESS, PIN_EGRESS };
	int is = 0;

	for (int i = 0; i < 2 && !is; i++) {
		b->hook = b->o->egress ? egress[i] : ingress[i];
		is = pin_attached(&b->view, b->hook, &b->got);
	}
	b->running = is == 1;
	return is < 0 ? is : 0;
}

/* Its program, or -1 when there is none.  Who looks without the lock may see one that has just been replaced. */
static int find_program(struct block_run *b, int *prog)
{
	int err = -ENOENT;

	*prog = -1;
	for (int i = 0; i < LOOKS_MAX && (!i || b->pin.lock < 0) && (err == -ENOENT || err == -EPERM); i++) {
		err = find_hook(b);
		if (!err && b->running)
			*prog = bpf_prog_get_fd_by_id(b->got.prog_id);
		if (!err && b->running && *prog < 0)
			err = *prog;
	}
	/* What cannot be known is not taken for nothing: the next set would be made without its entries. */
	return err ? fail(err, "the firewall at %s", b->place.ifname) : 0;
}

static int open_running(struct block_run *b, bool write)
{
	int fd, err = find_program(b, &fd);

	if (err || !b->running)
		return err;
	err = block_open(&b->set, fd, write);
	b->running = !err;
	if (!err)
		err = block_take_rules(b);
	if (!err && write)
		err = block_clock(&b->set, 0, &b->guard);
	if (!err && write)
		b->now_ns = b->guard.now_ns;
	return err;
}

static int look(struct block_run *b, bool change)
{
	int err;

	if (change) {
		err = pin_open(&b->pin, &b->place, BLOCK_SERVICE, true);
		if (!err)
			b->view = b->pin.at;
		return err;
	}
	err = pin_find(&b->place, BLOCK_SERVICE, &b->view);
	if (err || b->view.state == PIN_ABSENT || b->view.state == PIN_OURS || b->view.state == PIN_BARE)
		return err ? fail(err, "the state of %s", b->place.ifname) : 0;
	return fail(0, "%s", b->view.why);
}

/* Who may not look would find nothing, and be told that there is nothing. */
static int check_caps(bool change)
{
	unsigned int needs = NEED_ADMIN | (change ? NEED_BPF | NEED_NET_ADMIN : 0);
	char missing[128];

	if (!caps_missing(needs, missing, sizeof(missing)))
		return 0;
	caps_tell(missing);
	return -EPERM;
}

int block_find(struct block_run *b, bool change)
{
	int err;

	b->pin.lock = -1;
	b->set.prog = -1;
	b->now_ns = block_now();
	err = check_caps(change);
	if (err)
		return err;
	if (change && !b->o->dry_run)
		pin_sweep(BLOCK_SERVICE);
	err = which(b);
	if (!err)
		err = look(b, change);
	if (!err)
		err = open_running(b, true);
	/* What cannot be read can be taken away all the same. */
	if (err && change && b->o->all && b->got.prog_id) {
		b->unreadable = true;
		err = 0;
	}
	if (!err && !change)
		block_warn_expired(b);
	return err;
}

void block_done(struct block_run *b)
{
	if (b->set.cpus)
		block_close(&b->set);
	if (b->pin.lock >= 0)
		pin_close(&b->pin);
	rules_free(&b->rules);
	rules_free(&b->words);
	block_lists_free(b);
}

/* ── where ────────────────────────────────────────────────────────────────── */

static bool is_veth(const char *ifname)
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
	owned_fd int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq r = { .ifr_data = (char *)&info };

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", ifname);
	return fd >= 0 && !ioctl(fd, SIOCETHTOOL, &r) && !strcmp(info.driver, "veth");
}

/* auto: XDP where it costs nothing else; native XDP takes a veth its large segments. */
static void choose_hook(struct block_run *b, struct pin_want *want, bool *l3)
{
	const char *m = b->o->xdp ? b->o->xdp : "auto";
	struct link_info l;

	*l3 = !link_get(NULL, b->place.ifindex, &l) && l.link != LINK_ETHERNET;
	want->mode = PIN_AUTO;
	if (!strcmp(m, "native"))
		want->mode = PIN_NATIVE;
	else if (!strcmp(m, "generic"))
		want->mode = PIN_GENERIC;
	if (b->o->egress)
		want->hook = PIN_EGRESS;
	else if (b->running)
		want->hook = b->hook;
	else
		want->hook = !strcmp(m, "tcx") || *l3 || (!b->o->xdp && is_veth(b->place.ifname)) ?
				     PIN_INGRESS :
				     PIN_XDP;
	b->hook = want->hook;
	want->handle = HANDLE;
	want->gate = true;
}

/* A set that runs stays where it is: who asks for another place must hear that. */
static int check_place(const struct block_run *b)
{
	const char *m = b->o->xdp, *is = b->hook == PIN_INGRESS ? "tcx" : b->got.mode;

	if (b->o->egress && m && (!strcmp(m, "native") || !strcmp(m, "generic")))
		return fail(0, "-m %s: XDP does not see what leaves; --egress is at tcx", m), -EINVAL;
	if (!b->running || !m || !strcmp(m, "auto") || b->hook == PIN_EGRESS || !is || !strcmp(m, is))
		return 0;
	fail(0, "%s: the firewall is at %s%s, and a change does not move it to %s: netprobe block del --all "
		"dev %s first", b->place.ifname, b->hook == PIN_XDP ? "xdp " : "",
	     b->hook == PIN_XDP ? is : b->got.kind, m, b->place.ifname);
	return -EINVAL;
}

/* ── how ──────────────────────────────────────────────────────────────────── */

static int load(struct block_run *b, struct compiled *c, const struct pin_want *want, bool l3, struct block_set *next,
		const char *what)
{
	struct block_image image = { .index = c->index, .conds = c->conds, .entries = c->entries, .rules = b->rules.v,
				     .text = b->rules.text.p, .n_conds = c->n_conds, .n_entries = c->n_entries,
				     .steps = c->runs.steps, .n_steps = c->runs.n_steps, .runs = c->runs.v,
				     .n_runs = c->runs.n, .conf = c->conf };
	struct np_set_meta *m = &image.meta;
	uint64_t seed = b->seed;

	for (int i = 0; i < NP_TABLES; i++)
		image.buckets[i] = c->buckets[i];
	image.conf.l3 = l3;
	image.seed = seed;
	image.state_key = rules_next_key(&seed);
	m->n_rules = b->rules.n;
	m->next_id = b->rules.next_id;
	m->text_bytes = (uint32_t)b->rules.text.n;
	m->mode = b->rules.mode;
	m->frag = b->rules.frag;
	m->n_failsafe = b->rules.n_failsafe;
	memcpy(m->failsafe, b->rules.failsafe, sizeof(m->failsafe));
	m->made_ns = time_now();
	snprintf(m->what, sizeof(m->what), "%s", what);
	return block_load(next, &image,
			  want->hook == PIN_XDP	    ? BLOCK_XDP :
			  want->hook == PIN_INGRESS ? BLOCK_IN :
						      BLOCK_OUT,
			  b->running ? &b->set : NULL, b->g->debug);
}

void block_tell_weaker(const struct block_run *b)
{
	const struct np_set_meta *m = b->running ? b->set.at[BLOCK_META] : NULL;

	if (m && !block_is_expired(b) && m->mode == NP_MODE_DENY && b->rules.mode != NP_MODE_DENY)
		note(b->o->dry_run ? "what no entry decides would pass (is dropped)" :
				     "what no entry decides passes now (was dropped)");
}

static void tell(const struct block_run *b, const struct pin_got *got, uint64_t confirm)
{
	static const char *const modes[] = { "", ", what no entry decides is counted",
					     ", what no entry decides is dropped" };
	static const char *const frags[] = { "", ", fragments are dropped",
					     ", fragments pass unless an address decides" };

	note("%s: %u %s at %s%s%s%s%s", b->place.ifname, b->rules.n, block_entries(b->rules.n), got->kind,
	     got->mode ? " " : "", got->mode ? got->mode : "", modes[b->rules.mode % 3], frags[b->rules.frag % 3]);
	block_tell_weaker(b);
	if (*got->note)
		note("%s", got->note);
	if (b->rules.mode == NP_MODE_DENY) {
		bool out = b->hook == PIN_EGRESS;
		char ports[128] = "";
		size_t n = 0;

		for (int i = 0; i < b->rules.n_failsafe && n < sizeof(ports); i++)
			n += (size_t)snprintf(ports + n, sizeof(ports) - n, " %u", b->rules.failsafe[i]);
		note("open in any case: %sTCP port%s%s, DHCP, ARP, neighbour discovery, "
		     "multicast listener reports",
		     out ? "what answers from " : "", b->rules.n_failsafe == 1 ? "" : "s", ports);
	}
	block_tell_timer(b, confirm);
}

/* The new set is armed before it works; counts follow once no packet sees the old one any more. */
static int take_over(struct block_run *b, struct block_set *next, struct pin_want *want, uint64_t confirm)
{
	struct pin_got got = { 0 };
	struct np_hit *before = NULL;
	struct np_guard g;
	int err = 0;

	if (b->running)
		err = block_carry(next, &b->set, &before);
	if (!err)
		err = block_clock(next, confirm, &g);
	want->prog = next->prog;
	if (!err)
		err = block_swap(b, want, &got);
	if (!err && b->running) {
		hook_wait();
		err = block_carry(next, &b->set, &before);
	}
	free(before);
	if (!err && b->running)
		block_tell_readers(&b->set, false);
	if (!err)
		tell(b, &got, confirm);
	return err;
}

void block_failsafe(struct block_run *b)
{
	b->rules.n_failsafe = 0;
	for (unsigned int i = 0; i < b->peers.n_ports && i < 16; i++)
		b->rules.failsafe[b->rules.n_failsafe++] = b->peers.ports[i];
}

/* That of the set that runs: what it knows of sources is found again, and the same entries are the same program. */
static int choose_seed(struct block_run *b)
{
	b->seed = b->running ? ((const struct np_guard *)b->set.at[BLOCK_GUARD])->seed : 0;
	return b->seed || getrandom(&b->seed, sizeof(b->seed), 0) == sizeof(b->seed) ? 0 : -1;
}

int block_commit(struct block_run *b, const char *what)
{
	struct block_set next = { .prog = -1 };
	struct pin_want want = { 0 };
	struct compiled c;
	char size[16];
	uint64_t confirm = 0;
	bool l3;
	int err;

	err = check_place(b);
	if (err)
		return err;
	choose_hook(b, &want, &l3);
	block_failsafe(b);
	err = block_guard(b);
	if (!err && choose_seed(b))
		err = fail(errno, "no random numbers");
	if (!err)
		err = rules_compile(&c, &b->rules, ~b->seed);
	if (err)
		return err;
	err = load(b, &c, &want, l3, &next, what);
	compiled_free(&c);
	if (!err && block_is_same(b, &next, what)) {
		block_close(&next);
		return block_tell_same(b);
	}
	if (!err)
		err = block_time_to_confirm(b, what, &confirm);
	block_print_size(size, next.memory);
	if (!err && b->o->dry_run) {
		note("%s: %u %s, %s of memory: nothing was changed (--dry-run)", b->place.ifname,
		     b->rules.n, block_entries(b->rules.n), size);
		block_tell_weaker(b);
	} else if (!err) {
		err = take_over(b, &next, &want, confirm);
	}
	block_close(&next);
	return err;
}
