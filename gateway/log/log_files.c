/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/log/log_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/io.h"
#include "gateway/base/log.h"
#include "gateway/static/file_open.h"

#define UNTIL "; its lines are lost until a reload or -k reopen can open it"

static int std_stream(const char *path)
{
	if (strcmp(path, "/dev/stderr") == 0)
		return STDERR_FILENO;
	return strcmp(path, "/dev/stdout") == 0 ? STDOUT_FILENO : -1;
}

/*
 * A log may be in a directory that a tenant owns, or whose parent he owns: what he makes a link of there, or puts in the
 * log's place, must not make us write elsewhere.
 */
static int open_in_place(const char *path, struct stat *dir_st, const char **why)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash == NULL ? NULL : strndup(path, slash == path ? 1 : (size_t)(slash - path));
	int dir_fd = dir == NULL ? -1 : file_open_dir(dir, geteuid());

	free(dir);
	if (dir_fd == -1) {
		*why = errno == EACCES ? "its directory cannot be entered, or is behind a link whose owner does not own where it leads" : strerror(errno);
		return -1;
	}
	int fd = fstat(dir_fd, dir_st) == -1 ? -1 : openat(dir_fd, slash + 1, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0640);
	if (fd == -1)
		*why = errno == ELOOP ? "it is a symbolic link, which is refused for logs" : strerror(errno);
	io_close(&dir_fd);
	return fd;
}

/* Whoever owns the directory could have moved a file of another's there, which he may not write to himself. */
static bool belongs(const struct stat *st, const struct stat *dir)
{
	return dir->st_uid == 0 || dir->st_uid == geteuid() || st->st_uid == 0 || st->st_uid == geteuid() || st->st_uid == dir->st_uid;
}

int log_file_open(const char *path, const char **why)
{
	int std = std_stream(path);
	struct stat st, dir;

	if (std != -1)
		return fcntl(std, F_DUPFD_CLOEXEC, 5);
	int fd = open_in_place(path, &dir, why);
	if (fd == -1)
		return -1;
	errno = EPERM;
	if (fstat(fd, &st) == -1 || (!S_ISREG(st.st_mode) && strcmp(path, "/dev/null") != 0) || st.st_nlink > 1) {
		*why = "it is not a regular file of its own (a hard link?)";
		io_close(&fd);
	} else if (!belongs(&st, &dir)) {
		*why = "it belongs neither to the server nor to the owner of its directory";
		io_close(&fd);
	}
	return fd;
}

static bool writes(const struct conf_server *s, const struct conf_log_file *f)
{
	bool found = s->error_log == f;

	for (size_t i = 0; i < s->custom_logs_n && !found; i++)
		found = s->custom_logs[i].file == f;
	return found;
}

/*
 * The host whose log @f is alone, or with other virtual hosts; NULL: it is the main server's. What is in the place of a
 * host's log may be its tenant's doing, who must not stop the others by it.
 */
static const struct conf_server *host_of(const struct conf *c, const struct conf_log_file *f)
{
	if (writes(c->servers[0], f))
		return NULL;
	for (size_t i = 1; i < c->servers_n; i++)
		if (writes(c->servers[i], f))
			return c->servers[i];
	return NULL;
}

static int cannot_open(const struct conf *c, const struct conf_log_file *f, const char *why, const char *then)
{
	const struct conf_server *host = host_of(c, f);

	/* What we have run out of is nobody's own. */
	if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
		host = NULL;
	log_line(log_server(), LOG_LV_CRIT, NULL, "%s%s%scannot open log %s: %s%s", host != NULL ? "site=" : "", host != NULL ? host->name : "",
		host != NULL ? " " : "", f->path, why, host != NULL ? then : "");
	return host != NULL ? GW_ERR_DENIED : GW_ERR_SYS;
}

/* Returns 0, GW_ERR_DENIED (logged): one host's log, without which all can go on, or GW_ERR_SYS (logged). */
static int open_direct(struct log_sink *s, const struct conf *c, const struct conf_log_file *f, const char *then)
{
	const char *why = "out of descriptors";

	s->fd = log_file_open(f->path, &why);
	return s->fd != -1 ? GW_OK : cannot_open(c, f, why, then);
}

/* It keeps its number, so that the file can be opened into it later. */
static int open_nothing(struct log_sink *s)
{
	s->fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (s->fd != -1)
		return GW_OK;
	log_line(log_server(), LOG_LV_CRIT, NULL, "cannot open /dev/null: %m");
	return GW_ERR_SYS;
}

