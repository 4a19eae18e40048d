/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/tls/secret.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int secret_new(struct secret *s, size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	*s = (struct secret){NULL, 0};
	if (len > SIZE_MAX - page)
		return GW_ERR_NOMEM;
	len = len == 0 ? page : (len + page - 1) / page * page;
	void *mem = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mem == MAP_FAILED)
		return GW_ERR_NOMEM;
	/* Without these it would be ordinary memory: rather none. */
	if (madvise(mem, len, MADV_DONTFORK) == -1 || madvise(mem, len, MADV_DONTDUMP) == -1) {
		munmap(mem, len);
		return GW_ERR_NOMEM;
	}
	*s = (struct secret){mem, len};
	return GW_OK;
}

void secret_free(struct secret *s)
{
	if (s->mem == NULL)
		return;
	explicit_bzero(s->mem, s->len);
	munmap(s->mem, s->len);
	*s = (struct secret){NULL, 0};
}

int secret_share(const struct secret *s, bool on)
{
	if (s->mem == NULL)
		return GW_OK;
	return madvise(s->mem, s->len, on ? MADV_DOFORK : MADV_DONTFORK) == -1 ? GW_ERR_SYS : GW_OK;
}
