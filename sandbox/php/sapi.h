/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Our server API towards PHP, named apache2handler: code that asks php_sapi_name() is meant to see mod_php. One request
 * at a time, read and answered through libfcgi. Everything here runs in a cell, but for sapi_start(), in its zygote.
 */
#ifndef BH_SAPI_H
#define BH_SAPI_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include <fcgiapp.h>
#include <main/php.h>
#include <main/SAPI.h>

#include "gateway/base/err.h"
#include "sandbox/spec.h"

#if PHP_VERSION_ID < 80100
#error "PHP 8.1 or newer is needed"
#endif

/* SG(server_context) while a request runs. */
struct sapi_request {
	FCGX_Request *fcgx;
	double time;          /* seconds since the epoch, when the request had been read */
	struct stat script;   /* of the primary script; what getmyuid() and its kin ask for */
	char *self;           /* PHP_SELF */
	zval env, notes;      /* apache_setenv(), apache_note(): arrays or undefined */
	bool stopped;         /* the front was heard to say that it wants no more of the answer */
	bool later;           /* the front was told to wait for IPC_CELL_READY */
	bool lost;            /* the last output could not be sent */
	bool finished;        /* END_REQUEST is sent: output is discarded, messages go to the site's stderr */
};

/** Where php.ini and conf.d are that count here; NULL: nowhere. Static storage. */
const char *sapi_ini_dir(void);

/**
 * Start PHP with the configuration files of the distribution and the site's settings (in the zygote, as the site's
 * user). @log_fd gets what an administrator should know. Returns 0 or GW_ERR_SYS with *@why a static text.
 */
int sapi_start(const struct spec *s, const char **why) GW_MUST_USE;

/** Whether requests may start processes: a cell that has some left after a request is not used again. */
void sapi_watch_children(bool on);

/** Some address inside PHP's own code. */
const void *sapi_php_code(void);

/** The site, from sapi_start() on. */
const struct spec *sapi_site(void);

/** Asked when a request has ended, before the front hears of it: whether this process answers no more. */
typedef bool sapi_last_fn(void);

/**
 * Answer the request that FCGX_Accept_r() has read. @last may be NULL: as the front asked.
 * Returns whether another request may follow on the connection.
 */
bool sapi_answer(FCGX_Request *fcgx, sapi_last_fn *last);

/** Value of a FastCGI parameter of the running request, or NULL. */
const char *sapi_param(const struct sapi_request *r, const char *name);

/* What the front is told with the end of an answer. */
enum sapi_end {
	SAPI_NEXT,  /* another request may come */
	SAPI_LATER, /* not before this process says that it is ready */
	SAPI_LAST   /* none; the reading side is shut first, so that none comes that nobody would answer */
};

/** Send what is left and END_REQUEST. Harmless when done before. */
void sapi_finish(struct sapi_request *r, enum sapi_end end);

/** Whether this process answers more than one request, should the front want that. */
void sapi_set_reused(bool on);
bool sapi_is_reused(void);

/** Settings of the running request from the front: "name=value" lines. Before php_request_startup(). */
void sapi_apply_ini(const char *lines, int modify_type);

/** Whether @name is a parameter of ours and not a variable of the request. */
bool sapi_is_private(const char *name, size_t len);

/** Functions that scripts know from mod_php and php-fpm. */
extern const zend_function_entry sapi_functions[];

extern sapi_module_struct bh_sapi_module;
extern zend_module_entry bh_module;

#endif
