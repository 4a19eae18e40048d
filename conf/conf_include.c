/* SPDX-License-Identifier: Apache-2.0 */
/* Which files Include means, and reading them. */
#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "conf/conf_parse.h"
#include "gateway/base/io.h"

#define FILE_MAX (64u * 1024 * 1024) /* octets of one file */
#define FILES_MAX 100000             /* in one configuration: a few files that include each other twice explode */
#define INCLUDE_DEPTH_MAX 64         /* files within files, directories within directories */

/* A file being read; the chain shows a file that includes itself. */
struct conf_source {
	struct conf_source *up;
	dev_t dev;
	ino_t ino;
	unsigned depth;
};

/* What a message about a file belongs to: the Include line, the site file itself, or nothing for the main file. */
static void say(struct conf_parser *p, const struct conf_node *n, const char *path, const char *text)
{
	const char *own = p->site == NULL || strcmp(path, p->site->path) != 0 ? NULL : arena_strdup(p->a, path);

	if (own != NULL) {
		conf_sites_name(p->sites, own, p->site);
		conf_diag_add(p->d, true, own, 1, 1, "the file cannot be read: %s", text);
	} else if (n != NULL)
		conf_node_say(p->d, true, n, 0, "%s: %s", path, text);
	else
		conf_diag_add(p->d, true, path, 1, 1, "the configuration cannot be read: %s", text);
}

/* Names the line that includes, among all of a site file's. */
static const char *place_of(struct conf_parser *p, const struct conf_node *n, const char *path)
{
	const char *at = strcmp(path, p->site->path) == 0 ? "" : arena_printf(p->a, "%s:%u", n->file, n->name.line);

	p->oom = p->oom || at == NULL;
	return at == NULL ? "" : at;
}

static void read_path(struct conf_parser *p, const struct conf_node *n, const char *path, unsigned depth, bool wild);

/* As strcmp, with the slash before every other octet: the order in which a walk through sorted directories meets paths. */
static int path_cmp(const void *x, const void *y)
{
	const unsigned char *a = *(const unsigned char *const *)x, *b = *(const unsigned char *const *)y;

	while (*a != '\0' && *a == *b) {
		a++;
		b++;
	}
	return (*a == '/' ? 1 : *a == '\0' ? 0 : *a + 1) - (*b == '/' ? 1 : *b == '\0' ? 0 : *b + 1);
}

static void read_file(struct conf_parser *p, const struct conf_node *n, const char *path, const struct stat *st)
{
	struct conf_source src = {.up = p->source, .dev = st->st_dev, .ino = st->st_ino,
				  .depth = p->source == NULL ? 0 : p->source->depth + 1};
	char *text = NULL;
	size_t len = 0;
	int rc;

	for (const struct conf_source *s = p->source; s != NULL; s = s->up) {
		if (s->dev == src.dev && s->ino == src.ino) {
			say(p, n, path, "the file includes itself");
			return;
		}
	}
	if (src.depth > INCLUDE_DEPTH_MAX || ++p->files > FILES_MAX) {
		say(p, n, path, src.depth > INCLUDE_DEPTH_MAX ? "files are included too deep" : "too many files are included");
		return;
	}
	rc = io_read_file(path, FILE_MAX, &text, &len);
	if (rc != GW_OK) {
		say(p, n, path, rc == GW_ERR_SYS ? strerror(errno) : gw_strerror(rc));
		return;
	}
	const char *name = arena_strdup(p->a, path);
	if (name == NULL) {
		p->oom = true;
	} else {
		if (p->site != NULL) {
			conf_sites_name(p->sites, name, p->site);
			conf_sites_read(p->sites, p->site, place_of(p, n, path), path, text, len);
		}
		p->source = &src;
		conf_parse_text(p, name, text, len);
		p->source = src.up;
	}
	free(text);
}

static void read_dir(struct conf_parser *p, const struct conf_node *n, const char *path, unsigned depth)
{
	DIR *dir = opendir(path);
	const char **v = NULL;
	size_t count = 0;

	if (dir == NULL || depth > INCLUDE_DEPTH_MAX) {
		say(p, n, path, dir == NULL ? strerror(errno) : "directories are nested too deep");
		if (dir != NULL)
			(void)closedir(dir);
		return;
	}
	for (struct dirent *e; (e = readdir(dir)) != NULL;) {
		const char **more;
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		more = conf_push(p->a, v, count, sizeof(*v));
		if (more == NULL || (more[count] = arena_printf(p->a, "%s/%s", path, e->d_name)) == NULL) {
			p->oom = true;
			break;
		}
		v = more;
		count++;
	}
	(void)closedir(dir);
	if (count > 1)
		qsort(v, count, sizeof(*v), path_cmp);
	for (size_t i = 0; i < count && !p->oom; i++)
		read_path(p, n, v[i], depth + 1, true);
}

static void read_any(struct conf_parser *p, const struct conf_node *n, const char *path, unsigned depth)
{
	struct stat st;

	if (stat(path, &st) != 0)
		say(p, n, path, strerror(errno));
	else if (S_ISDIR(st.st_mode) && n != NULL)
		read_dir(p, n, path, depth);
	else if (!S_ISREG(st.st_mode))
		say(p, n, path, "not a regular file");
	else
		read_file(p, n, path, &st);
}

static bool is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* @wild: a pattern or a directory led to it. */
static void read_path(struct conf_parser *p, const struct conf_node *n, const char *path, unsigned depth, bool wild)
{
	if (!wild || p->sites == NULL || p->site != NULL || p->depth > 0 || is_dir(path)) {
		read_any(p, n, path, depth);
		return;
	}
	p->site = conf_sites_get(p->sites, path);
	if (p->site == NULL)
		p->oom = true;
	else if (p->site->mode == CONF_SITE_FRESH)
		read_any(p, n, path, depth);
	else
		conf_sites_replay(p, p->site, "");
	p->site = NULL;
}

static void read_glob(struct conf_parser *p, const struct conf_node *n, const char *pattern, bool optional)
{
	glob_t g;
	int rc = glob(pattern, GLOB_NOSORT, NULL, &g);

	if (rc == GLOB_NOSPACE) {
		p->oom = true;
		return;
	}
	if (rc != 0 && rc != GLOB_NOMATCH) {
		say(p, n, pattern, "cannot be read");
		return;
	}
	if (rc == GLOB_NOMATCH && !optional)
		say(p, n, pattern, "no file matches; IncludeOptional would accept that");
	if (rc == 0) {
		if (g.gl_pathc > 1)
			qsort(g.gl_pathv, g.gl_pathc, sizeof(*g.gl_pathv), path_cmp);
		for (size_t i = 0; i < g.gl_pathc && !p->oom; i++)
			read_path(p, n, g.gl_pathv[i], 0, true);
	}
	globfree(&g);
}

void conf_parse_include(struct conf_parser *p, const struct conf_node *n, bool optional)
{
	const char *name = n->args[0].text;
	char *path = conf_path(p->a, p->server_root, name);
	struct stat st;

	if (path == NULL)
		p->oom = true;
	else if (p->site != NULL && p->site->mode != CONF_SITE_FRESH)
		conf_sites_replay(p, p->site, place_of(p, n, path));
	else if (conf_is_wild(path))
		read_glob(p, n, path, optional);
	else if (!optional || stat(path, &st) == 0 || errno != ENOENT)
		read_path(p, n, path, 0, false);
}

void conf_parse_file(struct conf_parser *p, const char *path)
{
	read_path(p, NULL, path, 0, false);
}
