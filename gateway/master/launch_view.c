/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/master/launch_view.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "sandbox/sb_landlock.h"
#include "sandbox/sb_layer.h"

_Static_assert((int)CONF_LAYER_MOUNT == (int)SB_LAYER_MOUNT && (int)CONF_LAYER_PID == (int)SB_LAYER_PID &&
	(int)CONF_LAYER_IPC == (int)SB_LAYER_IPC && (int)CONF_LAYER_UTS == (int)SB_LAYER_UTS && (int)CONF_LAYER_NET == (int)SB_LAYER_NET &&
	(int)CONF_LAYER_CGROUP == (int)SB_LAYER_CGROUP &&
	(int)CONF_LAYER_LANDLOCK == (int)SB_LAYER_LANDLOCK && (int)CONF_LAYER_KEYRING == (int)SB_LAYER_KEYRING &&
	(int)CONF_LAYER_FILTER == (int)SB_LAYER_FILTER, "one set of bits");

#define PATHS_MAX 192

struct paths {
	struct arena *a;
	const struct conf_server *site;
	struct spec_path *v;
	size_t n;
	bool oom;
};

static void add(struct paths *p, const char *path, size_t len, enum spec_path_kind kind)
{
	char *copy;

	while (len > 1 && path[len - 1] == '/')
		len--;
	if (len < 2 || path[0] != '/' || p->n == PATHS_MAX)
		return;
	copy = arena_strndup(p->a, path, len);
	if (copy == NULL)
		p->oom = true;
	else
		p->v[p->n++] = (struct spec_path){.path = copy, .kind = kind};
}

