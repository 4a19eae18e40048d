/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The configuration as the server uses it: immutable once loaded, one per front, shared by all its threads without locks.
 * conf_load() parses, checks and resolves everything (users, addresses, regular expressions, log formats), so that
 * nothing can fail later for a reason the administrator could have been told at start.
 * All strings and arrays belong to the configuration and live until conf_free().
 */
#ifndef CONF_H
#define CONF_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

#include "conf/conf_diag.h"
#include "conf/conf_serving.h"
#include "conf/conf_edit.h"
#include "gateway/base/arena.h"
#include "gateway/base/err.h"
#include "gateway/base/log.h"
#include "gateway/base/pace.h"
#include "gateway/base/remote_ip_rules.h"

enum conf_dispatch { CONF_DISPATCH_PREFORK = 1, CONF_DISPATCH_WORKER };
enum conf_isolation { CONF_ISOLATION_FRESH = 1, CONF_ISOLATION_ROLLBACK, CONF_ISOLATION_SHARED };
enum conf_network { CONF_NETWORK_HOST = 1, CONF_NETWORK_NONE, CONF_NETWORK_LOOPBACK };
enum conf_layer { /* bits of conf_server.sandbox_off */
	CONF_LAYER_MOUNT = 1, CONF_LAYER_PID = 2, CONF_LAYER_IPC = 4, CONF_LAYER_UTS = 8, CONF_LAYER_NET = 16, CONF_LAYER_CGROUP = 32,
	CONF_LAYER_LANDLOCK = 64, CONF_LAYER_KEYRING = 128, CONF_LAYER_FILTER = 256
};
enum conf_profile { CONF_PROFILE_PHP = 1, CONF_PROFILE_STRICT, CONF_PROFILE_LEGACY, CONF_PROFILE_LEARN };

/* A socket address of any family we use. */
struct conf_addr {
	union {
		struct sockaddr sa;
		struct sockaddr_storage ss;
		struct sockaddr_un un;
	} u;
	socklen_t len;
	const char *text; /* as written: "127.0.0.1:9000", "[::1]:80", "unix:/run/x.sock" */
};

struct conf_strs {
	size_t n;
	const char **v;
};

/* --- what is merged per directory, file and location ------------------------------------------------------------- */

enum conf_option { /* bits of conf_dir.options */
	CONF_OPT_INDEXES = 1,
	CONF_OPT_FOLLOW = 2,       /* FollowSymLinks */
	CONF_OPT_OWNER_MATCH = 4,  /* SymLinksIfOwnerMatch */
	CONF_OPT_MULTIVIEWS = 8,   /* accepted; no effect yet */
	CONF_OPT_EXECCGI = 16,     /* accepted; no effect yet */
	CONF_OPT_INCLUDES = 32     /* accepted; no effect yet */
};

enum conf_override { /* bits of conf_dir.override (AllowOverride classes) */
	CONF_OV_FILEINFO = 1, CONF_OV_AUTHCFG = 2, CONF_OV_LIMIT = 4, CONF_OV_OPTIONS = 8, CONF_OV_INDEXES = 16,
	CONF_OV_ALL = 31
};

enum conf_handler_kind {
	CONF_HANDLER_DEFAULT, /* static file */
	CONF_HANDLER_PHP,     /* PHP by the virtual host's dispatch */
	CONF_HANDLER_POOL,    /* SetHandler "proxy:...": a FastCGI pool named in place */
	CONF_HANDLER_DENY     /* a handler we do not have: requests get 403, never the source */
};

/* AllowEncodedSlashes: what "%2F" in a path is. */
enum conf_slashes {
	CONF_SLASHES_OFF = 1,  /* refused with 404 */
	CONF_SLASHES_ON,       /* a slash like any other */
	CONF_SLASHES_NODECODE  /* three octets of a name */
};

struct conf_pool;

struct conf_handler {
	enum conf_handler_kind kind;
	const struct conf_pool *pool; /* CONF_HANDLER_POOL only */
};

