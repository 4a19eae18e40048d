/* SPDX-License-Identifier: Apache-2.0 */
/**
 * From the tree to the configuration, in three steps: the directive table's setters fill raw records (conf_set_*.c), what
 * they name is resolved and hosts inherit from the main server (conf_resolve.c, conf_merge.c), and the tables for
 * look-ups are made (conf_find.c, conf_dir.c). Private to conf/.
 */
#ifndef CONF_BUILD_H
#define CONF_BUILD_H

#include "conf/conf.h"
#include "conf/conf_parse.h"
#include "conf/conf_regex.h"
#include "conf/conf_types.h"
#include "conf/conf_users.h"
#include "conf/conf_util.h"

/* --- the directive table ------------------------------------------------------------------------------------------- */

enum conf_where { /* bits: contexts */
	CONF_W_MAIN = 1,     /* outside any section */
	CONF_W_VHOST = 2,
	CONF_W_DIR = 4,      /* <Directory>, <DirectoryMatch> */
	CONF_W_FILES = 8,
	CONF_W_LOC = 16,
	CONF_W_HT = 32,      /* per-directory files */
	CONF_W_POOL = 64,    /* <FastCGIPool> */
	CONF_W_REQUIRE = 128,/* <RequireAll> and its kin */
	CONF_W_HOSTS = CONF_W_MAIN | CONF_W_VHOST,
	CONF_W_SECTIONS = CONF_W_DIR | CONF_W_FILES | CONF_W_LOC,
	CONF_W_ANY = CONF_W_HOSTS | CONF_W_SECTIONS | CONF_W_HT
};

enum conf_target { CONF_T_NONE, CONF_T_SERVER, CONF_T_POOL, CONF_T_CONF };

struct conf_build;
struct conf_directive;

/** Apply directive @n to what @b is building; says what is wrong through conf_error(). */
typedef void conf_setter(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d);

struct conf_directive {
	const char *name;
	const char *args;          /* synopsis of the arguments */
	const char *doc;           /* one line; for a directive without effect: why */
	conf_setter *set;
	uint16_t where;
	uint8_t override;          /* AllowOverride class it needs in a per-directory file */
	bool section;
	int8_t min, max;           /* arguments; max -1: any number */
	/* for the setters of plain values: */
	enum conf_target target;
	uint8_t bit;               /* CONF_T_SERVER: which field, for inheritance */
	size_t offset, size;
	int64_t lo, hi;            /* range of a number; a setter's own parameter otherwise */
	const char *const *words;  /* names of an enum's values from 1 on, NULL at the end */
};

/** All directives, in no order that matters. */
extern const struct conf_directive conf_directives[];
extern const size_t conf_directives_n;

/** By name, ASCII case ignored, NULL when unknown. */
const struct conf_directive *conf_directive_find(const char *name, bool section);

/** Whether @d is accepted without effect. */
bool conf_directive_is_noeffect(const struct conf_directive *d);

/** "server config, virtual host, ..." for bits of conf_where, in @out. */
const char *conf_where_text(unsigned where, char *out, size_t cap);

/* --- raw records ----------------------------------------------------------------------------------------------------- */

enum conf_section_kind { CONF_S_DIR, CONF_S_FILES, CONF_S_LOC, CONF_S_IF };

struct conf_section {
	enum conf_section_kind kind;
	const char *pattern;             /* path, file name or URL path; for people when a regular expression */
	const struct conf_regex *re;     /* <...Match> and "~" */
	const struct conf_expr *expr;    /* CONF_S_IF; NULL: <Else> */
	bool chained;                    /* CONF_S_IF: only when none of the chain before it held */
	bool wild;                       /* pattern has wildcards */
	unsigned components;             /* CONF_S_DIR without re */
	unsigned seq;                    /* order of definition in the whole configuration */
	struct conf_dir dir;             /* raw */
	const char *file;
	unsigned line;
	struct conf_section *next;       /* same path, later */
	const struct conf_node *ini_node;/* first php_value in it, for messages */
};

