// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "kern/capture.h"
#include "kern/link.h"
#include "priv/priv.h"
#include "util/cleanup.h"
#include "util/err.h"

#define W(member) offsetof(struct watch_opts, member)

static const char *rung_word(unsigned int i)
{
	return i < RUNGS ? rung_names[i] : NULL;
}

static const struct opt watch_rows[] = {
	{ "interface", 'i', OPT_STRS, W(iface), "IFACE",
	  "watch this interface; may be given again, may be a glob, or any (the default)" },
	{ NULL, 'c', OPT_UINT, W(count), "N", "stop after N records" },
	{ "count", 0, OPT_OPTUINT, W(only_count), "N",
	  "of a capture file: print how many packets it has, or pass the filter; with N: the same as -c" },
	{ "snaplen", 's', OPT_STR, W(snaplen), "LEN", "most octets of a packet to take (0: all of it)" },
	{ "write", 'w', OPT_ONCE, W(write), "FILE",
	  "write a capture to FILE (.pcapng: pcapng); - is standard output" },
	{ "read", 'r', OPT_ONCE, W(read), "FILE",
	  "read a capture (pcap, pcapng, gzipped); - is standard input" },
	{ "pcapng", 0, OPT_FLAG, W(pcapng), NULL, "-w writes pcapng whatever the name" },
	{ "print", 0, OPT_FLAG, W(print), NULL, "with -w: print as well" },
	{ "direction", 'Q', OPT_WORD, W(direction), "DIRECTION", "only what passes so",
	  OPT_WORDS("in", "out", "inout") },
	{ "packets", 0, OPT_FLAG, W(packets), NULL,
	  "a packet record for every frame, and its messages beside it" },
	{ "proto", 0, OPT_LIST, W(proto), "PROTO", "messages only, of these protocols (comma-separated), or all",
	  OPT_WORDS_OF(watch_proto_word) },
	{ "where", 0, OPT_STR, W(where), "EXPR",
	  "records only that pass: 'http.response.status_code >= 500 and source.ip in 10.0.0.0/8'" },
	{ "decode-as", 0, OPT_STRS, W(decode_as), "PORT",
	  "tcp:7777=redis: what a port carries, where its contents do not tell; can be given again" },
	{ "show-secrets", 0, OPT_FLAG, W(show_secrets), NULL, "do not hide passwords in what is decoded" },
	{ "drops", 0, OPT_OPTSTR, W(drops), "REASON",
	  "packets the kernel dropped, for these reasons (comma-separated; see: netprobe help drops) or any",
	  &(const struct opt_words){ .get = watch_drop_word, .of_machine = true } },
	{ "alerts", 0, OPT_FLAG, W(alerts), NULL,
	  "what the traffic adds up to, scans and floods and the like: only, or beside --packets or --proto" },
	{ "alert", 0, OPT_STRS, W(alert), "RULE",
	  "with this rule, at its own limit or at N in a TIME: portscan=10/1s, synflood=off; can be given again",
	  OPT_WORDS_OF(watch_alert_word) },
	{ "inner", 0, OPT_FLAG, W(inner), NULL, "the filter looks inside VXLAN, Geneve, GRE, IPIP and 6in4" },
	{ "strict-pcap", 0, OPT_FLAG, W(strict), NULL,
	  "the filter means what libpcap means: tags hide what follows" },
	{ "filter-file", 'F', OPT_ONCE, W(filter_file), "FILE",
	  "read the filter from FILE; # begins a comment; - is standard input" },
	{ "plan", 0, OPT_FLAG, W(plan), NULL,
	  "tell every way to capture here, which one is taken and why not the others" },
	{ "dump", 'd', OPT_COUNT, W(dump), NULL,
	  "print the compiled filter, classic BPF and eBPF, and stop" },
	{ "list-interfaces", 'D', OPT_FLAG, W(list), NULL, "list the interfaces and stop" },
	{ "wait", 0, OPT_FLAG, W(wait), NULL, "wait for an interface that is not there, or comes again" },
	{ "sample", 0, OPT_UINT, W(sample), "N", "keep one packet in N" },
	{ "buffer", 'B', OPT_KIB, W(buffer), "KIB", "size of the ring buffer in KiB" },
	{ "rotate-size", 'C', OPT_MB, W(rotate_octets), "MB",
	  "with -w: a new file after so many million octets" },
	{ "rotate-seconds", 'G', OPT_TIME, W(rotate_ns), "SECONDS",
	  "with -w: a new file after so many seconds; the name is a strftime format" },
	{ "rotate-files", 'W', OPT_UINT, W(rotate_files), "N",
	  "with -C: a ring of N files; with -G: stop after N" },
	{ "user", 'Z', OPT_STR, W(user), "USER", "become USER, who also owns the files (default nobody)" },
	{ "link", 'e', OPT_FLAG, W(link), NULL, "print link-level headers" },
	{ "hex", 'x', OPT_COUNT, W(hex), NULL, "print octets in hexadecimal; -xx with the link header" },
	{ "hex-ascii", 'X', OPT_COUNT, W(hex_ascii), NULL,
	  "the same, and as text; -XX with the link header" },
	{ "ascii", 'A', OPT_FLAG, W(ascii), NULL, "print octets as text" },
	{ NULL, 't', OPT_COUNT, W(time), NULL,
	  "time: -t none, -tt epoch, -ttt delta, -tttt date, -ttttt since the first" },
	{ "number", '#', OPT_FLAG, W(number), NULL, "number the lines" },
	{ "absolute-seq", 'S', OPT_FLAG, W(absolute_seq), NULL, "print TCP sequence numbers as sent" },
	{ "answer-timeout", 0, OPT_TIME, W(answer_timeout_ns), "SECONDS",
	  "a request unanswered for so long gives a no_answer record (default: as clients wait)" },
	{ "rung", 0, OPT_WORD, W(rung), "RUNG", "capture this way only", OPT_WORDS_OF(rung_word) },
	{ "btf", 0, OPT_ONCE, W(btf), "FILE", "read kernel types from FILE (for --drops)" },
	{ "no-promiscuous-mode", 'p', OPT_FLAG, W(no_promisc), NULL,
	  "only frames for this host, where an interface is named" },
	{ "line-buffered", 'l', OPT_FLAG, W(ignored), NULL,
	  "accepted and ignored: output is flushed whenever nothing waits" },
	{ "packet-buffered", 'U', OPT_FLAG, W(ignored), NULL, "accepted and ignored, as -l" },
	{ "immediate-mode", 0, OPT_FLAG, W(ignored), NULL, "accepted and ignored, as -l" },
	{ "dont-verify-checksums", 'K', OPT_FLAG, W(ignored), NULL,
	  "accepted and ignored: checksums are not verified" },
	{ "no-optimize", 'O', OPT_FLAG, W(ignored), NULL, "accepted and ignored: filters are optimized" },
	{ "nano", 0, OPT_FLAG, W(ignored), NULL, "accepted and ignored: captures are written in nanoseconds" },
	{ "micro", 0, OPT_FLAG, W(micro), NULL, "refused: captures are written in nanoseconds" },
	{ NULL, 'b', OPT_FLAG, W(ignored), NULL, "accepted and ignored: BGP is not decoded" },
	{ NULL, 'f', OPT_FLAG, W(ignored), NULL, "accepted and ignored: addresses are always numbers" },
	{ "ip-oneline", 'g', OPT_FLAG, W(ignored), NULL, "accepted and ignored: a packet is one line" },
	{ NULL, 'u', OPT_FLAG, W(ignored), NULL, "accepted and ignored: NFS is not decoded" },
	{ NULL, 'z', OPT_STR, W(postrotate), "COMMAND", "refused: nothing is ever executed" },
	{ .type = OPT_END },
};

