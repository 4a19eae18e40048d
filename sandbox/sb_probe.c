/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/sb_probe.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/base/io.h"
#include "sandbox/sb_landlock.h"
#include "sandbox/sb_newmount.h"

/* --- in the child, which ends after it ------------------------------------------------------------------------------- */

static const struct {
	unsigned layer;
	int flag;
} spaces[] = {{SB_LAYER_PID, CLONE_NEWPID}, {SB_LAYER_IPC, CLONE_NEWIPC}, {SB_LAYER_UTS, CLONE_NEWUTS}, {SB_LAYER_NET, CLONE_NEWNET},
	{SB_LAYER_CGROUP, CLONE_NEWCGROUP}};

/* The mount calls on descriptors, the newest of which is mount_setattr(2): Linux 5.12. */
static bool can_mount(void)
{
	if (unshare(CLONE_NEWNS) == -1 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1)
		return false;
	int fd = sb_newmount("tmpfs", (const char *const[]){"mode", "755", NULL}, MOUNT_ATTR_NOSUID);
	bool ok = fd != -1 && sb_mount_attributes(fd, MOUNT_ATTR_RDONLY, false) == 0;
	io_close(&fd);
	return ok;
}

static unsigned try_layers(bool user_ns)
{
	unsigned layers = 0;

	if (user_ns && unshare(CLONE_NEWUSER) == -1)
		return 0;
	for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++)
		if (unshare(spaces[i].flag) == 0)
			layers |= spaces[i].layer;
	if (can_mount())
		layers |= SB_LAYER_MOUNT;
	return layers;
}

/* --------------------------------------------------------------------------------------------------------------------- */

static unsigned ask_child(bool user_ns)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit((int)try_layers(user_ns)); /* the layers of namespaces are below 256 */
	while (pid > 0 && waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return 0;
	return pid > 0 && WIFEXITED(status) ? (unsigned)WEXITSTATUS(status) : 0;
}

const struct sb_probe *sb_probe(void)
{
	static struct sb_probe p;
	static bool done;

	if (done)
		return &p;
	done = true;
	p.user_ns = geteuid() != 0;
	p.layers = ask_child(p.user_ns);
	/* Without mounts of its own a process namespace has no /proc, and the launcher's part is all or nothing. */
	if (p.user_ns && (p.layers & SB_LAYER_MOUNT) == 0)
		p.layers = 0;
	p.why = p.user_ns ? "this user may not make user namespaces" : "this kernel, or the container around us, does not allow it";
	p.landlock_abi = sb_landlock_abi();
	if (p.landlock_abi > 0)
		p.layers |= SB_LAYER_LANDLOCK;
	p.layers |= SB_LAYER_KEYRING | SB_LAYER_FILTER;
	return &p;
}

void sb_probe_text(const struct sb_probe *p, char *out, size_t cap)
{
	unsigned missing = SB_LAYERS_ALL & ~p->layers & ~(unsigned)SB_LAYER_LANDLOCK;
	char names[128];
	const char *lacks = sb_landlock_lacks(p->landlock_abi);

	sb_layers_text(missing, names, sizeof(names));
	snprintf(out, cap, "%s%s%s%s%s%s%s", names[0] != '\0' ? "namespaces " : "", names, names[0] != '\0' ? " (" : "",
		names[0] != '\0' ? p->why : "", names[0] != '\0' ? ")" : "", names[0] != '\0' && lacks[0] != '\0' ? "; " : "", lacks);
}
