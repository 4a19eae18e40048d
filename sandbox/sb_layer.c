/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/sb_layer.h"

#include <stdio.h>
#include <string.h>

static const struct {
	unsigned bit;
	const char *name;
} layers_all[] = {
	{SB_LAYER_MOUNT, "mount"}, {SB_LAYER_PID, "pid"}, {SB_LAYER_IPC, "ipc"}, {SB_LAYER_UTS, "uts"}, {SB_LAYER_NET, "net"},
	{SB_LAYER_CGROUP, "cgroup"},
	{SB_LAYER_LANDLOCK, "landlock"}, {SB_LAYER_KEYRING, "keyring"}, {SB_LAYER_FILTER, "filter"},
};
#define LAYERS_N (sizeof(layers_all) / sizeof(layers_all[0]))

static unsigned find(const char *name, size_t len)
{
	for (size_t i = 0; i < LAYERS_N; i++)
		if (strlen(layers_all[i].name) == len && memcmp(layers_all[i].name, name, len) == 0)
			return layers_all[i].bit;
	return 0;
}

bool sb_layers_parse(const char *text, unsigned *layers)
{
	*layers = 0;
	while (*text != '\0') {
		size_t len = strcspn(text, ",");
		unsigned bit = find(text, len);
		if (bit == 0 || (*layers & bit) != 0)
			return false;
		*layers |= bit;
		text += len;
		if (*text == ',' && *++text == '\0')
			return false;
	}
	return true;
}

void sb_layers_text(unsigned layers, char *out, size_t cap)
{
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < LAYERS_N; i++)
		if ((layers & layers_all[i].bit) != 0 && len < cap)
			len += (size_t)snprintf(out + len, cap - len, "%s%s", len > 0 ? "," : "", layers_all[i].name);
}
