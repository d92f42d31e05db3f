// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/session.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/session_parts.h"
#include "decode/protocol.h"
#include "util/err.h"
#include "util/time.h"

#define LIVE_EVERY_MIN_NS 100000000u	/* of rows by the clock */

/* ── before ───────────────────────────────────────────────────────────────── */

void session_defaults(struct session_options *o, const struct globals *g)
{
	o->g = o->output.g = g;
	o->output.records = true;
	o->capture.packets = o->capture.ingress = o->capture.egress = true;
	o->capture.rung = -1;
}

void session_ship_headers(struct session_options *o, uint64_t kinds, const struct decode_as *as, uint32_t n)
{
	static uint8_t ports[8192];

	protocol_tcp_ports(kinds, as, n, ports);
	o->capture.app_ports = ports;
	o->capture.snaplen_other = SNAPLEN_HEADERS;
}

/* Whom to become, and whose new files are: -Z, else whoever called sudo, else root. */
static int choose_user(struct session *s)
{
	const char *uid = getenv("SUDO_UID"), *gid = getenv("SUDO_GID");
	uint64_t u, g;

	s->change_user = !geteuid();
	s->uid = s->gid = PRIV_NOBODY;
	if (s->o->user) {
		if (priv_user(s->o->user, &s->uid, &s->gid))
			return -EINVAL;
		s->out.uid = s->uid;
		s->out.gid = s->gid;
	} else if (s->change_user && uid && gid && !opt_number(uid, 1000, 1, &u) &&
		   !opt_number(gid, 1000, 1, &g) && u < UINT32_MAX && g < UINT32_MAX) {
		s->out.uid = (uint32_t)u;
		s->out.gid = (uint32_t)g;
	}
	return 0;
}

int session_check(struct session *s, const struct session_options *o, int argc, char **argv)
{
	s->o = o;
	s->signals = -1;
	if (o->read && o->iface.n) {
		fail(0, "-r reads a file: -i is for live capture");
		return EXIT_USAGE;
	}
	if (output_check(&s->out, &o->output) || session_filter(s, argc, argv) || choose_user(s))
		return EXIT_USAGE;
	s->out.snaplen = o->capture.snaplen;
	s->out.filter = s->filter_text;
	return EXIT_DONE;
}

/* 10, 250ms, 0.5; an address is none. */
static bool is_number(const char *word)
{
	const char *point = strchr(word, '.');

	return *word >= '0' && *word <= '9' && !strpbrk(word, ":/ ") && !(point && strchr(point + 1, '.'));
}

int session_times(struct pipeline *p, bool read, int argc, char **argv)
{
	int n = 0;

	while (n < argc && n < 2 && is_number(argv[n]))
		n++;
	if (n && (opt_duration(argv[0], &p->rows_every_ns) || !p->rows_every_ns))
		return fail(0, "INTERVAL: '%s' is not a time (10, 250ms, 1m)", argv[0]);
	if (n && !read && p->rows_every_ns < LIVE_EVERY_MIN_NS)
		return fail(0, "INTERVAL: '%s' is too short: on an interface at least 100ms", argv[0]);
	if (n > 1 && (strchr(argv[1], '.') || opt_number(argv[1], 1000, 1, &p->rows_times) || !p->rows_times))
		return fail(0, "COUNT: '%s' is not a number from 1", argv[1]);
	p->rows_by_frames = read;
	p->rows_stamped = p->rows_every_ns;
	if (p->rows_every_ns && !read)
		p->rows_next_ns = time_now() + p->rows_every_ns;
	return n;
}

void session_free(struct session *s)
{
	free(s->filter_text);
}

uint32_t session_seed(void)
{
	uint32_t seed;

	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != (ssize_t)sizeof(seed))
		seed = (uint32_t)time_now();
	return seed;
}

/* ── signals ──────────────────────────────────────────────────────────────── */

int session_open_signals(struct session *s)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGHUP);
	if (s->out.refreshes) {
		sigaddset(&set, SIGWINCH);
		sigaddset(&set, SIGTSTP);
		sigaddset(&set, SIGCONT);
		sigaddset(&set, SIGQUIT);	/* ^\ is a key: it must not leave the terminal as the table has it */
	}
	sigprocmask(SIG_BLOCK, &set, NULL);
	s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return s->signals < 0 ? fail(errno, "signalfd") : 0;
}

