/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trust: as a cell. It reads what the site's scripts wrote, under the same filter and limits, and what it hands back is
 * used by that site's cells only.
 */
#include "sandbox/php/opcache_compile.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <main/php.h>
#include <main/php_main.h>
#include <Zend/zend_exceptions.h>
#include <Zend/zend_stream.h>

#include "sandbox/php/opcache_link.h"
#include "sandbox/php/opcache_report.h"
#include "sandbox/php/sapi.h"
#include "sandbox/php/script_times.h"

/* Of a request that nobody sees; a session must not begin by itself. */
static const char quiet[] = "error_reporting=0\ndisplay_errors=0\nlog_errors=0\nsession.auto_start=0\noutput_buffering=0\n";

static const struct opcache_job *job;

/* --- requests without a client --------------------------------------------------------------------------------------- */

/* Calls @work(@arg) inside a request of PHP's; a fatal error ends it and the request. */
static void in_request(void (*work)(void *arg), void *arg)
{
	static char *no_params[] = {NULL};
	FCGX_Request nobody = {.envp = no_params, .ipcFd = -1};
	struct sapi_request r = {.fcgx = &nobody, .time = (double)time(NULL), .self = (char[]){""}, .finished = true};

	ZVAL_UNDEF(&r.env);
	ZVAL_UNDEF(&r.notes);
	SG(server_context) = &r;
	zend_first_try {
		sapi_apply_ini(quiet, ZEND_INI_SYSTEM);
		if (php_request_startup() == SUCCESS)
			work(arg);
	}
	zend_end_try();
	php_request_shutdown(NULL);
	SG(server_context) = NULL;
	memset(&SG(request_info), 0, sizeof(SG(request_info)));
}

/* One of opcache's functions, even if disable_functions took it from the scripts and opcache.restrict_api is set. */
static bool ask_opcache(const char *name, zval *arg, zval *answer)
{
	const zend_module_entry *module = zend_hash_str_find_ptr(&module_registry, "zend opcache", strlen("zend opcache"));
	const zend_function_entry *f = module == NULL ? NULL : module->functions;

	ZVAL_UNDEF(answer);
	while (f != NULL && f->fname != NULL && strcmp(f->fname, name) != 0)
		f++;
	if (f == NULL || f->fname == NULL)
		return false;
	zend_internal_function fn = {.type = ZEND_INTERNAL_FUNCTION, .handler = f->handler, .num_args = f->num_args,
		.arg_info = (zend_internal_arg_info *)(uintptr_t)(f->arg_info + 1)};
	fn.function_name = zend_string_init(name, strlen(name), 0);
	SG(request_info).path_translated = zend_ini_string("opcache.restrict_api", strlen("opcache.restrict_api"), 0);
	zend_call_known_function((zend_function *)&fn, NULL, NULL, answer, 1, arg, NULL);
	SG(request_info).path_translated = NULL;
	zend_string_release(fn.function_name);
	return Z_TYPE_P(answer) != IS_UNDEF;
}

/* --- compiling ------------------------------------------------------------------------------------------------------- */

static bool is_cached(const char *path)
{
	zval arg, answer;

	ZVAL_STRING(&arg, path);
	bool yes = ask_opcache("opcache_is_script_cached", &arg, &answer) && Z_TYPE(answer) == IS_TRUE;
	zval_ptr_dtor(&arg);
	zval_ptr_dtor(&answer);
	return yes;
}

/* Opcache would compile it and then not keep it: perhaps it is still being written. */
static bool is_too_new(const char *path)
{
	zend_long seconds = zend_ini_long("opcache.file_update_protection", strlen("opcache.file_update_protection"), 0);
	struct stat st;

	return stat(path, &st) == -1 || !S_ISREG(st.st_mode) || st.st_mtime > time(NULL) - seconds;
}

