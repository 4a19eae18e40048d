/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trust: runs with the master's rights, like the dynamic linker before it, and before anything of a site is known. It
 * opens what PHP's own configuration names, which is root's, and runs no code but the libraries' constructors.
 */
#include "sandbox/php/warm.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <main/php.h>
#include <main/build-defs.h>

#define LINE_MAX_LEN 512
#define BLANKS " \t\r\n"

/* The value of "key = value", quotes and comment taken off, in place; NULL if the line says something else. */
static char *value_of(char *line, const char *key)
{
	char *at = line + strspn(line, BLANKS);
	size_t len = strlen(key);

	if (strncmp(at, key, len) != 0)
		return NULL;
	at += len;
	at += strspn(at, BLANKS);
	if (*at++ != '=')
		return NULL;
	at += strspn(at, BLANKS "\"'");
	at[strcspn(at, BLANKS "\"';")] = '\0';
	return *at == '\0' ? NULL : at;
}

/* As PHP's own loader names them: a path, a file name, or the bare name of an extension. */
static void load(const char *name)
{
	size_t len = strlen(name);
	bool whole = len > 3 && strcmp(name + len - 3, ".so") == 0;
	char path[1024];

	if (strchr(name, '/') != NULL)
		snprintf(path, sizeof(path), "%s", name);
	else
		snprintf(path, sizeof(path), "%s/%s%s", PHP_EXTENSION_DIR, name, whole ? "" : ".so");
	if (DL_LOAD(path) == NULL)
		dlerror(); /* fetched, so that nobody takes it for his own */
}

static void load_file(const char *path, const char *key)
{
	char line[LINE_MAX_LEN];
	FILE *f = fopen(path, "re");

	if (f == NULL)
		return;
	while (fgets(line, sizeof(line), f) != NULL) {
		const char *name = value_of(line, key);
		if (name != NULL)
			load(name);
	}
	fclose(f);
}

static int is_ini(const struct dirent *e)
{
	size_t len = strlen(e->d_name);

	return len > 4 && strcmp(e->d_name + len - 4, ".ini") == 0;
}

static void load_all(const char *dir, const char *key)
{
	struct dirent **names;
	char path[2048];

	snprintf(path, sizeof(path), "%s/php.ini", dir);
	load_file(path, key);
	snprintf(path, sizeof(path), "%s/conf.d", dir);
	int n = scandir(path, &names, is_ini, alphasort);
	for (int i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/conf.d/%s", dir, names[i]->d_name);
		load_file(path, key);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
}

void warm_libraries(const char *dir)
{
	if (dir == NULL)
		return;
	load_all(dir, "zend_extension");
	load_all(dir, "extension");
}
