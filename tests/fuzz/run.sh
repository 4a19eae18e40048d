# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# "./dev fuzz", sourced by ./dev: libFuzzer on the decoders, each for a bounded time, in a build of its own.

FUZZ_SECONDS=30

fuzz_targets() { # names, one a line
	(cd "$TOP/tests/fuzz" && ls fuzz_*.c) | sed 's/^fuzz_\(.*\)\.c$/\1/'
}

fuzz_build() { # directory, targets
	local dir=$1 target
	local -a programs=()
	shift
	for target in "$@"; do programs+=("tests/fuzz/fuzz_$target"); done
	mkdir -p "$dir"
	say "building (make's output: $dir/build.log) ..."
	(configure_in "$dir" CC=clang CFLAGS='-O1 -g' --enable-fuzz --enable-sanitizers --disable-hardening && make -C "$dir" -j "$JOBS" "${programs[@]}") \
		>"$dir/build.log" 2>&1 || { tail -n 40 "$dir/build.log"; die "the build failed"; }
}

# What it finds that is new goes into found/TARGET, and is where the next run begins; the corpus in the tree is only read.
fuzz_one() { # directory target seconds: 0 when nothing was found
	local dir=$1 target=$2 seconds=$3 log status runs coverage before after
	log=$dir/found/$target.log
	mkdir -p "$dir/found/$target"
	before=$(find "$dir/found/$target" -type f | wc -l)
	printf '%-16s' "$target"
	(cd "$dir" && exec nice -n 10 "tests/fuzz/fuzz_$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
		-dict="$TOP/tests/fuzz/dict/$target.dict" -artifact_prefix="found/crash-$target-" "found/$target" "$TOP/tests/fuzz/corpus/$target") >"$log" 2>&1
	status=$?
	after=$(find "$dir/found/$target" -type f | wc -l)
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
	coverage=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
	printf '%12s runs  %6s edges  %5s new inputs  ' "${runs:-0}" "${coverage:-?}" "$((after - before))"
	if [ "$status" -eq 0 ] && [ "${runs:-0}" -gt 0 ]; then
		say "nothing found"
		return 0
	fi
	say "FAILED"
	grep -m 3 -E 'ERROR|SUMMARY|ParseDictionary' "$log" | sed 's/^/    /'
	sed -n "s|.*Test unit written to |    input: $dir/|p" "$log"
	say "    log:   $log"
	say "    again: (cd $dir && tests/fuzz/fuzz_$target INPUT); once mended, keep the input in tests/fuzz/corpus/$target"
	return 1
}

cmd_fuzz() { # [list | all | TARGET...] [SECONDS]: without a target, all of them
	local dir=$BUILD/fuzz seconds=$FUZZ_SECONDS target bad=0
	local -a targets=()
	while [ $# -gt 0 ]; do
		case $1 in
		list) fuzz_targets; return 0 ;;
		all) ;;
		*[!0-9]*)
			[ -e "$TOP/tests/fuzz/fuzz_$1.c" ] || die "no such target: $1 (./dev fuzz list)"
			targets+=("$1")
			;;
		*) seconds=$1 ;;
		esac
		shift
	done
	[ "$seconds" -gt 0 ] || die "fuzz: the seconds of a target are at least 1"
	if [ "${#targets[@]}" -eq 0 ]; then mapfile -t targets < <(fuzz_targets); fi
	cmd_deps build check
	fuzz_build "$dir" "${targets[@]}"
	say "${#targets[@]} targets, $seconds s each:"
	for target in "${targets[@]}"; do
		fuzz_one "$dir" "$target" "$seconds" || bad=$((bad + 1))
	done
	[ "$bad" -eq 0 ] || die "$bad of ${#targets[@]} targets found something"
}
