/* SPDX-License-Identifier: Apache-2.0 */
/** What rollback needs of Linux 6.7 and 6.10, for headers that are older. See ioctl_userfaultfd(2), PAGEMAP_SCAN(2const), mseal(2). */
#ifndef RB_KERNEL_H
#define RB_KERNEL_H

#include <linux/userfaultfd.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif
#define RB_UFFD_FEATURES ((1ULL << 12) /* WP_HUGETLBFS_SHMEM */ | (1ULL << 13) /* WP_UNPOPULATED */ | (1ULL << 15) /* WP_ASYNC */)

#ifndef SYS_mseal
#define SYS_mseal 462 /* the same on every architecture */
#endif

#ifndef PAGEMAP_SCAN
#define PAGE_IS_WPALLOWED (1U << 0)
#define PAGE_IS_FILE (1U << 2)
#define PAGE_IS_PRESENT (1U << 3)
#define PAGE_IS_SWAPPED (1U << 4)
#define PAGE_IS_PFNZERO (1U << 5)

struct page_region {
	uint64_t start, end, categories;
};

struct pm_scan_arg {
	uint64_t size, flags, start, end, walk_end, vec, vec_len, max_pages;
	uint64_t category_inverted, category_mask, category_anyof_mask, return_mask;
};

#define PAGEMAP_SCAN _IOWR('f', 16, struct pm_scan_arg)
#endif

#endif
