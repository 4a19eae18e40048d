/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/php/opcache_times.h"

#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>

#include <main/php.h>
#include <main/SAPI.h>
#include <Zend/zend_compile.h>
#include <Zend/zend_ini.h>

#include "sandbox/php/script_times.h"

static zend_op_array *(*compile_next)(zend_file_handle *file, int type); /* opcache's */
static struct script_times *times;
static const volatile uint32_t *changes;
static bool *validate;        /* opcache.validate_timestamps and */
static const zend_long *freq; /* opcache.revalidate_freq, as opcache itself keeps them for this moment */

static uint64_t hash(const char *path, size_t len)
{
	return zend_hash_func(path, len);
}

/* What opcache asked for by name, a full path without links as the list has it, is found in its cache by just that name. */
static bool holds(const zend_file_handle *file)
{
	zend_string *name = file->filename;

	return *validate && file->type == ZEND_HANDLE_FILENAME && name != NULL && ZSTR_VAL(name)[0] == '/' &&
	       script_times_hold(times, ZSTR_VAL(name), ZSTR_LEN(name), zend_string_hash_val(name), (int64_t)sapi_get_request_time(),
		       (int64_t)*freq, *changes);
}

/* A fatal error passes by here and leaves the switch off: the request is over then, and the cell is put back. */
static zend_op_array *on_compile(zend_file_handle *file, int type)
{
	if (!holds(file))
		return compile_next(file, type);
	*validate = false;
	zend_op_array *ops = compile_next(file, type);
	*validate = true;
	return ops;
}

/* Where PHP's own handler @kind keeps a setting, or NULL: it has another. */
static void *place_of(const char *name, ZEND_INI_MH((*kind)))
{
	const zend_ini_entry *e = zend_hash_str_find_ptr(EG(ini_directives), name, strlen(name));

	return e != NULL && e->on_modify == kind && e->mh_arg2 != NULL ? (char *)e->mh_arg2 + (size_t)e->mh_arg1 : NULL;
}

static bool find_settings(void)
{
	static const char on[] = "opcache.validate_timestamps", seconds[] = "opcache.revalidate_freq";

	validate = place_of(on, OnUpdateBool);
	freq = place_of(seconds, OnUpdateLong);
	return validate != NULL && freq != NULL && *validate && zend_ini_long(on, strlen(on), 0) == 1 && *freq > 0 &&
	       zend_ini_long(seconds, strlen(seconds), 0) == *freq;
}

void opcache_times_begin(int fd, size_t from, const volatile uint32_t *the_changes)
{
	struct stat st;

	if (!find_settings() || fstat(fd, &st) == -1 || st.st_size <= (off_t)from)
		return;
	size_t len = (size_t)st.st_size - from;
	const char *list = mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, (off_t)from);
	if (list == MAP_FAILED)
		return;
	times = script_times_new(list, len, hash);
	if (times == NULL)
		return;
	changes = the_changes;
	compile_next = zend_compile_file;
	zend_compile_file = on_compile;
}

void opcache_times_renew(void)
{
	if (times != NULL)
		script_times_renew(times, (int64_t)time(NULL), (int64_t)*freq, *changes);
}
