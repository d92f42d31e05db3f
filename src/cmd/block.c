// SPDX-License-Identifier: GPL-2.0-or-later
/* block: a firewall in front of the network stack. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "cmd/block.h"
#include "cmd/block_unit.h"
#include "cmd/session.h"
#include "util/err.h"

#define B(member) offsetof(struct block_opts, member)

const char *const block_modes[] = { "block", "log", "deny", NULL };
const char *const block_frags[] = { "inherit", "drop", "pass", NULL };

static const struct opt block_rows[] = {
	{ "interface", 'i', OPT_STRS, B(iface), "IFACE", "at this interface; dev IFACE is the same" },
	{ "egress", 0, OPT_FLAG, B(egress), NULL, "what leaves, in place of what arrives; at tcx" },
	{ .type = OPT_END },
};

static const struct opt block_keywords[] = {
	{ "dev", 0, OPT_STRS, B(iface), "IFACE", "at this interface; not needed where only one has a set" },
	{ .type = OPT_END },
};

#define MODE_ROW \
	{ "mode", 0, OPT_WORD, B(mode), "MODE", \
	  "what no entry decides: block passes it, log counts it, deny drops it", \
	  &(const struct opt_words){ .list = block_modes } }

/* Of whatever puts another set in the place of what runs. */
#define SWAP_ROWS \
	{ "confirm", 0, OPT_TIME, B(confirm_ns), "TIME", \
	  "pass everything again after TIME unless confirmed; 60 s from a terminal" }, \
	{ "commit", 0, OPT_FLAG, B(commit), NULL, "do not wait for a confirmation" }, \
	{ "force-lockout", 0, OPT_FLAG, B(force), NULL, "even when it cuts off your own session" }

/* Of whatever changes a set. */
#define CHANGE_ROWS \
	MODE_ROW, \
	{ "frag", 0, OPT_WORD, B(frag), "POLICY", \
	  "later fragments: inherit the verdict of the first (default), drop or pass", \
	  &(const struct opt_words){ .list = block_frags } }, \
	{ "xdp-mode", 'm', OPT_WORD, B(xdp), "XDPMODE", "where: at XDP, or at tcx", \
	  OPT_WORDS("auto", "native", "generic", "tcx") }, \
	{ "dry-run", 0, OPT_FLAG, B(dry_run), NULL, "check and load, but change nothing" }, \
	SWAP_ROWS

static const struct opt rollback_rows[] = { SWAP_ROWS, { .type = OPT_END } };
static const struct opt confirm_rows[] = {
	{ "force-lockout", 0, OPT_FLAG, B(force), NULL, "even when it cuts off your own session" },
	{ .type = OPT_END },
};

static const struct opt add_rows[] = { CHANGE_ROWS, { .type = OPT_END } };

static const struct opt add_keywords[] = {
	{ "file", 0, OPT_STRS, B(files), "FILE", "the entries of FILE" },
	{ "domain", 0, OPT_STRS, B(domains), "NAME", "a host name: not enforced yet, and refused" },
	{ "src", 0, OPT_PASS, B(conditions), NULL, "what comes from the targets (the default)" },
	{ "dst", 0, OPT_PASS, B(conditions), NULL, "what goes to them" },
	{ "both", 0, OPT_PASS, B(conditions), NULL, "either" },
	{ "proto", 0, OPT_PASS, B(conditions), "P", "of this protocol only: tcp, udp, icmp, icmp6, sctp, gre or a number" },
	{ "port", 0, OPT_PASS, B(conditions), "N[-M]", "to these destination ports only" },
	{ "for", 0, OPT_PASS, B(conditions), "TIME", "for so long: 10m, 1d" },
	{ "action", 0, OPT_PASS, B(conditions), "ACTION", "what becomes of it; RATE[/BURST] is 100pps, 1mbit",
	  OPT_WORDS("drop", "audit", "limit RATE", "allow") },
	{ "shared", 0, OPT_PASS, B(conditions), NULL, "all sources share the rate" },
	{ "reason", 0, OPT_REST, B(reason), "TEXT", "kept with the entry, to the end of the line" },
	{ .type = OPT_END },
};

static const struct opt apply_rows[] = {
	CHANGE_ROWS,
	{ "persist", 0, OPT_FLAG, B(persist), NULL, "print a systemd unit that does it at each boot" },
	{ .type = OPT_END },
};

