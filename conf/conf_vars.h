/* SPDX-License-Identifier: Apache-2.0 */
/** Define, ${NAME} and the environment of the configuration; which Apache modules count as present. Private to conf/. */
#ifndef CONF_VARS_H
#define CONF_VARS_H

#include <stdbool.h>

#include "conf/conf_util.h"

struct conf_vars {
	struct arena *a;
	struct conf_map defines;  /* name -> value; CONF_DEFINED for one without a value */
	struct conf_map environ;  /* from the envvars file, before the process's own environment */
	struct conf_map modules;  /* "x_module" -> the same, as named by LoadModule */
};

extern char conf_defined[]; /* the value of a name defined without one */

/** No name defined; caller storage, memory from @a (borrowed). */
void conf_vars_init(struct conf_vars *v, struct arena *a);

/** Define @name; @value NULL: without a value. Returns 0 or GW_ERR_NOMEM. */
int conf_vars_define(struct conf_vars *v, const char *name, const char *value) GW_MUST_USE;

/** Forget @name; one that is not defined is no error. */
void conf_vars_undefine(struct conf_vars *v, const char *name);
bool conf_vars_defined(const struct conf_vars *v, const char *name);

/** Value of ${@name}: Define, then the envvars file, then the environment; NULL when there is none. */
const char *conf_vars_get(const struct conf_vars *v, const char *name);

/**
 * Read shell assignments ("export NAME=value" and "NAME=value", $NAME and ${NAME} in values) from the text of an envvars
 * file as apachectl's users keep it; every other shell line, and a value past CONF_VALUE_MAX, is passed over. Returns 0 or GW_ERR_NOMEM.
 */
int conf_vars_read_envvars(struct conf_vars *v, const char *text) GW_MUST_USE;

#define CONF_VALUE_MAX (64 * 1024) /* octets: values that contain each other twice would grow without end */

/**
 * @text with every ${NAME} replaced, in *@out (@text itself when there was nothing to do). A name without a value stays as
 * it is written and goes to *@unknown (the first one; else NULL), in the arena.
 * Returns 0, GW_ERR_NOMEM, or GW_ERR_RANGE when the result would pass CONF_VALUE_MAX.
 */
int conf_vars_expand(const struct conf_vars *v, const char *text, const char **out, const char **unknown) GW_MUST_USE;

/** Note LoadModule @name. Returns 0 or GW_ERR_NOMEM. */
int conf_modules_load(struct conf_vars *v, const char *name) GW_MUST_USE;

/** Whether <IfModule @name> holds; @name is "x_module" or "mod_x.c". */
bool conf_modules_has(const struct conf_vars *v, const char *name);

/** Why a module counts as absent although LoadModule named it; NULL when it was not named or does not count as absent. */
const char *conf_modules_absent_why(const struct conf_vars *v, const char *name);

/** Whether the files chose a threaded MPM, so that Dispatch is worker where nothing else is said. */
bool conf_modules_threaded(const struct conf_vars *v);

#endif
