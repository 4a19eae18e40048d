/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/sb_view.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/buf.h"
#include "gateway/base/io.h"
#include "gateway/base/log.h"

/*
 * The system as a program needs it. Of /etc only what libraries read: no shadow, no other service's settings, no host
 * keys. passwd and group are made for the site. What a machine does not have is left out.
 */
static const struct {
	const char *path;
	unsigned flags;
} system_paths[] = {
	{"/usr", SB_SHOW_EXEC}, {"/bin", SB_SHOW_EXEC}, {"/sbin", SB_SHOW_EXEC}, {"/lib", SB_SHOW_EXEC},
	{"/lib32", SB_SHOW_EXEC}, {"/lib64", SB_SHOW_EXEC}, {"/libx32", SB_SHOW_EXEC},
	/* the loader and the C library */
	{"/etc/ld.so.cache", 0}, {"/etc/ld.so.conf", 0}, {"/etc/ld.so.conf.d", 0}, {"/etc/alternatives", 0},
	{"/etc/nsswitch.conf", 0}, {"/etc/hosts", 0}, {"/etc/host.conf", 0}, {"/etc/resolv.conf", 0}, {"/etc/gai.conf", 0},
	{"/etc/services", 0}, {"/etc/protocols", 0}, {"/etc/localtime", 0}, {"/etc/timezone", 0}, {"/etc/locale.alias", 0},
	/* TLS: certificates, no private keys */
	{"/etc/ssl/certs", 0}, {"/etc/ssl/openssl.cnf", 0}, {"/etc/ssl/cert.pem", 0}, {"/etc/gnutls", 0},
	{"/etc/pki/tls/certs", 0}, {"/etc/pki/ca-trust", 0}, {"/etc/crypto-policies", 0},
	/* libraries of extensions */
	{"/etc/fonts", 0}, {"/var/cache/fontconfig", 0}, {"/etc/ImageMagick-6", 0}, {"/etc/ImageMagick-7", 0},
	{"/etc/mime.types", 0}, {"/etc/magic", 0}, {"/etc/magic.mime", 0}, {"/etc/papersize", 0}, {"/etc/vips", 0},
	/* databases by their sockets' directories: a restarted server makes a new socket */
	{"/run/mysqld", 0}, {"/var/run/mysqld", 0}, {"/run/postgresql", 0}, {"/var/run/postgresql", 0},
};

static const char *const devices[] = {"/dev/null", "/dev/zero", "/dev/random", "/dev/urandom"};

/* Where distributions let PHP keep sessions, open for every user of the machine. */
static const char *const session_dirs[] = {"/var/lib/php/sessions", "/var/lib/php/session"};

struct view {
	struct sb_root *r;
	const struct spec *s;
	const char *home; /* of the site's user; NULL: none */
	char *why;
	size_t why_cap;
};

/* --- messages -------------------------------------------------------------------------------------------------------- */

static int explain(struct view *v, int err, const char *what, const char *path)
{
	int saved = errno;

	if (err == GW_ERR_DENIED)
		snprintf(v->why, v->why_cap, "%s %s: in %s is a symbolic link that is not root's, so it is not followed: write the path that it leads to, or "
			"add SandboxPath %s (rw if scripts write there)", what, path, v->r->at[0] == '\0' ? "/" : v->r->at, v->r->at[0] == '\0' ? "/" : v->r->at);
	else if (err == GW_ERR_NOTFOUND)
		snprintf(v->why, v->why_cap, "%s %s: does not exist: there is nothing after %s", what, path, v->r->at[0] == '\0' ? "/" : v->r->at);
	else if (err == GW_ERR_RANGE)
		snprintf(v->why, v->why_cap, "%s %s: is the whole file system, or too long, or one too many", what, path);
	else if (err == GW_ERR_SYS) /* whoever prints it adds errno */
		snprintf(v->why, v->why_cap, "%s %s", what, path);
	else
		snprintf(v->why, v->why_cap, "%s %s: %s", what, path, gw_strerror(err));
	errno = saved;
	return err;
}

/* --- the system ------------------------------------------------------------------------------------------------------- */

static int show_system(struct view *v, const char *dirs)
{
	char dir[PATH_MAX];
	int err;

	for (size_t i = 0; i < sizeof(system_paths) / sizeof(system_paths[0]); i++) {
		err = sb_root_show(v->r, system_paths[i].path, system_paths[i].flags);
		if (err != 0 && err != GW_ERR_NOTFOUND)
			return explain(v, err, "the system's", system_paths[i].path);
	}
	for (const char *at = dirs; *at != '\0';) {
		size_t len = strcspn(at, ":");
		snprintf(dir, sizeof(dir), "%.*s", (int)len, at);
		err = dir[0] == '/' ? sb_root_show(v->r, dir, SB_SHOW_EXEC) : 0;
		if (err != 0 && err != GW_ERR_NOTFOUND)
			return explain(v, err, "PHP's", dir);
		at += len + (at[len] == ':');
	}
	for (size_t i = 0; i < sizeof(devices) / sizeof(devices[0]); i++) {
		err = sb_root_show(v->r, devices[i], SB_SHOW_DEV | SB_SHOW_WRITE);
		if (err != 0)
			return explain(v, err, "the device", devices[i]);
	}
	return 0;
}

