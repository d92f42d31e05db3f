// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Files of entries, which anybody may have written: they are opened with the user's rights, read by a process that
 * has given up all of its own (batch_confine()), and what that hands over is checked before it counts.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/block.h"
#include "cmd/session.h"
#include "priv/priv.h"
#include "util/cleanup.h"
#include "util/err.h"

enum { LIST_BYTES_MAX = 512 << 20, SAID_MAX = 20 };

enum { READ_WELL, READ_FAILED, READ_BAD_LINES };	/* how the reader exits, having said why */

/* ── the reader ───────────────────────────────────────────────────────────── */

struct job {
	const char *path, *name;
	const struct rules *words;	/* whose texts those of `like` are */
	struct np_rule like;
	int in, out, alive;
};

struct said {
	unsigned int n;
};

static void bad_line(void *ctx, const char *file, uint32_t line, const char *why)
{
	struct said *s = ctx;

	if (s->n++ < SAID_MAX)
		fail(0, "%s:%u: %s", file, line, why);
}

/* Nothing more is wanted once whoever asked is gone. */
static bool is_wanted(const struct job *j)
{
	struct pollfd p[] = { { .fd = j->in, .events = POLLIN }, { .fd = j->alive } };

	while (poll(p, 2, -1) < 0 && errno == EINTR)
		;
	return !p[1].revents;
}

static int read_all(const struct job *j, struct buf *b)
{
	ssize_t n;

	b->max = LIST_BYTES_MAX;
	do {
		if (!buf_room(b, 1 << 16))
			return fail(b->n + (1 << 16) > LIST_BYTES_MAX ? EFBIG : ENOMEM, "%s", j->path);
		if (!is_wanted(j))
			return -ECANCELED;
		n = read(j->in, b->p + b->n, b->cap - b->n);
		if (n < 0 && errno != EINTR)
			return fail(errno, "%s", j->path);
		b->n += n > 0 ? (size_t)n : 0;
	} while (n);
	return 0;
}

static int tell_bad(const struct job *j, const struct said *said, const struct list_report *report)
{
	if (said->n > SAID_MAX)
		fail(0, "%s: %u more bad line%s", j->path, said->n - SAID_MAX,
		     said->n - SAID_MAX == 1 ? "" : "s");
	fail(0, "%s: %u of %u line%s %s bad: nothing was changed", j->path, report->bad_lines, report->lines,
	     report->lines == 1 ? "" : "s", report->bad_lines == 1 ? "is" : "are");
	return READ_BAD_LINES;
}

static int parse(struct job *j)
{
	struct said said = { 0 };
	struct list_report report = { .bad = bad_line, .ctx = &said };
	const char *reason = rules_string(j->words, j->like.reason);
	struct buf text = { 0 };
	struct rules r;
	int err = rules_init(&r);

	if (err)
		return READ_FAILED;
	j->like.reason = rules_text(&r, reason, strlen(reason));
	err = read_all(j, &text);
	if (!err)
		err = list_read(&r, j->name, text.p ? text.p : "", text.n, &j->like, 0, &report);
	if (err > 0)
		return tell_bad(j, &said, &report);
	if (!err)
		err = list_pack(j->out, &r, &report);
	if (err && err != -ECANCELED)
		fail(0, "%s: nothing was changed", j->path);
	return err || priv_refused() ? READ_FAILED : READ_WELL;
}

/* Its standard output is none of its business, and what it hands over has a bound. */
static int read_confined(struct job *j)
{
	const struct rlimit most = { list_pack_max(), list_pack_max() };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || setrlimit(RLIMIT_FSIZE, &most)) {
		fail(errno, "%s: cannot be read apart", j->path);
		return READ_FAILED;
	}
	close(null);
	json_object_seed(0);	/* from /dev/urandom, which is out of reach later */
	return batch_confine() ? READ_FAILED : parse(j);
}

/* ── who asks for it ──────────────────────────────────────────────────────── */

static int ended(const struct job *j, int status)
{
	if (WIFSIGNALED(status)) {
		fail(0, "%s: whoever read it was ended by a signal (%s): nothing was changed", j->path,
		     strsignal(WTERMSIG(status)));
		return -EIO;
	}
	if (WEXITSTATUS(status) == READ_BAD_LINES)
		return -EINVAL;
	return WEXITSTATUS(status) == READ_WELL ? 0 : -EIO;
}

static int read_apart(struct job *j)
{
	int alive[2], status = 0;
	pid_t pid;

	if (pipe2(alive, O_CLOEXEC))
		return fail(errno, "a pipe");
	fflush(NULL);
	pid = fork();
	if (!pid) {
		close(alive[1]);
		j->alive = alive[0];
		_exit(read_confined(j));
	}
	close(alive[0]);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	close(alive[1]);
	return pid < 0 ? fail(errno, "%s: a process for reading", j->path) : ended(j, status);
}

/* Nobody can write there any more, or it is not taken. */
static int take_over(const struct job *j, struct rules *r, struct list_report *report)
{
	char why[160];
	struct stat st;
	void *p;
	int err;

	if (fcntl(j->out, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) || fstat(j->out, &st))
		return fail(errno, "%s: what was read of it", j->path);
	p = st.st_size ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, j->out, 0) : MAP_FAILED;
	if (p == MAP_FAILED)
		return fail(st.st_size ? errno : EIO, "%s: what was read of it", j->path);
	err = list_unpack(r, j->name, p, (size_t)st.st_size, report, why);
	munmap(p, (size_t)st.st_size);
	if (err == -EBADMSG)
		fail(0, "%s: %s: nothing was changed", j->path, why);
	return err;
}