static const struct opt del_rows[] = {
	CHANGE_ROWS,
	{ "expired", 0, OPT_FLAG, B(expired), NULL, "entries whose time is over" },
	{ "all", 0, OPT_FLAG, B(all), NULL, "everything: no firewall any more, at any hook" },
	{ "ingress", 0, OPT_FLAG, B(ingress), NULL, "with --all: only the one for what arrives" },
	{ .type = OPT_END },
};

static const struct opt del_keywords[] = {
	{ "id", 0, OPT_STRS, B(ids), "N", "the entry with this number" },
	{ .type = OPT_END },
};

static const struct opt list_rows[] = {
	{ "hits", 0, OPT_FLAG, B(hits), NULL, "with counts, those with the most hits first" },
	{ .type = OPT_END },
};

static const struct opt test_rows[] = {
	{ "list", 0, OPT_STRS, B(list), "FILE", "the entries of FILE, without a kernel; may be given again" },
	{ "read", 'r', OPT_ONCE, B(read), "FILE", "the frames of a capture" },
	MODE_ROW,
	{ .type = OPT_END },
};

static const struct opt target_operand = {
	.type = OPT_STRS, .arg = "TARGET", .help = "an address, a prefix, a MAC address, any; - reads a list"
};
static const struct opt apply_operand = { .type = OPT_STR, .arg = "FILE", .help = "the whole set" };
static const struct opt poll_operand = { .type = OPT_STRS, .arg = "INTERVAL", .help = "and how often" };
static const struct opt test_operand = { .type = OPT_STRS, .arg = "ADDR", .help = "ADDR[:PORT][/PROTO]" };

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

static int add_rule(struct block_run *b, struct np_rule *rule)
{
	bool same;

	return rules_add(&b->rules, rule, &same);
}

