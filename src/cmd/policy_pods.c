// SPDX-License-Identifier: GPL-2.0-or-later
/* policy pods: who is on this node, by its own files and by what objects there are. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/fields.h"
#include "cmd/policy_network.h"
#include "util/cleanup.h"
#include "util/err.h"
#include "util/escape.h"
#include "util/time.h"

enum { ROW_ADDRS_MAX = POD_ADDRS_MAX, SOURCES_MAX = FACT_KINDS + 2 };

/* A pod as the node's files know it, as its object does, or both. */
struct row {
	const struct node_pod *node;
	const struct k8s_pod *object;
	const char *ns, *name;
};

struct listing {
	struct policy *p;
	struct output_options o;
	struct output out;
	struct pipeline pipe;
	struct network net;
	struct whom whom;
	struct row *rows;
	const struct row *row;		/* that is printed */
	uint32_t n;
	int name_width, addr_width;	/* of their columns */
	bool titles;
	uint32_t node;			/* what objects call this one; 0: not known */
	uint32_t ended, elsewhere;	/* not shown */
	bool nodes;			/* there is a column of them */
};

static const char *const fact_words[FACT_KINDS] = {
	[FACT_CNI_RESULT] = "cni", [FACT_RUNTIME] = "runtime", [FACT_CGROUP] = "cgroup", [FACT_HOSTS] = "hosts",
	[FACT_LOG] = "logs", [FACT_KUBELET] = "kubelet",
};
static const char *const object_words[] = {
	[OBJECT_FILE] = "file", [OBJECT_KUBELET] = "kubelet", [OBJECT_KUBECTL] = "kubectl",
};

/* ── rows ─────────────────────────────────────────────────────────────────── */

/* The plugin and the runtime know; an object may be of yesterday. */
static bool is_known(const struct row *r)
{
	return r->node && node_pod_known(r->node);
}

static bool lives(const struct listing *l, const struct row *r)
{
	if (r->node && (is_known(r) || !r->object))
		return node_pod_lives(&l->net.pods, r->node);
	return r->object && !r->object->ended;
}

static bool has_host_network(const struct row *r)
{
	if (r->node && (is_known(r) || !r->object))
		return r->node->host_network;
	return r->object && r->object->host_network;
}

/* Those of a pod of the host's network are not its own; what the node knows to be another's is not this one's. */
static unsigned int addresses(const struct listing *l, const struct row *r, struct addr *to)
{
	unsigned int n = 0;

	if (has_host_network(r))
		return 0;
	for (unsigned int i = 0; r->node && (is_known(r) || !r->object) && i < r->node->n_addrs; i++)
		to[n++] = r->node->addrs[i].a;
	for (uint32_t i = 0; !n && r->object && i < r->object->n_ips && i < POD_ADDRS_MAX; i++) {
		const struct node_pod *other = node_pod_by_addr(&l->net.pods, &r->object->ips[i]);

		if (!other || other == r->node || !node_pod_known(other))
			to[n++] = r->object->ips[i];
	}
	return n;
}

static const char *node_word(const struct listing *l, const struct row *r, uint32_t text)
{
	return r->node ? node_text(&l->net.pods, text) : "";
}

static bool meant(struct listing *l, const struct row *r)
{
	struct addr addrs[ROW_ADDRS_MAX];
	const struct node_pod none = { 0 }, *n = r->node ? r->node : &none;

	return whom_fits(&l->whom, &(struct whom_row){
		.ns = r->ns,
		.name = r->name,
		.iface = node_word(l, r, n->iface),
		.uid = r->object && r->object->uid ? intern_text(&l->p->k->names, r->object->uid)
						   : node_word(l, r, n->uid),
		.sandbox = node_word(l, r, n->sandbox),
		.addrs = addrs,
		.n_addrs = addresses(l, r, addrs),
	});
}

/* Words ask for what there is, wherever; without them it is this node's that runs. */
static void put_row(struct listing *l, const struct node_pod *node, const struct k8s_pod *object)
{
	const struct k8s *k = l->p->k;
	struct row r = { .node = node, .object = object };
	bool all = l->p->o->all || l->whom.n;

	r.ns = object ? intern_text(&k->names, k->ns[object->ns].name) : node_text(&l->net.pods, node->ns);
	r.name = object ? intern_text(&k->names, object->name) : node_text(&l->net.pods, node->name);
	if (!meant(l, &r))
		return;
	if (!all && !lives(l, &r))
		l->ended++;
	else if (!all && !node && l->node && object->node && object->node != l->node)
		l->elsewhere++;
	else
		l->rows[l->n++] = r;
}