static int read_one(struct block_run *b, struct block_list *l)
{
	struct job j = { .path = l->path, .name = strcmp(l->path, "-") ? l->path : "standard input",
			 .words = &b->words, .like = b->like };
	owned_fd int in = j.name != l->path ? dup(0) : open(l->path, O_RDONLY | O_CLOEXEC);
	owned_fd int out = memfd_create("netprobe-list", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int err;

	if (in < 0 || out < 0)
		return fail(errno, "%s", in < 0 ? l->path : "memory for entries");
	j.in = in;
	j.out = out;
	err = read_apart(&j);
	return err ? err : take_over(&j, &l->rules, &l->report);
}

int block_read(struct block_run *b, const char *path)
{
	struct block_list *v = realloc(b->lists, (b->n_lists + 1) * sizeof(*v)), *l;
	int err;

	if (!v)
		return fail(ENOMEM, "%s", path);
	b->lists = v;
	l = &v[b->n_lists];
	memset(l, 0, sizeof(*l));
	l->path = path;
	err = rules_init(&l->rules);
	b->n_lists += !err;
	return err ? err : read_one(b, l);
}

void block_lists_free(struct block_run *b)
{
	for (unsigned int i = 0; i < b->n_lists; i++)
		rules_free(&b->lists[i].rules);
	free(b->lists);
}

/* ── into the set ─────────────────────────────────────────────────────────── */

static const char *list_name(const struct block_list *l)
{
	return strcmp(l->path, "-") ? l->path : "standard input";
}

static void tell(const struct block_list *l)
{
	const char *path = list_name(l);
	static const char *const mets[] = { "new", "renewed", "with another action now", "as before" };
	uint32_t names = 0, n = 0;
	struct buf t = { 0 };

	for (uint32_t i = 0; i < l->rules.n; i++)
		names += l->rules.v[i].kind == NP_KIND_NAME;
	if (names)
		note("%s: %u host name%s: not enforced, and not judged by", path, names, names == 1 ? "" : "s");
	for (int i = 0; i < RULES_GIVEN; i++)
		n += l->met[i];
	for (int i = 0; i < RULES_GIVEN; i++)
		if (l->met[i] && l->met[RULES_NEW] < n)
			buf_fmt(&t, "%s %u %s", t.n ? "," : ":", l->met[i], mets[i]);
	if (l->report.same)
		buf_fmt(&t, ", %u given before", l->report.same);
	note("%s: %u line%s, %u %s%.*s", path, l->report.lines, l->report.lines == 1 ? "" : "s", n, block_entries(n),
	     (int)t.n, t.p ? t.p : "");
	buf_free(&t);
}

/* What is permitted says nothing as long as the rest passes uncounted; --mode says otherwise. */
static void set_permitted(const struct block_run *b, const struct block_list *l, struct rules *r)
{
	if (!l->report.permitted || r->mode != NP_MODE_BLOCK || b->o->mode)
		return;
	r->mode = NP_MODE_LOG;
	note("%s: what is permitted: the mode is log now, what no entry decides is counted", list_name(l));
}

static uint32_t copy_text(struct rules *to, const struct rules *from, uint32_t at)
{
	const char *text = rules_string(from, at);

	return rules_text(to, text, strlen(text));
}

int block_give(struct block_run *b, const struct np_rule *rule, enum rules_met *met)
{
	char why[160];
	uint32_t at;
	int err = rules_give(&b->rules, rule, met, &at);

	if (err || *met != RULES_CONTRADICTS)
		return err;
	rules_contradiction(&b->rules, rule, at, why);
	if (rule->file)
		fail(0, "%s:%u: %s", rules_string(&b->rules, rule->file), rule->line, why);
	else
		fail(0, "%s", why);
	return -EINVAL;
}

static int add_entry(struct block_run *b, const struct rules *from, const struct np_rule *entry, enum rules_met *met)
{
	struct rules *r = &b->rules;
	struct np_rule rule = *entry;

	rule.reason = copy_text(r, from, rule.reason);
	rule.name = copy_text(r, from, rule.name);
	rule.file = copy_text(r, from, rule.file);
	if (rule.reason == UINT32_MAX || rule.name == UINT32_MAX || rule.file == UINT32_MAX)
		return fail(ENOMEM, "texts of entries");
	r->last_file = rule.file;
	if (rule.flags & NP_RULE_EXPIRES)
		rule.expires_ns += b->now_ns;
	return block_give(b, &rule, met);
}

int block_add_list(struct block_run *b, struct block_list *l)
{
	int err = 0;

	for (uint32_t i = 0; i < l->rules.n && !err; i++) {
		enum rules_met met = RULES_NEW;

		err = add_entry(b, &l->rules, &l->rules.v[i], &met);
		l->met[met]++;
	}
	if (err)
		return err;
	l->report.same += l->met[RULES_GIVEN];
	set_permitted(b, l, &b->rules);
	tell(l);
	return 0;
}

/* What matches the same, with the same action, keeps its number, and with it its counts. */
int block_take_list(struct block_run *b, struct block_list *l)
{
	struct rules *r = &l->rules;
	int err;

	for (uint32_t i = 0; i < r->n; i++) {
		r->v[i].id = b->rules.next_id++;
		if (r->v[i].flags & NP_RULE_EXPIRES)
			r->v[i].expires_ns += b->now_ns;
	}
	l->met[RULES_NEW] = r->n;
	r->next_id = b->rules.next_id;
	r->mode = b->rules.mode;
	r->frag = b->rules.frag;
	set_permitted(b, l, r);
	err = rules_keep_numbers(r, &b->rules);
	if (err)
		return err;
	rules_free(&b->rules);
	b->rules = *r;
	memset(r, 0, sizeof(*r));
	tell(l);
	return 0;
}
