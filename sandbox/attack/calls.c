/* SPDX-License-Identifier: Apache-2.0 */
/** System calls that no page needs: ways into the kernel, into other namespaces, to more rights. */
#include "sandbox/attack/attack.h"

#define CALL(n, t, h, c) {.name = (n), .threat = (t), .layer = "filter", .how = (h), .code = (c)}
#define KILLED "a violation: the process is ended"
#define ABSENT "the call is not there (ENOSYS)"
#define REFUSED "refused (EPERM)"

const struct attack attack_calls[] = {
	/* sockets that are a way into the kernel */
	CALL("packet-socket", "listen to the machine's network traffic", "socket(): address families by name", "denied(call('socket', 17, 3, 0));"),
	CALL("raw-socket", "forge packets", "socket(): stream and datagram only", "denied(call('socket', 2, 3, 1));"),
	CALL("vsock", "talk to the hypervisor", "socket(): address families by name", "denied(call('socket', 40, 1, 0));"),
	CALL("crypto-socket", "the kernel's crypto interface, a source of holes", "socket(): address families by name", "denied(call('socket', 38, 5, 0));"),
	CALL("netfilter-socket", "the firewall's interface, a source of holes", "socket(): netlink for routes only", "denied(call('socket', 16, 3, 12));"),
	CALL("bluetooth-socket", "drivers that nobody needs on a server", "socket(): address families by name", "denied(call('socket', 31, 3, 1));"),
	CALL("mptcp-socket", "reach ports past Landlock's rules", "socket(): protocol 0, TCP or UDP", "denied(call('socket', 2, 1, 262));"),
	CALL("tcp-fast-open", "connect past Landlock's rules", "sendto(): not with MSG_FASTOPEN",
		"$s = call('socket', 2, 1, 0); denied(call('sendto', $s, 'x', 1, 0x20000000, pack('vnNx8', 2, 9, 0x7f000001), 16));"),
	CALL("tcp-repair", "rewrite the state of connections", "setsockopt(): options by name", "$s = call('socket', 2, 1, 0); denied(call('setsockopt', $s, 6, 19, pack('V', 1), 4));"),
	CALL("tcp-ulp", "load a protocol module of the kernel", "setsockopt(): options by name", "$s = call('socket', 2, 1, 0); denied(call('setsockopt', $s, 6, 31, \"tls\\0\", 4));"),

	/* namespaces: all rights inside, and the kernel's least tested code within reach */
	CALL("userns-unshare", "all capabilities in a user namespace", KILLED, "denied(call('unshare', 0x10000000));"),
	CALL("userns-clone", "the same by way of a new process", "clone(): no namespace flags", "denied(only_parent(call('clone', 0x10000000 | 17, 0, 0, 0, 0)));"),
	CALL("clone3-flags", "the same with the flags where a filter cannot see them", ABSENT, "denied(only_parent(call('clone3', pack('P11', 0x10000000, 0, 0, 0, 17, 0, 0, 0, 0, 0, 0), 88)));"),
	CALL("setns", "enter another process's namespaces", KILLED, "denied(call('setns', 0, 0));"),

	/* rights that are gone stay gone */
	CALL("set-uid-zero", "become root again", REFUSED, "denied(call('setuid', 0));"),
	CALL("set-groups", "join other groups", REFUSED, "denied(call('setgroups', 1, pack('V', 0)));"),
	CALL("set-capabilities", "raise capabilities", REFUSED, "denied(call('capset', pack('VV', 0x20080522, 0), pack('V6', 1, 1, 0, 0, 0, 0)));"),
	CALL("second-filter", "a filter of one's own that answers for the kernel", KILLED, "denied(call('seccomp', 0, 0, 0));"),
	CALL("prctl-filter", "the same the old way", "prctl(): operations by name", "denied(call('prctl', 22, 2, 0, 0, 0));"),
	CALL("become-dumpable", "be open to inspection by processes of the same user", "prctl(): operations by name", "denied(call('prctl', 4, 1, 0, 0, 0));"),
	CALL("keep-capabilities", "keep rights over a change of user", "prctl(): operations by name", "denied(call('prctl', 8, 1, 0, 0, 0));"),

	/* old and rare doors */
	CALL("bpf", "run programs in the kernel", KILLED, "denied(call('bpf', 5, str_repeat(\"\\0\", 64), 64));"),
	CALL("perf-event", "watch other processes and the kernel", KILLED, "denied(call('perf_event_open', str_repeat(\"\\0\", 112), 0, -1, -1, 0));"),
	CALL("userfaultfd", "stop the kernel in the middle of a copy", KILLED, "denied(call('userfaultfd', 1));"),
	CALL("io-uring", "system calls past the filter", REFUSED, "denied(call('io_uring_setup', 1, str_repeat(\"\\0\", 120)));"),
	CALL("keyring-read", "keys of whoever started the server", KILLED, "denied(call('keyctl', 0, -3, 0, 0, 0));"),
	CALL("keyring-add", "fill the kernel's key memory", KILLED, "denied(call('add_key', \"user\\0\", \"x\\0\", 'y', 1, -3));"),
	CALL("modify-ldt", "segment tricks of 16-bit programs", KILLED, "denied(call('modify_ldt', 0, str_repeat(\"\\0\", 16), 16));"),
	CALL("kernel-log", "addresses and secrets in the kernel's log", KILLED, "denied(call('syslog', 10, 0, 0));"),
	CALL("kernel-module", "load code into the kernel", KILLED, "denied(call('init_module', '', 0, \"\\0\"));"),
	CALL("kexec", "start another kernel", KILLED, "denied(call('kexec_load', 0, 0, 0, 0));"),
	CALL("reboot", "switch the machine off", KILLED, "denied(call('reboot', 0, 0, 0, 0));"),
	CALL("set-clock", "change the machine's time", KILLED, "denied(call('clock_adjtime', 0, str_repeat(\"\\0\", 208)));"),
	CALL("swap", "take the machine's swap space away", KILLED, "denied(call('swapoff', \"/nonexistent\\0\"));"),
	CALL("accounting", "write a log of all processes", KILLED, "denied(call('acct', \"/nonexistent\\0\"));"),
	CALL("quota", "change limits of disk use", KILLED, "denied(call('quotactl', 0x80000100, 0, 0, 0));"),
	CALL("host-name", "rename the machine", REFUSED, "denied(call('sethostname', 'evil', 4));"),
	CALL("fanotify", "watch every file that is opened on the machine", REFUSED, "denied(call('fanotify_init', 0, 0));"),
	CALL("file-handle", "open files by number, past every directory", KILLED, "denied(call('open_by_handle_at', -100, str_repeat(\"\\0\", 128), 0));"),
	CALL("move-pages", "learn where other processes' memory is", REFUSED, "denied(call('move_pages', zygote(), 0, 0, 0, 0, 0));"),
	CALL("terminal-input", "type commands into a terminal", "ioctl(): requests by name", "denied(call('ioctl', 0, 0x5412, 'x'), 25);"),
	CALL("terminal-input-high-bits", "the same with bits that the kernel ignores", "ioctl(): compared as the kernel does", "denied(call('ioctl', 0, 0x100005412, 'x'));"),
	CALL("console-paste", "type commands into the console", "ioctl(): requests by name", "denied(call('ioctl', 0, 0x541c, \"\\3\"));"),
	{.name = "x32-calls", .threat = "system calls under numbers that a filter does not know", .layer = "filter",
		.how = "another architecture's numbers end the process", .code = "denied(call(0x40000000 | 39));", .needs = ATTACK_NEEDS_X86},
	{.name = "int80-calls", .threat = "system calls the way 32-bit programs make them", .layer = "filter",
		.how = "another architecture's calls end the process", .code = "denied(bh_int80(20, 0));", .needs = ATTACK_NEEDS_X86},
};
const size_t attack_calls_n = sizeof(attack_calls) / sizeof(attack_calls[0]);
