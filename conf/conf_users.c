/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/conf_users.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/io.h"

#define WALK_FROM 16 /* distinct users from which one walk over a database is cheaper than asking for each */

struct user_entry {
	bool found, numeric;
	const char *name; /* NULL for a number that no user has */
	uid_t uid;
	gid_t gid;
	bool groups_known;
	size_t groups_n;
	gid_t *groups;
};

struct group_entry {
	bool found;
	gid_t gid;
};

struct member_list {
	size_t n;
	gid_t *v;
};

void conf_users_init(struct conf_users *u, struct arena *a)
{
	memset(u, 0, sizeof(*u));
	u->a = a;
	conf_map_init(&u->users, a);
	conf_map_init(&u->groups, a);
	conf_map_init(&u->members, a);
}

static bool parse_number(const char *text, unsigned long *out)
{
	char *end;

	if (text[0] != '#' || text[1] < '0' || text[1] > '9')
		return false;
	errno = 0;
	*out = strtoul(text + 1, &end, 10);
	return *end == '\0' && errno == 0 && *out < 0xffffffffUL;
}

static struct user_entry *user_add(struct conf_users *u, const char *name, const struct passwd *pw)
{
	struct user_entry *e = arena_calloc(u->a, 1, sizeof(*e));
	char *k = arena_strdup(u->a, name);

	if (e == NULL || k == NULL || conf_map_put(&u->users, 0, k, strlen(k), e) != GW_OK)
		return NULL;
	if (pw != NULL) {
		e->found = true;
		e->name = k;
		e->uid = pw->pw_uid;
		e->gid = pw->pw_gid;
	}
	return e;
}

/* getpwnam() reads /etc/passwd from its start for every name: with thousands of sites that is quadratic. */
static void passwd_walk(struct conf_users *u)
{
	const struct passwd *pw;

	u->passwd_walked = true;
	setpwent();
	while ((pw = getpwent()) != NULL) {
		if (conf_map_get(&u->users, 0, pw->pw_name, strlen(pw->pw_name)) == NULL)
			(void)user_add(u, pw->pw_name, pw);
	}
	endpwent();
}

static struct user_entry *user_find(struct conf_users *u, const char *name)
{
	struct user_entry *e = conf_map_get(&u->users, 0, name, strlen(name));
	const struct passwd *pw;
	unsigned long id;

	if (e != NULL)
		return e;
	if (parse_number(name, &id)) {
		pw = getpwuid((uid_t)id);
		e = user_add(u, name, pw);
		if (e == NULL)
			return NULL;
		e->numeric = e->found = true;
		e->uid = (uid_t)id;
		e->gid = pw != NULL ? pw->pw_gid : (gid_t)-1;
		e->name = pw != NULL ? arena_strdup(u->a, pw->pw_name) : NULL;
		return e;
	}
	if (++u->asked > WALK_FROM && !u->passwd_walked) {
		passwd_walk(u);
		e = conf_map_get(&u->users, 0, name, strlen(name));
		if (e != NULL)
			return e;
	}
	return user_add(u, name, getpwnam(name));
}

static struct group_entry *group_find(struct conf_users *u, const char *name)
{
	struct group_entry *e = conf_map_get(&u->groups, 0, name, strlen(name));
	const struct group *gr;
	unsigned long id;
	char *k;

	if (e != NULL)
		return e;
	e = arena_calloc(u->a, 1, sizeof(*e));
	k = arena_strdup(u->a, name);
	if (e == NULL || k == NULL || conf_map_put(&u->groups, 0, k, strlen(k), e) != GW_OK)
		return NULL;
	if (parse_number(name, &id)) {
		*e = (struct group_entry){.found = true, .gid = (gid_t)id};
	} else if ((gr = getgrnam(name)) != NULL) {
		*e = (struct group_entry){.found = true, .gid = gr->gr_gid};
	}
	return e;
}

/*
 * Whether a walk over the group database finds every membership: only local sources do for sure. A directory service
 * may refuse to be listed and still answer for one user.
 */
static bool groups_are_local(void)
{
	char *text = NULL, *save = NULL;
	size_t len;
	bool local = true;

	if (io_read_file("/etc/nsswitch.conf", 65536, &text, &len) != GW_OK)
		return false;
	for (char *line = strtok_r(text, "\n", &save); line != NULL && local; line = strtok_r(NULL, "\n", &save)) {
		char *word_save = NULL, *word = strtok_r(line, " \t", &word_save);
		if (word == NULL || (strcmp(word, "group:") != 0 && strcmp(word, "initgroups:") != 0))
			continue;
		while (local && (word = strtok_r(NULL, " \t", &word_save)) != NULL && word[0] != '#')
			local = strcmp(word, "files") == 0 || strcmp(word, "systemd") == 0 || strcmp(word, "compat") == 0;
	}
	free(text);
	return local;
}

static int member_add(struct conf_users *u, const char *user, gid_t gid)
{
	struct member_list *l = conf_map_get(&u->members, 0, user, strlen(user));
	gid_t *v;

	if (l == NULL) {
		char *k = arena_strdup(u->a, user);
		l = arena_calloc(u->a, 1, sizeof(*l));
		if (k == NULL || l == NULL || conf_map_put(&u->members, 0, k, strlen(k), l) != GW_OK)
			return GW_ERR_NOMEM;
	}
	v = conf_push(u->a, l->v, l->n, sizeof(*v));
	if (v == NULL)
		return GW_ERR_NOMEM;
	v[l->n++] = gid;
	l->v = v;
	return GW_OK;
}

