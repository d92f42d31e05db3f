// SPDX-License-Identifier: GPL-2.0-or-later
/* block: a firewall in front of the network stack. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/block.h"
#include "kern/link.h"
#include "util/err.h"

enum { WORDS_MAX = 4096 };

#define B(member) offsetof(struct block_opts, member)

const char *const block_modes[] = { "block", "log", "deny", NULL };
const char *const block_frags[] = { "inherit", "drop", "pass", NULL };

static const struct opt block_rows[] = {
	{ "interface", 'i', OPT_STRS, B(iface), "IFACE", "at this interface; dev IFACE is the same" },
	{ "xdp-mode", 'm', OPT_WORD, B(xdp), "XDPMODE", "where: at XDP, or at tcx",
	  OPT_WORDS("auto", "native", "generic", "tcx") },
	{ "egress", 0, OPT_FLAG, B(egress), NULL, "what leaves, in place of what arrives; at tcx" },
	{ "mode", 0, OPT_WORD, B(mode), "MODE", "what no entry decides: block passes it, log counts it, deny drops it",
	  &(const struct opt_words){ .list = block_modes } },
	{ "frag", 0, OPT_WORD, B(frag), "POLICY",
	  "later fragments: inherit the verdict of the first (default), drop or pass",
	  &(const struct opt_words){ .list = block_frags } },
	{ "confirm", 0, OPT_TIME, B(confirm_ns), "TIME",
	  "pass everything again after TIME unless confirmed; 60 s from a terminal" },
	{ "commit", 0, OPT_FLAG, B(commit), NULL, "do not wait for a confirmation" },
	{ "dry-run", 0, OPT_FLAG, B(dry_run), NULL, "check and load, but change nothing" },
	{ "force-lockout", 0, OPT_FLAG, B(force), NULL, "even when it cuts off your own session" },
	{ "persist", 0, OPT_FLAG, B(persist), NULL, "apply: print a systemd unit that does it at each boot" },
	{ "hits", 0, OPT_FLAG, B(hits), NULL, "list: with counts, those with the most hits first" },
	{ "list", 0, OPT_STRS, B(list), "FILE",
	  "test: the entries of FILE, without a kernel; may be given again" },
	{ "read", 'r', OPT_ONCE, B(read), "FILE", "test: the frames of a capture" },
	{ "expired", 0, OPT_FLAG, B(expired), NULL, "del: entries whose time is over" },
	{ "all", 0, OPT_FLAG, B(all), NULL, "del: everything; the firewall is taken away" },
	{ .type = OPT_END },
};

static const char block_examples[] =
	"  sudo netprobe block add 192.0.2.0/24 dev eth0 for 10m reason scanner\n"
	"  sudo netprobe block add file spamhaus.netset dev eth0\n"
	"  sudo netprobe block confirm dev eth0\n"
	"  sudo netprobe block list --hits dev eth0\n"
	"  netprobe block test 192.0.2.7:443/tcp --list spamhaus.netset\n";

static void choose(const char *word, const char *const *words, uint8_t *to)
{
	for (uint8_t i = 0; word && words[i]; i++)
		if (!strcmp(word, words[i]))
			*to = i;
}

void block_set_modes(struct block_run *b)
{
	choose(b->o->mode, block_modes, &b->rules.mode);
	choose(b->o->frag, block_frags, &b->rules.frag);
}

/* ── add, allow ───────────────────────────────────────────────────────────── */

static bool is_target(struct rules *r, const char *word)
{
	struct np_rule rule = { 0 };

	return rule_target(&rule, word, strlen(word));
}

/* Words up to the first that is no target: addresses, "file F", "domain NAME", "-". */
static int count_targets(struct rules *r, int argc, char **argv)
{
	int n = 0;

	while (n < argc) {
		if ((!strcmp(argv[n], "file") || !strcmp(argv[n], "domain")) && n + 1 < argc)
			n += 2;
		else if (!strcmp(argv[n], "-") || is_target(r, argv[n]))
			n++;
		else
			break;
	}
	return n;
}

static int add_rule(struct block_run *b, struct np_rule *rule)
{
	bool same;

	return rules_add(&b->rules, rule, &same);
}

static int add_target(struct block_run *b, int *i, const struct np_rule *like)
{
	char **argv = b->argv;
	struct np_rule rule = *like;
	int err;

	if (!strcmp(argv[*i], "file"))
		return block_read(b, &b->rules, argv[++*i], like);
	if (!strcmp(argv[*i], "-"))
		return block_read(b, &b->rules, "-", like);
	if (!strcmp(argv[*i], "domain"))
		return fail(EOPNOTSUPP, "domain %s: names are not enforced by this version's program", argv[*i + 1]);
	if (!rule_target(&rule, argv[*i], strlen(argv[*i])))
		return fail(0, "'%s' is no address, prefix or MAC address", argv[*i]);
	err = add_rule(b, &rule);
	if (!err && !strcmp(argv[*i], "any")) {
		rule.kind = NP_KIND_V6;
		err = add_rule(b, &rule);
	}
	return err;
}

