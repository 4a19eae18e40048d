/* SPDX-License-Identifier: Apache-2.0 */
/* What scripts written for mod_php or php-fpm call. */
#include "sandbox/php/sapi.h"

#include <ctype.h>
#include <string.h>
#include <sys/socket.h>

#include <ext/standard/head.h>
#include <ext/standard/info.h>
#include <main/php_output.h>

#include "sandbox/php/opcache_report.h"

static struct sapi_request *current(void)
{
	return SG(server_context);
}

/* ACCEPT_LANGUAGE -> Accept-Language; the front drops fields whose name has an underscore, so nothing is ambiguous. */
static void field_name(char *out, const char *in, size_t len)
{
	bool start = true;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)in[i];
		out[i] = (char)(c == '_' ? '-' : start ? toupper(c) : tolower(c));
		start = c == '_';
	}
	out[len] = '\0';
}

static void add_request_field(zval *array, const char *param)
{
	char name[256];
	const char *equals = strchr(param, '=');
	size_t len = equals == NULL ? 0 : (size_t)(equals - param);

	if (len > 5 && len < sizeof(name) && memcmp(param, "HTTP_", 5) == 0)
		field_name(name, param + 5, len - 5);
	else if ((len == 12 && memcmp(param, "CONTENT_TYPE", len) == 0) ||
		 (len == 14 && memcmp(param, "CONTENT_LENGTH", len) == 0))
		field_name(name, param, len);
	else
		return;
	add_assoc_string(array, name, equals + 1);
}

static ZEND_FUNCTION(apache_request_headers)
{
	ZEND_PARSE_PARAMETERS_NONE();
	array_init(return_value);
	if (current() == NULL)
		return;
	for (char **p = current()->fcgx->envp; *p != NULL; p++)
		add_request_field(return_value, *p);
}

static ZEND_FUNCTION(apache_response_headers)
{
	zend_llist_position pos;

	ZEND_PARSE_PARAMETERS_NONE();
	array_init(return_value);
	for (sapi_header_struct *h = zend_llist_get_first_ex(&SG(sapi_headers).headers, &pos); h != NULL;
	     h = zend_llist_get_next_ex(&SG(sapi_headers).headers, &pos)) {
		const char *colon = memchr(h->header, ':', h->header_len);
		if (colon == NULL)
			continue;
		size_t name_len = (size_t)(colon - h->header);
		while (name_len > 0 && (h->header[name_len - 1] == ' ' || h->header[name_len - 1] == '\t'))
			name_len--;
		const char *value = colon + 1, *end = h->header + h->header_len;
		while (value < end && (*value == ' ' || *value == '\t'))
			value++;
		if (name_len > 0)
			add_assoc_stringl_ex(return_value, h->header, name_len, value, (size_t)(end - value));
	}
}

static ZEND_FUNCTION(fastcgi_finish_request)
{
	ZEND_PARSE_PARAMETERS_NONE();
	struct sapi_request *r = current();
	if (r == NULL || r->finished)
		RETURN_FALSE;
	php_output_end_all();
	php_header();
	if (r->fcgx->keepConnection && sapi_is_reused()) {
		sapi_finish(r, SAPI_LATER);
		RETURN_TRUE;
	}
	sapi_finish(r, SAPI_LAST);
	/* The cell has work left and is not to be leased again: the front sees the connection end. */
	shutdown(r->fcgx->ipcFd, SHUT_RDWR);
	RETURN_TRUE;
}

static void set_in(zval *array, const char *name, size_t name_len, const char *value, size_t value_len)
{
	if (Z_TYPE_P(array) != IS_ARRAY)
		array_init(array);
	add_assoc_stringl_ex(array, name, name_len, value, value_len);
}

static ZEND_FUNCTION(apache_setenv)
{
	char *name, *value;
	size_t name_len, value_len;
	bool walk_to_top = false;

	ZEND_PARSE_PARAMETERS_START(2, 3)
		Z_PARAM_STRING(name, name_len)
		Z_PARAM_STRING(value, value_len)
		Z_PARAM_OPTIONAL
		Z_PARAM_BOOL(walk_to_top)
	ZEND_PARSE_PARAMETERS_END();
	(void)walk_to_top; /* there are no sub-requests */
	if (current() == NULL)
		RETURN_FALSE;
	set_in(&current()->env, name, name_len, value, value_len);
	RETURN_TRUE;
}