enum conf_dir_set { /* bits of conf_dir.set */
	CONF_D_OPTIONS = 1,     /* absolute */
	CONF_D_OPTIONS_REL = 2, /* with + and - */
	CONF_D_OVERRIDE = 4,
	CONF_D_REQUIRE = 8,
	CONF_D_COMPAT = 16,     /* any of Order, Allow, Deny, Satisfy */
	CONF_D_HANDLER = 32,
	CONF_D_TYPE = 64,
	CONF_D_CHARSET = 128,
	CONF_D_ENGINE = 256,
	CONF_D_LIMIT_BODY = 512,
	CONF_D_INDEX = 1024,
	CONF_D_TLS_ENV = 2048,
	CONF_D_TLS_ONLY = 4096
};

enum conf_serving_set { /* bits of conf_serving.set */
	CONF_SV_PRECOMPRESSED = 1, CONF_SV_SLASH = 2, CONF_SV_FALLBACK = 4, CONF_SV_LANGUAGE = 8, CONF_SV_ORDER = 16,
	CONF_SV_HEADER = 32, CONF_SV_README = 64, CONF_SV_IGNORE_RESET = 128
};

/* OpenFileCache when it is not given: a fraction of the descriptors and of the memory that connections have. */
#define CONF_FILE_CACHE_DEFAULT {.files = 1024, .missing = 0, .age_ms = 250, .memory = INT64_C(8) << 20}

enum conf_access { /* bits of conf_dir.access */
	CONF_A_REQUIRE = 1,     /* what Require came to */
	CONF_A_ALLOW_DENY = 2,  /* Order allow,deny; else deny,allow */
	CONF_A_ALLOW_ALL = 4,
	CONF_A_DENY_ALL = 8,
	CONF_A_SATISFY_ANY = 16,
	CONF_A_COMPAT = 30      /* all but the first */
};

/* A relative Options keeps what it adds in bits 8 and up, what it removes in bits 16 and up. */
#define CONF_OPT_ADD_SHIFT 8
#define CONF_OPT_REMOVE_SHIFT 16
#define CONF_OPT_MASK 63u

/* A name to be looked up when everything has been read. */
struct conf_ref {
	const struct conf_node *node; /* NULL: not given */
	int arg;
	const char *text;
};

/* What mod_ssl's directives say of one host; a ref whose node is NULL was not given. */
struct conf_tls_raw {
	struct conf_ref engine, protocol, ciphers, suites, order, tickets, chain;
	bool on, server_order, tickets_on;
	unsigned versions;             /* bits of enum conf_tls_version */
	size_t certs_n, keys_n;
	struct conf_ref *certs, *keys; /* the first key is the first certificate's */
};

struct conf_log_ref {
	struct conf_ref path, format;
	const char *env;    /* as in conf_custom_log */
	bool env_not;
	const struct conf_expr *expr;
};

struct conf_nick {
	const char *nick, *format;
};

/* Raw side of one conf_server. */
struct conf_srv {
	struct conf_server *s;
	uint64_t set;                  /* bits: fields of *s that this host sets itself */
	const struct conf_node *node;  /* NULL for the main server */
	struct conf_dir raw;           /* settings outside any section */
	unsigned remote_ip_set;        /* bits: what it says of RemoteIP... */
	const struct conf_node *remote_ip_node, *proxy_protocol_node; /* RemoteIPHeader, RemoteIPProxyProtocol; for messages */
	struct conf_ref use_pool, docroot, error_log, user, group, dispatch;
	struct conf_tls_raw tls;
	size_t logs_n;
	struct conf_log_ref *logs;
	size_t nicks_n;
	struct conf_nick *nicks;
	const char *default_format;    /* LogFormat without a nickname */
	bool proxy_handler;            /* a proxy: handler is set somewhere in it */
	bool php_handler;              /* PHP is asked for by name somewhere in it */
	const struct conf_node *ini_node; /* first php_value outside sections */
	/* look-up tables */
	size_t sections_n;             /* all <Directory> and <Location> of this host, in order */
	struct conf_section **sections;
	size_t wild_n, regex_n, locs_n;
	const struct conf_section **wild, **regex, **locs;
};

struct conf_index {
	size_t srvs_n;
	struct conf_srv **srvs;
	struct conf_map dirs;          /* (server, path) -> first struct conf_section of that path */
	struct conf_map groups;        /* (port, host octets) -> struct conf_group; tag 65536: any host */
	struct conf_map names;         /* (group, name) -> struct conf_srv */
	struct conf_group *unix_group; /* for connections over a unix socket */
	size_t groups_n;
	size_t regex_n;
	struct conf_regex **regex;     /* owned */
};

