# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# "./dev check", sourced by ./dev: every test. One line a step; the output of a step is shown when it fails, and kept in
# build/check/STEP.log. The last line adds up: N passed, N failed, N skipped.

CHECK_PASSED=0 CHECK_FAILED=0 CHECK_SKIPPED=0
CHECK_DIR=$BUILD/check
CHECK_STEPS="gcc unit it asan asan-it clang distcheck"
# What a sanitizer finds goes to standard error and ends the process; leaks cannot be looked for under a seccomp filter.
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=0:abort_on_error=0:exitcode=99:handle_abort=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}

check_count() { # passed failed skipped
	CHECK_PASSED=$((CHECK_PASSED + $1)) CHECK_FAILED=$((CHECK_FAILED + $2)) CHECK_SKIPPED=$((CHECK_SKIPPED + $3))
}

# Numbers of a "make check": of check's own programs their cases, of any other program the program itself.
check_count_units() { # build directory
	local trs log line passed=0 failed=0 skipped=0
	while read -r trs; do
		log=${trs%.trs}.log
		line=$(sed -n 's/^[0-9]*%: Checks: \([0-9]*\), Failures: \([0-9]*\), Errors: \([0-9]*\)$/\1 \2 \3/p' "$log" | tail -n 1)
		if [ -n "$line" ]; then
			# shellcheck disable=SC2086 # three numbers
			set -- $line
			passed=$((passed + $1 - $2 - $3)) failed=$((failed + $2 + $3))
			# A program that died after its summary has failed all the same.
			if [ $(($2 + $3)) = 0 ] && ! grep -q '^:test-result: PASS' "$trs"; then failed=$((failed + 1)); fi
		elif grep -q '^:test-result: PASS' "$trs"; then
			passed=$((passed + 1))
		elif grep -q '^:test-result: SKIP' "$trs"; then
			skipped=$((skipped + 1))
		else
			failed=$((failed + 1))
		fi
	done < <(find "$1/tests" -name '*.trs')
	# Something was built to be run: nothing found is a failure of the check itself.
	[ $((passed + failed + skipped)) -gt 0 ] || failed=1
	check_count $passed $failed $skipped
	CHECK_NOTE="$passed passed, $failed failed, $skipped skipped"
	if must_work && [ $skipped -gt 0 ]; then return 1; fi
	[ $failed = 0 ]
}

# Runs "make check" in a build; what failed is shown with its own output.
check_units() { # build directory
	local rc=0
	find "$1/tests" \( -name '*.trs' -o -name '*.log' \) -delete
	make -C "$1" -j "$JOBS" -k check || { rc=1; cat "$1/test-suite.log"; }
	check_count_units "$1" && return $rc
}

check_count_pytest() { # junit file
	local line
	line=$(/usr/bin/python3 - "$1" <<'PY'
import sys, xml.etree.ElementTree as tree
n = dict.fromkeys(("tests", "failures", "errors", "skipped"), 0)
try:
	for suite in tree.parse(sys.argv[1]).iter("testsuite"):
		for k in n:
			n[k] += int(suite.get(k, 0))
except (OSError, tree.ParseError):
	n["failures"] = 1
bad = n["failures"] + n["errors"]
print(max(n["tests"] - bad - n["skipped"], 0), bad if n["tests"] else max(bad, 1), n["skipped"])
PY
	)
	# shellcheck disable=SC2086 # three numbers
	set -- $line
	check_count "$1" "$2" "$3"
	CHECK_NOTE="$1 passed, $2 failed, $3 skipped"
}

check_run_pytest() { # name of the result, directory with the programs, then pytest's arguments
	local name=$1 bin=$2
	shift 2
	rm -f "$CHECK_DIR/$name.xml" "$CHECK_DIR/$name.failed"
	BULKHEAD_FAILED=$CHECK_DIR/$name.failed BULKHEAD_BIN=$bin/bulkhead /usr/bin/python3 -m pytest -p no:cacheprovider -q -ra \
		--junitxml="$CHECK_DIR/$name.xml" "$@"
}

