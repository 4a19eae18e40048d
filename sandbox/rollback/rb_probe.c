/* SPDX-License-Identifier: Apache-2.0 */
/** What the kernel can do, found out by doing it. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gateway/base/io.h"
#include "sandbox/rollback/rb_priv.h"

static bool have_uffd(void)
{
	struct uffdio_api api = {.api = UFFD_API, .features = RB_UFFD_FEATURES};
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
	bool have = fd != -1 && ioctl(fd, UFFDIO_API, &api) == 0;

	io_close(&fd);
	return have;
}

static bool have_scan(void)
{
	struct pm_scan_arg arg = {.size = sizeof(arg)};
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	bool have = fd != -1 && ioctl(fd, PAGEMAP_SCAN, &arg) == 0;

	io_close(&fd);
	return have;
}

static bool have_seal(void)
{
	return syscall(SYS_mseal, NULL, (size_t)0, 0L) == 0;
}

bool rollback_supported(const char **why)
{
	static const struct {
		bool (*have)(void);
		const char *missing;
	} needs[] = {
		{have_seal, "the kernel lacks mseal(2), new in Linux 6.10"},
		{have_scan, "the kernel lacks PAGEMAP_SCAN, new in Linux 6.7, or /proc is not there"},
		{have_uffd, "the kernel lacks userfaultfd(2) with asynchronous write protection, new in Linux 6.7, or it is denied"},
	};

	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
		*why = needs[i].missing;
		if (!needs[i].have())
			return false;
	}
	return true;
}
