// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "kern/capture.h"
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
	{ "snaplen", 's', OPT_STR, W(snaplen), "LEN", "most bytes of a packet to take (0: all of it)" },
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
	{ "show-secrets", 0, OPT_FLAG, W(show_secrets), NULL, "do not hide passwords, tokens, cookies" },
	{ "drops", 0, OPT_OPTSTR, W(drops), "REASON",
	  "packets the kernel dropped, for these reasons (comma-separated; see: netprobe help drops) or any",
	  &(const struct opt_words){ .get = watch_drop_word, .of_machine = true } },
	{ "blocks", 0, OPT_FLAG, W(blocks), NULL,
	  "what the firewalls of netprobe block stop or take note of, and by which entry" },
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
	{ "rotate-size", 'C', OPT_MB, W(rotate_bytes), "MB",
	  "with -w: a new file after so many million bytes" },
	{ "rotate-seconds", 'G', OPT_TIME, W(rotate_ns), "SECONDS",
	  "with -w: a new file after so many seconds; the name is a strftime format" },
	{ "rotate-files", 'W', OPT_UINT, W(rotate_files), "N",
	  "with -C: a ring of N files; with -G: stop after N" },
	{ "user", 'Z', OPT_STR, W(user), "USER", "become USER, who also owns the files (default nobody)" },
	{ "link", 'e', OPT_FLAG, W(link), NULL, "print link-level headers" },
	{ "hex", 'x', OPT_COUNT, W(hex), NULL, "print bytes in hexadecimal; -xx with the link header" },
	{ "hex-ascii", 'X', OPT_COUNT, W(hex_ascii), NULL,
	  "the same, and as text; -XX with the link header" },
	{ "ascii", 'A', OPT_FLAG, W(ascii), NULL, "print bytes as text" },
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

static int check_conflicts(const struct watch *w)
{
	const struct watch_opts *o = w->o;

	if (o->read && (o->iface.n || o->plan || o->wait || o->sample || o->rung))
		return fail(0,
			    "-r reads a file: -i, --plan, --wait, --sample and --rung are for live capture");
	if (o->read && o->drops)
		return fail(0, "--drops needs the running kernel: leave out -r");
	if (o->read && o->blocks)
		return fail(0, "--blocks needs the running kernel: leave out -r (see: netprobe block test -r)");
	if (o->packets && o->proto)
		return fail(0, "--packets and --proto exclude each other");
	if (o->sample > UINT32_MAX)
		return fail(ERANGE, "--sample");
	return 0;
}

static void choose_output(struct watch *w)
{
	static const enum time_style by_count[] = { TIME_LOCAL, TIME_NONE, TIME_EPOCH,
						    TIME_DELTA, TIME_DATE, TIME_REL };
	const struct watch_opts *o = w->o;
	struct output_options *out = &w->ask.output;
	struct sink_options *t = &out->text;

	out->records = (!o->write && !o->only_count) || o->print;
	out->file = (struct output_file){ .name = o->write, .input = o->read, .pcapng = o->pcapng,
					  .rotate_bytes = o->rotate_bytes, .rotate_ns = o->rotate_ns,
					  .rotate_files = o->rotate_files };
	out->line = (struct line_options){ .link = o->link, .absolute_seq = o->absolute_seq, .interface = o->drops };
	t->time = by_count[o->time < 6 ? o->time : 5];
	t->number = o->number;
	t->hex = o->hex || o->hex_ascii;
	t->ascii_hex = o->hex_ascii;
	t->hex_link = o->hex > 1 || o->hex_ascii > 1;
	t->ascii = o->ascii;
}

/* Is anybody interested in bytes that no decoder looks into? */
static bool wants_bytes(const struct watch_opts *o)
{
	return o->write || o->snaplen || o->hex || o->hex_ascii || o->ascii;
}