static int by_name(const void *a, const void *b)
{
	const struct row *p = a, *q = b;
	int c = strcmp(p->ns, q->ns);

	return c ? c : strcmp(p->name, q->name);
}

static int make_rows(struct listing *l)
{
	const struct k8s *k = l->p->k;
	owned_mem bool *taken = calloc(k->n_pods + 1, sizeof(*taken));

	l->rows = calloc((size_t)l->net.pods.n + k->n_pods + 1, sizeof(*l->rows));
	if (!taken || !l->rows)
		return fail(ENOMEM, "the node's pods");
	l->node = network_this_node(&l->net.pods, l->p->k);
	for (uint32_t i = 0; i < l->net.pods.n; i++) {
		const struct node_pod *n = &l->net.pods.v[i];
		const struct k8s_pod *o = n->name ? network_object(&l->net.pods, l->p->k, n) : NULL;

		o = o && !taken[o - k->pods] ? o : NULL;
		if (o)
			taken[o - k->pods] = true;
		put_row(l, n, o);
	}
	for (uint32_t i = 1; i < k->n_pods; i++)
		if (k->pods[i].alive && !taken[i])
			put_row(l, NULL, &k->pods[i]);
	qsort(l->rows, l->n, sizeof(*l->rows), by_name);
	return 0;
}

/* ── records ──────────────────────────────────────────────────────────────── */

/* What a record of a row points to. */
struct row_text {
	char text[ROW_ADDRS_MAX][ADDR_TEXT_MAX];
	struct str addresses[ROW_ADDRS_MAX];
	const char *sources[SOURCES_MAX];
};

static void put_node(const struct listing *l, struct record *r, const struct node_pod *n)
{
	struct pod_body *b = pod_of(r);

	listing_text(r, FIELD_POD_UID, &b->uid, node_text(&l->net.pods, n->uid));
	listing_text(r, FIELD_POD_INTERFACE, &b->interface, node_text(&l->net.pods, n->iface));
	listing_text(r, FIELD_POD_NETNS, &b->netns, node_text(&l->net.pods, n->netns));
	listing_text(r, FIELD_POD_NETWORK, &b->network, node_text(&l->net.pods, n->network));
	listing_text(r, FIELD_POD_SANDBOX, &b->sandbox, node_text(&l->net.pods, n->sandbox));
	b->start_ns = (uint64_t)n->start_ns;
	if (n->start_ns > 0)
		record_mark(r, FIELD_POD_START);
}

/* pairs: room for all labels; NULL: none are told. */
static void put_object(const struct listing *l, struct record *r, const struct k8s_pod *o, struct pair *pairs)
{
	const struct intern *names = &l->p->k->names;
	struct pod_body *b = pod_of(r);

	if (o->uid)
		listing_text(r, FIELD_POD_UID, &b->uid, intern_text(names, o->uid));
	listing_text(r, FIELD_POD_WORKLOAD, &b->workload, intern_text(names, o->workload));
	listing_text(r, FIELD_POD_NODE, &b->node, intern_text(names, o->node));
	for (uint32_t i = 0; pairs && i < o->labels.n; i++) {
		const char *key = intern_text(names, o->labels.v[i].key);
		const char *value = intern_text(names, o->labels.v[i].value);

		pairs[i].key = (struct str){ key, (uint32_t)strlen(key) };
		pairs[i].value = (struct str){ value, (uint32_t)strlen(value) };
	}
	listing_list(r, FIELD_POD_LABELS, &b->labels, pairs, pairs ? o->labels.n : 0);
}

static unsigned int sources(const struct row *row, const char **to)
{
	unsigned int n = 0;

	for (unsigned int k = 0; row->node && k < FACT_KINDS; k++)
		if (row->node->sources & 1u << k)
			to[n++] = fact_words[k];
	if (row->object)
		to[n++] = object_words[row->object->source];
	return n;
}

