/* SPDX-License-Identifier: Apache-2.0 */
/* Any octets as a configuration file: lexer, reader and variables; no other file is looked at. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "conf/conf_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t count(const struct conf_node *n)
{
	size_t sum = 0;

	for (; n != NULL; n = n->next) {
		sum += 1 + count(n->children);
		if (n->name.line == 0 || n->name.column == 0 || n->name.text == NULL)
			abort();
		for (size_t i = 0; i < n->args_n; i++) {
			if (n->args[i].line < n->name.line || n->args[i].text == NULL)
				abort();
		}
	}
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a;
	struct conf_diags d;
	struct conf_parser p;
	size_t lines = 1;

	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n';
	arena_init(&a);
	conf_diags_init(&d);
	conf_parser_init(&p, &a, &d);
	p.follow = false;
	conf_parse_text(&p, "fuzz", (const char *)data, size);
	/* Every node and every message has its own line; nothing is left open. */
	if (count(p.root.children) > lines || p.at != &p.root || p.open != NULL)
		abort();
	for (size_t i = 0; i < d.n; i++) {
		if (d.v[i].line == 0 || d.v[i].line > lines || d.v[i].column == 0)
			abort();
	}
	/* A broken site file is read for its hosts' names: what comes out of it is a text without a line that cannot be read. */
	for (int bare = 0; bare < 2; bare++) {
		size_t before = d.errors;
		char *text = conf_salvage(&a, (const char *)data, size, bare != 0);
		if (text == NULL)
			continue;
		struct conf_lexer lx;
		struct conf_line line;
		int rc;
		conf_lexer_init(&lx, text, strlen(text), &a);
		while ((rc = conf_lexer_next(&lx, &line)) != 0)
			if (rc < 0)
				abort();
		conf_lexer_fini(&lx);
		if (strstr(text, "SiteUnavailable On") == NULL || d.errors != before)
			abort();
	}
	conf_diags_fini(&d);
	arena_fini(&a);
	return 0;
}
