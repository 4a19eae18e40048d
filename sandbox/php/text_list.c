/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/php/text_list.h"

#include <string.h>

bool text_list_has(const char *list, size_t n, const char *text, size_t len)
{
	for (size_t i = 0; i < n; i++, list += strlen(list) + 1)
		if (strlen(list) == len && memcmp(list, text, len) == 0)
			return true;
	return false;
}
