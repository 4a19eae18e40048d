/* SPDX-License-Identifier: Apache-2.0 */
/* The one table of directives: what the parser accepts, what -t says of it, and what the reference is made from. */
#include <limits.h>
#include <string.h>
#include <strings.h>

#include "conf/conf_build.h"
#include "conf/conf_fields.h"

#define HT CONF_W_HT
#define MAIN CONF_W_MAIN
#define HOSTS CONF_W_HOSTS
#define ANY CONF_W_ANY
#define SECT (CONF_W_SECTIONS | CONF_W_HT)
#define EVERYWHERE (CONF_W_ANY | CONF_W_POOL)

#define DAY_MS 86400000

/* name, where, class in per-directory files, arguments: least and most, synopsis */
#define D(n, w, o, lo_, hi_, a) .name = (n), .where = (w), .override = (o), .min = (lo_), .max = (hi_), .args = (a)
#define S(n, w, o, lo_, hi_, a) D(n, w, o, lo_, hi_, a), .section = true
#define FIELD(t, f, type, member) .target = (t), .bit = (f), .offset = offsetof(type, member), .size = sizeof(((type *)0)->member)
#define SRV(member) FIELD(CONF_T_SERVER, CONF_F_##member, struct conf_server, member)
#define POOL(member) FIELD(CONF_T_POOL, 0, struct conf_pool, member)
#define CONF(member) FIELD(CONF_T_CONF, 0, struct conf, member)
#define RANGE(l, h) .lo = (l), .hi = (h)

static const char *const dispatch_words[] = {"prefork", "worker", NULL};
static const char *const isolation_words[] = {"fresh", "rollback", "shared", NULL};
static const char *const profile_words[] = {"php", "strict", "legacy", "learn", NULL};
static const char *const slashes_words[] = {"Off", "On", "NoDecode", NULL};
static const char *const proxy_words[] = {"Off", "On", "Optional", NULL};
static const char *const network_words[] = {"host", "none", "loopback", NULL};

#define REFUSED(n, w, why) {D(n, w, CONF_OV_ALL, 0, -1, "..."), .set = conf_set_refused, .doc = (why)}
#define REFUSED_SECTION(n, w, why) {S(n, w, CONF_OV_ALL, 0, -1, "..."), .set = conf_set_refused, .doc = (why)}
#define NONE(n) {D(n, ANY, CONF_OV_ALL, 0, -1, "..."), .set = conf_set_noeffect, .doc = WHY}
#define NONE_SECTION(n, why) {S(n, ANY, CONF_OV_ALL, 0, -1, "..."), .set = conf_set_noeffect, .doc = (why)}

