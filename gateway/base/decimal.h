/* SPDX-License-Identifier: Apache-2.0 */
/** Numbers as decimal text without printf(3), for what is written with every request. Pure, any thread. */
#ifndef BASE_DECIMAL_H
#define BASE_DECIMAL_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define DECIMAL_MAX 21 /* octets of the largest number and a NUL */

/** @n into @out (DECIMAL_MAX octets), NUL-terminated. Returns its length. */
static inline size_t decimal_put(char *out, uint64_t n)
{
	char text[DECIMAL_MAX], *p = text + sizeof(text);

	*--p = '\0';
	do
		*--p = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	size_t len = (size_t)(text + sizeof(text) - p);
	memcpy(out, p, len);
	return len - 1;
}

#endif