static bool begins(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	return strncmp(path, dir, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

/* --- what PHP settings name ------------------------------------------------------------------------------------------ */

enum ini_kind { INI_LIST, INI_PATH, INI_LOG, INI_SOCKET, INI_LIB, INI_COMMAND };

/* The administrator names these because the site needs them. */
static const struct {
	const char *name;
	enum ini_kind kind;
} ini_paths[] = {
	{"open_basedir", INI_LIST}, {"include_path", INI_LIST}, {"session.save_path", INI_PATH}, {"upload_tmp_dir", INI_PATH},
	{"sys_temp_dir", INI_PATH}, {"error_log", INI_LOG}, {"mail.log", INI_LOG}, {"auto_prepend_file", INI_PATH},
	{"auto_append_file", INI_PATH}, {"opcache.preload", INI_PATH}, {"opcache.blacklist_filename", INI_PATH},
	{"curl.cainfo", INI_PATH}, {"openssl.cafile", INI_PATH}, {"openssl.capath", INI_PATH}, {"browscap", INI_PATH},
	{"soap.wsdl_cache_dir", INI_PATH}, {"mysqli.default_socket", INI_SOCKET}, {"pdo_mysql.default_socket", INI_SOCKET},
	{"extension", INI_LIB}, {"zend_extension", INI_LIB}, {"extension_dir", INI_LIB}, {"sendmail_path", INI_COMMAND},
};

/* The private /tmp is there anyway, and the kernel's own never. */
static bool is_shown_otherwise(const char *path)
{
	static const char *const places[] = {"/proc", "/sys", "/dev"};

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		if (begins(path, places[i]))
			return true;
	return strcmp(path, "/tmp") == 0 || strcmp(path, "/var/tmp") == 0 || strcmp(path, "/tmp/") == 0 || strcmp(path, "/var/tmp/") == 0;
}

static void add_list(struct paths *p, const char *list)
{
	char one[4096];

	while (*list != '\0') {
		size_t len = strcspn(list, ":");
		snprintf(one, sizeof(one), "%.*s", (int)len, list);
		if (!is_shown_otherwise(one))
			add(p, list, len, SPEC_PATH_AUTO_RW);
		list += len + (list[len] == ':');
	}
}

/* A log that is not there yet can only be made by a user who owns its directory. */
static void add_log(struct paths *p, const char *path)
{
	const char *slash = strrchr(path, '/');
	char dir[4096];
	struct stat st;

	if (stat(path, &st) == 0) {
		add(p, path, strlen(path), SPEC_PATH_AUTO_RW);
		return;
	}
	snprintf(dir, sizeof(dir), "%.*s", slash == NULL ? 0 : (int)(slash - path), path);
	if (stat(dir, &st) == 0 && st.st_uid == p->site->ids.uid)
		add(p, dir, strlen(dir), SPEC_PATH_AUTO_RW);
}

static void add_ini(struct paths *p, const struct conf_ini *ini)
{
	const char *value = ini->value, *semicolon = strrchr(value, ';');

	for (size_t i = 0; i < sizeof(ini_paths) / sizeof(*ini_paths); i++) {
		if (strcmp(ini->name, ini_paths[i].name) != 0)
			continue;
		if (semicolon != NULL) /* session.save_path "N;MODE;/path" */
			value = semicolon + 1;
		if (ini_paths[i].kind == INI_LIST)
			add_list(p, value);
		else if (value[0] != '/' || is_shown_otherwise(value))
			return;
		else if (ini_paths[i].kind == INI_LOG)
			add_log(p, value);
		else if (ini_paths[i].kind == INI_SOCKET)
			add(p, value, (size_t)(strrchr(value, '/') - value), SPEC_PATH_AUTO_RO);
		else if (ini_paths[i].kind == INI_COMMAND)
			add(p, value, strcspn(value, " "), SPEC_PATH_AUTO_LIB);
		else
			add(p, value, strlen(value), ini_paths[i].kind == INI_LIB ? SPEC_PATH_AUTO_LIB : SPEC_PATH_AUTO_RW);
		return;
	}
}

/* --- packaged applications --------------------------------------------------------------------------------------------- */

/* Debian installs NAME's code in /usr/share/NAME, its settings in /etc/NAME and what it writes in /var/lib/NAME. */
static void add_packaged(struct paths *p, const char *path)
{
	static const char share[] = "/usr/share/";
	static const struct {
		const char *dir;
		enum spec_path_kind kind;
	} beside[] = {{"/etc", SPEC_PATH_AUTO_RO}, {"/var/lib", SPEC_PATH_AUTO_RW}, {"/var/cache", SPEC_PATH_AUTO_RW}};
	char other[512];

	if (strncmp(path, share, sizeof(share) - 1) != 0)
		return;
	const char *name = path + sizeof(share) - 1;
	int len = (int)strcspn(name, "/");
	for (size_t i = 0; len > 0 && len < 256 && i < sizeof(beside) / sizeof(*beside); i++) {
		snprintf(other, sizeof(other), "%s/%.*s", beside[i].dir, len, name);
		add(p, other, strlen(other), beside[i].kind);
	}
}

/* ----------------------------------------------------------------------------------------------------------------------- */

static int fill_paths(struct launch_view *v, const struct conf_server *site, struct spec *s)
{
	struct paths p = {.a = &v->arena, .site = site, .v = arena_calloc(&v->arena, PATHS_MAX, sizeof(*p.v))};

	if (p.v == NULL)
		return GW_ERR_NOMEM;
	for (size_t i = 0; i < site->sandbox_paths_n; i++)
		add(&p, site->sandbox_paths[i].path, strlen(site->sandbox_paths[i].path),
			site->sandbox_paths[i].writable ? SPEC_PATH_RW : SPEC_PATH_RO);
	add_packaged(&p, site->docroot);
	for (size_t i = 0; i < site->path_aliases_n; i++) {
		add(&p, site->path_aliases[i].path, strlen(site->path_aliases[i].path), SPEC_PATH_AUTO_RW);
		add_packaged(&p, site->path_aliases[i].path);
	}
	for (size_t i = 0; i < site->ini_n; i++)
		add_ini(&p, &site->ini[i]);
	s->paths = p.v;
	s->paths_n = p.n;
	return p.oom ? GW_ERR_NOMEM : 0;
}

/* Whether the directory of the document root holds no other site's: then it can only be this application's. */
static bool parent_is_free(const struct conf *c, const struct conf_server *site)
{
	const char *slash = strrchr(site->docroot, '/');
	size_t len = slash == NULL ? 0 : (size_t)(slash - site->docroot);

	for (size_t i = 0; i < c->servers_n && len > 0; i++) {
		const char *other = c->servers[i]->docroot;
		if (strcmp(other, site->docroot) != 0 && strncmp(other, site->docroot, len) == 0 && (other[len] == '/' || other[len] == '\0'))
			return false;
	}
	return len > 0;
}

static void describe_off(struct launch_view *v, unsigned by_conf, unsigned lacking, const struct sb_probe *can, unsigned layers)
{
	char names[128], missing[256] = "";

	if (lacking != 0 || (layers & SB_LAYER_LANDLOCK) != 0)
		sb_probe_text(can, missing, sizeof(missing));
	sb_layers_text(by_conf, names, sizeof(names));
	snprintf(v->off, sizeof(v->off), "%s%s%s%s%s", names[0] != '\0' ? "SandboxOff " : "", names,
		names[0] != '\0' && missing[0] != '\0' ? "; " : "", missing[0] != '\0' ? "not to be had here: " : "", missing);
}

static unsigned wanted_layers(const struct conf_server *site)
{
	return SB_LAYERS_ALL & ~(site->network == CONF_NETWORK_HOST ? (unsigned)SB_LAYER_NET : 0);
}

unsigned launch_view_layers(const struct conf_server *site, const struct sb_probe *can)
{
	return wanted_layers(site) & ~site->sandbox_off & can->layers;
}

int launch_view_fill(struct launch_view *v, const struct conf *c, const struct conf_server *site, const struct sb_probe *can,
	struct spec *s)
{
	static const char *const networks[] = {[CONF_NETWORK_HOST] = "host", [CONF_NETWORK_NONE] = "none", [CONF_NETWORK_LOOPBACK] = "loopback"};
	unsigned wanted = wanted_layers(site);

	arena_init(&v->arena);
	s->layers = launch_view_layers(site, can);
	s->filter_off = (site->sandbox_off & CONF_LAYER_FILTER) != 0;
	s->network = (s->layers & SB_LAYER_NET) != 0 ? networks[site->network] : "host";
	s->tmp_size = site->tmp_size;
	s->parent = parent_is_free(c, site);
	s->connect = (struct spec_ports){.any = site->tcp_connect.any, .n = site->tcp_connect.n, .v = site->tcp_connect.v};
	s->bind = (struct spec_ports){.any = site->tcp_bind.any, .n = site->tcp_bind.n, .v = site->tcp_bind.v};
	describe_off(v, site->sandbox_off, wanted & ~can->layers & ~site->sandbox_off, can, s->layers);
	s->off = v->off;
	return fill_paths(v, site, s);
}

void launch_view_fini(struct launch_view *v)
{
	arena_fini(&v->arena);
}