static void groups_walk(struct conf_users *u)
{
	const struct group *gr;

	u->walk = 1;
	setgrent();
	while ((gr = getgrent()) != NULL) {
		struct group_entry *e;
		for (char **m = gr->gr_mem; *m != NULL; m++) {
			if (member_add(u, *m, gr->gr_gid) != GW_OK)
				u->walk = -1;
		}
		if (conf_map_get(&u->groups, 0, gr->gr_name, strlen(gr->gr_name)) != NULL)
			continue;
		char *k = arena_strdup(u->a, gr->gr_name);
		e = arena_calloc(u->a, 1, sizeof(*e));
		if (k == NULL || e == NULL)
			continue;
		*e = (struct group_entry){.found = true, .gid = gr->gr_gid};
		(void)!conf_map_put(&u->groups, 0, k, strlen(k), e);
	}
	endgrent();
}

/* The user's supplementary groups, its own group left out. Returns 0 or GW_ERR_NOMEM. */
static int user_groups(struct conf_users *u, struct user_entry *e)
{
	int n = 64;
	gid_t *v;

	e->groups_known = true;
	if (e->name == NULL)
		return GW_OK;
	if (u->walk == 0 && u->asked > WALK_FROM) {
		u->walk = -1;
		if (groups_are_local())
			groups_walk(u);
	}
	if (u->walk == 1) {
		const struct member_list *l = conf_map_get(&u->members, 0, e->name, strlen(e->name));
		if (l != NULL) {
			e->groups = l->v;
			e->groups_n = l->n;
		}
		return GW_OK;
	}
	for (;;) {
		int room = n;
		v = arena_alloc(u->a, (size_t)n * sizeof(*v));
		if (v == NULL)
			return GW_ERR_NOMEM;
		if (getgrouplist(e->name, e->gid, v, &n) >= 0)
			break;
		n = n > room ? n : room * 2;
		if (n > 65536)
			return GW_ERR_NOMEM;
	}
	for (int i = 0; i < n; i++) {
		if (v[i] != e->gid)
			v[e->groups_n++] = v[i];
	}
	e->groups = v;
	return GW_OK;
}

const char *conf_users_resolve(struct conf_users *u, const char *user, const char *group, struct conf_ids *ids, bool *bad_group)
{
	struct user_entry *e = user_find(u, user);
	struct group_entry *g = NULL;
	gid_t *v;

	*bad_group = false;
	if (e == NULL)
		return "out of memory";
	if (!e->found)
		return "there is no such user";
	*bad_group = true;
	if (group != NULL) {
		g = group_find(u, group);
		if (g == NULL)
			return "out of memory";
		if (!g->found)
			return "there is no such group";
	} else if (e->gid == (gid_t)-1) {
		return "no user has this number: name a group too";
	}
	if (!e->groups_known && user_groups(u, e) != GW_OK)
		return "out of memory";
	ids->user = e->name != NULL ? e->name : user;
	ids->uid = e->uid;
	ids->gid = g != NULL ? g->gid : e->gid;
	ids->group = group;
	if (group == NULL) {
		const struct group *gr = getgrgid(ids->gid);
		ids->group = gr != NULL ? arena_strdup(u->a, gr->gr_name) : arena_printf(u->a, "#%u", (unsigned)ids->gid);
	}
	v = arena_alloc(u->a, (e->groups_n + 1) * sizeof(*v));
	if (v == NULL || ids->group == NULL)
		return "out of memory";
	ids->groups_n = 0;
	for (size_t i = 0; i < e->groups_n; i++) {
		if (e->groups[i] != ids->gid)
			v[ids->groups_n++] = e->groups[i];
	}
	ids->groups = v;
	return NULL;
}

void conf_users_suggest(struct conf_suggest *s, bool groups)
{
	const struct passwd *pw;
	const struct group *gr;
	static char best[64];

	/* The databases reuse their storage: the best so far is copied. Loading is single-threaded. */
	if (groups) {
		setgrent();
		while ((gr = getgrent()) != NULL && strlen(gr->gr_name) < sizeof(best)) {
			conf_suggest_try(s, gr->gr_name);
			if (s->best == gr->gr_name) {
				memcpy(best, gr->gr_name, strlen(gr->gr_name) + 1);
				s->best = best;
			}
		}
		endgrent();
		return;
	}
	setpwent();
	while ((pw = getpwent()) != NULL && strlen(pw->pw_name) < sizeof(best)) {
		conf_suggest_try(s, pw->pw_name);
		if (s->best == pw->pw_name) {
			memcpy(best, pw->pw_name, strlen(pw->pw_name) + 1);
			s->best = best;
		}
	}
	endpwent();
}

int conf_users_self(struct arena *a, struct conf_ids *ids)
{
	const struct passwd *pw = getpwuid(getuid());
	const struct group *gr = getgrgid(getgid());

	memset(ids, 0, sizeof(*ids));
	ids->uid = getuid();
	ids->gid = getgid();
	ids->user = pw != NULL ? arena_strdup(a, pw->pw_name) : arena_printf(a, "#%u", (unsigned)getuid());
	ids->group = gr != NULL ? arena_strdup(a, gr->gr_name) : arena_printf(a, "#%u", (unsigned)getgid());
	return ids->user == NULL || ids->group == NULL ? GW_ERR_NOMEM : GW_OK;
}
