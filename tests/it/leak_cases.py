# SPDX-License-Identifier: Apache-2.0
"""
The state-leak suite's table: one entry a kind of state, with the PHP that dirties it and the PHP that reads it back.
Each becomes a page of its own; test_state_leak.py runs them on every level of isolation.
"""
import os

# What happens to the state of an earlier request in a process that is merely used again (RequestIsolation shared).
SURVIVES = "survives"  # it is there: so the case can fail
PHP = "php"            # PHP resets it by itself; that dirtying works is shown inside the dirtying request
REFUSED = "refused"    # it cannot be dirtied: the sandbox says no, and what it says is compared

ENDS = "ends"          # the process is not used again

# What the rolled back level may do with the cell. EITHER: put back or discarded, both are right.
KEPT, EITHER, DISCARDED = "kept", "either", "discarded"
SEALED = "sealed"      # it cannot be dirtied there: the mappings of the image are sealed, and its pages come back by themselves

HEAD = """<?php
const SEED = %d;
$GLOBALS['said'] = null;
function word($at) { return unpack('q', sp_peek($at, 8))[1]; }
function mapped($at) { return sp_call('mincore', $at, 4096, str_repeat("\\0", 8)) === 0; }
/* Open descriptors, but for the script's own, which is open while it has to be compiled. */
function fds() {
	$own = buffer(256); sp_call('stat', __FILE__, $own);
	for ($n = $i = 0; $i < 256; $i++) { $b = buffer(256); $n += sp_call('fstat', $i, $b) === 0 && substr($b, 0, 16) !== substr($own, 0, 16) ? 1 : 0; }
	return $n;
}
function buffer($n) { return str_repeat(chr(0), $n); }
function map($at, $prot, $flags, $fd = -1) { return sp_call('mmap', $at, 8192, $prot, $flags, $fd, 0); }
/* The connection to the front: the only connected unix stream of a cell that has opened none itself. */
function connection() {
	for ($i = 3; $i < 16; $i++) {
		$len = pack('V', 4); $value = buffer(4);
		if (sp_call('getsockopt', $i, 1, 3, $value, $len) === 0) { return $i; }
	}
	return -1;
}
"""

TAIL = """
function answer() { echo json_encode(['pid' => getmypid(), 'said' => $GLOBALS['said'], 'state' => read_back()], JSON_THROW_ON_ERROR), "\\n"; }
header('Content-Type: application/json');
if (isset($_GET['dirty'])) {
	%s
}
%s
"""


class Case:
	def __init__(self, name, dirty, read, shared=SURVIVES, rollback=EITHER, define="", late=False, said=None, request=None):
		self.name, self.dirty, self.read, self.define = name, dirty, read, define
		self.shared, self.rollback, self.late, self.said = shared, rollback, late, said
		self.request = request  # how the dirtying request is sent: None, "secret", "upload"

	def page(self, seed):
		end = "register_shutdown_function('answer');" if self.late else "answer();"
		return HEAD % seed + self.define + "\nfunction read_back() { " + self.read + " }" + TAIL % (self.dirty, end)


def php(name, dirty, read, **k):
	"""What PHP itself keeps: always put back without losing the cell."""
	return Case(name, dirty, read, shared=k.pop("shared", PHP), rollback=KEPT, **k)