const struct conf_directive conf_directives[] = {
	/* while reading */
	{D("Include", EVERYWHERE, 0, 1, 1, "file|directory|pattern"), .set = conf_set_reading, .doc = "Read other files here; a pattern's files in order of their names."},
	{D("IncludeOptional", EVERYWHERE, 0, 1, 1, "file|directory|pattern"), .set = conf_set_reading, .doc = "As Include; that nothing is found is no error."},
	{D("Define", EVERYWHERE, 0, 1, 2, "name [value]"), .set = conf_set_reading, .doc = "Define a name for <IfDefine> and ${name}."},
	{D("UnDefine", EVERYWHERE, 0, 1, 1, "name"), .set = conf_set_reading, .doc = "Forget a name that Define or -D made."},
	{D("Error", ANY, 0, 1, 1, "text"), .set = conf_set_abort, .doc = "Refuse the configuration with this text."},
	{D("ServerRoot", MAIN, 0, 1, 1, "directory"), .set = conf_set_server_root, .doc = "Base of relative names; the main file's directory when not given."},
	{S("IfModule", EVERYWHERE, 0, 1, 1, "[!]module"), .set = conf_set_condition, .doc = "Read the content when the module (name_module or mod_name.c) is loaded or stood in for. mod_ssl, mod_remoteip, mod_reqtimeout, mod_proxy and mod_proxy_fcgi count as present when LoadModule names them, and while no LoadModule was read at all: a virtual host in <IfModule mod_ssl.c> needs no LoadModule in a file of Bulkhead's own."},
	{S("IfDefine", EVERYWHERE, 0, 1, 1, "[!]name"), .set = conf_set_condition, .doc = "Read the content when the name is defined."},
	{S("IfVersion", EVERYWHERE, 0, 1, 2, "[!][operator] version"), .set = conf_set_condition, .doc = "Read the content when Apache 2.4.62 compares so."},
	{S("IfFile", EVERYWHERE, 0, 1, 1, "[!]file"), .set = conf_set_condition, .doc = "Read the content when the file exists."},

	/* the server */
	{D("Listen", MAIN, 0, 1, 2, "[address:]port|unix:/path [protocol]"), .set = conf_set_listen, .doc = "Accept connections here; more than one may be given."},
	{D("User", MAIN, 0, 1, 1, "name|#number"), .set = conf_set_user, .lo = 0, .doc = "Who the front runs as, and every site that names no user of its own."},
	{D("Group", MAIN, 0, 1, 1, "name|#number"), .set = conf_set_user, .lo = 1, .doc = "The front's group; the user's own when not given."},
	{D("ThreadsPerChild", MAIN, 0, 1, 1, "number"), .set = conf_set_int, CONF(loops), RANGE(1, 256), .doc = "Event loops of a front; one for every two processors when not given: PHP needs the others."},
	{D("ZygoteLimit", MAIN, 0, 1, 1, "number"), .set = conf_set_int, CONF(zygotes_max), RANGE(0, 100000), .doc = "Most sites that are awake at once; one more makes the idle site end that was used longest ago. 256 when not given; 0: no limit."},
	{D("SpareZygotes", MAIN, 0, 1, 1, "number"), .set = conf_set_int, CONF(spare_zygotes), RANGE(0, 16), .doc = "Processes of each PHP that have loaded its libraries and wait for a site to wake up, which is then answered in half the time. 1 when not given."},
	{D("CellLimit", MAIN, 0, 1, 1, "number"), .set = conf_set_int, CONF(cells_max), RANGE(0, 1000000), .doc = "Most cells of all sites together, MaxRequestWorkers notwithstanding; who has less than an equal share gets the next. 1024 when not given; 0: no limit."},
	{D("FrontPath", MAIN, 0, 1, -1, "path..."), .set = conf_set_front_path, .doc = "What the front may read beside the directories that hold document roots and aliases, and <Directory> sections that grant access: where links out of a document root lead; / lifts the bound."},
	{D("SpoolPath", MAIN, 0, 1, 1, "directory"), .set = conf_set_spool_path, CONF(spool_path), .doc = "Where the front keeps request bodies past 64 KB, and answers that wait for their clients, in files without a name; its user must be allowed to write there. /tmp when not given."},
	{D("SpoolMax", MAIN, 0, 1, 1, "octets[K|M|G]"), .set = conf_set_octets, CONF(spool_max), RANGE(1048576, INT64_C(1) << 50), .doc = "Most octets in such files of all sites together, 8G when not given. Past it uploads get 503, and PHP waits with its answer until the client has taken some."},
	{D("PidFile", MAIN, 0, 1, 1, "file"), .set = conf_set_pid_file, CONF(pid_file), .doc = "Where the master writes its process number."},
	{D("OpenFileCache", MAIN, 0, 1, 4, "On|Off|age=time max=N memory=octets[K|M|G] missing=N"), .set = conf_set_file_cache, .doc = "What each loop remembers of files: where a path leads, the open file, small files' contents. A change is seen after the age, 250ms when not given; max and memory are 1024 files and 8M; names that are not there are remembered only with missing=, which says how many."},
	{D("TypesConfig", MAIN, 0, 1, 1, "file"), .set = conf_set_types, .doc = "Media types by extension, in the format of /etc/mime.types."},

	/* hosts */
	{S("VirtualHost", MAIN, 0, 1, -1, "address[:port] ..."), .set = conf_set_vhost, .doc = "A site: chosen by the address of the connection, then by the name asked for."},
	{D("ServerName", HOSTS, 0, 1, 1, "[scheme://]name[:port]"), .set = conf_set_server_name, .doc = "The host's name, and what it calls itself in redirects; with https:// behind a proxy that ends TLS."},
	{D("ServerAlias", CONF_W_VHOST, 0, 1, -1, "name ..."), .set = conf_set_server_alias, .doc = "More names, with * and ?."},
	{D("SiteUnavailable", CONF_W_VHOST, 0, 1, 1, "On|Off"), .set = conf_set_flag, SRV(unavailable), .doc = "On: every request is answered 503, with the site's ErrorDocument if it has one. What the server does by itself for the hosts of a file that is broken when it starts."},
	{D("ServerAdmin", HOSTS, 0, 1, 1, "address"), .set = conf_set_text, SRV(admin), .doc = "Whom error pages and SERVER_ADMIN name."},
	{D("DocumentRoot", HOSTS, 0, 1, 1, "directory"), .set = conf_set_docroot, .doc = "Where the files of the site are."},
	{D("Alias", HOSTS, 0, 2, 2, "url-path path"), .set = conf_set_alias, .doc = "A part of the URL space that lies elsewhere; whole segments, the first match counts."},
	{D("ErrorLog", HOSTS, 0, 1, 1, "file|\"|program\"|syslog[:facility[:ident]]"), .set = conf_set_error_log, .doc = "Where errors of this host are written; see CustomLog."},
	{D("CustomLog", HOSTS, 0, 2, 3, "file|\"|program\"|syslog[:facility[:ident]] format|nickname [env=[!]NAME|expr=condition]"), .set = conf_set_custom_log, .lo = 0, .doc = "An access log; a host with none of its own writes the main server's. A program is started as the user who started the server (with |$ through a shell), and again when it ends."},
	{D("LogIOTrackTTFB", HOSTS, 0, 1, 1, "On|Off"), .set = conf_set_flag, SRV(track_first), .doc = "Take the time at which an answer's head is ready to be sent: %^FB in a LogFormat, in microseconds since the request was read."},
	{D("TransferLog", HOSTS, 0, 1, 1, "file|\"|program\"|syslog[:facility[:ident]]"), .set = conf_set_custom_log, .lo = 1, .doc = "An access log in the last LogFormat without a nickname."},
	{D("SyslogSocket", MAIN, 0, 1, 1, "file"), .set = conf_set_path, CONF(syslog_socket), .doc = "Where syslog or the journal listens; /dev/log when not given."},
	{D("LogFormat", HOSTS, 0, 1, 2, "format [nickname]"), .set = conf_set_log_format, .doc = "Name a format; common, combined and json are there already. \"json: name=%directive name=%directive ...\" writes an object a line, numbers as numbers, null for what is not there; any octets of a client make valid JSON."},
	{D("ErrorLogFormat", HOSTS, 0, 1, 2, "[connection|request] format"), .set = conf_set_error_format, SRV(error_format), .doc = "How lines of the error log look: %t %{u}t %{cu}t %l %m %M %P %T %a %v %V and their modifiers - and +; what else Apache knows is accepted and has nothing to say. Formats for the first line of a connection or request are not used."},
	{D("LogLevel", HOSTS | CONF_W_SECTIONS, 0, 1, -1, "[module:]level ..."), .set = conf_set_log_level, SRV(log_level), .doc = "What is severe enough for the error log: emerg, alert, crit, error, warn (the default), notice, info, debug or trace1 to trace8. Starts, reloads, upgrades and their ends are told from notice on; what is refused is an error."},
	{D("Timeout", HOSTS, 0, 1, 1, "time"), .set = conf_set_time, SRV(timeout_ms), RANGE(1, DAY_MS), .doc = "Longest silence of a client within a request."},
	{D("KeepAlive", HOSTS, 0, 1, 1, "On|Off"), .set = conf_set_flag, SRV(keepalive), .doc = "More than one request on a connection."},
	{D("KeepAliveTimeout", HOSTS, 0, 1, 1, "time"), .set = conf_set_time, SRV(keepalive_timeout_ms), RANGE(1, DAY_MS), .doc = "Longest wait for the next request on a connection."},
	{D("MaxKeepAliveRequests", HOSTS, 0, 1, 1, "number"), .set = conf_set_int, SRV(max_keepalive_requests), RANGE(0, INT_MAX), .doc = "Requests on one connection; 0: no limit."},
	{D("RequestReadTimeout", HOSTS, 0, 1, 3, "[handshake=|header=|body=]time[-most][,MinRate=octets] ..."), .set = conf_set_read_timeout, .doc = "How long a client may take for the TLS handshake, the request's head and its body: a time, a second more for every so many octets, at most another time; 0: no limit. handshake=20-40,MinRate=500 header=20-40,MinRate=500 body=20,MinRate=500 when not given. What comes before a host is known goes by the first one at the address."},
	{D("SendMinRate", HOSTS, 0, 1, 1, "octets"), .set = conf_set_int, SRV(send_min_rate), RANGE(0, INT_MAX), .doc = "Octets a second that a client must take of an answer in the long run, once Timeout has passed; 500 when not given; 0: as slowly as it likes, as long as it is not silent for Timeout."},
	{D("LimitClientConnections", MAIN, 0, 1, 1, "number|none"), .set = conf_set_client_connections, .doc = "Connections that one client may have at once, or requests through proxies that are believed; one more is answered 429, or closed where TLS is spoken. A quarter of what the front can hold when not given."},
	{D("LimitClientRate", MAIN, 0, 1, 2, "none|number/second|minute|hour [burst=number]"), .set = conf_set_client_rate, .doc = "Requests that one client may make in a time, of all sites together: so many at once (or burst), then as time passes; others are answered 429 with Retry-After. none when not given."},
	{D("LimitClientPrefix", MAIN, 0, 1, 2, "bits [bits]"), .set = conf_set_client_prefix, .doc = "What counts as one client: the prefix of an IPv4 address, 32 when not given, and of an IPv6 address, 64 when not given."},
	{D("LimitClientExempt", MAIN, 0, 1, -1, "none|address[/bits] ..."), .set = conf_set_client_exempt, .doc = "Who is not counted; 127.0.0.0/8 and ::1 when not given. Neither are connections over a unix socket, nor those of RemoteIPTrustedProxy and RemoteIPInternalProxy: there the clients behind are."},
	{D("H2MaxMemory", MAIN, 0, 1, 1, "octets[K|M|G]"), .set = conf_set_octets, CONF(http2_memory), RANGE(1048576, INT64_C(1) << 50), .doc = "Memory that connections of HTTP/2 and their requests may hold, of all loops together (each has an equal part), 512M when not given. Past half of it new requests have little memory, and more of SpoolPath; past all of it a connection has one request at a time, and more are refused (REFUSED_STREAM)."},
	{D("RemoteIPHeader", HOSTS, 0, 1, 1, "field"), .set = conf_set_remote_ip_field, .lo = 0, .doc = "The field in which a proxy names the client that it speaks for. Believed of the proxies listed only, so without a list of nobody."},
	{D("RemoteIPProxiesHeader", HOSTS, 0, 1, 1, "field"), .set = conf_set_remote_ip_field, .lo = 1, .doc = "The field that gets the list of trusted proxies that a request came through."},
	{D("RemoteIPTrustedProxy", HOSTS, 0, 1, -1, "address[/bits]|name|unix: ..."), .set = conf_set_remote_ip_proxies, .lo = REMOTE_IP_TRUSTED, .doc = "Proxies that are believed, but for private addresses."},
	{D("RemoteIPInternalProxy", HOSTS, 0, 1, -1, "address[/bits]|name|unix: ..."), .set = conf_set_remote_ip_proxies, .lo = REMOTE_IP_INTERNAL, .doc = "Proxies that are believed whatever address they name; unix: is who connects over a unix socket."},
	{D("RemoteIPTrustedProxyList", HOSTS, 0, 1, 1, "file"), .set = conf_set_remote_ip_list, .lo = REMOTE_IP_TRUSTED, .doc = "The same from a file, one on a line; # begins a comment."},
	{D("RemoteIPInternalProxyList", HOSTS, 0, 1, 1, "file"), .set = conf_set_remote_ip_list, .lo = REMOTE_IP_INTERNAL, .doc = "The same from a file, one on a line; # begins a comment."},
	{D("RemoteIPProxyProtocol", HOSTS, 0, 1, 1, "On|Off|Optional"), .set = conf_set_proxy_protocol, .words = proxy_words, .doc = "Connections begin with a PROXY header, version 1 or 2, that names the client; Optional: or do not, which needs RemoteIPProxyProtocolFrom. Counts for an address and port: of several hosts there, the last that says it decides."},
	{D("RemoteIPProxyProtocolExceptions", HOSTS, 0, 1, -1, "address[/bits] ..."), .set = conf_set_proxy_protocol_nets, .lo = 0, .doc = "Who sends no PROXY header although RemoteIPProxyProtocol is On."},
	{D("RemoteIPProxyProtocolFrom", HOSTS, 0, 1, -1, "address[/bits] ..."), .set = conf_set_proxy_protocol_nets, .lo = 1, .doc = "Who sends one; everybody else speaks for himself, but for connections over a unix socket, which always begin with one. Without it any client that reaches the port may claim any address."},
	{D("LimitRequestLine", HOSTS, 0, 1, 1, "octets"), .set = conf_set_int, SRV(limit_line), RANGE(64, 1048576), .doc = "Longest request line; 8190 when not given. A longer one is answered 414."},
	{D("LimitRequestFields", HOSTS, 0, 1, 1, "number"), .set = conf_set_int, SRV(limit_fields), RANGE(0, 32767), .doc = "Most header fields of a request, and most trailers of a chunked body; 100 when not given. 512 is the most there can be: 0 and what is larger mean that."},
	{D("LimitRequestFieldSize", HOSTS, 0, 1, 1, "octets"), .set = conf_set_int, SRV(limit_field_size), RANGE(64, 1048576), .doc = "Longest header field, and longest trailer; 8190 when not given. A longer one is answered 431, as are too many."},
	{D("LimitRequestHead", HOSTS, 0, 1, 1, "octets"), .set = conf_set_int, SRV(limit_head), RANGE(1024, 16777216), .doc = "Most octets of request line and header fields together, whatever the limits of each; past it: 431. 1048576 over HTTP/1 and 65536 over HTTP/2 when not given; over HTTP/2 262144 at most, and each field counts 32 more."},
	{D("LimitRequestChunkLine", HOSTS, 0, 1, 1, "octets"), .set = conf_set_int, SRV(limit_chunk_line), RANGE(16, 1048576), .doc = "Longest line with the size of a chunk, extensions and line end included; 4096 when not given. A longer one is answered 400."},
	{D("LimitRequestChunkExtensions", HOSTS, 0, 1, 1, "octets"), .set = conf_set_int, SRV(limit_chunk_ext), RANGE(0, INT_MAX), .doc = "Most octets of all chunk extensions of a body, which nobody reads; 65536 when not given. More are answered 400."},
	{D("LimitRequestTrailers", HOSTS, 0, 1, 1, "octets"), .set = conf_set_int, SRV(limit_trailers), RANGE(0, 1048576), .doc = "Most octets of all trailers of a chunked body, their line ends included; 16384 when not given, 0: none may come. More are answered 431; what comes is checked and dropped."},

	{D("SpoolSiteMax", HOSTS, 0, 1, 1, "octets[K|M|G]"), .set = conf_set_octets, SRV(spool_max), RANGE(1048576, INT64_C(1) << 50), .doc = "Most octets of one site in files of SpoolPath, 2G when not given, so that its clients cannot take the room of others. A larger request body gets 413."},
	{D("Protocols", HOSTS, 0, 1, 3, "h2|h2c|http/1.1..."), .set = conf_set_protocols, SRV(protocols), .doc = "What clients may speak. h2: HTTP/2 over TLS, agreed on in the handshake, where the first one named here is taken that the client has. h2c: HTTP/2 in plain text for a client that begins with it; the host that answers an address by default decides whether that is understood there. h2 http/1.1 when not given."},
	{D("AllowEncodedSlashes", HOSTS, 0, 1, 1, "Off|On|NoDecode"), .set = conf_set_word, SRV(encoded_slashes), .words = slashes_words, .doc = "%2F in a path: refused with 404 (Off, when not given), a slash like any other, before dot segments are resolved and rules are asked (On), or three octets of a name (NoDecode)."},
	{D("MergeSlashes", HOSTS, 0, 1, 1, "On|Off"), .set = conf_set_flag, SRV(merge_slashes), .doc = "Off: repeated slashes stay in PATH_INFO. Rules and files see one slash for them either way, so that none can be walked around."},

	/* who answers PHP */
	{D("Dispatch", HOSTS, 0, 1, 1, "prefork|worker"), .set = conf_set_dispatch, SRV(dispatch), .words = dispatch_words, .doc = "Who answers PHP: cells of the site's own, or a FastCGI pool. Without it, what the MPM named by LoadModule says; else prefork."},
	{D("RequestIsolation", HOSTS, 0, 1, 1, "fresh|rollback|shared"), .set = conf_set_isolation, SRV(isolation), .words = isolation_words, .doc = "What is left of a request in a cell: nothing (fresh), nothing, by putting memory and state back (rollback; fresh where the kernel is older than Linux 6.10), all that PHP leaves (shared). Without it rollback, where the kernel can; else fresh."},
	{D("SandboxProfile", HOSTS, 0, 1, 1, "php|strict|legacy|learn"), .set = conf_set_word, SRV(profile), .words = profile_words, .doc = "Which system calls a cell may make: strict has no server sockets, no System V IPC, no threads and no code loaded late; php has what PHP and its extensions call; legacy may also run programs; learn enforces little and tells which profile would do."},
	{D("SandboxAllow", HOSTS, 0, 1, -1, "call..."), .set = conf_set_calls, .lo = 1, .doc = "System calls that the site's cells may make beside its profile's, each as legacy has it; what leads out of the sandbox is refused."},
	{D("SandboxDeny", HOSTS, 0, 1, -1, "call..."), .set = conf_set_calls, .lo = 0, .doc = "System calls that fail with EPERM in the site's cells; wins over SandboxAllow."},
	{D("SandboxMemoryMax", HOSTS, 0, 1, 1, "size|max"), .set = conf_set_bound, SRV(memory_max), RANGE(1048576, INT64_MAX), .doc = "Most memory of all processes of a site together; past it the largest is ended. Sizes end in K, M, G or T. Needs cgroup v2, as every bound here."},
	{D("SandboxMemoryHigh", HOSTS, 0, 1, 1, "size|max"), .set = conf_set_bound, SRV(memory_high), RANGE(1048576, INT64_MAX), .doc = "Past this a site's processes are slowed down and their memory is reclaimed."},
	{D("SandboxSwapMax", HOSTS, 0, 1, 1, "size|max"), .set = conf_set_bound, SRV(swap_max), RANGE(0, INT64_MAX), .doc = "Most swap space of a site; 0: none."},
	{D("SandboxOomGroup", HOSTS, 0, 1, 1, "On|Off"), .set = conf_set_flag, SRV(oom_group), .doc = "Out of memory ends all processes of a site at once, not only the largest."},
	{D("SandboxProcessesMax", HOSTS, 0, 1, 1, "number|max"), .set = conf_set_bound, SRV(processes_max), RANGE(2, 4194304), .doc = "Most processes and threads of a site, its zygote included."},
	{D("SandboxCpuMax", HOSTS, 0, 1, 1, "percent|max"), .set = conf_set_cpu_max, SRV(cpu_max), RANGE(1, 100000), .doc = "Most processor time of a site, in percent of one processor: 50%, or 200% for two."},
	{D("SandboxCpuWeight", HOSTS, 0, 1, 1, "number"), .set = conf_set_bound, SRV(cpu_weight), RANGE(1, 10000), .doc = "A site's share where all want more processor time than there is; 100 when not given."},
	{D("SandboxIoMax", HOSTS, 0, 2, 5, "path key=number ..."), .set = conf_set_io_max, SRV(io_max), .doc = "Bound of the disk that the path is on: rbps, wbps (octets a second), riops, wiops (operations a second). One line for each disk."},
	{D("SandboxPath", HOSTS, 0, 1, 2, "path [ro|rw]"), .set = conf_set_sandbox_path, .doc = "More of the file system that the site's scripts see, at its own path, read-only when not said; what the main server names every site sees."},
	{D("SandboxTmpSize", HOSTS, 0, 1, 1, "octets[K|M|G]"), .set = conf_set_octets, SRV(tmp_size), RANGE(1048576, INT64_C(1) << 40), .doc = "Size of the site's own /tmp, which is in memory and ends with the site's processes."},
	{D("SandboxNetwork", HOSTS, 0, 1, 1, "host|none|loopback"), .set = conf_set_word, SRV(network), .words = network_words, .doc = "Which network the site has: the machine's, none at all, or a loopback interface of its own."},
	{D("SandboxTcpConnect", HOSTS, 0, 1, -1, "any|none|port ..."), .set = conf_set_tcp_ports, SRV(tcp_connect), .lo = 1, .doc = "TCP ports that the site may connect to, any when not given. Names are asked for by UDP, which this does not bound."},
	{D("SandboxTcpBind", HOSTS, 0, 1, -1, "any|none|port ..."), .set = conf_set_tcp_ports, SRV(tcp_bind), .lo = 0, .doc = "TCP ports that the site may take for itself; 0, the default, is one that the kernel chooses."},
	{D("SandboxOff", HOSTS, 0, 1, -1, "mount|pid|ipc|uts|net|cgroup|landlock|keyring|filter"), .set = conf_set_sandbox_off, SRV(sandbox_off), .doc = "Leave out these locks, to see what they break or hold; warned of at every start. Without filter there is no RequestIsolation rollback: it is fresh."},
	{D("AssignUserID", HOSTS, 0, 2, 2, "user group"), .set = conf_set_site_user, .doc = "Who the site's cells run as."},
	{D("SuexecUserGroup", HOSTS, 0, 2, 2, "user group"), .set = conf_set_site_user, .doc = "The same as AssignUserID."},
	{D("RUidGid", HOSTS, 0, 2, 2, "user group"), .set = conf_set_site_user, .doc = "The same as AssignUserID."},
	{D("MailRelay", HOSTS, 0, 1, 1, "none|smtp://host[:port]|unix:/path|lmtp:/path|lmtp://host:port"), .set = conf_set_mail_relay, SRV(mail_relay), .doc = "Where PHP's mail() of a host's cells goes: an SMTP server, by name or unix socket, or an LMTP server. none: mail() fails. Under SandboxProfile legacy PHP starts its sendmail_path instead."},
	{D("MailRate", HOSTS, 0, 1, 1, "none|number/second|minute|hour|day"), .set = conf_set_mail_rate, SRV(mail_rate), .doc = "Recipients that a site may send mail to in a time, 100/hour when not given; so many at once, then as time passes. A reload begins anew."},
	{D("MailFrom", HOSTS, 0, 1, -1, "any|address|@domain ..."), .set = conf_set_mail_from, SRV(mail_from), .doc = "Envelope senders that mail() may name by -f; the first address is the one when it names none, otherwise the site's user at ServerName or at the first domain. any when not given."},
	{D("MailMaxSize", HOSTS, 0, 1, 1, "octets"), .set = conf_set_int, SRV(mail_max_size), RANGE(1024, 1073741824), .doc = "Largest message of mail(), 26214400 octets when not given."},
	{D("MailTimeout", HOSTS, 0, 1, 1, "time"), .set = conf_set_time, SRV(mail_timeout_ms), RANGE(1000, 600000), .doc = "Longest time that mail() waits for the relay in all, 30 seconds when not given; a relay that lets it pass is left alone for ten."},
	{D("MailUser", MAIN, 0, 1, 1, "name|#number"), .set = conf_set_mail_user, .doc = "Who the mail process runs as; bulkhead-mail when there is such a user, else the front's."},
	{D("UsePool", HOSTS, 0, 1, 1, "name"), .set = conf_set_use_pool, .doc = "The <FastCGIPool> that answers PHP with Dispatch worker."},
	{D("StartServers", HOSTS, 0, 1, 1, "number"), .set = conf_set_int, SRV(start_servers), RANGE(0, 1000), .doc = "Cells made when a site wakes up."},
	{D("MinSpareServers", HOSTS, 0, 1, 1, "number"), .set = conf_set_int, SRV(min_spare), RANGE(0, 1000), .doc = "Idle cells kept ready while a site is awake."},
	{D("MaxSpareServers", HOSTS, 0, 1, 1, "number"), .set = conf_set_int, SRV(max_spare), RANGE(0, 1000), .doc = "Idle cells beyond which some are ended."},
	{D("MaxRequestWorkers", HOSTS, 0, 1, 1, "number"), .set = conf_set_int, SRV(max_workers), RANGE(1, 20000), .doc = "Most cells of one site."},
	{D("MaxClients", HOSTS, 0, 1, 1, "number"), .set = conf_set_int, SRV(max_workers), RANGE(1, 20000), .doc = "Old name of MaxRequestWorkers."},
	{D("MaxConnectionsPerChild", HOSTS, 0, 1, 1, "number"), .set = conf_set_int, SRV(max_requests), RANGE(0, INT_MAX), .doc = "Requests a shared cell answers before it is replaced; 0: no limit."},
	{D("MaxRequestsPerChild", HOSTS, 0, 1, 1, "number"), .set = conf_set_int, SRV(max_requests), RANGE(0, INT_MAX), .doc = "Old name of MaxConnectionsPerChild."},
	{D("RequestTimeout", HOSTS, 0, 1, 1, "time"), .set = conf_set_time, SRV(request_timeout_ms), RANGE(0, DAY_MS), .doc = "Longest time a script may take by the clock; 0: no limit."},
	{D("SiteIdleTimeout", HOSTS, 0, 1, 1, "time"), .set = conf_set_time, SRV(site_idle_timeout_ms), RANGE(0, DAY_MS), .doc = "A site without a request for so long gives up all its processes; 0: never."},
	{D("ZygoteLifetime", HOSTS, 0, 1, 1, "time"), .set = conf_set_time, SRV(zygote_life_ms), RANGE(0, DAY_MS), .doc = "A zygote that is so old makes room, at the first moment without a request, for one laid out anew in memory; 0: never."},
	{D("PHPVersion", HOSTS, 0, 1, 1, "version"), .set = conf_set_php_version, SRV(php_version), .doc = "Which bulkhead-php answers, for example 8.2; the newest built when not given."},
	{D("php_value", ANY, CONF_OV_OPTIONS, 2, 2, "name value"), .set = conf_set_ini, .lo = 0, .doc = "A PHP setting that scripts may change."},
	{D("php_flag", ANY, CONF_OV_OPTIONS, 2, 2, "name On|Off"), .set = conf_set_ini_flag, .lo = 0, .doc = "A PHP setting that is on or off; engine Off refuses PHP files (403)."},
	{D("php_admin_value", HOSTS | CONF_W_SECTIONS, 0, 2, 2, "name value"), .set = conf_set_ini, .lo = 1, .doc = "A PHP setting that scripts cannot change."},
	{D("php_admin_flag", HOSTS | CONF_W_SECTIONS, 0, 2, 2, "name On|Off"), .set = conf_set_ini_flag, .lo = 1, .doc = "The same for a setting that is on or off."},
	{S("FastCGIPool", HOSTS, 0, 1, 1, "name"), .set = conf_set_pool, .doc = "FastCGI servers, php-fpm above all, that share requests."},
	{D("Server", CONF_W_POOL, 0, 1, 4, "unix:/path|host:port [weight=N] [max=N] [backup]"), .set = conf_set_pool_server, .doc = "A member of a pool; max: connections at once, backup: only while no other is up."},
	{D("MaxIdle", CONF_W_POOL, 0, 1, 1, "number"), .set = conf_set_int, POOL(max_idle), RANGE(0, 1000), .doc = "Idle connections kept open; each occupies one php-fpm child."},
	{D("IdleTimeout", CONF_W_POOL, 0, 1, 1, "time"), .set = conf_set_time, POOL(idle_timeout_ms), RANGE(1, DAY_MS), .doc = "An idle connection is closed after this."},
	{D("ConnectTimeout", CONF_W_POOL, 0, 1, 1, "time"), .set = conf_set_time, POOL(connect_timeout_ms), RANGE(1, DAY_MS), .doc = "Longest wait for a connection to a member."},
	{D("FailTimeout", CONF_W_POOL, 0, 1, 1, "time"), .set = conf_set_time, POOL(fail_timeout_ms), RANGE(1, DAY_MS), .doc = "A member that failed is left alone so long, and longer when it fails again."},
	{D("QueueTimeout", CONF_W_POOL, 0, 1, 1, "time"), .set = conf_set_time, POOL(queue_timeout_ms), RANGE(1, DAY_MS), .doc = "Longest wait of a request for a member, then 503."},
	{D("ProxyPassMatch", HOSTS, 0, 2, -1, "regex fcgi://host:port[/path]"), .set = conf_set_proxy_pass_match, .doc = "Ask a FastCGI server for the URL paths that match; scripts are found below DocumentRoot."},

	/* directories, files, locations */
	{S("Directory", HOSTS, 0, 1, 2, "path, pattern, or ~ regex"), .set = conf_set_directory, .doc = "Settings of a directory and what is below it."},
	{S("DirectoryMatch", HOSTS, 0, 1, 1, "regex"), .set = conf_set_directory, .lo = 1, .doc = "Settings of directories whose path matches."},
	{S("If", ANY, CONF_OV_ALL, 1, 1, "\"condition\""), .set = conf_set_if, .doc = "Settings where an expression holds, on top of those of all other sections. It may ask for all of the request but its variables and notes, which are set later. Quote the condition."},
	{S("ElseIf", ANY, CONF_OV_ALL, 1, 1, "\"condition\""), .set = conf_set_if, .lo = 1, .doc = "The same where the <If> and <ElseIf> right before it did not hold."},
	{S("Else", ANY, CONF_OV_ALL, 0, 0, ""), .set = conf_set_if, .lo = 1, .doc = "Settings where none of the <If> and <ElseIf> right before it held."},
	{S("Files", HOSTS | CONF_W_DIR | HT, CONF_OV_ALL, 1, 2, "name, pattern, or ~ regex"), .set = conf_set_files, .doc = "Settings of files by their name."},
	{S("FilesMatch", HOSTS | CONF_W_DIR | HT, CONF_OV_ALL, 1, 1, "regex"), .set = conf_set_files, .lo = 1, .doc = "Settings of files whose name matches."},
	{S("Location", HOSTS, 0, 1, 2, "url-path, pattern, or ~ regex"), .set = conf_set_location, .doc = "Settings by URL path; they come after those of directories and files."},
	{S("LocationMatch", HOSTS, 0, 1, 1, "regex"), .set = conf_set_location, .lo = 1, .doc = "Settings by URL path that matches."},
	{D("Options", ANY, CONF_OV_OPTIONS, 1, -1, "[+|-]word ..."), .set = conf_set_options, .doc = "FollowSymLinks, SymLinksIfOwnerMatch, Indexes; MultiViews, ExecCGI, Includes are accepted without effect."},
	{D("AllowOverride", CONF_W_DIR, 0, 1, -1, "All|None|class ..."), .set = conf_set_override, .doc = "What per-directory files may set."},
	{D("Require", ANY | CONF_W_REQUIRE, CONF_OV_AUTHCFG, 1, -1, "all granted|denied"), .set = conf_set_require, .doc = "Who may ask. Every rule but these two counts as denied, with a warning."},
	{S("RequireAll", ANY | CONF_W_REQUIRE, CONF_OV_AUTHCFG, 0, 0, ""), .set = conf_set_require_section, .doc = "All rules inside must hold."},
	{S("RequireAny", ANY | CONF_W_REQUIRE, CONF_OV_AUTHCFG, 0, 0, ""), .set = conf_set_require_section, .doc = "One rule inside must hold."},
	{S("RequireNone", ANY | CONF_W_REQUIRE, CONF_OV_AUTHCFG, 0, 0, ""), .set = conf_set_require_section, .doc = "No rule inside may hold."},
	{D("Order", SECT, CONF_OV_LIMIT, 1, 2, "allow,deny|deny,allow"), .set = conf_set_order, .doc = "Old access rules: which of Allow and Deny has the last word."},
	{D("Allow", SECT, CONF_OV_LIMIT, 2, -1, "from all"), .set = conf_set_allow_deny, .lo = 0, .doc = "Old access rules; anything but all lets nobody in, with a warning."},
	{D("Deny", SECT, CONF_OV_LIMIT, 2, -1, "from all"), .set = conf_set_allow_deny, .lo = 1, .doc = "Old access rules; anything but all denies everybody, with a warning."},
	{D("Satisfy", SECT, CONF_OV_AUTHCFG, 1, 1, "All|Any"), .set = conf_set_satisfy, .doc = "Whether Require and the old rules must both hold."},
	{D("SetHandler", ANY, CONF_OV_FILEINFO, 1, 1, "application/x-httpd-php|proxy:unix:/path|fcgi://localhost|none"), .set = conf_set_handler, .doc = "Who answers, whatever the file's name; an unknown handler refuses (403)."},
	{D("AddHandler", ANY, CONF_OV_FILEINFO, 2, -1, "handler extension ..."), .set = conf_set_add_handler, .doc = "Who answers by extension; PHP only by a name's last one."},
	{D("RemoveHandler", ANY, CONF_OV_FILEINFO, 1, -1, "extension ..."), .set = conf_set_remove_ext, .lo = 1, .doc = "Forget AddHandler; PHP files are then refused (403), never shown."},
	{D("AddType", ANY, CONF_OV_FILEINFO, 2, -1, "type extension ..."), .set = conf_set_add_type, .doc = "Media type by extension; application/x-httpd-php is a handler."},
	{D("RemoveType", ANY, CONF_OV_FILEINFO, 1, -1, "extension ..."), .set = conf_set_remove_ext, .doc = "Forget AddType; as RemoveHandler for PHP files."},
	{D("ForceType", SECT, CONF_OV_FILEINFO, 1, 1, "type|None"), .set = conf_set_force_type, .doc = "Media type whatever the file's name."},
	{D("AddDefaultCharset", ANY, CONF_OV_FILEINFO, 1, 1, "On|Off|name"), .set = conf_set_charset, .doc = "Character set of HTML and plain text without one."},
	{D("DirectoryIndex", ANY, CONF_OV_INDEXES, 1, -1, "name ...|disabled"), .set = conf_set_index, .doc = "Files that answer for a directory; index.html index.php when not given."},
	{D("DirectorySlash", ANY, CONF_OV_INDEXES, 1, 1, "On|Off|NotFound"), .set = conf_set_dir_slash, .doc = "Redirect a directory asked for without its slash to the one with it; else nothing is there (404)."},
	{D("FallbackResource", ANY, CONF_OV_INDEXES, 1, 1, "disabled|url-path"), .set = conf_set_fallback, .doc = "What answers for a path that names no file, with the request's own query; not for names that have a handler, such as x.php."},
	{D("IndexOptions", ANY, CONF_OV_INDEXES, 1, -1, "[+|-]word ..."), .set = conf_set_index_options, .doc = "Form of a listing: FoldersFirst, IgnoreCase, VersionSort, SuppressLastModified, SuppressSize, SuppressDescription, SuppressColumnSorting, IgnoreClient; Apache's other words are accepted without effect."},
	{D("IndexOrderDefault", ANY, CONF_OV_INDEXES, 2, 2, "Ascending|Descending Name|Date|Size|Description"), .set = conf_set_index_order, .doc = "Order of a listing whose query names none."},
	{D("IndexIgnore", ANY, CONF_OV_INDEXES, 1, -1, "pattern ..."), .set = conf_set_index_ignore, .doc = "Names that a listing does not show, beside dot files and what may not be asked for."},
	{D("IndexIgnoreReset", SECT, CONF_OV_INDEXES, 1, 1, "On|Off"), .set = conf_set_index_ignore_reset, .doc = "Forget what outer sections say with IndexIgnore."},
	{D("HeaderName", ANY, CONF_OV_INDEXES, 1, 1, "name"), .set = conf_set_index_text, .lo = 0, .doc = "A file of the directory that its listing begins with: HTML as it is, other text escaped."},
	{D("ReadmeName", ANY, CONF_OV_INDEXES, 1, 1, "name"), .set = conf_set_index_text, .lo = 1, .doc = "A file of the directory that its listing ends with."},
	{D("AddDescription", ANY, CONF_OV_INDEXES, 2, -1, "text pattern ..."), .set = conf_set_description, .doc = "What a listing says of the files whose names match."},
	{D("AddCharset", ANY, CONF_OV_FILEINFO, 2, -1, "name extension ..."), .set = conf_set_add_meta, .lo = CONF_META_CHARSET, .doc = "Character set by extension, of a type that names none."},
	{D("AddEncoding", ANY, CONF_OV_FILEINFO, 2, -1, "coding extension ..."), .set = conf_set_add_meta, .lo = CONF_META_ENCODING, .doc = "Content-Encoding by extension; those of several extensions add up."},
	{D("AddLanguage", ANY, CONF_OV_FILEINFO, 2, -1, "tag extension ..."), .set = conf_set_add_meta, .lo = CONF_META_LANGUAGE, .doc = "Content-Language by extension; those of several extensions add up."},
	{D("RemoveCharset", ANY, CONF_OV_FILEINFO, 1, -1, "extension ..."), .set = conf_set_remove_meta, .lo = CONF_META_CHARSET, .doc = "Forget AddCharset."},
	{D("RemoveEncoding", ANY, CONF_OV_FILEINFO, 1, -1, "extension ..."), .set = conf_set_remove_meta, .lo = CONF_META_ENCODING, .doc = "Forget AddEncoding."},
	{D("RemoveLanguage", ANY, CONF_OV_FILEINFO, 1, -1, "extension ..."), .set = conf_set_remove_meta, .lo = CONF_META_LANGUAGE, .doc = "Forget AddLanguage."},
	{D("DefaultLanguage", ANY, CONF_OV_FILEINFO, 1, 1, "tag|None"), .set = conf_set_default_language, .doc = "Content-Language of files whose name says none."},
	{D("FileETag", ANY, CONF_OV_FILEINFO, 1, -1, "[+|-]MTime|Size|INode ...|All|None"), .set = conf_set_file_etag, .doc = "What a file's entity tag is made from; MTime Size when not given."},
	{D("PrecompressedFiles", ANY, CONF_OV_FILEINFO, 1, 2, "Off|On|br|gzip"), .set = conf_set_precompressed, .doc = "Send NAME.br or NAME.gz in place of NAME to clients that take it, if it is there and not older; Off when not given, On is both."},
	{D("ErrorDocument", ANY, CONF_OV_FILEINFO, 2, 2, "status text|/path|URL|default"), .set = conf_set_error_doc, .doc = "What is answered instead of the built-in text."},
	{D("Redirect", ANY, CONF_OV_FILEINFO, 1, 3, "[status] url-path [target]"), .set = conf_set_redirect, .lo = 0, .doc = "Send a part of the URL space elsewhere."},
	{D("RedirectPermanent", ANY, CONF_OV_FILEINFO, 2, 2, "url-path target"), .set = conf_set_redirect, .lo = 301, .doc = "Redirect with status 301."},
	{D("RedirectTemp", ANY, CONF_OV_FILEINFO, 2, 2, "url-path target"), .set = conf_set_redirect, .lo = 302, .doc = "Redirect with status 302."},
	/* what changes headers and bodies */
	{D("SetEnv", ANY, CONF_OV_FILEINFO, 1, 2, "name [value]"), .set = conf_set_env, .doc = "Set a variable of every request, for PHP, for env= of Header and CustomLog, for expressions and for logs. It comes after SetEnvIf."},
	{D("UnsetEnv", ANY, CONF_OV_FILEINFO, 1, -1, "name ..."), .set = conf_set_unset_env, .doc = "Forget what SetEnv or PassEnv set further out."},
	{D("PassEnv", ANY, CONF_OV_FILEINFO, 1, -1, "name ..."), .set = conf_set_pass_env, .doc = "Set a variable as the server's own environment had it at start."},
	{D("SetEnvIf", ANY, CONF_OV_FILEINFO, 3, -1, "attribute regex [!]name[=value] ..."), .set = conf_set_env_if, .doc = "Set or forget variables where a request field, a variable set before, Remote_Addr, Remote_Host (the address), Server_Addr, Request_Method, Request_Protocol or Request_URI matches; $0 to $9 in a value stand for what did."},
	{D("SetEnvIfNoCase", ANY, CONF_OV_FILEINFO, 3, -1, "attribute regex [!]name[=value] ..."), .set = conf_set_env_if, .lo = 1, .doc = "As SetEnvIf, letter case ignored."},
	{D("SetEnvIfExpr", ANY, CONF_OV_FILEINFO, 2, -1, "condition [!]name[=value] ..."), .set = conf_set_env_if_expr, .doc = "Set or forget variables where an expression holds; $0 to $9 in a value stand for what its last regular expression matched."},
	{D("BrowserMatch", ANY, CONF_OV_FILEINFO, 2, -1, "regex [!]name[=value] ..."), .set = conf_set_browser_match, .doc = "SetEnvIf for User-Agent."},
	{D("BrowserMatchNoCase", ANY, CONF_OV_FILEINFO, 2, -1, "regex [!]name[=value] ..."), .set = conf_set_browser_match, .lo = 1, .doc = "As BrowserMatch, letter case ignored."},
	{D("Header", ANY, CONF_OV_FILEINFO, 2, 6, "[onsuccess|always] set|setifempty|add|append|merge|unset|echo|edit|edit*|note field [value [replacement]] [env=[!]name|expr=condition]"), .set = conf_set_header, .doc = "Change an answer's fields: without always those of answers made by a file or a script, with always also those of errors and redirects made by the server. What a script or the server itself set is seen by both. A value may hold %t, %D, %l, %{name}e, %{name}s, %%, or be expr=text, an expression's text. Framing fields, Date and Server are the server's."},
	{D("RequestHeader", ANY, CONF_OV_FILEINFO, 2, 5, "set|setifempty|add|append|merge|unset|edit|edit* field [value [replacement]] [early|env=[!]name|expr=condition]"), .set = conf_set_request_header, .doc = "Change a request's fields before anything looks at them but the choice of the virtual host and of the settings; early: before SetEnvIf."},
	{D("ExpiresActive", ANY, CONF_OV_INDEXES, 1, 1, "On|Off"), .set = conf_set_expires_active, .doc = "Whether answers below 400 get Expires and Cache-Control: max-age; what a script says of either stands."},
	{D("ExpiresDefault", ANY, CONF_OV_INDEXES, 1, 1, "Aseconds|Mseconds|\"access|modification plus number unit ...\""), .set = conf_set_expires, .doc = "How long answers of any other type stay fresh, from the request or from the file's last change."},
	{D("ExpiresByType", ANY, CONF_OV_INDEXES, 2, 2, "type time"), .set = conf_set_expires, .doc = "How long answers of a media type (text/css, image/*) stay fresh."},
	{D("SetOutputFilter", ANY, CONF_OV_FILEINFO, 1, 1, "DEFLATE|BROTLI_COMPRESS[;...]|NONE"), .set = conf_set_output_filter, .doc = "Compress all answers for clients that take it, the best of what is named. What a page says of a secret beside what a client made it say can be guessed from its compressed length (BREACH): leave such pages out."},
	{D("AddOutputFilter", ANY, CONF_OV_FILEINFO, 2, -1, "DEFLATE|BROTLI_COMPRESS[;...] extension ..."), .set = conf_set_add_filter, .lo = 1, .doc = "Compress files by their extension."},
	{D("AddOutputFilterByType", ANY, CONF_OV_FILEINFO, 2, -1, "DEFLATE|BROTLI_COMPRESS[;...] type ..."), .set = conf_set_add_filter, .doc = "Compress answers by media type; not ranges, not what is encoded already, not what is shorter than 256 octets. See SetOutputFilter."},
	{D("DeflateCompressionLevel", HOSTS, 0, 1, 1, "1-9"), .set = conf_set_compression, .lo = 0, .doc = "How hard DEFLATE tries; zlib's own middle when not given."},
	{D("BrotliCompressionQuality", HOSTS, 0, 1, 1, "0-11"), .set = conf_set_compression, .lo = 1, .doc = "How hard BROTLI_COMPRESS tries; 5 when not given, and more than 6 is slow."},
	{D("DeflateAlterETag", HOSTS, 0, 1, 1, "Weak|AddSuffix|NoChange|Remove"), .set = conf_set_alter_etag, .lo = 0, .doc = "The ETag of a compressed answer: made weak when not given, so that requests that name it are still answered 304; AddSuffix is Apache's -gzip."},
	{D("BrotliAlterETag", HOSTS, 0, 1, 1, "Weak|AddSuffix|NoChange|Remove"), .set = conf_set_alter_etag, .lo = 1, .doc = "The same for BROTLI_COMPRESS."},
	{D("XSendFile", ANY, CONF_OV_FILEINFO, 1, 1, "On|Off"), .set = conf_set_xsendfile, .doc = "Whether a script's X-Sendfile (a path) or X-Accel-Redirect (a URL path) is answered by that file; only below DocumentRoot and XSendFilePath, whatever Require says there."},
	{D("XSendFilePath", HOSTS | CONF_W_DIR, 0, 1, 1, "directory"), .set = conf_set_xsendfile_path, .doc = "One more directory whose files X-Sendfile may name."},
	{D("LimitRequestBody", ANY, CONF_OV_ALL, 1, 1, "octets"), .set = conf_set_limit_body, .doc = "Largest request body; 0: no limit."},

	/* TLS */
	{D("SSLEngine", HOSTS, 0, 1, 1, "On|Off"), .set = conf_set_ssl_engine, .doc = "TLS for this host; all hosts of one address must say the same. Hosts of ports that Listen calls https need not say it."},
	{D("SSLCertificateFile", HOSTS, 0, 1, 1, "file"), .set = conf_set_ssl_file, .lo = 0, .doc = "PEM file: the certificate, then those that lead to a known authority, perhaps the key too. One for each kind of key (RSA, ECDSA). Read again at each reload."},
	{D("SSLCertificateKeyFile", HOSTS, 0, 1, 1, "file"), .set = conf_set_ssl_file, .lo = 1, .doc = "PEM file with the key, without passphrase; the first belongs to the first SSLCertificateFile. Needs to be readable by root only: no process that runs PHP ever holds it."},
	{D("SSLCertificateChainFile", HOSTS, 0, 1, 1, "file"), .set = conf_set_ssl_file, .lo = 2, .doc = "PEM file with certificates sent after those of SSLCertificateFile."},
	{D("SSLProtocol", HOSTS, 0, 1, -1, "[+|-]all|TLSv1.2|TLSv1.3 ..."), .set = conf_set_ssl_protocol, .doc = "Versions of TLS; both when not given. Older ones are accepted in the list, warned of and not spoken."},
	{D("SSLCipherSuite", HOSTS, 0, 1, 2, "[SSL|TLSv1.3] list"), .set = conf_set_ssl_ciphers, .doc = "Ciphers by OpenSSL's names, for TLS 1.2 or, with TLSv1.3 before the list, for that. Without it TLS 1.2 has those with forward secrecy and authenticated encryption."},
	{D("SSLHonorCipherOrder", HOSTS, 0, 1, 1, "On|Off"), .set = conf_set_ssl_flag, .lo = 0, .doc = "Our order of ciphers instead of the client's; Off when not given."},
	{D("SSLSessionTickets", HOSTS, 0, 1, 1, "On|Off"), .set = conf_set_ssl_flag, .lo = 1, .doc = "Resume sessions by tickets; On when not given. Their keys are ours, live in memory and change every twelve hours."},
	{D("SSLTicketKeyLife", MAIN, 0, 1, 1, "time"), .set = conf_set_time, CONF(ticket_life_ms), RANGE(1000, 7 * DAY_MS), .doc = "How long a key encrypts new session tickets, 12 hours when not given; two older ones still decrypt. What is gone cannot be used to read recorded sessions of TLS 1.2."},
	{D("SSLOptions", ANY, CONF_OV_OPTIONS, 1, -1, "[+|-]StdEnvVars ..."), .set = conf_set_ssl_options, .doc = "StdEnvVars: scripts get the SSL_* variables. Other options are accepted without effect."},
	{D("SSLRequireSSL", SECT, CONF_OV_AUTHCFG, 0, 0, ""), .set = conf_set_ssl_require, .doc = "Requests that did not come over TLS are refused (403)."},

	/* only partly without effect */
	{D("SSLVerifyClient", HOSTS | SECT, CONF_OV_AUTHCFG, 1, 1, "none"), .set = conf_set_ssl_verify, .doc = "none is what is done anyway; anything else is refused: client certificates are not asked for by this version"},
	{D("SSLCompression", HOSTS, 0, 1, 1, "Off"), .set = conf_set_ssl_off, .doc = "compression within TLS tells secrets (CRIME)"},
	{D("SSLInsecureRenegotiation", HOSTS, 0, 1, 1, "Off"), .set = conf_set_ssl_off, .doc = "nothing is renegotiated"},
	{D("RewriteEngine", ANY, CONF_OV_FILEINFO, 1, 1, "Off"), .set = conf_set_rewrite_engine, .doc = "On is refused: rewrite rules are not followed by this version. Redirect, and FallbackResource before a front controller, often do instead."},
	{D("AuthMerging", SECT, CONF_OV_AUTHCFG, 1, 1, "Off"), .set = conf_set_auth_merging, .doc = "Off is what is done anyway"},

	/* refused, with the reason */
	REFUSED("ScriptAlias", ANY, "CGI programs are not run; use Alias for files, <FastCGIPool> for programs"),
	REFUSED("ScriptAliasMatch", ANY, "CGI programs are not run"),
	REFUSED("Action", ANY, "CGI programs are not run; for PHP use SetHandler"),
	REFUSED("Script", ANY, "CGI programs are not run"),
	REFUSED("FCGIWrapper", ANY, "programs are not started; run php-fpm and name it with <FastCGIPool>"),
	REFUSED("AliasMatch", HOSTS, "aliases by regular expression are not followed by this version; use Alias"),
	REFUSED("RedirectMatch", ANY, "redirects by regular expression are not followed by this version, and they may protect something; use Redirect or <LocationMatch> with Require all denied"),
	REFUSED("RewriteRule", ANY, "rewrite rules are not followed by this version, and they may protect something"),
	REFUSED("RewriteCond", ANY, "rewrite rules are not followed by this version"),
	REFUSED("RewriteBase", SECT, "rewrite rules are not followed by this version"),
	REFUSED("RewriteMap", HOSTS, "rewrite rules are not followed by this version"),
	REFUSED("RewriteOptions", ANY, "rewrite rules are not followed by this version"),
	REFUSED("ProxyPass", ANY, "only FastCGI servers are asked: SetHandler \"proxy:unix:/path|fcgi://localhost\" or <FastCGIPool>"),
	REFUSED("ProxyPassReverse", ANY, "there is no HTTP proxy"),
	REFUSED("SSLRequire", SECT, "it has a language of its own, which is not evaluated, and this protects something; <If> can hold Require all denied"),
	REFUSED("VirtualDocumentRoot", HOSTS, "virtual hosts are listed one by one; use <VirtualHost>"),
	REFUSED("VirtualScriptAlias", HOSTS, "CGI programs are not run"),
	REFUSED("RMode", ANY, "what a site runs as is fixed: use AssignUserID"),
	REFUSED("RGroups", ANY, "what a site runs as is fixed: use AssignUserID"),
	REFUSED("AllowMethods", SECT, "methods are not restricted by this version, and this protects something"),
	REFUSED("Use", EVERYWHERE, "macros are not expanded by this version"),
	REFUSED_SECTION("Limit", SECT | HOSTS, "rules by method are not decided by this version; outside of it they count for every method"),
	REFUSED_SECTION("LimitExcept", SECT | HOSTS, "rules by method are not decided by this version; outside of it they count for every method"),
	REFUSED_SECTION("Macro", MAIN, "macros are not expanded by this version"),
	REFUSED_SECTION("Perl", ANY, "Perl is not embedded"),
	REFUSED_SECTION("AuthnProviderAlias", MAIN, "passwords are not checked by this version"),
	REFUSED_SECTION("AuthzProviderAlias", MAIN, "rules of other providers are not decided by this version"),

	/* accepted without effect, with the reason; -t lists every use */
#define WHY "modules are built in"
	NONE("LoadModule"), NONE("LoadFile"), NONE("ClearModuleList"), NONE("AddModule"),
#undef WHY
#define WHY "one process model serves every host"
	NONE("Mutex"), NONE("AcceptMutex"), NONE("LockFile"), NONE("DefaultRuntimeDir"), NONE("ScoreBoardFile"),
	NONE("CoreDumpDirectory"), NONE("GracefulShutdownTimeout"), NONE("ListenBackLog"), NONE("ListenCoresBucketsRatio"),
	NONE("SendBufferSize"), NONE("ReceiveBufferSize"), NONE("MaxMemFree"), NONE("ThreadStackSize"),
	NONE("MinSpareThreads"), NONE("MaxSpareThreads"), NONE("ThreadLimit"), NONE("ServerLimit"),
	NONE("AsyncRequestWorkerFactor"), NONE("EnableExceptionHook"), NONE("StackSize"), NONE("MaxThreads"),
	NONE("Protocol"), NONE("AcceptFilter"), NONE("AcceptPathInfo"), NONE("EnableMMAP"), NONE("EnableSendfile"),
	NONE("MaxRangeOverlaps"), NONE("MaxRangeReversals"), NONE("MaxRanges"), NONE("MaxClientsVHost"),
	NONE("AssignUserIDExpr"), NONE("AssignGroupIDExpr"), NONE("LimitUIDRange"), NONE("LimitGIDRange"),
	NONE("NiceValue"), NONE("EnableCapabilities"), NONE("RMinUidGid"), NONE("RDefaultUidGid"), NONE("RDocumentChRoot"),
	NONE("Suexec"), NONE("SuexecUserDir"),
#undef WHY
#define WHY "the names of virtual hosts are looked up for every address"
	NONE("NameVirtualHost"), NONE("ServerPath"), NONE("UseCanonicalName"), NONE("UseCanonicalPhysicalPort"),
#undef WHY
#define WHY "names of clients are not looked up"
	NONE("HostnameLookups"), NONE("IdentityCheck"),
#undef WHY
#define WHY "per-directory files are not read by this version"
	NONE("AccessFileName"), NONE("AllowOverrideList"),
#undef WHY
#define WHY "the answer says what is needed and no more"
	NONE("ServerTokens"), NONE("ServerSignature"),
#undef WHY
#define WHY "TRACE is never answered"
	NONE("TraceEnable"),
#undef WHY
#define WHY "HTTP/2 has bounds of its own; nothing is pushed, and the order of Protocols is kept"
	NONE("ProtocolsHonorOrder"), NONE("H2Direct"), NONE("H2Push"), NONE("H2Upgrade"), NONE("H2MaxSessionStreams"), NONE("H2WindowSize"),
	NONE("H2ModernTLSOnly"), NONE("H2AltSvc"), NONE("H2AltSvcMaxAge"), NONE("H2CopyFiles"), NONE("H2EarlyHints"), NONE("H2MaxWorkers"),
	NONE("H2MinWorkers"), NONE("H2MaxWorkerIdleSeconds"), NONE("H2MaxDataFrameLen"), NONE("H2OutputBuffering"), NONE("H2Padding"),
	NONE("H2PushDiarySize"), NONE("H2PushPriority"), NONE("H2PushResource"), NONE("H2SerializeHeaders"), NONE("H2StreamMaxMemSize"),
	NONE("H2TLSCoolDownSecs"), NONE("H2TLSWarmUpSize"),
#undef WHY
#define WHY "HTTP is spoken strictly"
	NONE("HttpProtocolOptions"), NONE("RegisterHttpMethod"), NONE("MergeTrailers"),
	NONE("ContentDigest"), NONE("LimitInternalRecursion"), NONE("LimitXMLRequestBody"),
#undef WHY
#define WHY "listings of directories have a style of their own"
	NONE("IndexHeadInsert"), NONE("IndexStyleSheet"), NONE("AddAlt"), NONE("AddAltByEncoding"), NONE("AddAltByType"),
	NONE("AddIcon"), NONE("AddIconByEncoding"), NONE("AddIconByType"), NONE("DefaultIcon"), NONE("FancyIndexing"),
#undef WHY
#define WHY "index files are answered in place"
	NONE("DirectoryIndexRedirect"), NONE("DirectoryCheckHandler"), NONE("IndexRedirect"),
#undef WHY
#define WHY "there is no negotiation of variants"
	NONE("LanguagePriority"), NONE("ForceLanguagePriority"),
	NONE("MultiviewsMatch"), NONE("ModMimeUsePathInfo"), NONE("CacheNegotiatedDocs"), NONE("DefaultType"),
	NONE("MimeMagicFile"),
#undef WHY
#define WHY "of output filters there are only DEFLATE and BROTLI_COMPRESS, with fixed buffers"
	NONE("AddInputFilter"),
	NONE("SetInputFilter"), NONE("RemoveOutputFilter"), NONE("RemoveInputFilter"), NONE("FilterDeclare"),
	NONE("FilterProvider"), NONE("FilterChain"), NONE("FilterProtocol"),
	NONE("DeflateFilterNote"), NONE("DeflateMemLevel"), NONE("DeflateWindowSize"), NONE("DeflateBufferSize"),
	NONE("DeflateInflateLimitRequestBody"), NONE("DeflateInflateRatioLimit"), NONE("DeflateInflateRatioBurst"),
	NONE("BrotliCompressionWindow"),
	NONE("BrotliFilterNote"), NONE("BrotliCompressionMaxInputBlock"), NONE("XBitHack"),
	NONE("SSIEndTag"), NONE("SSIStartTag"), NONE("SSIUndefinedEcho"), NONE("SSIErrorMsg"), NONE("SSITimeFormat"),
	NONE("BufferSize"), NONE("Substitute"), NONE("SubstituteMaxLineLength"), NONE("ExtFilterDefine"), NONE("RateLimit"),
#undef WHY
#define WHY "what it would change is fixed here"
	NONE("CGIPassAuth"), NONE("CGIVar"),
#undef WHY
#define WHY "nothing here makes use of it"
	NONE("UniqueIDSuffix"), NONE("QualifyRedirectURL"),
#undef WHY
#define WHY "there is no status page in this version"
	NONE("ExtendedStatus"), NONE("SeeRequestTail"), NONE("ProxyStatus"),
#undef WHY
#define WHY "sessions are resumed by tickets, which need no cache and no file"
	NONE("SSLSessionCache"), NONE("SSLSessionCacheTimeout"), NONE("SSLSessionTicketKeyFile"),
#undef WHY
#define WHY "OpenSSL asks the kernel"
	NONE("SSLRandomSeed"), NONE("SSLCryptoDevice"),
#undef WHY
#define WHY "keys have no passphrase: nobody could type it at a restart in the night"
	NONE("SSLPassPhraseDialog"),
#undef WHY
#define WHY "client certificates are not asked for"
	NONE("SSLCACertificateFile"), NONE("SSLCACertificatePath"), NONE("SSLCARevocationFile"), NONE("SSLCARevocationPath"),
	NONE("SSLCARevocationCheck"), NONE("SSLCADNRequestFile"), NONE("SSLCADNRequestPath"), NONE("SSLOCSPEnable"), NONE("SSLVerifyDepth"),
	NONE("SSLUserName"), NONE("SSLRenegBufferSize"),
#undef WHY
#define WHY "answers of OCSP are not stapled by this version"
	NONE("SSLUseStapling"), NONE("SSLStaplingCache"), NONE("SSLStaplingResponderTimeout"), NONE("SSLStaplingReturnResponderErrors"),
	NONE("SSLStaplingFakeTryLater"), NONE("SSLStaplingStandardCacheTimeout"), NONE("SSLStaplingErrorCacheTimeout"),
#undef WHY
#define WHY "a client that names no host gets the first of the address"
	NONE("SSLStrictSNIVHostCheck"),
#undef WHY
#define WHY "OpenSSL's defaults are as the distribution set them"
	NONE("SSLFIPS"), NONE("SSLOpenSSLConfCmd"), NONE("SSLPolicy"),
#undef WHY
#define WHY "there is no HTTP proxy"
	NONE("SSLProxyEngine"), NONE("SSLProxyVerify"), NONE("SSLProxyProtocol"), NONE("SSLProxyCipherSuite"),
	NONE("SSLProxyCheckPeerName"), NONE("SSLProxyCheckPeerCN"), NONE("SSLProxyCheckPeerExpire"),
#undef WHY
#define WHY "only FastCGI servers are asked, and in their own way"
	NONE("ProxyRequests"), NONE("ProxyPreserveHost"), NONE("ProxyTimeout"), NONE("ProxyVia"),
	NONE("ProxyErrorOverride"), NONE("ProxyAddHeaders"), NONE("ProxySet"), NONE("ProxyFCGIBackendType"),
	NONE("ProxyFCGISetEnvIf"), NONE("ProxyIOBufferSize"), NONE("ProxyBadHeader"), NONE("ProxyMaxForwards"),
	NONE("ProxyDomain"), NONE("ProxyBlock"), NONE("ProxyRemote"), NONE("NoProxy"), NONE("ProxyReceiveBufferSize"),
	NONE("ProxySCGIInternalRedirect"), NONE("FcgidMaxRequestLen"), NONE("FcgidConnectTimeout"), NONE("FcgidIOTimeout"),
	NONE("FcgidBusyTimeout"), NONE("FcgidIdleTimeout"), NONE("FcgidMaxProcesses"), NONE("FcgidMaxProcessesPerClass"),
#undef WHY
#define WHY "who may ask is decided by Require alone, and what it cannot decide is denied"
	NONE("AuthType"), NONE("AuthName"), NONE("AuthUserFile"), NONE("AuthGroupFile"), NONE("AuthBasicProvider"),
	NONE("AuthBasicAuthoritative"), NONE("AuthBasicFake"), NONE("AuthBasicUseDigestAlgorithm"),
	NONE("AuthDigestProvider"), NONE("AuthDigestAlgorithm"), NONE("AuthDigestDomain"), NONE("AuthDigestNcCheck"),
	NONE("AuthDigestNonceFormat"), NONE("AuthDigestNonceLifetime"), NONE("AuthDigestQop"), NONE("AuthDigestShmemSize"),
	NONE("AuthDBMUserFile"), NONE("AuthDBMGroupFile"), NONE("AuthDBMType"), NONE("AuthFormProvider"),
	NONE("AuthLDAPURL"), NONE("AuthLDAPBindDN"), NONE("AuthLDAPBindPassword"), NONE("AuthzSendForbiddenOnFailure"),
#undef WHY
#define WHY "log lines have one form"
	NONE("GlobalLog"), NONE("BufferedLogs"), NONE("CookieTracking"),
	NONE("CookieName"), NONE("CookieExpires"), NONE("ForensicLog"), NONE("LogMessage"), NONE("ScriptLog"),
	NONE("ScriptLogBuffer"), NONE("ScriptLogLength"), NONE("ReadBufferSize"),
#undef WHY
#define WHY "the server's php.ini is the distribution's"
	NONE("PHPINIDir"),
#undef WHY
#define WHY "words are taken as Apache 2.4 does"
	NONE("RegexDefaultOptions"), NONE("StrictHostCheck"), NONE("CheckSpelling"), NONE("CheckCaseOnly"),
	NONE("RedirectRelative"), NONE("AliasPreservePath"), NONE("DTracePrivileges"), NONE("FlushMaxPipelined"),
	NONE("FlushMaxThreshold"),
#undef WHY
#define WHY "CGI programs are not run, home directories not served, DAV not spoken"
	NONE("ScriptSock"), NONE("CGIDScriptTimeout"), NONE("UserDir"), NONE("Dav"), NONE("DavLockDB"), NONE("DavMinTimeout"),
	NONE("DavDepthInfinity"), NONE("DavGenericLockDB"),
#undef WHY
#define WHY "there is no HTTP or FTP proxy"
	NONE("ProxyFtpDirCharset"), NONE("ProxyHTMLLinks"), NONE("ProxyHTMLEvents"), NONE("ProxyHTMLEnable"),
	NONE("ProxyHTMLURLMap"), NONE("ProxyHTMLExtended"), NONE("BalancerMember"), NONE("BalancerPersist"),
#undef WHY
#define WHY "there is no cache"
	NONE("CacheEnable"), NONE("CacheDisable"), NONE("CacheRoot"), NONE("CacheDirLevels"), NONE("CacheDirLength"),
	NONE("CacheMaxFileSize"), NONE("CacheMinFileSize"), NONE("CacheDefaultExpire"), NONE("CacheMaxExpire"),
	NONE("CacheIgnoreHeaders"), NONE("CacheIgnoreNoLastMod"), NONE("CacheQuickHandler"), NONE("CacheLock"),
	NONE("CacheHeader"), NONE("CacheLookup"), NONE("CacheSocache"), NONE("CacheFile"), NONE("MMapFile"),
#undef WHY
	NONE_SECTION("Proxy", "there is no HTTP proxy"),
	NONE_SECTION("ProxyMatch", "there is no HTTP proxy"),
};

