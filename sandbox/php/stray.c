/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/php/stray.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "sandbox/sb_proc.h"

/* proc(5), /proc/PID/task/TID/children: pids in decimal, a space behind each. */
int stray_open(void)
{
	return sb_proc_open("thread-self/children", O_RDONLY);
}

unsigned stray_kill(int fd, bool (*is_cell)(pid_t pid))
{
	char buf[4096];
	unsigned n = 0;
	pid_t pid = 0;
	off_t at = 0;
	ssize_t got;

	if (fd < 0)
		return 0;
	while ((got = pread(fd, buf, sizeof(buf), at)) > 0) {
		at += got;
		for (ssize_t i = 0; i < got; i++) {
			if (buf[i] >= '0' && buf[i] <= '9') {
				pid = pid * 10 + (buf[i] - '0');
				continue;
			}
			/* Ours until we reap it: the number cannot mean another process. */
			if (pid > 1 && !is_cell(pid)) {
				kill(pid, SIGKILL);
				n++;
			}
			pid = 0;
		}
	}
	return n;
}