static void compile(const char *report)
{
	const char *path = report + 1;
	zend_file_handle file;

	CG(short_tags) = report[0] == SEEN_TAGS_ON;
	zend_stream_init_filename(&file, path);
	zend_op_array *ops = zend_compile_file(&file, ZEND_INCLUDE);
	if (EG(exception) != NULL)
		zend_clear_exception(); /* a syntax error */
	if (ops != NULL) {
		destroy_op_array(ops);
		efree(ops);
	}
	zend_destroy_file_handle(&file);
}

/* A fatal error ends this script alone. False: opcache was not asked. */
static bool compile_if_old(const char *report)
{
	bool old = !is_too_new(report + 1);

	if (old) {
		zend_try {
			compile(report);
		}
		zend_end_try();
	}
	return old;
}

/* Reports, in memory that outlives a request. */
struct list {
	char **reports;
	size_t n;
	uint32_t at[SEEN_BATCH_MAX]; /* of the batch only: which of its paths each is */
};

static void compile_all(const struct list *list, bool of_batch)
{
	for (size_t i = 0; i < list->n; i++) {
		job->board->at = of_batch ? list->at[i] : SEEN_BATCH_MAX;
		compile_if_old(list->reports[i]);
	}
	job->board->at = SEEN_BATCH_MAX;
}

static struct list known, batch;

/*
 * All in one request, what is cached already as well (that is only loaded): so classes find their parents. Of scripts that
 * do not go together, two pages with a function of the same name, the later one ends in a fatal error.
 */
static void compile_batch(void *arg)
{
	(void)arg;
	EG(error_reporting) = 0;
	compile_all(&known, false);
	compile_all(&batch, true);
	opcache_link_classes();
}

static void note_results(void *arg)
{
	(void)arg;
	for (size_t i = 0; i < batch.n; i++)
		job->board->result[batch.at[i]] = is_cached(batch.reports[i] + 1) ? SEEN_CACHED : SEEN_FAILED;
}

/* One that did not go together with others. */
static void compile_one(void *arg)
{
	const size_t *i = arg;

	EG(error_reporting) = 0;
	job->board->at = batch.at[*i];
	compile(batch.reports[*i]);
	job->board->at = SEEN_BATCH_MAX;
}

static void compile_rest(void)
{
	for (size_t i = 0; i < batch.n; i++)
		if (job->board->result[batch.at[i]] != SEEN_CACHED)
			in_request(compile_one, &i);
}

/* --- the state of the cache -------------------------------------------------------------------------------------------- */

static zend_long number(const zval *of, const char *group, const char *name)
{
	const zval *v = zend_hash_str_find(Z_ARRVAL_P(of), group, strlen(group));

	if (v != NULL && Z_TYPE_P(v) == IS_ARRAY)
		v = zend_hash_str_find(Z_ARRVAL_P(v), name, strlen(name));
	return v != NULL && Z_TYPE_P(v) == IS_LONG ? Z_LVAL_P(v) : 0;
}

static void note_state(void *arg)
{
	zval no, status;

	(void)arg;
	ZVAL_FALSE(&no);
	if (!ask_opcache("opcache_get_status", &no, &status) || Z_TYPE(status) != IS_ARRAY)
		return;
	const zval *full = zend_hash_str_find(Z_ARRVAL(status), "cache_full", strlen("cache_full"));
	zend_long free_octets = number(&status, "memory_usage", "free_memory");
	zend_long keys = number(&status, "opcache_statistics", "num_cached_keys");
	zend_long keys_max = number(&status, "opcache_statistics", "max_cached_keys");
	job->board->used = (uint64_t)number(&status, "memory_usage", "used_memory");
	job->board->wasted = (uint64_t)number(&status, "memory_usage", "wasted_memory");
	job->board->scripts = (uint32_t)number(&status, "opcache_statistics", "num_cached_scripts");
	job->board->full = (full != NULL && Z_TYPE_P(full) == IS_TRUE) || free_octets < 1024 * 1024 || keys > keys_max - keys_max / 50;
	zval_ptr_dtor(&status);
}

/* --- what goes with an image --------------------------------------------------------------------------------------------- */

