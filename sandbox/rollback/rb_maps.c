/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/rollback/rb_maps.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>

/* --- lines ----------------------------------------------------------------------------------------------------------- */

struct cursor {
	const char *at, *end;
	bool ok;
};

static uint64_t take_hex(struct cursor *c)
{
	const char *begin = c->at;
	uint64_t v = 0;

	for (; c->at < c->end; c->at++) {
		char d = *c->at;
		int digit = d >= '0' && d <= '9' ? d - '0' : d >= 'a' && d <= 'f' ? d - 'a' + 10 : -1;
		if (digit == -1)
			break;
		v = v << 4 | (unsigned)digit;
	}
	if (c->at == begin || c->at - begin > 16)
		c->ok = false;
	return v;
}

static void take_char(struct cursor *c, char want)
{
	if (c->at < c->end && *c->at == want)
		c->at++;
	else
		c->ok = false;
}

static uint64_t take_decimal(struct cursor *c)
{
	const char *begin = c->at;
	uint64_t v = 0;

	for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++)
		v = v * 10 + (unsigned)(*c->at - '0');
	if (c->at == begin || c->at - begin > 19)
		c->ok = false;
	return v;
}

static void skip_spaces(struct cursor *c)
{
	while (c->at < c->end && *c->at == ' ')
		c->at++;
}

bool rb_maps_line(const char *text, size_t len, struct rb_mapping *m)
{
	struct cursor c = {.at = text, .end = text + len, .ok = true};

	m->start = take_hex(&c);
	take_char(&c, '-');
	m->end = take_hex(&c);
	take_char(&c, ' ');
	if (!c.ok || c.end - c.at < 5 || m->end <= m->start)
		return false;
	memcpy(m->perms, c.at, sizeof(m->perms));
	c.at += sizeof(m->perms);
	take_char(&c, ' ');
	m->offset = take_hex(&c);
	take_char(&c, ' ');
	uint64_t major = take_hex(&c);
	take_char(&c, ':');
	m->device = makedev((unsigned)major, (unsigned)take_hex(&c));
	take_char(&c, ' ');
	m->inode = take_decimal(&c);
	skip_spaces(&c);
	m->name = c.at;
	m->name_len = (size_t)(c.end - c.at);
	return c.ok;
}

/* The kernel writes "/memfd:NAME (deleted)". */
bool rb_maps_is_memfd(const struct rb_mapping *m, const char *name)
{
	static const char memfd[] = "/memfd:";
	size_t head = sizeof(memfd) - 1, len = strlen(name);

	return m->name_len > head + len && memcmp(m->name, memfd, head) == 0 && memcmp(m->name + head, name, len) == 0 &&
	       m->name[head + len] == ' ';
}

int rb_maps_prot(const struct rb_mapping *m)
{
	return (m->perms[0] == 'r' ? PROT_READ : 0) | (m->perms[1] == 'w' ? PROT_WRITE : 0) | (m->perms[2] == 'x' ? PROT_EXEC : 0);
}

/* --- comparison -------------------------------------------------------------------------------------------------------- */

size_t rb_maps_added(const struct rb_range *before, size_t before_n, const struct rb_range *now, size_t now_n,
	struct rb_range *out, size_t max)
{
	size_t b = 0, n = 0;
	uintptr_t covered = before_n > 0 ? before[0].start : 0; /* all of @before below this address was found */

	for (size_t i = 0; i < now_n; i++) {
		uintptr_t at = now[i].start;
		while (at < now[i].end) {
			/* What lies before the next old range is new; what lies in it is old. */
			uintptr_t stop = b < before_n && covered < now[i].end ? covered : now[i].end;
			if (b < before_n && covered < at)
				return SIZE_MAX;
			if (stop > at) {
				if (n == max)
					return SIZE_MAX;
				out[n++] = (struct rb_range){.start = at, .end = stop};
				at = stop;
				continue;
			}
			if (memcmp(before[b].perms, now[i].perms, sizeof(now[i].perms)) != 0)
				return SIZE_MAX;
			at = before[b].end < now[i].end ? before[b].end : now[i].end;
			covered = at;
			if (covered == before[b].end && ++b < before_n)
				covered = before[b].start;
		}
	}
	return b < before_n ? SIZE_MAX : n;
}