/* --- users: the site's own, and whom its files may belong to ------------------------------------------------------------- */

static int put_group(struct buf *out, gid_t gid)
{
	const struct group *g = getgrgid(gid);

	return g == NULL ? 0 : buf_printf(out, "%s:x:%u:\n", g->gr_name, (unsigned)gid);
}

static int put_users(struct view *v)
{
	const struct spec *s = v->s;
	struct buf text;

	buf_init(&text);
	int err = buf_printf(&text, "root:x:0:0:root:/root:/usr/sbin/nologin\n%s:x:%u:%u::%s:/usr/sbin/nologin\n"
		"nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n", s->user, (unsigned)s->uid, (unsigned)s->gid,
		v->home == NULL ? "/nonexistent" : v->home);
	if (err == 0)
		err = buf_append(&text, "", 1);
	if (err == 0)
		err = sb_root_put_file(v->r, "/etc/passwd", (const char *)buf_head(&text));
	buf_fini(&text);
	buf_init(&text);
	if (err == 0)
		err = buf_puts(&text, "root:x:0:\nnogroup:x:65534:\n");
	if (err == 0)
		err = put_group(&text, s->gid);
	for (size_t i = 0; err == 0 && i < s->groups_n; i++)
		err = put_group(&text, s->groups[i]);
	if (err == 0)
		err = buf_append(&text, "", 1);
	if (err == 0)
		err = sb_root_put_file(v->r, "/etc/group", (const char *)buf_head(&text));
	buf_fini(&text);
	return err != 0 ? explain(v, err, "the site's", "/etc/passwd and /etc/group") : 0;
}

/* --- private places ------------------------------------------------------------------------------------------------------- */

/*
 * A directory of the site's own among those of the host, so that sessions outlive the zygote and the distribution's own
 * clean-up finds them; -1 when it cannot be had. Others may make directories there too: only one of ours is taken.
 */