/* A port that Listen calls https. */
struct conf_https_port {
	unsigned port;
	const struct conf_node *node;
};

struct conf_build {
	struct conf *c;
	struct arena *a;               /* the configuration's */
	struct conf_diags *d;
	struct conf_parser *p;
	const struct conf_load_opts *opts;
	struct conf_users users;
	struct conf_map pools;         /* tag 0: name, tag 1: proxy: text -> struct conf_pool */
	struct conf_map log_files;     /* path -> struct conf_log_file */
	struct conf_map log_formats;   /* text -> index + 1 */
	struct conf_ref user, group;   /* of the front */
	struct conf_ref mail_user;
	struct conf_ref types;
	size_t https_n;
	struct conf_https_port *https; /* Listen ... https */
	struct conf_srv *srv;          /* whose directives are being read */
	struct conf_dir *dir;          /* where directory settings go */
	struct conf_section *section;  /* NULL outside sections */
	struct conf_pool *pool;
	unsigned where;                /* one bit of conf_where */
	const struct conf_node *around;/* the section being read, for messages */
	unsigned seq;
	bool oom;
};

/* --- helpers of setters ------------------------------------------------------------------------------------------------ */

/** A diagnostic at argument @arg of @n (-1: its name); an error, or a warning. */
void conf_say(struct conf_build *b, bool error, const struct conf_node *n, int arg, const char *fmt, ...) GW_PRINTF(5, 6);
#define conf_error(b, n, arg, ...) conf_say(b, true, n, arg, __VA_ARGS__)
#define conf_warn(b, n, arg, ...) conf_say(b, false, n, arg, __VA_ARGS__)

/* Append to a counted array of the configuration; evaluates to a pointer to the new element, or NULL (and b->oom). */
#define conf_append(b, array, count)                                                         \
	(__extension__({                                                                     \
		__typeof__(*(array)) *grown_ = conf_push((b)->a, (array), (count), sizeof(*(array))); \
		if (grown_ == NULL)                                                          \
			(b)->oom = true;                                                     \
		else                                                                         \
			(array) = grown_;                                                    \
		grown_ == NULL ? NULL : &grown_[(count)++];                                  \
	}))

/** As arena_strdup, noting a failure in @b. */
char *conf_dup(struct conf_build *b, const char *s);

/** Read directives and sections from @first on, in the context @b stands in. */
void conf_build_walk(struct conf_build *b, const struct conf_node *first);

/** As conf_build_walk() for the content of @n, with another context and targets; the old ones come back afterwards. */
void conf_build_inside(struct conf_build *b, const struct conf_node *n, unsigned where, struct conf_srv *srv,
	struct conf_section *section, struct conf_pool *pool);

/** A host's raw record, appended to the configuration. NULL when memory is out. */
struct conf_srv *conf_srv_new(struct conf_build *b, const struct conf_node *n);

/** Note @n as accepted without effect. */
void conf_build_noeffect(struct conf_build *b, const struct conf_node *n, const char *name, const char *why);

/** Compile argument @arg of @n; the configuration owns it. NULL after saying why not. */
const struct conf_regex *conf_build_regex(struct conf_build *b, const struct conf_node *n, int arg, const char *pattern);

/** Compile @pattern; the configuration owns it. NULL with the reason in @why. */
const struct conf_regex *conf_keep_regex(struct conf_build *b, const char *pattern, bool any_case, char *why, size_t cap);

/** As conf_build_regex(), letter case ignored. */
const struct conf_regex *conf_build_regex_any_case(struct conf_build *b, const struct conf_node *n, int arg, const char *pattern);

/** An expression of @n's argument @arg, or a part of it: @text; @string as in conf_expr_parse(). NULL after saying why not. */
const struct conf_expr *conf_build_expr(struct conf_build *b, const struct conf_node *n, int arg, const char *text, bool string);

/** As conf_build_expr(), a condition that is decided before there is an answer; warns of one that asks for it. */
const struct conf_expr *conf_build_early_condition(struct conf_build *b, const struct conf_node *n, int arg, const char *text);

/** What b->dir has of Header and its kin, made when it is new. NULL when memory is out. */
struct conf_edit *conf_build_edit(struct conf_build *b);