IN_PHP = [
	php("globals", "$GLOBALS['left'] = 1;", "return isset($GLOBALS['left']);"),
	php("constants", "define('LEFT', 1);", "return defined('LEFT');"),
	php("functions_and_classes", "eval('function left() {} class Left {}');", "return function_exists('left') || class_exists('Left', false);"),
	php("static_member", "Box::$n = 7;", "return Box::$n;", define="class Box { static $n = 0; }"),
	php("static_variable", "counter(5);", "return counter(0);", define="function counter($add) { static $n = 0; return $n += $add; }"),
	php("ini_set", "ini_set('precision', '5');", "return ini_get('precision');"),
	php("error_reporting", "error_reporting(3);", "return error_reporting();"),
	php("error_handler", "set_error_handler(fn() => true);", "$h = set_error_handler(fn() => true); restore_error_handler(); return $h !== null;"),
	php("exception_handler", "set_exception_handler(fn() => true);", "$h = set_exception_handler(null); restore_exception_handler(); return $h !== null;"),
	php("autoload", "spl_autoload_register(fn($c) => false);", "return count(spl_autoload_functions());"),
	php("assert_options", "@assert_options(ASSERT_CALLBACK, fn() => true);", "return @assert_options(ASSERT_CALLBACK) !== null;"),
	php("shutdown_function", "register_shutdown_function(function () { $GLOBALS['ran'] = 1; });", "return $GLOBALS['ran'] ?? 0;", late=True),
	php("output_handler", "ob_start(fn($b) => $b);", "return ob_get_level();"),
	php("rewrite_variable", "output_add_rewrite_var('left', '1');", "return ob_get_status()['name'] ?? '';"),
	php("headers", "header('X-Left: 1'); http_response_code(201);", "return [headers_list(), http_response_code()];"),
	php("header_callback", "header_register_callback(function () { header('X-Left: callback'); });", "return 0;"),
	php("session", "session_id('leftleftleftleft'); session_start(); $_SESSION['left'] = 1;", "return [session_id(), $_SESSION ?? null, session_status()];"),
	php("session_handler", "session_set_save_handler(new SessionHandler);", "return ini_get('session.save_handler');"),
	php("setlocale", "setlocale(LC_ALL, 'C.UTF-8');", "return setlocale(LC_ALL, 0);"),
	php("putenv", "putenv('LEFT_ENV=1');", "return getenv('LEFT_ENV');"),
	php("putenv_overwrites", "putenv('PATH=/left');", "return getenv('PATH');"),
	php("apache_setenv", "apache_setenv('LEFT', '1');", "return apache_getenv('LEFT');"),
	php("apache_note", "apache_note('left', '1');", "return apache_note('left');"),
	php("chdir", "chdir('/');", "return getcwd();"),
	php("chdir_at_the_end", "register_shutdown_function(fn() => chdir('/usr'));", "return getcwd();", late=True, shared=SURVIVES),
	php("umask", "umask(0);", "return umask();"),
	php("set_time_limit", "set_time_limit(1000);", "return ini_get('max_execution_time');"),
	php("ignore_user_abort", "ignore_user_abort(true);", "return ignore_user_abort();"),
	php("stream_wrapper_registered", "stream_wrapper_register('left', 'Box');", "return in_array('left', stream_get_wrappers());", define="class Box {}"),
	php("stream_wrapper_gone", "stream_wrapper_unregister('data');", "return in_array('data', stream_get_wrappers());"),
	php("stream_wrapper_replaced", "stream_wrapper_unregister('file'); stream_wrapper_register('file', 'Box');", "return @file_get_contents('/dev/null');",
		define="class Box { public $context; function stream_open() { return false; } }"),
	php("stream_filter", "stream_filter_register('left', 'Box');", "return in_array('left', stream_get_filters());", define="class Box extends php_user_filter {}"),
	php("stream_context", "stream_context_set_default(['http' => ['user_agent' => 'left']]);", "return stream_context_get_options(stream_context_get_default());"),
	php("mb_internal_encoding", "mb_internal_encoding('ISO-8859-1');", "return mb_internal_encoding();"),
	php("mb_substitute_character", "mb_substitute_character('none'); mb_language('Japanese'); mb_detect_order('EUC-JP');", "return [mb_substitute_character(), mb_language(), mb_detect_order()];"),
	php("iconv_encoding", "@ini_set('iconv.internal_encoding', 'ISO-8859-1');", "return iconv_get_encoding('internal_encoding');"),
	php("date_default_timezone", "date_default_timezone_set('Asia/Tokyo');", "return date_default_timezone_get();"),
	php("mt_srand", "mt_srand(42);", "$v = mt_rand(); mt_srand(42); return in_array($v, [mt_rand(), mt_rand(), mt_rand()]);"),
	php("libxml_errors", "libxml_use_internal_errors(true); simplexml_load_string('<a>');", "return [libxml_use_internal_errors(), count(libxml_get_errors())];"),
	php("libxml_entity_loader", "libxml_set_external_entity_loader(fn() => null);", "return libxml_get_external_entity_loader() !== null;"),
	php("tmpfile", "$GLOBALS['t'] = tmpfile();", "return glob(sys_get_temp_dir() . '/php??????');"),
	php("upload", "$GLOBALS['kept'] = $_FILES['f']['tmp_name'];", "return count(glob(ini_get('upload_tmp_dir') . '/php??????'));", request="upload"),
	php("open_file", "$GLOBALS['f'] = fopen('/dev/null', 'r');", "return fds();"),
	php("open_directory", "$GLOBALS['d'] = opendir('/');", "return fds();"),
	php("open_socket", "$GLOBALS['s'] = fsockopen('127.0.0.1', $_GET['port']);", "return fds();"),
	php("curl_handle", "$GLOBALS['c'] = curl_init('http://127.0.0.1:' . $_GET['port'] . '/none'); curl_setopt($GLOBALS['c'], CURLOPT_RETURNTRANSFER, 1); curl_exec($GLOBALS['c']);",
		"return fds();"),
	php("intl_locale", "Locale::setDefault('fr_FR');", "return Locale::getDefault();"),
	php("garbage_collector", "gc_disable();", "return gc_enabled();"),
	php("default_socket_timeout", "ini_set('default_socket_timeout', '1');", "return ini_get('default_socket_timeout');"),
	# What PHP keeps for the process on purpose, or has forgotten to reset.
	php("pfsockopen", "pfsockopen('127.0.0.1', $_GET['port']);", "return fds();", shared=SURVIVES),
	php("gettext_domain", "textdomain('left');", "return textdomain(null);", shared=SURVIVES),
	php("gettext_directory", "bindtextdomain('left', '/usr/share');", "return bindtextdomain('left', null);", shared=SURVIVES),
	php("realpath_cache", "realpath('/usr/share/doc');", "return isset(realpath_cache_get()['/usr/share/doc']);", shared=SURVIVES),
	php("pcre_cache", "for ($i = 0; $i < 9; $i++) { preg_match('/left' . $i . '/', ''); }", "return unpack('V', sp_peek(sp_symbol('pcre_globals') + 28, 4))[1];", shared=SURVIVES),
	php("openssl_errors", "openssl_pkey_get_private('left');", "return openssl_error_string() !== false;"),
	php("soap_wsdl_cache", "file_put_contents(WSDL, TEXT); new SoapClient(WSDL, ['cache_wsdl' => WSDL_CACHE_MEMORY]); unlink(WSDL);",
		"try { return (new SoapClient(WSDL, ['cache_wsdl' => WSDL_CACHE_MEMORY]))->__getFunctions(); } catch (SoapFault $e) { return 0; }", shared=SURVIVES,
		define="""define('WSDL', ini_get('upload_tmp_dir') . '/left.wsdl');
const TEXT = '<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" name="L" targetNamespace="urn:l" xmlns:t="urn:l">
<message name="i"/><portType name="P"><operation name="left"><input message="t:i"/></operation></portType>
<binding name="B" type="t:P"><soap:binding style="rpc" transport="http://schemas.xmlsoap.org/soap/http"/><operation name="left"><soap:operation soapAction=""/>
<input><soap:body use="literal" namespace="urn:l"/></input></operation></binding>
<service name="S"><port name="O" binding="t:B"><soap:address location="http://127.0.0.1:1/"/></port></service></definitions>';
"""),
]

