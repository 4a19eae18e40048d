# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# "./dev run", sourced by ./dev: the demo on 127.0.0.1 with one virtual host on each path.

DEMO_PIDS=

demo_end() { # ends what the demo started, by process id, and only that
	local pid i
	trap - EXIT INT TERM
	for pid in $DEMO_PIDS; do kill -TERM "$pid" 2>/dev/null; done
	for pid in $DEMO_PIDS; do
		for ((i = 0; i < 50; i++)); do
			kill -0 "$pid" 2>/dev/null || break
			sleep 0.1
		done
		kill -KILL "$pid" 2>/dev/null
		wait "$pid" 2>/dev/null
	done
	policy_end
	[ -z "$DEMO_TMP" ] || rm -rf "$DEMO_TMP"
	[ -z "${1:-}" ] || exit "$1"
}

demo_wait() { # pid pid-file: until the server has ended, and those that "bulkhead -k upgrade" put in its place
	local pid=$1 now status
	wait "$pid"
	status=$?
	while now=$(cat "$2" 2>/dev/null) && [ -n "$now" ] && [ "$now" != "$pid" ] && kill -0 "$now" 2>/dev/null; do
		say "upgraded: process $now serves"
		DEMO_PIDS="$now $DEMO_PIDS"
		pid=$now status=0
		while kill -0 "$pid" 2>/dev/null; do sleep 0.5; done
	done
	return "$status"
}

