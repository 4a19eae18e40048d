/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/sb_site_rules.h"

#include "gateway/base/io.h"
#include "sandbox/sb_landlock.h"

#define READ (SB_FS_READ_FILE | SB_FS_READ_DIR)
#define WRITE (SB_FS_WRITE_FILE | SB_FS_TRUNCATE | SB_FS_REMOVE_DIR | SB_FS_REMOVE_FILE | SB_FS_MAKE_DIR | SB_FS_MAKE_REG | \
	SB_FS_MAKE_SOCK | SB_FS_MAKE_FIFO | SB_FS_MAKE_SYM | SB_FS_REFER)

static uint64_t access_of(const struct sb_shown *f)
{
	uint64_t access = READ | ((f->flags & SB_SHOW_WRITE) != 0 ? WRITE : 0) | ((f->flags & SB_SHOW_EXEC) != 0 ? SB_FS_EXECUTE : 0);

	return f->is_dir ? access : access & SB_FS_OF_FILES;
}

static int allow_ports(const struct sb_landlock *l, const struct spec_ports *p, uint64_t access)
{
	int err = 0;

	for (size_t i = 0; i < p->n && err == 0; i++)
		err = sb_landlock_allow_port(l, p->v[i], access);
	return err;
}

static int add_rules(const struct sb_landlock *l, const struct sb_root *r, const struct spec *s, int proc_fd)
{
	int err = 0;

	for (size_t i = 0; i < r->n && err == 0; i++)
		err = sb_landlock_allow_below(l, r->shown[i].fd, access_of(&r->shown[i]));
	if (err == 0 && proc_fd != -1)
		err = sb_landlock_allow_below(l, proc_fd, READ);
	if (err == 0)
		err = allow_ports(l, &s->connect, SB_NET_CONNECT_TCP);
	return err != 0 ? err : allow_ports(l, &s->bind, SB_NET_BIND_TCP);
}

int sb_site_rules_build(const struct sb_root *r, const struct spec *s, int proc_fd)
{
	uint64_t net = (s->connect.any ? 0 : SB_NET_CONNECT_TCP) | (s->bind.any ? 0 : SB_NET_BIND_TCP);
	struct sb_landlock l;
	int err = sb_landlock_open(&l, SB_FS_ALL, net, SB_SCOPE_ABSTRACT_UNIX | SB_SCOPE_SIGNAL);

	if (err != 0)
		return err;
	err = add_rules(&l, r, s, proc_fd);
	if (err == 0)
		return l.fd;
	io_close(&l.fd);
	return err;
}
