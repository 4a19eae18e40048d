/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The CGI variables of a request (RFC 3875 section 4.1), as mod_php gives them: one builder for both paths. Pure: it
 * reads a description and calls back for every variable.
 */
#ifndef CGI_ENV_H
#define CGI_ENV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/http/req_fields.h"

struct cgi_env_in {
	const char *method, *protocol, *request_uri, *query; /* query NULL = "" */
	const char *script_name, *path_info;                 /* URL path of the script; rest or "" */
	const char *filename, *root;                         /* script on disk; alias target or document root */
	const char *docroot, *context_prefix, *admin;
	const char *server_name, *server_addr, *remote_addr;
	unsigned server_port, remote_port;
	const char *authority;                               /* NULL: no Host was sent */
	bool tls;                                            /* this connection is encrypted: HTTPS */
	const char *scheme;                                  /* "http" or "https", which a proxy before us may speak */
	int64_t content_length;                              /* -1: no body */
	const struct req_fields *fields;
	int redirect_status;                                 /* 200, or an ErrorDocument's status */
	const char *redirect_url, *redirect_query, *redirect_method; /* NULL: not an internal redirect */
};

/* Called once a variable; returns 0, or a negative error that ends the build. */
typedef int (*cgi_env_put)(void *arg, const char *name, size_t name_len, const char *value, size_t value_len);

/** Build all variables. Returns 0 or the callback's error. Fields named twice are joined (", ", Cookie "; "). */
int cgi_env_build(const struct cgi_env_in *in, cgi_env_put put, void *arg) GW_MUST_USE;

#endif