/* AddHandler / AddType: what a file-name extension means. */
struct conf_ext {
	const char *ext;              /* without the dot, lower case; compared ASCII case-insensitively except PHP, byte-wise */
	const char *type;             /* AddType: media type, else NULL */
	struct conf_handler handler;  /* AddHandler / AddType of a PHP type */
	bool has_handler;
	bool handler_only;            /* RemoveHandler: says nothing of the type */
};

struct conf_error_doc {
	int status;
	enum { CONF_ERRDOC_TEXT, CONF_ERRDOC_PATH, CONF_ERRDOC_URL, CONF_ERRDOC_DEFAULT } kind;
	const char *value;
};

struct conf_redirect {
	int status;         /* 301, 302, 303, 307, 308, 410, or another 3xx/4xx/5xx given as a number */
	const char *prefix; /* URL path prefix, whole segments */
	const char *target; /* NULL unless 3xx; path or absolute URL */
};

struct conf_ini { /* php_value and its kin */
	const char *name, *value;
	bool admin;         /* scripts and per-directory files cannot change it */
};

struct conf_section;

/* Effective per-directory settings. Unset fields inherit while merging; in a merged result every field has a value. */
struct conf_dir {
	uint32_t set;                     /* which of the fields below this level sets; private to conf/ */
	unsigned access;                  /* what Require and Order came to, before `granted`; private to conf/ */
	unsigned options, override;
	bool granted;                     /* Require all granted */
	bool has_handler;                 /* SetHandler in force (overrides extensions) */
	struct conf_handler handler;
	const char *force_type;           /* ForceType or NULL */
	const char *default_charset;      /* AddDefaultCharset or NULL (Off) */
	bool tls_env, tls_only;           /* SSLOptions +StdEnvVars; SSLRequireSSL */
	bool php_engine;                  /* php_flag engine; false: PHP files answer 403, never their source */
	int64_t limit_body;               /* LimitRequestBody in octets; 0 = none */
	struct conf_strs index;           /* DirectoryIndex */
	struct conf_serving serving;      /* how files and directories are answered */
	size_t exts_n;                    /* nearest definition last: search from the end */
	const struct conf_ext *exts;
	size_t errdocs_n;                 /* search from the end */
	const struct conf_error_doc *errdocs;
	size_t redirects_n;               /* the first match counts; innermost section first */
	const struct conf_redirect *redirects;
	size_t ini_n;                     /* only those of directory-level sections; the host's own are conf_server.ini */
	const struct conf_ini *ini;
	struct conf_edit *edit;           /* Header, Expires, SetEnv and their kin; NULL: none of them */
	size_t files_n;                   /* <Files>, <FilesMatch>, <If> and its kin collected so far, in order */
	const struct conf_section **files;
};

/* --- FastCGI pools ------------------------------------------------------------------------------------------------- */

struct conf_pool_member {
	struct conf_addr addr;
	unsigned weight;          /* >= 1 */
	unsigned max_connections; /* 0 = no limit of ours */
	bool backup;              /* used when no other member is up */
};

struct conf_pool {
	const char *name;         /* as in <FastCGIPool name>, or the proxy: text for one named in place */
	size_t index;             /* position in conf.pools */
	size_t members_n;
	const struct conf_pool_member *members;
	unsigned max_idle;        /* kept-alive idle connections in all loops together; 0 = never keep */
	unsigned idle_timeout_ms; /* an idle connection is closed after this */
	unsigned connect_timeout_ms;
	unsigned fail_timeout_ms; /* a member that failed is left alone this long at first, doubled to 8 times */
	unsigned queue_timeout_ms;/* longest wait for a member, then 503 */
};

/* --- logs ---------------------------------------------------------------------------------------------------------- */

enum conf_log_kind { CONF_LOG_FILE, CONF_LOG_PIPE, CONF_LOG_SYSLOG };