static ZEND_FUNCTION(apache_getenv)
{
	char *name;
	size_t name_len;
	bool walk_to_top = false;

	ZEND_PARSE_PARAMETERS_START(1, 2)
		Z_PARAM_STRING(name, name_len)
		Z_PARAM_OPTIONAL
		Z_PARAM_BOOL(walk_to_top)
	ZEND_PARSE_PARAMETERS_END();
	(void)walk_to_top;
	const char *value = bh_sapi_module.getenv(name, name_len);
	if (value == NULL)
		RETURN_FALSE;
	RETURN_STRING(value);
}

/* The note's old value; with a value, sets it. */
static ZEND_FUNCTION(apache_note)
{
	char *name, *value = NULL;
	size_t name_len, value_len = 0;

	ZEND_PARSE_PARAMETERS_START(1, 2)
		Z_PARAM_STRING(name, name_len)
		Z_PARAM_OPTIONAL
		Z_PARAM_STRING_OR_NULL(value, value_len)
	ZEND_PARSE_PARAMETERS_END();
	if (current() == NULL)
		RETURN_FALSE;
	zval *notes = &current()->notes;
	zval *old = Z_TYPE_P(notes) == IS_ARRAY ? zend_hash_str_find(Z_ARRVAL_P(notes), name, name_len) : NULL;
	if (old != NULL)
		RETVAL_STR_COPY(Z_STR_P(old));
	else
		RETVAL_FALSE;
	if (value != NULL)
		set_in(notes, name, name_len, value, value_len);
}

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_headers, 0, 0, IS_ARRAY, 0)
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_finish, 0, 0, _IS_BOOL, 0)
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_INFO_EX(arginfo_setenv, 0, 2, _IS_BOOL, 0)
	ZEND_ARG_TYPE_INFO(0, variable, IS_STRING, 0)
	ZEND_ARG_TYPE_INFO(0, value, IS_STRING, 0)
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, walk_to_top, _IS_BOOL, 0, "false")
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_MASK_EX(arginfo_getenv, 0, 1, MAY_BE_STRING | MAY_BE_FALSE)
	ZEND_ARG_TYPE_INFO(0, variable, IS_STRING, 0)
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, walk_to_top, _IS_BOOL, 0, "false")
ZEND_END_ARG_INFO()

ZEND_BEGIN_ARG_WITH_RETURN_TYPE_MASK_EX(arginfo_note, 0, 1, MAY_BE_STRING | MAY_BE_FALSE)
	ZEND_ARG_TYPE_INFO(0, note_name, IS_STRING, 0)
	ZEND_ARG_TYPE_INFO_WITH_DEFAULT_VALUE(0, note_value, IS_STRING, 1, "null")
ZEND_END_ARG_INFO()

const zend_function_entry sapi_functions[] = {
	ZEND_FE(apache_request_headers, arginfo_headers)
	ZEND_FALIAS(getallheaders, apache_request_headers, arginfo_headers)
	ZEND_FE(apache_response_headers, arginfo_headers)
	ZEND_FE(fastcgi_finish_request, arginfo_finish)
	ZEND_FE(apache_setenv, arginfo_setenv)
	ZEND_FE(apache_getenv, arginfo_getenv)
	ZEND_FE(apache_note, arginfo_note)
	ZEND_FE_END
};

/* Before opcache, which keeps the compiler that it finds behind its own. */
static PHP_MINIT_FUNCTION(bulkhead)
{
	(void)type;
	(void)module_number;
	opcache_report_hook();
	return SUCCESS;
}

static PHP_MINFO_FUNCTION(bulkhead)
{
	(void)zend_module;
	php_info_print_table_start();
	php_info_print_table_row(2, "Server", "Bulkhead " PACKAGE_VERSION);
	php_info_print_table_end();
}

/* Named as mod_php's, for extension_loaded("apache2handler"). */
zend_module_entry bh_module = {
	STANDARD_MODULE_HEADER,
	"apache2handler",
	sapi_functions,
	PHP_MINIT(bulkhead),
	NULL,
	NULL,
	NULL,
	PHP_MINFO(bulkhead),
	PHP_VERSION,
	STANDARD_MODULE_PROPERTIES
};