FREE_PLACE = "const AT = 0x7d0000000000;"
PAGES = "define('AT', sp_own('pages') + 4096);"

IN_LIBRARIES = [
	Case("setenv", "sp_call('setenv', 'LEFT_ENV', '1', 1);", "return sp_call('getenv', 'LEFT_ENV') !== 0;"),
	Case("locale_of_libc", "sp_call('setlocale', 6, 'C');", "return sp_peek(sp_call('nl_langinfo', 14), 5);"),
	Case("umask_of_libc", "sp_call('umask', 1);", "$m = sp_call('umask', 0); sp_call('umask', $m); return $m;"),
	Case("zone_of_libc", "sp_call('setenv', 'TZ', 'LEFT-5', 1); sp_call('tzset');", "return word(sp_symbol('timezone'));"),
	Case("random_of_libc", "sp_call('srand48', 77);", "return sp_call('lrand48');"),
	Case("passwd_of_libc", "sp_call('setpwent'); sp_call('getpwent');", "return fds();"),
	Case("libxml_blanks", "sp_call('xmlKeepBlanksDefault', 0);", "$was = sp_call('xmlKeepBlanksDefault', 1); sp_call('xmlKeepBlanksDefault', $was); return $was;"),
	Case("libxml_entities", "sp_call('xmlSubstituteEntitiesDefault', 1);", "$was = sp_call('xmlSubstituteEntitiesDefault', 0); sp_call('xmlSubstituteEntitiesDefault', $was); return $was;"),
	Case("icu_locale", "sp_call(icu('uloc_setDefault'), 'fr_FR', buffer(4));", "return sp_peek(sp_call(icu('uloc_getDefault')), 2);",
		define="function icu($name) { for ($v = 60; sp_symbol($name . '_' . $v) === 0; $v++) {} return $name . '_' . $v; }"),
	Case("extension_data", "sp_poke(sp_own('data'), pack('q', 99));", "return word(sp_own('data'));"),
	Case("extension_bss", "sp_poke(sp_own('bss'), pack('q', 99));", "return word(sp_own('bss'));"),
	Case("extension_tls", "sp_poke(sp_own('tls'), pack('q', 99));", "return word(sp_own('tls'));"),
	Case("heap_free_list", "for ($i = 0; $i < 400; $i++) { $p[$i] = sp_call('malloc', 40 + $i * 16); } for ($i = 0; $i < 400; $i += 3) { sp_call('free', $p[$i]); }",
		"$p = sp_call('malloc', 3000); sp_call('free', $p); return $p;"),
	Case("rounding_mode", "sp_call('fesetround', FE_UP);", "return sp_call('fegetround');",
		define="define('FE_UP', php_uname('m') === 'x86_64' ? 0x800 : 0x400000);"),
]

