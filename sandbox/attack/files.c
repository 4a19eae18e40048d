/* SPDX-License-Identifier: Apache-2.0 */
/** Files of others, files that give rights, and the file system itself. */
#include "sandbox/attack/attack.h"

#define FILTER(n, t, h, c) {.name = (n), .threat = (t), .layer = "filter", .how = (h), .code = (c)}
#define UID(n, t, h, c) {.name = (n), .threat = (t), .layer = "uid", .how = (h), .code = (c), .needs = ATTACK_NEEDS_ROOT}
#define KILLED "a violation: the process is ended"
#define NO_SET_ID "no set-id bit in any mode"

const struct attack attack_files[] = {
	UID("read-other-site", "another site's files", "its owner is another user", "@file_get_contents(victim('secret.txt')) === false ? stopped('not to be read') : through('its secret was read');"),
	UID("open-other-site", "the same with native code, past PHP's own checks", "its owner is another user", "denied(call('openat', -100, victim('secret.txt') . \"\\0\", 2, 0), 2);"),
	UID("write-other-site", "scripts of one's own in another site", "its directory's owner is another user", "denied(call('openat', -100, victim('evil.php') . \"\\0\", 0101, 0644), 2);"),
	UID("remove-other-site", "another site's files", "its directory's owner is another user", "denied(call('unlink', victim('secret.txt') . \"\\0\"), 2);"),
	UID("read-configuration", "the server's configuration", "its owner is root", "@file_get_contents(dirname(__DIR__) . '/bulkhead.conf') === false ? stopped('not to be read') : through('it was read');"),
	UID("write-configuration", "the server's configuration", "its owner is root", "denied(call('openat', -100, dirname(__DIR__) . \"/bulkhead.conf\\0\", 2, 0), 2);"),
	UID("write-log", "the traces of what was done", "its owner is root", "denied(call('openat', -100, dirname(__DIR__) . \"/error.log\\0\", 1, 0), 2);"),
	UID("read-shadow", "password hashes of the machine", "its owner is root", "denied(call('openat', -100, \"/etc/shadow\\0\", 0, 0), 2);"),
	UID("hard-link", "another name for another's file, to be opened later", "the link may be made, the file not be read",
		"@link(victim('secret.txt'), __DIR__ . '/var/hard'); @file_get_contents(__DIR__ . '/var/hard') === false ? stopped('no link, or nothing to be read through it') : through('it was read');"),
	FILTER("set-id-by-chmod", "a program that runs with another's rights", NO_SET_ID, "put('id', 'x'); denied(call('chmod', __DIR__ . \"/var/id\\0\", 06755));"),
	FILTER("set-id-by-descriptor", "the same through an open file", NO_SET_ID, "put('id', 'x'); $f = call('openat', -100, __DIR__ . \"/var/id\\0\", 2, 0); denied(call('fchmod', $f, 04755));"),
	FILTER("set-id-when-created", "the same when the file is made", NO_SET_ID, "denied(call('openat', -100, __DIR__ . \"/var/id2\\0\", 0102, 06755));"),
	FILTER("set-id-without-name", "the same for a file without a name", NO_SET_ID, "denied(call('openat', -100, __DIR__ . \"/var\\0\", 020200002, 06755));"),
	FILTER("set-id-by-mknod", "the same by an unusual call", NO_SET_ID, "denied(call('mknodat', -100, __DIR__ . \"/var/id3\\0\", 0106755, 0));"),
	{.name = "device-node", .threat = "the machine's disk as a file", .layer = "capabilities", .how = "no CAP_MKNOD, and mknod() of files and FIFOs only",
		.code = "denied(call('mknodat', -100, __DIR__ . \"/var/disk\\0\", 0060600, 0x800));"},
	{.name = "give-away", .threat = "files in another's name", .needs = ATTACK_NOT_LEGACY, .layer = "capabilities", .how = "no CAP_CHOWN, and chown() refused",
		.code = "put('own', 'x'); denied(call('fchownat', -100, __DIR__ . \"/var/own\\0\", 1, 1, 0));"},
	FILTER("chroot", "a root of one's own, to be left again", KILLED, "denied(call('chroot', \"/\\0\"));"),
	FILTER("mount-file-system", "other file systems, without noexec and nosuid", KILLED, "denied(call('mount', \"x\\0\", __DIR__ . \"/var\\0\", \"tmpfs\\0\", 0, 0));"),
	FILTER("unmount", "what lies below a mount", KILLED, "denied(call('umount2', \"/proc\\0\", 2));"),
	FILTER("pivot-root", "another root for everybody in the namespace", KILLED, "denied(call('pivot_root', \".\\0\", \".\\0\"));"),
	FILTER("open-tree", "a copy of a mount", KILLED, "denied(call('open_tree', -100, \"/\\0\", 1));"),
	FILTER("new-mount-interface", "a mount the new way", KILLED, "denied(call('fsopen', \"tmpfs\\0\", 0));"),
	FILTER("change-mount", "take read-only or noexec off a mount", KILLED, "denied(call('mount_setattr', -100, \"/\\0\", 0, pack('P4', 0, 1, 0, 0), 32));"),
	{.name = "link-to-other-site", .threat = "have the front read another site's file through a symbolic link", .layer = "front",
		.how = "a link's target must belong to the link's owner", .needs = ATTACK_NEEDS_ROOT,
		.code = "@unlink(__DIR__ . '/link.txt'); symlink(victim('public.txt'), __DIR__ . '/link.txt') ? stopped('made') : stopped('no link');",
		.end = ATTACK_THEN_GET, .then = "/link.txt"},
	{.name = "link-to-other-directory", .threat = "the same through a directory", .layer = "front", .how = "a link's target must belong to the link's owner",
		.needs = ATTACK_NEEDS_ROOT,
		.code = "@unlink(__DIR__ . '/link'); symlink(dirname(victim('x')), __DIR__ . '/link') ? stopped('made') : stopped('no link');",
		.end = ATTACK_THEN_GET, .then = "/link/public.txt"},
	{.name = "path-above-root", .threat = "files above the document root by path", .layer = "front", .how = "paths are resolved before they are used",
		.code = "stopped('asked by the client');", .end = ATTACK_THEN_GET, .then = "/%2e%2e/victim/public.txt"},
	{.name = "path-with-encoded-slash", .threat = "the same past the check of segments", .layer = "front", .how = "an encoded slash is refused",
		.code = "stopped('asked by the client');", .end = ATTACK_THEN_GET, .then = "/..%2fvictim/public.txt"},
};
const size_t attack_files_n = sizeof(attack_files) / sizeof(attack_files[0]);
