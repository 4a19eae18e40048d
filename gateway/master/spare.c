/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/master/spare.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/container.h"
#include "gateway/base/io.h"
#include "gateway/base/log.h"
#include "gateway/master/launch.h"

#define AGAIN_MS 300     /* the processor is the site's that has just taken one */
#define FAILURES_MAX 3   /* then none is started until the next reload */

static void start_missing(struct spares *s)
{
	const char *why;

	for (size_t i = 0; i < s->n && s->failures < FAILURES_MAX; i++) {
		struct spare *v = &s->v[i];
		if (v->pid != 0)
			continue;
		pid_t pid = launch_spare(s->cgroups, v->program, &v->chan, &v->leaf, &why);
		if (pid > 0) {
			v->pid = pid;
			continue;
		}
		log_warn("no spare zygote: %s", why);
		s->failures++;
	}
}

static void on_timer(struct loop *l, struct loop_timer *t)
{
	(void)l;
	start_missing(container_of(t, struct spares, timer));
}

void spares_init(struct spares *s, struct loop *l, struct site_cgroups *cgroups)
{
	memset(s, 0, sizeof(*s));
	s->loop = l;
	s->cgroups = cgroups;
	s->timer.cb = on_timer;
}

/* Whoever is still in the list and told nothing ends when its channel closes; the signal is for one that hangs. */
static void forget_all(struct spares *s)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->v[i].pid > 0)
			kill(s->v[i].pid, SIGKILL);
		io_close(&s->v[i].chan);
		site_leaf_end(s->cgroups, s->v[i].leaf);
		free(s->v[i].program);
	}
	s->n = 0;
}

void spares_end(struct spares *s)
{
	loop_timer_stop(s->loop, &s->timer);
	forget_all(s);
}

static void add(struct spares *s, const char *program, unsigned n)
{
	for (size_t i = 0; i < s->n; i++)
		if (strcmp(s->v[i].program, program) == 0)
			return;
	for (unsigned i = 0; i < n && s->n < SPARES_MAX; i++) {
		struct spare *v = &s->v[s->n];
		*v = (struct spare){.program = strdup(program), .chan = -1};
		s->n += v->program != NULL;
	}
}

static bool same(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

void spares_set(struct spares *s, const struct conf *c)
{
	const struct conf_server *last = NULL;

	spares_end(s);
	s->failures = 0;
	/* Thousands of hosts, and most name the PHP of the one before. */
	for (size_t i = 0; i < c->servers_n; i++) {
		const struct conf_server *v = c->servers[i];
		if (v->dispatch != CONF_DISPATCH_PREFORK || (last != NULL && same(v->php_version, last->php_version)))
			continue;
		add(s, launch_program(v->php_version), c->spare_zygotes);
		last = v;
	}
	start_missing(s);
}

pid_t spares_take(struct spares *s, const char *program, int *chan, struct site_leaf **leaf)
{
	for (size_t i = 0; i < s->n; i++) {
		struct spare *v = &s->v[i];
		if (v->pid == 0 || strcmp(v->program, program) != 0)
			continue;
		pid_t pid = v->pid;
		*chan = v->chan;
		*leaf = v->leaf;
		v->leaf = NULL;
		v->pid = 0;
		v->chan = -1;
		s->failures = 0;
		if (s->timer.slot == 0 && loop_timer_set(s->loop, &s->timer, AGAIN_MS) < 0)
			log_warn("no memory for a timer: no spare zygote until the next reload");
		return pid;
	}
	return 0;
}

bool spares_reaped(struct spares *s, pid_t pid)
{
	for (size_t i = 0; i < s->n; i++) {
		struct spare *v = &s->v[i];
		if (v->pid != pid)
			continue;
		v->pid = 0;
		io_close(&v->chan);
		site_leaf_end(s->cgroups, v->leaf);
		v->leaf = NULL;
		s->failures++;
		log_warn("spare zygote %d ended before it was used", (int)pid);
		if (s->timer.slot == 0 && loop_timer_set(s->loop, &s->timer, AGAIN_MS) < 0)
			s->failures = FAILURES_MAX;
		return true;
	}
	return false;
}