/* Names are read from lists, but no program looks at them yet: that must not be silent. */
static int no_names(const struct rules *r)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < r->n; i++)
		n += r->v[i].kind == NP_KIND_NAME;
	return n ? fail(EOPNOTSUPP, "%u host names in the list: names are not enforced by this version's program; "
				    "nothing was changed", n) : 0;
}

static int change(struct block_run *b, const char *what)
{
	int err = no_names(&b->rules);

	block_set_modes(b);
	peers_find(&b->peers);
	return err ? err : block_commit(b, what);
}

static int add(struct block_run *b, uint8_t action)
{
	struct np_rule like = { .dir = b->o->egress ? NP_DST : NP_SRC, .action = action };
	int targets = count_targets(&b->rules, b->argc, b->argv), err = 0;
	char why[160];

	if (!targets && b->argc)
		return fail(0, "'%s' is no address, prefix, MAC address, file FILE or -", b->argv[0]);
	if (!targets)
		return fail(0, "what? ADDR, CIDR, MAC, any, file FILE or -");
	if (rule_words(&b->rules, &like, b->argc - targets, b->argv + targets, b->now_ns, why))
		return fail(0, "%s", why);
	for (int i = 0; i < targets && !err; i++)
		err = add_target(b, &i, &like);
	return err ? err : change(b, action == NP_ALLOW ? "allow" : "add");
}

static int block_add(struct block_run *b)
{
	return add(b, NP_DROP);
}

static int block_allow(struct block_run *b)
{
	return add(b, NP_ALLOW);
}

/* ── apply ────────────────────────────────────────────────────────────────── */

static int print_unit(const struct block_run *b)
{
	printf("[Unit]\nDescription=netprobe block at %s\nAfter=sys-subsystem-net-devices-%s.device\n"
	       "BindsTo=sys-subsystem-net-devices-%s.device\nBefore=network-pre.target\nWants=network-pre.target\n\n"
	       "[Service]\nType=oneshot\nRemainAfterExit=yes\n"
	       "ExecStart=/usr/local/sbin/netprobe block apply %s dev %s --mode %s --commit\n"
	       "ExecStop=/usr/local/sbin/netprobe block del --all dev %s\n\n[Install]\nWantedBy=multi-user.target\n",
	       b->place.ifname, b->place.ifname, b->place.ifname, b->argv[0], b->place.ifname,
	       block_modes[b->rules.mode % 3], b->place.ifname);
	return 0;
}

/* The file is the set: what it does not name goes. */
static int block_apply(struct block_run *b)
{
	const struct np_rule like = { .dir = b->o->egress ? NP_DST : NP_SRC, .action = NP_DROP };
	struct rules fresh;
	int err;

	if (b->argc != 1)
		return fail(0, "apply FILE: one file is the whole set");
	err = rules_init(&fresh);
	if (err)
		return err;
	/* What matches the same keeps its number, and with it its counts. */
	fresh.next_id = b->rules.next_id;
	fresh.frag = b->rules.frag;
	err = block_read(b, &fresh, b->argv[0], &like);
	if (err) {
		rules_free(&fresh);
		return err;
	}
	rules_keep_numbers(&fresh, &b->rules);
	rules_free(&b->rules);
	b->rules = fresh;
	err = change(b, "apply");
	return !err && b->o->persist ? print_unit(b) : err;
}

/* ── del ──────────────────────────────────────────────────────────────────── */

struct wanted {
	const struct rules *r;
	const struct np_rule *rule;	/* what is matched; NULL: by number */
	uint32_t id;
	bool expired;
	uint64_t now_ns;
};

static bool stays(const struct np_rule *rule, const void *ctx)
{
	const struct wanted *w = ctx;

	if (w->id)
		return rule->id != w->id;
	if (!w->rule)
		return true;
	return rule->kind != w->rule->kind || rule->plen != w->rule->plen || memcmp(rule->addr, w->rule->addr, 16) ||
	       (w->rule->flags & NP_RULE_PORT && (!(rule->flags & NP_RULE_PORT) || rule->port_lo != w->rule->port_lo));
}

static int del_word(struct block_run *b, int *i, uint32_t *gone)
{
	struct np_rule rule = { 0 };
	struct wanted w = { .r = &b->rules, .rule = &rule };
	uint32_t n;

	if (!strcmp(b->argv[*i], "id") && *i + 1 < b->argc) {
		w.id = (uint32_t)strtoul(b->argv[++*i], NULL, 10);
		if (!w.id)
			return fail(0, "id: '%s' is not a number from 1", b->argv[*i]);
	} else if (!rule_target(&rule, b->argv[*i], strlen(b->argv[*i]))) {
		return fail(0, "'%s' is no address, prefix, MAC address or id N", b->argv[*i]);
	}
	n = rules_remove(&b->rules, stays, &w);
	if (!strcmp(b->argv[*i], "any")) {
		rule.kind = NP_KIND_V6;
		n += rules_remove(&b->rules, stays, &w);
	}
	*gone += n;
	return n ? 0 : (fail(0, "no entry %s: nothing was changed", b->argv[*i]), -ENOENT);
}

