/* SPDX-License-Identifier: Apache-2.0 */
/* Setters of what a site's processes may see and reach: paths, network, ports, and which of the locks are off. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "conf/conf_build.h"

/* In the order of enum conf_layer's bits. */
static const char *const layer_words[] = {"mount", "pid", "ipc", "uts", "net", "cgroup", "landlock", "keyring", "filter"};
#define LAYERS_N (sizeof(layer_words) / sizeof(*layer_words))

const char *conf_layer_name(unsigned bit)
{
	for (size_t i = 0; i < LAYERS_N; i++)
		if (bit == 1U << i)
			return layer_words[i];
	return NULL;
}

void conf_set_sandbox_off(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	struct conf_suggest s;
	char more[128];

	for (size_t i = 0; i < n->args_n; i++) {
		const char *text = n->args[i].text;
		size_t at = 0;
		conf_suggest_init(&s, text);
		while (at < LAYERS_N && strcasecmp(layer_words[at], text) != 0)
			conf_suggest_try(&s, layer_words[at++]);
		if (at == LAYERS_N) {
			conf_error(b, n, (int)i, "SandboxOff: '%s' is not one of %s%s", text, d->args, conf_suggest_text(&s, more, sizeof(more)));
			continue;
		}
		b->srv->s->sandbox_off |= 1U << at;
		b->srv->set |= (uint64_t)1 << d->bit;
		/* Not quietly: this is for finding out what a lock breaks, or holds. */
		conf_warn(b, n, (int)i, "SandboxOff %s: THE SITE IS NOT LOCKED AWAY BY THIS LAYER", layer_words[at]);
	}
}

/* What the sandbox makes itself, and what would be all of the machine. */
static const char *path_refused(const char *path)
{
	static const char *const own[] = {"/proc", "/sys", "/dev"};

	if (strcmp(path, "/") == 0)
		return "the whole file system cannot be shown; SandboxOff mount says that";
	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++) {
		size_t len = strlen(own[i]);
		bool inside = strncmp(path, own[i], len) == 0 && (path[len] == '\0' || path[len] == '/');
		/* A socket such as /dev/log is fine: nothing else in there is. */
		if (inside && strcmp(path, "/dev/log") != 0)
			return "this is the kernel's, and not shown to sites";
	}
	return NULL;
}

void conf_set_sandbox_path(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	struct conf_server *s = b->srv->s;
	const char *mode = n->args_n > 1 ? n->args[1].text : "ro", *path = conf_build_path(b, n->args[0].text);
	struct conf_sandbox_path *v;

	(void)d;
	if (path == NULL)
		return;
	if (strcasecmp(mode, "ro") != 0 && strcasecmp(mode, "rw") != 0) {
		conf_error(b, n, 1, "SandboxPath: '%s' is not one of ro rw", mode);
		return;
	}
	if (path_refused(path) != NULL) {
		conf_error(b, n, 0, "SandboxPath %s: %s", path, path_refused(path));
		return;
	}
	if (access(path, F_OK) == -1 && (errno == ENOENT || errno == ENOTDIR))
		conf_warn(b, n, 0, "SandboxPath %s: %s: without it the site does not start", path, strerror(errno));
	v = conf_push(b->a, s->sandbox_paths, s->sandbox_paths_n, sizeof(*v));
	if (v == NULL) {
		b->oom = true;
		return;
	}
	v[s->sandbox_paths_n++] = (struct conf_sandbox_path){.path = path, .writable = strcasecmp(mode, "rw") == 0};
	s->sandbox_paths = v;
}

/* A number with K, M or G for powers of 1024. */
void conf_set_octets(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	int64_t value;
	const char *why = conf_value_size(n->args[0].text, d->lo, d->hi, &value);

	if (why != NULL) {
		conf_error(b, n, 0, "%s: '%s' %s", n->name.text, n->args[0].text, why);
		return;
	}
	*(int64_t *)conf_field(b, d) = value;
}

/* A list of ports, or any, or none; replaces what the main server says. */
void conf_set_tcp_ports(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	struct conf_ports *ports = (struct conf_ports *)(uintptr_t)((char *)b->srv->s + d->offset), list = {.any = false};
	uint16_t *v = arena_calloc(b->a, n->args_n, sizeof(*v));
	int64_t port;

	if (v == NULL) {
		b->oom = true;
		return;
	}
	for (size_t i = 0; i < n->args_n; i++) {
		const char *text = n->args[i].text, *why = NULL;
		bool word = strcasecmp(text, "any") == 0 || strcasecmp(text, "none") == 0;
		if (word && n->args_n > 1)
			why = "stands alone";
		else if (!word)
			why = conf_value_int(text, d->lo, 65535, &port);
		if (why != NULL) {
			conf_error(b, n, (int)i, "%s: '%s' %s; a list of ports, any, or none", n->name.text, text, why);
			return;
		}
		if (word)
			list.any = (text[0] | 0x20) == 'a';
		else
			v[list.n++] = (uint16_t)port;
	}
	list.v = v;
	*ports = list;
	b->srv->set |= (uint64_t)1 << d->bit;
}