static const char watch_examples[] =
	"  sudo netprobe watch -i eth0                      what passes, a line a packet or message\n"
	"  sudo netprobe watch -ni eth0 -c 10 'tcp port 443 and host 10.0.0.5'\n"
	"  sudo netprobe watch --drops                      what the kernel throws away, why and where\n"
	"  netprobe watch -r f.pcap --alerts                what a capture adds up to: scans, floods, ...\n"
	"  netprobe -j watch -r f.pcap --proto http         HTTP requests of a capture as JSON lines\n"
	"  ssh host sudo netprobe watch -i any -w - | wireshark -k -i -\n";

uint64_t watch_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static int no_field(const char *name, size_t n)
{
	const char **words = malloc(fields_count() * sizeof(*words)), *near;
	char word[64];
	int rc;

	if (!words)
		return fail(ENOMEM, "-o");
	for (unsigned int i = 0; i < fields_count(); i++)
		words[i] = field_get(i)->name;
	snprintf(word, sizeof(word), "%.*s", (int)n, name);
	near = opt_near(word, words, fields_count());
	rc = fail(0, "-o: no field '%s'%s%s (see: netprobe help --fields)", word, near ? ": did you mean " : "",
		  near ? near : "");
	free(words);
	return rc;
}

/* Fields of -o, by name. */
static int parse_columns(struct watch *w, const char *list)
{
	for (const char *p = list; p && *p;) {
		size_t n = strcspn(p, ",");
		int f = field_find(p, n);

		if (f < 0)
			return no_field(p, n);
		if (w->n_columns == sizeof(w->columns) / sizeof(w->columns[0]))
			return fail(E2BIG, "-o %s", list);
		w->columns[w->n_columns++] = (uint16_t)f;
		p += n + (p[n] == ',');
	}
	return 0;
}