/** Absolute path of an argument, relative to the server root. NULL when memory is out. */
char *conf_build_path(struct conf_build *b, const char *path);

/** Whether the directory that @path (absolute) lies in is missing. What cannot be looked at counts as there. */
bool conf_build_dir_missing(struct conf_build *b, const char *path);

/** The pool that "proxy:..." names, made when it is new. NULL after saying why not. */
const struct conf_pool *conf_build_proxy(struct conf_build *b, const struct conf_node *n, int arg, const char *text);

/** Where the table's entry stores its value; marks the field as set. */
void *conf_field(struct conf_build *b, const struct conf_directive *d);

/* A word that stands for bits. */
struct conf_bit_word {
	const char *word;
	unsigned bits;
	const char *noeffect; /* accepted, but this is why it does nothing; else NULL */
};

/** @word in @table (ended by a word NULL), ASCII case ignored. NULL after saying which word is nearest to argument @arg of @n. */
const struct conf_bit_word *conf_bit_word_find(struct conf_build *b, const struct conf_node *n, int arg, const char *word,
	const struct conf_bit_word *table);

/** Apply bits @value with @sign ('+', '-' or NUL: plain) to what one section says. */
void conf_bits_apply(struct conf_bits *bits, char sign, unsigned value);

/** A time as Apache writes them, seconds without a unit: "30", "500ms", "5min"; in milliseconds, from @lo_ms to @hi_ms. Returns NULL, or why not (static text). */
const char *conf_value_time(const char *text, int64_t lo_ms, int64_t hi_ms, unsigned *out);

/** Octets, perhaps with K, M or G behind them, from @lo to @hi. Returns NULL, or why not (static text). */
const char *conf_value_size(const char *text, int64_t lo, int64_t hi, int64_t *out);

/** A number. Returns NULL, or why not (static text). */
const char *conf_value_int(const char *text, int64_t lo, int64_t hi, int64_t *out);

/* The longest period that a rate may be for. */
enum conf_rate { CONF_RATE_HOUR = 2, CONF_RATE_DAY };

/**
 * "50/second": *@n (1 to 1,000,000) in each *@ms. Returns NULL, or why not (static text) with the period nearest to what was
 * written in *@near, if it was that. @a: scratch memory.
 */
const char *conf_value_rate(struct arena *a, const char *text, enum conf_rate longest, unsigned *n, unsigned *ms, struct conf_suggest *near);

/** Argument @arg of @n as a file's extension, without its dot; borrowed. NULL after saying that it is none. */
const char *conf_extension(struct conf_build *b, const struct conf_node *n, int arg);
/** On or Off. Returns NULL, or why not (static text). */
const char *conf_value_flag(const char *text, bool *out);

/** conf_logs.c: the record of the log that @r names, made when it is new. NULL after saying what is wrong, or without memory. */
const struct conf_log_file *conf_log_file_get(struct conf_build *b, const struct conf_ref *r);

/** conf_logs.c: @srv's logs and their formats. */
void conf_resolve_logs(struct conf_build *b, struct conf_srv *srv);

/** Whether a LogFormat's text is a format rather than a name of one. */
bool conf_is_format(const char *s);

/* --- steps ----------------------------------------------------------------------------------------------------------- */

/** What a configuration has where it says nothing, in @s. */
void conf_server_defaults(struct conf_server *s);
void conf_dir_defaults(struct conf_dir *d);

/** @over on top of @base, in @a. NULL when memory is out. Both may be raw or merged; the result counts as merged. */
struct conf_dir *conf_dir_merge(struct arena *a, const struct conf_dir *base, const struct conf_dir *over);

/** Stages that @t does not set itself, from @from. */
void conf_read_timeout_inherit(struct conf_read_timeout *t, const struct conf_read_timeout *from);

/** What @srv does not say of RemoteIP..., from @from. */
void conf_remote_ip_inherit(struct conf_srv *srv, const struct conf_srv *from);

/** Warn of what @srv says of proxies and nobody would want. */
void conf_remote_ip_check(struct conf_build *b, const struct conf_srv *srv);

/** LimitClient... where nothing is said: loopback counts for nobody. */
void conf_clients_defaults(struct conf_client_limits *l);

/** @srv's fields that it does not set itself, from the main server. */
void conf_server_inherit(struct conf_build *b, struct conf_srv *srv, const struct conf_srv *main_srv);

