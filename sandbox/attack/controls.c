/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/attack/attack.h"

#define CONTROL(n, t, c) {.name = (n), .threat = (t), .layer = "control", .how = "must work", .code = (c)}

const struct attack attack_controls[] = {
	CONTROL("control-native", "native code makes system calls", "works(call('getpid') === getmypid() && call('gettid') > 0, 'getpid, gettid');"),
	CONTROL("control-files", "files of the site itself",
		"$f = __DIR__ . '/var/own'; works(file_put_contents($f, 'x') === 1 && chmod($f, 0640) && rename($f, $f . '2') && file_get_contents($f . '2') === 'x' && unlink($f . '2'), 'write, chmod, rename, read, unlink');"),
	CONTROL("control-open", "files opened by native code", "$v = call('openat', -100, __DIR__ . '/var/native', 0102, 0600); works($v > 2, 'openat returned ' . $v);"),
	CONTROL("control-sockets", "ordinary sockets", "$v = [call('socket', 2, 1, 0), call('socket', 2, 2, 0), call('socket', 1, 1, 0)]; works(min($v) > 2, 'TCP, UDP, unix: ' . implode(' ', $v));"),
	CONTROL("control-memory", "memory that is not code", "$v = call('mmap', 0, 4096, 3, 34, -1, 0); works($v > 0 || $v < -4096, 'mmap of data');"),
	CONTROL("control-own-process", "what concerns the process itself",
		"works(call('prctl', 15, 'bh-selftest') === 0 && call('umask', 022) >= 0 && call('sched_yield') === 0, 'prctl, umask, sched_yield');"),
	CONTROL("control-random", "random numbers", "works(strlen(random_bytes(16)) === 16 && mt_rand() >= 0, 'random_bytes, mt_rand');"),
	CONTROL("control-temporary", "temporary files", "$f = tempnam(sys_get_temp_dir(), 'bh'); works(is_string($f) && unlink($f), 'tempnam');"),
	{.name = "control-victim", .threat = "the other site reads what is its own", .layer = "control", .how = "must work",
		.code = "works(true, 'ask the other one');", .end = ATTACK_THEN_VICTIM,
		.then = "works(strpos((string)@file_get_contents(__DIR__ . '/secret.txt'), 'secret of') === 0, 'its secret');"},
};
const size_t attack_controls_n = sizeof(attack_controls) / sizeof(attack_controls[0]);
