/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trust: the master stays root for as long as the server runs, because a site may need a process of its user at any time.
 * It reads no client's octet; should it be taken over all the same, modules, raw devices, the clock, reboot, tracing of
 * other processes and what else is not in the list are out of its reach, and of all that it starts.
 */
#include "gateway/master/master_lock.h"

#include <linux/capability.h>

#include "sandbox/sb_cred.h"

static const int kept[] = {
	CAP_SETUID, CAP_SETGID,   /* fronts and zygotes become their user */
	CAP_SETPCAP,              /* and empty their bounding set first */
	CAP_KILL,                 /* their processes belong to other users */
	CAP_NET_BIND_SERVICE,     /* a reload may bind port 80 */
	CAP_DAC_OVERRIDE,         /* logs and configuration lie where the administrator wants them */
	CAP_FOWNER,               /* the mode of a unix socket that a former run left to another user */
	CAP_CHOWN,                /* a site's own directories are made by root and given to its user */
	CAP_SYS_ADMIN,            /* a site's namespaces and mounts */
	CAP_SYS_CHROOT,           /* its new root */
	CAP_NET_ADMIN,            /* its loopback interface; room in the channels for a message of every site at once */
};

int master_drop(bool privileged)
{
	return privileged ? sb_cred_keep(kept, sizeof(kept) / sizeof(*kept)) : 0;
}