IN_KERNEL = [
	Case("descriptor", "sp_call('open', '/dev/null', 0);", "return fds();"),
	Case("descriptor_closed", "sp_call('close', 0);", "return sp_call('fcntl', 0, 1);"),
	Case("descriptor_replaced", "sp_call('dup2', sp_call('open', __FILE__, 0), 0);", "$b = buffer(256); sp_call('fstat', 0, $b); return substr($b, 0, 16) === substr(file_stat(), 0, 16);",
		define="function file_stat() { $b = buffer(256); sp_call('stat', __FILE__, $b); return $b; }"),
	Case("descriptor_cloexec", "sp_call('fcntl', 0, 2, 1);", "return sp_call('fcntl', 0, 1);"),
	Case("descriptor_cloexec_by_ioctl", "sp_call('ioctl', 0, 0x5451, 0);", "return sp_call('fcntl', 0, 1);"),
	Case("descriptor_replaced_cloexec", "sp_call('dup3', sp_call('open', __FILE__, 0), 0, 02000000);", "$b = buffer(256); sp_call('fstat', 0, $b); return [sp_call('fcntl', 0, 1), substr($b, 0, 16) === substr(file_stat(), 0, 16)];",
		define="function file_stat() { $b = buffer(256); sp_call('stat', __FILE__, $b); return $b; }"),
	Case("descriptors_closed", "sp_call('close_range', 0, 1, 0);", "return [sp_call('fcntl', 0, 1), sp_call('fcntl', 1, 1)];"),
	Case("descriptors_cloexec", "sp_call('close_range', 0, 1, 4);", "return [sp_call('fcntl', 0, 1), sp_call('fcntl', 1, 1)];"),
	# By the numbers of x86-64, past the C library.
	Case("descriptor_closed_by_number", "sp_call('syscall', php_uname('m') === 'x86_64' ? 3 : 57, 0);", "return sp_call('fcntl', 0, 1);"),
	Case("descriptor_eventfd", "sp_call('eventfd', 0, 0); sp_call('epoll_create1', 0); sp_call('pipe', buffer(8));", "return fds();"),
	Case("stderr_nonblock", "sp_call('fcntl', 2, 4, sp_call('fcntl', 2, 3) | 2048);", "return sp_call('fcntl', 2, 3) & 2048;"),
	Case("stdin_nonblock", "sp_call('fcntl', 0, 4, sp_call('fcntl', 0, 3) | 2048);", "return sp_call('fcntl', 0, 3) & 2048;"),
	Case("inherited_offset", "sp_call('lseek', sp_own('inherited'), 100, 0);", "return sp_call('lseek', sp_own('inherited'), 0, 1);"),
	Case("connection_option", "sp_call('setsockopt', connection(), 1, 20, pack('q2', 7, 0), 16);",
		"$v = buffer(16); $len = pack('V', 16); sp_call('getsockopt', connection(), 1, 20, $v, $len); return unpack('q', $v)[1];"),
	Case("connection_inline", "sp_call('setsockopt', connection(), 1, 10, pack('V', 1), 4);",
		"$v = buffer(4); $len = pack('V', 4); sp_call('getsockopt', connection(), 1, 10, $v, $len); return unpack('V', $v)[1];"),
	Case("connection_buffer", "sp_call('setsockopt', connection(), 1, 7, pack('V', 9000), 4);",
		"$v = buffer(4); $len = pack('V', 4); sp_call('getsockopt', connection(), 1, 7, $v, $len); return unpack('V', $v)[1];"),
	Case("working_directory", "register_shutdown_function(fn() => sp_call('chdir', '/usr'));", "return getcwd();", late=True),
	Case("signal_handler", "sp_call('signal', 23, sp_own('handler'));", "$b = buffer(160); sp_call('sigaction', 23, 0, $b); return unpack('q', $b)[1] === sp_own('handler');"),
	Case("signal_handler_of_php", "sp_call('signal', 27, sp_own('handler'));", "$b = buffer(160); sp_call('sigaction', 27, 0, $b); return unpack('q', $b)[1] === sp_own('handler');", shared=PHP),
	Case("signal_flags", "sp_call('sigaction', 17, pack('q', 0) . buffer(128) . pack('q2', 2, 0), 0);", "$b = buffer(160); sp_call('sigaction', 17, 0, $b); return unpack('q', substr($b, 136))[1] & 2;"),
	Case("signal_ignored", "sp_call('signal', 14, 1);", "$b = buffer(160); sp_call('sigaction', 14, 0, $b); return unpack('q', $b)[1];"),
	Case("signal_mask", "$s = buffer(128); sp_call('sigaddset', $s, 23); sp_call('sigprocmask', 0, $s, 0);",
		"$s = buffer(128); sp_call('sigprocmask', 0, 0, $s); return sp_call('sigismember', $s, 23);"),
	Case("signal_pending", "$s = buffer(128); sp_call('sigaddset', $s, 14); sp_call('sigprocmask', 0, $s, 0); sp_call('setitimer', 0, pack('q4', 0, 0, 0, 1000), 0); usleep(5000);",
		"$s = buffer(128); sp_call('sigpending', $s); return sp_call('sigismember', $s, 14);"),
	Case("signal_stack", "sp_call('sigaltstack', pack('q3', sp_own('pages') + 4096, 0, 8192), 0);", "$b = buffer(24); sp_call('sigaltstack', 0, $b); return unpack('q', $b)[1] === sp_own('pages') + 4096;"),
	Case("alarm", "sp_call('alarm', 1000);", "$b = buffer(32); sp_call('getitimer', 0, $b); return unpack('q4', $b)[3] > 900;"),
	Case("timer", "sp_call('setitimer', 0, pack('q4', 0, 0, 1000, 0), 0);", "$b = buffer(32); sp_call('getitimer', 0, $b); return unpack('q4', $b)[3] > 900;"),
	Case("timer_of_cpu", "sp_call('setitimer', 1, pack('q4', 0, 0, 1000, 0), 0);", "$b = buffer(32); sp_call('getitimer', 1, $b); return unpack('q4', $b)[3] > 900;"),
	Case("process_name", "sp_call('prctl', 15, 'left', 0, 0, 0);", "$b = buffer(16); sp_call('prctl', 16, $b, 0, 0, 0); return rtrim($b, chr(0));"),
	Case("thread", "$t = buffer(8); sp_call('pthread_create', $t, 0, sp_own('ticker'), 0); usleep(20000);",
		"$a = word(sp_own('ticks')); usleep(50000); return word(sp_own('ticks')) !== $a;", rollback=DISCARDED),
	Case("mapping", "map(AT, 3, 0x100022);", "return mapped(AT);", define=FREE_PLACE),
	Case("mapping_of_file", "map(AT, 1, 0x100002, sp_call('open', __FILE__, 0));", "return mapped(AT);", define=FREE_PLACE),
	Case("mapping_shared", "map(AT, 3, 0x100021);", "return mapped(AT);", define=FREE_PLACE),
	Case("image_unmapped", "sp_call('munmap', AT, 4096);", "return mapped(AT);", define=PAGES, rollback=SEALED),
	Case("image_protected", "sp_call('mprotect', AT, 4096, 1);", "return sp_call('getcwd', AT, 4096) !== 0;", define=PAGES, rollback=SEALED),
	Case("image_replaced", "sp_call('mmap', AT, 4096, 3, 0x32, -1, 0);", "return sp_peek(AT, 4);", define=PAGES, rollback=SEALED),
	# A page of the image that is thrown away comes back as it was in the image.
	Case("image_discarded", "sp_call('madvise', AT, 4096, 4);", "return sp_peek(AT, 4);", define=PAGES, shared=REFUSED),
	Case("image_moved", "sp_call('mremap', AT, 4096, 4096, 3, 0x7d0000000000);", "return [mapped(AT), mapped(0x7d0000000000)];", define=PAGES, rollback=SEALED),
	Case("image_written", "sp_poke(AT, 'left');", "return sp_peek(AT, 4);", define=PAGES),
	Case("program_break", "sp_call('sbrk', 16 << 20);", "return (sp_call('sbrk', 0) - sp_own('break')) >> 23;"),
	Case("locked_memory", "sp_call('mlock', sp_own('pages'), 4096);", "return preg_match('/^VmLck:\\s+[1-9]/m', file_get_contents('/proc/self/status'));"),
	Case("sysv_shared_memory", "$id = sp_call('shmget', 0, 8192, 01600); sp_call('shmat', $id, AT, 0); sp_call('shmctl', $id, 0, 0);", "return mapped(AT);", define=FREE_PLACE),
	# A semaphore taken with SEM_UNDO comes free when its process ends, and is the site's own otherwise.
	Case("sysv_semaphore_taken", "$id = sp_call('semget', KEY, 1, 01600); sp_call('semctl', $id, 0, 16, 1); sp_call('semop', $id, pack('vvv', 0, 0xffff, 0x1000), 1);",
		"$id = sp_call('semget', KEY, 1, 0600); $v = $id === -1 ? 1 : sp_call('semctl', $id, 0, 12); if (!isset($_GET['dirty'])) { sp_call('semctl', $id, 0, 0); } return $v;",
		define="define('KEY', crc32($_SERVER['SERVER_NAME']) & 0x7fffffff);"),
	Case("limits", "$GLOBALS['said'] = [sp_call('setrlimit', 7, pack('q2', 64, 64)), sp_call('prlimit', 0, 7, pack('q2', 64, 64), 0)];",
		"$b = buffer(16); sp_call('getrlimit', 7, $b); return unpack('q', $b)[1];", shared=REFUSED, said=[-1, -1]),
	Case("priority", "$GLOBALS['said'] = sp_call('setpriority', 0, 0, 10);", "return sp_call('getpriority', 0, 0);", shared=REFUSED, said=-1),
	Case("dumpable", "$GLOBALS['said'] = sp_call('prctl', 4, 1, 0, 0, 0);", "return sp_call('prctl', 3, 0, 0, 0, 0);", shared=REFUSED, said=-1),
	Case("personality", "$GLOBALS['said'] = sp_call('personality', 0x0040000);", "return 0;", shared=REFUSED, said=-1),
	Case("affinity", "$GLOBALS['said'] = sp_call('sched_setaffinity', 0, 8, pack('q', 1));", "$b = buffer(128); sp_call('sched_getaffinity', 0, 128, $b); return bin2hex($b);",
		shared=REFUSED, said=-1),
	Case("child", "$GLOBALS['said'] = sp_call('fork'); if ($GLOBALS['said'] === 0) { sleep(5); }", "return 0;", shared=REFUSED, said=-1),
	Case("own_proc_files", "$GLOBALS['said'] = @file_put_contents('/proc/self/oom_score_adj', '500');", "return @file_get_contents('/proc/self/oom_score_adj');",
		shared=REFUSED, said=False),
]