static int block_del(struct block_run *b)
{
	uint32_t gone = b->dropped;
	int err = 0;

	if (!b->running)
		return fail(0, "%s has no firewall", b->place.ifname), -ENOENT;
	if (b->o->all) {
		err = b->o->dry_run ? 0 : block_remove(b);
		if (!err)
			note("%s: %s", b->place.ifname,
			     b->o->dry_run ? "would be without a firewall" : "no firewall any more");
		return err;
	}
	if (!b->argc && !b->o->expired)
		return fail(0, "what? TARGET, id N, --expired or --all");
	for (int i = 0; i < b->argc && !err; i++)
		err = del_word(b, &i, &gone);
	if (!err)
		note("%u entries go", gone);
	return err ? err : change(b, "del");
}

/* ── the words ────────────────────────────────────────────────────────────── */

static const struct verb {
	const char *name;
	int (*run)(struct block_run *b);
	bool change;		/* takes the lock */
	bool status;		/* returns an exit status */
} verbs[] = {
	{ "add", block_add, true, false },	   { "allow", block_allow, true, false },
	{ "apply", block_apply, true, false },	   { "del", block_del, true, false },
	{ "confirm", block_confirm, true, false }, { "rollback", block_rollback, true, false },
	{ "list", block_list, false, true },	   { "status", block_status, false, true },
	{ "poll", block_poll, false, true },	   { "test", block_test, false, true },
};

static const struct verb *find_verb(const char *word)
{
	const char *words[sizeof(verbs) / sizeof(verbs[0])], *near;
	size_t n = sizeof(verbs) / sizeof(verbs[0]);

	for (size_t i = 0; i < n; i++) {
		words[i] = verbs[i].name;
		if (!strcmp(verbs[i].name, word))
			return &verbs[i];
	}
	near = opt_near(word, words, (unsigned int)n);
	if (near)
		fail(0, "block: no '%s': did you mean '%s'?", word, near);
	else
		fail(0, "block: no '%s' (add, allow, apply, del, confirm, rollback, list, status, poll, test)", word);
	return NULL;
}

/* "dev IFACE" anywhere, as ip(8) has it. */
static int take_dev(struct block_opts *o, int argc, char **argv)
{
	int n = 0;

	for (int i = 0; i < argc; i++) {
		if (!strcmp(argv[i], "reason"))		/* the rest is text */
			while (i < argc)
				argv[n++] = argv[i++];
		else if (!strcmp(argv[i], "dev") && i + 1 < argc && o->iface.n < 64)
			o->iface.v[o->iface.n++] = argv[++i];
		else
			argv[n++] = argv[i];
	}
	return n;
}

static int refusal(int err)
{
	return err == -EINVAL || err == -ECANCELED ? EXIT_USAGE : exit_status(err);
}

static int run_verb(struct block_run *b, const struct verb *v)
{
	bool offline = v->run == block_test && b->o->list.n;
	int err = offline ? rules_init(&b->rules) : block_find(b, v->change);

	if (err)
		return refusal(err);
	err = v->run(b);
	return v->status ? err : refusal(err);
}

static int block_run(const struct globals *g, const void *opts, int argc, char **argv)
{
	struct block_opts o = *(const struct block_opts *)opts;
	struct block_run *b = calloc(1, sizeof(*b));
	const struct verb *v = argc ? find_verb(argv[0]) : NULL;
	int rc = EXIT_USAGE;

	if (!argc)
		fail(0, "block: add, allow, apply, del, confirm, rollback, list, status, poll or test?");
	if (v && b) {
		b->g = g;
		b->o = &o;
		b->argv = argv + 1;
		b->argc = take_dev(&o, argc - 1, argv + 1);
		b->pin.lock = -1;
		b->set.prog = -1;
		rc = g->netns ? netns_enter(g->netns) : 0;
		rc = rc ? exit_status(rc) : run_verb(b, v);
		block_done(b);
	}
	free(b);
	return rc;
}

const struct command cmd_block = {
	.name = "block",
	.summary = "Drop packets by address, prefix, port or MAC address before the stack sees them",
	.usage = "add|allow|apply|del|list|status|poll|test|confirm|rollback [ARG]... [dev IFACE]",
	.opts = block_rows,
	.size = sizeof(struct block_opts),
	.run = block_run,
	.examples = block_examples,
};
