/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/php/map_ptr.h"

#include <stdbool.h>
#include <string.h>

#include <main/php.h>
#include <Zend/zend_map_ptr.h>

static bool clear;
static size_t hidden;

void map_ptr_clear(void)
{
	memset(CG(map_ptr_real_base), 0, CG(map_ptr_last) * sizeof(void *));
	clear = true;
}

/* Nothing asks for a place in the table between here and map_ptr_show(). What the table grows by begins as zeros. */
void map_ptr_hide(void)
{
	if (!clear)
		return;
	clear = false;
	hidden = CG(map_ptr_last);
	CG(map_ptr_last) = 0;
}

void map_ptr_show(void)
{
	if (hidden == 0)
		return;
	CG(map_ptr_last) = hidden;
	hidden = 0;
}
