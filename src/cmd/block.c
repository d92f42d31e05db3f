// SPDX-License-Identifier: GPL-2.0-or-later
/* block: a firewall in front of the network stack. */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "cmd/block.h"
#include "cmd/block_unit.h"
#include "cmd/session.h"
#include "util/err.h"
#include "where.h"

enum { NAMES_TOLD = 20 };

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

#define FRAG_ROW \
	{ "frag", 0, OPT_WORD, B(frag), "POLICY", \
	  "later fragments: inherit the verdict of the first (default), drop or pass", \
	  &(const struct opt_words){ .list = block_frags } }

/* Of whatever puts another set in the place of what runs. */
#define SWAP_ROWS \
	{ "confirm", 0, OPT_TIME, B(confirm_ns), "TIME", \
	  "pass everything again after TIME unless confirmed; 60 s from a terminal" }, \
	{ "commit", 0, OPT_FLAG, B(commit), NULL, "do not wait for a confirmation" }, \
	{ "force-lockout", 0, OPT_FLAG, B(force), NULL, "even when it cuts off your own session" }

/* Of whatever changes a set. */
#define CHANGE_ROWS \
	MODE_ROW, \
	FRAG_ROW, \
	{ "xdp-mode", 'm', OPT_WORD, B(xdp), "XDPMODE", "where: at XDP, or at tcx", \
	  OPT_WORDS("auto", "native", "generic", "tcx") }, \
	{ "dry-run", 0, OPT_FLAG, B(dry_run), NULL, "check and load, but change nothing" }, \
	SWAP_ROWS

/* What an entry matches besides its target. */
#define MATCH_ROWS \
	{ "src", 0, OPT_PASS, B(conditions), NULL, "what comes from the targets (the default)" }, \
	{ "dst", 0, OPT_PASS, B(conditions), NULL, "what goes to them" }, \
	{ "both", 0, OPT_PASS, B(conditions), NULL, "either" }, \
	{ "proto", 0, OPT_PASS, B(conditions), "P", \
	  "of this protocol only: tcp, udp, icmp, icmp6, sctp, gre or a number" }, \
	{ "port", 0, OPT_PASS, B(conditions), "N[-M]", "to these destination ports only" }, \
	{ "action", 0, OPT_PASS, B(conditions), "ACTION", "what becomes of it; RATE[/BURST] is 100pps, 1mbit", \
	  OPT_WORDS("drop", "audit", "limit RATE", "allow") }, \
	{ "shared", 0, OPT_PASS, B(conditions), NULL, "all sources share the rate" }

static const struct opt rollback_rows[] = { SWAP_ROWS, { .type = OPT_END } };
static const struct opt confirm_rows[] = {
	{ "force-lockout", 0, OPT_FLAG, B(force), NULL, "even when it cuts off your own session" },
	{ .type = OPT_END },
};

static const struct opt add_rows[] = { CHANGE_ROWS, { .type = OPT_END } };

static const struct opt add_keywords[] = {
	{ "file", 0, OPT_STRS, B(files), "FILE", "the entries of FILE" },
	{ "domain", 0, OPT_STRS, B(domains), "NAME", "a host name: not enforced yet, and refused" },
	MATCH_ROWS,
	{ "for", 0, OPT_PASS, B(conditions), "TIME", "for so long: 10m, 1d" },
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
	MATCH_ROWS,
	{ .type = OPT_END },
};

#define WHERE_ROW \
	{ "where", 0, OPT_STR, B(where), "EXPR", "records for which this holds: 'block.hits > 0'" }

static const struct opt show_rows[] = { WHERE_ROW, { .type = OPT_END } };

static const struct opt list_rows[] = {
	{ "hits", 0, OPT_FLAG, B(hits), NULL, "with counts, those with the most hits first" },
	WHERE_ROW,
	{ .type = OPT_END },
};

static const struct opt test_rows[] = {
	{ "list", 0, OPT_STRS, B(list), "FILE", "the entries of FILE, without a kernel; may be given again" },
	{ "read", 'r', OPT_ONCE, B(read), "FILE", "the frames of a capture" },
	MODE_ROW,
	FRAG_ROW,
	{ "failsafe", 0, OPT_STRS, B(failsafe), "PORT",
	  "with --mode deny: a TCP port that stays open, of sshd (22); may be given again" },
	{ .type = OPT_END },
};