/* What the kernel is to ship; after the checks, for it depends on what is decoded. */
static void choose_capture(struct watch *w)
{
	const struct watch_opts *o = w->o;
	struct capture_options *c = &w->ask.capture;
	uint8_t direction = w->s.pipe.direction;

	c->packets = (!o->drops && !o->blocks) || o->packets || o->proto || w->alerts;
	c->drops = o->drops != NULL;
	c->drop_reasons = w->reasons;
	c->n_drop_reasons = w->n_reasons;
	c->any_netns = w->any_netns;
	c->btf_path = o->btf;
	c->ring_bytes = o->buffer;
	c->sample = (unsigned int)o->sample;
	c->ingress = direction != DIR_EGRESS;
	c->egress = direction != DIR_INGRESS;
	c->promisc = watch_wants_promisc(o) && c->packets;
	c->apps_only = o->proto && !w->alerts && !wants_bytes(o);
	for (int i = 0; o->rung && i < RUNGS; i++)
		if (!strcmp(o->rung, rung_names[i]))
			c->rung = i;
	if (!wants_bytes(o))
		session_ship_headers(&w->ask, w->kinds && !w->alerts ? w->kinds : UINT64_MAX, w->decode_as,
				     w->n_decode_as);
}

/* Check options against each other, and make of them what the session is asked for.  EXIT_DONE or EXIT_USAGE (said). */
static int check(struct watch *w, int argc, char **argv)
{
	const struct watch_opts *o = w->o;
	struct pipeline *p = &w->s.pipe;
	uint64_t snaplen = 0;

	if (o->snaplen && (opt_number(o->snaplen, 1024, 1, &snaplen) || snaplen > UINT32_MAX)) {
		fail(0, "-s: '%s' is not a length in bytes", o->snaplen);
		return EXIT_USAGE;
	}
	if (watch_check_words(w, argc, argv) || check_conflicts(w) || watch_check_drops(w) ||
	    watch_check_decode(w) || watch_check_alerts(w))
		return EXIT_USAGE;
	p->strict = o->strict;
	p->inner = o->inner;
	p->limit = o->count;
	p->direction = !o->direction || !strcmp(o->direction, "inout") ? DIR_UNKNOWN :
		       !strcmp(o->direction, "in")		       ? DIR_INGRESS :
									 DIR_EGRESS;
	w->ask.iface = o->iface;
	w->ask.read = o->read;
	w->ask.user = o->user;
	w->ask.filter_file = o->filter_file;
	w->ask.wait = o->wait;
	w->ask.blocks = o->blocks;
	w->ask.capture.snaplen = (uint32_t)snaplen;
	choose_capture(w);
	choose_output(w);
	return session_check(&w->s, &w->ask, argc, argv);
}

/* Of verdicts alone CSV shows what they are about. */
static void choose_columns(struct watch *w)
{
	static const uint16_t columns[] = {
		FIELD_TIME, FIELD_ACTION, FIELD_INTERFACE, FIELD_DIRECTION, FIELD_SRC_IP, FIELD_SRC_PORT, FIELD_DST_IP,
		FIELD_DST_PORT, FIELD_TRANSPORT, FIELD_FRAME_LEN, FIELD_BLOCK_REASON, FIELD_RULE_ID, FIELD_RULE_NAME,
		FIELD_RULE_REFERENCE,
	};
	struct output *out = &w->s.out;

	if (!w->g->csv || out->n_columns || !w->o->blocks || w->ask.capture.packets || w->ask.capture.drops)
		return;
	output_columns(out, &block_dataset, columns, sizeof(columns) / sizeof(columns[0]));
	out->columns[out->n_columns++] = field_number(&lost_dataset, FIELD_LOST_COUNT);
}

static int run(struct watch *w)
{
	int rc;

	if (w->o->list)
		return watch_list(w);
	if (w->o->dump)
		return watch_dump(w);
	if (w->o->plan)
		return watch_plan(w);
	choose_columns(w);
	rc = exit_status(watch_open_stages(w));
	if (!rc)
		rc = session_run(&w->s);
	watch_close_stages(w);
	if (w->s.opened && w->o->only_count)
		watch_print_count(w);
	return rc;
}

static int watch_run(const struct globals *g, const void *opts, int argc, char **argv)
{
	struct watch_opts o = *(const struct watch_opts *)opts;
	struct watch w = { .g = g, .o = &o };
	int rc = session_netns(g, o.drops ? &w.any_netns : NULL);

	if (rc)
		return rc;
	if (o.only_count && o.only_count != OPT_NO_NUMBER) { /* --count N */
		o.count = o.only_count;
		o.only_count = 0;
	}
	session_defaults(&w.ask, g);
	watch_iface_numbers(&o);
	rc = check(&w, argc, argv);
	if (!rc && o.btf)
		rc = exit_status(drop_btf_check(o.btf));
	if (!rc)
		rc = run(&w);
	session_free(&w.s);
	where_free(w.where);
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
