/* SPDX-License-Identifier: Apache-2.0 */
/* For people: -S, -t's list, the directive reference. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conf/conf_build.h"
#include "gateway/base/buf.h"
#include "gateway/base/io.h"

static const char *const dispatch_names[] = {"-", "prefork", "worker"};
static const char *const isolation_names[] = {"-", "fresh", "rollback", "shared"};
static const char *const profile_names[] = {"-", "php", "strict", "legacy", "learn"};

enum { COLUMNS = 8 };

/* One row of -S; texts are borrowed or in the arena. */
struct row {
	const char *v[COLUMNS];
};

static const char *or_dash(const char *s)
{
	return s == NULL || s[0] == '\0' ? "-" : s;
}

static const char *addrs_text(struct arena *a, const struct conf_server *s)
{
	const char *text = NULL;

	for (size_t i = 0; i < s->addrs_n; i++)
		text = text == NULL ? s->addrs[i].text : arena_printf(a, "%s %s", text, s->addrs[i].text);
	return text == NULL ? "(any other)" : text;
}

/* Whether a SetHandler or ProxyPassMatch, of the host or for all hosts, names a pool for some of its requests. */
static bool by_handler(const struct conf *c, size_t i)
{
	return c->index->srvs[i]->proxy_handler || c->index->srvs[0]->proxy_handler;
}

static const char *pool_text(struct arena *a, const struct conf *c, size_t i)
{
	const struct conf_server *s = c->servers[i];
	const char *own = s->dispatch == CONF_DISPATCH_PREFORK ? "-" : s->pool != NULL ? s->pool->name : "(none)";

	if (!by_handler(c, i))
		return own;
	return s->pool == NULL || own[0] == '-' ? "(SetHandler)" : or_dash(arena_printf(a, "%s (SetHandler)", own));
}

static void fill_row(struct arena *a, const struct conf *c, size_t i, struct row *r)
{
	const struct conf_server *s = c->servers[i];
	bool cells = s->dispatch == CONF_DISPATCH_PREFORK;

	r->v[0] = or_dash(s->name);
	r->v[1] = addrs_text(a, s);
	r->v[2] = dispatch_names[s->dispatch];
	r->v[3] = cells ? isolation_names[s->isolation] : "-";
	r->v[4] = cells ? profile_names[s->profile] : "-";
	r->v[5] = cells ? or_dash(arena_printf(a, "%s:%s", or_dash(s->ids.user), or_dash(s->ids.group))) : "-";
	r->v[6] = pool_text(a, c, i);
	r->v[7] = or_dash(arena_printf(a, "%s:%u", s->file, s->line));
}

static void write_out(const struct buf *out, int rc, int fd)
{
	if (rc == GW_OK && buf_unread(out) > 0)
		(void)!io_write_all(fd, buf_head(out), buf_unread(out));
}

static int put_row(struct buf *out, const struct row *r, const size_t *width)
{
	int rc = GW_OK;

	for (int i = 0; i < COLUMNS && rc == GW_OK; i++)
		rc = i == COLUMNS - 1 ? buf_printf(out, "%s\n", r->v[i]) : buf_printf(out, "%-*s  ", (int)width[i], r->v[i]);
	return rc;
}

static int put_names(struct buf *out, const struct conf *c)
{
	int rc = GW_OK;

	for (size_t i = 1; i < c->servers_n && rc == GW_OK; i++) {
		const struct conf_server *s = c->servers[i];
		if (s->aliases.n == 0)
			continue;
		rc = buf_printf(out, "%s is also", s->name);
		for (size_t j = 0; j < s->aliases.n && rc == GW_OK; j++)
			rc = buf_printf(out, " %s", s->aliases.v[j]);
		if (rc == GW_OK)
			rc = buf_puts(out, "\n");
	}
	return rc;
}

static int put_calls(struct buf *out, const char *what, const char *const *calls, size_t n)
{
	int rc = n == 0 ? GW_OK : buf_printf(out, ", %s", what);

	for (size_t i = 0; i < n && rc == GW_OK; i++)
		rc = buf_printf(out, " %s", calls[i]);
	return rc;
}