const size_t conf_directives_n = sizeof(conf_directives) / sizeof(*conf_directives);

bool conf_directive_is_noeffect(const struct conf_directive *d)
{
	return d->set == conf_set_noeffect;
}

const struct conf_directive *conf_directive_find(const char *name, bool section)
{
	/* Some hundred names, and some ten thousand look-ups in a large load: the first letter decides nearly all. */
	size_t len = strlen(name);
	char first = (char)(name[0] | 0x20);

	for (size_t i = 0; i < conf_directives_n; i++) {
		const struct conf_directive *d = &conf_directives[i];
		if ((d->name[0] | 0x20) == first && d->section == section && strcasecmp(d->name, name) == 0 && d->name[len] == '\0')
			return d;
	}
	return NULL;
}

const char *conf_where_text(unsigned where, char *out, size_t cap)
{
	static const struct {
		unsigned bit;
		const char *text;
	} names[] = {
		{CONF_W_MAIN, "server config"}, {CONF_W_VHOST, "virtual host"}, {CONF_W_DIR, "directory"}, {CONF_W_FILES, "files"},
		{CONF_W_LOC, "location"}, {CONF_W_HT, "per-directory file"}, {CONF_W_POOL, "FastCGIPool"},
		{CONF_W_REQUIRE, "RequireAll and its kin"},
	};
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		size_t n = strlen(names[i].text);
		if ((where & names[i].bit) == 0 || len + n + 3 > cap)
			continue;
		if (len > 0) {
			memcpy(out + len, ", ", 2);
			len += 2;
		}
		memcpy(out + len, names[i].text, n + 1);
		len += n;
	}
	return out;
}
