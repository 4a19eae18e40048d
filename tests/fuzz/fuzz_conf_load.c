/* SPDX-License-Identifier: Apache-2.0 */
/* Any octets through the whole of loading, then look-ups on what came out. Nothing is included and no name is resolved. */
#include <netdb.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <unistd.h>

#include "conf/conf.h"
#include "gateway/base/io.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Stands before the C library's: a fuzzer must not ask name servers. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **res)
{
	(void)node;
	(void)service;
	(void)hints;
	*res = NULL;
	return EAI_NONAME;
}

static int holds(const uint8_t *data, size_t size, const char *word)
{
	size_t n = strlen(word);

	for (size_t i = 0; i + n <= size; i++) {
		if (strncasecmp((const char *)data + i, word, n) == 0)
			return 1;
	}
	return 0;
}

/* Every other condition holds. */
static int judge(struct conf_judge *j, const struct conf_match *m, const struct conf_expr *e)
{
	(void)m;
	j->asked = ((uintptr_t)e >> 6 & 1) != 0;
	return j->asked;
}

static void look_up(struct conf *c)
{
	struct conf_judge j = {.holds = judge};
	static const char *const names[] = {"x.php", "x.html", "a.b.c", ".htaccess", "x."};
	struct conf_cache *cc = conf_cache_new();
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(80)};
	struct conf_match m = {.dir = "/srv/shop/htdocs/", .uri = "/a/b", .judge = &j};

	if (cc == NULL)
		return;
	m.server = conf_find_server(c, (struct sockaddr *)&in, "www.example.org");
	if (m.server == NULL || m.server->dir == NULL || m.server->name == NULL || m.server->docroot == NULL)
		abort();
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const struct conf_dir *d;
		m.file = names[i];
		d = conf_dir_for(cc, c, &m);
		if (d == NULL)
			continue;
		if (conf_handler_for(d, names[i]).kind == CONF_HANDLER_POOL && conf_handler_for(d, names[i]).pool == NULL)
			abort();
		if (strcmp(names[i], "x.php") == 0 && conf_handler_for(d, names[i]).kind == CONF_HANDLER_DEFAULT)
			abort(); /* never the source */
		(void)conf_type_for(c, d, names[i]);
		(void)conf_error_doc_for(d, 404);
	}
	conf_cache_free(cc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	char path[64];
	struct conf_load_opts o = {.file = path, .server_root = "/"};
	struct conf_diags d;
	struct conf *c;

	if (holds(data, size, "include") || holds(data, size, "typesconfig"))
		return 0;
	if (fd == -1)
		fd = memfd_create("conf", MFD_CLOEXEC);
	if (fd == -1 || ftruncate(fd, 0) != 0 || lseek(fd, 0, SEEK_SET) != 0 || io_write_all(fd, data, size) != GW_OK)
		return 0;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	conf_diags_init(&d);
	c = conf_load(&o, &d);
	if ((c == NULL) != (d.errors > 0))
		abort();
	if (c != NULL)
		look_up(c);
	conf_free(c);
	conf_diags_fini(&d);
	return 0;
}
