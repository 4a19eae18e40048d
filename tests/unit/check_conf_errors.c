/* SPDX-License-Identifier: Apache-2.0 */
/* Every class of message: kind, line, column, and what it says. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "conf/conf_build.h"
#include "tests/unit/conf_fixture.h"

#define V "<VirtualHost *:8080>\n"
#define E "</VirtualHost>\n"

static const struct {
	const char *in;
	bool root; /* need_root */
	bool error;
	unsigned line, column;
	const char *part;
} cases[] = {
	/* names, contexts, arity */
	{"DocumentRot /x\n", 0, 1, 1, 1, "unknown directive 'DocumentRot'; did you mean DocumentRoot?"},
	{"\n  Xyzzyx\n", 0, 1, 2, 3, "unknown directive 'Xyzzyx'"},
	{"<Directry /x>\n</Directry>\n", 0, 1, 1, 1, "unknown section 'Directry'; did you mean Directory?"},
	{"Directory /x\n", 0, 1, 1, 1, "is a section"},
	{"<Listen 80>\n</Listen>\n", 0, 1, 1, 1, "is a directive"},
	{V "Listen 80\n" E, 0, 1, 2, 1, "cannot stand in <VirtualHost> (line 1); it must stand in: server config"},
	{"Server unix:/x\n", 0, 1, 1, 1, "must stand in: FastCGIPool"},
	{"<Directory /x>\nServerName y\n</Directory>\n", 0, 1, 2, 1, "cannot stand in <Directory>"},
	{"<Directory /x>\n<Directory /y>\n</Directory>\n</Directory>\n", 0, 1, 2, 1, "cannot stand in <Directory>"},
	{"<Location /x>\n<Files y>\n</Files>\n</Location>\n", 0, 1, 2, 1, "cannot stand in <Location>"},
	{V V E E, 0, 1, 2, 1, "cannot stand in <VirtualHost>"},
	{"AllowOverride All\n", 0, 1, 1, 1, "must stand in: directory"},
	{"ServerAlias x\n", 0, 1, 1, 1, "must stand in: virtual host"},
	{"ServerName\n", 0, 1, 1, 1, "too few arguments; it is: ServerName [scheme://]name[:port]"},
	{"ServerName a b\n", 0, 1, 1, 14, "too many arguments; it is: ServerName [scheme://]name[:port]"},
	{"ServerName a # the shop\n", 0, 1, 1, 14, "a comment stands on a line of its own"},
	{"<VirtualHost>\n" E, 0, 1, 1, 1, "too few arguments; it is: <VirtualHost"},
	{"<Directory /x y>\n</Directory>\n", 0, 1, 1, 15, "takes one path"},
	{"Error \"stop here\"\n", 0, 1, 1, 1, "stop here"},
	/* sections */
	{V, 0, 1, 1, 1, "<VirtualHost> is never closed"},
	{V "</Directory>\n" E, 0, 1, 2, 1, "</Directory> where <VirtualHost> of line 1 is still open"},
	{"<Directory x>\n</Directory>\n", 0, 1, 1, 12, "not an absolute path"},
	{"<Location x>\n</Location>\n", 0, 1, 1, 11, "must begin with a slash"},
	{"<FilesMatch \"(\">\n</FilesMatch>\n", 0, 1, 1, 13, "<FilesMatch>: the regular expression fails at octet 2"},
	{"SetEnvIf Request_URI ( x\n", 0, 1, 1, 22, "SetEnvIf: the regular expression fails at octet 2"},
	{"<If %{QUERY_STRING} == 'a'>\n</If>\n", 0, 1, 1, 21, "it is: <If \"condition\">"},
	{"<DirectoryMatch [>\nDocumentRoot x\n</DirectoryMatch>\n", 0, 1, 2, 1, "cannot stand in"},
	{"<Directory />\nRequire expr true\n</Directory>\n", 0, 0, 2, 9, "<If> can hold Require all granted"},
	{"<If \"%{X} == 1\">\n</If>\n", 0, 1, 1, 5, "there is no variable X"},
	{"<Limit GET>\n</Limit>\n", 0, 1, 1, 1, "refused: rules by method"},
	{"<LimitExcept GET>\n</LimitExcept>\n", 0, 1, 1, 1, "refused: rules by method"},
	/* values */
	{"MailRelay smpt://127.0.0.1\n", 0, 1, 1, 11, "is none of smtp://host[:port]"},
	{"MailRelay smtp://127.0.0.1:99999\n", 0, 1, 1, 11, "a number from 1 to 65535"},
	{"MailRelay lmtp://127.0.0.1\n", 0, 1, 1, 11, "LMTP has no usual port"},
	{"MailRelay unix:relative\n", 0, 1, 1, 11, "MailRelay: 'unix:relative'"},
	{"MailRate 100\n", 0, 1, 1, 10, "has no /"},
	{"MailRate 100/huor\n", 0, 1, 1, 10, "ends in no period; write none or a number with /second, /minute, /hour or /day; did you mean hour?"},
	{"MailRate 0/hour\n", 0, 1, 1, 10, "too small"},
	{"MailRate x/hour\n", 0, 1, 1, 10, "not a whole number"},
	{"MailFrom a@x.org example.org\n", 0, 1, 1, 18, "'example.org' is not any, an address, or @ with a domain"},
	{"MailFrom \"a b@x.org\"\n", 0, 1, 1, 10, "is not any, an address"},
	{"MailMaxSize 10\n", 0, 1, 1, 13, "too small; it goes from 1024"},
	{"MailTimeout 500ms\n", 0, 1, 1, 13, "too short"},
	{"User nobody\nMailUser nobdy\n", 1, 1, 2, 10, "did you mean nobody?"},
	{"User nobody\nMailUser root\n", 1, 1, 2, 10, "not handled as root"},
	{V "MailUser nobody\n" E, 0, 1, 2, 1, "must stand in: server config"},
	{"RequestReadTimeout heder=10\n", 0, 1, 1, 20, "'heder=10' is none of handshake=, header= and body=; did you mean header?"},
	{"RequestReadTimeout 10\n", 0, 1, 1, 20, "is none of"},
	{"RequestReadTimeout header=x\n", 0, 1, 1, 20, "is not a time"},
	{"RequestReadTimeout body=1 header=20-10,MinRate=1\n", 0, 1, 1, 27, "allows less at most than at first"},
	{"RequestReadTimeout header=20-40\n", 0, 1, 1, 20, "is a range: say by MinRate="},
	{"RequestReadTimeout header=20,MinRate=0\n", 0, 1, 1, 20, "MinRate that is no number of octets"},
	{"RequestReadTimeout header=20,Rate=1\n", 0, 1, 1, 20, "something else than MinRate="},
	{"SendMinRate -1\n", 0, 1, 1, 13, "too small"},
	{"LimitClientConnections 0\n", 0, 1, 1, 24, "'0' is too small; write none or a number"},
	{"LimitClientRate 50\n", 0, 1, 1, 17, "has no /"},
	{"LimitClientRate 50/secnd\n", 0, 1, 1, 17, "did you mean second?"},
	{"LimitClientRate 50/second brust=3\n", 0, 1, 1, 27, "'brust=3' is not burst=number"},
	{"LimitClientRate none burst=3\n", 0, 1, 1, 22, "belongs to a rate"},
	{"LimitClientPrefix 24 129\n", 0, 1, 1, 22, "it goes from 1 to 128"},
	{"LimitClientExempt 10.0.0.1/8\n", 0, 0, 1, 19, "has bits set behind its prefix, which do not count"},
	{"RemoteIPHeader X-A\nRemoteIPInternalProxy 127.0.0.1/8\n", 0, 0, 2, 23, "has bits set behind its prefix, which do not count"},
	{"LimitClientExempt 10.0.0.1/88\n", 0, 1, 1, 19, "has no prefix of 0 to 32 bits"},
	{V "LimitClientRate none\n" E, 0, 1, 2, 1, "must stand in: server config"},
	{"RemoteIPHeader \"X Y\"\n", 0, 1, 1, 16, "is no field's name"},
	{"RemoteIPHeader X-Forwarded-For\n", 0, 0, 1, 1, "believed of nobody"},
	{"RemoteIPTrustedProxy 10.0.0.0/33\n", 0, 1, 1, 22, "no prefix of 0 to 32 bits"},
	{"RemoteIPTrustedProxyList /nonexistent/list\n", 0, 1, 1, 26, "No such file"},
	{"RemoteIPProxyProtocol Onn\n", 0, 1, 1, 23, "is not one of On|Off|Optional; did you mean On?"},
	{"RemoteIPProxyProtocol On\n", 0, 0, 1, 23, "name the proxies by RemoteIPProxyProtocolFrom"},
	{"RemoteIPProxyProtocol Optional\n", 0, 1, 1, 23, "name the proxies by RemoteIPProxyProtocolFrom"},
	{"RemoteIPProxyProtocolExceptions x\n", 0, 1, 1, 33, "is no address"},
	{"Timeout 3x\n", 0, 1, 1, 9, "'3x' is not a time"},
	{"Timeout 0\n", 0, 1, 1, 9, "too short"},
	{"MaxKeepAliveRequests -1\n", 0, 1, 1, 22, "too small; it goes from 0"},
	{"ThreadsPerChild 1.5\n", 0, 1, 1, 17, "not a whole number"},
	{"ThreadsPerChild 999999999999999999999999\n", 0, 1, 1, 17, "too large"},
	{"Protocols h2x\n", 0, 1, 1, 11, "not one of h2 h2c http/1.1; did you mean h2"},
	{"Protocols http/1.1 h3\n", 0, 1, 1, 20, "not one of"},
	{"KeepAlive yes\n", 0, 1, 1, 11, "neither On nor Off"},
	{"SandboxMemoryMax 512\n", 0, 1, 1, 18, "'512' is too small; for example 512M, or max"},
	{"SandboxMemoryMax 5X\n", 0, 1, 1, 18, "'5X' is not a number, nor one with K, M, G or T"},
	{"SandboxMemoryMax 5MB\n", 0, 1, 1, 18, "is not a number"},
	{"SandboxMemoryHigh -1\n", 0, 1, 1, 19, "is not a number"},
	{"SandboxSwapMax 9999999T\n", 0, 1, 1, 16, "is too large"},
	{"SandboxProcessesMax 1K\n", 0, 1, 1, 21, "'1K' is not a whole number; it goes from 2 to 4194304"},
	{"SandboxProcessesMax 1\n", 0, 1, 1, 21, "is too small"},
	{"SandboxCpuMax 50\n", 0, 1, 1, 15, "'50' is not a percentage; for example 50%"},
	{"SandboxCpuMax 0%\n", 0, 1, 1, 15, "is too small"},
	{"SandboxCpuMax %\n", 0, 1, 1, 15, "is not a percentage"},
	{"SandboxCpuWeight max\n", 0, 1, 1, 18, "'max' is not a whole number; it goes from 1 to 10000"},
	{"SandboxOomGroup yes\n", 0, 1, 1, 17, "neither On nor Off"},
	{"SandboxIoMax / rbps\n", 0, 1, 1, 16, "'rbps' is none of rbps=, wbps=, riops= and wiops="},
	{"SandboxIoMax / rbps=1M xbps=1\n", 0, 1, 1, 24, "'xbps=1' is none of"},
	{"SandboxIoMax / wiops=0\n", 0, 1, 1, 16, "is too small"},
	{"SandboxIoMax /\n", 0, 1, 1, 1, "too few arguments"},
	{"SandboxMemoryMx 1G\n", 0, 1, 1, 1, "did you mean SandboxMemoryMax?"},
	{"LogLevel warnn\n", 0, 1, 1, 10, "did you mean warn?"},
	{"ServerName ftp://x\n", 0, 1, 1, 12, "scheme must be http or https"},
	{"ServerName x:99999\n", 0, 1, 1, 12, "too large"},
	{"ServerName a/b\n", 0, 1, 1, 12, "not a host name"},
	{V "ServerAlias ok b@d\n" E, 0, 1, 2, 16, "'b@d' is not a host name or pattern"},
	{"Listen 0\n", 0, 1, 1, 8, "1 to 65535"},
	{"Listen 1.2.3:80\n", 0, 1, 1, 8, "not an address"},
	{"Listen [::1]\n", 0, 1, 1, 8, "the port is missing"},
	{"Listen ::1:80\n", 0, 1, 1, 8, "between [ and ]"},
	{"Listen unix:x\n", 0, 1, 1, 8, "absolute path"},
	{"Listen 127.0.0.1:1 ftp\n", 0, 1, 1, 20, "not one of http https"},
	{"Listen 127.0.0.1:1 htps\n", 0, 1, 1, 20, "did you mean http"},
	{"Header allways set X y\n", 0, 1, 1, 8, "did you mean always?"},
	{"Listen 127.0.0.1:443 https\n", 0, 0, 1, 22, "this port speaks plain HTTP"},
	{"Listen 127.0.0.1:80\nListen 127.0.0.1:80\n", 0, 0, 2, 8, "already listened on"},
	{"<VirtualHost *:x>\n" E, 0, 1, 1, 14, "'*:x': the port"},
	{"<VirtualHost 127.0.0.1:81>\n" E, 0, 0, 1, 14, "no Listen for its port"},
	{"Alias x /y\n", 0, 1, 1, 7, "begin with a slash"},
	{"Alias /x /y\nAlias /x/ /z\n", 0, 0, 2, 7, "the first one counts"},
	{"Options +Indexes FollowSymLinks\n", 0, 1, 1, 18, "either all words"},
	{"Options FollowSymLink\n", 0, 1, 1, 9, "did you mean FollowSymLinks?"},
	{"<Directory /x>\nAllowOverride FileInfos\n</Directory>\n", 0, 1, 2, 15, "did you mean FileInfo?"},
	{"ErrorDocument 200 x\n", 0, 1, 1, 15, "400 to 599"},
	{"ErrorDocument 401 http://x/\n", 0, 1, 1, 19, "401 must not redirect"},
	{"Redirect x y\n", 0, 1, 1, 10, "neither a URL path"},
	{"Redirect /x\n", 0, 1, 1, 1, "the target is missing"},
	{"Redirect gone /x /y\n", 0, 1, 1, 18, "takes no target"},
	{"Redirect /x y\n", 0, 1, 1, 13, "must be a URL or begin with a slash"},
	{"RedirectMatch 404 x\n", 0, 1, 1, 1, "refused"},
	{"AddType html .x\n", 0, 1, 1, 9, "not a media type"},
	{"AddType text/x a.b\n", 0, 1, 1, 16, "not an extension"},
	{"AddDefaultCharset a/b\n", 0, 1, 1, 19, "not the name of a character set"},
	{"LimitRequestBody 1k\n", 0, 1, 1, 18, "not a whole number"},
	{"TypesConfig /nowhere/types\n", 0, 1, 1, 13, "No such file"},
	{"DocumentRoot /nowhere/x\n", 0, 0, 1, 14, "No such file"},
	{"DocumentRoot /etc/passwd\n", 0, 1, 1, 14, "not a directory"},
	{"ServerRoot x\n", 0, 1, 1, 12, "absolute path"},
	/* logs */
	{"CustomLog \"|/nowhere/prog x\" common\n", 0, 1, 1, 11, "/nowhere/prog: No such file"},
	{"CustomLog \"| \" common\n", 0, 1, 1, 11, "no program behind the |"},
	{"ErrorLog \"||/bin\"\n", 0, 1, 1, 10, "it is no program"},
	{"ErrorLog syslog:locl0\n", 0, 1, 1, 10, "did you mean local0?"},
	{"ErrorLog \"syslog:local0:my web\"\n", 0, 1, 1, 10, "no name for syslog"},
	{"CustomLog x common expr=tru\n", 0, 1, 1, 20, "CustomLog: octet 1 of the expression: 'tru' is no word"},
	{"CustomLog x common env=!\n", 0, 1, 1, 20, "none of env=NAME"},
	{"LogLevel info ssl:wrn\n", 0, 1, 1, 15, "did you mean warn?"},
	{"LogLevel info s/l:warn\n", 0, 1, 1, 15, "not the name of a module"},
	{"CustomLog x combind\n", 0, 1, 1, 13, "did you mean combined?"},
	{"CustomLog x common when\n", 0, 1, 1, 20, "none of env=NAME"},
	{"LogFormat x a%b\n", 0, 1, 1, 13, "must not hold a %"},
	{"CustomLog /nowhere/x common\n", 0, 0, 1, 11, "its directory does not exist"},
	{"ErrorLog /etc/passwd/x\n", 0, 0, 1, 10, "its directory does not exist"},
	{"PidFile /nowhere/x\n", 0, 0, 1, 9, "its directory does not exist"},
	/* access */
	{"<Directory /x>\nRequire all grantd\n</Directory>\n", 0, 1, 2, 13, "granted or denied"},
	{"<Directory /x>\nRequire al granted\n</Directory>\n", 0, 1, 2, 9, "there is no 'al'; did you mean all?"},
	{"<Directory /x>\nRequire local\n</Directory>\n", 0, 0, 2, 9, "counts as denied"},
	{"<Directory /x>\nRequire not all denied\n</Directory>\n", 0, 1, 2, 1, "only refuses"},
	{"<Directory /x>\n<RequireAny>\nOptions None\n</RequireAny>\n</Directory>\n", 0, 1, 3, 1, "not a rule"},
	{"<Directory /x>\n<RequireAny>\n</RequireAny>\n</Directory>\n", 0, 0, 2, 1, "holds no rule"},
	{"<Directory /x>\nOrder foo\n</Directory>\n", 0, 1, 2, 7, "not one of allow,deny"},
	{"<Directory /x>\nAllow all x\n</Directory>\n", 0, 1, 2, 7, "word from"},
	{"<Directory /x>\nAllow from 10.0.0.0/8\n</Directory>\n", 0, 0, 2, 12, "nobody is let in"},
	{"<Directory /x>\nDeny from evil.example\n</Directory>\n", 0, 0, 2, 11, "everybody is denied"},
	{"<Directory /x>\nSatisfy some\n</Directory>\n", 0, 1, 2, 9, "not one of All Any"},
	{"<Directory /x>\nAuthMerging And\n</Directory>\n", 0, 1, 2, 13, "only Off"},
	{"<Directory /x>\nSSLRequireSSL on\n</Directory>\n", 0, 1, 2, 15, "too many arguments"},
	{"<Directory /x>\nSSLOptions +StdEnvVar\n</Directory>\n", 0, 1, 2, 12, "did you mean StdEnvVars?"},
	/* refused */
	{"ScriptAlias /cgi-bin/ /x/\n", 0, 1, 1, 1, "ScriptAlias is refused: CGI programs are not run"},
	{"RewriteEngine On\n", 0, 1, 1, 1, "FallbackResource before a front controller"},
	{"RewriteRule ^x - [F]\n", 0, 1, 1, 1, "refused"},
	{"Listen unix:/tmp/x https\n", 0, 1, 1, 20, "SSLEngine On"},
	{V "SSLEngine optional\n" E, 0, 1, 2, 11, "either TLS or plain HTTP"},
	{V "SSLEngine perhaps\n" E, 0, 1, 2, 11, "neither On nor Off"},
	{"SSLProtocol all -SSLv3 TLSv1.4\n", 0, 1, 1, 24, "did you mean TLSv1.2?"},
	{"SSLProtocol TLSv1 TLSv1.1\n", 0, 1, 1, 13, "nothing is left"},
	{"SSLProtocol all +TLSv1\n", 0, 0, 1, 17, "RFC 8996"},
	{"SSLCipherSuite DTLS HIGH\n", 0, 1, 1, 16, "neither SSL nor TLSv1.3"},
	{"SSLSessionTickets maybe\n", 0, 1, 1, 19, "neither On nor Off"},
	{"SSLCertificateKeyFile pkcs11:object=x\n", 0, 1, 1, 23, "name a PEM file"},
	{"SSLVerifyClient require\n", 0, 1, 1, 17, "protects something"},
	{"<Directory /x>\nSSLRequire true\n</Directory>\n", 0, 1, 2, 1, "refused"},
	{"SSLTicketKeyLife 0\n", 0, 1, 1, 18, "SSLTicketKeyLife"},
	{"SSLCompression on\n", 0, 0, 1, 16, "stays off"},
	{V "SSLEngine on\nSSLCertificateFile x\n" E V "ServerName p\n" E, 0, 1, 5, 1, "SSLEngine must be the same"},
	{V "ServerName p\n" E V "SSLEngine on\nSSLCertificateFile x\n" E, 0, 1, 5, 11, "SSLEngine must be the same"},
	{"ProxyPass / http://x/\n", 0, 1, 1, 1, "only FastCGI servers"},
	{"ProxyPassMatch ^/x http://y/\n", 0, 1, 1, 20, "SetHandler"},
	{"RequestIsolation rolback\n", 0, 1, 1, 18, "not one of fresh|rollback|shared; did you mean rollback?"},
	{"SandboxProfile pph\n", 0, 1, 1, 16, "not one of php|strict|legacy|learn; did you mean php?"},
	{"RequestIsolation fresch\n", 0, 1, 1, 18, "did you mean fresh?"},
	{"Dispatch event\n", 0, 1, 1, 10, "not one of prefork|worker"},
	/* handlers and pools */
	{"SetHandler server-status\n", 0, 0, 1, 12, "refused (403)"},
	{"SetHandler proxy:http://x\n", 0, 1, 1, 12, "only FastCGI servers are asked"},
	{"SetHandler proxy:unix:/run/x.sock\n", 0, 1, 1, 12, "|fcgi://localhost"},
	{"SetHandler \"proxy:unix:run/x.sock|fcgi://localhost\"\n", 0, 1, 1, 12, "absolute path"},
	{"<FastCGIPool a>\n</FastCGIPool>\n", 0, 1, 1, 1, "has no member"},
	{"<FastCGIPool a>\nServer unix:x\n</FastCGIPool>\n", 0, 1, 2, 8, "absolute path"},
	{"<FastCGIPool a>\nServer unix:/x\n</FastCGIPool>\n<FastCGIPool a>\nServer unix:/x\n</FastCGIPool>\n", 0, 1, 4, 14, "already a pool named a"},
	{"<FastCGIPool a>\nServer unix:/x backup\n</FastCGIPool>\n", 0, 1, 1, 1, "only backup members"},
	{"<FastCGIPool a>\nServer unix:/x weight=0\n</FastCGIPool>\n", 0, 1, 2, 16, "too small"},
	{"<FastCGIPool a>\nServer unix:/x hot\n</FastCGIPool>\n", 0, 1, 2, 16, "weight=N"},
	{"<FastCGIPool a>\nServer 127.0.0.1\n</FastCGIPool>\n", 0, 1, 2, 8, "the port is missing"},
	{"<FastCGIPool fpm>\nServer unix:/x\n</FastCGIPool>\n" V "Dispatch worker\nUsePool fmp\n" E, 0, 1, 6, 9, "there is no <FastCGIPool fmp>; did you mean fpm?"},
	{V "Dispatch worker\n" E, 0, 1, 1, 1, "Dispatch worker without a pool: add UsePool"},
	{"<FastCGIPool fpm>\nServer unix:/x\n</FastCGIPool>\n" V "UsePool fpm\n" E, 0, 0, 5, 1, "no effect with Dispatch prefork"},
	{"LoadModule mpm_event_module x\n" V "AddHandler application/x-httpd-php .php\n" E, 0, 1, 2, 1, "makes Dispatch worker the default"},
	/* PHP settings */
	{"php_flag x maybe\n", 0, 1, 1, 12, "neither On nor Off"},
	{"php_value \"a b\" c\n", 0, 1, 1, 11, "not the name of a PHP setting"},
	{"<FastCGIPool p>\nServer unix:/x\n</FastCGIPool>\n" V "Dispatch worker\nUsePool p\n<Directory /y>\nphp_value a b\n</Directory>\n" E, 0, 1, 8, 1, "php-fpm keeps such values"},
	{"<FastCGIPool p>\nServer unix:/x\n</FastCGIPool>\n" V "Dispatch worker\nUsePool p\nphp_value a b\n" E V "ServerName z\nDispatch worker\nUsePool p\n" E, 0, 1, 7, 1, "it serves others"},
	/* users */
	{"User nobody\n" V "AssignUserID no-such-user-x nogroup\n" E, 1, 1, 3, 14, "there is no such user"},
	{"User nobody\n" V "AssignUserID nobody no-such-group-x\n" E, 1, 1, 3, 21, "there is no such group"},
	{"User nobody\n" V "AssignUserID noboddy nogroup\n" E, 1, 1, 3, 14, "did you mean nobody?"},
	{"User nobody\n" V "AssignUserID root nogroup\n" E, 1, 1, 3, 14, "Dispatch prefork as root is refused"},
	{"User nobody\n" V "SuexecUserGroup nobody root\n" E, 1, 1, 3, 24, "root's group"},
	{"User nobody\n" V "AssignUserID #4242 #0\n" E, 1, 1, 3, 20, "root's group"},
	{"User root\n", 1, 1, 1, 6, "must not run as root"},
	{"ServerName x\n", 1, 1, 1, 1, "User is missing"},
};

