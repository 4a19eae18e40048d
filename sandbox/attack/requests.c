/* SPDX-License-Identifier: Apache-2.0 */
/** Other requests: their answers, their state, their turn. */
#include "sandbox/attack/attack.h"

/* The cell's connection to the front, and a FastCGI record on it. */
#define CONNECTION                                                                                                     \
	"for ($fd = 3; $fd < 64; $fd++) { $b = str_repeat(\"\\0\", 4); $l = pack('V', 4); if (call('getsockopt', $fd, 1, 3, $b, $l) === 0) break; }" \
	" $record = fn($type, $id, $text) => pack('CCnnCC', 1, $type, $id, strlen($text), 0, 0) . $text;"                 \
	" $write = fn($text) => call('write', $fd, $text, strlen($text));"
#define INTACT "stopped('this answer is its own');"

const struct attack attack_requests[] = {
	{.name = "answer-next-request", .threat = "answer another client's request", .layer = "front", .how = "an answer ends at its END_REQUEST; what follows ends the connection",
		.code = CONNECTION " $write($record(6, 1, \"Content-Type: text/plain\\r\\n\\r\\nfirst\")); $write($record(3, 1, str_repeat(\"\\0\", 8)));"
			" $write($record(6, 1, \"Content-Type: text/plain\\r\\n\\r\\nthrough: a forged answer\\n\")); $write($record(3, 1, str_repeat(\"\\0\", 8))); call('exit_group', 0);",
		.end = ATTACK_THEN_SELF, .then = INTACT, .site = "shared"},
	{.name = "answer-next-request-late", .threat = "the same after the client has its answer", .layer = "front", .how = "requests on one connection have different numbers",
		.code = CONNECTION " loaded('fastcgi_finish_request'); echo 'done'; fastcgi_finish_request(); usleep(300000);"
			" for ($i = 0; $i < 20; $i++) $write($record(6, 1, \"Content-Type: text/plain\\r\\n\\r\\nthrough: a forged answer\\n\"));",
		.end = ATTACK_THEN_SELF, .then = INTACT, .site = "shared"},
	{.name = "foreign-request-number", .threat = "records for a request that is another's", .layer = "front", .how = "records of another number are refused",
		.code = CONNECTION " for ($id = 2; $id < 50; $id++) $write($record(6, $id, \"Content-Type: text/plain\\r\\n\\r\\nthrough: a forged answer\\n\")); call('exit_group', 0);",
		.end = ATTACK_THEN_SELF, .then = INTACT, .site = "shared"},
	{.name = "broken-records", .threat = "confuse the front with what is no FastCGI", .layer = "front", .how = "the decoder refuses it: 502",
		.code = CONNECTION " $write(str_repeat(\"\\xff\\0GET / HTTP/1.1\\r\\n\", 500)); call('exit_group', 0);", .status = 502},
	{.name = "endless-header", .threat = "fill the front's memory", .layer = "front", .how = "a header block has a bound: 502",
		.code = CONNECTION " for ($i = 0; $i < 200 && $write($record(6, 1, 'X-' . str_repeat('a', 60000))) > 0; $i++); call('exit_group', 0);", .status = 502},
	{.name = "header-injection", .threat = "a second answer inside a header field", .layer = "front", .how = "control characters in a field: 502",
		.code = CONNECTION " $write($record(6, 1, \"Content-Type: text/plain\\r\\nX-A: b\\rSet-Cookie: evil=1\\r\\n\\r\\nx\")); $write($record(3, 1, str_repeat(\"\\0\", 8))); call('exit_group', 0);",
		.status = 502},
	{.name = "forged-log-line", .threat = "lines in the log that nobody wrote", .layer = "front", .how = "every line carries the site's name; control characters are escaped",
		.code = "$t = \"harmless\\n[forged] [front:error] all is well\\n\\r[forged]\\n\"; call('write', 2, $t, strlen($t)); error_log($t); stopped('written');",
		.end = ATTACK_THEN_LOG, .then = "[forged]"},
	{.name = "leave-state", .threat = "change what the next request finds", .layer = "cell", .how = "the next request has another process, or one put back",
		.code = "putenv('BH_LEFT=1'); ini_set('precision', '3'); setlocale(LC_ALL, 'C.UTF-8'); mt_srand(1); chdir('/'); umask(0); $GLOBALS['left'] = 1; call('prctl', 15, 'left'); stopped('left');",
		.end = ATTACK_THEN_SELF,
		.then = "if (getenv('BH_LEFT') !== false) through('its environment'); if (ini_get('precision') === '3') through('its settings'); if (umask() === 0) through('its umask');"
			" if (isset($GLOBALS['left'])) through('its variables'); $b = str_repeat(\"\\0\", 16); call('prctl', 16, $b); if (strpos($b, 'left') === 0) through('its name'); stopped('nothing is left');"},
	{.name = "leave-handler", .threat = "code of one's own in the next request", .layer = "cell", .how = "the next request has another process, or one put back",
		.code = "spl_autoload_register(function () { echo \"through: another's code\\n\"; exit; }); set_error_handler(function () { echo \"through: another's code\\n\"; exit; });"
			" register_shutdown_function(function () { put('left', '1'); }); stopped('left');",
		.end = ATTACK_THEN_SELF, .then = "class_exists('Nothing'); echo $nothing; " INTACT},
	{.name = "same-random-numbers", .threat = "know another request's tokens", .layer = "cell", .how = "every cell seeds anew",
		.code = "put('random', mt_rand() . ' ' . rand() . ' ' . uniqid('', true) . ' ' . lcg_value() . ' ' . bin2hex(random_bytes(8))); stopped('drawn');",
		.end = ATTACK_THEN_SELF,
		.then = "$now = explode(' ', mt_rand() . ' ' . rand() . ' ' . uniqid('', true) . ' ' . lcg_value() . ' ' . bin2hex(random_bytes(8)));"
			" $n = count(array_intersect($now, explode(' ', (string)got('random')))); got('random') !== false && $n === 0 ? stopped('all differ') : through(\"$n are the same\");"},
	{.name = "poison-code", .threat = "code of one's own in the next request, by way of opcache's memory", .layer = "opcache", .how = "each cell has its own copy of that memory",
		.code = "loaded('opcache_get_status'); $f = __DIR__ . '/var/inc.php'; if (!is_file($f)) { put('inc.php', '<?php return \"genuine\";'); touch($f, 1000000000); }"
			" $v = include $f; bh_poke(bh_address($v), 'poison!'); stopped('written to');",
		.repeat = 4, .end = ATTACK_THEN_SELF, .then = "$v = strrev(include __DIR__ . '/var/inc.php'); $v === 'eniuneg' ? stopped('the code is as it was') : through(strrev($v));"},
	{.name = "foreign-compiled-code", .threat = "another site's scripts in compiled form", .layer = "opcache", .how = "each site has a cache of its own",
		.code = "loaded('opcache_get_status'); $s = @opcache_get_status(true); if (!$s) skip('opcache is off'); $own = 0;"
			" foreach (array_keys($s['scripts'] ?? []) as $f) { if (strpos($f, '/victim/')) through($f); $own++; } stopped(\"$own scripts, none of another site\");"},
	{.name = "sleep-forever", .threat = "hold a cell for ever", .layer = "cell", .how = "RequestTimeout by the clock: 504", .code = "while (true) sleep(1000);", .status = 504},
	{.name = "spin-forever", .threat = "hold a processor for ever, signals ignored", .layer = "cell", .how = "RequestTimeout by the clock: 504",
		.code = "set_time_limit(0); ignore_user_abort(true); call('rt_sigprocmask', 0, str_repeat(\"\\xff\", 8), 0, 8); while (true);", .status = 504},
	{.name = "crash", .threat = "end more than the own request by a crash", .layer = "cell", .how = "one process a request: 500, and the next is served",
		.code = "bh_poke(8, 'x');", .status = 500},
	{.name = "guess-layout", .threat = "find out the memory layout by crashing cell after cell", .layer = "cell", .how = "after five crashes the zygote is a new one, with another layout",
		.code = "if (got('layout') === false) put('layout', bh_address(PHP_VERSION)); bh_poke(8, 'x');", .repeat = 6, .end = ATTACK_THEN_SELF,
		.then = "(int)got('layout') === bh_address(PHP_VERSION) ? through('the layout is the same') : stopped('the layout is another');"},
	{.name = "load-extension", .threat = "load native code of one's own", .layer = "php", .how = "enable_dl is off for all sites",
		.code = "if (!function_exists('dl')) stopped('no dl()'); @ini_set('enable_dl', '1'); if (ini_get('enable_dl')) through('enable_dl is on'); @dl('bulkhead_selftest.so') ? through('loaded') : stopped('dl() refuses');"},
	{.name = "foreign-functions", .threat = "call native code from PHP", .layer = "php", .how = "ffi.enable stays what the administrator says",
		.code = "if (!class_exists('FFI')) stopped('no FFI'); @ini_set('ffi.enable', '1'); try { $v = FFI::cdef('int getpid(void);')->getpid(); } catch (Throwable $e) { stopped($e->getMessage()); } through(\"getpid() says $v\");"},
	{.name = "opcache-files", .threat = "plant compiled code for later requests", .layer = "php", .how = "opcache.file_cache cannot be set by scripts",
		.code = "@ini_set('opcache.file_cache', __DIR__ . '/var') === false && ini_get('opcache.file_cache') !== __DIR__ . '/var' ? stopped('not to be set') : through('it is set');"},
	{.name = "admin-settings", .threat = "settings that the administrator made final", .layer = "php", .how = "php_admin_value",
		.code = "@ini_set('open_basedir', ''); @ini_set('disable_functions', ''); @ini_set('error_append_string', 'changed') !== false ? through('error_append_string was changed') : stopped('not to be changed');"},
};
const size_t attack_requests_n = sizeof(attack_requests) / sizeof(attack_requests[0]);