struct conf_log_file { /* one per distinct path, shared by all who name it */
	const char *path;  /* absolute; a pipe or syslog as it is written */
	enum conf_log_kind kind;
	const char *const *argv; /* CONF_LOG_PIPE: the program, by its absolute path, and its arguments; NULL at the end */
	int facility;      /* CONF_LOG_SYSLOG: as syslog(3) counts them, without the shift */
	const char *ident; /* CONF_LOG_SYSLOG: whose lines they are */
	size_t index;      /* position in conf.log_files: the master opens descriptors in that order */
};

struct conf_expr;
struct conf_custom_log {
	const struct conf_log_file *file;
	const char *format; /* the LogFormat string in force, nickname resolved; compiled by gateway/http/access_format.h */
	size_t format_index;/* position in conf.log_formats (distinct strings) */
	const char *env;    /* only requests that have this variable; NULL: all */
	bool env_not;       /* only those that have it not */
	const struct conf_expr *expr; /* only those for which this holds; NULL: all */
};

/* --- TLS ------------------------------------------------------------------------------------------------------------ */

enum conf_tls_version { CONF_TLS_1_2 = 1, CONF_TLS_1_3 = 2 }; /* bits; older ones are not spoken: RFC 8996 */

/* Where something was said, for messages that come when the configuration is loaded already. */
struct conf_place {
	const char *file;
	unsigned line, column;
};

struct conf_tls_cert {
	const char *cert, *key;        /* absolute paths of PEM files; the same one when SSLCertificateKeyFile is missing */
	struct conf_place cert_at, key_at;
};

/* TLS as one or more hosts speak it: hosts with the same words share one, and sessions that were begun with it. */
struct conf_tls {
	size_t index;                  /* position in conf.tls */
	const struct conf_server *server; /* the first that has it */
	struct conf_place at;          /* SSLEngine, or the host */
	size_t certs_n;
	const struct conf_tls_cert *certs; /* one for each kind of key; none: nobody can be served */
	const char *chain;             /* further certificates sent with each of them; NULL: none */
	struct conf_place chain_at;
	unsigned versions;             /* bits of enum conf_tls_version */
	const char *ciphers, *suites;  /* OpenSSL's names, up to TLS 1.2 and for 1.3; NULL: ours */
	bool server_order, tickets;
};

/* --- virtual hosts --------------------------------------------------------------------------------------------------- */

struct conf_alias {
	const char *prefix; /* URL path, whole segments; no slash at the end but for "/" itself */
	const char *path;   /* file-system path, absolute; no slash at the end but for "/" itself */
};

/* What a site's processes may see besides their document root. */
struct conf_sandbox_path {
	const char *path; /* absolute */
	bool writable;
};

/* TCP ports of one direction. */
struct conf_ports {
	bool any;
	size_t n;
	const uint16_t *v; /* 0: one that the kernel chooses */
};

struct conf_ids {
	const char *user, *group; /* names for people */
	uid_t uid;
	gid_t gid;
	size_t groups_n;          /* supplementary, gid not included */
	const gid_t *groups;
};

#define CONF_NO_BOUND (-1)

/* SandboxIoMax: a bound of the disk that @path is on. */
struct conf_io_max {
	const struct conf_io_max *next;
	const char *path; /* absolute: a block device, or anything on it */
	const char *keys; /* as the kernel's io.max takes them: "rbps=1048576 wiops=100" */
};

/* Where mail() goes. */
struct conf_mail_relay {
	struct conf_addr addr;
	bool lmtp;                /* else SMTP */
};

struct conf_mail_rate {
	unsigned count;           /* recipients; 0: no limit */
	unsigned period_ms;
};

/* RequestReadTimeout: how long a client may take for each part of a request. */
struct conf_read_timeout {
	struct pace handshake, header, body;
	unsigned set;             /* stages that this host sets; private to conf/ */
};

/* RemoteIPProxyProtocol: what a connection begins with. */
enum conf_proxy_mode { CONF_PROXY_OFF = 1, CONF_PROXY_ON, CONF_PROXY_OPTIONAL };