START_TEST(message)
{
	struct fixture f;

	fixture_load(&f, cases[_i].in, cases[_i].root);
	if (!fixture_said(&f, cases[_i].error, cases[_i].line, cases[_i].column, cases[_i].part)) {
		fprintf(stderr, "wanted %u:%u '%s' for:\n%s", cases[_i].line, cases[_i].column, cases[_i].part, cases[_i].in);
		conf_diags_print(&f.d, 2);
		ck_abort();
	}
	/* A warning alone does not stop anything. */
	if (!cases[_i].error)
		ck_assert_uint_eq(f.d.errors, 0);
	fixture_free(&f);
}
END_TEST

START_TEST(missing_listen_is_an_error)
{
	char path[512];
	struct conf_load_opts o = {.file = path};
	struct conf_diags d;

	fixture_file("nolisten.conf", "ServerName x\n");
	(void)snprintf(path, sizeof(path), "%s/nolisten.conf", fixture_dir());
	conf_diags_init(&d);
	ck_assert_ptr_null(conf_load(&o, &d));
	ck_assert_ptr_nonnull(strstr(d.v[0].text, "Listen is missing"));
	conf_diags_fini(&d);
	(void)snprintf(path, sizeof(path), "%s/no-such-file.conf", fixture_dir());
	conf_diags_init(&d);
	ck_assert_ptr_null(conf_load(&o, &d));
	ck_assert_uint_eq(d.n, 1); /* not also that it lacks this and that */
	ck_assert_ptr_nonnull(strstr(d.v[0].text, "the configuration cannot be read: No such file"));
	conf_diags_fini(&d);
	fixture_file("badlisten.conf", "Listen x:y\n");
	(void)snprintf(path, sizeof(path), "%s/badlisten.conf", fixture_dir());
	conf_diags_init(&d);
	ck_assert_ptr_null(conf_load(&o, &d));
	ck_assert_uint_eq(d.n, 1);
	conf_diags_fini(&d);
}
END_TEST

