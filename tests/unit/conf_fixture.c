/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/conf_fixture.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/io.h"

static char dir[64];

static void remove_dir(void)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -rf %s", dir);
	(void)!system(command);
}

const char *fixture_dir(void)
{
	if (dir[0] == '\0') {
		strcpy(dir, "/tmp/check_conf_XXXXXX");
		ck_assert_ptr_nonnull(mkdtemp(dir));
		(void)atexit(remove_dir);
	}
	return dir;
}

void fixture_file(const char *name, const char *text)
{
	char path[512];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", fixture_dir(), name);
	for (char *s = path + strlen(fixture_dir()) + 1; (s = strchr(s, '/')) != NULL; s++) {
		*s = '\0';
		(void)mkdir(path, 0755);
		*s = '/';
	}
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

void fixture_load(struct fixture *f, const char *text, bool need_root)
{
	static const char *const listen[] = {"Listen 127.0.0.1:8080"};
	char path[512];
	struct conf_load_opts o = {.file = path, .after_n = 1, .after = listen, .need_root = need_root};

	fixture_file("main.conf", text);
	(void)snprintf(path, sizeof(path), "%s/main.conf", fixture_dir());
	memset(f, 0, sizeof(*f));
	conf_diags_init(&f->d);
	f->c = conf_load(&o, &f->d);
	ck_assert_int_eq(f->c == NULL, f->d.errors > 0);
	if (f->c != NULL)
		f->cc = conf_cache_new();
}

void fixture_good(struct fixture *f, const char *text)
{
	fixture_load(f, text, false);
	if (f->c == NULL)
		conf_diags_print(&f->d, 2);
	ck_assert_ptr_nonnull(f->c);
	ck_assert_ptr_nonnull(f->cc);
}

void fixture_free(struct fixture *f)
{
	conf_cache_free(f->cc);
	conf_free(f->c);
	conf_diags_fini(&f->d);
}

bool fixture_said(const struct fixture *f, bool error, unsigned line, unsigned column, const char *part)
{
	for (size_t i = 0; i < f->d.n; i++) {
		const struct conf_diag *d = &f->d.v[i];
		if (d->error == error && (line == 0 || d->line == line) && (column == 0 || d->column == column) &&
		    strstr(d->text, part) != NULL)
			return true;
	}
	return false;
}

const struct conf_dir *fixture_dir_for(struct fixture *f, const struct conf_server *s, const char *path, const char *file, const char *uri)
{
	struct conf_match m = {.server = s, .dir = path, .file = file, .uri = uri};
	const struct conf_dir *d = conf_dir_for(f->cc, f->c, &m);

	ck_assert_ptr_nonnull(d);
	ck_assert_ptr_eq(d, conf_dir_for(f->cc, f->c, &m)); /* the same set of sections is merged once */
	return d;
}

char *fixture_dump(void (*dump)(const struct conf *c, int fd), const struct conf *c)
{
	char path[512], *text = NULL;
	size_t len;
	FILE *out;

	(void)snprintf(path, sizeof(path), "%s/dump", fixture_dir());
	out = fopen(path, "w");
	ck_assert_ptr_nonnull(out);
	dump(c, fileno(out));
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_int_eq(io_read_file(path, 1u << 24, &text, &len), GW_OK);
	return text;
}
