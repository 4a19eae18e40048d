<?php
// Changes whatever a request can change.
function left_function() { return 1; }
class LeftClass { static $n = 0; }
const LEFT_CONST = 1;
define('LEFT_DEFINE', 2);
$GLOBALS['left_global'] = 1;
ini_set('memory_limit', '50M');
ini_set('precision', '5');
putenv('LEFT_ENV=1');
chdir('/');
umask(0);
setlocale(LC_ALL, 'C.UTF-8');
date_default_timezone_set('Asia/Tokyo');
mb_internal_encoding('ISO-8859-1');
set_error_handler(fn() => true);
set_exception_handler(fn() => true);
spl_autoload_register(fn($c) => false);
error_reporting(0);
ignore_user_abort(true);
stream_wrapper_register('left', LeftClass::class);
header('X-Left: 1');
http_response_code(201);
setcookie('left', '1');
session_start();
$_SESSION['left'] = 1;
mt_srand(1);
ob_start(fn($b) => strtoupper($b));
echo "left\n";