# Servers, browsers and databases at work on two processors: a test that failed is run once more, alone, and both outcomes are
# shown. More than CHECK_AGAIN_MAX are not the machine's doing.
CHECK_AGAIN_MAX=3
check_pytest() { # name, directory with the programs, then pytest's arguments
	local name=$1 bin=$2 rc again=()
	shift 2
	check_run_pytest "$name" "$bin" "$TOP/tests/it" "$@"
	rc=$?
	check_count_pytest "$CHECK_DIR/$name.xml"
	[ $rc = 1 ] && [ -s "$CHECK_DIR/$name.failed" ] && mapfile -t again <"$CHECK_DIR/$name.failed"
	if [ ${#again[@]} -gt 0 ] && [ ${#again[@]} -le $CHECK_AGAIN_MAX ] &&
		(cd "$TOP" && check_run_pytest "$name-again" "$bin" "${again[@]}"); then
		check_count ${#again[@]} -${#again[@]} 0
		CHECK_NOTE="$CHECK_NOTE; passed the second time: ${again[*]}"
		rc=0
	fi
	return $rc
}

step_gcc() { build_in "$CHECK_DIR/gcc" CC=gcc --enable-werror; }

step_unit() { check_units "$CHECK_DIR/gcc"; }

step_it() { check_pytest it "$CHECK_DIR/gcc"; }

step_asan() {
	build_in "$CHECK_DIR/asan" CC=clang CFLAGS='-O1 -g' --enable-werror --enable-sanitizers && check_units "$CHECK_DIR/asan"
}

# Master and front of the sanitizer build, cells of the plain one: a sanitizer's run-time calls more than a cell may.
step_asan_it() {
	local bin=$CHECK_DIR/asan-bin
	rm -rf "$bin" && mkdir -p "$bin" && cp "$CHECK_DIR/asan/bulkhead" "$CHECK_DIR/gcc/bulkhead-php$PHPV" \
		"$CHECK_DIR/gcc/bulkhead-selftest$PHPV.so" "$bin/" || return 1
	# The cells are the plain build's: what looks at them alone has run.
	BULKHEAD_SANITIZED=1 check_pytest asan-it "$bin" -m 'not slow and not cells'
}

step_clang() { build_in "$CHECK_DIR/clang" CC=clang --enable-werror && make -C "$CHECK_DIR/clang" -j "$JOBS" check TESTS=; }

# The tests themselves ran above: here it is whether the archive is complete and builds, installs and cleans up alone.
step_distcheck() {
	make -C "$CHECK_DIR/gcc" -j "$JOBS" distcheck TESTS= \
		DISTCHECK_CONFIGURE_FLAGS="--enable-werror CC=gcc"
}

check_step() { # name
	local name=$1 started=$SECONDS rc log=$CHECK_DIR/$1.log before=$((CHECK_PASSED + CHECK_FAILED + CHECK_SKIPPED)) failed=$CHECK_FAILED
	CHECK_NOTE=
	printf '%-10s ' "$name"
	"step_${name//-/_}" >"$log" 2>&1
	rc=$?
	# A step without tests of its own counts as one.
	if [ $((CHECK_PASSED + CHECK_FAILED + CHECK_SKIPPED)) = $before ]; then
		if [ $rc = 0 ]; then check_count 1 0 0; else check_count 0 1 0; fi
	elif [ $rc != 0 ] && [ "$CHECK_FAILED" = "$failed" ]; then
		check_count 0 1 0
	fi
	if [ $rc = 0 ]; then
		printf 'ok     %4ds  %s\n' $((SECONDS - started)) "$CHECK_NOTE"
	else
		printf 'FAILED %4ds  %s\n' $((SECONDS - started)) "$CHECK_NOTE"
		sed 's/^/    /' "$log" | tail -n 400
	fi
	return $rc
}

cmd_check() { # steps; default all
	local step rc=0 needs=
	cmd_deps build run check
	mkdir -p "$CHECK_DIR"
	# shellcheck disable=SC2086 # a list
	[ $# -gt 0 ] || set -- $CHECK_STEPS
	for step in "$@"; do
		case " $CHECK_STEPS " in *" $step "*) ;; *) die "no such step: $step (there are: $CHECK_STEPS)" ;; esac
		# A step asked for alone brings the builds that it runs on.
		case $step in
		unit | it | distcheck) needs="$needs gcc" ;;
		asan-it) needs="$needs gcc asan" ;;
		esac
	done
	for step in $CHECK_STEPS; do
		case " $* $needs " in *" $step "*) ;; *) continue ;; esac
		check_step "$step" || rc=1
		# Without a build nothing further says anything.
		if [ "$step" = gcc ] && [ $rc != 0 ]; then break; fi
	done
	[ $CHECK_FAILED = 0 ] || rc=1
	say "$CHECK_PASSED passed, $CHECK_FAILED failed, $CHECK_SKIPPED skipped"
	exit $rc
}
