/* SPDX-License-Identifier: Apache-2.0 */
/** Other processes, and more of them: what a cell could start, signal, slow down or outlive. */
#include "sandbox/attack/attack.h"

#define FILTER(n, t, h, c) {.name = (n), .threat = (t), .layer = "filter", .how = (h), .code = (c)}
#define BELOW_LEGACY(n, t, h, c) {.name = (n), .threat = (t), .layer = "filter", .how = (h), .code = (c), .needs = ATTACK_NOT_LEGACY}
#define OTHERS "the own process only"

const struct attack attack_processes[] = {
	BELOW_LEGACY("run-program", "start a program of one's own", "execve() refused", "denied(call('execve', \"/nonexistent/program\\0\", 0, 0));"),
	BELOW_LEGACY("run-program-by-descriptor", "the same without its name", "execveat() refused", "denied(call('execveat', -1, \"\\0\", 0, 0, 0x1000));"),
	BELOW_LEGACY("run-shell", "PHP's own way to a shell", "no exec, no fork",
		"loaded('shell_exec'); $v = @shell_exec('echo through'); $v === \"through\\n\" ? through('a shell ran') : stopped('no shell');"),
	BELOW_LEGACY("fork", "processes that outlive the request", "fork() and clone() of processes refused", "denied(only_parent(call('clone', 17, 0, 0, 0, 0)), 11);"),
	BELOW_LEGACY("vfork", "the same by its old name", "vfork() refused", "loaded('proc_open'); $p = @proc_open(['/bin/true'], [], $pipes); is_resource($p) ? through('a process was started') : stopped('none was started');"),
	FILTER("signal-zygote", "stop the process that makes the site's cells", "kill(): " OTHERS, "denied(call('kill', zygote(), 28), 3);"),
	FILTER("signal-zygote-thread", "the same by thread", "tgkill(): " OTHERS, "$z = zygote(); denied(call('tgkill', $z, $z, 28), 3);"),
	FILTER("queue-signal", "the same with data", "rt_sigqueueinfo() is not there", "denied(call('rt_sigqueueinfo', zygote(), 28, pack('VVVx116', 28, 0, 0xffffffff)), 3);"),
	FILTER("limit-zygote", "take the zygote's descriptors away: the whole site is down", "prlimit64(): " OTHERS, "denied(call('prlimit64', zygote(), 4, pack('PP', 0, 0), 0));"),
	FILTER("pin-zygote", "tie the zygote to one processor", "sched_setaffinity(): " OTHERS, "denied(call('sched_setaffinity', zygote(), 8, pack('P', 1)));"),
	FILTER("slow-zygote", "make the zygote wait behind everybody", "setpriority(): " OTHERS, "denied(call('setpriority', 0, zygote(), 19));"),
	FILTER("idle-zygote", "give it the processor only when nobody wants it", "sched_setscheduler() refused", "denied(call('sched_setscheduler', zygote(), 5, pack('V', 0)));"),
	FILTER("idle-zygote-disk", "the same for its disk", "ioprio_set() refused", "denied(call('ioprio_set', 1, zygote(), 3 << 13));"),
	{.name = "real-time", .threat = "starve every other process", .layer = "limits", .how = "real-time priority is limited to 0",
		.code = "denied(call('sched_setscheduler', 0, 1, pack('V', 1)));"},
	{.name = "higher-priority", .threat = "run before every other process", .layer = "limits", .how = "priority cannot be raised", .code = "denied(call('setpriority', 0, 0, -10));"},
	{.name = "core-file", .threat = "secrets in a core file, or a program that the kernel starts for one", .layer = "limits", .how = "RLIMIT_CORE is 0",
		.code = "$b = str_repeat(\"\\1\", 16); $v = call('prlimit64', 0, 4, 0, $b); $v === 0 && $b === str_repeat(\"\\0\", 16) ? stopped('soft and hard limit are 0') : through('limit ' . bin2hex($b) . \" $v\");"},
	{.name = "core-file-again", .threat = "raise that limit", .layer = "limits", .how = "a hard limit only goes down", .code = "denied(call('prlimit64', 0, 4, pack('PP', 1 << 30, 1 << 30), 0));"},
	{.name = "more-descriptors", .threat = "use up the machine's open files", .layer = "limits", .how = "RLIMIT_NOFILE cannot be raised",
		.code = "for ($all = []; count($all) < 20000 && ($v = call('dup', 1)) >= 0;) $all[] = $v; $n = count($all); foreach ($all as $fd) call('close', $fd); $n < 20000 ? stopped(\"$n, then \" . errno_name(-$v)) : through(\"$n descriptors\");"},
	{.name = "lock-memory", .threat = "memory that cannot be swapped", .layer = "limits", .how = "RLIMIT_MEMLOCK",
		.code = "$v = call('mmap', 0, 64 << 20, 3, 34, -1, 0); denied(call('mlock', $v, 64 << 20), 12);"},
	{.name = "foreign-descriptors", .threat = "a descriptor that leads out: a channel, a directory, another request's connection", .layer = "descriptors",
		.how = "close_range() before the first request",
		.code = "$sockets = []; for ($fd = 3; $fd < 1024; $fd++) { if (call('fcntl', $fd, 1) < 0) continue; $b = str_repeat(\"\\0\", 4); $l = pack('V', 4);"
			" if (call('getsockopt', $fd, 1, 3, $b, $l) === 0) { $c = str_repeat(\"\\0\", 8); $l = pack('V', 8); call('getsockopt', $fd, 1, 57, $c, $l); $sockets[bin2hex($c)] = $fd; if (unpack('V', $b)[1] !== 1) through(\"descriptor $fd is a socket of type \" . unpack('V', $b)[1]); }"
			" if (call('openat', $fd, \".\\0\", 0200000) >= 0) through(\"descriptor $fd is a directory\"); }"
			" count($sockets) > 1 ? through(count($sockets) . ' sockets') : stopped('the request\\'s own connection only');"},
	{.name = "outlive-request", .threat = "a program that goes on after its request, and after its cell", .layer = "cell",
		.how = "cells and zygote are reapers of what detaches itself; cgroup.kill where there is one", .needs = ATTACK_ONLY_LEGACY,
		.code = "@unlink(__DIR__ . '/var/outlived'); exec('(setsid sh -c \"sleep 1; echo x > ' . __DIR__ . '/var/outlived\") > /dev/null 2>&1 &'); stopped('started');",
		.end = ATTACK_THEN_SELF, .then = "usleep(1800000); file_exists(__DIR__ . '/var/outlived') ? through('it lived on') : stopped('it was ended');"},
	{.name = "set-id-program", .threat = "rights of the machine's set-id programs", .layer = "capabilities", .how = "no_new_privs, which every program inherits",
		.needs = ATTACK_ONLY_LEGACY, .code = "call('prctl', 39, 0, 0, 0, 0) === 1 ? stopped('no_new_privs is set') : through('no_new_privs is not set');"},
	{.name = "signal-master", .threat = "stop the server", .layer = "uid", .how = "another user's process", .needs = ATTACK_NEEDS_ROOT,
		.code = "denied(call('kill', (int)file_get_contents(__DIR__ . '/master'), 28), 3);"},
	{.name = "limit-master", .threat = "lower the server's limits", .layer = "uid", .how = "another user's process", .needs = ATTACK_NEEDS_ROOT,
		.code = "denied(call('prlimit64', (int)file_get_contents(__DIR__ . '/master'), 4, pack('PP', 0, 0), 0), 3);"},
};
const size_t attack_processes_n = sizeof(attack_processes) / sizeof(attack_processes[0]);
