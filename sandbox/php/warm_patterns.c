/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trust: expressions are the site's own, and are compiled by its cells, confined as for its scripts. The zygote only keeps
 * their text.
 */
#include "sandbox/php/warm_patterns.h"

#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <main/php.h>
#include <ext/pcre/php_pcre.h>

#include "gateway/base/io.h"
#include "sandbox/php/jit_code.h"
#include "sandbox/php/pattern_list.h"

#define COMPILE_MAX_MS 20 /* a cell begins with what it has by then */
#define SLOW_US 5000      /* of processor time: such a one is left to the requests that use it */

static struct pattern_list *list; /* shared, so that cells, which have it for a moment only, get no pages of their own for it */
static struct pattern_met met;
static uint64_t until_ms;
static bool wants_code;           /* pcre.jit */
static uint32_t known_n;          /* entries of PHP's cache at the point; it only grows, or is emptied from the front */

#ifdef HAVE_PCRE_JIT_SUPPORT
/* What a script sets is what it reads; whether code can be made was decided before it ran. */
static ZEND_INI_MH(on_jit)
{
	(void)entry;
	(void)new_value;
	(void)mh_arg1;
	(void)mh_arg2;
	(void)mh_arg3;
	(void)stage;
	return SUCCESS;
}

void warm_patterns_take_setting(void)
{
	static const char name[] = "pcre.jit";
	zend_ini_entry *e = zend_hash_str_find_ptr(EG(ini_directives), name, strlen(name));

	wants_code = PCRE_G(jit) && e != NULL;
	PCRE_G(jit) = false;
	if (e != NULL)
		e->on_modify = on_jit;
}
#else
void warm_patterns_take_setting(void)
{
}
#endif

int warm_patterns_start(void)
{
	list = mmap(NULL, sizeof(*list), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return list == MAP_FAILED ? GW_ERR_SYS : 0;
}

bool warm_patterns_note(const char *pattern)
{
	return list != NULL && pattern_is_good(pattern) && pattern_list_note(list, &met, pattern);
}

static bool in_time(void)
{
	return io_now_ms() < until_ms;
}

static int64_t spent_us(void)
{
	struct timespec t = {0};

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* With its own messages, if any, to nobody. */
static bool compile(const char *pattern, size_t len)
{
	int64_t from_us = spent_us();
	zend_string *text = zend_string_init(pattern, len, false);
	int level = EG(error_reporting);

	EG(error_reporting) = 0;
	pcre_cache_entry *entry = pcre_get_compiled_regex_cache(text);
	if (entry != NULL)
		php_pcre_pce_incref(entry); /* so that it is never freed: see jit_code_end() */
	EG(error_reporting) = level;
	zend_string_release(text);
	return spent_us() - from_us < SLOW_US;
}

/* PHP remembers the last message of all, even of those to nobody: no request should be told of an earlier one's. */
static void forget_message(void)
{
	if (PG(last_error_message) != NULL)
		zend_string_release(PG(last_error_message));
	if (PG(last_error_file) != NULL)
#if PHP_VERSION_ID < 80100
		free(PG(last_error_file));
#else
		zend_string_release(PG(last_error_file));
#endif
	PG(last_error_message) = NULL;
	PG(last_error_file) = NULL;
	PG(last_error_type) = PG(last_error_lineno) = 0;
}

/* PCRE may make code between the two, and the setting says whether PHP lets it. */
static bool begin_code(void)
{
#ifdef HAVE_PCRE_JIT_SUPPORT
	PCRE_G(jit) = wants_code && list->n > 0 && jit_code_begin();
	return PCRE_G(jit);
#else
	return false;
#endif
}

static int end_code(void)
{
#ifdef HAVE_PCRE_JIT_SUPPORT
	PCRE_G(jit) = false;
#endif
	return jit_code_end();
}

int warm_patterns_compile(void)
{
	int err = 0;

	if (list == NULL)
		return 0;
	until_ms = io_now_ms() + COMPILE_MAX_MS;
	bool code = begin_code();
	pattern_list_each(list, compile, in_time);
	if (code)
		err = end_code();
	forget_message();
	munmap(list, sizeof(*list));
	list = NULL;
	known_n = PCRE_G(pcre_cache).nNumUsed;
	return err;
}

/* With a locale of its own a request's entries have that in front: they are nobody else's. */
void warm_patterns_report(void (*tell)(const char *pattern, size_t len))
{
	const HashTable *cache = &PCRE_G(pcre_cache);

	for (uint32_t i = known_n; i < cache->nNumUsed; i++) {
		const Bucket *b = &cache->arData[i];
		if (Z_TYPE(b->val) != IS_UNDEF && b->key != NULL && strlen(ZSTR_VAL(b->key)) == ZSTR_LEN(b->key) &&
		    pattern_is_good(ZSTR_VAL(b->key)))
			tell(ZSTR_VAL(b->key), ZSTR_LEN(b->key));
	}
}