/* What differs from the profiles as they are documented, hosts as in the table. */
static int put_sandbox_notes(struct buf *out, const struct conf *c)
{
	int rc = GW_OK;

	for (size_t i = 0; i < c->servers_n && rc == GW_OK; i++) {
		const struct conf_server *s = c->servers[(i + 1) % c->servers_n];
		bool learns = s->profile == CONF_PROFILE_LEARN;
		if (s->dispatch != CONF_DISPATCH_PREFORK || (!learns && s->sandbox_allow_n + s->sandbox_deny_n == 0))
			continue;
		rc = buf_printf(out, "%s: SandboxProfile %s", or_dash(s->name), profile_names[s->profile]);
		if (rc == GW_OK)
			rc = put_calls(out, "SandboxAllow", s->sandbox_allow, s->sandbox_allow_n);
		if (rc == GW_OK)
			rc = put_calls(out, "SandboxDeny", s->sandbox_deny, s->sandbox_deny_n);
		if (rc == GW_OK)
			rc = buf_puts(out, learns ? ": LEARNING: almost nothing is refused, programs may run; not for a site under attack\n" : "\n");
	}
	return rc;
}

static int put_handler_note(struct buf *out, const struct conf *c)
{
	for (size_t i = 0; i < c->servers_n; i++)
		if (by_handler(c, i))
			return buf_puts(out, "(SetHandler): requests for which a SetHandler or ProxyPassMatch names a FastCGI server go there, "
					     "run by its user; DISPATCH is about all others\n");
	return GW_OK;
}

static int put_limit(struct buf *out, const char *what, unsigned n)
{
	return n == 0 ? buf_printf(out, "%sno limit", what) : buf_printf(out, "%sat most %u", what, n);
}

/* What a site's locks lack by configuration. */
static int put_sandbox_off(struct buf *out, const struct conf *c)
{
	int rc = GW_OK;

	for (size_t i = 0; i < c->servers_n && rc == GW_OK; i++) {
		const struct conf_server *s = c->servers[i];
		if (s->sandbox_off == 0 || s->dispatch != CONF_DISPATCH_PREFORK)
			continue;
		rc = buf_printf(out, "%s: SANDBOX OFF:", or_dash(s->name));
		for (unsigned bit = 1; conf_layer_name(bit) != NULL && rc == GW_OK; bit <<= 1)
			if ((s->sandbox_off & bit) != 0)
				rc = buf_printf(out, " %s", conf_layer_name(bit));
		if (rc == GW_OK)
			rc = buf_puts(out, "\n");
	}
	return rc;
}

static int put_general(struct buf *out, const struct conf *c)
{
	int rc = buf_printf(out, "\nServer root: %s\nFront runs as: %s:%s, %u event loop%s\n", c->server_root,
			    or_dash(c->front.user), or_dash(c->front.group), c->loops, c->loops == 1 ? "" : "s");

	if (rc == GW_OK)
		rc = put_limit(out, "Sites awake at once: ", c->zygotes_max);
	if (rc == GW_OK)
		rc = put_limit(out, ", cells: ", c->cells_max);
	if (rc == GW_OK)
		rc = buf_puts(out, "\nListens on:");
	for (size_t i = 0; i < c->listen_n && rc == GW_OK; i++)
		rc = buf_printf(out, " %s", c->listen[i].text);
	if (rc == GW_OK && c->front_paths.n > 0)
		rc = buf_puts(out, "\nFront may also read:");
	for (size_t i = 0; i < c->front_paths.n && rc == GW_OK; i++)
		rc = buf_printf(out, " %s", c->front_paths.v[i]);
	if (rc == GW_OK)
		rc = buf_puts(out, "\n");
	for (size_t i = 0; i < c->pools_n && rc == GW_OK; i++) {
		const struct conf_pool *p = c->pools[i];
		rc = buf_printf(out, "Pool %s:", p->name);
		for (size_t j = 0; j < p->members_n && rc == GW_OK; j++)
			rc = buf_printf(out, " %s%s", p->members[j].addr.text, p->members[j].backup ? " (backup)" : "");
		if (rc == GW_OK)
			rc = buf_puts(out, "\n");
	}
	return rc;
}