static const char *check_rollback(void)
{
	return "it is Tuesday";
}

START_TEST(rollback_that_cannot_be_is_a_warning)
{
	char path[512];
	struct conf_load_opts o = {.file = path, .check_rollback = check_rollback};
	struct conf_diags d;

	fixture_file("rollback.conf", "Listen 127.0.0.1:1\nRequestIsolation rollback\n");
	(void)snprintf(path, sizeof(path), "%s/rollback.conf", fixture_dir());
	conf_diags_init(&d);
	struct conf *c = conf_load(&o, &d);
	ck_assert_ptr_nonnull(c);
	ck_assert_uint_eq(d.warnings, 1);
	ck_assert_uint_eq(d.v[0].line, 2);
	ck_assert_ptr_nonnull(strstr(d.v[0].text, "it is Tuesday"));
	ck_assert_int_eq(c->servers[0]->isolation, CONF_ISOLATION_FRESH);
	conf_free(c);
	o.check_rollback = NULL;
	c = conf_load(&o, &d);
	ck_assert_ptr_nonnull(c);
	ck_assert_int_eq(c->servers[0]->isolation, CONF_ISOLATION_ROLLBACK);
	conf_free(c);
	conf_diags_fini(&d);
}
END_TEST

static const char *check_php(const char *version)
{
	return strcmp(version, "8.2") == 0 ? NULL : "/libexec/bulkhead-php7.4";
}