# Secrets of request 1: found again by request 2?
IN_MEMORY = [
	Case("secret_malloc", "$p = sp_call('malloc', 9000); sp_plant(SEED, $p, 9000); sp_call('free', $p);",
		"$p = sp_call('malloc', 9000); $v = sp_has(SEED, $p, 9000); sp_call('free', $p); return $v;"),
	Case("secret_malloc_large", "$p = sp_call('malloc', 90000); sp_plant(SEED, $p, 90000); sp_call('free', $p);", "return sp_scan(SEED) != [];"),
	Case("secret_emalloc", "$p = sp_call('_emalloc', 90000); sp_plant(SEED, $p, 90000); sp_call('_efree', $p);",
		"$p = sp_call('_emalloc', 90000); $v = sp_has(SEED, $p, 90000); sp_call('_efree', $p); return $v;"),
	Case("secret_stack", "sp_stack(SEED, true);", "return sp_stack(SEED, false);"),
	Case("secret_anywhere", "$s = str_repeat(sp_pattern(SEED), 1000); sp_stack(SEED, true); sp_plant(SEED, sp_own('pages'), 64); $GLOBALS['left'] = sp_pattern(SEED);",
		"return sp_scan(SEED) != [];"),
	Case("secret_large", "$s = str_repeat(sp_pattern(SEED), 300000);", "return sp_scan(SEED) != [];"),
	Case("secret_request", "file_get_contents('php://input'); header('X-Secret: ' . $_GET['q']);", "return sp_scan(SEED) != [];", request="secret"),
]

