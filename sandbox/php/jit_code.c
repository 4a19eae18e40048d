/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/php/jit_code.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "gateway/base/io.h"

#define ROOM_LEN ((size_t)8 << 20)
#define WRITE_EXEC (PROT_WRITE | PROT_EXEC)

static struct {
	char *at; /* NULL: closed */
	size_t used;
	int fd;
} room;

static size_t whole_pages(size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (len + page - 1) & ~(page - 1);
}

static void *take(size_t len)
{
	size_t need = whole_pages(len);

	if (len == 0 || need < len || need > ROOM_LEN - room.used) {
		errno = ENOMEM;
		return MAP_FAILED;
	}
	room.used += need;
	return room.at + room.used - need;
}

static bool is_in_room(const void *at)
{
	return room.at != NULL && (const char *)at >= room.at && (const char *)at < room.at + ROOM_LEN;
}

/* Those of the program come before the C library's, for PHP and for the libraries that it is linked with. */
void *mmap(void *at, size_t len, int prot, int flags, int fd, off_t offset)
{
	if (room.at != NULL && (prot & WRITE_EXEC) == WRITE_EXEC)
		return take(len);
	return (void *)syscall(SYS_mmap, at, len, prot, flags, fd, offset);
}

void *mmap64(void *at, size_t len, int prot, int flags, int fd, off64_t offset)
{
	return mmap(at, len, prot, flags, fd, offset);
}

int pcre2_jit_compile_8(void *code, uint32_t options); /* pcre2.h, where it is a macro's */

/* PCRE's list of free code is not to be touched outside: neither PHP's setting nor another library gets there. */
int pcre2_jit_compile_8(void *code, uint32_t options)
{
	enum { NO_MEMORY = -48 }; /* PCRE2_ERROR_NOMEMORY */
	static int (*next)(void *code, uint32_t options);

	if (next == NULL)
		*(void **)(void *)&next = dlsym(RTLD_NEXT, "pcre2_jit_compile_8");
	return room.at == NULL || next == NULL ? NO_MEMORY : next(code, options);
}

int munmap(void *at, size_t len)
{
	return is_in_room(at) ? 0 : (int)syscall(SYS_munmap, at, len);
}

static bool may_run(int fd)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *at = mmap(NULL, page, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);

	return at != MAP_FAILED && munmap(at, page) == 0;
}

bool jit_code_begin(void)
{
	int fd = memfd_create("jit", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd == -1)
		return false;
	void *at = ftruncate(fd, (off_t)ROOM_LEN) == 0 && may_run(fd)
			   ? mmap(NULL, ROOM_LEN, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
			   : MAP_FAILED;
	if (at == MAP_FAILED) {
		io_close(&fd);
		return false;
	}
	room.at = at;
	room.used = 0;
	room.fd = fd;
	return true;
}

int jit_code_end(void)
{
	char *at = room.at;
	size_t used = room.used;
	int err = 0;

	room.at = NULL;
	/* Over the writable mapping, which is then no more: or the file could not be sealed. */
	if (used > 0 && mmap(at, used, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_FIXED, room.fd, 0) == MAP_FAILED)
		err = GW_ERR_SYS;
	if (used < ROOM_LEN && munmap(at + used, ROOM_LEN - used) == -1)
		err = GW_ERR_SYS;
	if (err == 0)
		err = io_seal(room.fd);
	io_close(&room.fd);
	return err;
}