static const char *check_call(const char *name, bool allow)
{
	static const char *const known[] = {"execve", "vfork", "mount", "read"};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i], name) == 0)
			return allow && i == 2 ? "it leaves" : !allow && i == 3 ? "needed" : NULL;
	return "";
}

static const char *call_name(int nr)
{
	return nr == 3 ? "execve" : nr == 700 ? "vfork" : NULL;
}

START_TEST(calls_are_checked)
{
	char path[512];
	struct conf_load_opts o = {.file = path, .check_call = check_call, .call_name = call_name};
	struct conf_diags d;
	static const struct {
		const char *text, *want;
		unsigned column;
	} bad[] = {
		{"Listen 127.0.0.1:1\nSandboxAllow execve excve\n", "'excve' is not the name of a system call; did you mean execve?", 21},
		{"Listen 127.0.0.1:1\nSandboxDeny vfrk\n", "did you mean vfork?", 13},
		{"Listen 127.0.0.1:1\nSandboxAllow mount\n", "SandboxAllow: mount cannot be allowed: it leaves", 14},
		{"Listen 127.0.0.1:1\nSandboxDeny read\n", "SandboxDeny: read cannot be denied: needed", 13},
	};

	(void)snprintf(path, sizeof(path), "%s/calls.conf", fixture_dir());
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fixture_file("calls.conf", bad[i].text);
		conf_diags_init(&d);
		ck_assert_ptr_null(conf_load(&o, &d));
		ck_assert_ptr_nonnull(strstr(d.v[0].text, bad[i].want));
		ck_assert_uint_eq(d.v[0].column, bad[i].column);
		conf_diags_fini(&d);
	}
	fixture_file("calls.conf", "Listen 127.0.0.1:1\nSandboxAllow execve\nSandboxDeny mount\n<VirtualHost *:1>\nSandboxAllow vfork execve\n</VirtualHost>\n");
	conf_diags_init(&d);
	struct conf *c = conf_load(&o, &d);
	ck_assert_ptr_nonnull(c);
	const struct conf_server *s = c->servers[1];
	ck_assert_uint_eq(s->sandbox_allow_n, 3); /* the main server's first */
	ck_assert_str_eq(s->sandbox_allow[0], "execve");
	ck_assert_str_eq(s->sandbox_allow[1], "vfork");
	ck_assert_uint_eq(s->sandbox_deny_n, 1);
	ck_assert_uint_eq(c->servers[0]->sandbox_allow_n, 1);
	conf_free(c);
	conf_diags_fini(&d);
}
END_TEST

