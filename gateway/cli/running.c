/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cli/running.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <unistd.h>

#include "gateway/base/arena.h"
#include "gateway/base/io.h"

#define STATUS_MAX 8192 /* a kernel of many processors writes long masks, behind all that is looked for */

static const char *const namespaces[] = {"mnt", "pid", "net", "ipc", "uts", "cgroup", "user"};
#define NAMESPACES_N (sizeof(namespaces) / sizeof(*namespaces))

enum role { ROLE_UNKNOWN, ROLE_MASTER, ROLE_FRONT, ROLE_MAIL, ROLE_LOG, ROLE_SPARE, ROLE_ZYGOTE, ROLE_CELL, ROLE_PROGRAM };
static const char *const role_names[] = {"(other)", "master", "front", "mail", "log", "spare", "zygote", "cell", "program"};

struct proc {
	pid_t pid;
	enum role role;
	struct running_status st;
	const char *site;
};

struct table {
	struct arena a;
	struct proc *v;
	size_t n, cap;
};

/* --- reading ------------------------------------------------------------------------------------------------------------ */

/* The text after "key:" and blanks, or NULL. */
static const char *field(const char *text, const char *key)
{
	size_t len = strlen(key);

	for (const char *line = text; line != NULL && *line != '\0'; line = strchr(line, '\n'), line += line != NULL)
		if (strncmp(line, key, len) == 0 && line[len] == ':')
			return line + len + 1 + strspn(line + len + 1, " \t");
	return NULL;
}

static bool number(const char *text, const char *key, int base, uint64_t *out)
{
	const char *at = field(text, key);
	char *end;

	if (at == NULL || !isxdigit((unsigned char)*at))
		return false;
	*out = strtoull(at, &end, base);
	return end != at;
}

int running_parse_status(const char *text, struct running_status *st)
{
	const char *name = field(text, "Name"), *ids = field(text, "Uid");
	uint64_t parent, nnp, mode, filters = 0;
	unsigned uid;

	if (name == NULL || ids == NULL || sscanf(ids, "%*u %u", &uid) != 1 || !number(text, "PPid", 10, &parent) ||
	    !number(text, "CapEff", 16, &st->cap_eff) || !number(text, "CapBnd", 16, &st->cap_bnd) ||
	    !number(text, "NoNewPrivs", 10, &nnp) || !number(text, "Seccomp", 10, &mode) || parent > INT_MAX)
		return GW_ERR_PROTO;
	if (!number(text, "Seccomp_filters", 10, &filters)) /* Linux 5.9 */
		filters = 0;
	snprintf(st->name, sizeof(st->name), "%.*s", (int)strcspn(name, "\n"), name);
	st->parent = (pid_t)parent;
	st->uid = uid;
	st->nnp = (unsigned)nnp;
	st->seccomp = (unsigned)mode;
	st->filters = (unsigned)filters;
	return GW_OK;
}

/* A file of /proc: its size is not known before. Cut at @size - 1 octets, NUL-terminated; returns its length, 0 when there is none. */
static size_t read_proc(pid_t pid, const char *name, char *out, size_t size)
{
	char path[64];
	size_t len = 0;
	ssize_t n = 0;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return 0;
	while (len < size - 1 && (n = read(fd, out + len, size - 1 - len)) > 0)
		len += (size_t)n;
	io_close(&fd);
	out[len] = '\0';
	return len;
}

static bool read_status(pid_t pid, struct running_status *st)
{
	char text[STATUS_MAX];

	return read_proc(pid, "status", text, sizeof(text)) > 0 && running_parse_status(text, st) == GW_OK;
}

/* The second word of the command line, which the master gave a zygote; printable, for the octets are the process's own. */
static const char *site_of(struct arena *a, pid_t pid)
{
	char text[4096], *name = NULL;
	size_t len = read_proc(pid, "cmdline", text, sizeof(text));
	size_t first = len == 0 ? 0 : strlen(text) + 1;

	if (first < len && text[first] != '\0')
		name = arena_strdup(a, text + first);
	for (char *p = name; p != NULL && *p != '\0'; p++)
		if (!isgraph((unsigned char)*p))
			*p = '?';
	return name != NULL ? name : "-";
}

static int add_all(struct table *t)
{
	DIR *d = opendir("/proc");

	if (d == NULL)
		return GW_ERR_SYS;
	for (struct dirent *e; (e = readdir(d)) != NULL;) {
		struct proc p = {.pid = (pid_t)strtol(e->d_name, NULL, 10), .site = "-"};
		if (!isdigit((unsigned char)e->d_name[0]) || !read_status(p.pid, &p.st))
			continue; /* not a process, or gone meanwhile */
		if (t->n == t->cap) {
			size_t cap = t->cap == 0 ? 256 : t->cap * 2;
			struct proc *v = realloc(t->v, cap * sizeof(*v));
			if (v == NULL) {
				closedir(d);
				return GW_ERR_NOMEM;
			}
			t->v = v;
			t->cap = cap;
		}
		t->v[t->n++] = p;
	}
	closedir(d);
	return GW_OK;
}

/* --- who is who --------------------------------------------------------------------------------------------------------- */

/* By its parent where that decides: below a zygote runs the tenant's code, which may call itself what it likes. */
static enum role role_below(const struct proc *parent, const char *name)
{
	static const struct {
		const char *name;
		enum role role;
	} names[] = {{"bulkhead-front", ROLE_FRONT}, {"bulkhead-mail", ROLE_MAIL}, {"bulkhead-log", ROLE_LOG}, {"bh-spare", ROLE_SPARE}, {"bh-zygote", ROLE_ZYGOTE}};