/* Of opcache_get_status(), which is @status then; NULL: it does not tell. */
static const zval *ask_for_scripts(zval *status)
{
	zval yes;

	ZVAL_TRUE(&yes);
	if (!ask_opcache("opcache_get_status", &yes, status) || Z_TYPE_P(status) != IS_ARRAY)
		return NULL;
	const zval *scripts = zend_hash_str_find(Z_ARRVAL_P(status), "scripts", strlen("scripts"));
	return scripts != NULL && Z_TYPE_P(scripts) == IS_ARRAY ? scripts : NULL;
}

/*
 * Behind the image, in its file: every script and the time it had, for script_times.h. All of them or none: nobody should
 * think of a few as of the whole.
 */
static void note_times(void *arg)
{
	static char text[SCRIPT_TIMES_TEXT_MAX];
	zval status, *script;
	zend_string *path;
	off_t end = (off_t)opcache_memory_size(job->memory);
	size_t len = 0;

	(void)arg;
	const zval *scripts = ask_for_scripts(&status);
	if (scripts == NULL)
		return;
	bool all = zend_hash_num_elements(Z_ARRVAL_P(scripts)) <= SCRIPT_TIMES_MAX;
	if (all) {
		ZEND_HASH_FOREACH_STR_KEY_VAL(Z_ARRVAL_P(scripts), path, script) {
			const zval *mtime = Z_TYPE_P(script) == IS_ARRAY ?
				zend_hash_str_find(Z_ARRVAL_P(script), "timestamp", strlen("timestamp")) : NULL;
			size_t n = path == NULL || mtime == NULL || Z_TYPE_P(mtime) != IS_LONG || Z_LVAL_P(mtime) == 0 ? 0 :
				script_times_put(text + len, sizeof(text) - len, ZSTR_VAL(path), Z_LVAL_P(mtime));
			all = all && n > 0;
			len += n;
		} ZEND_HASH_FOREACH_END();
	}
	if (all && len > 0 && pwrite(CELL_CONN_FD, text, len, end) != (ssize_t)len && ftruncate(CELL_CONN_FD, end) == -1)
		_exit(EXIT_FAILURE);
	zval_ptr_dtor(&status);
}

static char *report_of(const zend_string *path)
{
	char *report;

	return asprintf(&report, "%c%s", CG(short_tags) ? SEEN_TAGS_ON : SEEN_TAGS_OFF, ZSTR_VAL(path)) == -1 ? NULL : report;
}

/* All that the present image holds. */
static void list_known(void)
{
	zval status;
	zend_string *path;

	const zval *scripts = ask_for_scripts(&status);
	if (scripts == NULL)
		return;
	known.reports = calloc(zend_hash_num_elements(Z_ARRVAL_P(scripts)) + 1, sizeof(*known.reports));
	ZEND_HASH_FOREACH_STR_KEY(Z_ARRVAL_P(scripts), path) {
		if (path == NULL || known.reports == NULL || (known.reports[known.n] = report_of(path)) == NULL)
			break;
		known.n++;
	} ZEND_HASH_FOREACH_END();
	zval_ptr_dtor(&status);
}

/* Of the batch what is not there by now, in its present form, and may be cached. A changed file is not there. */
static void list_batch(void)
{
	static char *reports[SEEN_BATCH_MAX];

	batch.reports = reports;
	for (size_t i = 0; i < job->seen->batch_n && !job->renew; i++) {
		const char *report = job->seen->text + job->seen->batch_at[i];
		job->board->result[i] = is_cached(report + 1) ? SEEN_CACHED : SEEN_FAILED;
		if (job->board->result[i] == SEEN_CACHED || is_too_new(report + 1))
			continue;
		batch.at[batch.n] = (uint32_t)i;
		batch.reports[batch.n++] = (char *)(uintptr_t)report;
	}
}

static void list_all(void *arg)
{
	(void)arg;
	list_batch();
	if (job->renew || batch.n > 0)
		list_known();
}

/* --- the heads of scripts ------------------------------------------------------------------------------------------------ */

static struct opcache_heads heads;
static long moved;

