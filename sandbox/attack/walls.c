/* SPDX-License-Identifier: Apache-2.0 */
/** What a site can see at all: its root, its processes, its network. */
#include "sandbox/attack/attack.h"

#define ROW(n, l, t, h, c) {.name = (n), .layer = (l), .threat = (t), .how = (h), .code = (c)}
#define SHARED_KEY "0x62680002"
/* $port and $abstract: where the command itself listens. */
#define PEER "[$port, $abstract] = explode(' ', trim(file_get_contents(__DIR__ . '/peer'))); $there = pack('vnNx8', 2, (int)$port, 0x7f000001);"
#define MAP_CODE(dir)                                                                                                  \
	"$f = " dir " . '/bh-selftest-code'; file_put_contents($f, str_repeat(\"\\xc3\", 4096)); $fd = call('openat', -100, \"$f\\0\", 0, 0); @unlink($f);" \
	" if ($fd < 0) through('no file of its own there'); $v = call('mmap', 0, 4096, 5, 2, $fd, 0); if ($v > 0 || $v < -4096) through('mapped'); denied($v);"

const struct attack attack_walls[] = {
	/* a root of its own */
	ROW("see-other-site", "mount", "find other sites", "only what is shown to the site is there", "file_exists(victim('public.txt')) ? through('it is seen') : stopped('not there');"),
	ROW("read-world-readable", "mount", "files of others that everybody may read", "only what is shown to the site is there",
		"denied(call('openat', -100, victim('public.txt') . \"\\0\", 0, 0), 2);"),
	ROW("see-machine", "mount", "learn what else runs here and how", "only what is shown to the site is there",
		"foreach (['/root', '/boot', '/var/log', '/var/spool', '/run/systemd', '/sys/kernel'] as $d) if (is_dir($d)) through(\"$d is seen\"); stopped('none of it is there');"),
	ROW("see-proc", "mount", "command lines, memory maps and mounts", "there is no /proc", "foreach (['/proc/self', '/proc/1', '/proc/mounts'] as $f) if (file_exists($f)) through(\"$f is there\"); stopped('not there');"),
	ROW("see-devices", "mount", "the machine's disks and memory", "/dev holds four harmless ones",
		"$n = array_diff(scandir('/dev') ?: [], ['.', '..', 'null', 'zero', 'full', 'random', 'urandom', 'fd', 'stdin', 'stdout', 'stderr', 'shm']);"
		" count($n) > 0 ? through(implode(' ', array_slice($n, 0, 5))) : stopped('nothing else there');"),
	ROW("execute-upload", "mount", "a library that was uploaded", "the document root is mounted noexec", MAP_CODE("__DIR__ . '/var'")),
	ROW("execute-temporary", "mount", "a library in a temporary directory", "/tmp is mounted noexec", MAP_CODE("'/tmp'")),
	{.name = "share-temporary", .layer = "mount", .threat = "read, or put in the way of others, what lies in /tmp", .how = "/tmp is the site's own",
		.code = "file_put_contents('/tmp/bh-selftest-shared', 'x'); chmod('/tmp/bh-selftest-shared', 0666); file_exists('/tmp/bh-selftest-shared') ? stopped('put there') : through('not even its own');",
		.end = ATTACK_THEN_VICTIM, .then = "file_exists('/tmp/bh-selftest-shared') ? through('it is there') : stopped('not there');"},

	ROW("fill-temporary", "mount", "fill the machine's memory or disk by way of /tmp", "SandboxTmpSize",
		"$f = fopen('/tmp/bh-selftest-fill', 'w'); $n = 0; while ($n < 48 && @fwrite($f, str_repeat('x', 1 << 20)) === 1 << 20) $n++; fclose($f); unlink('/tmp/bh-selftest-fill');"
		" $n < 48 ? stopped(\"$n MB, then no more\") : through(\"$n MB were written\");"),

	/* processes and segments of its own */
	ROW("find-processes", "pid", "find other processes by number", "numbers are the site's own",
		"$v = call('getsid', (int)file_get_contents(__DIR__ . '/master')); $v === -3 ? stopped('ESRCH') : through(\"the server's session is $v\");"),
	ROW("find-priorities", "pid", "learn what other users run", "numbers are the site's own",
		"$v = call('getpriority', 0, (int)file_get_contents(__DIR__ . '/master')); $v === -3 ? stopped('ESRCH') : through(\"the server's priority is $v\");"),
	{.name = "open-segment", .layer = "ipc", .threat = "memory segments that others left open", .how = "System V IPC is the site's own",
		.code = "$id = call('shmget', " SHARED_KEY ", 4096, 01666); if ($id < 0) stopped('no segment to begin with'); stopped('made');",
		.end = ATTACK_THEN_VICTIM, .then = "$id = call('shmget', " SHARED_KEY ", 4096, 0); $id === -2 ? stopped('ENOENT') : through(\"segment $id is there\");"},
	{.name = "open-queue", .layer = "ipc", .threat = "message queues that others left open", .how = "System V IPC is the site's own",
		.code = "$id = call('msgget', " SHARED_KEY ", 01666); if ($id < 0) stopped('no queue to begin with'); stopped('made');",
		.end = ATTACK_THEN_VICTIM, .then = "$id = call('msgget', " SHARED_KEY ", 0); $id === -2 ? stopped('ENOENT') : through(\"queue $id is there\");"},
	ROW("machine-name", "uts", "learn whose machine it is", "the name is the site's own",
		"php_uname('n') === trim(file_get_contents(__DIR__ . '/hostname')) ? through(php_uname('n')) : stopped('another name');"),

	/* a network of its own, where it has none */
	{.name = "tcp-out", .layer = "net", .threat = "connect to anything", .how = "SandboxNetwork none: there is no interface", .site = "offline",
		.code = PEER " $s = call('socket', 2, 1, 0); denied(call('connect', $s, $there, 16), 101, 97);"},
	{.name = "udp-out", .layer = "net", .threat = "send anything out", .how = "SandboxNetwork none: there is no interface", .site = "offline",
		.code = PEER " $s = call('socket', 2, 2, 0); denied(call('sendto', $s, 'x', 1, 0, $there, 16), 101, 97);"},
	{.name = "abstract-socket-net", .layer = "net", .threat = "services that listen without a file", .how = "SandboxNetwork none: such names are the network's own", .site = "offline",
		.code = PEER " $s = call('socket', 1, 1, 0); denied(call('connect', $s, pack('v', 1) . \"\\0\" . $abstract, 3 + strlen($abstract)), 111);"},

	/* rules of Landlock */
	{.name = "tcp-port", .layer = "landlock", .abi = 4, .threat = "connect to ports that the site has no business with", .how = "SandboxTcpConnect", .site = "guarded",
		.code = PEER " $s = call('socket', 2, 1, 0); denied(call('connect', $s, $there, 16));"},
	{.name = "take-port", .layer = "landlock", .abi = 4, .threat = "pose as another service of this machine", .how = "SandboxTcpBind: ports that the kernel chooses", 
		.code = "$s = call('socket', 2, 1, 0); denied(call('bind', $s, pack('vnNx8', 2, 33060, 0x7f000001), 16));"},
	{.name = "abstract-socket", .layer = "landlock", .abi = 6, .threat = "services that listen without a file", .how = "scope: sockets of the own domain only",
		.code = PEER " $s = call('socket', 1, 1, 0); denied(call('connect', $s, pack('v', 1) . \"\\0\" . $abstract, 3 + strlen($abstract)));"},
};
const size_t attack_walls_n = sizeof(attack_walls) / sizeof(attack_walls[0]);