/* -F FILE: lines; '#' begins a comment, which becomes blanks, as tcpdump has it. */
static int read_filter(struct buf *b, const char *path)
{
	bool in = !strcmp(path, "-"), comment = false;
	owned_fd int fd = in ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	char chunk[4096];
	ssize_t n = 0;

	while (fd >= 0 && (n = read(fd, chunk, sizeof(chunk))) > 0) {
		for (ssize_t i = 0; i < n; i++) {
			comment = chunk[i] == '#' || (comment && chunk[i] != '\n');
			if (comment)
				chunk[i] = ' ';
		}
		buf_add(b, chunk, (size_t)n);
	}
	return fd < 0 || n < 0 ? fail(errno, "%s", in ? "standard input" : path) : 0;
}

/* Only -4's or -6's part of what `text` says; a text of blanks says nothing. */
static void add_family(struct buf *b, const struct globals *g, const struct buf *text)
{
	const char *family = g->v4 ? "ip" : g->v6 ? "ip6" : NULL;
	bool blank = true;

	for (size_t i = 0; i < text->n; i++)
		blank = blank && strchr(" \t\r\n", text->p[i]) && text->p[i];
	if (family)
		buf_str(b, family);
	if (family && !blank)
		buf_str(b, " and (");
	buf_add(b, text->p, text->n);
	if (family && !blank)
		buf_chr(b, ')');
}

/* The filter: trailing words, or -F FILE, and -4 or -6 in front. */
static int make_filter(struct watch *w, int argc, char **argv)
{
	struct buf text = { .max = 65536 }, b = { .max = 65536 };
	int err = w->o->filter_file ? read_filter(&text, w->o->filter_file) : 0;

	for (int i = 0; i < argc; i++) {
		if (i)
			buf_chr(&text, ' ');
		buf_str(&text, argv[i]);
	}
	add_family(&b, w->g, &text);
	if (!err && b.n)
		buf_chr(&b, '\0');
	if (!err && (text.full || b.full || (b.n && memchr(b.p, '\0', b.n) != b.p + b.n - 1)))
		err = fail(0, "the filter is too long or not text");
	if (!err && b.n)
		w->filter_text = b.p;
	else
		buf_free(&b);
	buf_free(&text);
	return err;
}

/* `netprobe watch eth0`: say what was meant instead of libpcap's "syntax error". */
static int check_bare_interface(int argc, char **argv)
{
	struct link_info l;

	if (argc == 1 && !link_get(argv[0], 0, &l))
		return fail(0, "'%s' is an interface, not a filter: did you mean -i %s?", argv[0], argv[0]);
	return 0;
}

static int check_conflicts(const struct watch *w)
{
	const struct watch_opts *o = w->o;

	if (o->read && (o->iface.n || o->plan || o->wait || o->sample || o->rung))
		return fail(0,
			    "-r reads a file: -i, --plan, --wait, --sample and --rung are for live capture");
	if (o->read && o->drops)
		return fail(0, "--drops needs the running kernel: leave out -r");
	if ((o->rotate_octets || o->rotate_ns || o->rotate_files) && !o->write)
		return fail(0, "-C, -G and -W need -w FILE");
	if ((o->rotate_octets || o->rotate_ns) && !strcmp(o->write, "-"))
		return fail(0, "-C and -G need a file, not standard output");
	if (o->rotate_files && !o->rotate_octets && !o->rotate_ns)
		return fail(0, "-W needs -C or -G");
	if (o->packets && o->proto)
		return fail(0, "--packets and --proto exclude each other");
	if ((int)w->g->json + w->g->pretty + w->g->csv > 1 && !(w->g->json && w->g->pretty))
		return fail(0, "-j, -p and --csv exclude each other");
	if (o->write && !strcmp(o->write, "-") && isatty(STDOUT_FILENO))
		return fail(0, "-w - would write a capture to the terminal: redirect it");
	if (o->sample > UINT32_MAX)
		return fail(ERANGE, "--sample");
	return 0;
}

/* Whom to become, and whose new files are: -Z, else whoever called sudo, else root. */
static int choose_user(struct watch *w)
{
	const char *uid = getenv("SUDO_UID"), *gid = getenv("SUDO_GID");
	uint64_t u, g;

	w->change_user = !geteuid();
	w->uid = w->gid = 65534;
	w->file_uid = w->file_gid = UINT32_MAX;
	if (w->o->user) {
		if (priv_user(w->o->user, &w->uid, &w->gid))
			return -EINVAL;
		w->file_uid = w->uid;
		w->file_gid = w->gid;
	} else if (w->change_user && uid && gid && !opt_number(uid, 1000, 1, &u) &&
		   !opt_number(gid, 1000, 1, &g) && u < UINT32_MAX && g < UINT32_MAX) {
		w->file_uid = (uint32_t)u;
		w->file_gid = (uint32_t)g;
	}
	return 0;
}

