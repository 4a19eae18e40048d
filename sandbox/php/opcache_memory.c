/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/php/opcache_memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <main/php.h>
#include <Zend/zend_ini.h>

#include "gateway/base/io.h"
#include "sandbox/sb_proc.h"

#define PAGE 4096UL
#define STRIDE 4096 /* pages asked about at a time */

/* --- finding --------------------------------------------------------------------------------------------------------- */

/* Opcache's names for it: an unlinked file in its lockfile_path, or a memory file where PHP is newer. */
static bool names_lock(const char *target)
{
	return strstr(target, "/.ZendSem.") != NULL || strstr(target, "memfd:opcache_lock") != NULL;
}

/* -1: there is none. -2: cannot tell. */
static int find_lock(void)
{
	DIR *d = sb_proc_list("self/fd");
	int found = -1;

	if (d == NULL)
		return -2;
	for (struct dirent *e; (e = readdir(d)) != NULL && found == -1;) {
		char target[512];
		ssize_t n = e->d_name[0] == '.' ? -1 : readlinkat(dirfd(d), e->d_name, target, sizeof(target) - 1);
		if (n <= 0)
			continue;
		target[n] = '\0';
		if (names_lock(target))
			found = atoi(e->d_name);
	}
	closedir(d);
	return found;
}

/* The one mapping that is readable, writable, shared, and as long as opcache was told to make it. */
static int find_segment(struct opcache_memory *m)
{
	size_t want = (size_t)zend_ini_long("opcache.memory_consumption", strlen("opcache.memory_consumption"), 0) << 20;
	FILE *f = sb_proc_text("self/maps");
	unsigned long start, end;
	char line[4096], perms[5];
	int n = 0;

	if (f == NULL)
		return GW_ERR_SYS;
	while (fgets(line, sizeof(line), f) != NULL) {
		if (sscanf(line, "%lx-%lx %4s", &start, &end, perms) != 3 || strcmp(perms, "rw-s") != 0 || end - start != want)
			continue;
		m->start = (void *)start; /* NOLINT: an address as the kernel writes it */
		m->len = want;
		n++;
	}
	fclose(f);
	return n == 1 ? 0 : GW_ERR_NOTFOUND;
}

int opcache_memory_find(struct opcache_memory *m)
{
	*m = (struct opcache_memory){.lock_fd = find_lock()};
	if (m->lock_fd == -2)
		return GW_ERR_SYS;
	int err = m->lock_fd == -1 ? 0 : find_segment(m);
	if (err != 0 || m->start == NULL)
		return err;
	m->heads = mmap(NULL, OPCACHE_HEADS_LEN, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return m->heads == MAP_FAILED ? GW_ERR_SYS : 0;
}

size_t opcache_memory_size(const struct opcache_memory *m)
{
	return m->len + OPCACHE_HEADS_LEN;
}

/* --- images ---------------------------------------------------------------------------------------------------------- */

int opcache_memory_new(const struct opcache_memory *m)
{
	int fd = memfd_create(OPCACHE_MEMORY_NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd != -1 && ftruncate(fd, (off_t)opcache_memory_size(m)) == -1)
		io_close(&fd);
	return fd == -1 ? GW_ERR_SYS : fd;
}

static int write_pages(int fd, const char *from, size_t len, off_t at)
{
	while (len > 0) {
		ssize_t n = pwrite(fd, from, len, at);
		if (n <= 0)
			return GW_ERR_SYS;
		from += n;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

int opcache_memory_copy(const struct opcache_memory *m)
{
	static unsigned char resident[STRIDE];
	int fd = opcache_memory_new(m), err = fd < 0 ? GW_ERR_SYS : 0;
	size_t pages = m->len / PAGE;

	/* Reading a page that was never touched would make it. */
	for (size_t base = 0; base < pages && err == 0; base += STRIDE) {
		size_t n = pages - base < STRIDE ? pages - base : STRIDE;
		char *at = (char *)m->start + base * PAGE;
		if (mincore(at, n * PAGE, resident) == -1)
			err = GW_ERR_SYS;
		for (size_t i = 0, run; i < n && err == 0; i += run) {
			for (run = 1; i + run < n && (resident[i + run] & 1) == (resident[i] & 1);)
				run++;
			if ((resident[i] & 1) != 0)
				err = write_pages(fd, at + i * PAGE, run * PAGE, (off_t)((base + i) * PAGE));
		}
	}
	if (err != 0 && fd >= 0)
		io_close(&fd);
	return err != 0 ? GW_ERR_SYS : fd;
}

/* Octets [@at, @end) of file @from, as far as it has any, to @to. */
static int fill(int from, off_t at, off_t end, char *to)
{
	off_t first = at, data_end;

	while (at < end && (at = lseek(from, at, SEEK_DATA)) != -1 && at < end) {
		data_end = lseek(from, at, SEEK_HOLE);
		if (data_end > end)
			data_end = end;
		while (at < data_end) {
			ssize_t n = pread(from, to + (at - first), (size_t)(data_end - at), at);
			if (n <= 0)
				return GW_ERR_SYS;
			at += n;
		}
	}
	return at != -1 || errno == ENXIO ? 0 : GW_ERR_SYS; /* nothing but a hole up to the end */
}

int opcache_memory_fill(const struct opcache_memory *m, int from)
{
	off_t len = (off_t)m->len;
	int err = fill(from, 0, len, m->start);

	return err != 0 ? err : fill(from, len, (off_t)opcache_memory_size(m), m->heads);
}

int opcache_memory_map(const struct opcache_memory *m, int fd, bool shared)
{
	int flags = (shared ? MAP_SHARED : MAP_PRIVATE) | MAP_FIXED, rights = PROT_READ | PROT_WRITE;

	return mmap(m->start, m->len, rights, flags, fd, 0) == m->start &&
		mmap(m->heads, OPCACHE_HEADS_LEN, rights, flags, fd, (off_t)m->len) == m->heads ? 0 : GW_ERR_SYS;
}
