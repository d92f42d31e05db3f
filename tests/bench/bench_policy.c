// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bench_policy ROUNDS load|decide|change FILE: a cluster's objects (mkcluster.py), nanoseconds of ours and of the
 * peer, a line a round; what one of ours took, at the end on standard error.
 *   load     all of FILE, against jansson's parse of it
 *   decide   a connection between two pods, against asking each policy anew whether it selects either
 *   change   one policy, and a decision for each pod after it, against reading all of FILE anew
 */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "k8s/load.h"
#include "policy/eval.h"
#include "policy/flow.h"

enum { DECISIONS = 200000,
       WALKS = 2000 };

static char *text;
static size_t n_text;
static struct k8s *k;
static struct k8s_decision d;
static double ours_ns;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void die(const char *why)
{
	fprintf(stderr, "%s\n", why);
	exit(1);
}

static void on_mistake(void *ctx, const struct mistake *m)
{
	die(m->text);
}

static void read_text(const char *name)
{
	FILE *f = fopen(name, "r");
	size_t room = 256 << 20;

	text = malloc(room);
	if (!f || !text)
		die(name);
	n_text = fread(text, 1, room, f);
	fclose(f);
	if (!n_text || n_text == room)
		die("not the size of a cluster");
}

static struct k8s *load_all(void)
{
	struct load_report rep = { .mistake = on_mistake };
	struct k8s *all;

	if (k8s_open(&all) || load_text(all, text, n_text, "cluster", &rep) || !rep.objects)
		die("the objects cannot be read");
	return all;
}

static double ours_load(void)
{
	double began = now();

	k8s_close(load_all());
	return now() - began;
}

static double peer_load(void)
{
	double began = now();
	json_error_t e;
	json_t *o = json_loadb(text, n_text, 0, &e);

	if (!o)
		die(e.text);
	json_decref(o);
	return now() - began;
}

static uint32_t any_pod(uint32_t i)
{
	return 1 + (uint32_t)((uint64_t)i * 2654435761u % (k->n_pods - 1));
}

static double ours_decide(void)
{
	double began = now();

	for (uint32_t i = 0; i < DECISIONS; i++) {
		struct k8s_flow f = { .from.pod = &k->pods[any_pod(i)], .to.pod = &k->pods[any_pod(i + 7)], .port = 8080, .proto = 6 };

		if (k8s_decide(k, &f, &d))
			die("no decision");
	}
	return (now() - began) / DECISIONS;
}

static double peer_decide(void)
{
	uint32_t selected = 0;
	double began = now();

	for (uint32_t i = 0; i < WALKS; i++)
		for (uint32_t j = 1; j < k->n_policies; j++)
			selected += (policy_selects(k, &k->policies[j], &k->pods[any_pod(i)], NULL) == YES) +
				    (policy_selects(k, &k->policies[j], &k->pods[any_pod(i + 7)], NULL) == YES);
	if (!selected)
		die("no policy selects a pod");
	return (now() - began) / WALKS;
}

static double ours_change(void)
{
	static const char changed[] =
		"{\"apiVersion\":\"networking.k8s.io/v1\",\"kind\":\"NetworkPolicy\",\"metadata\":{\"name\":\"policy-0\","
		"\"namespace\":\"team-0\"},\"spec\":{\"podSelector\":{},\"ingress\":[{\"ports\":[{\"port\":8080}]}]}}";
	struct load_report rep = { .mistake = on_mistake };
	double began = now();

	if (load_text(k, changed, sizeof(changed) - 1, "change", &rep))
		die("the change cannot be read");
	for (uint32_t i = 1; i < k->n_pods; i++) {
		struct k8s_flow f = { .from.pod = &k->pods[any_pod(i)], .to.pod = &k->pods[i], .port = 8080, .proto = 6 };

		if (k8s_decide(k, &f, &d))
			die("no decision");
	}
	return now() - began;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		double (*ours)(void), (*peer)(void);
	} figures[] = { { "load", ours_load, peer_load },
			{ "decide", ours_decide, peer_decide },
			{ "change", ours_change, ours_load } };
	int rounds = argc == 4 ? (int)strtol(argv[1], NULL, 10) : 0;
	struct rusage u;

	if (rounds < 1)
		die("bench_policy ROUNDS load|decide|change FILE");
	read_text(argv[3]);
	for (size_t f = 0; f < sizeof(figures) / sizeof(figures[0]); f++) {
		if (strcmp(figures[f].name, argv[2]))
			continue;
		k = load_all();
		getrusage(RUSAGE_SELF, &u);
		for (int i = 0; i < rounds; i++) {
			double peer = i % 2 ? figures[f].peer() : 0;

			ours_ns = figures[f].ours();
			printf("%.0f %.0f\n", ours_ns, i % 2 ? peer : figures[f].peer());
		}
		fprintf(stderr, "%.2f us, %ld MiB with the text's %zu\n", ours_ns / 1e3, u.ru_maxrss >> 10, n_text >> 20);
		k8s_decision_free(&d);
		k8s_close(k);
		free(text);
		return 0;
	}
	die("load, decide or change");
}