int watch_check(struct watch *w, int argc, char **argv)
{
	const struct watch_opts *o = w->o;
	struct filter *probe = NULL;
	uint64_t snaplen = 0;

	if (o->snaplen && (opt_number(o->snaplen, 1024, 1, &snaplen) || snaplen > UINT32_MAX)) {
		fail(0, "-s: '%s' is not a length in octets", o->snaplen);
		return EXIT_USAGE;
	}
	w->snaplen = (uint32_t)snaplen;
	w->pipe.strict = o->strict;
	w->pipe.inner = o->inner;

	if (watch_check_words(w, argc, argv) || check_conflicts(w) ||
	    watch_check_drops(w) || parse_columns(w, w->g->fields) || watch_check_decode(w) || watch_check_alerts(w) ||
	    (!o->read && check_bare_interface(argc, argv)) || make_filter(w, argc, argv))
		return EXIT_USAGE;
	if (w->filter_text && o->read) { /* the link type is the file's, and not known yet */
		if (filter_check(w->filter_text, &w->pipe.strict, &w->pipe.inner))
			return EXIT_USAGE;
	} else if (w->filter_text) { /* a syntax error is a usage error, told before anything is opened */
		if (filter_compile(&probe, w->filter_text, 1, w->pipe.strict, w->pipe.inner))
			return EXIT_USAGE;
		w->pipe.strict = probe->strict; /* what its words imply is said once, here */
		w->pipe.inner = probe->inner;
		filter_free(probe);
	}
	if (choose_user(w))
		return EXIT_USAGE;
	w->pipe.limit = o->count;
	w->pipe.direction = !o->direction || !strcmp(o->direction, "inout") ? DIR_UNKNOWN :
			    !strcmp(o->direction, "in")			    ? DIR_INGRESS :
									      DIR_EGRESS;
	return EXIT_DONE;
}

static int socket_output(const struct watch *w)
{
	struct stat st;

	for (unsigned int i = 0; i < w->n_outs; i++)
		if (!fstat(w->outs[i]->fd, &st) && S_ISSOCK(st.st_mode))
			return w->outs[i]->fd;
	return 0;
}

int watch_drop_privileges(struct watch *w)
{
	char done[256] = "";
	struct priv_drop d = {
		.change_user = w->change_user,
		.uid = w->uid,
		.gid = w->gid,
		.must_change = w->o->user != NULL,
		.writes_files = true,
		.fds = { helper_ask_fd(w->helper), socket_output(w), w->mute_from, w->mute_to },
		.done = done,
		.done_size = sizeof(done),
	};
	int err = priv_drop(&d);

	if (!err && w->g->debug)
		note("privileges: %s", done);
	return err;
}

static int watch_run(const struct globals *g, const void *opts, int argc, char **argv)
{
	struct watch_opts o = *(const struct watch_opts *)opts;
	struct watch w = { .g = g, .o = &o };
	int rc;

	if (o.only_count && o.only_count != OPT_NO_NUMBER) { /* --count N */
		o.count = o.only_count;
		o.only_count = 0;
	}

	w.any_netns = o.drops && g->netns && !strcmp(g->netns, "any");
	rc = g->netns && !w.any_netns ? netns_enter(g->netns) : 0;
	if (rc)
		return exit_status(rc);
	if (w.any_netns)
		watch_learn_netns();
	watch_iface_numbers(&o);
	w.promisc = watch_wants_promisc(&o);
	rc = watch_check(&w, argc, argv);
	if (!rc && w.o->btf)
		rc = exit_status(drop_btf_check(w.o->btf));
	if (!rc) {
		if (w.o->list)
			rc = watch_list(&w);
		else if (w.o->dump)
			rc = watch_dump(&w);
		else if (w.o->plan)
			rc = watch_plan(&w);
		else if (w.o->read)
			rc = watch_file(&w);
		else
			rc = watch_live(&w);
	}
	if (w.source && o.only_count)
		watch_print_count(&w);
	free(w.filter_text);
	free(w.reason_text);
	return rc;
}

const struct command cmd_watch = {
	.name = "watch",
	.summary = "Print packets and protocol messages as they pass, live or from a capture",
	.usage = "[-i IFACE]... [-r FILE] [-w FILE] [OPTION]... [FILTER]",
	.opts = watch_rows,
	.operand = &filter_operand,
	.size = sizeof(struct watch_opts),
	.run = watch_run,
	.examples = watch_examples,
};