	if (parent->role == ROLE_ZYGOTE)
		return ROLE_CELL;
	if (parent->role == ROLE_CELL || parent->role == ROLE_PROGRAM)
		return ROLE_PROGRAM;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strcmp(name, names[i].name) == 0)
			return names[i].role;
	return ROLE_UNKNOWN;
}

/* Move what lies below t->v[at] behind it, depth first; returns the end of what has its place. */
static size_t place_children(struct table *t, size_t at, size_t end)
{
	size_t parent = at;

	for (size_t i = end; i < t->n; i++) {
		if (t->v[i].st.parent != t->v[parent].pid)
			continue;
		struct proc p = t->v[i];
		t->v[i] = t->v[end];
		p.role = role_below(&t->v[parent], p.st.name);
		p.site = p.role == ROLE_ZYGOTE ? site_of(&t->a, p.pid) : t->v[parent].site;
		t->v[end] = p;
		end = place_children(t, end, end + 1);
		i = end - 1;
	}
	return end;
}

static int collect(struct table *t, pid_t master)
{
	int err = add_all(t);

	for (size_t i = 0; i < t->n && err == GW_OK; i++) {
		if (t->v[i].pid != master)
			continue;
		struct proc m = t->v[i];
		m.role = ROLE_MASTER;
		t->v[i] = t->v[0];
		t->v[0] = m;
		t->n = place_children(t, 0, 1);
		return GW_OK;
	}
	t->n = 0;
	return err;
}

/* --- writing ------------------------------------------------------------------------------------------------------------ */

int running_put_caps(struct buf *out, uint64_t mask)
{
	uint64_t all = 0;
	int rc = GW_OK;
	bool first = true;

	for (cap_value_t cap = 0; cap < 64 && CAP_IS_SUPPORTED(cap); cap++)
		all |= UINT64_C(1) << cap;
	if (mask == 0 || mask == all)
		return buf_puts(out, mask == 0 ? "none" : "all");
	if (__builtin_popcountll(mask) > 20) { /* what is missing is shorter to read */
		rc = buf_puts(out, "all but ");
		mask = all & ~mask;
	}
	for (cap_value_t cap = 0; cap < 64 && rc == GW_OK; cap++) {
		if ((mask >> cap & 1) == 0)
			continue;
		char *name = cap_to_name(cap);
		rc = buf_printf(out, "%s%s", first ? "" : ",", name == NULL ? "?" : strncmp(name, "cap_", 4) == 0 ? name + 4 : name);
		cap_free(name);
		first = false;
	}
	return rc;
}

/* Which namespaces are not the master's. */
static void own_namespaces(pid_t pid, pid_t master, char *out, size_t size)
{
	char path[64], its[64], masters[64];
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < NAMESPACES_N; i++) {
		snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, namespaces[i]);
		ssize_t a = readlink(path, its, sizeof(its));
		snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)master, namespaces[i]);
		ssize_t b = readlink(path, masters, sizeof(masters));
		if (a <= 0 || b <= 0) {
			snprintf(out, size, "?"); /* a process that cannot be dumped is root's to look at */
			return;
		}
		if (a == b && memcmp(its, masters, (size_t)a) == 0)
			continue;
		n += (size_t)snprintf(out + n, size - n, "%s%s", n > 0 ? "," : "", namespaces[i]);
	}
	if (n == 0)
		snprintf(out, size, "-");
}

static int put_proc(struct buf *out, const struct proc *p, pid_t master)
{
	static const char *const modes[] = {"off", "strict", "filter"};
	char user[64], ns[80], seccomp[32];
	struct passwd *pw = getpwuid(p->st.uid);

	if (pw != NULL)
		snprintf(user, sizeof(user), "%s", pw->pw_name);
	else
		snprintf(user, sizeof(user), "#%u", (unsigned)p->st.uid);
	own_namespaces(p->pid, master, ns, sizeof(ns));
	if (p->st.filters > 0)
		snprintf(seccomp, sizeof(seccomp), "%s:%u", p->st.seccomp < 3 ? modes[p->st.seccomp] : "?", p->st.filters);
	else
		snprintf(seccomp, sizeof(seccomp), "%s", p->st.seccomp < 3 ? modes[p->st.seccomp] : "?");
	int rc = buf_printf(out, "%-8s  %7d  %-24s  %-12s  %-3s  %-9s  %-28s  ", role_names[p->role], (int)p->pid, p->site, user,
			    p->st.nnp == 1 ? "yes" : "no", seccomp, p->role == ROLE_MASTER ? "-" : ns);
	if (rc == GW_OK)
		rc = running_put_caps(out, p->st.cap_eff);
	if (rc == GW_OK && p->st.cap_bnd != p->st.cap_eff) {
		rc = buf_puts(out, "  bounding: ");
		if (rc == GW_OK)
			rc = running_put_caps(out, p->st.cap_bnd);
	}
	return rc == GW_OK ? buf_puts(out, "\n") : rc;
}

int running_put(struct buf *out, pid_t master)
{
	struct table t = {.n = 0};

	arena_init(&t.a);
	int rc = collect(&t, master);
	if (rc == GW_OK)
		rc = buf_printf(out, "Running, as the kernel says it:\n%-8s  %7s  %-24s  %-12s  %-3s  %-9s  %-28s  %s\n", "ROLE", "PID", "SITE",
				"USER", "NNP", "SECCOMP", "OWN NAMESPACES", "CAPABILITIES");
	for (size_t i = 0; i < t.n && rc == GW_OK; i++)
		rc = put_proc(out, &t.v[i], master);
	if (rc == GW_OK)
		rc = buf_puts(out, "Landlock rules are not shown by the kernel; what a site runs without is in its error log, at the start of "
				   "its first process.\n");
	free(t.v);
	arena_fini(&t.a);
	return rc;
}
