/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/attack/attack.h"

#include <string.h>

const struct attack_layer attack_layers[] = {
	{"control", "not an attack: what must work, or the rest says nothing"},
	{"filter", "the system call filter of the site's profile"},
	{"capabilities", "no capability, and none to be had"},
	{"uid", "the site's own user"},
	{"dumpable", "processes that cannot be looked into"},
	{"limits", "resource limits that cannot be raised"},
	{"descriptors", "no descriptor but the request's own"},
	{"php", "PHP's settings that the server insists on"},
	{"cell", "one process a request"},
	{"front", "the process that speaks with clients"},
	{"mount", "a root of the site's own"},
	{"pid", "process numbers of the site's own"},
	{"ipc", "System V IPC and message queues of the site's own"},
	{"uts", "a machine's name of the site's own"},
	{"net", "a network of the site's own"},
	{"landlock", "a second rule set about files, ports and sockets"},
	{"opcache", "compiled code that a request cannot change for the next"},
};
const size_t attack_layers_n = sizeof(attack_layers) / sizeof(attack_layers[0]);

/* How many each has is known where it is defined. */
static const struct {
	const struct attack *v;
	const size_t *n;
} tables[] = {
	{attack_controls, &attack_controls_n}, {attack_calls, &attack_calls_n}, {attack_memory, &attack_memory_n},
	{attack_processes, &attack_processes_n}, {attack_files, &attack_files_n}, {attack_network, &attack_network_n},
	{attack_requests, &attack_requests_n}, {attack_walls, &attack_walls_n},
};

const struct attack *attack_at(size_t i)
{
	for (size_t t = 0; t < sizeof(tables) / sizeof(tables[0]); t++) {
		if (i < *tables[t].n)
			return &tables[t].v[i];
		i -= *tables[t].n;
	}
	return NULL;
}

const struct attack_layer *attack_layer_find(const char *name)
{
	for (size_t i = 0; i < attack_layers_n; i++)
		if (strcmp(attack_layers[i].name, name) == 0)
			return &attack_layers[i];
	return NULL;
}