struct conf_proxy_protocol {
	enum conf_proxy_mode mode;
	struct ip_nets except;    /* who speaks for himself although others must not */
	bool from_all;            /* else only @from may send the header, and others speak for themselves */
	struct ip_nets from;
};

/* LimitClient...: what one client, an address or the network around it, may have of the server. */
struct conf_client_limits {
	unsigned connections;     /* at once; 0: any; CONF_CLIENT_SHARE: a share of what the front can hold */
	unsigned rate_n, rate_ms; /* so many requests in so long; 0: any */
	unsigned burst;           /* requests that may come at once */
	unsigned v4_bits, v6_bits;/* prefix that counts as one client */
	struct ip_nets exempt;
};

#define CONF_CLIENT_SHARE UINT_MAX

/* What is spoken with a host's clients; http/1.1 always is where nothing else is agreed on. */
enum {
	CONF_PROTOCOL_HTTP1 = 1,
	CONF_PROTOCOL_H2 = 2,  /* over TLS, by ALPN */
	CONF_PROTOCOL_H2C = 4  /* in plain text, by a client that knows */
};

struct conf_protocols {
	unsigned mask;
	bool http1_first;      /* of what a client offers by ALPN, http/1.1 is taken before h2 */
};

/* One virtual host; conf.servers[0] is the main server, which answers where no virtual host matches. */
struct conf_server {
	size_t index;
	const char *file;         /* where it is defined */
	unsigned line;
	const char *name;         /* ServerName's host, lower case; for the main server the machine's name if not given */
	unsigned port;            /* ServerName's port, 0 when not given */
	const char *scheme;       /* ServerName's scheme, "http" or "https", or NULL: see conf_scheme() */
	struct conf_strs aliases; /* ServerAlias, lower case, * and ? wildcards */
	size_t addrs_n;           /* <VirtualHost> addresses; port 0 = any */
	const struct conf_addr *addrs;
	bool unavailable;         /* SiteUnavailable: every request is answered 503 */
	const char *admin;
	const char *docroot;      /* absolute, no slash at the end ("/" for the root itself); never NULL */
	const struct conf_log_file *error_log; /* NULL: stderr (foreground without ErrorLog) */
	enum log_level log_level;
	const struct log_format *error_format; /* ErrorLogFormat; NULL: the server's own */
	size_t custom_logs_n;
	const struct conf_custom_log *custom_logs;
	size_t path_aliases_n;    /* longest prefix is NOT implied: first match in order wins, as in Apache */
	const struct conf_alias *path_aliases;
	struct conf_dir *dir;     /* settings outside any section */
	const struct conf_tls *tls; /* NULL: plain HTTP. All hosts of one address have it, or none */

	/* HTTP */
	unsigned timeout_ms, keepalive_timeout_ms, max_keepalive_requests; /* 0 requests = no limit */
	struct conf_read_timeout read_timeout; /* of the host first at the address for what comes before a host is known */
	unsigned send_min_rate;   /* octets a second that a client must take of an answer in the long run; 0: any */
	struct remote_ip_rules remote_ip;
	struct conf_proxy_protocol proxy_protocol; /* as said or inherited; conf_find_proxy_protocol() says what counts */
	bool keepalive;
	bool track_first;                 /* LogIOTrackTTFB */
	unsigned limit_line, limit_fields, limit_field_size; /* 0 fields: as many as there may be at all */
	unsigned limit_head;              /* 0: what each protocol has by default */
	unsigned limit_chunk_line, limit_chunk_ext, limit_trailers; /* octets; of a chunked body's framing */
	enum conf_slashes encoded_slashes;
	int64_t spool_max;                /* SpoolSiteMax, octets */
	struct conf_protocols protocols;
	bool merge_slashes;               /* false: PATH_INFO keeps repeated slashes; rules and files never see them */