# What the process has at the start of a request, in mebibytes and descriptors; then more of everything is leaked.
GROW = """<?php
$statm = explode(' ', file_get_contents('/proc/self/statm'));
for ($fds = $i = 0; $i < 256; $i++) { $fds += sp_call('fcntl', $i, 1) !== -1 ? 1 : 0; }
echo json_encode(['pid' => getmypid(), 'size' => $statm[0] >> 8, 'resident' => $statm[1] >> 8, 'break' => sp_call('sbrk', 0) - sp_own('break') >> 20, 'fds' => $fds]);
foreach ([sp_call('malloc', 1 << 20), sp_call('mmap', 0, 1 << 20, 3, 0x22, -1, 0), sp_call('sbrk', 1 << 20)] as $at) {
	sp_call('memset', $at, 1, 1 << 20);
}
sp_call('open', '/dev/null', 0);
"""

# A connection to a database that PHP keeps for the process.
PERSISTENT = """<?php
mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
$db = new mysqli('p:localhost', 'root', '', '', 0, '%s');
$was = $db->query('SELECT @left')->fetch_row()[0];
$db->query('SET @left = 1');
echo json_encode(['pid' => getmypid(), 'connection' => $db->thread_id, 'was' => $was]);
"""

# What a site can do to how its process is scheduled, where SandboxAllow gives it the call of this name.
SCHEDULE = """
const SETATTR = [ 'x86_64' => 314, 'aarch64' => 274 ][MACHINE];
const IOPRIO_SET = [ 'x86_64' => 251, 'aarch64' => 30 ][MACHINE];
function schedule() {
	$attr = buffer(56); sp_call('syscall', SETATTR + 1, 0, $attr, 56, 0);
	$set = buffer(128); sp_call('sched_getaffinity', 0, 128, $set);
	return bin2hex($attr) . '/' . sp_call('syscall', IOPRIO_SET + 1, 1, 0) . '/' . bin2hex($set);
}
""".replace("MACHINE", "'%s'" % os.uname().machine)
BY_CALL = {call: Case("allowed_" + call, dirty, "return schedule();", rollback=DISCARDED, define=SCHEDULE) for call, dirty in [
	("sched_setscheduler", "sp_call('sched_setscheduler', 0, 5, pack('V', 0));"),
	("sched_setattr", "sp_call('syscall', SETATTR, 0, pack('VVPVVPPPVV', 56, 3, 0, 0, 0, 100000000, 0, 0, 0, 0), 0);"),
	("sched_setaffinity", "sp_call('sched_setaffinity', 0, 128, pack('P', 1) . buffer(120));"),
	("ioprio_set", "sp_call('syscall', IOPRIO_SET, 1, 0, 3 << 13);"),
]}