START_TEST(php_that_is_not_there_is_a_warning)
{
	char path[512];
	struct conf_load_opts o = {.file = path, .check_php = check_php};
	struct conf_diags d;

	fixture_file("version.conf", "Listen 127.0.0.1:1\nPHPVersion 8.2\n<VirtualHost *:1>\nPHPVersion 7.4\n</VirtualHost>\n");
	(void)snprintf(path, sizeof(path), "%s/version.conf", fixture_dir());
	conf_diags_init(&d);
	struct conf *c = conf_load(&o, &d);
	ck_assert_ptr_nonnull(c);
	ck_assert_uint_eq(d.warnings, 1);
	ck_assert_uint_eq(d.v[0].line, 4);
	ck_assert_ptr_nonnull(strstr(d.v[0].text, "there is no /libexec/bulkhead-php7.4"));
	conf_free(c);
	conf_diags_fini(&d);
}
END_TEST

START_TEST(all_errors_of_a_run_are_reported_in_order)
{
	struct fixture f;
	int fds[2];
	char out[4096] = "";
	ssize_t n;

	fixture_load(&f, "Foo\nTimeout x\n<Directory /a>\nBar\n</Directory>\nUsePool nope\nSetHandler proxy:x\n", false);
	ck_assert_uint_eq(f.d.errors, 5);
	for (size_t i = 1; i < f.d.n; i++)
		ck_assert_uint_le(f.d.v[i - 1].line, f.d.v[i].line);
	ck_assert_int_eq(pipe(fds), 0);
	conf_diags_print(&f.d, fds[1]);
	n = read(fds[0], out, sizeof(out) - 1);
	ck_assert_int_gt(n, 0);
	ck_assert_ptr_nonnull(strstr(out, "main.conf:1:1: error: unknown directive 'Foo'\n"));
	ck_assert_ptr_nonnull(strstr(out, "main.conf:4:1: error: unknown directive 'Bar'"));
	ck_assert_ptr_nonnull(strstr(out, "5 errors, 1 warning\n"));
	(void)close(fds[0]);
	(void)close(fds[1]);
	fixture_free(&f);
}
END_TEST

