/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/attack/attack.h"

/*
 * denied(): a call that fails with one of these errors was stopped before it did anything. Any other error comes from
 * deeper within the kernel: the call was let through and only found its arguments wanting.
 */
const char attack_library[] =
	"header('Content-Type: text/plain');\n"
	"function say($what, $text) { echo \"$what: $text\\n\"; exit; }\n"
	"function through($text) { say('through', $text); }\n"
	"function stopped($text) { say('stopped', $text); }\n"
	"function skip($text) { say('skip', $text); }\n"
	"function errno_name($e) {\n"
	"	$names = [1 => 'EPERM', 2 => 'ENOENT', 3 => 'ESRCH', 9 => 'EBADF', 11 => 'EAGAIN', 13 => 'EACCES', 14 => 'EFAULT', 17 => 'EEXIST',\n"
	"		18 => 'EXDEV', 22 => 'EINVAL', 30 => 'EROFS', 38 => 'ENOSYS', 40 => 'ELOOP', 97 => 'EAFNOSUPPORT', 101 => 'ENETUNREACH',\n"
	"		110 => 'ETIMEDOUT', 111 => 'ECONNREFUSED'];\n"
	"	return $names[$e] ?? \"error $e\";\n"
	"}\n"
	"function call($name, ...$args) {\n"
	"	$v = bh_call($name, ...$args);\n"
	"	if ($v === null) skip(\"this machine has no such system call\");\n"
	"	return $v;\n"
	"}\n"
	"function denied($v, ...$more) {\n"
	"	if ($v < 0 && in_array(-$v, array_merge([1, 13, 38], $more))) stopped(errno_name(-$v));\n"
	"	through($v < 0 ? 'the kernel was reached: ' . errno_name(-$v) : \"the call returned $v\");\n"
	"}\n"
	"function works($ok, $text) { say($ok ? 'works' : 'broken', $text); }\n"
	/* A copy of the process, where that can be had: it must not go on as if it were us. */
	"function only_parent($v) { if ($v === 0) bh_call('exit_group', 0); return $v; }\n"
	"function zygote() {\n"
	"	$p = call('getppid');\n"
	"	if ($p <= 0) stopped('no process above this one: its numbers are its own');\n"
	"	return $p;\n"
	"}\n"
	"function victim($name) { return dirname(__DIR__) . '/victim/' . $name; }\n"
	"function put($name, $value) { if (file_put_contents(__DIR__ . '/var/' . $name, $value) === false) through('cannot even write a file of its own'); }\n"
	"function got($name) { return @file_get_contents(__DIR__ . '/var/' . $name); }\n"
	"function loaded($function) { if (!function_exists($function)) skip(\"this PHP has no $function()\"); }\n";