# What only a site that may run programs can do to its process.
IN_LEGACY = [
	Case("legacy_limits", "sp_call('setrlimit', 7, pack('q2', 200, 1024));", "$b = buffer(16); sp_call('getrlimit', 7, $b); return unpack('q', $b)[1];"),
	Case("legacy_limits_for_good", "sp_call('setrlimit', 7, pack('q2', 200, 200));", "$b = buffer(16); sp_call('getrlimit', 7, $b); return unpack('q2', $b)[2];", rollback=DISCARDED),
	Case("legacy_prlimit", "sp_call('prlimit', 0, 0, pack('q2', 500, 600), 0);", "$b = buffer(16); sp_call('getrlimit', 0, $b); return unpack('q', $b)[1];"),
	Case("legacy_priority", "sp_call('setpriority', 0, 0, 10);", "return sp_call('getpriority', 0, 0);", rollback=DISCARDED),
	Case("legacy_descriptors", "sp_call('timerfd_create', 1, 0); sp_call('inotify_init1', 0); sp_call('signalfd', -1, buffer(128), 0);", "return fds();"),
	Case("legacy_child", "if (sp_call('fork') === 0) { sp_call('sleep', 30); sp_call('_exit', 0); }", "return sp_call('waitpid', -1, buffer(4), 1);", shared=ENDS, rollback=DISCARDED),
	Case("legacy_zombie", "if (sp_call('fork') === 0) { sp_call('_exit', 0); } usleep(50000);", "return sp_call('waitpid', -1, buffer(4), 1) > 0;", shared=PHP),
]

CASES = IN_PHP + IN_LIBRARIES + IN_KERNEL + IN_MEMORY
BY_NAME = {c.name: c for c in CASES}
LEGACY_BY_NAME = {c.name: c for c in IN_LIBRARIES + IN_KERNEL + IN_MEMORY + IN_LEGACY if c.shared != REFUSED}
assert len(BY_NAME) == len(CASES), "a name is used twice"