/* Blocked, a signal comes even where it is ignored, as after nohup(1). */
static bool ignored(int sig)
{
	struct sigaction sa;

	return !sigaction(sig, NULL, &sa) && sa.sa_handler == SIG_IGN;
}

/* Log rotation, or the terminal is gone.  What reads a file ends by itself, and what writes to a terminal that is
 * gone as well. */
static void on_hangup(struct session *s)
{
	if (!s->live || ignored(SIGHUP))
		return;
	if (s->out.outs[0]->next)
		s->reopen = true;
	else
		s->stopping = true;
}

bool session_take_signals(void *session)
{
	struct signalfd_siginfo si;
	struct session *s = session;

	while (read(s->signals, &si, sizeof(si)) == (ssize_t)sizeof(si)) {
		if (si.ssi_signo == SIGUSR1)
			session_ledger(s);
		else if (si.ssi_signo == SIGHUP)
			on_hangup(s);
		else if (!screen_signal(s, (int)si.ssi_signo))
			s->stopping = true;
	}
	if (s->stopping)
		output_hurry(&s->out);
	return s->stopping;
}

/* ── outputs, helper, privileges ──────────────────────────────────────────── */

int session_open_outputs(struct session *s)
{
	int err = output_open(&s->out, &s->pipe, s->many_interfaces, s->signals);

	output_wake(&s->out, session_take_signals, s);
	return err;
}

int session_help(struct session *s, struct helper_options *ho, int *fds, unsigned int n)
{
	int err;

	fds[n++] = s->signals;
	for (unsigned int i = 0; i < s->out.n_outs; i++)
		fds[n++] = s->out.outs[i]->fd;
	ho->rotate = s->out.rotate;
	ho->terminal = s->out.refreshes ? &s->out.terminal : NULL;
	ho->terminal_leave = SCREEN_RESTORE;
	ho->close_fds = fds;
	ho->n_close_fds = n;
	err = helper_start(&s->helper, ho);
	output_helper(&s->out, s->helper);
	return err;
}

static int socket_output(const struct session *s)
{
	struct stat st;

	for (unsigned int i = 0; i < s->out.n_outs; i++)
		if (!fstat(s->out.outs[i]->fd, &st) && S_ISSOCK(st.st_mode))
			return s->out.outs[i]->fd;
	return 0;
}

int session_confine(struct session *s)
{
	char done[256] = "";
	struct priv_drop d = {
		.change_user = s->change_user,
		.uid = s->uid,
		.gid = s->gid,
		.must_change = s->o->user != NULL,
		.writes_files = true,
		.fds = { helper_ask_fd(s->helper), socket_output(s), s->mute_from, s->mute_to,
			 s->out.refreshes, s->out.refreshes && s->out.terminal.keys },
		.done = done,
		.done_size = sizeof(done),
	};
	int err = priv_drop(&d);

	if (!err && s->o->g->debug)
		note("privileges: %s", done);
	return err;
}

/* ── a stream ─────────────────────────────────────────────────────────────── */

static bool wants_trailer(const struct session *s)
{
	if (s->live)
		return live_began(s) && (!session_in_kernel(s) || s->o->g->verbose);
	return s->out.n_outs && (s->o->output.file.name || s->o->g->verbose);
}

/* Counts are final once what is left has been written; they are told before the files are closed. */
int session_run(struct session *s)
{
	int err = s->o->read ? file_run(s) : live_run(s);
	int close_err = output_finish(&s->out, &s->pipe);
	uint64_t lost = session_lost(s);

	screen_end(s);
	if (wants_trailer(s))
		session_trailer(s);
	if (!s->live)
		session_tell_left_out(s);
	if (!close_err)
		close_err = output_close(&s->out);
	if (!err)
		err = close_err;
	pipeline_close(&s->pipe);
	if (s->source)
		s->source->ops->close(s->source);
	s->source = NULL;
	helper_stop(s->helper);
	live_close(s->live);
	s->live = NULL;
	if (!err && s->o->g->fail_on_loss && lost)
		return EXIT_LOST;
	return exit_status(err);
}
