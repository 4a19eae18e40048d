/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/cli/build_info.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <nghttp2/nghttp2.h>
#include <openssl/crypto.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "gateway/master/cgroup_tree.h"
#include "gateway/master/launch.h"
#include "sandbox/sb_landlock.h"
#include "sandbox/sb_probe.h"
#include "sandbox/rollback/rollback.h"

static void line(const char *what, bool there, const char *otherwise)
{
	printf("  %-28s %s%s%s\n", what, there ? "yes" : "no", there ? "" : ": ", there ? "" : otherwise);
}

static bool have_openat2(void)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_BENEATH};
	long fd = syscall(SYS_openat2, AT_FDCWD, ".", &how, sizeof(how));

	if (fd >= 0)
		close((int)fd);
	return fd >= 0 || errno != ENOSYS;
}

static void print_php(void)
{
	char versions[] = BH_PHP_VERSIONS;
	char *save = NULL;

	for (char *v = strtok_r(versions, " ", &save); v != NULL; v = strtok_r(NULL, " ", &save)) {
		const char *path = launch_program(v);
		printf("  PHP %-24s %s%s\n", v, path, access(path, X_OK) == 0 ? "" : " (missing)");
	}
}

/* As this process would find it; a service manager may give the server more than a shell has. */
static void print_cgroup(void)
{
	struct cgroup_tree t;
	char why[sizeof(t.off) + 32];

	if (cgroup_tree_probe(&t) < 0 || t.off[0] == '\0') {
		line("cgroup v2 for each site", t.off[0] == '\0', t.off);
		return;
	}
	snprintf(why, sizeof(why), "without %s", t.off);
	printf("  %-28s yes, %s\n", "cgroup v2 for each site", why);
}

/* Tried, not guessed: a container may forbid what the kernel has. */
static void print_layers(void)
{
	const struct sb_probe *p = sb_probe();
	char text[512], names[128];
	unsigned spaces = SB_LAYER_MOUNT | SB_LAYER_PID | SB_LAYER_IPC | SB_LAYER_UTS | SB_LAYER_NET | SB_LAYER_CGROUP;

	sb_layers_text(spaces & ~p->layers, names, sizeof(names));
	snprintf(text, sizeof(text), "%s: %s", names, p->why);
	line(p->user_ns ? "namespaces (as a user)" : "namespaces", names[0] == '\0', text);
	printf("  %-28s ABI %d%s%s\n", "Landlock", p->landlock_abi, sb_landlock_lacks(p->landlock_abi)[0] != '\0' ? ", without " : "",
		sb_landlock_lacks(p->landlock_abi));
}

void build_info_print(void)
{
	struct utsname u;
	const char *why;
	const struct scmp_version *s = seccomp_version();

	puts("Server version: Bulkhead/" PACKAGE_VERSION);
	puts("Built with:");
	printf("  compiler                     %s\n", __VERSION__);
	printf("  configuration                %s/bulkhead\n", BH_SYSCONFDIR);
	printf("  libseccomp                   %u.%u.%u\n", s->major, s->minor, s->micro);
	printf("  OpenSSL                      %s\n", OpenSSL_version(OPENSSL_VERSION_STRING));
	printf("  nghttp2                      %s\n", nghttp2_version(0)->version_str);
	print_php();
	if (uname(&u) == -1)
		return;
	printf("On %s %s, as uid %d:\n", u.sysname, u.release, (int)geteuid());
	line("site users and groups", geteuid() == 0, "needs root; every site runs as you");
	line("system call filters", seccomp_api_get() > 0, "the kernel lacks CONFIG_SECCOMP_FILTER; prefork hosts will not start");
	print_layers();
	line("openat2 path confinement", have_openat2(), "older than Linux 5.6; paths are walked step by step instead");
	print_cgroup();
	bool rollback = rollback_supported(&why);
	line("RequestIsolation rollback", rollback, why);
}

void build_info_modules(void)
{
	puts("Compiled in:\n"
	     "  gateway   HTTP/1.1, HTTP/2, TLS; static files, compression, header rules, access and error logs\n"
	     "  pools     FastCGI client, pools with balancing and health, cells\n"
	     "  sandbox   user and groups, capabilities, no_new_privs, limits, seccomp, namespaces, Landlock, cgroups;\n"
	     "            RequestIsolation fresh, rollback and shared; mail() by SMTP and LMTP\n"
	     "  conf      Apache's configuration language\n"
	     "PHP: " BH_PHP_VERSIONS);
}
