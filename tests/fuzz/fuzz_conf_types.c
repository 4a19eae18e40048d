/* SPDX-License-Identifier: Apache-2.0 */
/* The first line as an address and a path, the rest as a types file and an envvars file. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf_addr.h"
#include "conf/conf_types.h"
#include "conf/conf_vars.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a;
	struct conf_addr addr;
	struct conf_types *t;
	struct conf_vars v;
	char *text, *rest, *path;

	arena_init(&a);
	text = arena_strndup(&a, (const char *)data, size);
	if (text == NULL)
		goto out;
	rest = text + strcspn(text, "\n");
	if (*rest == '\n')
		*rest++ = '\0';
	/* Never a host name: the resolver is not asked. */
	if (conf_addr_parse(&a, text, CONF_ADDR_UNIX | CONF_ADDR_PORT_ONLY | CONF_ADDR_ANY | CONF_ADDR_NO_PORT, &addr) == NULL &&
	    (addr.len == 0 || addr.text == NULL))
		abort();
	path = conf_path(&a, "/base/dir", text);
	if (path != NULL && (path[0] != '/' || strstr(path, "//") != NULL || strstr(path, "/../") != NULL))
		abort();
	t = conf_types_new(&a);
	if (t != NULL && conf_types_read(t, &a, rest) == GW_OK)
		(void)conf_types_find(t, text, strlen(text));
	conf_vars_init(&v, &a);
	if (conf_vars_read_envvars(&v, rest) == GW_OK) {
		const char *unknown, *expanded;
		if (conf_vars_expand(&v, rest, &expanded, &unknown) == GW_OK && expanded == NULL)
			abort();
	}
out:
	arena_fini(&a);
	return 0;
}