/* With its JIT compiler opcache may know a head by its address in other places; with checks of its own, that it is in its place. */
static bool may_move(const zval *status)
{
	static const char checks[] = "opcache.consistency_checks";
	const zval *jit = zend_hash_str_find(Z_ARRVAL_P(status), "jit", strlen("jit"));
	const zval *enabled = jit == NULL || Z_TYPE_P(jit) != IS_ARRAY ? NULL :
		zend_hash_str_find(Z_ARRVAL_P(jit), "enabled", strlen("enabled"));

	return (enabled == NULL || Z_TYPE_P(enabled) != IS_TRUE) && zend_ini_long(checks, strlen(checks), 0) == 0;
}

/* What opcache_get_status() has as keys are the names as opcache keeps them. */
static void gather(void *arg)
{
	zval status;
	zend_string *path;
	size_t n = 0;

	(void)arg;
	const zval *scripts = ask_for_scripts(&status);
	if (scripts == NULL || !may_move(&status))
		return;
	uintptr_t *names = calloc(zend_hash_num_elements(Z_ARRVAL_P(scripts)) + 1, sizeof(*names));
	ZEND_HASH_FOREACH_STR_KEY(Z_ARRVAL_P(scripts), path) {
		if (path != NULL && names != NULL)
			names[n++] = (uintptr_t)path;
	} ZEND_HASH_FOREACH_END();
	if (n > 0) {
		size_t used = (size_t)number(&status, "memory_usage", "used_memory") + (size_t)number(&status, "memory_usage", "wasted_memory");
		heads = (struct opcache_heads){.segment = job->memory->start, .heads = job->memory->heads,
			.words = (used < job->memory->len ? used : job->memory->len) / sizeof(uintptr_t)};
		moved = opcache_heads_gather(&heads, names, n);
	}
	free(names);
	zval_ptr_dtor(&status);
}

static size_t asked;

/* It is only loaded, and counted. */
static void ask_for(uintptr_t name)
{
	char *report = report_of((zend_string *)name); /* NOLINT: an address as opcache keeps it */

	asked += report != NULL && compile_if_old(report);
	free(report);
}

static void ask_for_moved(void *arg)
{
	(void)arg;
	EG(error_reporting) = 0;
	opcache_heads_each(&heads, ask_for);
}

static void gather_heads(void)
{
	if (!job->gather)
		return;
	job->board->gathering = true;
	in_request(gather, NULL);
	if (moved > 0)
		in_request(ask_for_moved, NULL);
	if (moved > 0 && !opcache_heads_hold(&heads, asked))
		_exit(OPCACHE_EXIT_HEADS);
	job->board->gathering = false;
}

/* --- the process ------------------------------------------------------------------------------------------------------- */

_Noreturn void opcache_compile(const struct opcache_job *the_job)
{
	struct cell_own own = {.learn_sock = -1, .slot = &the_job->board->slot};

	job = the_job;
	opcache_report_to(-1);
	if (dup3(job->from, job->low_fd, O_CLOEXEC) == -1)
		_exit(EXIT_FAILURE);
	cell_confine(job->plan, &own, job->to);
	prctl(PR_SET_NAME, "bh-opcache", 0, 0, 0);
	/* In the present image: making the next one is most of the work when a site has many scripts. */
	in_request(list_all, NULL);
	if (batch.n == 0 && known.n == 0)
		_exit(OPCACHE_EXIT_SAME);
	if (opcache_memory_map(job->memory, CELL_CONN_FD, true) != 0 || opcache_memory_fill(job->memory, job->low_fd) != 0)
		_exit(EXIT_FAILURE);
	uint64_t before = opcache_compiled_n();
	in_request(compile_batch, NULL);
	in_request(note_results, NULL);
	compile_rest();
	in_request(note_results, NULL);
	gather_heads();
	in_request(note_state, NULL);
	in_request(note_times, NULL);
	_exit(opcache_compiled_n() > before ? OPCACHE_EXIT_NEW : OPCACHE_EXIT_SAME);
}