	/* who answers PHP */
	enum conf_dispatch dispatch;
	enum conf_isolation isolation;
	enum conf_profile profile;
	size_t sandbox_allow_n, sandbox_deny_n;
	const char *const *sandbox_allow, *const *sandbox_deny; /* system calls by name, main server's first; deny wins */
	struct conf_ids ids;              /* the site's user */
	unsigned sandbox_off;             /* bits of enum conf_layer that the administrator switched off */
	enum conf_network network;
	struct conf_ports tcp_connect, tcp_bind;
	int64_t tmp_size;                 /* octets of the private /tmp */
	size_t sandbox_paths_n;
	const struct conf_sandbox_path *sandbox_paths;
	const struct conf_pool *pool;     /* UsePool; with CONF_DISPATCH_WORKER never NULL unless the host runs no PHP */
	unsigned start_servers, min_spare, max_spare, max_workers, max_requests; /* cells; max_requests 0 = no limit */
	unsigned request_timeout_ms, site_idle_timeout_ms, zygote_life_ms; /* 0 = none */
	size_t ini_n;
	const struct conf_ini *ini;       /* php_value and its kin at server level, main server's first */
	const char *php_version;          /* which bulkhead-php; NULL = the newest built */

	/* what all processes of the site may use together; CONF_NO_BOUND: what there is */
	int64_t memory_max, memory_high, swap_max; /* octets */
	int64_t processes_max;            /* threads count */
	int64_t cpu_max;                  /* percent of one processor */
	int64_t cpu_weight;               /* 1 to 10000, between sites that want more than there is; CONF_NO_BOUND: 100 */
	const struct conf_io_max *io_max; /* the last one first */
	bool oom_group;                   /* out of memory ends every process of the site, not the largest */

	/* mail() of its cells */
	const struct conf_mail_relay *mail_relay; /* NULL: off */
	struct conf_mail_rate mail_rate;
	struct conf_strs mail_from;       /* "any", "@domain", addresses */
	unsigned mail_max_size;           /* octets */
	unsigned mail_timeout_ms;
};

/* A directive that was accepted and does nothing here; listed by -t. */
struct conf_noeffect {
	const char *file;
	unsigned line;
	const char *name, *why;
};

struct conf {
	struct arena arena;
	const char *file;                 /* the main file, absolute */
	const char *server_root;
	size_t listen_n;
	struct conf_addr *listen;         /* unique, in order; a port alone is [::] (IPv4 too, unless 0.0.0.0 has the port as well) */
	struct conf_ids front;            /* User and Group: who the front runs as */
	struct conf_strs front_paths;     /* FrontPath: what the front may read beside the trees that it serves; absolute */
	struct conf_ids mail;             /* MailUser: who the mail process runs as */
	unsigned loops;                   /* ThreadsPerChild */
	struct conf_client_limits clients;
	bool proxy_protocol;              /* some host has RemoteIPProxyProtocol: else there is nothing to look up */
	unsigned zygotes_max, cells_max;  /* of all sites together; 0 = no limit */
	unsigned spare_zygotes;           /* of each PHP, before a site needs them */
	struct conf_file_cache file_cache;
	const char *spool_path;           /* SpoolPath: directory for temporary files of bodies and answers */
	int64_t spool_max;                /* SpoolMax, octets of all sites together */
	int64_t http2_memory;             /* H2MaxMemory, octets of all loops together */
	const char *pid_file;
	const char *syslog_socket;        /* SyslogSocket */
	const char *types_config;
	size_t servers_n;
	struct conf_server **servers;
	size_t pools_n;
	const struct conf_pool **pools;
	size_t log_files_n;
	const struct conf_log_file **log_files;
	size_t log_formats_n;
	const char **log_formats;
	size_t tls_n;
	const struct conf_tls **tls;      /* in the order of their first hosts */
	unsigned ticket_life_ms;          /* SSLTicketKeyLife */
	size_t noeffect_n;
	struct conf_noeffect *noeffect;
	struct conf_types *types;         /* extension -> media type, from TypesConfig */
	struct conf_index *index;         /* private: host lookup and section tables */
};

