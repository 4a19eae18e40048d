/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel counts how often a cgroup met its bounds, and tells inotify when a count changes. A site that lives at its
 * bound would fill the log: one line in ten seconds, with what came together meanwhile.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "gateway/base/container.h"
#include "gateway/base/log.h"
#include "gateway/master/site_cgroup_priv.h"

#define TELL_GAP_MS 10000

static const struct {
	const char *file, *key, *text;
	enum log_level level;
} hits[HITS] = {
	[HIT_MEMORY_HIGH] = {"memory.events", "high", "slowed down at SandboxMemoryHigh", LOG_LV_NOTICE},
	[HIT_MEMORY_MAX] = {"memory.events", "max", "met SandboxMemoryMax", LOG_LV_NOTICE},
	[HIT_OOM_KILL] = {"memory.events", "oom_kill", "processes killed out of memory", LOG_LV_ERROR},
	[HIT_PROCESSES] = {"pids.events", "max", "processes refused at SandboxProcessesMax", LOG_LV_ERROR},
};

static int add_watch(const struct site_cgroups *cs, int dir, const char *file)
{
	char path[64];

	if (cs->inotify.fd == -1)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", dir, file);
	return inotify_add_watch(cs->inotify.fd, path, IN_MODIFY);
}

static void end_watch(const struct site_cgroups *cs, int *watch)
{
	if (*watch != -1 && cs->inotify.fd != -1)
		inotify_rm_watch(cs->inotify.fd, *watch);
	*watch = -1;
}

void site_watch(struct site_cgroups *cs, struct site_leaf *leaf)
{
	if (cs->tree.has[CGROUP_MEMORY])
		leaf->watch_memory = add_watch(cs, leaf->fd, "memory.events");
	if (cs->tree.has[CGROUP_PIDS])
		leaf->watch_pids = add_watch(cs, leaf->fd, "pids.events");
}

static void tell(struct site_cgroups *cs, struct site_leaf *leaf)
{
	char text[384] = "";
	enum log_level level = LOG_LV_NOTICE;

	for (size_t i = 0; i < HITS; i++) {
		size_t at = strlen(text);
		if (leaf->hits[i] == leaf->told[i])
			continue;
		snprintf(text + at, sizeof(text) - at, "%s%s: %llu (%llu in all)", at > 0 ? ", " : "", hits[i].text,
			leaf->hits[i] - leaf->told[i], leaf->hits[i]);
		if (hits[i].level < level)
			level = hits[i].level;
		leaf->told[i] = leaf->hits[i];
	}
	if (text[0] != '\0')
		log_line(log_server(), level, NULL, "site=%s %s", leaf->site, text);
	leaf->told_ms = loop_now_ms(cs->loop);
}

/* What the kernel has counted; logged when the last line is long enough ago, or @now. */
static void count(struct site_cgroups *cs, struct site_leaf *leaf, bool now)
{
	const char *file = NULL;
	char text[512];
	bool more = false;

	for (size_t i = 0; i < HITS; i++) {
		if (file != hits[i].file && cgroup_get(leaf->fd, hits[i].file, text, sizeof(text)) < 0)
			continue; /* a controller that is not there counts nothing */
		file = hits[i].file;
		leaf->hits[i] = cgroup_value(text, hits[i].key);
		more |= leaf->hits[i] != leaf->told[i];
	}
	if (!more)
		return;
	if (now || leaf->told_ms == 0 || loop_now_ms(cs->loop) - leaf->told_ms >= TELL_GAP_MS)
		tell(cs, leaf);
	else if (!loop_timer_armed(&cs->tell) && loop_timer_set(cs->loop, &cs->tell, TELL_GAP_MS) < 0)
		log_err("no memory for a timer: hits of bounds are logged later");
}

void site_unwatch(struct site_cgroups *cs, struct site_leaf *leaf)
{
	if (leaf->watch_memory != -1 || leaf->watch_pids != -1)
		count(cs, leaf, true);
	end_watch(cs, &leaf->watch_memory);
	end_watch(cs, &leaf->watch_pids);
}

void site_on_tell(struct loop *l, struct loop_timer *t)
{
	struct site_cgroups *cs = container_of(t, struct site_cgroups, tell);

	(void)l;
	for (struct site_leaf *leaf = cs->leaves; leaf != NULL; leaf = leaf->next)
		if (leaf->watch_memory != -1 || leaf->watch_pids != -1)
			count(cs, leaf, true);
}

void site_on_inotify(struct loop *l, struct loop_io *io, uint32_t ready)
{
	struct site_cgroups *cs = container_of(io, struct site_cgroups, inotify);
	_Alignas(struct inotify_event) char room[4096];
	ssize_t n;

	(void)l;
	(void)ready;
	while ((n = read(io->fd, room, sizeof(room))) > 0) {
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *e = (const void *)(room + at);
			for (struct site_leaf *leaf = cs->leaves; leaf != NULL; leaf = leaf->next)
				if (leaf->watch_memory == e->wd || leaf->watch_pids == e->wd)
					count(cs, leaf, false);
			at += (ssize_t)(sizeof(*e) + e->len);
		}
	}
}
