/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/php/warm_paths.h"

#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <main/php.h>
#include <Zend/zend_ini.h>
#include <Zend/zend_virtual_cwd.h>

#include "sandbox/php/text_list.h"

#define TEXT_MAX (256 * 1024)

/* Shared, so that cells, which have it for a moment only, get no pages of their own for it. */
static struct warm_paths {
	size_t n, text_n;
	char text[TEXT_MAX]; /* NUL-terminated paths */
} *paths;
static time_t old_at; /* 0: nothing was looked up */
static zend_long size_known;    /* of PHP's cache at the point ... */
static time_t expiry_known;     /* ... and the latest expiry in it */

int warm_paths_start(void)
{
	paths = mmap(NULL, sizeof(*paths), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return paths == MAP_FAILED ? GW_ERR_SYS : 0;
}

bool warm_paths_note(const char *path)
{
	size_t len = strlen(path);

	if (paths == NULL || len + 1 > TEXT_MAX - paths->text_n || text_list_has(paths->text, paths->n, path, len))
		return false;
	memcpy(paths->text + paths->text_n, path, len + 1);
	paths->text_n += len + 1;
	paths->n++;
	return true;
}

static time_t setting(const char *name)
{
	return (time_t)zend_ini_long(name, strlen(name), 0);
}

/* Not all cells of a site at the same time. */
static time_t lifetime(void)
{
	time_t ttl = setting("realpath_cache_ttl");

	return ttl - (ttl / 4 > 0 ? getpid() % (ttl / 4) : 0);
}

void warm_paths_look_up(void)
{
	char found[MAXPATHLEN];

	if (paths == NULL)
		return;
	if (paths->n > 0 && setting("realpath_cache_size") > 0 && setting("realpath_cache_ttl") > 0) {
		const char *at = paths->text;
		old_at = time(NULL) + lifetime();
		for (size_t i = 0; i < paths->n; i++, at += strlen(at) + 1)
			(void)tsrm_realpath(at, found); /* only what it leaves in the cache matters */
	}
	munmap(paths, sizeof(*paths));
	paths = NULL;
	size_known = realpath_cache_size();
	expiry_known = time(NULL) + setting("realpath_cache_ttl");
}

static bool is_below(const realpath_cache_bucket *b, const char *root)
{
	size_t len = strlen(root);

	return b->path_len > len + 1 && memcmp(b->path, root, len) == 0 && b->path[len] == '/';
}

/* An entry of the cell's first second may look like one of before: there will be other requests. */
void warm_paths_report(const char *root, void (*tell)(const char *path, size_t len))
{
	realpath_cache_bucket **all = realpath_cache_get_buckets();

	if (realpath_cache_size() == size_known)
		return;
	for (zend_long i = 0; i < realpath_cache_max_buckets(); i++)
		for (const realpath_cache_bucket *b = all[i]; b != NULL; b = b->next)
			if (b->expires > expiry_known && is_below(b, root))
				tell(b->path, b->path_len);
}

bool warm_paths_are_old(void)
{
	return old_at != 0 && time(NULL) >= old_at;
}