static int session_fd(const struct spec *s, const char *dir)
{
	char name[NAME_MAX];
	struct stat st;
	int parent = open(dir, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (parent == -1)
		return -1;
	snprintf(name, sizeof(name), "bulkhead-%u-%.200s", (unsigned)s->uid, s->site);
	if (mkdirat(parent, name, 0700) == -1 && errno != EEXIST) {
		io_close(&parent);
		return -1;
	}
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	io_close(&parent);
	if (fd == -1)
		return -1;
	if (fstat(fd, &st) == 0 && s->drop && st.st_uid == 0 && fchown(fd, s->uid, s->gid) == 0)
		st.st_uid = s->uid;
	if (st.st_uid != s->uid)
		io_close(&fd);
	return fd;
}

static int show_sessions(struct view *v, const char *dir, uint64_t octets)
{
	struct stat st;

	if (!v->r->attach || lstat(dir, &st) == -1 || !S_ISDIR(st.st_mode))
		return sb_root_show(v->r, dir, SB_SHOW_WRITE);
	int fd = session_fd(v->s, dir);
	if (fd != -1)
		return sb_root_show_fd(v->r, fd, dir, SB_SHOW_WRITE);
	log_warn("no directory for the site's sessions can be made in %s: they end with the site's processes", dir);
	return sb_root_show_tmp(v->r, dir, octets);
}

static int show_private(struct view *v)
{
	uint64_t octets = (uint64_t)(v->s->tmp_size > 0 ? v->s->tmp_size : SB_VIEW_TMP_SIZE);
	int err = sb_root_show_tmp(v->r, "/tmp", octets);

	if (err == 0)
		err = v->r->attach ? sb_root_put_link(v->r, "/var/tmp", "/tmp") : sb_root_show(v->r, "/var/tmp", SB_SHOW_WRITE);
	if (err != 0)
		return explain(v, err, "the private", "/tmp");
	for (size_t i = 0; i < sizeof(session_dirs) / sizeof(session_dirs[0]); i++) {
		err = show_sessions(v, session_dirs[i], octets);
		if (err != 0 && err != GW_ERR_NOTFOUND)
			return explain(v, err, "sessions in", session_dirs[i]);
	}
	return 0;
}

/* --- the site -------------------------------------------------------------------------------------------------------------- */

/* A directory of the site's user that is not his home: a home holds keys and start-up files, and writing those is a way out. */
static bool is_sites_own(const struct view *v, const char *dir)
{
	struct stat st;
	size_t len = strlen(dir);

	if (len < 2 || stat(dir, &st) == -1 || !S_ISDIR(st.st_mode) || st.st_uid != v->s->uid)
		return false;
	return v->home == NULL || strncmp(v->home, dir, len) != 0 || (v->home[len] != '\0' && v->home[len] != '/');
}

/*
 * The document root, and with it the directory that it is in when that is the application's: public/ beside src/ and
 * vendor/. A document root that is reached by a link of the site's (current -> releases/7) is shown with all there is
 * beside the link, so that the link works inside as it does outside.
 */
static int show_docroot(struct view *v)
{
	const char *docroot = v->s->docroot;
	/* The distribution's own applications stay as they are installed. */
	unsigned flags = strncmp(docroot, "/usr/", 5) == 0 ? 0 : SB_SHOW_WRITE;
	char parent[PATH_MAX];
	int err;

	snprintf(parent, sizeof(parent), "%s", docroot);
	char *slash = strrchr(parent, '/');
	*slash = '\0';
	if (v->s->parent && flags != 0 && is_sites_own(v, parent)) {
		err = sb_root_show(v->r, parent, flags);
		if (err != 0 && err != GW_ERR_DENIED)
			return explain(v, err, "DocumentRoot's", parent);
	}
	err = sb_root_show(v->r, docroot, flags);
	if (err == GW_ERR_DENIED && v->s->parent) {
		snprintf(parent, sizeof(parent), "%s", v->r->at);
		if (is_sites_own(v, parent))
			err = sb_root_show(v->r, parent, flags);
	}
	if (err == GW_ERR_NOTFOUND) {
		log_warn("DocumentRoot %s does not exist", docroot);
		return 0;
	}
	return err != 0 ? explain(v, err, "DocumentRoot", docroot) : 0;
}

static int show_named(struct view *v, const struct spec_path *p)
{
	static const unsigned flags[] = {[SPEC_PATH_RO] = SB_SHOW_EXACT, [SPEC_PATH_RW] = SB_SHOW_WRITE, [SPEC_PATH_AUTO_RW] = SB_SHOW_WRITE,
		[SPEC_PATH_AUTO_RO] = 0, [SPEC_PATH_AUTO_LIB] = SB_SHOW_EXEC | SB_SHOW_EXACT};
	bool may_miss = p->kind != SPEC_PATH_RO && p->kind != SPEC_PATH_RW;
	int err = sb_root_show(v->r, p->path, flags[p->kind]);

	if (err == 0 || (may_miss && err == GW_ERR_NOTFOUND))
		return 0;
	if (!may_miss)
		return explain(v, err, "SandboxPath", p->path);
	explain(v, err, "what the configuration names,", p->path);
	log_warn("not shown: %s", v->why);
	return 0;
}

static int by_length(const void *a, const void *b)
{
	const struct spec_path *x = a, *y = b;
	size_t m = strlen(x->path), n = strlen(y->path);

	return m != n ? (m > n) - (m < n) : (int)x->kind - (int)y->kind;
}

/* The shorter path first: what is below something shown comes after it, or needs no rule of its own. */
static int show_site(struct view *v)
{
	size_t n = v->s->paths_n, len = strlen(v->s->docroot);
	struct spec_path *sorted = calloc(n + 1, sizeof(*sorted));
	bool docroot_done = false;
	int err = 0;

	if (sorted == NULL)
		return explain(v, GW_ERR_NOMEM, "the site's", "paths");
	if (n > 0)
		memcpy(sorted, v->s->paths, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), by_length);
	for (size_t i = 0; i < n && err == 0; i++) {
		if (!docroot_done && strlen(sorted[i].path) > len) {
			err = show_docroot(v);
			docroot_done = true;
		}
		if (err == 0)
			err = show_named(v, &sorted[i]);
	}
	free(sorted);
	return err != 0 || docroot_done ? err : show_docroot(v);
}

int sb_view_build(struct sb_root *r, const struct spec *s, const char *system_dirs, char *why, size_t why_cap)
{
	const struct passwd *user = getpwuid(s->uid);
	char *home = user != NULL && user->pw_dir[0] == '/' ? strdup(user->pw_dir) : NULL;
	struct view v = {.r = r, .s = s, .home = home, .why = why, .why_cap = why_cap};
	int err = show_system(&v, system_dirs);

	if (err == 0)
		err = show_private(&v);
	if (err == 0)
		err = put_users(&v);
	if (err == 0)
		err = show_site(&v);
	free(home);
	return err;
}
