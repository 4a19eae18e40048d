<?php
// What of leave.php's changes is still there.
header('Content-Type: application/json');
session_id();
echo json_encode([
	'function' => function_exists('left_function'), 'class' => class_exists('LeftClass', false), 'const' => defined('LEFT_CONST'),
	'define' => defined('LEFT_DEFINE'), 'global' => isset($GLOBALS['left_global']), 'memory_limit' => ini_get('memory_limit'),
	'precision' => ini_get('precision'), 'env' => getenv('LEFT_ENV'), 'cwd' => getcwd() === __DIR__, 'umask' => umask(),
	'locale' => setlocale(LC_ALL, 0), 'zone' => date_default_timezone_get(), 'mb' => mb_internal_encoding(),
	'error_handler' => set_error_handler(null) !== null, 'exception_handler' => set_exception_handler(null) !== null,
	'autoload' => count(spl_autoload_functions()), 'error_reporting' => error_reporting(), 'ignore_user_abort' => ignore_user_abort(),
	'wrapper' => in_array('left', stream_get_wrappers()), 'headers' => headers_list(), 'status' => http_response_code(),
	'session' => session_status() === PHP_SESSION_ACTIVE, 'ob' => ob_get_level(),
]), "\n";