static const struct opt target_operand = {
	.type = OPT_STRS, .arg = "TARGET", .help = "an address, a prefix, a range, a MAC address, any; - reads a list"
};
static const struct opt del_operand = {
	.type = OPT_STRS, .arg = "TARGET",
	.help = "an address, a prefix, a range, a MAC address, any, or an entry's number"
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

int block_set_failsafe(struct block_run *b)
{
	const struct strs *ports = &b->o->failsafe;
	uint64_t port;

	if (!ports->n)
		b->rules.failsafe[b->rules.n_failsafe++] = 22;	/* of any machine; where it runs, those of its sshd */
	for (unsigned int i = 0; i < ports->n; i++) {
		if (opt_number(ports->v[i], 1000, 1, &port) || !port || port > 65535)
			return fail(0, "--failsafe: '%s' is no port", ports->v[i]);
		if (b->rules.n_failsafe == sizeof(b->rules.failsafe) / sizeof(b->rules.failsafe[0]))
			return fail(0, "--failsafe: more than %u ports", b->rules.n_failsafe);
		b->rules.failsafe[b->rules.n_failsafe++] = (uint16_t)port;
	}
	return 0;
}

/* ── add, allow ───────────────────────────────────────────────────────────── */

int block_each(struct block_run *b, const char *word, const struct np_rule *like,
	       int (*each)(struct block_run *b, const struct np_rule *rule))
{
	struct np_rule rule = *like;
	struct range g;
	int err = 0;

	if (rule_target(&rule, word, strlen(word))) {
		err = each(b, &rule);
		if (err || strcmp(word, "any"))
			return err;
		rule.kind = NP_KIND_V6;
		return each(b, &rule);
	}
	if (range_parse(&g, word, strlen(word)) == 1)
		while (!err && range_next(&g, &rule))
			err = each(b, &rule);
	return err;
}

static int add_rule(struct block_run *b, const struct np_rule *rule)
{
	return block_give(b, rule, &(enum rules_met){ RULES_NEW });
}

static int add_target(struct block_run *b, const char *word)
{
	const char *reason = rules_string(&b->words, b->like.reason);
	struct np_rule like = b->like;

	like.reason = rules_text(&b->rules, reason, strlen(reason));
	if (like.reason == UINT32_MAX)
		return fail(ENOMEM, "texts of entries");
	if (like.flags & NP_RULE_EXPIRES)
		like.expires_ns += b->now_ns;
	return block_each(b, word, &like, add_rule);
}

/* Names are read from lists, but no program looks at them yet: that must not be silent. */
static int no_names(const struct rules *r, const char *path)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < r->n; i++) {
		const struct np_rule *rule = &r->v[i];

		if (rule->kind == NP_KIND_NAME && n++ < NAMES_TOLD)
			fail(0, "%s:%u: '%s%s' is a host name", rules_string(r, rule->file), rule->line,
			     rule->flags & NP_RULE_SUFFIX ? "*." : "", rules_string(r, rule->name));
	}
	if (!n)
		return 0;
	if (n > NAMES_TOLD)
		fail(0, "%s: %u more host name%s", path, n - NAMES_TOLD, n - NAMES_TOLD == 1 ? "" : "s");
	fail(0, "%s: names are not enforced by this version's program: nothing was changed", path);
	return -EOPNOTSUPP;
}

int block_change(struct block_run *b, const char *what)
{
	rules_sort(&b->rules);
	block_set_modes(b);
	peers_find(&b->peers);
	return block_commit(b, what);
}

/* A file of entries that are to be in force. */
static int read_list(struct block_run *b, const char *path)
{
	int err = block_read(b, path);

	return err ? err : no_names(&b->lists[b->n_lists - 1].rules, path);
}

/* Where nobody sees that it is empty. */
static int read_stdin(struct block_run *b)
{
	int err = read_list(b, "-");

	return err || b->lists[b->n_lists - 1].rules.n ? err :
							 fail(0, "standard input: no entries: nothing was changed");
}