/* --- loading ----------------------------------------------------------------------------------------------------------- */

struct conf_keep;

struct conf_load_opts {
	const char *file;              /* -f */
	const char *server_root;       /* -d, or NULL */
	size_t defines_n;
	const char *const *defines;    /* -D NAME or NAME=VALUE */
	size_t before_n, after_n;
	const char *const *before;     /* -C "directive": processed before the files */
	const char *const *after;      /* -c "directive": processed after */
	struct conf_keep **keep;       /* texts of site files that were good, NULL at first; changed by a load. NULL: all errors are fatal */
	bool serve;                    /* with @keep: what is loaded will be served: say what becomes of files with errors */
	bool strict;                   /* with @keep: errors are fatal, and texts are kept all the same */
	bool need_root;                /* false: an ordinary user: every site runs as that user */
	/* A configuration that has errors, before it is freed; what is in it may be looked at only by conf_dump_noeffect(). May be NULL. */
	void (*refused)(const struct conf *c);
	/* Whether a LogFormat can be written: NULL, or why not (static text) with *at its offset. NULL: not checked. */
	const char *(*check_format)(const char *format, size_t *at);
	/* Whether PHP of a version can be run: NULL, or the path of the program that is missing (static). NULL: not checked. */
	const char *(*check_php)(const char *version);
	/* Why a system call may not be allowed or denied by name (static); "": no call is named so; NULL: it may. NULL: not checked. */
	const char *(*check_call)(const char *name, bool allow);
	/* Name of system call @nr, or NULL; used before the next call. For suggestions; may be NULL. */
	const char *(*call_name)(int nr);
	/* Whether OpenSSL knows a list of ciphers, for TLS 1.3 or below: NULL, or why not (static). NULL: not checked. */
	const char *(*check_ciphers)(const char *list, bool tls13);
	/* Whether this machine can roll back: NULL, or what is missing (static). NULL: not checked. */
	const char *(*check_rollback)(void);
};

/**
 * Parse, check and resolve. Diagnostics (errors and warnings) are appended to @diags, sorted by place; all errors of a
 * run are reported. Returns the configuration, or NULL when there was at least one error. With @opts->keep, errors in site
 * files (see conf_keep.h) alone do not stop it: the configuration then has their last good version, or hosts that answer 503,
 * and @diags has errors all the same. One thread, may read files,
 * the user database and the resolver; opens no log and binds nothing.
 */
struct conf *conf_load(const struct conf_load_opts *opts, struct conf_diags *diags) GW_MUST_USE;

/** The PidFile that the configuration names, as far as it can be read; nothing else is looked at. In @a; NULL: none. */
const char *conf_pid_file(const struct conf_load_opts *opts, struct arena *a);

/** Free what conf_load() has put into @opts->keep. NULL is accepted. */
void conf_keep_free(struct conf_keep *k);

/** Free everything. No thread may still use it. NULL is accepted. */
void conf_free(struct conf *c);

/* --- look-ups on the hot path; no allocation but where said, any thread ------------------------------------------------ */

/**
 * The virtual host for a connection that arrived at @local and a request naming @host (lower case, no port; NULL for an
 * HTTP/1.0 request without one). A connection over a unix socket has no address: it belongs to the hosts of "*" (any port),
 * else to those of the first "*:port". Apache's rule: best address match first, then name, alias, else the first of that address.
 * Never NULL (the main server answers in the end).
 */
const struct conf_server *conf_find_server(const struct conf *c, const struct sockaddr *local, const char *host);

/** Whether a connection that arrived at @local begins with a PROXY header, and whose. Never NULL. */
const struct conf_proxy_protocol *conf_find_proxy_protocol(const struct conf *c, const struct sockaddr *local);

/* Remembers merged results of one thread; the same set of sections is merged once. */
struct conf_cache;
struct conf_regex_scratch;

/** An empty cache for one thread, or NULL when memory is out. */
struct conf_cache *conf_cache_new(void);

/** Free it and every result it gave out. NULL is accepted. */
void conf_cache_free(struct conf_cache *cc);

