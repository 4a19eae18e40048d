/* SPDX-License-Identifier: Apache-2.0 */
/* One request from its parameters to END_REQUEST. */
#include "sandbox/php/sapi.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <syslog.h>
#include <unistd.h>

#include <main/php_main.h>
#include <Zend/zend_ini.h>
#include <Zend/zend_stream.h>

#include "gateway/base/log.h"
#include "sandbox/ipc_wire.h"
#include "sandbox/php/sapi_output.h"
#include "sandbox/php/script_tree.h"
#include "sandbox/php/learn.h"
#include "sandbox/php/map_ptr.h"
#include "sandbox/php/user_ini.h"

/* What libfcgi adds to the parameters, and what the front tells us and not the script. */
static const char *const private_names[] = {"FCGI_ROLE", "PHP_VALUE", "PHP_ADMIN_VALUE"};

bool sapi_is_private(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(private_names) / sizeof(private_names[0]); i++)
		if (strlen(private_names[i]) == len && memcmp(private_names[i], name, len) == 0)
			return true;
	return false;
}

const char *sapi_param(const struct sapi_request *r, const char *name)
{
	return r == NULL ? NULL : FCGX_GetParam(name, r->fcgx->envp);
}

/* Code in front of every script comes from a file: who may say php_value has no reason to have it come from the request. */
static bool is_code_from_afar(const char *name, size_t name_len, const char *value, size_t len)
{
	static const char *const names[] = {"auto_prepend_file", "auto_append_file"};
	bool code = false;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		code = code || (strlen(names[i]) == name_len && memcmp(names[i], name, name_len) == 0);
	if (!code || (len > 7 && strncasecmp(value, "phar://", 7) == 0))
		return false;
	return memmem(value, len, "://", 3) != NULL || (len >= 5 && strncasecmp(value, "data:", 5) == 0);
}

void sapi_apply_ini(const char *lines, int modify_type)
{
	while (lines != NULL && *lines != '\0') {
		size_t len = strcspn(lines, "\n");
		const char *equals = memchr(lines, '=', len);
		if (equals != NULL && equals > lines && is_code_from_afar(lines, (size_t)(equals - lines), equals + 1, len - (size_t)(equals + 1 - lines))) {
			log_err("auto_prepend_file and auto_append_file name files: another value is refused");
		} else if (equals != NULL && equals > lines) {
			zend_string *name = zend_string_init(lines, (size_t)(equals - lines), 0);
			/* Unknown names and those a site may not set are passed over, as mod_php does. */
			zend_alter_ini_entry_chars(name, equals + 1, len - (size_t)(equals + 1 - lines), modify_type,
				ZEND_INI_STAGE_ACTIVATE);
			zend_string_release(name);
		}
		lines += len + (lines[len] == '\n');
	}
}

static char *php_self(const struct sapi_request *r)
{
	const char *name = sapi_param(r, "SCRIPT_NAME"), *info = sapi_param(r, "PATH_INFO");
	char *self = NULL;

	if (asprintf(&self, "%s%s", name == NULL ? "" : name, info == NULL ? "" : info) == -1)
		_exit(EXIT_FAILURE);
	return self;
}

static char *mutable(const char *s)
{
	return (char *)(uintptr_t)s; /* PHP's structures lack const; it writes to none of these */
}

static void fill_request_info(struct sapi_request *r)
{
	const char *length = sapi_param(r, "CONTENT_LENGTH");
	sapi_request_info *info = &SG(request_info);

	info->request_method = sapi_param(r, "REQUEST_METHOD");
	info->query_string = mutable(sapi_param(r, "QUERY_STRING"));
	info->content_type = sapi_param(r, "CONTENT_TYPE");
	info->content_length = length == NULL ? 0 : ZEND_STRTOL(length, NULL, 10);
	info->request_uri = r->self;
	info->path_translated = mutable(sapi_param(r, "SCRIPT_FILENAME"));
	info->argc = 0;
	info->argv = NULL;
	SG(sapi_headers).http_response_code = 200;

	php_handle_auth_data(sapi_param(r, "HTTP_AUTHORIZATION"));
	/* The server itself checked a password: scripts written for Apache look at PHP_AUTH_USER. */
	const char *user = sapi_param(r, "REMOTE_USER");
	if (info->auth_user == NULL && user != NULL && user[0] != '\0')
		info->auth_user = estrdup(user);
}

static bool is_ours(const struct sapi_request *r, const char *script)
{
	const char *root = sapi_param(r, "DOCUMENT_ROOT"); /* scripts include files below it */

	return script_tree_holds(sapi_site(), script) && (root == NULL || strcmp(root, sapi_site()->docroot) == 0);
}