START_TEST(diagnostics_are_bounded_and_clean)
{
	struct conf_diags d;
	int fds[2];
	char out[512] = "";

	conf_diags_init(&d);
	for (unsigned i = 0; i < 5000; i++)
		conf_diag_add(&d, i % 2 == 0, "f", i, 1, "x");
	ck_assert_uint_eq(d.n, 1000);
	ck_assert_uint_eq(d.errors, 2500);
	ck_assert_uint_eq(d.warnings, 2500);
	conf_diags_fini(&d);
	conf_diags_init(&d);
	conf_diag_add(&d, true, "a\nb", 1, 2, "c\033[0m");
	ck_assert_int_eq(pipe(fds), 0);
	conf_diags_print(&d, fds[1]);
	ck_assert_int_gt(read(fds[0], out, sizeof(out) - 1), 0);
	ck_assert_ptr_nonnull(strstr(out, "a\\x0ab:1:2: error: c\\x1b[0m\n"));
	(void)close(fds[0]);
	(void)close(fds[1]);
	conf_diags_fini(&d);
}
END_TEST

static const char *check_format(const char *format, size_t *at)
{
	const char *bad = strstr(format, "%!");

	*at = bad == NULL ? 0 : (size_t)(bad - format);
	return bad == NULL ? NULL : "no such directive";
}