/** Room for matching regular expressions outside conf/, of the cache's thread. */
struct conf_regex_scratch *conf_cache_scratch(struct conf_cache *cc);

struct conf_match;

/* Who says whether the condition of an <If> holds: 1, 0, or negative, which refuses the request. */
struct conf_judge {
	int (*holds)(struct conf_judge *j, const struct conf_match *m, const struct conf_expr *e);
	bool asked;        /* ever: what was found holds for this request alone */
};

/* What a request has matched so far; filled step by step in Apache's order. */
struct conf_match {
	const struct conf_server *server;
	const char *dir;   /* absolute path of the directory the file is in (or of the directory itself), with a slash at the end; NULL: none */
	const char *file;  /* base name for <Files>; NULL or "": a directory */
	const char *uri;   /* decoded, normalised URL path for <Location>; NULL skips those */
	struct conf_judge *judge; /* NULL: where an <If> counts there are no settings */
};

/**
 * Effective settings for @m: <Directory> shortest first, <DirectoryMatch>, <Files>, <Location>, each main server before virtual host.
 * Returns a merged result owned by @cc (valid until conf_cache_free), or NULL when memory is out, a regular expression
 * passes its bound on work, or the cache is full: the request must then fail (500), not go on without the rules.
 * One cache belongs to one configuration.
 */
const struct conf_dir *conf_dir_for(struct conf_cache *cc, const struct conf *c, const struct conf_match *m) GW_MUST_USE;

/** What clients speak: TLS, or what ServerName says ("https" behind a proxy that ends TLS), else "http"; its usual port. */
static inline const char *conf_scheme(const struct conf_server *s)
{
	if (s->tls != NULL)
		return "https";
	return s->scheme != NULL ? s->scheme : "http";
}

static inline unsigned conf_scheme_port(const struct conf_server *s)
{
	return conf_scheme(s)[4] == 's' ? 443 : 80;
}

/** Media type for a file name: ForceType, else by AddType and TypesConfig its last known extension; NULL when none is known. */
const char *conf_type_for(const struct conf *c, const struct conf_dir *d, const char *name);

/* What a static file's name says of its content. */
struct conf_file_meta {
	const char *type;          /* media type, perhaps with parameters; NULL: unknown */
	const char *charset;       /* of a type without one; NULL: none is said */
	char encoding[64], language[128]; /* lists as in the header field, "" for none */
};

/**
 * Type as conf_type_for(), character set by AddCharset (else, for HTML and plain text, AddDefaultCharset), codings and
 * languages of all extensions in their order, DefaultLanguage where none names one.
 */
void conf_file_meta(const struct conf *c, const struct conf_dir *d, const char *name, struct conf_file_meta *out);

/**
 * Handler for a file name in @d: SetHandler, then AddHandler/AddType by extension, then built-in ".php". PHP only by the
 * last extension, byte-wise; with php_engine off, or after RemoveHandler, what would be PHP is CONF_HANDLER_DENY.
 */
struct conf_handler conf_handler_for(const struct conf_dir *d, const char *name);

/** ErrorDocument for @status, or NULL for the built-in text. */
const struct conf_error_doc *conf_error_doc_for(const struct conf_dir *d, int status);

/** Call @fn for each literal path, but "/", of a <Directory> section of any host that grants access. */
void conf_each_granted(const struct conf *c, void (*fn)(void *arg, const char *path), void *arg);

/* --- for people ---------------------------------------------------------------------------------------------------------- */

/** The name of one bit of enum conf_layer, or NULL. Static. */
const char *conf_layer_name(unsigned bit);

/** -S: virtual hosts with dispatch, isolation, profile, user and pool each. */
void conf_dump_servers(const struct conf *c, int fd);

/** -t: what was accepted without effect. */
void conf_dump_noeffect(const struct conf *c, int fd);

/** The directive reference as Markdown, from the directive table. */
void conf_dump_reference(int fd);

#endif
