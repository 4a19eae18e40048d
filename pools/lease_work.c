/* SPDX-License-Identifier: Apache-2.0 */
#include "pools/lease_work.h"

#include <stdlib.h>

struct lease_work *lease_work_new(void)
{
	struct lease_work *w = malloc(sizeof(*w));

	if (w == NULL)
		return NULL;
	atomic_init(&w->holders, 2);
	atomic_init(&w->over, false);
	w->next = NULL;
	return w;
}

void lease_work_put(struct lease_work *w)
{
	if (atomic_fetch_sub(&w->holders, 1) == 1)
		free(w);
}

void lease_work_end(struct lease_work *w)
{
	atomic_store(&w->over, true);
	lease_work_put(w);
}