static int put_record(struct listing *l, const struct row *row)
{
	uint32_t n_labels = row->object ? row->object->labels.n : 0;
	owned_mem struct pair *pairs = n_labels ? calloc(n_labels, sizeof(*pairs)) : NULL;
	struct addr addrs[ROW_ADDRS_MAX];
	unsigned int n = addresses(l, row, addrs);
	struct row_text t;
	struct pod_body *b;
	struct record r;

	if (n_labels && !pairs)
		return fail(ENOMEM, "the node's pods");
	record_start(&r, &pod_dataset);
	b = pod_of(&r);
	memset(b, 0, sizeof(*b));
	listing_text(&r, FIELD_POD_NAMESPACE, &b->ns, row->ns);
	listing_text(&r, FIELD_POD_NAME, &b->name, row->name);
	if (row->node)
		put_node(l, &r, row->node);
	if (row->object)
		put_object(l, &r, row->object, pairs);
	for (unsigned int i = 0; i < n; i++)
		t.addresses[i] = (struct str){ t.text[i], addr_text(t.text[i], &addrs[i]) };
	listing_list(&r, FIELD_POD_IP, &b->addresses, t.addresses, n);
	listing_list(&r, FIELD_POD_SOURCES, &b->sources, t.sources, sources(row, t.sources));
	if (row->node)
		listing_word(&r, FIELD_POD_SIDECAR, &b->sidecar, row->node->sidecar);
	if (row->object && row->object->sidecar)
		listing_word(&r, FIELD_POD_SIDECAR, &b->sidecar, row->object->sidecar);
	b->host_network = has_host_network(row);
	b->running = lives(l, row);
	record_mark(&r, FIELD_POD_HOST_NETWORK);
	record_mark(&r, FIELD_POD_RUNNING);
	return listing_put(&l->pipe, &r);
}

/* ── lines ────────────────────────────────────────────────────────────────── */

/* One without a name is called by its uid, or sandbox. */
static int row_name(const struct listing *l, const struct row *r, char *to, size_t size)
{
	char whole[512];
	int n = snprintf(whole, sizeof(whole), "%s%s%s", r->ns ? r->ns : "", r->ns && *r->ns ? "/" : "",
			 r->name ? r->name : "");

	if (!n && r->node && r->node->uid)
		n = snprintf(whole, sizeof(whole), "uid %s", node_text(&l->net.pods, r->node->uid));
	else if (!n && r->node)
		n = snprintf(whole, sizeof(whole), "sandbox %.12s", node_text(&l->net.pods, r->node->sandbox));
	return (int)escape_text(to, size, whole, n < (int)sizeof(whole) ? (size_t)n : sizeof(whole) - 1, ESCAPE_FIELD);
}

/* The addresses; of one that has its node's, that. */
static int row_addrs(const struct listing *l, const struct row *r, char *to, size_t size)
{
	struct addr addrs[ROW_ADDRS_MAX];
	unsigned int n = addresses(l, r, addrs);
	size_t at = 0;

	for (unsigned int i = 0; i < n && size - at > ADDR_TEXT_MAX + 8; i++) {
		if (i)
			to[at++] = ',';
		at += addr_text(to + at, &addrs[i]);
	}
	if (n && r->node && r->node->more_addrs)
		at += (size_t)snprintf(to + at, size - at, ",...");
	to[at] = '\0';
	if (!n)
		at = (size_t)snprintf(to, size, "%s", has_host_network(r) ? "of-node" : "-");
	return (int)at;
}

static void measure(struct listing *l)
{
	char text[512 * ESCAPE_MAX];

	l->name_width = 3;
	l->addr_width = 7;
	for (uint32_t i = 0; i < l->n; i++) {
		int n = row_name(l, &l->rows[i], text, sizeof(text));
		int a = row_addrs(l, &l->rows[i], text, sizeof(text));

		l->name_width = n > l->name_width && n < 64 ? n : l->name_width;
		l->addr_width = a > l->addr_width && a < 48 ? a : l->addr_width;
		l->nodes |= l->rows[i].object && l->rows[i].object->node;
	}
}

static void put_field(struct buf *b, const struct str *s, int width)
{
	char clean[256];

	escape_text(clean, sizeof(clean), s->p, s->n, ESCAPE_FIELD);
	buf_fmt(b, "%-*s ", width, s->n ? clean : "-");
}

static void put_started(const struct listing *l, struct buf *b, uint64_t ns)
{
	const char *style = l->p->g->time ? l->p->g->time : "";
	struct time_cache c = { 0 };
	char text[TIME_TEXT_MAX];
	unsigned int n = 0;

	if (!ns)
		n = (unsigned int)snprintf(text, sizeof(text), "-");
	else if (!strcmp(style, "epoch"))
		n = time_epoch(text, ns);
	else if (!strcmp(style, "utc"))
		n = time_utc(&c, text, ns);
	else
		n = time_date(&c, text, ns);
	/* To the second. */
	buf_fmt(b, "%-19.*s ", n < 19 ? (int)n : 19, text);
}