static int open_framed(struct log_sink *s, const struct conf *c, const struct conf_log_file *f, struct log_hub *h)
{
	const char *why;
	int looked = GW_OK;

	if (f->kind == CONF_LOG_FILE) {
		looked = open_direct(s, c, f, "; it is tried again when there are lines");
		if (looked == GW_ERR_SYS)
			return looked;
		io_close(&s->fd);
	}
	int err = log_hub_acquire(h, c, f, &s->id, &why);
	if (err < 0) {
		log_line(log_server(), LOG_LV_CRIT, NULL, "cannot open log %s: %s", f->path, why);
		return GW_ERR_SYS;
	}
	s->fd = log_hub_fd(h);
	s->framed = true;
	s->plain = f->kind == CONF_LOG_SYSLOG;
	return looked;
}

/* The server's own error log is direct when it is a file: what goes wrong with the others is written there. */
static bool is_direct(const struct conf *c, const struct conf_log_file *f, size_t files_n)
{
	if (f->kind != CONF_LOG_FILE)
		return false;
	return files_n <= LOG_FILES_DIRECT || f == c->servers[0]->error_log || std_stream(f->path) != -1;
}

int log_files_open(struct log_files *lf, const struct conf *c, struct log_hub *h)
{
	size_t files_n = 0;

	lf->failed_n = 0;
	lf->sinks = calloc(c->log_files_n + 1, sizeof(*lf->sinks));
	if (lf->sinks == NULL) {
		log_err("cannot open the logs: out of memory");
		return GW_ERR_NOMEM;
	}
	for (size_t i = 0; i < c->log_files_n; i++) {
		lf->sinks[i].fd = -1;
		files_n += c->log_files[i]->kind == CONF_LOG_FILE;
	}
	for (size_t i = 0; i < c->log_files_n; i++) {
		const struct conf_log_file *f = c->log_files[i];
		bool direct = is_direct(c, f, files_n);
		int err = direct ? open_direct(&lf->sinks[i], c, f, UNTIL) : open_framed(&lf->sinks[i], c, f, h);
		if (err == GW_ERR_DENIED) {
			lf->failed_n++;
			err = direct ? open_nothing(&lf->sinks[i]) : GW_OK;
		}
		if (err < 0) {
			log_files_close(lf, c, h);
			return err;
		}
	}
	return GW_OK;
}

void log_files_reopen(struct log_files *lf, const struct conf *c)
{
	lf->failed_n = 0;
	for (size_t i = 0; i < c->log_files_n; i++) {
		struct log_sink *s = &lf->sinks[i], anew = {.fd = -1};
		if (s->framed)
			continue;
		if (open_direct(&anew, c, c->log_files[i], "; lines go where they went before") < 0) {
			lf->failed_n++;
			continue;
		}
		if (dup3(anew.fd, s->fd, O_CLOEXEC) == -1)
			log_err("log %s stays the old one: %m", c->log_files[i]->path);
		io_close(&anew.fd);
	}
}

size_t log_files_fds(const struct log_files *lf, const struct conf *c, int *out)
{
	size_t n = 0;
	int framed = -1;

	for (size_t i = 0; i < c->log_files_n; i++) {
		if (lf->sinks[i].framed)
			framed = lf->sinks[i].fd;
		else
			out[n++] = lf->sinks[i].fd;
	}
	if (framed != -1)
		out[n++] = framed;
	return n;
}

int log_files_fd(const struct log_files *lf, const struct conf_log_file *f)
{
	return f == NULL || lf->sinks[f->index].framed ? -1 : lf->sinks[f->index].fd;
}

struct log_sink log_files_sink(const struct log_files *lf, const struct conf_server *s)
{
	struct log_sink sink = {.fd = STDERR_FILENO};

	if (s->error_log != NULL)
		sink = lf->sinks[s->error_log->index];
	sink.level = s->log_level;
	sink.format = s->error_format;
	sink.site = s->index > 0 ? s->name : NULL;
	return sink;
}

void log_files_close(struct log_files *lf, const struct conf *c, struct log_hub *h)
{
	for (size_t i = 0; lf->sinks != NULL && i < c->log_files_n; i++) {
		struct log_sink *s = &lf->sinks[i];
		if (s->framed)
			log_hub_release(h, s->id);
		else
			io_close(&s->fd);
	}
	free(lf->sinks);
	lf->sinks = NULL;
}