START_TEST(log_formats_are_checked_where_they_stand)
{
	char path[512];
	struct conf_load_opts o = {.file = path, .check_format = check_format};
	struct conf_diags d;

	fixture_file("format.conf", "Listen 127.0.0.1:1\nLogFormat \"%h %!\" bad\nCustomLog x \"%h%!\"\nCustomLog x \"%h %r\"\n");
	(void)snprintf(path, sizeof(path), "%s/format.conf", fixture_dir());
	conf_diags_init(&d);
	ck_assert_ptr_null(conf_load(&o, &d));
	ck_assert_uint_eq(d.errors, 2);
	ck_assert_uint_eq(d.v[0].line, 2);
	ck_assert_uint_eq(d.v[0].column, 11);
	ck_assert_ptr_nonnull(strstr(d.v[0].text, "at \"%!\""));
	ck_assert_uint_eq(d.v[1].line, 3);
	conf_diags_fini(&d);
}
END_TEST

START_TEST(table_is_sound)
{
	char where[200];

	for (size_t i = 0; i < conf_directives_n; i++) {
		const struct conf_directive *d = &conf_directives[i];
		ck_assert_ptr_eq(conf_directive_find(d->name, d->section), d); /* no name twice */
		ck_assert_ptr_nonnull(d->set);
		ck_assert_ptr_nonnull(d->args);
		ck_assert_uint_gt(strlen(d->doc), 5);
		ck_assert_uint_ne(d->where, 0);
		ck_assert_int_eq(d->max < 0 || d->max >= d->min, 1);
		ck_assert_uint_gt(strlen(conf_where_text(d->where, where, sizeof(where))), 0);
		/* What a per-directory file may say belongs to a class of AllowOverride. */
		if ((d->where & CONF_W_HT) != 0 && (d->where & CONF_W_POOL) == 0 && strcmp(d->name, "Error") != 0)
			ck_assert_msg(d->override != 0, "%s has no AllowOverride class", d->name);
	}
	ck_assert_ptr_null(conf_directive_find("", false));
	ck_assert_ptr_nonnull(conf_directive_find("documentROOT", false));
}
END_TEST

