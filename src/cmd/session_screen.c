// SPDX-License-Identifier: GPL-2.0-or-later
/* A table that refreshes in place: its keys, its size, stopping and going on. */
#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "cmd/session_live.h"
#include "util/err.h"
#include "util/time.h"

#define SECOND_NS 1000000000ull

bool screen_signal(struct session *s, int sig)
{
	bool *came = sig == SIGWINCH ? &s->resized : sig == SIGTSTP ? &s->stopped : sig == SIGCONT ? &s->continued :
												     NULL;

	if (!came)
		return false;
	*came = true;
	return true;
}

bool screen_has_events(const struct session *s)
{
	return s->resized || s->stopped || s->continued;
}

/* ── order, size ────────────────────────────────────────────────────────────── */

static const struct session_sort *find_sort(const struct session *s, char key)
{
	const struct session_sort *o = s->o->sorts;

	while (o && o->key && o->key != key)
		o++;
	return o && o->key ? o : NULL;
}

/* As many rows as there is room for, when nobody chose how many. */
static void choose_rows(struct session *s)
{
	if (s->pipe.account && s->o->sorts)
		account_choose(s->pipe.account, s->live->sort, s->o->top ? s->o->top : screen_rows(&s->out.view));
}

static void set_sort(struct session *s, const struct session_sort *o)
{
	s->live->sort = o->sort;
	s->out.view.sort = o->name;
	choose_rows(s);
}

static int take_size(struct session *s)
{
	terminal_size(&s->out.view.width, &s->out.view.height);
	choose_rows(s);
	return s->out.view.shown ? pipeline_again(&s->pipe) : 0;
}

/* ── keys ───────────────────────────────────────────────────────────────────── */

static void list_keys(struct live *l)
{
	static const char *const always[] = {
		"q      quit", "space  pause, and go on", "+ -    a longer or a shorter interval",
		"?      the table again",
	};
	const struct session_sort *o = l->s->o->sorts;
	unsigned int n = 0;

	for (; n < sizeof(always) / sizeof(always[0]); n++)
		l->keys[n] = always[n];
	for (; o && o->key && n + 1 < SCREEN_KEYS_MAX; o++)
		l->keys[n++] = o->help;
	l->keys[n] = NULL;
	l->s->out.view.keys = l->keys;
}

/* The next of these that is longer, or shorter. */
static void step_interval(struct session *s, bool longer)
{
	static const uint16_t steps[] = { 1, 2, 5, 10, 30, 60, 300, 600, 3600 };
	enum { STEPS = sizeof(steps) / sizeof(steps[0]) };
	uint64_t every = s->pipe.rows_every_ns, to = every;

	for (unsigned int i = 0; i < STEPS; i++) {
		uint64_t step = steps[longer ? i : STEPS - 1 - i] * SECOND_NS;

		if (to == every && (longer ? step > every : step < every))
			to = step;
	}
	s->pipe.rows_every_ns = s->out.view.every_ns = to;
	s->pipe.rows_next_ns = time_now() + to;
}

static int press(struct live *l, char key)
{
	struct session *s = l->s;
	struct screen_view *v = &s->out.view;
	const struct session_sort *sort = find_sort(s, key);

	if (sort) {
		set_sort(s, sort);
		return pipeline_again(&s->pipe);
	}
	switch (key) {
	case 'q':
		s->stopping = true;
		output_hurry(&s->out);
		return 0;
	case ' ':
		v->paused = s->pipe.rows_paused = !v->paused;
		break;
	case '+':
	case '-':
		step_interval(s, key == '+');
		break;
	case '?':
		v->help = !v->help;
		break;
	default:
		return 0;
	}
	return screen_draw(s->out.screen);
}

static int watch_keys(struct live *l, bool on)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = STDIN_FILENO };

	if (!l->s->out.terminal.keys || on == l->watches_keys)
		return 0;
	l->watches_keys = on;
	return epoll_ctl(l->epoll, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, STDIN_FILENO, &ev) ? fail(errno, "epoll") : 0;
}

int screen_keys(struct live *l, uint32_t events)
{
	char keys[64];
	int n = terminal_read(&l->s->out.terminal, keys, sizeof(keys)), err = 0;

	for (int i = 0; i < n && !err && !l->s->stopping; i++)
		err = press(l, keys[i]);
	if (n < 0 || (!n && events & (EPOLLHUP | EPOLLERR)))
		return watch_keys(l, false);
	return err;
}

/* ── coming and going ───────────────────────────────────────────────────────── */

/* For who mends the terminal when we are killed. */
static void set_drawn(struct session *s, bool drawn)
{
	if (s->out.terminal.taken)
		s->out.terminal.taken->drawn = drawn;
}

static int show(struct live *l)
{
	struct session *s = l->s;
	int err;

	terminal_raw(&s->out.terminal);
	if (s->out.terminal.messages)
		err_hold();
	err = watch_keys(l, true);
	if (!err)
		set_drawn(s, true);
	return err ? err : screen_enter(s->out.screen);
}

static void give_back(struct session *s)
{
	terminal_restore(&s->out.terminal);
	err_let_go();
}

int screen_begin(struct live *l)
{
	struct session *s = l->s;
	const struct session_sort *o = s->o->sorts;

	if (!s->out.screen)
		return 0;
	if (s->out.terminal.keys)
		list_keys(l);
	s->out.view.every_ns = s->pipe.rows_every_ns;
	s->pipe.rows_whole = true;
	while (o && o->key && o->sort != s->o->sort)
		o++;
	if (o && o->key)
		set_sort(s, o);
	return show(l);
}

static int leave(struct live *l)
{
	int err = screen_leave(l->s->out.screen, false);

	set_drawn(l->s, false);
	if (!err)
		err = watch_keys(l, false);
	give_back(l->s);
	return err;
}

/* In the background we are no longer seen, and keys are somebody else's. */
static int go_on(struct live *l)
{
	struct session *s = l->s;
	int err = 0;

	if (!terminal_in_front(&s->out.terminal))
		return s->out.view.shown ? leave(l) : 0;
	if (s->out.view.shown)
		terminal_raw(&s->out.terminal);
	else
		err = show(l);
	return err ? err : take_size(s);
}

/* A shell that brings to the front what runs already sends no signal. */
int screen_tick(struct live *l)
{
	struct session *s = l->s;

	if (!s->out.screen || s->stopping || s->out.view.shown == terminal_in_front(&s->out.terminal))
		return 0;
	return go_on(l);
}

static int stop(struct live *l)
{
	int err = leave(l);
	sigset_t set;

	if (err)
		return err;
	sigemptyset(&set);
	sigaddset(&set, SIGTSTP);
	raise(SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &set, NULL);	/* here we stand still */
	sigprocmask(SIG_BLOCK, &set, NULL);
	return go_on(l);
}

int screen_events(struct live *l)
{
	struct session *s = l->s;
	bool stopped = s->stopped, continued = s->continued;

	s->resized = s->stopped = s->continued = false;
	if (!s->out.screen || s->stopping)
		return 0;
	if (stopped)
		return stop(l);
	return continued ? go_on(l) : take_size(s);
}

void screen_end(struct session *s)
{
	const struct out *o = s->out.n_outs ? s->out.outs[0] : NULL;

	if (!s->out.refreshes)
		return;
	/* It took nothing more: perhaps it does now. */
	if (s->out.view.shown && o && !o->blocks && write(o->fd, SCREEN_RESTORE, sizeof(SCREEN_RESTORE) - 1) > 0)
		s->out.view.shown = false;
	set_drawn(s, false);
	give_back(s);
}