/** Resolve, inherit, check (conf_resolve.c, conf_check.c). */
void conf_resolve(struct conf_build *b);
void conf_check(struct conf_build *b);

/** Give every host its struct conf_tls, or none; then look for hosts of one address that do not agree (conf_tls.c). */
void conf_tls_resolve(struct conf_build *b);
void conf_tls_check(struct conf_build *b);

/** Look-up tables. Return 0 or GW_ERR_NOMEM. */
int conf_index_sections(struct conf_index *ix, struct arena *a) GW_MUST_USE;
int conf_index_hosts(struct conf *c, struct arena *a) GW_MUST_USE;

/* setters of conf_set_*.c, for the table */
conf_setter conf_set_int, conf_set_size, conf_set_time, conf_set_flag, conf_set_word, conf_set_text;
conf_setter conf_set_noeffect, conf_set_reading, conf_set_condition, conf_set_refused, conf_set_abort;
conf_setter conf_set_protocols;
conf_setter conf_set_listen, conf_set_server_name, conf_set_server_alias, conf_set_docroot, conf_set_alias, conf_set_user, conf_set_front_path;
conf_setter conf_set_types;
conf_setter conf_set_error_log, conf_set_error_format, conf_set_custom_log, conf_set_log_format, conf_set_log_level; /* conf_set_logs.c */
conf_setter conf_set_spool_path;
conf_setter conf_set_path, conf_set_pid_file, conf_set_server_root, conf_set_rewrite_engine;
conf_setter conf_set_dispatch, conf_set_isolation, conf_set_calls, conf_set_php_version, conf_set_site_user, conf_set_use_pool, conf_set_ini, conf_set_ini_flag;
conf_setter conf_set_read_timeout, conf_set_client_connections, conf_set_client_rate, conf_set_client_prefix, conf_set_client_exempt;
conf_setter conf_set_remote_ip_field, conf_set_remote_ip_proxies, conf_set_remote_ip_list;
conf_setter conf_set_proxy_protocol, conf_set_proxy_protocol_nets;
conf_setter conf_set_bound, conf_set_cpu_max, conf_set_io_max;
conf_setter conf_set_mail_relay, conf_set_mail_rate, conf_set_mail_from, conf_set_mail_user;
conf_setter conf_set_ssl_engine, conf_set_ssl_file, conf_set_ssl_protocol, conf_set_ssl_ciphers, conf_set_ssl_flag, conf_set_ssl_options;
conf_setter conf_set_ssl_require, conf_set_ssl_verify, conf_set_ssl_off;
conf_setter conf_set_sandbox_off, conf_set_sandbox_path, conf_set_octets, conf_set_tcp_ports;
conf_setter conf_set_pool, conf_set_pool_server, conf_set_proxy_pass_match;
conf_setter conf_set_handler, conf_set_add_handler, conf_set_add_type, conf_set_remove_ext, conf_set_force_type;
conf_setter conf_set_index, conf_set_charset, conf_set_limit_body, conf_set_error_doc, conf_set_redirect;
conf_setter conf_set_options, conf_set_override;
conf_setter conf_set_add_meta, conf_set_remove_meta, conf_set_default_language, conf_set_file_etag, conf_set_dir_slash;
conf_setter conf_set_fallback, conf_set_precompressed, conf_set_file_cache;
conf_setter conf_set_index_options, conf_set_index_order, conf_set_index_ignore, conf_set_index_ignore_reset;
conf_setter conf_set_index_text, conf_set_description;
conf_setter conf_set_env, conf_set_unset_env, conf_set_pass_env, conf_set_env_if, conf_set_env_if_expr, conf_set_browser_match;
conf_setter conf_set_header, conf_set_request_header, conf_set_expires_active, conf_set_expires;
conf_setter conf_set_output_filter, conf_set_add_filter, conf_set_compression, conf_set_alter_etag;
conf_setter conf_set_xsendfile, conf_set_xsendfile_path;
conf_setter conf_set_require, conf_set_require_section, conf_set_order, conf_set_allow_deny, conf_set_satisfy;
conf_setter conf_set_auth_merging;
conf_setter conf_set_vhost, conf_set_directory, conf_set_files, conf_set_location, conf_set_if;

#endif