static void dump_reference(const struct conf *c, int fd)
{
	(void)c;
	conf_dump_reference(fd);
}

START_TEST(reference_in_docs_is_the_table)
{
	char *text = fixture_dump(dump_reference, NULL), *stored = malloc(1u << 20);
	FILE *f = fopen(CHECK_CONF_REFERENCE, "r");
	size_t n;

	ck_assert_ptr_nonnull(f);
	ck_assert_ptr_nonnull(stored);
	n = fread(stored, 1, (1u << 20) - 1, f);
	stored[n] = '\0';
	(void)fclose(f);
	ck_assert_msg(strcmp(text, stored) == 0, "docs/directives.md is old: make it again with bulkhead -L");
	free(stored);
	free(text);
}
END_TEST

Suite *suite_conf_errors(void);

Suite *suite_conf_errors(void)
{
	Suite *s = suite_create("conf: messages");
	TCase *t = tcase_create("all");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, message, 0, (int)(sizeof(cases) / sizeof(*cases)));
	tcase_add_test(t, missing_listen_is_an_error);
	tcase_add_test(t, calls_are_checked);
	tcase_add_test(t, php_that_is_not_there_is_a_warning);
	tcase_add_test(t, rollback_that_cannot_be_is_a_warning);
	tcase_add_test(t, all_errors_of_a_run_are_reported_in_order);
	tcase_add_test(t, diagnostics_are_bounded_and_clean);
	tcase_add_test(t, log_formats_are_checked_where_they_stand);
	tcase_add_test(t, table_is_sound);
	tcase_add_test(t, reference_in_docs_is_the_table);
	suite_add_tcase(s, t);
	return s;
}
