/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/php/script_times.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define SLOTS (2 * SCRIPT_TIMES_MAX) /* a power of two */
#define WORTH 256                    /* scripts that one request, which would ask for its own, makes worth asking for */

struct entry {
	const char *path;
	uint32_t len;
	bool same;      /* at the last look */
	bool looked;    /* ever, and it was the same then: dev and ino are known */
	int64_t mtime;
	dev_t dev;
	ino_t ino;
};

struct script_times {
	int64_t since_s;    /* requests are counted from then on */
	int64_t looked_s;   /* at all scripts; 0: never */
	uint32_t changes;   /* when it was */
	uint32_t requests;
	size_t n;
	uint16_t slots[SLOTS]; /* number of an entry, from 1 */
	struct entry entries[SCRIPT_TIMES_MAX];
};

size_t script_times_put(char *out, size_t room, const char *path, int64_t mtime)
{
	size_t len = strlen(path) + 1;

	if (path[0] != '/' || room < sizeof(mtime) + len)
		return 0;
	memcpy(out, &mtime, sizeof(mtime));
	memcpy(out + sizeof(mtime), path, len);
	return sizeof(mtime) + len;
}

/* --- the table ----------------------------------------------------------------------------------------------------------- */

static bool add(struct script_times *t, const char *path, size_t len, int64_t mtime, uint64_t hash)
{
	size_t at = hash % SLOTS;

	if (t->n == SCRIPT_TIMES_MAX || len == 0 || path[0] != '/')
		return false;
	while (t->slots[at] != 0)
		at = (at + 1) % SLOTS;
	t->entries[t->n++] = (struct entry){.path = path, .len = (uint32_t)len, .mtime = mtime};
	t->slots[at] = (uint16_t)t->n;
	return true;
}

struct script_times *script_times_new(const char *list, size_t len, uint64_t (*hash)(const char *path, size_t len))
{
	struct script_times *t;
	int64_t mtime;
	bool good = len > 0 && len <= SCRIPT_TIMES_TEXT_MAX && list[len - 1] == '\0';

	if (!good)
		return NULL;
	t = mmap(NULL, sizeof(*t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (t == MAP_FAILED)
		return NULL;
	for (size_t at = 0; at < len && good;) {
		if (len - at <= sizeof(mtime)) {
			good = false;
			break;
		}
		memcpy(&mtime, list + at, sizeof(mtime));
		const char *path = list + at + sizeof(mtime);
		size_t path_len = strlen(path); /* the list ends with a NUL */
		good = add(t, path, path_len, mtime, hash(path, path_len));
		at += sizeof(mtime) + path_len + 1;
	}
	if (good)
		return t;
	munmap(t, sizeof(*t));
	return NULL;
}

void script_times_free(struct script_times *t)
{
	munmap(t, sizeof(*t));
}

/* --- looking ------------------------------------------------------------------------------------------------------------- */

/* As opcache does, and it must be the same file as the last time: not another with the same time, by way of a link. */
static void look(struct entry *e)
{
	struct stat st;

	e->same = stat(e->path, &st) == 0 && S_ISREG(st.st_mode) && st.st_mtime == e->mtime &&
		  (!e->looked || (st.st_dev == e->dev && st.st_ino == e->ino));
	if (e->same && !e->looked) {
		e->dev = st.st_dev;
		e->ino = st.st_ino;
		e->looked = true;
	}
}

static bool counts(const struct script_times *t, int64_t at, int64_t freq, uint32_t changes)
{
	return freq > 0 && t->looked_s != 0 && at >= t->looked_s - freq && at <= t->looked_s + freq && changes == t->changes;
}

void script_times_renew(struct script_times *t, int64_t now, int64_t freq, uint32_t changes)
{
	t->requests++;
	if (freq <= 0 || counts(t, now, freq, changes))
		return;
	if (now < t->since_s || now - t->since_s > 2 * freq + 1) {
		/* Too few for too long. */
		t->since_s = now;
		t->requests = 0;
		return;
	}
	if (t->requests < 1 + t->n / WORTH)
		return;
	for (size_t i = 0; i < t->n; i++)
		look(&t->entries[i]);
	t->since_s = t->looked_s = now;
	t->changes = changes;
	t->requests = 0;
}

bool script_times_hold(const struct script_times *t, const char *path, size_t len, uint64_t hash, int64_t time, int64_t freq,
	uint32_t changes)
{
	if (!counts(t, time, freq, changes))
		return false;
	for (size_t at = hash % SLOTS; t->slots[at] != 0; at = (at + 1) % SLOTS) {
		const struct entry *e = &t->entries[t->slots[at] - 1];
		if (e->len == len && memcmp(e->path, path, len) == 0)
			return e->same;
	}
	return false;
}