/* What `reason` takes ends with the line: what else is meant by a word in there would be lost in silence. */
static int check_reason(const struct block_run *b)
{
	const struct rest *r = &b->o->reason;

	for (int i = 1; i < r->n; i++) {
		const char *next = i + 1 < r->n ? r->v[i + 1] : "";

		if (!strcmp(r->v[i], "reason") || (!strcmp(r->v[i], "dev") && if_nametoindex(next)))
			return fail(0, "'%s %.60s': 'reason' was given before, and takes all that follows; a text with "
				       "that word goes into quotes", r->v[i], next);
	}
	return 0;
}

/* There is nothing left to read for a second one. */
static int check_stdin(const struct block_run *b)
{
	int n = 0;

	for (int i = 0; i < b->argc; i++)
		n += !strcmp(b->argv[i], "-");
	return n > 1 ? fail(0, "'-' was given before: standard input is one list") : 0;
}

static int check_family(const struct block_run *b, const char *word)
{
	struct np_rule rule = b->like;
	char why[160];

	if (strcmp(word, "any") && rule_target(&rule, word, strlen(word)) && rule_family(&rule, why))
		return fail(0, "%s: %s", word, why);
	return 0;
}

/* The words, and all files: before there is a lock that a slow pipe would hold. */
static int prepare_add(struct block_run *b)
{
	const struct block_opts *o = b->o;
	char why[160];
	int err = 0;

	if (o->domains.n) {
		fail(0, "domain %s: names are not enforced by this version's program", o->domains.v[0]);
		return -EOPNOTSUPP;
	}
	if (!b->argc && !o->files.n)
		return fail(0, "what? ADDR, CIDR, RANGE, MAC, any, file FILE or -");
	if (check_reason(b) || check_stdin(b))
		return -EINVAL;
	if (rule_words(&b->words, &b->like, (int)o->conditions.n, o->conditions.v, 0, why) ||
	    rule_words(&b->words, &b->like, o->reason.n, o->reason.v, 0, why))
		return fail(0, "%s", why);
	for (int i = 0; i < b->argc && !err; i++)
		err = check_family(b, b->argv[i]);
	for (int i = 0; i < b->argc && !err; i++)
		err = strcmp(b->argv[i], "-") ? 0 : read_stdin(b);
	for (unsigned int i = 0; i < o->files.n && !err; i++)
		err = read_list(b, o->files.v[i]);
	return err;
}

static int prepare_allow(struct block_run *b)
{
	int err;

	b->like.action = NP_ALLOW;
	err = prepare_add(b);
	if (!err && b->like.action != NP_ALLOW)
		return fail(0, "'action %s' of what is to be allowed: add, not allow", rule_actions[b->like.action]);
	return err;
}