demo_answers() { # port: somebody accepts connections there
	(exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

demo_fpm_conf() { # php-fpm of our own: in the foreground, on a socket below the demo's folder
	cat <<CONF
[global]
error_log = $1/log/php-fpm.log
daemonize = no
[demo]
listen = $1/run/fpm.sock
pm = dynamic
pm.max_children = 4
pm.start_servers = 1
pm.min_spare_servers = 1
pm.max_spare_servers = 2
catch_workers_output = yes
CONF
	if [ "$(id -u)" = 0 ]; then
		printf '%s\n' 'user = www-data' 'group = www-data' 'listen.owner = www-data' 'listen.group = www-data' 'listen.mode = 0666'
	fi
}

demo_cert() { # dir: a certificate that no browser knows, for this demo alone
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=localhost" \
		-addext "subjectAltName=DNS:localhost,DNS:prefork.localhost,DNS:worker.localhost" -keyout "$1/tls.key" -out "$1/tls.crt" 2>/dev/null &&
		chmod 600 "$1/tls.key"
}

demo_conf() { # dir port tls-port
	local dir=$1 port=$2 tls=$3
	cat <<CONF
# The demo's configuration: Apache's language. Look around, change it, and tell the running server:
#     $BUILD/bulkhead -f $dir/bulkhead.conf -k graceful

ServerRoot "$dir"
PidFile    "$dir/run/bulkhead.pid"
Listen     127.0.0.1:$port
Listen     127.0.0.1:$tls https
ServerName localhost

# Who the front runs as: the process that talks to clients. No effect when an ordinary user starts the demo.
User  nobody
Group nogroup
# Event loops of the front.
ThreadsPerChild 2

LogFormat "%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\"" combined
ErrorLog  "$dir/log/error.log"
LogLevel  notice
CustomLog "$dir/log/access.log" combined
Timeout   60
KeepAlive On

<Directory "$dir/www">
    Require all granted
    DirectoryIndex index.html index.php
</Directory>

# php-fpm, started by ./dev run beside the server.
<FastCGIPool demo>
    Server "unix:$dir/run/fpm.sock"
</FastCGIPool>

# The first virtual host answers for names that no other has: here http://127.0.0.1:$port/
<VirtualHost *:$port>
    ServerName localhost
    DocumentRoot "$dir/www/start"
    Dispatch worker
    UsePool demo
</VirtualHost>

# Sandboxed cells: every request in a process of its own, as the site's own user.
<VirtualHost *:$port>
    ServerName prefork.localhost
    DocumentRoot "$dir/www/site"
    AssignUserID www-data www-data
    Dispatch prefork
    # Or "rollback": a process is put back after each request. Or "shared": what mod_php does.
    RequestIsolation fresh
    SandboxProfile php
    StartServers 2
    MinSpareServers 2
    MaxSpareServers 4
    MaxRequestWorkers 8
    RequestTimeout 30
    # After that many seconds without a request the site has no process at all.
    SiteIdleTimeout 60
    php_value memory_limit 64M
</VirtualHost>

# The same files by a FastCGI pool.
<VirtualHost *:$port>
    ServerName worker.localhost
    DocumentRoot "$dir/www/site"
    Dispatch worker
    UsePool demo
    RequestTimeout 30
</VirtualHost>

# Both again over TLS, with a certificate that was made for this demo.
SSLCertificateFile    "$dir/tls.crt"
SSLCertificateKeyFile "$dir/tls.key"
<VirtualHost *:$tls>
    ServerName prefork.localhost
    SSLEngine On
    DocumentRoot "$dir/www/site"
    AssignUserID www-data www-data
    Dispatch prefork
    RequestIsolation fresh
</VirtualHost>
<VirtualHost *:$tls>
    ServerName worker.localhost
    SSLEngine On
    DocumentRoot "$dir/www/site"
    Dispatch worker
    UsePool demo
</VirtualHost>
CONF
}

cmd_run() {
	local port=${1:-8080} dir=$BUILD/demo tls fpm server i
	DEMO_TMP=
	case $port in '' | *[!0-9]*) die "run takes a port number, not '$port'" ;; esac
	cmd_deps build run
	say "building (make's output: $BUILD/build.log) ..."
	mkdir -p "$BUILD"
	build_in "$BUILD" >"$BUILD/build.log" 2>&1 || { tail -n 40 "$BUILD/build.log"; die "the build failed"; }
	if demo_answers "$port"; then die "something already listens on 127.0.0.1:$port; try ./dev run $((port + 1))"; fi
	tls=$((port + 363))
	if demo_answers "$tls"; then die "something already listens on 127.0.0.1:$tls, where the demo speaks TLS; try ./dev run $((port + 1))"; fi
	trap 'demo_end 130' INT TERM
	trap 'demo_end' EXIT

	rm -rf "$dir"
	mkdir -p "$dir"
	if [ "$(id -u)" = 0 ] && ! setpriv --reuid www-data --regid www-data --clear-groups test -x "$dir"; then
		# The checkout lies where the demo's users may not look, /root for one.
		DEMO_TMP=$(mktemp -d /tmp/bulkhead-demo.XXXXXX) && chmod 755 "$DEMO_TMP" || exit 1
		dir=$DEMO_TMP
	fi
	mkdir -p "$dir/run" "$dir/log" && cp -R tests/demo/www "$dir/www" && chmod -R a+rX "$dir/www" || exit 1
	sed -i "s/@PORT@/$port/g" "$dir"/www/*/index.*
	demo_fpm_conf "$dir" >"$dir/php-fpm.conf"
	demo_cert "$dir" || die "no certificate for the demo: openssl failed"
	demo_conf "$dir" "$port" "$tls" >"$dir/bulkhead.conf"

	fpm=$(command -v "php-fpm$PHPV" || echo "/usr/sbin/php-fpm$PHPV")
	"$fpm" --nodaemonize --fpm-config "$dir/php-fpm.conf" >"$dir/log/php-fpm.out" 2>&1 &
	DEMO_PIDS="$!"
	"$BUILD/bulkhead" -t -f "$dir/bulkhead.conf" >"$dir/log/check.out" 2>&1 || { cat "$dir/log/check.out"; die "the demo's configuration was refused"; }
	"$BUILD/bulkhead" -X -f "$dir/bulkhead.conf" &
	server=$!
	DEMO_PIDS="$server $DEMO_PIDS"
	for ((i = 0; i < 100; i++)); do
		demo_answers "$port" && break
		kill -0 "$server" 2>/dev/null || die "bulkhead did not start, see above and $dir/log/error.log"
		sleep 0.1
	done
	demo_answers "$port" || die "bulkhead does not answer on 127.0.0.1:$port, see $dir/log/error.log"
	cat <<HELLO

Bulkhead runs.
  http://127.0.0.1:$port/             start page
  http://prefork.localhost:$port/     sandboxed cells, a process for every request
  http://worker.localhost:$port/      php-fpm
  https://prefork.localhost:$tls/    the same over TLS, and https://worker.localhost:$tls/; the certificate is the demo's own

Try:
  curl http://prefork.localhost:$port/hello.php       (without name resolution: curl -H 'Host: prefork.localhost' http://127.0.0.1:$port/hello.php)
  curl -k https://prefork.localhost:$tls/hello.php    HTTP/2 over TLS; -k because nobody knows the demo's certificate
  curl -F file=@README.md http://worker.localhost:$port/form.php
  $BUILD/bulkhead -f $dir/bulkhead.conf -S         which site runs how
  $BUILD/bulkhead -f $dir/bulkhead.conf -k graceful  read the changed configuration
  tail -f $dir/log/error.log

Configuration: $dir/bulkhead.conf   Files: $dir/www   Ctrl-C ends everything.
HELLO
	demo_wait "$server" "$dir/run/bulkhead.pid"
	i=$?
	say "bulkhead ended with status $i"
	demo_end "$i"
}
