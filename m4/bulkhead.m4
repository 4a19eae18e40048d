# SPDX-License-Identifier: Apache-2.0
# What configure looks for, said plainly: what was found, what is missing, which Debian package brings it.

m4_define([bh_missing_init], [bh_missing=; bh_missing_packages=; bh_report=])

# BH_NEED(VAR, pkg-config spec, Debian package): required.
AC_DEFUN([BH_NEED], [
PKG_CHECK_MODULES([$1], [$2],
	[AS_VAR_APPEND([bh_report], ["  found    $2
"])],
	[AS_VAR_APPEND([bh_report], ["  MISSING  $2 (Debian package $3)
"])
	AS_VAR_APPEND([bh_missing_packages], [" $3"])])])

# BH_WANT(VAR, pkg-config spec, Debian package, what for): optional; defines HAVE_VAR and the conditional HAVE_VAR.
AC_DEFUN([BH_WANT], [
PKG_CHECK_MODULES([$1], [$2],
	[bh_have_$1=yes
	AC_DEFINE([HAVE_$1], [1], [Define to 1 if $2 is there ($4).])
	AS_VAR_APPEND([bh_report], ["  found    $2 ($4)
"])],
	[bh_have_$1=no
	AS_VAR_APPEND([bh_report], ["  without  $2: no $4 (Debian package $3)
"])])
AM_CONDITIONAL([HAVE_$1], [test "$bh_have_$1" = yes])])

# Warnings that must not occur; --enable-werror makes them errors (CI does).
AC_DEFUN([BH_WARNINGS], [
AC_ARG_ENABLE([werror], [AS_HELP_STRING([--enable-werror], [warnings are errors])], [], [enable_werror=no])
BH_CFLAGS="-std=gnu11 -Wall -Wextra -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wpointer-arith -Wcast-qual -Wwrite-strings -Wformat=2 -Wundef -Wvla -Wimplicit-fallthrough"
AS_IF([test "$enable_werror" = yes], [BH_CFLAGS="$BH_CFLAGS -Werror"])
AC_SUBST([BH_CFLAGS])])

# Hardening by default.
AC_DEFUN([BH_HARDENING], [
AC_ARG_ENABLE([hardening], [AS_HELP_STRING([--disable-hardening], [no PIE, RELRO, stack protector, FORTIFY])], [], [enable_hardening=yes])
AS_IF([test "$enable_hardening" = yes], [
	BH_HARDEN_CFLAGS="-fPIE -fstack-protector-strong -fstack-clash-protection"
	AS_CASE([$host_cpu$(uname -m)], [*x86_64*], [BH_HARDEN_CFLAGS="$BH_HARDEN_CFLAGS -fcf-protection"])
	AS_CASE(["$CFLAGS"], [*-fsanitize*|*-O0*], [], [BH_HARDEN_CFLAGS="$BH_HARDEN_CFLAGS -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2"])
	BH_HARDEN_LDFLAGS="-pie -Wl,-z,relro,-z,now,-z,noexecstack"])
AC_SUBST([BH_HARDEN_CFLAGS])
AC_SUBST([BH_HARDEN_LDFLAGS])])

# --enable-sanitizers: AddressSanitizer and UndefinedBehaviorSanitizer.
AC_DEFUN([BH_SANITIZERS], [
AC_ARG_ENABLE([sanitizers], [AS_HELP_STRING([--enable-sanitizers], [build with ASan and UBSan])], [], [enable_sanitizers=no])
BH_SAN_CFLAGS=
AS_IF([test "$enable_sanitizers" = yes], [
	BH_SAN_CFLAGS="-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer"
	BH_HARDEN_CFLAGS="-fPIE -U_FORTIFY_SOURCE"
	AC_DEFINE([BH_SANITIZED], [1], [Define to 1 in a sanitizer build.])])
AM_CONDITIONAL([SANITIZED], [test "$enable_sanitizers" = yes])
AC_SUBST([BH_SAN_CFLAGS])])

# --enable-fuzz: libFuzzer targets (clang); without it the same targets only replay their corpora.
AC_DEFUN([BH_FUZZ], [
AC_ARG_ENABLE([fuzz], [AS_HELP_STRING([--enable-fuzz], [libFuzzer targets; needs CC=clang (Debian package clang, libclang-rt-14-dev)])], [], [enable_fuzz=no])
AM_CONDITIONAL([FUZZ], [test "$enable_fuzz" = yes])])

# --with-php=php-config8.2,...: one bulkhead-phpX.Y for each. What make needs to know of each goes to php-targets.mk,
# which sandbox/php.mk reads; --with-php-ini overrides where php.ini and conf.d are looked for.
AC_DEFUN([BH_PHP], [
AC_ARG_WITH([php], [AS_HELP_STRING([--with-php=PHP-CONFIG@<:@,PHP-CONFIG...@:>@], [build one bulkhead-phpX.Y for each (non-thread-safe PHP with the embed library); default: php-config])],
	[], [with_php=auto])
AC_ARG_WITH([php-ini], [AS_HELP_STRING([--with-php-ini=DIR@<:@:DIR...@:>@], [directories searched for php.ini and conf.d, @V@ stands for X.Y; default: the distribution's for apache2, then cgi, fpm, cli])],
	[], [with_php_ini=auto])
PHP_VERSIONS=
PHP_PROGRAMS=
echo "# Written by configure." > php-targets.mk
AS_IF([test "$with_php" = auto || test "$with_php" = yes], [with_php=php-config; command -v php-config >/dev/null 2>&1 || with_php=missing])
AS_IF([test "$with_php" != no], [
for bh_pc in $(echo "$with_php" | tr ',' ' '); do
	AS_IF([test "$bh_pc" = missing || ! command -v "$bh_pc" >/dev/null 2>&1], [
		AS_VAR_APPEND([bh_report], ["  MISSING  php-config (Debian packages php8.2-dev libphp8.2-embed)
"])
		AS_VAR_APPEND([bh_missing_packages], [" php8.2-dev libphp8.2-embed"])
		continue])
	bh_v=$($bh_pc --version | sed 's/^\(@<:@0-9@:>@*\.@<:@0-9@:>@*\).*/\1/')
	bh_inc=$($bh_pc --includes | sed 's/-I/-isystem /g')
	bh_lib=
	for bh_l in $($bh_pc --prefix)/lib/libphp$bh_v.so $($bh_pc --prefix)/lib/libphp.so /usr/lib/libphp$bh_v.so; do
		AS_IF([test -z "$bh_lib" && test -e "$bh_l"], [bh_lib=$bh_l])
	done
	AS_IF([test -z "$bh_lib"], [
		AS_VAR_APPEND([bh_report], ["  MISSING  libphp$bh_v.so, the embed library (Debian package libphp$bh_v-embed)
"])
		AS_VAR_APPEND([bh_missing_packages], [" libphp$bh_v-embed"])
		continue])
	AS_IF([grep -qs '^#define ZTS 1' "$($bh_pc --include-dir)/main/php_config.h"], [
		AC_MSG_ERROR([$bh_pc is of a thread-safe PHP; cells need the ordinary, non-thread-safe build])])
	dnl Debian keeps a directory per SAPI beside each other; elsewhere there is one for all.
	bh_ini=$with_php_ini
	AS_IF([test "$bh_ini" = auto], [
		bh_ini=$($bh_pc --ini-path 2>/dev/null)
		AS_CASE([$bh_ini],
			[*/apache2|*/cgi|*/cli|*/embed|*/fpm], [
				bh_base=${bh_ini%/*}
				bh_ini=$bh_base/apache2:$bh_base/cgi:$bh_base/fpm:$bh_base/cli])])
	bh_ini=$(echo "$bh_ini" | sed "s/@V@/$bh_v/g")
	AS_VAR_APPEND([bh_report], ["  found    PHP $bh_v: $bh_lib, configured in $bh_ini
"])
	PHP_VERSIONS="$PHP_VERSIONS $bh_v"
	PHP_PROGRAMS="$PHP_PROGRAMS bulkhead-php$bh_v bulkhead-selftest$bh_v.so"
	AS_ECHO(["PHP_CPPFLAGS_$bh_v = $bh_inc"]) >> php-targets.mk
	AS_ECHO(["PHP_LIBS_$bh_v = $bh_lib"]) >> php-targets.mk
	AS_ECHO(["PHP_INI_$bh_v = $bh_ini"]) >> php-targets.mk
done])
# The last one is the default: the newest, whatever the order they were given in.
PHP_VERSIONS=$(for bh_v in $PHP_VERSIONS; do echo " $bh_v"; done | sort -V | tr -d '\n')
AC_SUBST([PHP_VERSIONS])
AC_SUBST([PHP_PROGRAMS])
AC_DEFINE_UNQUOTED([BH_PHP_VERSIONS], ["$(echo $PHP_VERSIONS)"], [PHP versions that a bulkhead-phpX.Y was built for, separated by blanks.])
AM_CONDITIONAL([HAVE_PHP], [test -n "$PHP_VERSIONS"])])

AC_DEFUN([BH_SUMMARY], [
AS_ECHO([""])
AS_ECHO(["bulkhead $PACKAGE_VERSION"])
printf '%s' "$bh_report"
AS_ECHO(["  PHP versions:${PHP_VERSIONS:- none}"])
AS_IF([test -n "$bh_missing_packages"], [
	AC_MSG_ERROR([something is missing, see the list above. On Debian: apt-get install$bh_missing_packages])])
])