static int add(struct block_run *b, const char *what)
{
	unsigned int list = 0;
	int err = block_base(b);

	for (int i = 0; i < b->argc && !err; i++)
		err = strcmp(b->argv[i], "-") ? add_target(b, b->argv[i]) : block_add_list(b, &b->lists[list++]);
	for (; list < b->n_lists && !err; list++)
		err = block_add_list(b, &b->lists[list]);
	return err ? err : block_change(b, what);
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
	return b->argc ? read_list(b, b->argv[0]) : fail(0, "apply FILE: one file is the whole set");
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
		err = block_change(b, "apply");
	if (!err && b->o->persist)
		print_unit(b, &u);
	return err;
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
static int check_target(const struct block_run *b, const struct verb *v, const char *word)
{
	struct np_rule rule = { 0 };
	struct range g;
	int is_range;

	if (rule_target(&rule, word, strlen(word)))
		return 0;
	if (v->run == block_del ? block_number(word) != 0 : !strcmp(word, "-"))
		return 0;
	is_range = range_parse(&g, word, strlen(word));
	if (is_range < 0)
		return fail(0, "'%s' is a range that ends before it begins", word);
	if (!is_range && range_begins(word, strlen(word)))
		return fail(0, "'%s' is no range: " RANGE_FORM, word);
	if (!is_range && block_is_name(word)) {
		fail(0, "'%s' is a host name: names are not enforced by this version's program", word);
		return -EOPNOTSUPP;
	}
	return is_range ? 0 : wrong_word(b->g, word, v->wants);
}

/* What cannot be meant together. */
static int check_options(const struct block_run *b, const struct verb *v)
{
	const struct block_opts *o = b->o;

	if (o->confirm_ns && o->commit)
		return fail(0, "--confirm waits for a confirmation, --commit does not: which of the two?");
	if (o->ingress && o->egress)
		return fail(0, "--ingress and --egress: del --all alone takes away both");
	if (o->ingress && !o->all)
		return fail(0, "--ingress is for del --all");
	if (v->run == block_test && !o->list.n && (o->mode || o->frag || o->failsafe.n))
		return fail(0, "%s is for --list FILE: what runs has its own",
			    o->mode ? "--mode" : o->frag ? "--frag" : "--failsafe");
	return 0;
}

static int run_verb(struct block_run *b, const struct verb *v)
{
	int err = check_options(b, v);

	if (!err && v->wants)
		err = block_check_ranges(b);
	for (int i = 0; v->wants && i < b->argc && !err; i++)
		err = check_target(b, v, b->argv[i]);
	if (err)
		return refusal(err);
	libbpf_set_print(NULL);		/* it tells of filters that are not there */
	b->like = (struct np_rule){ .dir = b->o->egress ? NP_DST : NP_SRC, .action = NP_DROP };
	err = b->o->where ? where_compile(&b->where, b->o->where) : 0;
	if (!err)
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
	struct block_opts o;
	int rc;

	if (!b)
		return exit_status(fail(ENOMEM, "block"));
	memcpy(&o, opts, sizeof(o));
	b->g = g;
	b->o = &o;
	b->argv = argv;
	b->argc = argc;
	b->pin.lock = -1;
	b->set.prog = -1;
	rc = session_netns(g, NULL);
	if (!rc && block_check_interfaces(&o.iface))
		rc = EXIT_USAGE;
	if (!rc)
		rc = run_verb(b, g->verb->data);
	block_done(b);
	where_free(b->where);
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
	     .without = records_only, .opts = add_rows, .keywords = add_keywords, .operand = &target_operand),
	VERB("allow", prepare_allow, block_allow, ADDED, true, false,
	     .summary = "Let these pass whatever else is blocked",
	     .usage = "TARGET... [KEYWORD]... [dev IFACE] [reason TEXT]",
	     .without = records_only, .opts = add_rows, .keywords = add_keywords, .operand = &target_operand),
	VERB("apply", prepare_apply, block_apply, NULL, true, false,
	     .summary = "Make the file the whole set: what it does not name goes",
	     .usage = "FILE [dev IFACE]", .without = records_only, .opts = apply_rows, .operand = &apply_operand),
	VERB("del", block_prepare_del, block_del, "no address, prefix, MAC address or id N", true, false,
	     .summary = "Take entries away, or all of them",
	     .usage = "TARGET... [KEYWORD]... | id N | --expired | --all [dev IFACE]",
	     .without = records_only, .opts = del_rows, .keywords = del_keywords, .operand = &del_operand),
	VERB("list", NULL, block_list, NULL, false, true, .summary = "List the entries, as they would be written",
	     .usage = "[--hits] [dev IFACE]", .opts = list_rows),
	VERB("status", NULL, block_status, NULL, false, true,
	     .summary = "Tell where the set is attached, and what became of packets", .usage = "[dev IFACE]",
	     .opts = show_rows),
	VERB("poll", NULL, block_poll, NULL, false, true,
	     .summary = "Tell again and again what becomes of packets, as rates",
	     .usage = "[INTERVAL [COUNT]] [dev IFACE]", .opts = show_rows, .operand = &poll_operand),
	VERB("test", block_prepare_test, block_test, NULL, false, true,
	     .summary = "Tell what would become of a packet, and by which entry",
	     .usage = "ADDR[:PORT][/PROTO]... | -r FILE [--list FILE | dev IFACE]",
	     .opts = test_rows, .operand = &test_operand),
	VERB("confirm", NULL, block_confirm, NULL, true, false, .summary = "Let the changed set stay",
	     .usage = "[dev IFACE]", .without = records_only, .opts = confirm_rows),
	VERB("rollback", NULL, block_rollback, NULL, true, false,
	     .summary = "Go back to the set before the last change",
	     .usage = "[dev IFACE]", .without = records_only, .opts = rollback_rows),
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