/* The front has looked already, but the file may be gone since, or not be readable to the site's user. */
static int check_script(struct sapi_request *r, const char **why)
{
	const char *path = SG(request_info).path_translated;

	*why = "the script is not in the site's document root or aliases: refused";
	if (path == NULL || path[0] != '/')
		return 404;
	if (!is_ours(r, path))
		return 403;
	*why = "the site's user cannot read the script, or it is not a regular file";
	if (stat(path, &r->script) == -1)
		return errno == EACCES ? 403 : 404;
	if (!S_ISREG(r->script.st_mode) || access(path, R_OK) == -1)
		return 403;
	return 200;
}

static void run_script(struct sapi_request *r)
{
	zend_file_handle file;
	const char *why;
	int status = check_script(r, &why);

	if (status != 200) {
		SG(sapi_headers).http_response_code = status;
		if (status == 404)
			PUTS("File not found.\n");
		else
			PUTS("Access denied.\n");
		/* A missing script is the front's everyday business; one that is there and cannot be run is somebody's mistake. */
		if (status == 403)
			sapi_module.log_message(why, LOG_ERR);
		return;
	}
	zend_stream_init_filename(&file, SG(request_info).path_translated);
	php_execute_script(&file);
	zend_destroy_file_handle(&file);
}

/* Read off what is left of the body: the next request begins behind it. */
static void drain_input(struct sapi_request *r)
{
	char buf[8192];

	while (FCGX_GetStr(buf, sizeof(buf), r->fcgx->in) > 0)
		;
}

void sapi_finish(struct sapi_request *r, enum sapi_end end)
{
	static const uint32_t statuses[] = {[SAPI_NEXT] = 0, [SAPI_LATER] = IPC_CELL_LATER, [SAPI_LAST] = IPC_CELL_LAST};

	if (r->finished)
		return;
	r->finished = true;
	r->lost = !sapi_output_end(r->fcgx);
	/* Without keep-alive the front closes on END_REQUEST and what it still sends is of no interest. */
	if (r->fcgx->keepConnection) {
		drain_input(r);
		if (end == SAPI_LAST && FCGX_FFlush(r->fcgx->out) == 0)
			shutdown(r->fcgx->ipcFd, SHUT_RD);
		/* Always: libfcgi keeps that of the request before. */
		FCGX_SetExitStatus((int)(end == SAPI_NEXT && r->stopped ? IPC_CELL_STOPPED : statuses[end]), r->fcgx->out);
		r->later = end == SAPI_LATER;
	}
	FCGX_FClose(r->fcgx->err);
	FCGX_FClose(r->fcgx->out); /* the second close writes END_REQUEST, in one piece with the last output */
}

static bool reused;

void sapi_set_reused(bool on)
{
	reused = on;
}

bool sapi_is_reused(void)
{
	return reused;
}

/* The work behind the answer is done: the next request may come. */
static bool say_ready(const struct sapi_request *r)
{
	static const char octet = IPC_CELL_READY;

	return send(r->fcgx->ipcFd, &octet, 1, MSG_NOSIGNAL) == 1;
}

static bool children_possible;

void sapi_watch_children(bool on)
{
	children_possible = on;
}

/* Reaps what has ended. A cell that has children left is not used again, so that they end with it. */
static bool children_left(void)
{
	pid_t pid;

	if (!children_possible)
		return false;
	learn_own_work(true);
	do
		pid = waitpid(-1, NULL, WNOHANG);
	while (pid > 0);
	learn_own_work(false);
	return pid == 0;
}

bool sapi_answer(FCGX_Request *fcgx, sapi_last_fn *last)
{
	struct sapi_request r = {.fcgx = fcgx};
	struct timeval now;

	gettimeofday(&now, NULL);
	r.time = (double)now.tv_sec + (double)now.tv_usec / 1e6;
	ZVAL_UNDEF(&r.env);
	ZVAL_UNDEF(&r.notes);
	r.self = php_self(&r);
	SG(server_context) = &r;

	zend_first_try {
		sapi_apply_ini(sapi_param(&r, "PHP_ADMIN_VALUE"), ZEND_INI_SYSTEM);
		sapi_apply_ini(sapi_param(&r, "PHP_VALUE"), ZEND_INI_PERDIR);
		fill_request_info(&r);
		user_ini_apply(SG(request_info).path_translated, sapi_param(&r, "DOCUMENT_ROOT"));
		map_ptr_hide();
		if (php_request_startup() == SUCCESS)
			run_script(&r);
	}
	zend_end_try();
	map_ptr_show();
	php_request_shutdown(NULL);
	bool again = (!r.finished || r.later) && fcgx->keepConnection && FCGX_GetError(fcgx->in) == 0 && !children_left() &&
		(last == NULL || !last());
	sapi_finish(&r, again ? SAPI_NEXT : SAPI_LAST);
	again = again && !r.lost && FCGX_GetError(fcgx->out) == 0 && (!r.later || say_ready(&r));
	SG(server_context) = NULL;
	/* These pointed into the parameters, which go with the next FCGX_Accept_r(). */
	memset(&SG(request_info), 0, sizeof(SG(request_info)));
	free(r.self);
	return again;
}