void conf_dump_servers(const struct conf *c, int fd)
{
	static const struct row head = {{"SITE", "ADDRESS", "DISPATCH", "ISOLATION", "PROFILE", "USER", "POOL", "DEFINED AT"}};
	size_t width[COLUMNS];
	struct arena a;
	struct row *rows;
	struct buf out;
	int rc;

	arena_init(&a);
	buf_init(&out);
	rows = arena_calloc(&a, c->servers_n, sizeof(*rows));
	if (rows == NULL)
		goto out;
	for (int k = 0; k < COLUMNS; k++)
		width[k] = strlen(head.v[k]);
	for (size_t i = 0; i < c->servers_n; i++) {
		/* Hosts as they were written, the main server last: it answers what no host does. */
		fill_row(&a, c, (i + 1) % c->servers_n, &rows[i]);
		for (int k = 0; k < COLUMNS; k++) {
			size_t n = strlen(rows[i].v[k]);
			if (n > width[k])
				width[k] = n < 60 ? n : 60;
		}
	}
	rc = put_row(&out, &head, width);
	for (size_t i = 0; i < c->servers_n && rc == GW_OK; i++)
		rc = put_row(&out, &rows[i], width);
	if (rc == GW_OK)
		rc = put_names(&out, c);
	if (rc == GW_OK)
		rc = put_sandbox_notes(&out, c);
	if (rc == GW_OK)
		rc = put_handler_note(&out, c);
	if (rc == GW_OK)
		rc = put_sandbox_off(&out, c);
	if (rc == GW_OK)
		rc = put_general(&out, c);
	write_out(&out, rc, fd);
out:
	buf_fini(&out);
	arena_fini(&a);
}

/* Whether two lines are told as one. Debian has a file for each LoadModule; of all else every file is named. */
static bool same_reason(const struct conf_noeffect *x, const struct conf_noeffect *y)
{
	return strcmp(x->name, y->name) == 0 && strcmp(x->why, y->why) == 0 &&
	       (strcmp(x->file, y->file) == 0 || strcasecmp(x->name, "LoadModule") == 0);
}

void conf_dump_noeffect(const struct conf *c, int fd)
{
	struct buf out;
	int rc = GW_OK;

	buf_init(&out);
	for (size_t i = 0; i < c->noeffect_n && rc == GW_OK;) {
		const struct conf_noeffect *e = &c->noeffect[i];
		size_t n = 1;
		while (i + n < c->noeffect_n && same_reason(e, &c->noeffect[i + n]))
			n++;
		const struct conf_noeffect *last = &c->noeffect[i + n - 1];
		if (n == 1)
			rc = buf_printf(&out, "%s:%u: %s has no effect: %s\n", e->file, e->line, e->name, e->why);
		else if (strcmp(e->file, last->file) == 0)
			rc = buf_printf(&out, "%s:%u: %s has no effect (%zu times, up to line %u): %s\n", e->file, e->line, e->name, n,
					last->line, e->why);
		else
			rc = buf_printf(&out, "%s:%u: %s has no effect (%zu times, up to %s:%u): %s\n", e->file, e->line, e->name, n,
					last->file, last->line, e->why);
		i += n;
	}
	write_out(&out, rc, fd);
	buf_fini(&out);
}

/* --- reference --------------------------------------------------------------------------------------------------------- */

static int by_name(const void *x, const void *y)
{
	const struct conf_directive *a = *(const struct conf_directive *const *)x, *b = *(const struct conf_directive *const *)y;

	return strcasecmp(a->name, b->name);
}

static const char *class_name(unsigned override)
{
	switch (override) {
	case CONF_OV_FILEINFO: return "FileInfo";
	case CONF_OV_AUTHCFG: return "AuthConfig";
	case CONF_OV_LIMIT: return "Limit";
	case CONF_OV_OPTIONS: return "Options";
	case CONF_OV_INDEXES: return "Indexes";
	default: return "any class";
	}
}

