/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bulkhead-selftest: the native code that a hostile tenant might bring along, for `bulkhead --selftest`. Loaded by the
 * throw-away sites of that command only; a real site that loads it gives its scripts nothing that its sandbox does not
 * allow, but has no use for it.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <seccomp.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <php.h>

static PHP_FUNCTION(bh_call);
static PHP_FUNCTION(bh_int80);
static PHP_FUNCTION(bh_address);
static PHP_FUNCTION(bh_poke);

#define ARGS_MAX 6u

static long raw(long nr, const long a[ARGS_MAX])
{
	long v = syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);

	return v == -1 ? -errno : v;
}

/* A string travels as the address of its octets, which the kernel may then write to. */
static void take_args(zval *args, uint32_t n, long a[ARGS_MAX])
{
	for (uint32_t i = 0; i < n && i < ARGS_MAX; i++)
		a[i] = Z_TYPE(args[i]) == IS_STRING ? (long)(uintptr_t)Z_STRVAL(args[i]) : zval_get_long(&args[i]);
}

/* bh_call(string|int call, int|string ...args): ?int: the result or minus errno; null: this machine has no such call */
static PHP_FUNCTION(bh_call)
{
	long a[ARGS_MAX] = {0};
	zval *call, *args;
	uint32_t n;

	ZEND_PARSE_PARAMETERS_START(1, -1)
		Z_PARAM_ZVAL(call)
		Z_PARAM_VARIADIC('*', args, n)
	ZEND_PARSE_PARAMETERS_END();
	long nr = Z_TYPE_P(call) == IS_STRING ? seccomp_syscall_resolve_name(Z_STRVAL_P(call)) : zval_get_long(call);
	if (nr < 0)
		RETURN_NULL();
	take_args(args, n, a);
	RETURN_LONG(raw(nr, a));
}

/* bh_int80(int number, int argument): ?int: a call the way 32-bit programs make it; null: not this processor */
static PHP_FUNCTION(bh_int80)
{
	zend_long nr, arg;

	ZEND_PARSE_PARAMETERS_START(2, 2)
		Z_PARAM_LONG(nr)
		Z_PARAM_LONG(arg)
	ZEND_PARSE_PARAMETERS_END();
#ifdef __x86_64__
	long v = nr;
	__asm__ volatile("int $0x80" : "+a"(v) : "b"(arg) : "memory", "r8", "r9", "r10", "r11");
	RETURN_LONG(v);
#else
	(void)arg;
	RETURN_NULL();
#endif
}

/* bh_address(string octets): int: where they lie */
static PHP_FUNCTION(bh_address)
{
	zend_string *s;

	ZEND_PARSE_PARAMETERS_START(1, 1)
		Z_PARAM_STR(s)
	ZEND_PARSE_PARAMETERS_END();
	RETURN_LONG((zend_long)(uintptr_t)ZSTR_VAL(s));
}

/* bh_poke(int address, string octets): write there, whatever is there */
static PHP_FUNCTION(bh_poke)
{
	zend_long at;
	char *octets;
	size_t len;

	(void)return_value; /* null */
	ZEND_PARSE_PARAMETERS_START(2, 2)
		Z_PARAM_LONG(at)
		Z_PARAM_STRING(octets, len)
	ZEND_PARSE_PARAMETERS_END();
	memcpy((void *)(uintptr_t)at, octets, len);
}

ZEND_BEGIN_ARG_INFO_EX(arginfo_any, 0, 0, 0)
ZEND_END_ARG_INFO()

static const zend_function_entry functions[] = {
	PHP_FE(bh_call, arginfo_any)
	PHP_FE(bh_int80, arginfo_any)
	PHP_FE(bh_address, arginfo_any)
	PHP_FE(bh_poke, arginfo_any)
	PHP_FE_END
};

static zend_module_entry bulkhead_selftest_module_entry = {
	STANDARD_MODULE_HEADER, "bulkhead_selftest", functions, NULL, NULL, NULL, NULL, NULL, PACKAGE_VERSION, STANDARD_MODULE_PROPERTIES};

ZEND_DLEXPORT zend_module_entry *get_module(void);
ZEND_GET_MODULE(bulkhead_selftest)