static int add_target(struct block_run *b, const char *word)
{
	const char *reason = rules_string(&b->words, b->like.reason);
	struct np_rule rule = b->like;
	int err;

	rule.reason = rules_text(&b->rules, reason, strlen(reason));
	if (rule.reason == UINT32_MAX)
		return fail(ENOMEM, "texts of entries");
	if (rule.flags & NP_RULE_EXPIRES)
		rule.expires_ns += b->now_ns;
	rule_target(&rule, word, strlen(word));
	err = add_rule(b, &rule);
	if (!err && !strcmp(word, "any")) {
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

/* The words, and all files: before there is a lock that a slow pipe would hold. */
static int prepare_add(struct block_run *b)
{
	const struct block_opts *o = b->o;
	char why[160];
	int err = 0;

	if (o->domains.n)
		return fail(EOPNOTSUPP, "domain %s: names are not enforced by this version's program", o->domains.v[0]);
	if (!b->argc && !o->files.n)
		return fail(0, "what? ADDR, CIDR, MAC, any, file FILE or -");
	if (rule_words(&b->words, &b->like, (int)o->conditions.n, o->conditions.v, 0, why) ||
	    rule_words(&b->words, &b->like, o->reason.n, o->reason.v, 0, why))
		return fail(0, "%s", why);
	for (int i = 0; i < b->argc && !err; i++)
		err = strcmp(b->argv[i], "-") ? 0 : block_read(b, "-");
	for (unsigned int i = 0; i < o->files.n && !err; i++)
		err = block_read(b, o->files.v[i]);
	return err;
}

static int prepare_allow(struct block_run *b)
{
	b->like.action = NP_ALLOW;
	return prepare_add(b);
}

static int add(struct block_run *b, const char *what)
{
	unsigned int list = 0;
	int err = block_base(b);

	for (int i = 0; i < b->argc && !err; i++)
		err = strcmp(b->argv[i], "-") ? add_target(b, b->argv[i]) : block_add_list(b, &b->lists[list++]);
	for (; list < b->n_lists && !err; list++)
		err = block_add_list(b, &b->lists[list]);
	return err ? err : change(b, what);
}

static int block_add(struct block_run *b)
{
	return add(b, "add");
}

static int block_allow(struct block_run *b)
{
	return add(b, "allow");
}

/* ── apply ────────────────────────────────────────────────────────────────── */

static void print_unit(const struct block_run *b, struct unit *u)
{
	struct buf t = { 0 };

	u->ifname = b->place.ifname;
	u->netns = b->g->netns;
	u->mode = b->rules.mode != NP_MODE_BLOCK ? block_modes[b->rules.mode % 3] : NULL;
	u->frag = b->rules.frag != NP_FRAG_INHERIT ? block_frags[b->rules.frag % 3] : NULL;
	u->xdp = b->o->xdp;
	u->egress = b->o->egress;
	u->force = b->o->force;
	unit_print(&t, u);
	printf("%.*s", (int)t.n, t.p ? t.p : "");
	buf_free(&t);
}

static int prepare_apply(struct block_run *b)
{
	return b->argc ? block_read(b, b->argv[0]) : fail(0, "apply FILE: one file is the whole set");
}

/* The file is the set: what it does not name goes. */
static int block_apply(struct block_run *b)
{
	struct unit u = { 0 };
	int err = block_base(b);

	/* What cannot be said must not be done first. */
	if (!err && b->o->persist)
		err = unit_find(&u, b->argv[0]);
	if (err)
		return err;
	if (!b->lists[0].rules.n && !b->o->force) {
		fail(0, "%s: no entries: nothing was changed (netprobe block del --all takes all of them away)",
		     b->argv[0]);
		return -EINVAL;
	}
	err = block_take_list(b, &b->lists[0]);
	if (!err)
		err = change(b, "apply");
	if (!err && b->o->persist)
		print_unit(b, &u);
	return err;
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

static int gone(const char *word, uint32_t n, uint32_t *all)
{
	*all += n;
	return n ? 0 : (fail(0, "no entry %s: nothing was changed", word), -ENOENT);
}

static int del_id(struct block_run *b, const char *word, uint32_t *all)
{
	struct wanted w = { .r = &b->rules, .id = (uint32_t)strtoul(word, NULL, 10) };

	return w.id ? gone(word, rules_remove(&b->rules, stays, &w), all) :
		      fail(0, "id: '%s' is not a number from 1", word);
}

static int del_target(struct block_run *b, const char *word, uint32_t *all)
{
	struct np_rule rule = { 0 };
	struct wanted w = { .r = &b->rules, .rule = &rule };
	uint32_t n;

	rule_target(&rule, word, strlen(word));
	n = rules_remove(&b->rules, stays, &w);
	if (!strcmp(word, "any")) {
		rule.kind = NP_KIND_V6;
		n += rules_remove(&b->rules, stays, &w);
	}
	return gone(word, n, all);
}

static int block_del(struct block_run *b)
{
	uint32_t all;
	int err;

	if (b->o->all && (b->argc || b->o->ids.n || b->o->expired))
		return fail(0, "--all takes everything away: without TARGET, id and --expired");
	if (b->o->all)
		return block_remove_all(b);
	if (!b->running)
		return fail(0, "%s has no firewall", b->place.ifname), -ENOENT;
	if (!b->argc && !b->o->ids.n && !b->o->expired)
		return fail(0, "what? TARGET, id N, --expired or --all");
	err = block_base(b);
	all = b->dropped;
	for (unsigned int i = 0; i < b->o->ids.n && !err; i++)
		err = del_id(b, b->o->ids.v[i], &all);
	for (int i = 0; i < b->argc && !err; i++)
		err = del_target(b, b->argv[i], &all);
	if (!err)
		note("%u entries go", all);
	return err ? err : change(b, "del");
}

/* ── the words ────────────────────────────────────────────────────────────── */

struct verb {
	int (*prepare)(struct block_run *b);	/* before anything is looked for, and locked; NULL: nothing */
	int (*run)(struct block_run *b);
	const char *wants;	/* what its words must be; NULL: it sees to that itself */
	bool change;		/* takes the lock */
	bool status;		/* returns an exit status, and looks for sets itself */
};

static int refusal(int err)
{
	return err == -EINVAL || err == -ECANCELED ? EXIT_USAGE : exit_status(err);
}

/* Before anything is looked for: a keyword that is misspelt is one of the other words. */
static int check_targets(const struct block_run *b, const struct verb *v)
{
	struct np_rule rule = { 0 };

	for (int i = 0; v->wants && i < b->argc; i++)
		if (!rule_target(&rule, b->argv[i], strlen(b->argv[i])) &&
		    (strcmp(b->argv[i], "-") || v->run == block_del))
			return wrong_word(b->g, b->argv[i], v->wants);
	return 0;
}

static int run_verb(struct block_run *b, const struct verb *v)
{
	int err = check_targets(b, v);

	if (err)
		return EXIT_USAGE;
	libbpf_set_print(NULL);		/* it tells of filters that are not there */
	b->like = (struct np_rule){ .dir = b->o->egress ? NP_DST : NP_SRC, .action = NP_DROP };
	err = rules_init(&b->rules);
	if (!err)
		err = rules_init(&b->words);
	if (!err && v->prepare)
		err = v->prepare(b);
	if (!err && !v->status)
		err = block_find(b, v->change);
	if (err)
		return refusal(err);
	err = v->run(b);
	return v->status ? err : refusal(err);
}

static int block_run(const struct globals *g, const void *opts, int argc, char **argv)
{
	struct block_run *b = calloc(1, sizeof(*b));
	int rc;

	if (!b)
		return exit_status(fail(ENOMEM, "block"));
	b->g = g;
	b->o = opts;
	b->argv = argv;
	b->argc = argc;
	b->pin.lock = -1;
	b->set.prog = -1;
	rc = session_netns(g, NULL);
	if (!rc)
		rc = run_verb(b, g->verb->data);
	block_done(b);
	free(b);
	return rc;
}

#define VERB(name_, prepare_, run_, wants_, change_, status_, ...) \
	{ .name = (name_), .run = block_run, \
	  .data = &(const struct verb){ prepare_, run_, wants_, change_, status_ }, __VA_ARGS__ }
#define ADDED "no address, prefix, MAC address, file FILE or -"

static const struct command block_verbs[] = {
	VERB("add", prepare_add, block_add, ADDED, true, false, .summary = "Drop what comes from these",
	     .usage = "TARGET... [KEYWORD]... [dev IFACE] [reason TEXT]",
	     .opts = add_rows, .keywords = add_keywords, .operand = &target_operand),
	VERB("allow", prepare_allow, block_allow, ADDED, true, false,
	     .summary = "Let these pass whatever else is blocked",
	     .usage = "TARGET... [KEYWORD]... [dev IFACE] [reason TEXT]",
	     .opts = add_rows, .keywords = add_keywords, .operand = &target_operand),
	VERB("apply", prepare_apply, block_apply, NULL, true, false,
	     .summary = "Make the file the whole set: what it does not name goes",
	     .usage = "FILE [dev IFACE]", .opts = apply_rows, .operand = &apply_operand),
	VERB("del", NULL, block_del, "no address, prefix, MAC address or id N", true, false,
	     .summary = "Take entries away, or all of them",
	     .usage = "TARGET... | id N | --expired | --all [dev IFACE]",
	     .opts = del_rows, .keywords = del_keywords, .operand = &target_operand),
	VERB("list", NULL, block_list, NULL, false, true, .summary = "List the entries, as they would be written",
	     .usage = "[--hits] [dev IFACE]", .opts = list_rows),
	VERB("status", NULL, block_status, NULL, false, true,
	     .summary = "Tell where the set is attached, and what became of packets", .usage = "[dev IFACE]"),
	VERB("poll", NULL, block_poll, NULL, false, true,
	     .summary = "Tell again and again what becomes of packets, as rates",
	     .usage = "[INTERVAL [COUNT]] [dev IFACE]", .operand = &poll_operand),
	VERB("test", block_prepare_test, block_test, NULL, false, true,
	     .summary = "Tell what would become of a packet, and by which entry",
	     .usage = "ADDR[:PORT][/PROTO]... | -r FILE [--list FILE | dev IFACE]",
	     .opts = test_rows, .operand = &test_operand),
	VERB("confirm", NULL, block_confirm, NULL, true, false, .summary = "Let the changed set stay",
	     .usage = "[dev IFACE]", .opts = confirm_rows),
	VERB("rollback", NULL, block_rollback, NULL, true, false,
	     .summary = "Go back to the set before the last change",
	     .usage = "[dev IFACE]", .opts = rollback_rows),
	{ .name = NULL },
};

const struct command cmd_block = {
	.name = "block",
	.summary = "Drop packets by address, prefix, port or MAC address before the stack sees them",
	.usage = "add|allow|apply|del|list|status|poll|test|confirm|rollback [ARG]... [dev IFACE]",
	.opts = block_rows,
	.keywords = block_keywords,
	.size = sizeof(struct block_opts),
	.verbs = block_verbs,
	.examples = block_examples,
};