static int put_text(struct buf *out, const char *s)
{
	int rc = GW_OK;

	for (; *s != '\0' && rc == GW_OK; s++)
		rc = *s == '|' ? buf_puts(out, "\\|") : buf_append(out, s, 1);
	return rc;
}

static int put_directive(struct buf *out, const struct conf_directive *d)
{
	char where[160];
	int rc;

	if (conf_directive_is_noeffect(d) || d->set == conf_set_refused) {
		rc = buf_printf(out, d->section ? "| `<%s>` | " : "| `%s` | ", d->name);
		if (rc == GW_OK)
			rc = put_text(out, d->doc);
		return rc == GW_OK ? buf_puts(out, " |\n") : rc;
	}
	rc = buf_printf(out, "### %s%s%s\n\n    %s%s%s%s%s\n\n%s\n\nIn: %s", d->section ? "<" : "", d->name, d->section ? ">" : "",
			d->section ? "<" : "", d->name, d->args[0] == '\0' ? "" : " ", d->args, d->section ? ">" : "", d->doc,
			conf_where_text(d->where, where, sizeof(where)));
	if (rc == GW_OK && (d->where & CONF_W_HT) != 0 && d->override != 0)
		rc = buf_printf(out, " (AllowOverride %s)", class_name(d->override));
	if (rc == GW_OK && (d->set == conf_set_int))
		rc = buf_printf(out, ". From %lld to %lld", (long long)d->lo, (long long)d->hi);
	if (rc == GW_OK && d->set == conf_set_time)
		rc = buf_puts(out, ". Seconds, or with a unit: ms, s, min, h");
	return rc == GW_OK ? buf_puts(out, ".\n\n") : rc;
}

static const char intro[] =
	"# Directives\n\n"
	"Made from the directive table by `bulkhead -L`; do not edit.\n\n"
	"The language is Apache 2.4's: one directive a line, a backslash at the end of a line joins the next, `#` begins a comment\n"
	"line, words with blanks stand in quotes, `${name}` is replaced by what Define, an `envvars` file or the environment says.\n"
	"When the main file's directory has a file `envvars`, as Debian's Apache has, the shell assignments in it (`export\n"
	"NAME=value`) are read first; variables that nothing sets, like `$SUFFIX`, are empty there.\n\n"
	"Sections are merged as Apache does: `<Directory>` from the shortest path to the longest, `<DirectoryMatch>`, `<Files>` and\n"
	"`<FilesMatch>`, `<Location>` and `<LocationMatch>`; in each, the main server's before the virtual host's. `<If>` comes last.\n\n";

static int put_part(struct buf *out, const struct conf_directive **v, const char *head, int part)
{
	int rc = buf_puts(out, head);

	for (size_t i = 0; i < conf_directives_n && rc == GW_OK; i++) {
		int its = conf_directive_is_noeffect(v[i]) ? 2 : v[i]->set == conf_set_refused ? 1 : 0;
		if (its == part)
			rc = put_directive(out, v[i]);
	}
	return rc;
}

void conf_dump_reference(int fd)
{
	const struct conf_directive **v = calloc(conf_directives_n, sizeof(*v));
	struct buf out;
	int rc;

	if (v == NULL)
		return;
	for (size_t i = 0; i < conf_directives_n; i++)
		v[i] = &conf_directives[i];
	qsort(v, conf_directives_n, sizeof(*v), by_name);
	buf_init(&out);
	rc = buf_puts(&out, intro);
	if (rc == GW_OK)
		rc = put_part(&out, v, "## What is followed\n\n", 0);
	if (rc == GW_OK)
		rc = put_part(&out, v, "## Refused\n\nThese are errors: a site that relies on them would not do what its files say.\n\n| directive | why |\n|---|---|\n", 1);
	if (rc == GW_OK)
		rc = put_part(&out, v, "\n## Accepted without effect\n\n`bulkhead -t` lists each use with its place.\n\n| directive | why |\n|---|---|\n", 2);
	write_out(&out, rc, fd);
	buf_fini(&out);
	free(v);
}