static void pod_line(void *ctx, const struct record *r, struct buf *b)
{
	struct listing *l = ctx;
	const struct pod_body *p = pod_of(r);
	const char *const *words = p->sources.p;
	char text[512 * ESCAPE_MAX];

	if (l->titles)
		buf_fmt(b, "%-*s %-*s %-15s %s%-19s %s\n", l->name_width, "POD", l->addr_width, "ADDRESS", "INTERFACE",
			l->nodes ? "NODE                 " : "", "SINCE", "KNOWN BY");
	l->titles = false;
	row_name(l, l->row, text, sizeof(text));
	buf_fmt(b, "%-*s ", l->name_width, text);
	row_addrs(l, l->row, text, sizeof(text));
	buf_fmt(b, "%-*s ", l->addr_width, text);
	put_field(b, &p->interface, 15);
	if (l->nodes)
		put_field(b, &p->node, 20);
	put_started(l, b, p->start_ns);
	for (uint32_t i = 0; i < p->sources.n; i++)
		buf_fmt(b, "%s%s", i ? "," : "", words[i]);
	if (!p->running)
		buf_str(b, " (ended)");
}

/* ── reading ──────────────────────────────────────────────────────────────── */

static int read_all(struct listing *l)
{
	int err = network_read(&l->net);

	if (!err)
		err = policy_read(l->p);
	if (!err)
		err = network_kubelet(&l->net.facts, l->p);
	if (!err)
		err = make_rows(l);
	if (!err)
		network_tell_missing(&l->net);
	return err;
}

/* Words that no pod fits are a failure, as with grep, and so is what could not be read; an exit status. */
static int tell_end(const struct listing *l)
{
	int rc = whom_found(&l->whom, "no pod that is known here");

	if (l->ended)
		note("%u pod%s that ended: --all", l->ended, l->ended == 1 ? "" : "s");
	if (l->elsewhere)
		note("%u pod%s of other nodes: --all", l->elsewhere, l->elsewhere == 1 ? "" : "s");
	if (!l->n && !l->ended && !l->whom.n && !l->p->n_files)
		note("no pods: is this a node of Kubernetes? (%s, %s and the like were looked at)",
		     fact_place(FACT_CNI_RESULT), fact_place(FACT_LOG));
	for (unsigned int k = 0; k < FACT_KINDS; k++)
		if (l->net.facts.err[k] == -EACCES)
			rc = EXIT_PERM;
	return l->p->rep.mistakes[MISTAKE_ERROR] ? EXIT_FAILED : rc;
}

static int list_pods(struct listing *l)
{
	static const uint16_t columns[] = {
		FIELD_POD_NAMESPACE, FIELD_POD_NAME, FIELD_POD_IP, FIELD_POD_INTERFACE, FIELD_POD_NODE,
		FIELD_POD_HOST_NETWORK, FIELD_POD_RUNNING, FIELD_POD_START, FIELD_POD_UID, FIELD_POD_SANDBOX,
		FIELD_POD_NETWORK, FIELD_POD_NETNS, FIELD_POD_LABELS, FIELD_POD_SOURCES,
	};
	int err = listing_open(&l->out, &l->pipe, &pod_dataset, columns, sizeof(columns) / sizeof(columns[0]));
	int rc;

	if (!err)
		err = network_collect(&l->net, l->p->o->root, FACTS_OF_PODS);
	if (!err && (rc = policy_open(l->p)) != EXIT_DONE)
		return rc;
	if (!err)
		err = read_all(l);
	measure(l);
	for (uint32_t i = 0; i < l->n && !err; i++)
		err = put_record(l, l->row = &l->rows[i]);
	rc = listing_close(&l->out, &l->pipe, err);
	return rc ? rc : tell_end(l);
}

int policy_pods(struct policy *p, int argc, char **argv)
{
	struct listing l = { .p = p, .titles = !p->g->no_header };
	struct where *where = NULL;
	int rc = EXIT_USAGE;

	p->kinds = "pods";
	l.o = (struct output_options){ .g = p->g, .records = true, .text = { .line = pod_line, .line_state = &l } };
	if (!whom_take(&l.whom, argc, argv) && !output_check(&l.out, &l.o) &&
	    !(p->o->where && where_compile(&where, p->o->where))) {
		l.pipe.where = where;
		rc = list_pods(&l);
	}
	where_free(where);
	network_free(&l.net);
	free(l.rows);
	return rc;
}
