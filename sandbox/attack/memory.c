/* SPDX-License-Identifier: Apache-2.0 */
/** Code that nobody installed, and memory that is somebody else's. */
#include "sandbox/attack/attack.h"

#define MAPPED "if ($v > 0 || $v < -4096) through('mapped'); denied($v);"
#define FILTER(n, t, h, c) {.name = (n), .threat = (t), .layer = "filter", .how = (h), .code = (c)}
#define BELOW_LEGACY(n, t, h, c) {.name = (n), .threat = (t), .layer = "filter", .how = (h), .code = (c), .needs = ATTACK_NOT_LEGACY}

const struct attack attack_memory[] = {
	FILTER("writable-code", "run octets that were sent as data", "mmap(): not writable and executable", "$v = call('mmap', 0, 4096, 7, 34, -1, 0); " MAPPED),
	BELOW_LEGACY("anonymous-code", "memory that is code and no file", "mmap(): not writable and executable; mprotect(): never executable",
		"$v = call('mmap', 0, 4096, 3, 34, -1, 0); denied(call('mprotect', $v, 4096, 5));"),
	FILTER("code-made-writable", "patch the program's own code", "mprotect(): never executable", "$v = call('mmap', 0, 4096, 3, 34, -1, 0); denied(call('mprotect', $v, 4096, 7));"),
	BELOW_LEGACY("memfd-loader", "a library without a file", "memfd_create() is not there", "denied(call('memfd_create', \"x\\0\", 0));"),
	FILTER("read-implies-exec", "make all data executable at once", "personality() refused", "denied(call('personality', 0x0400000));"),
	FILTER("protection-keys", "change protections behind the filter's back", "pkey_mprotect() refused", "denied(call('pkey_mprotect', 0, 4096, 1, -1));"),
	FILTER("trace-zygote", "take over the process that makes the site's cells", "ptrace() is a violation", "denied(call('ptrace', 0x4206, zygote(), 0, 0));"),
	FILTER("read-zygote", "read its memory", "process_vm_readv() is a violation",
		"$b = str_repeat(\"\\0\", 8); $v = pack('PP', bh_address($b), 8); denied(call('process_vm_readv', zygote(), $v, 1, $v, 1, 0));"),
	FILTER("write-zygote", "write to its memory", "process_vm_writev() is a violation",
		"$b = str_repeat(\"\\0\", 8); $v = pack('PP', bh_address($b), 8); denied(call('process_vm_writev', zygote(), $v, 1, $v, 1, 0));"),
	FILTER("steal-descriptor", "take the zygote's channel to the front", "pidfd_getfd() is a violation, pidfd_open() is not there",
		"$p = call('pidfd_open', zygote(), 0); if ($p < 0) denied($p); denied(call('pidfd_getfd', $p, 3, 0));"),
	{.name = "patch-own-code", .threat = "write to code through /proc/self/mem, which ignores protections", .layer = "dumpable",
		.how = "/proc/self/mem belongs to root, or is not there",
		.code = "$f = @fopen('/proc/self/mem', 'r+b'); if ($f) through('/proc/self/mem is open for writing'); stopped('not to be opened');"},
	{.name = "zygote-memory-file", .threat = "read what the zygote knows, through /proc", .layer = "dumpable", .how = "belongs to root, or is not there",
		.code = "$p = call('getppid'); foreach (['mem', 'environ', 'maps', 'auxv'] as $n) if (@fopen(\"/proc/$p/$n\", 'rb')) through(\"/proc/PID/$n is open\"); stopped('not to be opened');"},
	{.name = "zygote-descriptors", .threat = "reach the zygote's descriptors through /proc", .layer = "dumpable", .how = "belongs to root, or is not there",
		.code = "$p = call('getppid'); if (@scandir(\"/proc/$p/fd\")) through('/proc/PID/fd can be read'); stopped('not to be read');"},
};
const size_t attack_memory_n = sizeof(attack_memory) / sizeof(attack_memory[0]);
