/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/php/opcache_report.h"

#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include <main/php.h>
#include <Zend/zend_compile.h>
#include <Zend/zend_ini.h>

#include "sandbox/php/opcache_seen.h"

static zend_op_array *(*compile_next)(zend_file_handle *file, int type);
static zif_handler reset_next, invalidate_next;
static uint64_t compiled_n;
static int report_fd = -1;
static volatile uint32_t *changes;

/* One write, which a pipe takes whole or not at all. A full pipe loses a report; the next request makes it again. */
static void report(char what, const char *path, size_t len)
{
	char text[SEEN_PATH_MAX];

	if (report_fd == -1 || len + 2 > sizeof(text))
		return;
	text[0] = what;
	memcpy(text + 1, path, len);
	text[len + 1] = '\0';
	if (what != SEEN_RESET && what != SEEN_PATTERN && !seen_is_report(text, len + 1))
		return;
	if (write(report_fd, text, len + 2) == -1)
		return;
}

void opcache_report_looked_up(const char *path, size_t len)
{
	report(SEEN_LOOKED_UP, path, len);
}

void opcache_report_pattern(const char *pattern, size_t len)
{
	report(SEEN_PATTERN, pattern, len);
}

static bool ini_on(const char *name)
{
	return zend_ini_long(name, strlen(name), 0) != 0;
}

/* Only what opcache did not have comes by here: it calls the compiler that it found when it started. */
static zend_op_array *on_compile(zend_file_handle *file, int type)
{
	char tags = CG(short_tags) ? SEEN_TAGS_ON : SEEN_TAGS_OFF;
	zend_op_array *ops = compile_next(file, type);

	compiled_n++;
	if (ops == NULL || report_fd == -1 || !ini_on("opcache.enable"))
		return ops;
	/* The name it was asked for finds it in the cache without a look at the file system; a relative one depends on
	 * where it was asked. */
	const zend_string *name = file->filename;
	if (name == NULL || ZSTR_VAL(name)[0] != '/')
		name = file->opened_path;
	if (name != NULL)
		report(tags, ZSTR_VAL(name), ZSTR_LEN(name));
	return ops;
}

void opcache_report_hook(void)
{
	compile_next = zend_compile_file;
	zend_compile_file = on_compile;
}

/* Opcache empties this cell's copy; what later cells start from is emptied too. */
static void on_reset(INTERNAL_FUNCTION_PARAMETERS)
{
	reset_next(INTERNAL_FUNCTION_PARAM_PASSTHRU);
	if (Z_TYPE_P(return_value) == IS_TRUE)
		report(SEEN_RESET, "", 0);
}

/* A changed file is noticed by its time; where that is switched off, this is how a deployment says it. */
static void on_invalidate(INTERNAL_FUNCTION_PARAMETERS)
{
	invalidate_next(INTERNAL_FUNCTION_PARAM_PASSTHRU);
	if (changes != NULL)
		__atomic_add_fetch(changes, 1, __ATOMIC_RELAXED);
	if (Z_TYPE_P(return_value) == IS_TRUE && !ini_on("opcache.validate_timestamps"))
		report(SEEN_RESET, "", 0);
}

static zif_handler override(const char *name, zif_handler ours)
{
	zend_function *f = zend_hash_str_find_ptr(CG(function_table), name, strlen(name));
	zif_handler was = NULL;

	if (f != NULL && f->type == ZEND_INTERNAL_FUNCTION) {
		was = f->internal_function.handler;
		f->internal_function.handler = ours;
	}
	return was;
}

void opcache_report_override(void)
{
	reset_next = override("opcache_reset", on_reset);
	invalidate_next = override("opcache_invalidate", on_invalidate);
}

void opcache_report_to(int fd)
{
	report_fd = fd;
}

void opcache_report_changes(volatile uint32_t *count)
{
	changes = count;
}

uint64_t opcache_compiled_n(void)
{
	return compiled_n;
}
